internal import MemexModel

/// What is remembered of an append with an idempotency key.
struct AppendReceipt {
    static let size = 44
    var firstSeq: Int64
    var count: UInt32
    var digest: (UInt64, UInt64)
    var createdAt: Int64
    /// The thread's changes at that time, by which the rev of the answer is known.
    var changes: Int64 = 0

    init(firstSeq: Int64, count: Int, digest: (UInt64, UInt64), createdAt: Int64, changes: Int64) {
        self.firstSeq = firstSeq
        self.count = UInt32(truncatingIfNeeded: count)
        self.digest = digest
        self.createdAt = createdAt
        self.changes = changes
    }

    init(_ bytes: ByteView) throws(MemexError) {
        var reader = ByteReader(bytes)
        firstSeq = reader.int64()
        count = reader.uint32()
        digest = (reader.uint64(), reader.uint64())
        createdAt = reader.int64()
        changes = reader.int64()
        guard reader.isComplete, firstSeq > 0, StoredNumber.isSeq(firstSeq), count > 0,
            StoredNumber.isSeq(firstSeq &+ Int64(count) &- 1), StoredNumber.isTime(createdAt),
            StoredNumber.isCount(changes)
        else { throw RecordHead.damaged }
    }

    func write(to buffer: inout ByteBuffer) {
        buffer.append(littleEndian: firstSeq)
        buffer.append(littleEndian: count)
        buffer.append(littleEndian: digest.0)
        buffer.append(littleEndian: digest.1)
        buffer.append(littleEndian: createdAt)
        buffer.append(littleEndian: changes)
    }

    /// The first answer again, or CONFLICT.
    func answer(_ operation: AppendOperation, key: Int64) throws(MemexError) -> WriteResult {
        guard digest == operation.digest, Int(count) == operation.drafts.count else {
            throw ContractError.otherBytes
        }
        var result = WriteResult()
        result.key = key
        result.firstSeq = firstSeq
        result.lastSeq = firstSeq &+ Int64(count) &- 1
        result.createdAt = createdAt
        result.rev = result.lastSeq &+ changes
        result.isDuplicate = true
        return result
    }
}
