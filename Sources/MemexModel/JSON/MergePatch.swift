/// JSON merge patches (RFC 7396) on the text itself: what a patch does not touch keeps every byte of its
/// keys and values, also numbers that no parser could hold.
package enum MergePatch {
    /// Writes `target` changed by `patch`. No bytes of target read as "there is none".
    ///
    /// Both must be strict JSON, or `.invalid` is thrown; then `out` may hold a beginning.
    package static func apply(
        target: ByteView, patch: ByteView, to out: inout ByteBuffer
    ) throws(MemexError) {
        try JSONCheck.strict(patch)
        if target.count > 0 { try JSONCheck.strict(target) }
        let change = trimmed(patch)
        if isObject(change) {
            try merge(trimmed(target), change, level: 1, to: &out)
        } else {
            out.append(change)
        }
        if out.failed { throw MemexError.noMemory }
    }

    /// Writes an object: the members of `target`, if that is an object, changed by those of `patch`.
    ///
    /// Both texts have at most `Limits.jsonDepth` levels, which bounds the depth of calls here.
    private static func merge(
        _ target: ByteView, _ patch: ByteView, level: Int, to out: inout ByteBuffer
    ) throws(MemexError) {
        guard level <= Limits.jsonDepth else { throw JSONFault(.tooDeep, 0).error() }
        let changes = try MemberTable.of(patch)
        out.append(byte: 0x7B)
        var written = 0
        if isObject(target) {
            var members = RawMembers(target)
            while let member = members.next() {
                guard let change = try changes.take(member.key) else {
                    key(member.key, &written, to: &out)
                    out.append(member.value)
                    continue
                }
                try put(member.key, member.value, change, level, &written, to: &out)
            }
        }
        var place = 0
        while place < changes.count {
            if let member = changes.untaken(place) {
                let nothing = ByteView(start: nil, count: 0)
                try put(member.key, nothing, member.value, level, &written, to: &out)
            }
            place &+= 1
        }
        out.append(byte: 0x7D)
    }

    /// Writes one member that the patch names, unless the patch removes it.
    @inline(__always)
    private static func put(
        _ name: ByteView, _ value: ByteView, _ change: ByteView, _ level: Int, _ written: inout Int,
        to out: inout ByteBuffer
    ) throws(MemexError) {
        if change.equals(RawCursor.bytes("null")) { return }
        key(name, &written, to: &out)
        if isObject(change) {
            try merge(value, change, level: level &+ 1, to: &out)
        } else {
            out.append(change)
        }
    }

    @inline(__always)
    private static func key(_ name: ByteView, _ written: inout Int, to out: inout ByteBuffer) {
        if written > 0 { out.append(byte: 0x2C) }
        written &+= 1
        out.append(byte: 0x22)
        out.append(name)
        out.append(byte: 0x22)
        out.append(byte: 0x3A)
    }

    @inline(__always)
    private static func isObject(_ value: ByteView) -> Bool { value.count > 0 && value[0] == 0x7B }

    private static func trimmed(_ text: ByteView) -> ByteView {
        guard let base = text.baseAddress else { return text }
        let start = ByteWords.skipSpace(base, 0, text.count)
        let end = RawCursor.valueEnd(base, start, text.count)
        return end > start ? text.slice(start, end &- start) : text.slice(0, 0)
    }
}
