internal import MemexModel
internal import MemexStorage

/// Gathers a packed page: what a binding turns into objects without parsing an envelope.
///
/// Layout, version 2 (docs/reference/packed-page.md), integers little endian:
/// - u32 magic "MXP2", u32 count n, u32 flags (bit 0: a field holds a NUL, go by the lengths; bit 1: the
///   last page), u32 0
/// - i64 seq[n], i64 created_at_us[n], i64 rev[n], u32 tokens[n], u32 kind[n], u32 length[n], u8 code[n]
/// - n fields of text with one NUL between two
///
/// kind: bit 1 incomplete, 2 deleted, 3 pinned, 4 has metadata or provenance, 5 has an id of the caller's;
/// bits 8-15 the role: 1 system, 2 user, 3 assistant, 4 tool, 5 developer, 6 function, 0 any other or none.
/// code: 0, the field is the body; else it is the decoded content of a body that is
/// {"role": <the role of that number>, "content": <string>} in this order.
struct PackedPage: ~Copyable {
    private static let magic: UInt32 = 0x3250_584D
    private static let holdsNUL: UInt32 = 1
    private static let isLast: UInt32 = 2

    private var seqs = ByteBuffer()
    private var times = ByteBuffer()
    private var revs = ByteBuffer()
    private var tokens = ByteBuffer()
    private var kinds = ByteBuffer()
    private var lengths = ByteBuffer()
    private var codes = ByteBuffer()
    private var text = ByteBuffer()
    private var flags: UInt32 = 0
    private var count: UInt32 = 0

    init() {}

    var bytes: Int { text.count }

    mutating func reserve(_ messages: Int) {
        seqs.reserve(messages &* 8)
        times.reserve(messages &* 8)
        revs.reserve(messages &* 8)
        tokens.reserve(messages &* 4)
        kinds.reserve(messages &* 4)
        lengths.reserve(messages &* 4)
        codes.reserve(messages)
        text.reserve(messages &* 512)
    }

    mutating func append(_ view: borrowing MessageView, tokens number: UInt32) throws(MemexError) {
        let head = view.head
        let role = RoleCode.of(view.role)
        var kind = UInt32(role) << 8
        switch head.state {
        case .complete: break
        case .incomplete: kind |= 2
        case .deleted: kind |= 4
        }
        if head.has(RecordHead.Flag.pinned) { kind |= 8 }
        if view.extra.count > 0 { kind |= 16 }
        if view.id.count > 0 { kind |= 32 }
        if count > 0 { text.append(byte: 0) }
        let start = text.count
        var code = role
        let end = Int(head.contentOffset) &+ Int(head.contentLength)
        if code != 0, head.has(RecordHead.Flag.simple), head.contentOffset >= 0, end <= view.body.count {
            let raw = view.body.slice(Int(head.contentOffset), Int(head.contentLength))
            if head.has(RecordHead.Flag.contentEscaped) {
                try JSONEscape.decode(raw, to: &text)
                if text.view.slice(start, text.count &- start).contains(0) { flags |= Self.holdsNUL }
            } else {
                text.append(raw)
            }
        } else {
            code = 0
            text.append(view.body)
        }
        seqs.append(littleEndian: view.seq)
        times.append(littleEndian: view.createdAt)
        revs.append(littleEndian: view.rev)
        tokens.append(littleEndian: number)
        kinds.append(littleEndian: kind)
        lengths.append(littleEndian: UInt32(truncatingIfNeeded: text.count &- start))
        codes.append(byte: code)
        count &+= 1
    }

    mutating func write(isLast: Bool, to out: inout ByteBuffer) throws(MemexError) {
        guard !text.failed, !codes.failed, !lengths.failed, !kinds.failed, !tokens.failed, !revs.failed,
            !times.failed, !seqs.failed
        else { throw MemexError.noMemory }
        out.reserve(text.count &+ Int(count) &* 40 &+ 32)
        out.append(littleEndian: Self.magic)
        out.append(littleEndian: count)
        out.append(littleEndian: isLast ? flags | Self.isLast : flags)
        out.append(littleEndian: UInt32(0))
        out.append(seqs.view)
        out.append(times.view)
        out.append(revs.view)
        out.append(tokens.view)
        out.append(kinds.view)
        out.append(lengths.view)
        out.append(codes.view)
        out.append(text.view)
    }
}
