/// UUIDs of version 7 (RFC 9562): time first, so that they sort by age.
package enum UUIDv7 {
    package static let variant: UInt64 = 0x8000_0000_0000_0000

    /// The upper 64 bits: milliseconds, version, and the microseconds of the millisecond in `rand_a`.
    package static func high(_ microseconds: Int64) -> UInt64 {
        let time = microseconds > 0 ? UInt64(microseconds) : 0
        let milliseconds = (time / 1000) & 0xFFFF_FFFF_FFFF
        return milliseconds << 16 | 0x7000 | (time % 1000) << 2
    }

    /// A new id.
    package static func make(_ environment: Environment) -> String {
        let low = variant | (environment.random() >> 2)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 36) { text in
            UUIDText.write(high(environment.now()), low, into: text)
            return String(decoding: text, as: UTF8.self)
        }
    }
}

/// The 8-4-4-4-12 form of UUIDs, lower case.
package enum UUIDText {
    package static func write(
        _ high: UInt64, _ low: UInt64, into text: UnsafeMutableBufferPointer<UInt8>
    ) {
        guard text.count >= 36, let base = text.baseAddress else { return }
        var at = 0
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 {
                base[at] = 0x2D
                at &+= 1
            }
            let word = index < 16 ? high : low
            let nibble =
                UInt8(truncatingIfNeeded: word >> UInt64(truncatingIfNeeded: 60 &- (index & 15) &* 4)) & 0xF
            base[at] = nibble < 10 ? 0x30 &+ nibble : 0x57 &+ nibble
            at &+= 1
        }
    }

    package static func parse(_ text: ByteView) -> (UInt64, UInt64)? {
        guard text.count == 36 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for index in 0..<36 {
            let byte = text[index]
            if index == 8 || index == 13 || index == 18 || index == 23 {
                if byte != 0x2D { return nil }
                continue
            }
            var nibble: UInt64
            switch byte {
            case 0x30...0x39: nibble = UInt64(byte &- 0x30)
            case 0x61...0x66: nibble = UInt64(byte &- 0x57)
            default: return nil
            }
            if digits < 16 { words.0 = words.0 << 4 | nibble } else { words.1 = words.1 << 4 | nibble }
            digits &+= 1
            nibble = 0
        }
        return words
    }
}
