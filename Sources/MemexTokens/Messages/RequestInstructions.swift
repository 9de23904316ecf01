internal import MemexModel

/// What the provider writes into the first system message for a request's tools and response format.
enum RequestInstructions {
    /// What a response format costs beyond its schema and description.
    private static let formatFrame = 7
    private static let strictFormatFrame = 10

    /// Writes all that the model is told of tools; whether there are any.
    static func append(tools: ByteView?, functions: ByteView?, to out: inout ByteBuffer) -> Bool {
        let start = out.count
        out.append("# Tools\n\n## functions\n\nnamespace functions {\n\n")
        let opened = out.count
        for (list, isWrapped) in [(tools, true), (functions, false)] {
            guard let list else { continue }
            var elements = RawElements(list)
            while let element = elements.next() {
                let wrapped = rawMember(object: element, "function") ?? rawMember(object: element, "custom")
                if let function = isWrapped ? wrapped : element { append(function: function, to: &out) }
            }
        }
        if out.count == opened {
            out.truncate(start)
            return false
        }
        out.append("} // namespace functions")
        return true
    }

    private static func append(function: ByteView, to out: inout ByteBuffer) {
        guard let quoted = rawMember(object: function, "name"), let name = RawString.contents(quoted)
        else { return }
        if let value = rawMember(object: function, "description"), let raw = RawString.contents(value),
            raw.count > 0
        {
            SchemaType.append(comment: raw, to: &out)
        }
        out.append("type ")
        TextMeter.append(name, to: &out)
        if let parameters = rawMember(object: function, "parameters"),
            SchemaType.properties(parameters) != nil
        {
            out.append(" = (_: ")
            var type = SchemaType(root: parameters)
            type.append(object: parameters, to: &out)
            out.append(") => any;\n\n")
        } else {
            out.append(" = () => any;\n\n")
        }
    }

    /// Writes what the model is told of the format of its answer; gives what that costs beyond
    /// its text.
    static func append(format: ByteView?, to out: inout ByteBuffer) -> Int {
        guard let format, let json = rawMember(object: format, "json_schema"),
            let schema = rawMember(object: json, "schema"), schema.first == 0x7B
        else { return 0 }
        if let value = rawMember(object: json, "description"), let raw = RawString.contents(value),
            raw.count > 0
        {
            SchemaType.append(comment: raw, to: &out)
        }
        CompactJSON.append(schema: schema, to: &out)
        let isStrict = rawMember(object: json, "strict")?.equals("true") ?? false
        return isStrict ? strictFormatFrame : formatFrame
    }
}
