/// The private copy of a text that jansson judges: only what the scanner could not judge is left in it.
///
/// jansson needs up to 45 bytes of memory for one byte of text, so a large body made for that could end
/// the host. Whatever is inside of the outermost value and the scanner takes is blanked out, and what is
/// left has a largest number of values.
enum RefereeCopy {
    /// Values of which jansson takes some 250 MiB at most.
    static let maximumValues = 1_000_000

    /// Blanks out in place, keeping offsets; returns how many values are left, or somewhat more.
    static func shrink(_ text: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
        let base = UnsafePointer(text)
        let view = ByteView(start: base, count: count)
        var values = 1
        var at = count > 0 && (base[0] == 0x7B || base[0] == 0x5B) ? 1 : 0
        while at < count {
            switch base[at] {
            case 0x22:
                at = RawCursor.stringEnd(base, at &+ 1, count)
                if at < 0 { return values }
            case 0x7B, 0x5B:
                values &+= 1
                var facts = BodyFacts()
                let end = scanValue(view, from: at, facts: &facts)
                if end > at {
                    blank(text, at, end)
                    text[at] = 0x30
                    at = end
                } else {
                    at &+= 1
                }
            case 0x2C:
                values &+= 1
                at &+= 1
            default: at &+= 1
            }
        }
        return values
    }

    private static func blank(_ text: UnsafeMutablePointer<UInt8>, _ from: Int, _ end: Int) {
        var at = from
        while at < end {
            text[at] = 0x20
            at &+= 1
        }
    }
}
