import CJansson

/// A parsed JSON text of ours: options, queries, configurations, metadata to be compared.
///
/// Integers beyond Int64 read as reals, reals from 1e308 on as 1e308.
package struct JSONDocument: ~Copyable {
    private let value: UnsafeMutablePointer<json_t>

    /// Parses one strict JSON value of any kind and at most `limit` bytes.
    ///
    /// Its metadata and provenance may have all levels for themselves when it `carries` them.
    package init(
        parsing bytes: ByteView, limit: Int = Limits.argumentBytes, carries: Bool = false
    ) throws(MemexError) {
        guard bytes.count <= limit else {
            throw MemexError(
                .limit, "a JSON argument has \(bytes.count) bytes; at most \(limit) are allowed",
                detailMembers: "\"limit\":\(limit)")
        }
        let hasHugeNumbers = carries ? try JSONCheck.carrier(bytes) : try JSONCheck.value(bytes)
        value = try JSONReferee.parse(bytes, hasHugeNumbers: hasHugeNumbers)
    }

    deinit { json_decref(value) }

    /// The value itself; valid as long as the document.
    package var root: JSONNode { JSONNode(value) }
}
