/// Well-formed UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing over U+10FFFF.
enum UTF8Check {
    /// Walks over consecutive characters that are not ASCII, beginning at `from`, which holds such a byte.
    ///
    /// Returns where the next ASCII byte or the end stands; for a malformed sequence `-1 - offset` of its
    /// first byte.
    @inline(__always)
    static func multibyteRun(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
        var at = from
        while at < end {
            let lead = base[at]
            if lead < 0x80 { return at }
            let left = end &- at
            let size: Int
            if lead < 0xE0 {
                guard lead >= 0xC2, left >= 2, isContinuation(base[at &+ 1]) else { return -1 &- at }
                size = 2
            } else if lead < 0xF0 {
                guard left >= 3 else { return -1 &- at }
                let second = base[at &+ 1]
                guard isContinuation(second), isContinuation(base[at &+ 2]) else { return -1 &- at }
                if lead == 0xE0, second < 0xA0 { return -1 &- at }
                if lead == 0xED, second >= 0xA0 { return -1 &- at }
                size = 3
            } else {
                guard lead <= 0xF4, left >= 4 else { return -1 &- at }
                let second = base[at &+ 1]
                guard isContinuation(second), isContinuation(base[at &+ 2]),
                    isContinuation(base[at &+ 3])
                else { return -1 &- at }
                if lead == 0xF0, second < 0x90 { return -1 &- at }
                if lead == 0xF4, second >= 0x90 { return -1 &- at }
                size = 4
            }
            at &+= size
        }
        return at
    }

    @inline(__always)
    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}

extension Unicode.UTF8 {
    /// Offset of the first byte of the first malformed sequence, nil when all of it is UTF-8.
    package static func firstInvalid(_ bytes: ByteView) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let end = bytes.count
        var at = 0
        while true {
            at = ByteWords.asciiRun(base, at, end)
            if at >= end { return nil }
            at = UTF8Check.multibyteRun(base, at, end)
            if at < 0 { return -1 &- at }
        }
    }
}
