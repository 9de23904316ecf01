/// Eight bytes at a time: tests that look at all bytes of a word at once.
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

    /// The high bit of each byte that is a quote, a backslash, a control character or not ASCII.
    ///
    /// Bytes above the first hit may be flagged wrongly; the lowest flag is exact, and so is zero.
    /// Other bits are noise: mask with `highBits`.
    @inline(__always)
    static func stops(_ word: UInt64) -> UInt64 {
        let quote = (word ^ 0x2222_2222_2222_2222) &- 0x0101_0101_0101_0101
        let backslash = (word ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
        let control = word &- 0x2020_2020_2020_2020
        return quote | backslash | control | word
    }

    /// Where, from `at` on, the first byte stands that cannot be taken as it is inside a JSON string: a
    /// quote, a backslash, a control character, a byte that is not ASCII; `end` when there is none.
    @inline(__always)
    static func plainRun(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
        var at = from
        // Most strings are short or begin in front of an escape: one word before the big steps.
        if at &+ 8 <= end {
            let hit = stops(load(base, at)) & highBits
            if hit != 0 { return at &+ (hit.trailingZeroBitCount &>> 3) }
            at &+= 8
        }
        while at &+ 32 <= end {
            let first = stops(load(base, at)) | stops(load(base, at &+ 8))
            let second = stops(load(base, at &+ 16)) | stops(load(base, at &+ 24))
            if (first | second) & highBits != 0 { break }
            at &+= 32
        }
        while at &+ 8 <= end {
            let hit = stops(load(base, at)) & highBits
            if hit != 0 { return at &+ (hit.trailingZeroBitCount &>> 3) }
            at &+= 8
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
        while at &+ 8 <= end {
            let hit = load(base, at) & highBits
            if hit != 0 { return at &+ (hit.trailingZeroBitCount &>> 3) }
            at &+= 8
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
