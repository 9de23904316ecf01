internal import MemexModel
internal import MemexStorage

/// A condition on threads, evaluated by the core: the same in every engine, with nothing to inject into.
///
/// Fields are "id", "title", "created_at_us", "updated_at_us", "last_message_at_us", "message_count",
/// "version" and, under "metadata", keys of the caller's. Values are compared by type: numbers with numbers,
/// strings bytewise with strings; a comparison across types is false, as is any but "exists" and "ne" on a
/// missing value.
indirect enum ThreadFilter: Sendable {
    case all([ThreadFilter])
    case any([ThreadFilter])
    case not(ThreadFilter)
    case field(Field, Operator, Value)

    enum Field: Sendable {
        case id, title, createdAt, updatedAt, lastMessageAt, messageCount, version
        case metadata([UInt8])
    }

    /// Raw values are in tokens.
    enum Operator: Int64, Sendable { case eq = 1, ne, lt, lte, gt, gte, `in`, prefix, exists }

    /// JSON as text: parsed again for comparing, so that a filter owns what it needs.
    enum Value: Sendable {
        case number(Double)
        case integer(Int64)
        case string([UInt8])
        case bool(Bool)
        case null
        case list([Value])
    }

    private static let depthMaximum = 32

    init(_ node: JSONNode, _ path: OptionPath, depth: Int = 0) throws(MemexError) {
        guard depth < Self.depthMaximum else {
            throw path.invalid("is nested more than \(Self.depthMaximum) deep")
        }
        guard node.kind == .object else { throw path.invalid("must be an object") }
        var parts: [ThreadFilter] = []
        try node.forEachMember { (key, value) throws(MemexError) in
            let here = path.appending(key)
            if key.equals("and") || key.equals("or") {
                var list: [ThreadFilter] = []
                guard value.kind == .array else { throw here.invalid("must be a list of filters") }
                guard value.count > 0 else { throw here.invalid("needs at least one filter") }
                for index in 0..<value.count {
                    guard let element = value.element(index) else { break }
                    list.append(try ThreadFilter(element, here.at(index), depth: depth + 1))
                }
                parts.append(key.equals("and") ? .all(list) : .any(list))
            } else if key.equals("not") {
                parts.append(.not(try ThreadFilter(value, here, depth: depth + 1)))
            } else if key.equals("metadata") {
                guard value.kind == .object else { throw here.invalid("must be an object of conditions") }
                try value.forEachMember { (name, condition) throws(MemexError) in
                    parts += try Self.conditions(.metadata(Array(name)), condition, here.appending(name))
                }
            } else if let field = Self.field(key) {
                parts += try Self.conditions(field, value, here)
            } else {
                throw here.invalid(
                    "is not a field; fields are id, title, created_at_us, updated_at_us, last_message_at_us, "
                        + "message_count, version, metadata, and, or, not")
            }
        }
        self = parts.count == 1 ? parts[0] : .all(parts)
    }

    private static func field(_ key: ByteView) -> Field? {
        if key.equals("id") { return .id }
        if key.equals("title") { return .title }
        if key.equals("created_at_us") { return .createdAt }
        if key.equals("updated_at_us") { return .updatedAt }
        if key.equals("last_message_at_us") { return .lastMessageAt }
        if key.equals("message_count") { return .messageCount }
        if key.equals("version") { return .version }
        return nil
    }

    private static func conditions(
        _ field: Field, _ node: JSONNode, _ path: OptionPath
    ) throws(MemexError) -> [ThreadFilter] {
        guard node.kind == .object, node.count > 0 else {
            throw path.invalid("must be a condition like {\"eq\": value}")
        }
        var found: [ThreadFilter] = []
        try node.forEachMember { (name, value) throws(MemexError) in
            let here = path.appending(name)
            guard let operation = Self.operation(name) else {
                throw here.invalid(
                    "is not an operator; operators are eq, ne, lt, lte, gt, gte, in, prefix, exists")
            }
            let operand = try Self.value(value, here)
            switch (operation, operand) {
            case (.in, .list), (.prefix, .string), (.exists, .bool): break
            case (.in, _): throw here.invalid("wants a list")
            case (.prefix, _): throw here.invalid("wants a string")
            case (.exists, _): throw here.invalid("wants true or false")
            case (_, .list): throw here.invalid("wants a single value")
            case (.lt, .null), (.lte, .null), (.gt, .null), (.gte, .null), (.lt, .bool), (.lte, .bool),
                (.gt, .bool), (.gte, .bool):
                throw here.invalid("wants a number or a string")
            default: break
            }
            found.append(.field(field, operation, operand))
        }
        return found
    }

    private static func operation(_ name: ByteView) -> Operator? {
        if name.equals("eq") { return .eq }
        if name.equals("ne") { return .ne }
        if name.equals("lt") { return .lt }
        if name.equals("lte") { return .lte }
        if name.equals("gt") { return .gt }
        if name.equals("gte") { return .gte }
        if name.equals("in") { return .in }
        if name.equals("prefix") { return .prefix }
        if name.equals("exists") { return .exists }
        return nil
    }

    static func value(_ node: JSONNode, _ path: OptionPath) throws(MemexError) -> Value {
        switch node.kind {
        case .array:
            var list: [Value] = []
            for index in 0..<node.count {
                guard let element = node.element(index) else { break }
                let value = try value(element, path.at(index))
                if case .list = value { throw path.at(index).invalid("wants a single value") }
                list.append(value)
            }
            return .list(list)
        case .object: throw path.invalid("wants a string, a number, true, false or null")
        default: return Self.scalar(node) ?? .null
        }
    }

    /// Nil for arrays and objects, which equal nothing.
    static func scalar(_ node: JSONNode) -> Value? {
        if let string = node.string { return .string(Array(string)) }
        if let integer = node.int64 { return .integer(integer) }
        if let number = node.double { return .number(number) }
        if let bool = node.bool { return .bool(bool) }
        return node.isNull ? .null : nil
    }
}
