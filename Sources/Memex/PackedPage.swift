internal import MemexModel
internal import MemexStorage

/// Gathers a packed page: what a binding turns into objects without parsing an envelope.
///
/// Layout (docs/reference/packed-page.md), integers little endian:
/// - u32 magic "MXP1", u32 count n, u32 flags (bit 0: the text may hold NUL inside a field: use lengths)
/// - i64 seq[n], i64 created_at_us[n], i64 rev[n], u32 tokens[n], u32 kind[n], u32 role_length[n],
///   u32 text_length[n]
/// - text: role and text of each message in order, without separators
/// kind bits: 0 the text is the content alone, decoded (the body is {"role", "content"} in that order,
/// without other white space than none); else it is the body. 1 incomplete, 2 deleted, 3 pinned,
/// 4 has metadata or provenance, 5 has an id of the caller's.
struct PackedPage: ~Copyable {
    static let magic: UInt32 = 0x3150_584D

    private var seqs = ByteBuffer()
    private var times = ByteBuffer()
    private var revs = ByteBuffer()
    private var tokens = ByteBuffer()
    private var kinds = ByteBuffer()
    private var roleLengths = ByteBuffer()
    private var textLengths = ByteBuffer()
    private var text = ByteBuffer()
    private(set) var count: UInt32 = 0

    var bytes: Int { text.count }

    mutating func append(_ view: borrowing MessageView) throws(MemexError) {
        var kind: UInt32 = 0
        switch view.head.state {
        case .complete: break
        case .incomplete: kind |= 2
        case .deleted: kind |= 4
        }
        if view.head.has(RecordHead.Flag.pinned) { kind |= 8 }
        if view.extra.count > 0 { kind |= 16 }
        if view.id.count > 0 { kind |= 32 }
        text.append(view.role)
        let start = text.count
        let head = view.head
        if head.has(RecordHead.Flag.simple), head.contentOffset >= 0,
            Int(head.contentOffset) + Int(head.contentLength) <= view.body.count
        {
            kind |= 1
            let raw = view.body.slice(Int(head.contentOffset), Int(head.contentLength))
            if head.has(RecordHead.Flag.contentEscaped) {
                try JSONEscape.decode(raw, to: &text)
            } else {
                text.append(raw)
            }
        } else {
            text.append(view.body)
        }
        seqs.append(littleEndian: view.seq)
        times.append(littleEndian: view.createdAt)
        revs.append(littleEndian: view.rev)
        tokens.append(littleEndian: view.head.tokens)
        kinds.append(littleEndian: kind)
        roleLengths.append(littleEndian: UInt32(clamping: view.role.count))
        textLengths.append(littleEndian: UInt32(clamping: text.count - start))
        count += 1
    }

    func write(to out: inout ByteBuffer) throws(MemexError) {
        guard !text.failed, !textLengths.failed, !seqs.failed else { throw MemexError.noMemory }
        out.reserve(text.count + Int(count) * 40 + 16)
        out.append(littleEndian: Self.magic)
        out.append(littleEndian: count)
        out.append(littleEndian: UInt32(0))
        out.append(littleEndian: UInt32(0))
        out.append(seqs.view)
        out.append(times.view)
        out.append(revs.view)
        out.append(tokens.view)
        out.append(kinds.view)
        out.append(roleLengths.view)
        out.append(textLengths.view)
        out.append(text.view)
    }
}
