import MemexModel
import MemexTestSupport

/// Changes real messages a little: many results are still JSON, many are nearly.
struct Mutator {
    private var random: SeededGenerator
    private let inputs: [[UInt8]]

    private static let tokens: [[UInt8]] = [
        "\"", "\\", "{", "}", "[", "]", ":", ",", " ", "\n", "\t", "0", "-", ".", "e", "1e5",
        "true", "false",
        "null", "\\u0041", "\\u0000", "\\ud83d\\ude00", "\\ud83d", "\\udc00", "\\n", "\\\"", "\\\\",
        "\\/",
        "\"a\":1,", "\"role\":\"x\",", "\"content\":\"y\",", "\"tool_calls\":null,",
        "\"tool_call_id\":\"z\",",
        "\"r\\u006fle\":\"w\",", "é", "你", "😀", "\u{0}", "\u{1F}", "\u{7F}", "{\"a\":{}}", "[[]]",
        "[]", "{}",
        "123456789012345678", "9223372036854775808", "-9223372036854775808", "0.1", "-0", "1E400",
        "00",
        "1.5e-7", "18446744073709551616", "\u{FEFF}",
    ].map { Array($0.utf8) }

    init(seed: UInt64, inputs: [[UInt8]]) {
        random = SeededGenerator(seed: seed)
        self.inputs = inputs
    }

    mutating func next() -> [UInt8] {
        var bytes = inputs[random.below(inputs.count)]
        // Short ones are quicker, and as telling.
        if bytes.count > 3000 { bytes = inputs[random.below(inputs.count)] }
        let changes = 1 + random.below(3)
        for _ in 0..<changes { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let at = random.below(bytes.count + 1)
        switch random.below(10) {
        case 0:
            if at < bytes.count { bytes[at] = UInt8(truncatingIfNeeded: random.next()) }
        case 1:
            if at < bytes.count { bytes[at] ^= UInt8(1 << random.below(8)) }
        case 2:
            if at < bytes.count { bytes.remove(at: at) }
        case 3:
            let length = min(random.below(16), bytes.count - at)
            bytes.removeSubrange(at..<(at + length))
        case 4:
            let length = min(random.below(24), bytes.count - at)
            let copy = Array(bytes[at..<(at + length)])
            bytes.insert(contentsOf: copy, at: random.below(bytes.count + 1))
        case 5: bytes.insert(contentsOf: Self.tokens[random.below(Self.tokens.count)], at: at)
        case 6:
            // Behind a comma or an opening brace, where whole members fit.
            let places = bytes.indices.filter { bytes[$0] == 0x2C || bytes[$0] == 0x7B }
            if places.isEmpty { return }
            let place = places[random.below(places.count)] + 1
            bytes.insert(contentsOf: Self.tokens[random.below(Self.tokens.count)], at: place)
        case 7:
            // A letter for a letter keeps JSON JSON, and makes keys alike.
            if at < bytes.count, bytes[at] | 0x20 >= 0x61, bytes[at] | 0x20 <= 0x7A {
                bytes[at] = 0x61 + UInt8(random.below(26))
            }
        case 8: bytes = Array(bytes.prefix(at == 0 ? bytes.count : max(at, bytes.count - 3)))
        default:
            // One member twice.
            let text = bytes
            withView(text) { view in
                var members = RawMembers(view)
                var found: [RawMember] = []
                while let member = members.next() { found.append(member) }
                guard let member = found.randomElement(using: &random) else { return }
                let copy = [0x22] + Array(member.key) + [0x22, 0x3A] + Array(member.value) + [0x2C]
                if let brace = text.firstIndex(of: 0x7B) {
                    bytes.insert(contentsOf: copy, at: brace + 1)
                }
            }
        }
    }
}
