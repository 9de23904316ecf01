/// The counts of pieces that are no tokens, of one thread. A few words make up most of what misses the
/// vocabulary, and merging them again and again is what costs.
///
/// An entry is a piece of at most fourteen bytes, zero-padded, then its length, the vocabulary's tag and the
/// count, which is no larger than the length. One place for each piece; a newer one takes it.
struct PieceCache {
    static let longest = 14
    static let entries = 1 << 14
    static let bytes = entries * 16

    private let base: UnsafeMutablePointer<UInt64>?
    private let tag: UInt64

    /// - Parameters:
    ///   - base: `bytes` of zeros or of what was kept before; nil keeps nothing.
    ///   - tag: 1 to 255, one for each vocabulary; 0 keeps nothing.
    init(_ base: UnsafeMutableRawPointer?, tag: Int) {
        self.base = tag > 0 && tag < 256 ? base?.assumingMemoryBound(to: UInt64.self) : nil
        self.tag = UInt64(truncatingIfNeeded: tag) &<< 52
    }

    @inline(__always)
    private func entry(_ key: PieceKey) -> Int {
        let hash = VocabularyHash.word(key.low, key.high, VocabularyHash.pairMultiplier)
        return Int(truncatingIfNeeded: hash & UInt64(Self.entries &- 1)) &* 2
    }

    @inline(__always)
    private func label(_ key: PieceKey, _ length: Int) -> UInt64 {
        key.high | tag | UInt64(truncatingIfNeeded: length) &<< 48
    }

    /// The count of a piece, 0 when it is not known.
    @inline(__always)
    func find(_ key: PieceKey, _ length: Int) -> Int {
        guard let base else { return 0 }
        let at = entry(key)
        let second = base[at &+ 1]
        guard base[at] == key.low, second & 0x0FFF_FFFF_FFFF_FFFF == label(key, length) else { return 0 }
        return Int(truncatingIfNeeded: second &>> 60)
    }

    @inline(__always)
    func keep(_ key: PieceKey, _ length: Int, _ count: Int) {
        guard let base, count > 0 else { return }
        let at = entry(key)
        base[at] = key.low
        base[at &+ 1] = label(key, length) | UInt64(truncatingIfNeeded: count) &<< 60
    }
}
