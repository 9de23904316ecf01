internal import MemexModel

/// Reads the added tokens of a `tokenizer.json`.
struct AddedTokenReader {
    let reader: TokenizerReader
    let isByteLevel: Bool
    let normalizer: [NormalizerStep]

    struct Found: ~Copyable {
        var before: AddedTokens
        var after: AddedTokens
        /// What decoding needs besides the model: added tokens, and others that are no tokens of it.
        var others: TokenTable
    }

    private struct Token {
        var content: [UInt8]
        var flags: AddedTokens.Flags
        var isNormalized: Bool
    }

    private static let place = "/added_tokens"

    func read(
        _ value: ByteView?, _ vocabulary: borrowing ModelReader.Vocabulary
    ) throws(MemexError) -> Found {
        let tokens = try tokens(value, vocabulary)
        var others = TokenTable()
        var before = Patterns()
        var after = Patterns()
        tokens.forEachElement { token in
            token.content.withUnsafeBufferPointer { _ = others.add($0, id: Int(token.flags.id)) }
            return true
        }
        var id = 0
        while id < vocabulary.literals.idEnd {
            if vocabulary.literals.has(id), !others.has(id) {
                _ = others.add(vocabulary.literals.token(id), id: id)
            }
            id &+= 1
        }
        // Of those that are alike once they are normalized, the special one is found.
        var done = add(tokens, special: true, &before, &after)
        done = add(tokens, special: false, &before, &after) && done
        if !done { throw MemexError.noMemory }
        if others.failed { throw MemexError.noMemory }
        return Found(before: try before.finish(), after: try after.finish(), others: others)
    }

    private func add(
        _ tokens: [Token], special: Bool, _ before: inout Patterns, _ after: inout Patterns
    ) -> Bool {
        var done = true
        tokens.forEachElement { token in
            guard token.flags.isSpecial == special else { return true }
            if !token.isNormalized {
                before.add(token.content, token.flags)
            } else if let content = normalized(token.content) {
                after.add(content, token.flags)
            } else {
                done = false
            }
            return done
        }
        return done
    }

    private struct Patterns: ~Copyable {
        private var contents = TokenTable()
        private var flags = HeapArray<AddedTokens.Flags>(AddedTokens.Flags())

        mutating func add(_ content: [UInt8], _ token: AddedTokens.Flags) {
            if content.isEmpty { return }
            let outcome = content.withUnsafeBufferPointer { contents.add($0, id: flags.count) }
            if case .added = outcome { flags.append(token) }
        }

        consuming func finish() throws(MemexError) -> AddedTokens { try AddedTokens.make(contents, flags) }
    }

    /// Nil when memory ran out.
    private func normalized(_ content: [UInt8]) -> [UInt8]? {
        var normal = ByteBuffer()
        var cut = false
        let done = content.withUnsafeBufferPointer {
            NormalizerStep.apply(normalizer, $0, to: &normal, cut: &cut)
        }
        return done ? TokenizerReader.array(normal.view) : nil
    }

    /// A token that the model has keeps its id; others get the next one, whatever the file says, which then
    /// must be the same.
    private func tokens(
        _ value: ByteView?, _ vocabulary: borrowing ModelReader.Vocabulary
    ) throws(MemexError) -> [Token] {
        guard let value else { return [] }
        guard value.byte(0) == 0x5B else { throw reader.fault(.invalid, Self.place, "must be an array") }
        var tokens: [Token] = []
        var known = TokenTable()
        var elements = RawElements(value)
        while let element = elements.next() {
            let place = "\(Self.place)/\(tokens.count)"
            guard tokens.count < Self.most else {
                throw reader.fault(.limit, place, "more than \(Self.most) added tokens")
            }
            var token = try token(element, place)
            if token.content.isEmpty { continue }
            let found = token.content.withUnsafeBufferPointer { ModelReader.id($0, vocabulary, isByteLevel) }
            if found >= 0 { token.flags.id = UInt32(truncatingIfNeeded: found) }
            let outcome = token.content.withUnsafeBufferPointer { known.add($0, id: Int(token.flags.id)) }
            switch outcome {
            case .added: break
            case .repeatsToken: throw reader.fault(.invalid, place, "the token comes twice")
            case .repeatsID: throw reader.fault(.invalid, place, "another added token has the same id")
            }
            if found < 0,
                vocabulary.tokens.has(Int(token.flags.id)) || vocabulary.literals.has(Int(token.flags.id))
            {
                throw reader.fault(.invalid, place, "another token of the vocabulary has the same id")
            }
            tokens.append(token)
        }
        return tokens
    }

    private static let most = 65_536

    private func token(_ element: ByteView, _ place: String) throws(MemexError) -> Token {
        guard element.byte(0) == 0x7B else { throw reader.fault(.invalid, place, "must be an object") }
        guard let content = try reader.string(try reader.member("content", of: element, at: place)) else {
            throw reader.fault(.invalid, "\(place)/content", "must be a string")
        }
        guard content.count <= RankFile.longestToken else {
            throw reader.fault(.limit, place, "the token has more than \(RankFile.longestToken) bytes")
        }
        let id = TokenizerReader.number(
            try reader.member("id", of: element, at: place), below: VocabularyImage.idLimit &- 1)
        guard let id else {
            throw reader.fault(
                .invalid, "\(place)/id", "must be a number from 0 to below \(VocabularyImage.idLimit - 1)")
        }
        var flags = AddedTokens.Flags()
        flags.id = UInt32(truncatingIfNeeded: id)
        flags.isSpecial = try reader.bool("special", of: element, at: place)
        flags.isWord = try reader.bool("single_word", of: element, at: place)
        flags.takesLeft = try reader.bool("lstrip", of: element, at: place)
        flags.takesRight = try reader.bool("rstrip", of: element, at: place)
        let isNormalized = try reader.bool(
            "normalized", of: element, at: place, standard: !flags.isSpecial)
        return Token(content: content, flags: flags, isNormalized: isNormalized)
    }
}
