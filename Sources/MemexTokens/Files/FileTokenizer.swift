internal import CMemexShim
internal import MemexModel
internal import Synchronization

/// A tokenizer that was loaded from a file.
final class FileTokenizer: TextTokenizer, @unchecked Sendable {
    let name: String
    /// The bytes of the file and how it was opened: another file of the same name counts in another way. Set
    /// before anybody else has it.
    var identity: String
    private let pipeline: TextPipeline
    private let model: TokenizerModel
    private let decoder: [DecoderStep]
    /// A blank goes between the tokens: there is no decoder.
    private let hasDecoder: Bool
    /// Tokens that the model does not have: those that were added or have no bytes, as the file writes them,
    /// and those that merging does not make, by their bytes.
    private let others: TokenTable
    private let unreachable: TokenTable
    private let isByteLevel: Bool
    /// In the caches of threads; 0 when all numbers are taken, which costs speed alone.
    private let cacheTag: Int

    private static let lastTag = Atomic<Int>(8)

    /// - Parameters:
    ///   - decoder: nil when the file has none.
    ///   - others: as the file writes them.
    ///   - unreachable: by their bytes.
    init(
        name: String, model: TokenizerModel, decoder: [DecoderStep]?, isByteLevel: Bool,
        pipeline: consuming TextPipeline, others: consuming TokenTable, unreachable: consuming TokenTable
    ) {
        self.name = name
        identity = name
        self.model = model
        self.decoder = decoder ?? []
        hasDecoder = decoder != nil
        self.isByteLevel = isByteLevel
        self.pipeline = pipeline
        self.others = others
        self.unreachable = unreachable
        // A number is never used again: what the threads cached for it would be another vocabulary's.
        let tag = Self.lastTag.wrappingAdd(1, ordering: .relaxed).newValue
        cacheTag = tag > 0 && tag < 256 ? tag : 0
    }

    /// Places in a text have 31 bits.
    private static let longestText = Int(Int32.max) / 4

    private func checkLength(_ text: ByteView) throws(MemexError) {
        guard text.count <= Self.longestText else {
            throw MemexError(
                .limit, "a text has \(text.count) bytes; \(name) takes \(Self.longestText) at most",
                detailMembers: "\"limit\":\(Self.longestText)")
        }
    }
}

// MARK: - Counting and encoding

extension FileTokenizer {
    func count(_ text: ByteView, special: SpecialTokenPolicy) throws(MemexError) -> Int {
        var text = text
        var count = 0
        let fault = withUnsafePointer(to: &text) { view -> MemexError? in
            do throws(MemexError) {
                try self.count(
                    batch: UnsafeBufferPointer(start: view, count: 1), special: special, to: &count)
                return nil
            } catch {
                return error
            }
        }
        if let fault { throw fault }
        return count
    }

    func count(
        batch texts: UnsafeBufferPointer<ByteView>, special: SpecialTokenPolicy,
        to counts: UnsafeMutablePointer<Int>
    ) throws(MemexError) {
        guard let first = texts.baseAddress else { return }
        var index = 0
        while index < texts.count {
            try checkLength(first[index])
            counts[index] = 0
            index &+= 1
        }
        guard case .image(let loaded) = model else {
            var ids = ByteBuffer()
            index = 0
            while index < texts.count {
                ids.removeAll()
                try encode(first[index], special: special, to: &ids)
                counts[index] = ids.count / 4
                index &+= 1
            }
            return
        }
        let done = TokenizerScratch.with(tag: cacheTag) { scratch in
            var sink = ImageCounter(counter: PieceCounter(loaded.image, scratch, into: counts), total: counts)
            var done = true
            var index = 0
            while index < texts.count {
                sink.total = counts + index
                sink.counter.count(into: counts + index)
                done = pipeline.pour(first[index], special, into: &sink) && done
                index &+= 1
            }
            sink.counter.finish()
            return done && !sink.counter.failed
        }
        guard done else { throw MemexError.noMemory }
    }

    func encode(
        _ text: ByteView, special: SpecialTokenPolicy, to ids: inout ByteBuffer
    ) throws(MemexError) {
        try checkLength(text)
        let done: Bool
        if case .image(let loaded) = model {
            done = TokenizerScratch.with(tag: cacheTag) { scratch in
                var sink = ImageEncoder(encoder: PieceEncoder(loaded.image, scratch))
                swap(&sink.encoder.ids, &ids)
                let done = pipeline.pour(text, special, into: &sink)
                swap(&sink.encoder.ids, &ids)
                return done && !sink.encoder.failed
            }
        } else {
            var sink = ModelEncoder(model)
            swap(&sink.ids, &ids)
            let poured = pipeline.pour(text, special, into: &sink)
            swap(&sink.ids, &ids)
            done = poured && !sink.failed
            if sink.isUnknown {
                throw MemexError(
                    .invalid,
                    "the text has a character for which \(name) has no token, not even an unknown one")
            }
        }
        guard done, !ids.failed else { throw MemexError.noMemory }
    }
}

// MARK: - Decoding

extension FileTokenizer {
    func decode(_ ids: UnsafeBufferPointer<UInt32>, to text: inout ByteBuffer) throws(MemexError) {
        guard let first = ids.baseAddress else { return }
        var tokens = DecodedTokens()
        var index = 0
        while index < ids.count {
            guard append(Int(first[index]), to: &tokens.text) else {
                throw MemexError(
                    .invalid, "\(first[index]) at index \(index) is no token of \(name)",
                    detailMembers: "\"index\":\(index)")
            }
            if !hasDecoder, index &+ 1 < ids.count { tokens.text.append(" ") }
            tokens.endToken()
            index &+= 1
        }
        decoder.forEachElement { step in
            if isByteLevel, case .bytes = step { return true }
            var out = step.apply(tokens)
            swap(&tokens, &out)
            return true
        }
        text.append(tokens.text.view)
        if tokens.failed || text.failed { throw MemexError.noMemory }
    }

    /// Appends a token as the file writes it, or its bytes when it is byte-level.
    private func append(_ id: Int, to text: inout ByteBuffer) -> Bool {
        if others.has(id) {
            if !isByteLevel || !ByteAlphabet.decode(others.token(id), to: &text) {
                text.append(others.token(id))
            }
            return true
        }
        if Self.append(id, unreachable, to: &text) { return true }
        switch model {
        case .image(let loaded): return loaded.image.append(id, to: &text)
        case .pairs(let model): return Self.append(id, model.tokens, to: &text)
        case .unigram(let model): return Self.append(id, model.tokens, to: &text)
        }
    }

    private static func append(_ id: Int, _ tokens: borrowing TokenTable, to text: inout ByteBuffer) -> Bool {
        guard tokens.has(id) else { return false }
        text.append(tokens.token(id))
        return true
    }
}
