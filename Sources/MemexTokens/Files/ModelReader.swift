internal import MemexModel

/// Reads the model of a `tokenizer.json`.
struct ModelReader {
    let reader: TokenizerReader
    let isByteLevel: Bool

    /// A model that is not built yet, so that added tokens can look their ids up.
    struct Vocabulary: ~Copyable {
        /// Byte-level tokens have their bytes here; those whose characters are no bytes are in `literals`.
        var tokens = TokenTable()
        var literals = TokenTable()
        var pairs = PairRanks()
        var scores = HeapArray<Double>(0)
        var options = PairModel.Options()
        var isUnigram = false

        var count: Int { tokens.tokens &+ literals.tokens }

        /// The model; a byte-level one as an image if its merges allow it.
        mutating func finish(_ path: String) throws(MemexError) -> TokenizerModel {
            if tokens.failed || pairs.failed || scores.failed || literals.failed { throw MemexError.noMemory }
            var mine = TokenTable()
            swap(&mine, &tokens)
            if isUnigram {
                var scores = HeapArray<Double>(0)
                swap(&scores, &self.scores)
                let model = UnigramModel(
                    mine, scores, unknown: options.unknown, hasByteFallback: options.hasByteFallback)
                if model.failed { throw MemexError.noMemory }
                return .unigram(model)
            }
            var pairs = PairRanks()
            swap(&pairs, &self.pairs)
            guard options.isByteLevel else { return .pairs(PairModel(mine, pairs, options)) }
            let builder = try VocabularyBuilder.make(
                mine, name: path, rule: .byPairs(hasWords: options.ignoresMerges), pairs: pairs)
            if builder.hasImage {
                // What is no word of the image must be decoded all the same.
                var id = 0
                while id < builder.tokens.idEnd {
                    if builder.tokens.has(id), !builder.isWord(id) {
                        _ = unreachable.add(builder.tokens.token(id), id: id)
                    }
                    id &+= 1
                }
                return .image(try LoadedImage(try builder.image()))
            }
            return .pairs(PairModel(builder.release(), pairs, options))
        }

        /// Tokens that the image lacks, by their bytes.
        var unreachable = TokenTable()
    }

    private static let place = "/model"

    func read(_ value: ByteView) throws(MemexError) -> Vocabulary {
        guard value.byte(0) == 0x7B else { throw reader.fault(.invalid, Self.place, "must be an object") }
        let vocab = try reader.member("vocab", of: value, at: Self.place)
        let merges = try reader.member("merges", of: value, at: Self.place)
        guard let vocab else { throw reader.fault(.invalid, Self.place, "the model has no vocab") }
        guard let type = try reader.member("type", of: value, at: Self.place) else {
            if let merges { return try pairModel(value, vocab, merges) }
            throw reader.unsupported(Self.place, "the model has no type and no merges")
        }
        if type.equals("\"BPE\"") {
            guard let merges else { throw reader.fault(.invalid, Self.place, "the model has no merges") }
            return try pairModel(value, vocab, merges)
        }
        if type.equals("\"Unigram\"") { return try unigramModel(value, vocab) }
        throw reader.unsupported(
            "\(Self.place)/type", "the model \(TokenizerReader.shown(type)) is not supported")
    }

    // MARK: - Byte-pair encoding

    private func pairModel(
        _ value: ByteView, _ vocab: ByteView, _ merges: ByteView
    ) throws(MemexError) -> Vocabulary {
        var found = Vocabulary()
        if let dropout = try reader.member("dropout", of: value, at: Self.place),
            !dropout.equals("0.0"), !dropout.equals("0")
        {
            throw reader.unsupported("\(Self.place)/dropout", "dropout makes counts a matter of chance")
        }
        for name: StaticString in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try reader.member(name, of: value, at: Self.place), !affix.equals("\"\"") {
                throw reader.unsupported("\(Self.place)/\(name)", "affixes of words are not supported")
            }
        }
        found.options.isByteLevel = isByteLevel
        found.options.ignoresMerges = try reader.bool("ignore_merges", of: value, at: Self.place)
        found.options.hasByteFallback = try reader.bool("byte_fallback", of: value, at: Self.place)
        found.options.fusesUnknown = try reader.bool("fuse_unk", of: value, at: Self.place)
        try readVocabulary(vocab, to: &found)
        if let unknown = try reader.member("unk_token", of: value, at: Self.place) {
            guard let name = try reader.string(unknown) else {
                throw reader.fault(.invalid, "\(Self.place)/unk_token", "must be a string")
            }
            found.options.unknown = name.withUnsafeBufferPointer { Self.id($0, found, isByteLevel) }
            if found.options.unknown < 0 {
                throw reader.fault(.invalid, "\(Self.place)/unk_token", "is not in the vocabulary")
            }
        }
        try readMerges(merges, to: &found)
        return found
    }

    /// The id of a token as the file writes it; -1 when the model has none.
    static func id(_ token: ByteView, _ vocabulary: borrowing Vocabulary, _ isByteLevel: Bool) -> Int {
        guard isByteLevel else { return vocabulary.tokens.id(token) }
        var bytes = ByteBuffer()
        return ByteAlphabet.decode(token, to: &bytes)
            ? vocabulary.tokens.id(bytes.view) : vocabulary.literals.id(token)
    }

    private func readVocabulary(_ vocab: ByteView, to found: inout Vocabulary) throws(MemexError) {
        let place = "\(Self.place)/vocab"
        guard vocab.byte(0) == 0x7B else { throw reader.fault(.invalid, place, "must be an object") }
        var members = RawMembers(vocab)
        var text = ByteBuffer()
        var bytes = ByteBuffer()
        while let member = members.next() {
            text.removeAll()
            bytes.removeAll()
            guard RawString.decode(member.key, to: &text) else {
                throw reader.fault(.invalid, place, "a token has a broken escape")
            }
            guard let id = TokenizerReader.number(member.value, below: VocabularyImage.idLimit &- 1) else {
                throw reader.fault(
                    .invalid, place,
                    "an id is not a number from 0 to below \(VocabularyImage.idLimit - 1)")
            }
            let isBytes = isByteLevel && ByteAlphabet.decode(text.view, to: &bytes)
            let token = isBytes ? bytes.view : text.view
            guard token.count <= RankFile.longestToken else {
                throw reader.fault(
                    .limit, place, "the token \(id) has more than \(RankFile.longestToken) bytes")
            }
            let outcome: TokenTable.Outcome
            if isByteLevel && !isBytes {
                outcome = found.tokens.has(id) ? .repeatsID : found.literals.add(token, id: id)
            } else {
                outcome = found.literals.has(id) ? .repeatsID : found.tokens.add(token, id: id)
            }
            switch outcome {
            case .added: break
            case .repeatsID: throw reader.fault(.invalid, place, "two tokens have the id \(id)")
            case .repeatsToken: throw reader.fault(.invalid, place, "the token of the id \(id) comes twice")
            }
        }
        if found.tokens.failed || found.literals.failed || text.failed { throw MemexError.noMemory }
    }

    private func readMerges(_ merges: ByteView, to found: inout Vocabulary) throws(MemexError) {
        let place = "\(Self.place)/merges"
        guard merges.byte(0) == 0x5B else { throw reader.fault(.invalid, place, "must be an array") }
        var elements = RawElements(merges)
        var line = 0
        var rank: UInt32 = 0
        var left = ByteBuffer()
        var right = ByteBuffer()
        while let element = elements.next() {
            left.removeAll()
            right.removeAll()
            guard try pair(element, &left, &right) else {
                if line == 0, element.has(("\"#version" as StaticString).bytes, at: 0) {
                    line &+= 1
                    continue
                }
                throw reader.fault(.invalid, "\(place)/\(line)", "must be two tokens")
            }
            let first = Self.id(left.view, found, isByteLevel)
            let second = Self.id(right.view, found, isByteLevel)
            left.append(right.view)
            let merged = Self.id(left.view, found, isByteLevel)
            guard first >= 0, second >= 0, merged >= 0 else {
                throw reader.fault(
                    .invalid, "\(place)/\(line)", "a token of the merge is not in the vocabulary")
            }
            found.pairs.add(
                UInt32(truncatingIfNeeded: first), UInt32(truncatingIfNeeded: second), rank: rank,
                merged: UInt32(truncatingIfNeeded: merged))
            rank &+= 1
            line &+= 1
        }
        if found.pairs.failed || left.failed || right.failed { throw MemexError.noMemory }
    }

    /// The two tokens of a merge: `"a b"` or `["a", "b"]`.
    private func pair(
        _ element: ByteView, _ left: inout ByteBuffer, _ right: inout ByteBuffer
    ) throws(MemexError) -> Bool {
        if let raw = RawString.contents(element) {
            var text = ByteBuffer()
            guard RawString.decode(raw, to: &text) else { return false }
            var blank = 0
            while blank < text.count, text.view.byte(blank) != 0x20 { blank &+= 1 }
            guard blank < text.count else { return false }
            left.append(text.view.slice(0, blank))
            right.append(text.view.slice(blank &+ 1, text.count &- blank &- 1))
            var at = 0
            while at < right.count {
                if right.view.byte(at) == 0x20 { return false }
                at &+= 1
            }
            return true
        }
        var tokens = RawElements(element)
        guard let first = tokens.next(), let second = tokens.next(), tokens.next() == nil,
            let firstRaw = RawString.contents(first), let secondRaw = RawString.contents(second)
        else { return false }
        return RawString.decode(firstRaw, to: &left) && RawString.decode(secondRaw, to: &right)
    }

    // MARK: - Unigram

    private func unigramModel(_ value: ByteView, _ vocab: ByteView) throws(MemexError) -> Vocabulary {
        let place = "\(Self.place)/vocab"
        guard !isByteLevel else { throw reader.unsupported(Self.place, "a byte-level Unigram model") }
        guard vocab.byte(0) == 0x5B else { throw reader.fault(.invalid, place, "must be an array") }
        var found = Vocabulary()
        found.isUnigram = true
        var elements = RawElements(vocab)
        var text = ByteBuffer()
        var id = 0
        while let element = elements.next() {
            text.removeAll()
            var entry = RawElements(element)
            guard let token = entry.next(), let score = entry.next(), entry.next() == nil,
                let raw = RawString.contents(token), RawString.decode(raw, to: &text),
                score.byte(0) == 0x2D || score.byte(0) &- 0x30 <= 9, let value = Double(score.text)
            else { throw reader.fault(.invalid, "\(place)/\(id)", "must be a token and its score") }
            guard id < VocabularyImage.idLimit &- 1, text.count <= RankFile.longestToken else {
                throw reader.fault(.limit, "\(place)/\(id)", "too many tokens, or one that is too long")
            }
            guard case .added = found.tokens.add(text.view, id: id) else {
                throw reader.fault(.invalid, "\(place)/\(id)", "the token comes twice")
            }
            found.scores.append(value)
            id &+= 1
        }
        if id == 0 { throw reader.fault(.invalid, place, "the vocabulary is empty") }
        if let unknown = try reader.member("unk_id", of: value, at: Self.place) {
            guard let number = TokenizerReader.number(unknown, below: id) else {
                throw reader.fault(.invalid, "\(Self.place)/unk_id", "must be the id of a token")
            }
            found.options.unknown = number
        }
        found.options.hasByteFallback = try reader.bool("byte_fallback", of: value, at: Self.place)
        if text.failed { throw MemexError.noMemory }
        return found
    }
}
