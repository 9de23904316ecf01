/// The rule for ids, idempotency keys, tenants and principals: 1-255 bytes of UTF-8 without control
/// characters, compared bytewise.
package enum Identifier {
    package static func check(_ bytes: ByteView, _ what: StaticString) throws(MemexError) {
        guard bytes.count > 0 else {
            throw MemexError(.invalid, "\(what) is empty; give 1 to 255 bytes", detailMembers: path(what))
        }
        guard bytes.count <= Limits.idBytes else {
            throw MemexError(
                .limit, "\(what) has \(bytes.count) bytes; the limit is \(Limits.idBytes)",
                detailMembers: path(what, "\"limit\":\(Limits.idBytes)"))
        }
        if let offset = UTF8.firstInvalid(bytes) {
            throw MemexError(
                .invalid, "\(what) is not UTF-8 at byte \(offset)",
                detailMembers: path(what, "\"offset\":\(offset)"))
        }
        var previous: UInt8 = 0
        for index in 0..<bytes.count {
            let byte = bytes[index]
            // C0, DEL, and the C1 controls U+0080..U+009F (C2 80..C2 9F).
            if byte < 0x20 || byte == 0x7F || (previous == 0xC2 && byte < 0xA0) {
                throw MemexError(
                    .invalid, "\(what) has a control character at byte \(index)",
                    detailMembers: path(what, "\"offset\":\(index)"))
            }
            previous = byte
        }
    }

    /// The path of an option, whose name begins with a slash; arguments have none.
    private static func path(_ what: StaticString, _ more: String = "") -> String {
        guard what.bytes.first == 0x2F else { return more }
        let path = "\"path\":\"\(what)\""
        return more.isEmpty ? path : path + "," + more
    }
}
