internal import MemexModel

/// The value of a derived record: four numbers, then the body.
enum DerivedRow {
    static func write(_ record: DerivedRecord, to buffer: inout ByteBuffer) {
        buffer.append(littleEndian: record.fromSeq)
        buffer.append(littleEndian: record.toSeq)
        buffer.append(littleEndian: record.rev)
        buffer.append(littleEndian: record.createdAt)
        record.body.withUnsafeBufferPointer { buffer.append($0) }
    }

    static func read(kind: String, name: String, _ bytes: ByteView) throws(MemexError) -> DerivedRecord {
        var reader = ByteReader(bytes)
        var record = DerivedRecord(kind: kind, name: name, body: [])
        record.fromSeq = reader.int64()
        record.toSeq = reader.int64()
        record.rev = reader.int64()
        record.createdAt = reader.int64()
        guard reader.isValid else { throw RecordHead.damaged }
        try record.confirm()
        record.body = Array(reader.take(bytes.count &- reader.at))
        return record
    }
}
