internal import MemexModel

/// A JSON schema as the TypeScript type that a model is shown.
///
/// An object is written in one line unless one of its properties, however deep, has a comment: a description
/// or a default.
struct SchemaType {
    /// The parameters' own definitions, which `$ref` names.
    private let definitions: ByteView?
    private static let maximumDepth = 12
    /// Bytes of schemas that may still be looked at: definitions that hold each other would never end.
    private var budget = 1 << 22

    /// - Parameter root: the object of the parameters, which has the definitions.
    init(root: ByteView) {
        definitions = rawMember(object: root, "$defs") ?? rawMember(object: root, "definitions")
    }

    static func properties(_ schema: ByteView) -> ByteView? {
        guard let found = rawMember(object: schema, "properties"), found.first == 0x7B else { return nil }
        var members = RawMembers(found)
        return members.next() == nil ? nil : found
    }

    /// What a `$ref` leads to, the schema itself when it has none.
    private func resolved(_ schema: ByteView) -> ByteView {
        guard let definitions, let reference = rawMember(object: schema, "$ref"),
            let raw = RawString.contents(reference)
        else { return schema }
        var from = raw.count
        while from > 0, raw[from &- 1] != 0x2F { from &-= 1 }
        return rawMember(object: definitions, raw.slice(from, raw.count &- from)) ?? schema
    }

    private static func description(_ schema: ByteView) -> ByteView? {
        guard let value = rawMember(object: schema, "description"), let raw = RawString.contents(value),
            raw.count > 0
        else { return nil }
        return raw
    }

    private mutating func isAffordable(_ schema: ByteView) -> Bool {
        budget &-= schema.count
        return budget > 0
    }

    private mutating func hasComments(_ schema: ByteView, _ depth: Int) -> Bool {
        if depth > Self.maximumDepth { return false }
        let schema = resolved(schema)
        guard isAffordable(schema) else { return false }
        if let properties = Self.properties(schema) {
            var members = RawMembers(properties)
            while let member = members.next() {
                if Self.description(member.value) != nil || Self.description(resolved(member.value)) != nil
                    || rawMember(object: member.value, "default") != nil
                    || hasComments(member.value, depth &+ 1)
                {
                    return true
                }
            }
        }
        if let items = rawMember(object: schema, "items"), hasComments(items, depth &+ 1) { return true }
        if let choices = Self.choices(schema) {
            var elements = RawElements(choices)
            while let choice = elements.next() {
                if hasComments(choice, depth &+ 1) { return true }
            }
        }
        return false
    }

    private static func choices(_ schema: ByteView) -> ByteView? {
        rawMember(object: schema, "anyOf") ?? rawMember(object: schema, "oneOf")
    }

    /// Writes the properties of an object between braces.
    mutating func append(object schema: ByteView, depth: Int = 0, to out: inout ByteBuffer) {
        guard let properties = Self.properties(schema) else { return out.append("object") }
        let required = rawMember(object: schema, "required")
        let inLines = hasComments(schema, depth)
        out.append(inLines ? "{\n" : "{ ")
        var members = RawMembers(properties)
        var isFirst = true
        while let member = members.next() {
            if !isFirst, !inLines { out.append(", ") }
            isFirst = false
            if let text = Self.description(member.value) ?? Self.description(resolved(member.value)) {
                Self.append(comment: text, to: &out)
            }
            TextMeter.append(member.key, to: &out)
            out.append(Self.contains(required, member.key) ? ": " : "?: ")
            append(member.value, depth: depth &+ 1, to: &out)
            guard inLines else { continue }
            out.append(byte: 0x2C)
            if let value = rawMember(object: member.value, "default") {
                out.append(" // default: ")
                CompactJSON.append(value, to: &out)
            }
            out.append(byte: 0x0A)
        }
        out.append(inLines ? "}" : " }")
    }

    private static func contains(_ required: ByteView?, _ key: ByteView) -> Bool {
        guard let required else { return false }
        var elements = RawElements(required)
        while let element = elements.next() {
            if let name = RawString.contents(element), RawString.same(name, key) { return true }
        }
        return false
    }

    /// Writes the type of a value.
    mutating func append(_ schema: ByteView, depth: Int, to out: inout ByteBuffer) {
        guard depth <= Self.maximumDepth, schema.first == 0x7B else { return out.append("any") }
        let schema = resolved(schema)
        guard isAffordable(schema) else { return out.append("any") }
        if let choices = Self.choices(schema) {
            append(union: choices, schema, .choices, depth, to: &out)
        } else if let values = rawMember(object: schema, "enum") {
            append(union: values, schema, .values, depth, to: &out)
        } else if let value = rawMember(object: schema, "const") {
            CompactJSON.append(value, to: &out)
        } else if let type = rawMember(object: schema, "type") {
            if type.first == 0x5B {
                append(union: type, schema, .types, depth, to: &out)
            } else {
                append(type: type, schema, depth, to: &out)
            }
        } else if Self.properties(schema) != nil {
            append(object: schema, depth: depth &+ 1, to: &out)
        } else {
            out.append("any")
        }
    }

    private enum Alternatives {
        case choices
        case values
        case types
    }

    private mutating func append(
        union list: ByteView, _ schema: ByteView, _ kind: Alternatives, _ depth: Int, to out: inout ByteBuffer
    ) {
        var elements = RawElements(list)
        var isFirst = true
        while let element = elements.next() {
            if !isFirst { out.append(" | ") }
            isFirst = false
            switch kind {
            case .choices: append(element, depth: depth &+ 1, to: &out)
            case .values: CompactJSON.append(element, to: &out)
            case .types: append(type: element, schema, depth, to: &out)
            }
        }
    }

    private mutating func append(type: ByteView, _ schema: ByteView, _ depth: Int, to out: inout ByteBuffer) {
        guard let name = RawString.contents(type) else { return out.append("any") }
        if name.equals("object") {
            append(object: schema, depth: depth &+ 1, to: &out)
        } else if name.equals("array") {
            if let items = rawMember(object: schema, "items") {
                append(items, depth: depth &+ 1, to: &out)
            } else {
                out.append("any")
            }
            out.append("[]")
        } else if name.equals("integer") {
            out.append("number")
        } else {
            TextMeter.append(name, to: &out)
        }
    }

    /// Writes a description as a comment, white space at both ends of its lines left out.
    static func append(comment raw: ByteView, to out: inout ByteBuffer) {
        var text = ByteBuffer()
        TextMeter.append(raw, to: &text)
        out.append("// ")
        let view = text.view
        var from = 0
        while from <= view.count {
            var end = from
            while end < view.count, view[end] != 0x0A { end &+= 1 }
            var first = from
            var last = end
            while first < last, view[first] <= 0x20 { first &+= 1 }
            while last > first, view[last &- 1] <= 0x20 { last &-= 1 }
            out.append(view.slice(first, last &- first))
            out.append(byte: 0x0A)
            from = end &+ 1
        }
    }
}
