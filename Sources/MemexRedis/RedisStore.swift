internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// The ordered store of rows in Redis: every commit is one call of a script on one server.
final class RedisStore: PipelinedStore, Sendable {
    let caller: RedisCaller
    let layout: RedisLayout
    let server: RedisServer
    let traits: OrderedStoreTraits
    let timeout: Int64
    /// Of the call that this store is made for; nil for one with the store's time-out.
    private let limit: Deadline?

    init(
        _ caller: RedisCaller, _ layout: RedisLayout, _ server: RedisServer, _ traits: OrderedStoreTraits,
        timeout: Int64, limit: Deadline? = nil
    ) {
        self.caller = caller
        self.layout = layout
        self.server = server
        self.traits = traits
        self.timeout = timeout
        self.limit = limit
    }

    var deadline: Deadline { limit ?? Deadline(after: timeout) }
    var places: (any ThreadPlaces)? { layout.shards > 1 ? layout : nil }

    func bounded(until deadline: Deadline) -> any OrderedStore {
        RedisStore(caller, layout, server, traits, timeout: timeout, limit: deadline)
    }

    // MARK: Reading

    func get(_ key: ByteView, _ visit: (ByteView) throws(MemexError) -> Void) throws(MemexError) -> Bool {
        let place = layout.place(of: key)
        let deadline = deadline
        var command: RedisCommand
        switch RedisLayout.kind(key.first ?? 0) {
        case .message:
            let seq = RedisLayout.number(key, at: 9)
            command = RedisCommand("ZRANGEBYSCORE")
            layout.append("m", of: place.thread, place.shard, to: &command)
            command.append(number: seq)
            command.append(number: seq)
            let reply = try caller.read(place.shard, command, until: deadline)
            defer { withExtendedLifetime(reply) {} }
            guard let row = reply.value[0] else { return false }
            guard row.bytes.count >= 8 else { throw Self.damaged }
            try visit(row.bytes.slice(8, row.bytes.count - 8))
            return true
        case .name:
            command = RedisCommand("ZSCORE")
            layout.append("z", of: place.thread, place.shard, to: &command)
            Self.appendField(key, place, to: &command)
            let reply = try caller.read(place.shard, command, until: deadline)
            defer { withExtendedLifetime(reply) {} }
            if reply.value.isNil { return false }
            try visit(ByteView(start: nil, count: 0))
            return true
        case .value, .orderedValue:
            let reply = try value(key, place, until: deadline)
            defer { withExtendedLifetime(reply) {} }
            if reply.value.isNil { return false }
            if key.first == KeyLayout.name, try !isName(reply.value.bytes, of: key, until: deadline) {
                return false
            }
            try visit(reply.value.bytes)
            return true
        }
    }

    func value(
        _ key: ByteView, _ place: RedisLayout.Place, until deadline: Deadline
    ) throws(MemexError) -> RedisReply {
        var command = RedisCommand("HGET")
        layout.append("h", of: place.thread, place.shard, to: &command)
        Self.appendField(key, place, to: &command)
        return try caller.read(place.shard, command, until: deadline)
    }

    static func appendField(_ key: ByteView, _ place: RedisLayout.Place, to command: inout RedisCommand) {
        if place.skipped == 0 {
            command.append(key)
        } else {
            let start = 1 + place.skipped
            command.append(key.slice(0, 1), key.slice(start, max(0, key.count - start)))
        }
    }

    static let damaged = MemexError(
        .corrupt, "a key of the store does not hold what the library wrote; restore it from a backup")

    // MARK: Writing

    func commit(_ writes: UnsafeBufferPointer<KeyValueWrite>) throws(MemexError) -> Bool {
        try commit(writes, until: deadline)
    }

    func commit(
        _ writes: UnsafeBufferPointer<KeyValueWrite>, until deadline: Deadline
    ) throws(MemexError) -> Bool {
        guard let first = writes.first else { return true }
        guard layout.shards > 1 else {
            let command = try RedisCommitEncoder.encode(writes, layout, 0)
            return try send(command, 0, writes, until: deadline)
        }
        return try commitSpread(writes, first, until: deadline)
    }

    /// Sends a commit. When nobody knows what became of it, its receipt is asked, if it has one: it is sent
    /// again, and does nothing when it was done before, for then its conditions do not hold.
    func send(
        _ command: borrowing RedisCommand, _ shard: Int, _ writes: UnsafeBufferPointer<KeyValueWrite>,
        until deadline: Deadline
    ) throws(MemexError) -> Bool {
        let written: RedisCaller.Written
        do throws(RedisFault) {
            written = try caller.call(shard, command, isWrite: true, until: deadline)
        } catch { return try resolve(error, command, shard, writes, until: deadline) }
        return try verdict(written)
    }

    func resolve(
        _ fault: RedisFault, _ command: borrowing RedisCommand, _ shard: Int,
        _ writes: UnsafeBufferPointer<KeyValueWrite>, until deadline: Deadline
    ) throws(MemexError) -> Bool {
        guard case .lost = fault, fault.mayHaveWritten, let receipt = Self.receipt(writes) else {
            throw fault.ofWrite
        }
        do throws(MemexError) {
            if try verdict(caller.repeatable(shard, command, until: deadline)) { return true }
            let found = try value(receipt.key, layout.place(of: receipt.key), until: deadline)
            defer { withExtendedLifetime(found) {} }
            guard !found.value.isNil, found.value.bytes.equals(receipt.value) else { return false }
            try confirm(receipt.key, until: deadline)
            return true
        } catch {
            // Whatever stands in the way now: the first attempt may have been stored.
            throw error.code == .outcomeUnknown ? error : fault.ofWrite
        }
    }

    func verdict(_ written: RedisCaller.Written) throws(MemexError) -> Bool {
        let isDone = written.reply.value.integer == 1
        if isDone, let unconfirmed = written.unconfirmed { throw unconfirmed }
        return isDone
    }

    /// The receipt that the commit puts under a condition that it is not there.
    static func receipt(_ writes: UnsafeBufferPointer<KeyValueWrite>) -> KeyValueWrite? {
        writes.first { $0.kind == .put && $0.key.first == KeyLayout.receipt }
    }

    func confirm(_ key: ByteView, until deadline: Deadline) throws(MemexError) {
        guard caller.confirmation.isNeeded else { return }
        // A write of no meaning: what came before it is confirmed with it.
        let shard = layout.place(of: key).shard
        var command = RedisCommand("SET")
        layout.append("w", of: 0, shard, to: &command)
        command.append("1")
        if let unconfirmed = try caller.repeatable(shard, command, until: deadline).unconfirmed {
            throw unconfirmed
        }
    }

    // MARK: Control

    func statistics() throws(MemexError) -> String {
        server.statistics + ",\"shards\":\(layout.shards),\"commit_script\":\"\(RedisScript.commit.sha1)\""
            + ",\"replicas_confirm\":\(caller.confirmation.replicas)," + caller.servers.statistics
    }

    func interrupt() { caller.servers.interruptions.raise() }

    func close() throws(MemexError) { caller.servers.close() }
}
