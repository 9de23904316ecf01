/// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
package enum UTF8Text {
    /// Offset of the first byte that does not belong, or nil.
    package static func firstInvalid(_ bytes: ByteView) -> Int? {
        var at = 0
        while at < bytes.count {
            let lead = bytes[at]
            if lead < 0x80 {
                at &+= 1
                continue
            }
            var length = 0
            var low: UInt8 = 0x80
            var high: UInt8 = 0xBF
            switch lead {
            case 0xC2...0xDF: length = 2
            case 0xE0: (length, low) = (3, 0xA0)
            case 0xED: (length, high) = (3, 0x9F)
            case 0xE1...0xEF: length = 3
            case 0xF0: (length, low) = (4, 0x90)
            case 0xF4: (length, high) = (4, 0x8F)
            case 0xF1...0xF3: length = 4
            default: return at
            }
            guard length <= bytes.count &- at else { return at }
            for index in 1..<length {
                let byte = bytes[at &+ index]
                guard byte >= low, byte <= high else { return at }
                (low, high) = (0x80, 0xBF)
            }
            at &+= length
        }
        return nil
    }
}
