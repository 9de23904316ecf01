/// The statements that the engine sends. `{schema}` stands for the schema's quoted name.
enum PostgreSQLStatement: Int, CaseIterable {
    case begin, append, createThread, updateThread, removeThread, removeMessages, putMessage, putDerived
    case removeDerived, putBlob, appendPiece, removePieces, newKeys
    case threadByID, threadByKey, forks, activityUp, activityDown, activityFamilyUp, activityFamilyDown
    case creationUp, creationDown, creationFamilyUp, creationFamilyDown
    case messagesUp, messagesDown, marked, byID, derivedOne, derivedAll, blob, pieces

    var sql: String {
        switch self {
        case .begin: "SELECT {schema}.begin($1, $2, $3)"
        case .append: "SELECT {schema}.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        case .createThread: "SELECT {schema}.create_thread($1, $2, $3, $4, $5, $6, $7)"
        case .updateThread: "SELECT {schema}.update_thread($1, $2, $3, $4, $5)"
        case .removeThread: "SELECT {schema}.remove_thread($1)"
        case .removeMessages: "SELECT {schema}.remove_messages($1, $2)"
        case .putMessage: "SELECT {schema}.put_message($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        case .putDerived: "SELECT {schema}.put_derived($1, $2, $3, $4, $5)"
        case .removeDerived: "SELECT {schema}.remove_derived($1, $2, $3)"
        case .putBlob: "SELECT {schema}.put_blob($1, $2)"
        case .appendPiece: "SELECT {schema}.append_piece($1, $2, $3)"
        case .removePieces: "SELECT {schema}.remove_pieces($1, $2)"
        case .newKeys: "SELECT nextval('{schema}.thread_keys') FROM generate_series(1, $1::bigint)"
        case .threadByID: Self.threads("t.tenant = $1 AND t.id = $2 AND NOT t.hidden")
        case .threadByKey: Self.threads("t.key = $1")
        case .forks: Self.threads("t.base_key = $1 AND t.base_key <> 0") + " ORDER BY t.key"
        case .activityUp: Self.scan(byActivity: true, down: false, family: false)
        case .activityDown: Self.scan(byActivity: true, down: true, family: false)
        case .activityFamilyUp: Self.scan(byActivity: true, down: false, family: true)
        case .activityFamilyDown: Self.scan(byActivity: true, down: true, family: true)
        case .creationUp: Self.scan(byActivity: false, down: false, family: false)
        case .creationDown: Self.scan(byActivity: false, down: true, family: false)
        case .creationFamilyUp: Self.scan(byActivity: false, down: false, family: true)
        case .creationFamilyDown: Self.scan(byActivity: false, down: true, family: true)
        case .messagesUp: Self.messages + " ORDER BY m.seq LIMIT $4::bigint"
        case .messagesDown: Self.messages + " ORDER BY m.seq DESC LIMIT $4::bigint"
        case .marked:
            "SELECT seq FROM {schema}.messages WHERE tenant = \(Self.tenant) AND thread = $1 "
                + "AND (flags & 128) <> 0 AND seq BETWEEN $2::bigint AND $3::bigint ORDER BY seq"
        case .byID:
            "SELECT seq FROM {schema}.messages WHERE tenant = \(Self.tenant) AND thread = $1 AND id = $2"
        case .derivedOne: Self.derived + " AND name = $3"
        case .derivedAll: Self.derived + " ORDER BY name"
        case .blob: "SELECT bytes FROM {schema}.blobs WHERE hash = $1"
        case .pieces:
            "SELECT bytes FROM {schema}.pieces WHERE tenant = \(Self.tenant) AND thread = $1 AND seq = $2::bigint "
                + "ORDER BY piece"
        }
    }

    /// A thread's tenant never changes; knowing its key is enough.
    private static let tenant = "(SELECT tenant FROM {schema}.threads WHERE key = $1)"

    static let messageColumns =
        "m.seq, m.rev, m.created_at_us, m.role, m.raw_role, m.format, m.tokens, m.flags, m.content_offset, "
        + "m.content_length, m.codec, m.checksum, m.id, m.idempotency_key, m.extra, m.body"

    private static let messages =
        "SELECT \(messageColumns) FROM {schema}.messages m WHERE m.tenant = \(tenant) AND m.thread = $1 "
        + "AND m.seq BETWEEN $2::bigint AND $3::bigint"

    private static let derived =
        "SELECT name, from_seq, to_seq, rev, created_at_us, body FROM {schema}.derived "
        + "WHERE tenant = \(tenant) AND thread = $1 AND kind = $2"

    /// A thread's row and the seq and time of its last message.
    private static func threads(_ condition: String) -> String {
        "SELECT t.key, t.tenant, t.id, t.title, t.raw_title, t.metadata, t.version, t.created_at_us, "
            + "t.updated_at_us, t.activity_at_us, t.changes, t.deleted, t.floor, t.base_key, t.base_seq, "
            + "t.base_rev, t.root_key, t.forks, t.hidden, m.seq, m.created_at_us FROM {schema}.threads t "
            + "LEFT JOIN LATERAL (SELECT seq, created_at_us FROM {schema}.messages "
            + "WHERE tenant = t.tenant AND thread = t.key ORDER BY seq DESC LIMIT 1) m ON true WHERE "
            + condition
    }

    /// Threads of a tenant from a place on: $1 tenant, $2 key, $3 limit, then the time, then the family.
    private static func scan(byActivity: Bool, down: Bool, family: Bool) -> String {
        let (order, compare) = down ? ("DESC", "<=") : ("ASC", ">=")
        let root = byActivity ? "$5" : "$4"
        let members = family ? " AND (t.root_key = \(root) OR t.key = \(root))" : ""
        let place =
            byActivity
            ? "(t.activity_at_us, t.key) \(compare) ($4, $2)\(members) "
                + "ORDER BY t.activity_at_us \(order), t.key \(order)"
            : "t.key \(compare) $2\(members) ORDER BY t.key \(order)"
        return threads("t.tenant = $1 AND NOT t.hidden AND \(place) LIMIT $3")
    }
}
