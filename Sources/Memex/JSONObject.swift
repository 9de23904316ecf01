internal import MemexModel

/// Metadata objects.
enum JSONObject {
    static let empty: [UInt8] = [0x7B, 0x7D]

    /// Throws unless the bytes are one JSON object.
    static func check(_ bytes: ByteView, _ what: StaticString) throws(MemexError) {
        guard bytes.count > 0 else { throw MemexError(.invalid, "\(what) is missing; give a JSON object") }
        let document = try JSONDocument(parsing: bytes, limit: Limits.optionBytes)
        guard document.root.kind == .object else {
            throw MemexError.invalid(path: "", "\(what) is no JSON object")
        }
    }

    /// Applies a merge patch to an object; no bytes stand for an empty one.
    static func patch(_ target: ByteView, _ patch: ByteView, to out: inout ByteBuffer) throws(MemexError) {
        if target.count > 0 {
            try MergePatch.apply(target: target, patch: patch, to: &out)
            return
        }
        var result = ByteBuffer()
        let failure: MemexError? = empty.withUnsafeBufferPointer { empty in
            do throws(MemexError) {
                try MergePatch.apply(target: empty, patch: patch, to: &result)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
        swap(&result, &out)
    }

    /// Whether an object has no members.
    static func isEmpty(_ object: ByteView) -> Bool {
        var members = RawMembers(object)
        return members.next() == nil
    }
}
