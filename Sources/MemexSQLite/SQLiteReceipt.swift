internal import MemexModel
internal import MemexStorage

/// What is stored with the first message of an append that had an idempotency key. 28 bytes, little endian: messages
/// (4), the thread's rev after the append (8), digest (16).
struct SQLiteReceipt {
    static let size = 28

    let count: Int64
    let rev: Int64
    let digest: (UInt64, UInt64)

    /// Throws CORRUPT for what the library has not written.
    init(_ bytes: ByteView) throws(MemexError) {
        let blob = UnsafeRawBufferPointer(bytes)
        guard blob.count == Self.size else { throw Self.damaged }
        count = Int64(UInt32(littleEndian: blob.loadUnaligned(as: UInt32.self)))
        rev = Int64(
            bitPattern: UInt64(littleEndian: blob.loadUnaligned(fromByteOffset: 4, as: UInt64.self)))
        digest = (
            UInt64(littleEndian: blob.loadUnaligned(fromByteOffset: 12, as: UInt64.self)),
            UInt64(littleEndian: blob.loadUnaligned(fromByteOffset: 20, as: UInt64.self))
        )
        guard count > 0, StoredNumber.isSeq(count), StoredNumber.isRev(rev) else { throw Self.damaged }
    }

    static let damaged = MemexError(
        .corrupt,
        "the receipt of an idempotency key is damaged; run the check command and restore from a backup")
}
