/// The rule for ids, idempotency keys, tenants and principals: 1-255 bytes of UTF-8 without control
/// characters, compared bytewise.
package enum Identifier {
    /// `what` is the path of an option, which begins with a slash, or a name like "the thread id".
    package static func check(
        _ bytes: ByteView, _ what: @autoclosure () -> String
    ) throws(MemexError) {
        guard bytes.count > 0 else {
            throw failure(.invalid, what(), "is empty; give 1 to 255 bytes")
        }
        guard bytes.count <= Limits.idBytes else {
            throw failure(
                .limit, what(), "has \(bytes.count) bytes; the limit is \(Limits.idBytes)",
                ["\"limit\":\(Limits.idBytes)"])
        }
        if let offset = UTF8.firstInvalid(bytes) {
            throw failure(.invalid, what(), "is not UTF-8 at byte \(offset)", ["\"offset\":\(offset)"])
        }
        var previous: UInt8 = 0
        for index in 0..<bytes.count {
            let byte = bytes[index]
            // C0, DEL, and the C1 controls U+0080..U+009F (C2 80..C2 9F).
            if byte < 0x20 || byte == 0x7F || (previous == 0xC2 && byte < 0xA0) {
                throw failure(
                    .invalid, what(), "has a control character at byte \(index)", ["\"offset\":\(index)"])
            }
            previous = byte
        }
    }

    private static func failure(
        _ code: MemexError.Code, _ what: String, _ message: String, _ members: [String] = []
    ) -> MemexError {
        guard what.utf8.first == 0x2F else {
            return MemexError(code, "\(what) \(message)", detailMembers: members.joined(separator: ","))
        }
        let path = "\"path\":\(JSONText.quoted(what))"
        return MemexError(
            code, "\(what): \(message)", detailMembers: ([path] + members).joined(separator: ","))
    }
}
