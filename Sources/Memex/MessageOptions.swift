internal import MemexModel
internal import MemexStorage

/// Options of one message of an append.
struct MessageOptions {
    var id = ByteView(start: nil, count: 0)
    var createdAt: Int64 = 0
    var metadata = ByteView(start: nil, count: 0)
    var provenance = ByteView(start: nil, count: 0)
    var pinned = false
    var state = MessageState.complete

    init() {}

    init(_ reader: inout OptionReader) throws(MemexError) {
        if let id = try reader.string("id") {
            try Identifier.check(id, reader.path(of: "id"))
            self.id = id
        }
        if let time = try reader.int64("created_at_us", in: 1...StoredNumber.latest) { createdAt = time }
        if let metadata = try reader.rawObject("metadata") {
            guard metadata.count <= Limits.metadataBytes else {
                throw Self.tooLarge(reader.path(of: "metadata"), metadata.count)
            }
            self.metadata = metadata
        }
        if let provenance = try reader.rawObject("provenance") {
            guard provenance.count <= Limits.metadataBytes else {
                throw Self.tooLarge(reader.path(of: "provenance"), provenance.count)
            }
            self.provenance = provenance
        }
        if let pinned = try reader.bool("pinned") { self.pinned = pinned }
        if let state = try reader.string("state") {
            self.state = try Self.state(state, reader.path(of: "state"))
        }
    }

    static func state(
        _ name: ByteView, _ path: @autoclosure () -> String = "/state"
    ) throws(MemexError) -> MessageState {
        if name.equals("complete") { return .complete }
        if name.equals("incomplete") { return .incomplete }
        throw MemexError.invalid(path: path(), "is neither \"complete\" nor \"incomplete\"")
    }

    static func tooLarge(_ path: String, _ count: Int) -> MemexError {
        MemexError(
            .limit, "\(path): has \(count) bytes; the limit is \(Limits.metadataBytes)",
            detailMembers: "\"path\":\(JSONText.quoted(path)),\"limit\":\(Limits.metadataBytes)")
    }

    /// `{"metadata":…,"provenance":…}`, or nil when there is neither.
    static func extra(metadata: ByteView, provenance: ByteView) throws(MemexError) -> OwnedBytes? {
        if metadata.count == 0, provenance.count == 0 { return nil }
        var buffer = ByteBuffer(capacity: metadata.count + provenance.count + 32)
        buffer.append(byte: 0x7B)
        if metadata.count > 0 {
            buffer.append("\"metadata\":")
            buffer.append(metadata)
        }
        if provenance.count > 0 {
            buffer.append(metadata.count > 0 ? ",\"provenance\":" : "\"provenance\":")
            buffer.append(provenance)
        }
        buffer.append(byte: 0x7D)
        return try OwnedBytes(buffer)
    }
}

/// Options of a whole append.
struct AppendOptions {
    var idempotencyKey = ByteView(start: nil, count: 0)
    var expectSeq: Int64 = 0
    var format = MessageFormat.openaiChat
    var timeout: Int64?
    /// One entry a message, or none.
    var messages: [MessageOptions] = []
    /// What holds for every message of the call.
    var common = MessageOptions()

    init() {}

    /// The views stay valid as long as the reader.
    init(_ reader: inout OptionReader) throws(MemexError) {
        if let key = try reader.string("idempotency_key") {
            try Identifier.check(key, "/idempotency_key")
            idempotencyKey = key
        }
        if let seq = try reader.int64("expect_seq", in: 1...Limits.seq) { expectSeq = seq }
        if let name = try reader.string("format") {
            guard let format = MessageFormat(name: name) else {
                let known = MessageFormat.allCases.map { "\($0.name)" }.joined(separator: ", ")
                throw MemexError.invalid(path: "/format", "is not known; known are \(known)")
            }
            self.format = format
        }
        timeout = try reader.int64("timeout_us", in: 0...86_400_000_000)
        var several: [MessageOptions] = []
        let count = try reader.forEachObject("messages") { (_, element) throws(MemexError) in
            several.append(try MessageOptions(&element))
        }
        if count != nil {
            messages = several
            guard !messages.isEmpty else { throw MemexError.invalid(path: "/messages", "is empty") }
        } else {
            common = try MessageOptions(&reader)
        }
        try reader.finish()
    }

    func message(_ index: Int) -> MessageOptions { index < messages.count ? messages[index] : common }
}
