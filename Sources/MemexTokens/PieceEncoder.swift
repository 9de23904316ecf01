internal import MemexModel

/// Turns pieces into the ids of their tokens, in order.
struct PieceEncoder: PieceSink, ~Copyable {
    /// Four bytes for each token.
    var ids = ByteBuffer()
    /// Memory for a piece that cannot be split within the scratch memory ran out.
    private(set) var failed = false
    private let image: VocabularyImage
    private let merger: PieceMerger

    init(_ image: VocabularyImage, _ scratch: TokenizerScratch) {
        self.image = image
        merger = PieceMerger(image, scratch)
    }

    @inline(__always)
    mutating func piece(_ at: UnsafePointer<UInt8>, _ length: Int, padded: Bool) {
        let token: UInt32
        if length > 16 || at[length &- 1] == 0 {
            token = image.longToken(at, length)
        } else {
            let key = PieceKey(at, length, padded: padded)
            token = length <= 8 ? image.shortToken(key.low) : image.mediumToken(key.low, key.high)
        }
        if token != VocabularyImage.noToken {
            ids.append(littleEndian: token)
        } else {
            merge(at, length)
        }
    }

    @inline(__always)
    mutating func pieces(_ bytes: UnsafePointer<UInt8>, starts: UInt64, limit: Int) {
        var bits = starts & (~0 &>> UInt64(truncatingIfNeeded: 64 &- limit))
        bits &= bits &- 1
        var start = 0
        while bits != 0 {
            let end = bits.trailingZeroBitCount
            piece(bytes + start, end &- start, padded: true)
            start = end
            bits &= bits &- 1
        }
        piece(bytes + start, limit &- start, padded: true)
    }

    @inline(never)
    private mutating func merge(_ at: UnsafePointer<UInt8>, _ length: Int) {
        let done = merger.encode(at, length) { found, count in
            ids.append(
                ByteView(
                    start: UnsafeRawPointer(found).assumingMemoryBound(to: UInt8.self), count: count &* 4))
        }
        if !done { failed = true }
    }
}
