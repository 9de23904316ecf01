internal import MemexModel

/// JSON without white space between its tokens. What is no JSON comes out as it is, but for the white space.
enum CompactJSON {
    static func append(_ value: ByteView, to out: inout ByteBuffer) {
        guard let base = value.baseAddress else { return }
        out.reserve(value.count)
        var at = 0
        var inString = false
        var from = 0
        while at < value.count {
            let byte = base[at]
            if inString {
                if byte == 0x5C {
                    at &+= 1
                } else if byte == 0x22 {
                    inString = false
                }
            } else if byte == 0x22 {
                inString = true
            } else if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
                out.append(value.slice(from, at &- from))
                from = at &+ 1
            }
            at &+= 1
        }
        if from < value.count { out.append(value.slice(from, value.count &- from)) }
    }

    /// The keywords of a schema that are not shown to a model that answers in its format.
    private static func isHidden(_ key: RawMember) -> Bool {
        key.isNamed("additionalProperties") || key.isNamed("required") || key.isNamed("$schema")
    }

    /// A schema as a response format shows it.
    ///
    /// - Parameter names: the object's keys are names of properties, not keywords.
    static func append(schema: ByteView, names: Bool = false, depth: Int = 0, to out: inout ByteBuffer) {
        guard depth < Limits.jsonDepth, let first = schema.first else { return }
        if first == 0x7B {
            out.append(byte: 0x7B)
            var members = RawMembers(schema)
            var isFirst = true
            while let member = members.next() {
                if !names, isHidden(member) { continue }
                if !isFirst { out.append(byte: 0x2C) }
                isFirst = false
                out.append(byte: 0x22)
                out.append(member.key)
                out.append("\":")
                let inner =
                    !names
                    && (member.isNamed("properties") || member.isNamed("$defs")
                        || member.isNamed("definitions"))
                append(schema: member.value, names: inner, depth: depth &+ 1, to: &out)
            }
            out.append(byte: 0x7D)
        } else if first == 0x5B {
            out.append(byte: 0x5B)
            var elements = RawElements(schema)
            var isFirst = true
            while let element = elements.next() {
                if !isFirst { out.append(byte: 0x2C) }
                isFirst = false
                append(schema: element, depth: depth &+ 1, to: &out)
            }
            out.append(byte: 0x5D)
        } else {
            out.append(schema)
        }
    }
}
