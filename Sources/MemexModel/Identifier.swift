/// The rule for ids, idempotency keys, tenants and principals: 1-255 bytes of UTF-8 without control
/// characters, compared bytewise.
package enum Identifier {
    package static func check(_ bytes: ByteView, _ what: StaticString) throws(MemexError) {
        guard bytes.count > 0 else {
            throw MemexError(.invalid, "\(what) is empty; give 1 to 255 bytes")
        }
        guard bytes.count <= Limits.idBytes else {
            throw MemexError(
                .limit, "\(what) has \(bytes.count) bytes; the limit is \(Limits.idBytes)",
                detailMembers: "\"limit\":\(Limits.idBytes)")
        }
        if let offset = UTF8.firstInvalid(bytes) {
            throw MemexError.invalid(offset: offset, "\(what) is not UTF-8")
        }
        var previous: UInt8 = 0
        for index in 0..<bytes.count {
            let byte = bytes[index]
            // C0, DEL, and the C1 controls U+0080..U+009F (C2 80..C2 9F).
            if byte < 0x20 || byte == 0x7F || (previous == 0xC2 && byte < 0xA0) {
                throw MemexError.invalid(offset: index, "\(what) has a control character")
            }
            previous = byte
        }
    }
}
