/// Unaligned loads of up to eight bytes, least significant first.
enum TextLoad {
    /// Eight bytes, all of which must be readable.
    @inline(__always)
    static func word(_ at: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt64.self))
    }

    @inline(__always)
    static func half(_ at: UnsafePointer<UInt8>) -> UInt32 {
        UInt32(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt32.self))
    }

    /// The first `count` bytes, at most eight, and zeros; reads nothing else.
    @inline(__always)
    static func partial(_ at: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        var word: UInt64 = 0
        var index = 0
        while index < count, index < 8 {
            word |= UInt64(at[index]) &<< UInt64(truncatingIfNeeded: index &* 8)
            index &+= 1
        }
        return word
    }

    /// Ones in the low `count` bytes; count is 1 to 8.
    @inline(__always)
    static func mask(_ count: Int) -> UInt64 {
        ~0 &>> UInt64(truncatingIfNeeded: 64 &- count &* 8)
    }
}
