/// What to do with numbers in a private copy of a text before jansson reads it. Lengths stay the same, so
/// that offsets do, too.
enum NumberRewrite {
    /// Numbers beyond jansson's range become reals within it: an integer loses its last digits to an
    /// exponent, a real becomes 1e308.
    case huge
    /// Reals and long integers become 0: for texts of which only the verdict is wanted.
    case references

    /// Rewrites well-formed JSON in place.
    func apply(_ text: UnsafeMutablePointer<UInt8>, _ count: Int) {
        let base = UnsafePointer(text)
        var at = 0
        while at < count {
            let byte = base[at]
            if byte == 0x22 {
                at = RawCursor.stringEnd(base, at &+ 1, count)
                if at < 0 { return }
            } else if byte == 0x2D || byte &- 0x30 <= 9 {
                let end = NumberText.end(base, at, count)
                if end < 0 { return }
                number(text, at, end)
                at = end
            } else {
                at &+= 1
            }
        }
    }

    private func number(_ text: UnsafeMutablePointer<UInt8>, _ from: Int, _ end: Int) {
        let base = UnsafePointer(text)
        switch self {
        case .references:
            guard end &- from > 18 || NumberText.isReal(base, from, end) else { return }
            blank(text, from, end)
            text[from] = 0x30
        case .huge:
            guard NumberText.isHuge(base, from, end) else { return }
            let digits = base[from] == 0x2D ? from &+ 1 : from
            if NumberText.isReal(base, from, end) {
                blank(text, digits, end)
                text[digits] = 0x31
                exponent(text, digits &+ 1, end, 308)
            } else {
                // 17 digits are more than a double holds; what they leave out becomes the exponent.
                let left = end &- digits &- 17
                blank(text, digits &+ 17, end)
                exponent(text, digits &+ 17, end, left < 291 ? left : 291)
            }
        }
    }

    private func blank(_ text: UnsafeMutablePointer<UInt8>, _ from: Int, _ end: Int) {
        var at = from
        while at < end {
            text[at] = 0x20
            at &+= 1
        }
    }

    /// Writes `e` and up to three digits, as far as there is room.
    private func exponent(
        _ text: UnsafeMutablePointer<UInt8>, _ from: Int, _ end: Int, _ value: Int
    ) {
        var at = from
        var unit = value >= 100 ? 100 : value >= 10 ? 10 : 1
        var rest = value
        if at < end { text[at] = 0x65 }
        at &+= 1
        while unit > 0, at < end {
            var digit: UInt8 = 0x30
            while rest >= unit {
                rest &-= unit
                digit &+= 1
            }
            text[at] = digit
            at &+= 1
            unit = unit == 100 ? 10 : unit == 10 ? 1 : 0
        }
    }
}
