internal import MemexModel
internal import MemexStorage

/// The checksum of a row. Seq and changes are known to the server alone, which adds them in SQL (the
/// function `checksum`); what the contract wants is computed from that on reading.
///
/// A CRC is affine: for texts of one length, the checksums of two messages differ by what their envelopes'
/// checksums differ, whatever came before.
enum RecordSeal {
    /// Sealed as if seq and changes were 0, with the mark of what counted the tokens in the upper half.
    static func sent(_ draft: MessageDraft, createdAt: Int64) -> Int64 {
        var head = draft.head
        head.changes = 0
        let sum = RecordChecksum.seal(head.checksum, head, seq: 0, createdAt: createdAt)
        return Int64(bitPattern: UInt64(head.counter) << 32 | UInt64(sum))
    }

    /// The mark of what counted the tokens.
    static func counter(stored: Int64) -> UInt32 { UInt32(truncatingIfNeeded: stored >> 32) }

    /// The checksum of the contract for a stored row.
    static func checksum(stored: Int64, seq: Int64, changes: UInt32) -> UInt32 {
        let sent = UInt32(truncatingIfNeeded: stored) ^ mixed(seq, changes)
        var head = RecordHead()
        let without = RecordChecksum.seal(0, head, seq: 0, createdAt: 0)
        head.changes = changes
        return sent ^ without ^ RecordChecksum.seal(0, head, seq: seq, createdAt: 0)
    }

    /// As the function `checksum` of the schema.
    private static func mixed(_ seq: Int64, _ changes: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: seq) &* 2_654_435_761 ^ (changes & 0x7FFF_FFFF) &* 2_246_822_519
    }
}
