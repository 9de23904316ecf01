package import MemexModel

/// The two records of a thread. The head is small, because every append compares it: the counters, tenant
/// and id. The document holds title and metadata, and is there when one of them is.
///
/// Every change but an append raises the head's generation; the document repeats the generation that wrote
/// it, by which a reader sees that the two belong together.
package enum ThreadRow {
    static let version: UInt8 = 1

    // Offsets into the head that an append uses without decoding the rest.
    static let generationOffset = 4
    static let changesOffset = 12
    static let activityOffset = 20
    static let floorOffset = 28
    static let fixedSize = 116

    private enum Flag {
        static let hidden: UInt8 = 1
        static let document: UInt8 = 2
    }

    struct Head {
        var record = ThreadRecord()
        var generation: Int64 = 0
        var documentGeneration: Int64 = 0
        var hasDocument = false
    }

    static func write(_ head: Head, to buffer: inout ByteBuffer) {
        let record = head.record
        buffer.append(byte: version)
        buffer.append(
            byte: (record.isHidden ? Flag.hidden : 0) | (head.hasDocument ? Flag.document : 0))
        buffer.append(byte: UInt8(truncatingIfNeeded: record.tenant.utf8.count))
        buffer.append(byte: UInt8(truncatingIfNeeded: record.id.utf8.count))
        buffer.append(littleEndian: head.generation)
        buffer.append(littleEndian: record.changes)
        buffer.append(littleEndian: record.activityAt)
        buffer.append(littleEndian: record.floor)
        buffer.append(littleEndian: record.version)
        buffer.append(littleEndian: record.createdAt)
        buffer.append(littleEndian: record.updatedAt)
        buffer.append(littleEndian: record.deletedCount)
        buffer.append(littleEndian: record.baseKey)
        buffer.append(littleEndian: record.baseSeq)
        buffer.append(littleEndian: record.baseRev)
        buffer.append(littleEndian: record.rootKey)
        buffer.append(littleEndian: record.forkCount)
        buffer.append(littleEndian: head.documentGeneration)
        buffer.append(text: record.tenant)
        buffer.append(text: record.id)
    }

    static func read(_ key: Int64, _ bytes: ByteView) throws(MemexError) -> Head {
        try checkVersion(bytes)
        var reader = ByteReader(bytes)
        _ = reader.byte()
        let flags = reader.byte()
        let tenantLength = Int(reader.byte())
        let idLength = Int(reader.byte())
        var head = Head()
        head.generation = reader.int64()
        head.record.key = key
        head.record.changes = reader.int64()
        head.record.activityAt = reader.int64()
        head.record.floor = reader.int64()
        head.record.version = reader.int64()
        head.record.createdAt = reader.int64()
        head.record.updatedAt = reader.int64()
        head.record.deletedCount = reader.int64()
        head.record.baseKey = reader.int64()
        head.record.baseSeq = reader.int64()
        head.record.baseRev = reader.int64()
        head.record.rootKey = reader.int64()
        head.record.forkCount = reader.int64()
        head.documentGeneration = reader.int64()
        let tenant = reader.take(tenantLength)
        let id = reader.take(idLength)
        guard reader.isComplete, Unicode.UTF8.firstInvalid(tenant) == nil,
            Unicode.UTF8.firstInvalid(id) == nil
        else { throw damaged(key) }
        try head.record.confirm()
        head.record.isHidden = flags & Flag.hidden != 0
        head.hasDocument = flags & Flag.document != 0
        head.record.tenant = tenant.text
        head.record.id = id.text
        return head
    }

    package static func isHidden(_ head: ByteView) -> Bool { head.count > 1 && head[1] & Flag.hidden != 0 }

    /// The tenant inside a head that was read before.
    static func tenant(_ head: ByteView) -> ByteView {
        guard head.count > fixedSize, Int(head[2]) <= head.count &- fixedSize else {
            return ByteView(start: nil, count: 0)
        }
        return head.slice(fixedSize, Int(head[2]))
    }

    static func int64(_ head: ByteView, at offset: Int) -> Int64 {
        guard offset >= 0, head.count >= offset &+ 8, let base = head.baseAddress else { return 0 }
        return Int64(littleEndian: UnsafeRawPointer(base + offset).loadUnaligned(as: Int64.self))
    }

    /// Gives a head another place in the order of activity.
    static func move(_ head: UnsafeMutablePointer<UInt8>, _ count: Int, to moment: Int64) {
        guard count >= fixedSize else { return }
        let raw = UnsafeMutableRawPointer(head)
        let generation = int64(ByteView(start: head, count: count), at: generationOffset)
        raw.storeBytes(of: (generation &+ 1).littleEndian, toByteOffset: generationOffset, as: Int64.self)
        raw.storeBytes(of: moment.littleEndian, toByteOffset: activityOffset, as: Int64.self)
    }

    static func writeDocument(_ head: Head, to buffer: inout ByteBuffer) {
        buffer.append(byte: version)
        buffer.append(littleEndian: head.documentGeneration)
        buffer.append(byte: (head.record.title == nil ? 0 : 1) | (head.record.metadata == nil ? 0 : 2))
        buffer.append(littleEndian: UInt32(truncatingIfNeeded: head.record.title?.utf8.count ?? 0))
        buffer.append(text: head.record.title ?? "")
        buffer.append(littleEndian: UInt32(truncatingIfNeeded: head.record.metadata?.count ?? 0))
        head.record.metadata?.withUnsafeBufferPointer { buffer.append($0) }
    }

    /// False when the document was written by another generation than the head names.
    static func readDocument(_ bytes: ByteView, into head: inout Head) throws(MemexError) -> Bool {
        try checkVersion(bytes)
        var reader = ByteReader(bytes)
        _ = reader.byte()
        guard reader.int64() == head.documentGeneration else { return false }
        let present = reader.byte()
        let title = reader.take(Int(reader.uint32()))
        let metadata = reader.take(Int(reader.uint32()))
        guard reader.isComplete, Unicode.UTF8.firstInvalid(title) == nil else {
            throw damaged(head.record.key)
        }
        head.record.title = present & 1 != 0 ? title.text : nil
        head.record.metadata = present & 2 != 0 ? Array(metadata) : nil
        return true
    }

    private static func checkVersion(_ bytes: ByteView) throws(MemexError) {
        guard bytes.count > 0 else { throw RecordHead.damaged }
        if bytes[0] > version {
            throw MemexError(
                .newerFormat, "a thread record has format \(bytes[0]); this library reads \(version)")
        }
    }

    static func damaged(_ key: Int64) -> MemexError {
        MemexError(
            .corrupt, "the record of thread number \(key) is damaged; restore it from a backup",
            detailMembers: "\"key\":\(key)")
    }
}
