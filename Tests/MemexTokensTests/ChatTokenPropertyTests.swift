import MemexConformance
import MemexModel
import Testing

@testable import MemexTokens

/// What holds for every message, whatever JSON it is.
@Suite struct ChatTokenPropertyTests {
    private static let keys = [
        "role", "content", "name", "tool_calls", "function", "arguments", "type", "text", "image_url", "url",
        "input_audio", "data", "file", "source", "refusal", "parts", "functionCall", "args", "properties",
        "items",
        "anyOf", "$ref", "$defs", "T", "description", "default", "enum", "required", "parameters", "tools",
        "messages", "system", "detail", "thinking", "response_format", "json_schema", "schema", "strict",
        "function_call", "content", "functionDeclarations",
    ]
    private static let strings = [
        "", "system", "user", "tool", "assistant", "data:image/png;base64,iVBORw0KGgo", "data:", "data:,",
        "a b",
        "#/$defs/T", "object", "array", "string", "null", "{\\\"a\\\": 1}", "{\\\"", "\\u00e9",
        "\\ud83d\\ude00",
        "low", "/+8=", "R0lGODlh", "UklGRi4uLi5XRUJQVlA4", "/9j/4AAQ", "text",
    ]

    private func json(_ source: inout SeededGenerator, _ depth: Int) -> String {
        switch source.below(depth > 0 ? 7 : 4) {
        case 0: return "\"\(Self.strings[source.below(Self.strings.count)])\""
        case 1: return ["null", "true", "false"][source.below(3)]
        case 2: return ["0", "-1", "3.5e300", "99999999999999999999"][source.below(4)]
        case 3: return source.below(2) == 0 ? "[]" : "{}"
        case 4:
            return "[" + (0..<source.below(4)).map { _ in json(&source, depth - 1) }.joined(separator: ",")
                + "]"
        default:
            var used: Set<String> = []
            let members = (0..<source.below(6)).compactMap { _ -> String? in
                let key = Self.keys[source.below(Self.keys.count)]
                return used.insert(key).inserted ? "\"\(key)\":\(json(&source, depth - 1))" : nil
            }
            return "{" + members.joined(separator: ", ") + "}"
        }
    }

    @Test(arguments: ["o200k_base", "cl100k_base", "estimate", "estimate:claude", "estimate:gemini"])
    func anyJSONCounts(_ encoding: String) throws {
        var source = SeededGenerator(seed: 11)
        let count = try ChatCount("gpt-4o", encoding)
        for _ in 0..<1_500 {
            let first = json(&source, 6)
            let second = json(&source, 4)
            #expect(count.message(first) >= 0)
            let rest =
                "\"tools\":[\(json(&source, 5)),{\"function\":\(json(&source, 6))},{\"function\":{\"name\":\"f\",\"parameters\":\(json(&source, 6))}}],\"response_format\":\(json(&source, 5)),\"system\":\(json(&source, 3))"
            let one = try count.request("{\"messages\":[\(first)],\(rest)}")
            let two = try count.request("{\"messages\":[\(first),\(second)],\(rest)}")
            #expect(one >= 0 && two >= one, "\(first) \(second)")
        }
    }

    @Test func bytesThatAreNoJSONCount() throws {
        var source = SeededGenerator(seed: 12)
        let count = try ChatCount("gpt-4o")
        for _ in 0..<3_000 {
            var text = Array(json(&source, 5).utf8)
            for _ in 0..<source.below(4) where !text.isEmpty {
                let at = source.below(text.count)
                if source.below(2) == 0 {
                    text[at] = UInt8(source.below(256))
                } else {
                    text.removeSubrange(at...)
                }
            }
            #expect(text.withUnsafeBufferPointer { count.counter.count(message: $0) } >= 0)
        }
        let deep = String(repeating: "{\"content\":[", count: 5_000)
        #expect(count.message(deep) >= 0)
    }
}
