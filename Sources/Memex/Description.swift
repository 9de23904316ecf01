package import MemexModel
internal import MemexContext
internal import MemexTokens

/// What is built in and registered, as JSON.
package enum Description {
    package static let version = "0.2.0"

    package static func write(to out: inout ByteBuffer) {
        out.append(text: "{\"version\":\"\(version)\",\"abi_version\":1,\"limits\":{")
        let limits: [(String, Int64)] = [
            ("id_bytes", Int64(Limits.idBytes)), ("body_bytes", Int64(Limits.bodyBytes)),
            ("argument_bytes", Int64(Limits.argumentBytes)), ("metadata_bytes", Int64(Limits.metadataBytes)),
            ("title_bytes", Int64(Limits.titleBytes)), ("json_depth", Int64(Limits.jsonDepth)),
            ("append_messages", Int64(Limits.appendMessages)), ("seq", Limits.seq),
            ("page_items", Limits.pageItems), ("page_bytes", Int64(Limits.pageBytes)),
        ]
        out.append(text: limits.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ","))
        list(
            "},\"backends\":[",
            ["memory", "sqlite", "lmdb", "file", "postgresql", "redis"] + BackendRegistry.names,
            &out)
        list("],\"strategies\":[", StrategyRegistry.names, &out)
        list("],\"tokenizers\":[", TextTokenizers.allNames, &out)
        list("],\"formats\":[", MessageFormat.allCases.map { "\($0.name)" }, &out)
        list("],\"commands\":[", Commands.names, &out)
        out.append("]}")
    }

    private static func list(_ head: StaticString, _ names: [String], _ out: inout ByteBuffer) {
        out.append(head)
        out.append(text: names.map { JSONText.quoted($0) }.joined(separator: ","))
    }
}
