/// The fast way in: one strict pass over one JSON value.
///
/// Returns the offset after the value that begins at `from` (white space before it allowed), or -1 when it
/// declines: at anything wrong and at anything unusual. What it accepts, jansson accepts, too. Facts are
/// those of the value's own members when it is an object; their offsets count from `from`.
package func scanValue(_ bytes: ByteView, from: Int, facts: inout BodyFacts) -> Int {
    guard let base = bytes.baseAddress, from >= 0, from < bytes.count, bytes.count < 1 << 31 else {
        return -1
    }
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: KeyStack.capacity) { memory in
        guard let entries = memory.baseAddress else { return -1 }
        return scan(base, from, bytes.count, KeyStack(entries), &facts)
    }
}

/// Levels that the scanner follows; what is deeper goes the slow way.
private let scannerDepth = 63

@inline(__always)
private func scan(
    _ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int, _ stack: KeyStack, _ facts: inout BodyFacts
) -> Int {
    var keys = stack
    var found = BodyFacts()
    var inObject: UInt64 = 0
    var depth = 0
    var key = BodyKey.other
    var at = ByteWords.skipSpace(base, from, end)

    values: while at < end {
        var wantsKey = false
        switch base[at] {
        case 0x22:
            var escaped = false
            let start = at &+ 1
            let close = scanString(base, start, end, &escaped)
            if close < 0 { return -1 }
            if depth == 1 {
                found.note(key, string: start &- from, length: close &- start, escaped: escaped)
            }
            at = close &+ 1
        case 0x7B:
            if depth == 1, key == .toolCalls { found.flags |= BodyFacts.toolCalls }
            guard depth < scannerDepth, keys.enter() else { return -1 }
            depth &+= 1
            inObject = inObject &<< 1 | 1
            at = ByteWords.skipSpace(base, at &+ 1, end)
            if at < end, base[at] == 0x7D { break }
            wantsKey = true
        case 0x5B:
            if depth == 1, key == .toolCalls { found.flags |= BodyFacts.toolCalls }
            guard depth < scannerDepth else { return -1 }
            depth &+= 1
            inObject = inObject &<< 1
            at = ByteWords.skipSpace(base, at &+ 1, end)
            if at < end, base[at] == 0x5D { break }
            continue values
        case 0x6E:
            guard end &- at >= 4, ByteWords.load4(base, at) == 0x6C6C_756E else { return -1 }
            at &+= 4
        case 0x74:
            guard end &- at >= 4, ByteWords.load4(base, at) == 0x6575_7274 else { return -1 }
            if depth == 1, key == .toolCalls { found.flags |= BodyFacts.toolCalls }
            at &+= 4
        case 0x66:
            guard end &- at >= 5, ByteWords.load4(base, at &+ 1) == 0x6573_6C61 else { return -1 }
            if depth == 1, key == .toolCalls { found.flags |= BodyFacts.toolCalls }
            at &+= 5
        default:
            if depth == 1, key == .toolCalls { found.flags |= BodyFacts.toolCalls }
            at = scanNumber(base, at, end)
            if at < 0 { return -1 }
        }

        // After a value, or before the end of an empty array or object, or before a first key.
        while !wantsKey {
            if depth == 0 {
                facts = found
                return at
            }
            at = ByteWords.skipSpace(base, at, end)
            guard at < end else { return -1 }
            let next = base[at]
            at &+= 1
            if next == 0x2C {
                at = ByteWords.skipSpace(base, at, end)
                if inObject & 1 == 0 { continue values }
                wantsKey = true
            } else if next == 0x7D {
                guard inObject & 1 == 1 else { return -1 }
                if depth == 1 { found.note(memberCount: keys.size) }
                keys.leave()
                inObject &>>= 1
                depth &-= 1
            } else if next == 0x5D {
                guard inObject & 1 == 0 else { return -1 }
                inObject &>>= 1
                depth &-= 1
            } else {
                return -1
            }
        }

        guard at < end, base[at] == 0x22 else { return -1 }
        let start = at &+ 1
        var escaped = false
        let close = scanString(base, start, end, &escaped)
        guard close >= 0, !escaped, keys.add(base, start, close &- start) else { return -1 }
        if depth == 1 { key = bodyKey(base, start, close &- start) }
        at = ByteWords.skipSpace(base, close &+ 1, end)
        guard at < end, base[at] == 0x3A else { return -1 }
        at = ByteWords.skipSpace(base, at &+ 1, end)
    }
    return -1
}

/// Which key of a body this is. The byte after the key is a quote and can be read.
@inline(__always)
private func bodyKey(_ base: UnsafePointer<UInt8>, _ start: Int, _ length: Int) -> BodyKey {
    switch length {
    case 4: return ByteWords.load4(base, start) == 0x656C_6F72 ? .role : .other
    case 7: return ByteWords.load(base, start) == 0x2274_6E65_746E_6F63 ? .content : .other
    case 10:
        guard ByteWords.load(base, start) == 0x6C61_635F_6C6F_6F74 else { return .other }
        return ByteWords.load2(base, start &+ 8) == 0x736C ? .toolCalls : .other
    case 12:
        guard ByteWords.load(base, start) == 0x6C61_635F_6C6F_6F74 else { return .other }
        return ByteWords.load4(base, start &+ 8) == 0x6469_5F6C ? .toolCallID : .other
    default: return .other
    }
}
