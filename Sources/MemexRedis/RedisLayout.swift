internal import CMemexShim
internal import MemexModel
internal import MemexStorage
internal import Synchronization

/// Which keys of Redis hold the rows of the ordered store. A thread's rows, and those of its family, have one
/// hash tag, so one slot; `docs/adr/0011-redis-layout.md` says why.
final class RedisLayout: ThreadPlaces, Sendable {
    /// What a row is kept in.
    enum Kind {
        /// A hash: found by its name alone.
        case value
        /// A hash, and a sorted set that orders the names.
        case orderedValue
        /// A sorted set: a name without a value.
        case name
        /// A sorted set by seq.
        case message
    }

    struct Place {
        var shard: Int
        /// 0 for what belongs to no thread.
        var thread: Int64
        /// What of the key the name of the thread's keys says already.
        var skipped: Int
    }

    /// Names of threads that have rows, in the sorted set of the shard: what `check` begins with.
    static let threadMark = UInt8(ascii: "T")
    /// In a thread's hash: a number that was given up; nothing may be written under it any more.
    static let fence = UInt8(ascii: "y")
    private static let placeBits: Int64 = 12
    private static let placeMask: Int64 = 1 << placeBits - 1
    /// Numbers of one place in a millisecond.
    private static let stepBits: Int64 = 8

    let shards: Int
    let tags: [String]
    private let tagBytes: [[UInt8]]
    /// Of this process: threads of all its stores are ordered as they were created.
    private static let lastNumber = Atomic<Int64>(0)

    init(prefix: String, shards: Int) {
        self.shards = shards
        tags = (0..<shards).map { "\(prefix):\($0)" }
        tagBytes = tags.map { Array("{\($0)}".utf8) }
    }

    // MARK: Rows

    static func kind(_ letter: UInt8) -> Kind {
        switch letter {
        case KeyLayout.message: .message
        case KeyLayout.activity, KeyLayout.creation, KeyLayout.marked, KeyLayout.fork, KeyLayout.family,
            threadMark:
            .name
        case KeyLayout.messageID, KeyLayout.receipt, KeyLayout.derived, KeyLayout.piece: .orderedValue
        default: .value
        }
    }

    static func isOfThread(_ letter: UInt8) -> Bool {
        switch letter {
        case KeyLayout.message, KeyLayout.head, KeyLayout.document, KeyLayout.messageID, KeyLayout.receipt,
            KeyLayout.marked, KeyLayout.fork, KeyLayout.family, KeyLayout.derived, KeyLayout.piece:
            true
        default: false
        }
    }

    static func number(_ bytes: ByteView, at offset: Int) -> Int64 {
        var value: UInt64 = 0
        for index in 0..<8 {
            value <<= 8
            if offset + index < bytes.count { value |= UInt64(bytes[offset + index]) }
        }
        return Int64(truncatingIfNeeded: value)
    }

    func place(of key: ByteView) -> Place {
        let letter = key.first ?? 0
        if Self.isOfThread(letter) {
            let thread = Self.number(key, at: 1)
            return Place(shard: place(ofThread: thread), thread: thread, skipped: 8)
        }
        switch letter {
        case KeyLayout.activity, KeyLayout.creation:
            return Place(shard: place(ofThread: Self.number(key, at: key.count - 8)), thread: 0, skipped: 0)
        case KeyLayout.name, KeyLayout.blob: return Place(shard: place(ofName: key), thread: 0, skipped: 0)
        case KeyLayout.nextKey where key.count > 2:
            return Place(shard: (Int(key[1]) << 8 | Int(key[2])) % shards, thread: 0, skipped: 0)
        default: return Place(shard: 0, thread: 0, skipped: 0)
        }
    }

    /// The name of a key: `h` values, `z` order, `m` messages.
    func append(_ kind: StaticString, of thread: Int64, _ shard: Int, to command: inout RedisCommand) {
        var name = ByteBuffer(capacity: 96)
        tagBytes[shard].withUnsafeBufferPointer { name.append($0) }
        name.append(kind)
        if thread != 0 { name.append(number: thread) }
        command.append(name.view)
    }

    // MARK: Threads

    func place(ofThread key: Int64) -> Int {
        shards == 1 ? 0 : Int(key & Self.placeMask) % shards
    }

    func place(ofName name: ByteView) -> Int {
        shards == 1 ? 0 : Int(memex_shim_crc32c(0, name.baseAddress, name.count)) % shards
    }

    func number(after last: Int64, at place: Int) -> Int64 {
        let now = memex_shim_realtime_us() / 1000 << Self.stepBits
        while true {
            let given = Self.lastNumber.load(ordering: .relaxed)
            let next = max(now, given + 1, last >> Self.placeBits + 1)
            let (isOurs, _) = Self.lastNumber.compareExchange(
                expected: given, desired: next, ordering: .relaxed)
            if isOurs { return next << Self.placeBits | Int64(place) }
        }
    }
}
