internal import MemexModel

/// A value that is one number.
enum NumberRow {
    static func read(_ bytes: ByteView) throws(MemexError) -> Int64 {
        var reader = ByteReader(bytes)
        let value = reader.int64()
        guard reader.isComplete, value > 0, StoredNumber.isCount(value) else { throw RecordHead.damaged }
        return value
    }
}
