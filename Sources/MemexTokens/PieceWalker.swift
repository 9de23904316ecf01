internal import CMemexShim

/// Takes the pieces of a text, in order.
protocol PieceSink: ~Copyable {
    /// A piece of at least one byte. With `padded`, sixteen bytes can be read from its beginning on.
    mutating func piece(_ at: UnsafePointer<UInt8>, _ length: Int, padded: Bool)
    /// Pieces that begin at the bits of `starts`, bit 0 is one, and end at `limit`, at most 64; none has a NUL,
    /// and sixteen bytes can be read from the beginning of each.
    mutating func pieces(_ bytes: UnsafePointer<UInt8>, starts: UInt64, limit: Int)
}

/// Walks through a text piece by piece: windows where it is ASCII, the rules where it is not.
enum PieceWalker<Rules: SplitRules> {
    /// What a window reads, and a key of sixteen bytes behind it.
    private static var margin: Int { 80 }

    @inline(__always)
    static func walk<Sink: PieceSink & ~Copyable>(
        _ base: UnsafePointer<UInt8>, _ count: Int, _ characters: CharacterTable, into sink: inout Sink
    ) {
        var at = 0
        let text = PieceText(base: base, count: count, readable: count, characters: characters)
        while count &- at >= margin { at = step(text, at, into: &sink) }
        if at >= count { return }
        // The rest, with zeros behind it, so that nothing is read that is not ours.
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 20) { space in
            guard let words = space.baseAddress else { return }
            words.initialize(repeating: 0, count: 20)
            let left = count &- at
            let bytes = UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt8.self)
            bytes.update(from: base + at, count: left)
            let tail = PieceText(
                base: UnsafePointer(bytes), count: left, readable: 160, characters: characters)
            var position = 0
            while position < left { position = step(tail, position, into: &sink) }
        }
    }

    /// Handles at least one piece that begins at `from`; where the next one begins. 64 bytes must be readable.
    @inline(__always)
    private static func step<Sink: PieceSink & ~Copyable>(
        _ text: PieceText, _ from: Int, into sink: inout Sink
    ) -> Int {
        var at = from
        let bytes = text.base + at
        if Rules.hasWindow, bytes[0] < 0x80, at &+ 1 >= text.count || bytes[1] < 0x80 {
            let masks = memex_shim_text_classify(bytes)
            let left = text.count &- at
            var length = masks.foreign.trailingZeroBitCount
            let isEnd = left <= length
            if isEnd { length = left }
            if length > 0 {
                let window = AsciiWindow(masks, bytes, length: length, isEnd: isEnd, Rules.self)
                if window.limit > 0 {
                    sink.pieces(bytes, starts: window.starts, limit: window.limit)
                    at &+= window.limit
                    // Cut short by a character that is not ASCII: the rules take the piece before it.
                    if length == 64 || at >= text.count { return at }
                }
            }
        }
        let end = Rules.pieceEnd(text, at)
        sink.piece(text.base + at, end &- at, padded: at &+ 16 <= text.readable)
        return end
    }
}
