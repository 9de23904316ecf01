/// The statements with the schema's name in them, made once.
final class PostgreSQLText: Sendable {
    /// Quoted.
    let schema: String
    private let statements: [String]

    init(schema: String) {
        let quoted = Self.quoted(schema)
        self.schema = quoted
        statements = PostgreSQLStatement.allCases.map { Self.fill($0.sql, quoted) }
    }

    subscript(statement: PostgreSQLStatement) -> String { statements[statement.rawValue] }

    func fill(_ sql: String) -> String { Self.fill(sql, schema) }

    /// The name under which a server's session knows a prepared statement.
    static func name(_ number: Int) -> String { "memex\(number)" }

    /// As an identifier of SQL.
    static func quoted(_ name: String) -> String {
        var text = "\""
        for scalar in name.unicodeScalars {
            if scalar == "\"" { text += "\"\"" } else { text.unicodeScalars.append(scalar) }
        }
        return text + "\""
    }

    private static func fill(_ sql: String, _ schema: String) -> String {
        let mark: [UInt8] = Array("{schema}".utf8)
        let bytes = Array(sql.utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            if bytes[at] == mark[0], bytes.count - at >= mark.count,
                bytes[at..<(at + mark.count)].elementsEqual(mark)
            {
                out += schema.utf8
                at += mark.count
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
