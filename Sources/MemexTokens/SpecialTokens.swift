internal import MemexModel

/// The special tokens of an encoding: `<|name|>` each.
enum SpecialTokens {
    case o200kBase
    case o200kHarmony
    case cl100kBase
    case p50kBase

    private static let longestName = 20

    private typealias Named = [(name: StaticString, id: Int)]

    private static let ofO200kBase: Named = [("endoftext", 199_999), ("endofprompt", 200_018)]
    private static let ofO200kHarmony: Named = [
        ("startoftext", 199_998), ("endoftext", 199_999), ("return", 200_002), ("constrain", 200_003),
        ("channel", 200_005), ("start", 200_006), ("end", 200_007), ("message", 200_008), ("call", 200_012),
        ("endofprompt", 200_018),
    ]
    private static let ofCL100kBase: Named = [
        ("endoftext", 100_257), ("fim_prefix", 100_258), ("fim_middle", 100_259), ("fim_suffix", 100_260),
        ("endofprompt", 100_276),
    ]
    private static let ofP50kBase: Named = [("endoftext", 50_256)]

    /// The names without their brackets.
    private var named: Named {
        switch self {
        case .o200kBase: return Self.ofO200kBase
        case .o200kHarmony: return Self.ofO200kHarmony
        case .cl100kBase: return Self.ofCL100kBase
        case .p50kBase: return Self.ofP50kBase
        }
    }

    /// Ids that harmony calls `reserved_` and their number: all that have no other name, and the one of
    /// endofprompt.
    private static func isReserved(_ id: Int) -> Bool {
        switch id {
        case 200_000, 200_001, 200_004, 200_009...200_011, 200_013...201_087: return true
        default: return false
        }
    }

    private func first(where matches: (StaticString, Int) -> Bool) -> (name: StaticString, id: Int)? {
        named.withUnsafeBufferPointer { entries in
            guard let base = entries.baseAddress else { return nil }
            var index = 0
            while index < entries.count {
                if matches(base[index].name, base[index].id) { return base[index] }
                index &+= 1
            }
            return nil
        }
    }

    /// The id of a name, nil when there is none.
    private func id(_ name: ByteView) -> Int? {
        if let found = first(where: { known, _ in name.equals(known) }) { return found.id }
        guard self == .o200kHarmony, name.count == 15, name.slice(0, 9).equals("reserved_") else {
            return nil
        }
        guard let digits = name.baseAddress else { return nil }
        var id = 0
        var index = 9
        while index < 15 {
            let digit = Int(digits[index]) &- 0x30
            guard digit >= 0, digit <= 9 else { return nil }
            id = id &* 10 &+ digit
            index &+= 1
        }
        return Self.isReserved(id) ? id : nil
    }

    /// Appends the text of a special token; false when the id is none.
    func append(_ id: Int, to text: inout ByteBuffer) -> Bool {
        if let found = first(where: { _, known in known == id }) {
            text.append("<|")
            text.append(found.name)
            text.append("|>")
            return true
        }
        guard self == .o200kHarmony, Self.isReserved(id) else { return false }
        text.append("<|reserved_")
        text.append(number: Int64(id))
        text.append("|>")
        return true
    }

    /// The first special token at or after `from`: where it begins, its bytes, its id.
    func next(in text: ByteView, from: Int) -> (start: Int, length: Int, id: Int)? {
        guard let base = text.baseAddress else { return nil }
        var at = from
        while at &+ 4 < text.count {
            guard base[at] == 0x3C, base[at &+ 1] == 0x7C else {
                at &+= 1
                continue
            }
            let start = at &+ 2
            var end = start
            while end &+ 1 < text.count, end &- start <= Self.longestName, base[end] != 0x7C { end &+= 1 }
            if end &+ 1 < text.count, base[end] == 0x7C, base[end &+ 1] == 0x3E,
                let id = id(text.slice(start, end &- start))
            {
                return (at, end &+ 2 &- at, id)
            }
            at &+= 1
        }
        return nil
    }
}
