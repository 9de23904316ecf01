import MemexModel
import Testing

@testable import MemexTokens

/// Tools as the text that a model is shown. Its tokens are the bill, so the text is what is tested.
@Suite struct ToolRenderingTests {
    private func rendered(_ parameters: String, description: String = "") -> String {
        var tools =
            "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"\(description)\",\"parameters\":\(parameters)}}]"
        var out = ByteBuffer()
        _ = tools.withUTF8 { RequestInstructions.append(tools: $0, functions: nil, to: &out) }
        let text = out.view.text
        let start = "# Tools\n\n## functions\n\nnamespace functions {\n\n"
        let end = "\n\n} // namespace functions"
        #expect(text.hasPrefix(start) && text.hasSuffix(end))
        return String(text.dropFirst(start.count).dropLast(end.count))
    }

    @Test(arguments: [
        ("{}", "type f = () => any;"),
        (#"{"type":"object","properties":{}}"#, "type f = () => any;"),
        (
            #"{"properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a"]}"#,
            "type f = (_: { a: string, b?: number }) => any;"
        ),
        (
            #"{"properties":{"a":{"type":"string","description":"Why"},"b":{"type":"boolean"}}}"#,
            "type f = (_: {\n// Why\na?: string,\nb?: boolean,\n}) => any;"
        ),
        (
            #"{"properties":{"a":{"enum":["x","y"]},"b":{"const":3}}}"#,
            "type f = (_: { a?: \"x\" | \"y\", b?: 3 }) => any;"
        ),
        (
            #"{"properties":{"a":{"type":"string","default":"z"}}}"#,
            "type f = (_: {\na?: string, // default: \"z\"\n}) => any;"
        ),
        (
            #"{"properties":{"a":{"type":"array","items":{"type":"number"}},"b":{"type":"array"}}}"#,
            "type f = (_: { a?: number[], b?: any[] }) => any;"
        ),
        (
            #"{"properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}]},"b":{"type":["string","null"]}}}"#,
            "type f = (_: { a?: string | null, b?: string | null }) => any;"
        ),
        (
            #"{"properties":{"a":{"type":"object","properties":{"b":{"type":"string"}},"required":["b"]},"c":{"type":"object"}}}"#,
            "type f = (_: { a?: { b: string }, c?: object }) => any;"
        ),
        (
            ##"{"properties":{"a":{"$ref":"#/$defs/T"}},"$defs":{"T":{"type":"object","properties":{"b":{"type":"string"}}}}}"##,
            "type f = (_: { a?: { b?: string } }) => any;"
        ),
        (
            ##"{"properties":{"a":{},"b":true,"c":{"$ref":"#/$defs/X"}}}"##,
            "type f = (_: { a?: any, b?: any, c?: any }) => any;"
        ),
    ])
    func typesAreTypeScript(_ parameters: String, _ expected: String) {
        #expect(rendered(parameters) == expected)
    }

    @Test func descriptionsLoseTheirIndentation() {
        #expect(
            rendered("{}", description: #"Does.\n\n    Args:\n        a: x"#)
                == "// Does.\n\nArgs:\na: x\ntype f = () => any;")
    }

    @Test func definitionsThatHoldThemselvesEnd() {
        let schema =
            ##"{"properties":{"a":{"$ref":"#/$defs/T"}},"$defs":{"T":{"type":"object","properties":{"a":{"$ref":"#/$defs/T"}}}}}"##
        #expect(rendered(schema).hasSuffix(") => any;"))
        #expect(rendered(schema).utf8.count < 1000)
        // Two references in each level would make the text double with each.
        let wide =
            ##"{"properties":{"a":{"$ref":"#/$defs/T"}},"$defs":{"T":{"type":"object","properties":{"a":{"$ref":"#/$defs/T"},"b":{"$ref":"#/$defs/T"},"c":{"$ref":"#/$defs/T"},"d":{"$ref":"#/$defs/T"}}}}}"##
        #expect(rendered(wide).utf8.count < 8_000_000)
    }

    @Test func noToolsAreNoText() {
        var out = ByteBuffer()
        var list = #"[{"type":"web_search"},7,null]"#
        let hasTools = list.withUTF8 { RequestInstructions.append(tools: $0, functions: nil, to: &out) }
        #expect(!hasTools && out.count == 0)
    }
}
