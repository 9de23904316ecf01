package import MemexModel

/// Byte-pair encoding with a built-in vocabulary: exact, without loading anything.
package struct BytePairTokenizer: TextTokenizer {
    package let name: String
    private let image: VocabularyImage
    private let pattern: SplitPattern
    private let special: SpecialTokens
    private let cacheTag: Int

    /// Nil only if the library was built with a broken image.
    package init?(_ encoding: BuiltInEncoding) {
        guard let image = encoding.image else { return nil }
        self.image = image
        name = encoding.rawValue
        pattern = encoding.pattern
        special = encoding.specialTokens
        cacheTag = encoding.cacheTag
    }

    package func count(_ text: ByteView, special policy: SpecialTokenPolicy) throws(MemexError) -> Int {
        var text = text
        var count = 0
        let done = withUnsafePointer(to: &text) {
            countAll(UnsafeBufferPointer(start: $0, count: 1), policy, &count)
        }
        guard done else { throw MemexError.noMemory }
        return count
    }

    package func count(
        batch texts: UnsafeBufferPointer<ByteView>, special policy: SpecialTokenPolicy,
        to counts: UnsafeMutablePointer<Int>
    ) throws(MemexError) {
        guard countAll(texts, policy, counts) else { throw MemexError.noMemory }
    }

    private func countAll(
        _ texts: UnsafeBufferPointer<ByteView>, _ policy: SpecialTokenPolicy,
        _ counts: UnsafeMutablePointer<Int>
    ) -> Bool {
        guard let first = texts.baseAddress else { return true }
        return TokenizerScratch.with(tag: cacheTag) { scratch in
            var counter = PieceCounter(image, scratch, into: counts)
            var index = 0
            while index < texts.count {
                counts[index] = 0
                counter.count(into: counts + index)
                var from = 0
                if case .asTokens = policy {
                    while let token = special.next(in: first[index], from: from) {
                        walk(first[index], from, token.start, into: &counter)
                        counts[index] &+= 1
                        from = token.start &+ token.length
                    }
                }
                walk(first[index], from, first[index].count, into: &counter)
                index &+= 1
            }
            counter.finish()
            return !counter.failed
        }
    }

    package func encode(
        _ text: ByteView, special policy: SpecialTokenPolicy, to ids: inout ByteBuffer
    ) throws(MemexError) {
        let done = TokenizerScratch.with(tag: cacheTag) { scratch in
            var encoder = PieceEncoder(image, scratch)
            swap(&encoder.ids, &ids)
            var from = 0
            if case .asTokens = policy {
                while let token = special.next(in: text, from: from) {
                    walk(text, from, token.start, into: &encoder)
                    encoder.ids.append(littleEndian: UInt32(truncatingIfNeeded: token.id))
                    from = token.start &+ token.length
                }
            }
            walk(text, from, text.count, into: &encoder)
            swap(&encoder.ids, &ids)
            return !encoder.failed
        }
        guard done, !ids.failed else { throw MemexError.noMemory }
    }

    @inline(__always)
    private func walk<Sink: PieceSink & ~Copyable>(
        _ text: ByteView, _ from: Int, _ end: Int, into sink: inout Sink
    ) {
        guard end > from, let base = text.baseAddress else { return }
        pattern.walk(base + from, end &- from, into: &sink)
    }

    package func decode(
        _ ids: UnsafeBufferPointer<UInt32>, to text: inout ByteBuffer
    ) throws(MemexError) {
        guard let first = ids.baseAddress else { return }
        var index = 0
        while index < ids.count {
            let id = Int(first[index])
            if !image.append(id, to: &text), !special.append(id, to: &text) {
                throw MemexError(
                    .invalid, "\(id) at index \(index) is no token of \(name)",
                    detailMembers: "\"index\":\(index)")
            }
            index &+= 1
        }
        guard !text.failed else { throw MemexError.noMemory }
    }
}
