/// The whole grammar of JSON, strictly, with the place of the first fault: the slow way in.
///
/// Duplicate keys are not its business. It keeps no values and allocates nothing.
struct JSONSyntax {
    /// Numbers that jansson cannot hold were seen, see `NumberText`.
    private(set) var hasHugeNumbers = false
    /// Levels of arrays and objects that a value may have; at most 64 more than `Limits.jsonDepth`.
    private let levels: Int

    init(levels: Int = Limits.jsonDepth) { self.levels = levels }

    /// Checks the one value that begins at `from`; returns the offset after it.
    mutating func check(_ bytes: ByteView, from: Int) throws(JSONFault) -> Int {
        guard let base = bytes.baseAddress, from >= 0, from < bytes.count else {
            throw JSONFault(.unexpectedEnd, bytes.count)
        }
        let end = bytes.count
        // One bit a level, set for objects; those of the outermost levels go over when there are too many.
        var inObject: UInt128 = 0
        var outermost: UInt64 = 0
        var depth = 0
        var at = ByteWords.skipSpace(base, from, end)

        values: while true {
            guard at < end else { throw JSONFault(.unexpectedEnd, end) }
            var wantsKey = false
            switch base[at] {
            case 0x22: at = try string(base, at, end)
            case 0x7B, 0x5B:
                let opening = base[at]
                guard depth < levels else { throw JSONFault(.tooDeep, at) }
                depth &+= 1
                outermost = outermost &<< 1 | UInt64(truncatingIfNeeded: inObject &>> 127)
                inObject = inObject &<< 1 | (opening == 0x7B ? 1 : 0)
                at = ByteWords.skipSpace(base, at &+ 1, end)
                guard at < end else { throw JSONFault(.unexpectedEnd, end) }
                if base[at] == opening &+ 2 { break }
                if opening == 0x5B { continue values }
                wantsKey = true
            case 0x6E, 0x74, 0x66: at = try literal(base, at, end)
            case 0x2D, 0x30...0x39: at = try number(base, at, end)
            default: throw JSONFault(.expectedValue, at)
            }

            while !wantsKey {
                if depth == 0 { return at }
                at = ByteWords.skipSpace(base, at, end)
                guard at < end else { throw JSONFault(.unexpectedEnd, end) }
                let next = base[at]
                let isObject = inObject & 1 == 1
                if next == 0x2C {
                    at = ByteWords.skipSpace(base, at &+ 1, end)
                    if !isObject { continue values }
                    wantsKey = true
                } else if next == (isObject ? 0x7D : 0x5D) {
                    at &+= 1
                    inObject = inObject &>> 1 | UInt128(truncatingIfNeeded: outermost & 1) &<< 127
                    outermost &>>= 1
                    depth &-= 1
                } else {
                    throw JSONFault(isObject ? .expectedCommaOrBrace : .expectedCommaOrBracket, at)
                }
            }

            guard at < end else { throw JSONFault(.unexpectedEnd, end) }
            guard base[at] == 0x22 else { throw JSONFault(.expectedKey, at) }
            at = ByteWords.skipSpace(base, try string(base, at, end), end)
            guard at < end else { throw JSONFault(.unexpectedEnd, end) }
            guard base[at] == 0x3A else { throw JSONFault(.expectedColon, at) }
            at = ByteWords.skipSpace(base, at &+ 1, end)
        }
    }

    /// Walks over the string whose opening quote stands at `from`.
    private func string(
        _ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int
    ) throws(JSONFault) -> Int {
        var at = from &+ 1
        while true {
            at = ByteWords.plainRun(base, at, end)
            guard at < end else { throw JSONFault(.unexpectedEnd, end) }
            let byte = base[at]
            if byte == 0x22 { return at &+ 1 }
            if byte >= 0x80 {
                at = UTF8Check.multibyteRun(base, at, end)
                if at < 0 { throw JSONFault(.invalidUTF8, -1 &- at) }
            } else if byte == 0x5C {
                at = try escape(base, at, end)
            } else {
                throw JSONFault(.controlCharacter, at)
            }
        }
    }

    private func escape(
        _ base: UnsafePointer<UInt8>, _ at: Int, _ end: Int
    ) throws(JSONFault) -> Int {
        guard end &- at >= 2 else { throw JSONFault(.unexpectedEnd, end) }
        switch base[at &+ 1] {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return at &+ 2
        case 0x75: break
        default: throw JSONFault(.badEscape, at)
        }
        guard end &- at >= 6 else { throw JSONFault(.badEscape, at) }
        let unit = HexDigits.unit(base, at &+ 2)
        if unit < 0 { throw JSONFault(.badEscape, at) }
        if unit & 0xF800 != 0xD800 { return at &+ 6 }
        guard unit & 0x0400 == 0, end &- at >= 12, base[at &+ 6] == 0x5C, base[at &+ 7] == 0x75,
            HexDigits.unit(base, at &+ 8) & ~0x3FF == 0xDC00
        else { throw JSONFault(.loneSurrogate, at) }
        return at &+ 12
    }

    private func literal(
        _ base: UnsafePointer<UInt8>, _ at: Int, _ end: Int
    ) throws(JSONFault) -> Int {
        let left = end &- at
        if left >= 4 {
            let word = ByteWords.load4(base, at)
            if word == 0x6C6C_756E || word == 0x6575_7274 { return at &+ 4 }
            if word == 0x736C_6166, left >= 5, base[at &+ 4] == 0x65 { return at &+ 5 }
        }
        throw JSONFault(.badLiteral, at)
    }

    private mutating func number(
        _ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int
    ) throws(JSONFault) -> Int {
        let after = NumberText.end(base, from, end)
        if after < 0 {
            let place = -1 &- after
            throw JSONFault(place < end ? .badNumber : .unexpectedEnd, place)
        }
        if after &- from >= 19 || NumberText.isReal(base, from, after) {
            if NumberText.isHuge(base, from, after) { hasHugeNumbers = true }
        }
        return after
    }
}
