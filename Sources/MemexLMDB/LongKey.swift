internal import MemexModel
internal import MemexStorage

/// Keys that LMDB does not take. It takes 511 bytes; keys of ours have up to 1,024.
///
/// All keys that begin with the same 510 bytes and go on share one entry, a bucket. Its name is those bytes and
/// a zero, so it has 511, which no other key has, and it stands where its keys belong: right after the key that
/// is those 510 bytes and ends. Its value is their rests with their values, in order: length of the rest (2) and
/// of the value (4), little endian, rest, value.
enum LongKey {
    static let plainMaximum = 510
    static let nameSize = 511
    private static let headSize = 6

    @inline(__always)
    static func isLong(_ key: ByteView) -> Bool { key.count > plainMaximum }

    @inline(__always)
    static func isName(_ key: ByteView) -> Bool { key.count == nameSize }

    static func name(_ key: ByteView, into buffer: inout ByteBuffer) {
        buffer.append(key.slice(0, plainMaximum))
        buffer.append(byte: 0)
    }

    static func rest(_ key: ByteView) -> ByteView { key.slice(plainMaximum, key.count &- plainMaximum) }

    private static let damaged = MemexError(
        .corrupt, "an entry with long keys is damaged; restore data.mdb from a backup")

    /// The entry at an offset, and where the next one begins.
    private static func entry(
        _ bucket: ByteView, at offset: Int
    ) throws(MemexError) -> (rest: ByteView, value: ByteView, next: Int) {
        guard bucket.count &- offset >= headSize else { throw damaged }
        let restLength = Int(bucket[offset]) | Int(bucket[offset &+ 1]) << 8
        var valueLength = 0
        for index in 0..<4 { valueLength |= Int(bucket[offset &+ 2 &+ index]) << (index &* 8) }
        let start = offset &+ headSize
        guard bucket.count &- start >= restLength, bucket.count &- start &- restLength >= valueLength else {
            throw damaged
        }
        return (
            bucket.slice(start, restLength), bucket.slice(start &+ restLength, valueLength),
            start &+ restLength &+ valueLength
        )
    }

    static func find(_ rest: ByteView, in bucket: ByteView) throws(MemexError) -> ByteView? {
        var at = 0
        while at < bucket.count {
            let entry = try entry(bucket, at: at)
            if entry.rest.equals(rest) { return entry.value }
            at = entry.next
        }
        return nil
    }

    /// The bucket's entries with their whole keys; false when the visitor ended it.
    static func forEach(
        _ name: ByteView, _ bucket: ByteView, descending: Bool,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) -> Bool {
        var entries: [(rest: ByteView, value: ByteView)] = []
        var at = 0
        while at < bucket.count {
            let entry = try entry(bucket, at: at)
            entries.append((entry.rest, entry.value))
            at = entry.next
        }
        if descending { entries.reverse() }
        var key = ByteBuffer(capacity: 1024)
        for entry in entries {
            key.removeAll()
            key.append(name.slice(0, plainMaximum))
            key.append(entry.rest)
            guard
                try key.lend({ (key) throws(MemexError) -> Bool in try visit(key, entry.value) })
            else { return false }
        }
        return true
    }

    /// The bucket with one entry put (a value) or removed (nil).
    static func change(
        _ bucket: ByteView, _ rest: ByteView, to value: ByteView?, into result: inout ByteBuffer
    ) throws(MemexError) {
        var isDone = value == nil
        var at = 0
        while at < bucket.count {
            let entry = try entry(bucket, at: at)
            at = entry.next
            let order = entry.rest.compare(rest)
            if order >= 0, !isDone, let value {
                append(rest, value, &result)
                isDone = true
            }
            if order != 0 { append(entry.rest, entry.value, &result) }
        }
        if !isDone, let value { append(rest, value, &result) }
    }

    private static func append(_ rest: ByteView, _ value: ByteView, _ buffer: inout ByteBuffer) {
        buffer.append(littleEndian: UInt16(truncatingIfNeeded: rest.count))
        buffer.append(littleEndian: UInt32(truncatingIfNeeded: value.count))
        buffer.append(rest)
        buffer.append(value)
    }
}
