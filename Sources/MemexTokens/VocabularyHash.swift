/// The hashing of a vocabulary image. Whoever builds an image and whoever reads it must agree bit by bit,
/// so both call these; a change needs a new `VocabularyImage.version` and new images.
enum VocabularyHash {
    static let wordMultiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
    static let pairMultiplier: UInt64 = 0xD6E8_FEB8_6659_FD93

    /// Both halves of a 128-bit product folded into one: every bit of the key reaches every bit.
    @inline(__always)
    static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    /// Of a piece of at most sixteen bytes, zero-padded.
    @inline(__always)
    static func word(_ low: UInt64, _ high: UInt64, _ seed: UInt64) -> UInt64 {
        fold(low ^ seed, high ^ wordMultiplier)
    }

    /// Of two neighbouring tokens.
    @inline(__always)
    static func pair(_ key: UInt64, _ seed: UInt64) -> UInt64 {
        fold(key ^ seed, pairMultiplier)
    }

    /// Of any bytes; for the few long tokens.
    static func long(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: count) &* wordMultiplier
        var at = 0
        while at &+ 8 <= count {
            hash = fold(hash ^ TextLoad.word(bytes + at), pairMultiplier)
            at &+= 8
        }
        return fold(hash ^ TextLoad.partial(bytes + at, count &- at), wordMultiplier)
    }

    /// The bucket of a hash, whose pilot says where its keys went.
    @inline(__always)
    static func bucket(_ hash: UInt64, _ buckets: UInt64) -> Int {
        Int(truncatingIfNeeded: ((hash &>> 32) &* buckets) &>> 32)
    }

    /// The slot of a hash under a pilot. The step depends on the key: an additive or xor-ed pilot alone does
    /// not separate keys that lie close together.
    @inline(__always)
    static func slot(_ hash: UInt64, _ pilot: UInt64, _ slots: UInt64) -> Int {
        let moved = (hash &+ pilot &* ((hash &>> 16) | 1)) & 0xFFFF_FFFF
        return Int(truncatingIfNeeded: (moved &* slots) &>> 32)
    }

    /// The bit that a pair sets in the filter of its bucket, which follows the pilot.
    @inline(__always)
    static func filterIndex(_ hash: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: 8 &+ (((hash & 0xFFFF) &* 24) &>> 16))
    }
}
