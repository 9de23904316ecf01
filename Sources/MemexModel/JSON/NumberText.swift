/// JSON numbers as text: their grammar, and which of them jansson has no room for.
enum NumberText {
    /// Walks over the number at `from`; for a malformed one `-1 - offset` of where it goes wrong.
    static func end(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
        var at = from
        if at < end, base[at] == 0x2D { at &+= 1 }
        let first = at
        at = digitRun(base, at, end)
        if at == first { return -1 &- at }
        if base[first] == 0x30, at &- first > 1 { return -1 &- (first &+ 1) }
        if at < end, base[at] == 0x2E {
            let fraction = at &+ 1
            at = digitRun(base, fraction, end)
            if at == fraction { return -1 &- at }
        }
        if at < end, base[at] | 0x20 == 0x65 {
            at &+= 1
            if at < end, base[at] == 0x2B || base[at] == 0x2D { at &+= 1 }
            let exponent = at
            at = digitRun(base, exponent, end)
            if at == exponent { return -1 &- at }
        }
        return at
    }

    /// Whether a well-formed number has a fraction or an exponent.
    static func isReal(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Bool {
        var at = from
        while at < end {
            let byte = base[at]
            if byte == 0x2E || byte | 0x20 == 0x65 { return true }
            at &+= 1
        }
        return false
    }

    /// Whether jansson might refuse this well-formed number: an integer beyond Int64, a magnitude of 1e308
    /// and more.
    static func isHuge(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Bool {
        let negative = base[from] == 0x2D
        let first = negative ? from &+ 1 : from
        let point = digitRun(base, first, end)
        if point == end {
            let digits = end &- first
            if digits != 19 { return digits > 19 }
            var value: UInt64 = 0
            var at = first
            while at < end {
                value = value &* 10 &+ UInt64(base[at] &- 0x30)
                at &+= 1
            }
            return value > UInt64(Int64.max) &+ (negative ? 1 : 0)
        }
        return magnitude(base, first, point, end) >= 308
    }

    /// The decimal exponent of a real in scientific notation, within ±2^40; 0 for zero.
    private static func magnitude(
        _ base: UnsafePointer<UInt8>, _ first: Int, _ point: Int, _ end: Int
    ) -> Int {
        // Where the first digit that is not zero stands, seen from the point.
        var place = 0
        var at = first
        var found = false
        while at < end, base[at] | 0x20 != 0x65 {
            if base[at] != 0x2E, base[at] != 0x30 {
                place = at < point ? point &- at &- 1 : point &- at
                found = true
                break
            }
            at &+= 1
        }
        if !found { return 0 }
        while at < end, base[at] | 0x20 != 0x65 { at &+= 1 }
        guard at < end else { return place }
        at &+= 1
        let negative = at < end && base[at] == 0x2D
        if at < end, base[at] == 0x2D || base[at] == 0x2B { at &+= 1 }
        var exponent = 0
        while at < end {
            if exponent < 1 << 40 { exponent = exponent &* 10 &+ Int(base[at] &- 0x30) }
            at &+= 1
        }
        return negative ? place &- exponent : place &+ exponent
    }
}
