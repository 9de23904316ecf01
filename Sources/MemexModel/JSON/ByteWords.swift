internal import CMemexShim

/// Several bytes at a time: tests that look at all bytes of a word or block at once.
enum ByteWords {
    @inline(__always)
    static func load(_ base: UnsafePointer<UInt8>, _ at: Int) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
    }

    @inline(__always)
    static func load4(_ base: UnsafePointer<UInt8>, _ at: Int) -> UInt32 {
        UInt32(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt32.self))
    }

    @inline(__always)
    static func load2(_ base: UnsafePointer<UInt8>, _ at: Int) -> UInt16 {
        UInt16(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt16.self))
    }

    static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Where, from `at` on, the first byte stands that cannot be taken as it is inside a JSON string: a
    /// quote, a backslash, a control character, a byte that is not ASCII; `end` when there is none.
    @inline(__always)
    static func plainRun(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
        var at = from
        while end &- at >= 16 {
            let hits = memex_shim_json_stops(base + at)
            if hits != 0 { return at &+ hits.trailingZeroBitCount }
            at &+= 16
        }
        while at < end {
            let byte = base[at]
            if byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5C { return at }
            at &+= 1
        }
        return end
    }

    /// Where the first byte that is not ASCII stands, `end` when there is none.
    @inline(__always)
    static func asciiRun(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
        var at = from
        while end &- at >= 16 {
            let hits = memex_shim_high_bits(base + at)
            if hits != 0 { return at &+ hits.trailingZeroBitCount }
            at &+= 16
        }
        while at < end {
            if base[at] >= 0x80 { return at }
            at &+= 1
        }
        return end
    }

    /// The first byte from `at` on that is not JSON white space.
    @inline(__always)
    static func skipSpace(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
        var at = from
        while at < end {
            let byte = base[at]
            if byte > 0x20 { return at }
            if byte != 0x20, byte != 0x0A, byte != 0x0D, byte != 0x09 { return at }
            at &+= 1
        }
        return at
    }
}
