internal import MemexModel
internal import MemexStorage

/// A commit in a store of several shards. All of its rows but one kind are in the shard of its family: the
/// name of a fork is where names are looked for. It is claimed before the commit and released after it; a
/// name whose thread is not there, or hidden, counts as free.
extension RedisStore {
    func commitSpread(
        _ writes: UnsafeBufferPointer<KeyValueWrite>, _ first: KeyValueWrite, until deadline: Deadline
    ) throws(MemexError) -> Bool {
        let home = writes.first { RedisLayout.isOfThread($0.key.first ?? 0) } ?? first
        let shard = layout.place(of: home.key).shard
        var claims: [KeyValueWrite] = []
        var releases: [KeyValueWrite] = []
        var others: [KeyValueWrite] = []
        for write in writes where layout.place(of: write.key).shard != shard {
            switch (write.key.first ?? 0, write.kind) {
            case (KeyLayout.name, .put): claims.append(write)
            case (KeyLayout.name, .delete): releases.append(write)
            case (KeyLayout.name, .requireAbsent): break
            case (KeyLayout.blob, .put): others.append(write)
            default:
                throw MemexError(
                    .unsupported,
                    "the batch writes to several hash slots of the cluster; nothing was stored: write to each "
                        + "thread in a batch of its own")
            }
        }
        // A blob without a reference harms nobody.
        for blob in others { try put(blob, until: deadline) }
        for (index, claim) in claims.enumerated() {
            if try self.claim(claim, until: deadline) { continue }
            for earlier in claims[..<index] { try? release(earlier.key, of: earlier.value, until: deadline) }
            return false
        }
        let layout = layout
        let command = try RedisCommitEncoder.encode(writes, layout, shard, fences: true) {
            layout.place(of: $0.key).shard == shard
        }
        var isDone = false
        do throws(MemexError) {
            isDone = try send(command, shard, writes, until: deadline)
        } catch {
            if error.code != .outcomeUnknown {
                for claim in claims { try? release(claim.key, of: claim.value, until: deadline) }
            }
            throw error
        }
        if !isDone {
            for claim in claims { try release(claim.key, of: claim.value, until: deadline) }
            // A name that somebody left behind stands in the way of a thread that is no fork.
            for write in writes where write.kind == .requireAbsent && write.key.first == KeyLayout.name {
                try clean(write.key, until: deadline)
            }
        }
        // What stays behind here is found to be free by whoever wants the name.
        if isDone { for name in releases { _ = try? clean(name.key, until: deadline) } }
        return isDone
    }

    /// Whether a stored name is that of a thread that is there: of a fork that is elsewhere it has to be asked.
    func isName(_ value: ByteView, of key: ByteView, until deadline: Deadline) throws(MemexError) -> Bool {
        guard layout.shards > 1, value.count == 8 else { return true }
        let thread = Self.thread(value)
        if layout.place(ofThread: thread) == layout.place(ofName: key) { return true }
        return try head(thread, until: deadline) == .live
    }

    private enum HeadState { case missing, hidden, live }

    private static func thread(_ value: ByteView) -> Int64 {
        var number: UInt64 = 0
        for byte in value.reversed() { number = number << 8 | UInt64(byte) }
        return Int64(truncatingIfNeeded: number)
    }

    private func head(_ thread: Int64, until deadline: Deadline) throws(MemexError) -> HeadState {
        let shard = layout.place(ofThread: thread)
        var command = RedisCommand("HGET")
        layout.append("h", of: thread, shard, to: &command)
        command.append("t")
        let reply = try caller.read(shard, command, until: deadline)
        defer { withExtendedLifetime(reply) {} }
        if reply.value.isNil { return .missing }
        return ThreadRow.isHidden(reply.value.bytes) ? .hidden : .live
    }

    private func put(_ write: KeyValueWrite, until deadline: Deadline) throws(MemexError) {
        let place = layout.place(of: write.key)
        var command = RedisCommand("HSET", capacity: write.value.count + 256)
        layout.append("h", of: 0, place.shard, to: &command)
        command.append(write.key)
        command.append(write.value)
        let written = try caller.repeatable(place.shard, command, until: deadline)
        if let unconfirmed = written.unconfirmed { throw unconfirmed }
    }

    /// False when a thread that is there has the name.
    private func claim(_ write: KeyValueWrite, until deadline: Deadline) throws(MemexError) -> Bool {
        let place = layout.place(of: write.key)
        for _ in 0..<2 {
            var command = RedisCommand("HSETNX")
            layout.append("h", of: 0, place.shard, to: &command)
            command.append(write.key)
            command.append(write.value)
            let written = try caller.repeatable(place.shard, command, until: deadline)
            if written.reply.value.integer == 1 {
                if let unconfirmed = written.unconfirmed { throw unconfirmed }
                return true
            }
            let now = try value(write.key, place, until: deadline)
            defer { withExtendedLifetime(now) {} }
            if now.value.bytes.equals(write.value) { return true }
            guard try clean(write.key, until: deadline) else { return false }
        }
        return false
    }

    /// Removes a name whose thread is not there; false when it is.
    @discardableResult
    private func clean(_ key: ByteView, until deadline: Deadline) throws(MemexError) -> Bool {
        let place = layout.place(of: key)
        let stored = try value(key, place, until: deadline)
        defer { withExtendedLifetime(stored) {} }
        if stored.value.isNil { return true }
        guard stored.value.bytes.count == 8 else { throw Self.damaged }
        let thread = Self.thread(stored.value.bytes)
        // One of the same shard came and goes with its thread.
        if layout.place(ofThread: thread) == place.shard { return false }
        switch try head(thread, until: deadline) {
        case .live: return false
        case .hidden: break
        case .missing: guard try giveUp(thread, until: deadline) else { return false }
        }
        try release(key, of: stored.value.bytes, until: deadline)
        return true
    }

    /// Sees to it that nothing is created under a number any more; false when it was meanwhile.
    private func giveUp(_ thread: Int64, until deadline: Deadline) throws(MemexError) -> Bool {
        let shard = layout.place(ofThread: thread)
        var command = RedisScript.fence.call()
        command.append("1")
        layout.append("h", of: thread, shard, to: &command)
        return try caller.repeatable(shard, command, until: deadline).reply.value.integer == 1
    }

    private func release(
        _ key: ByteView, of value: ByteView, until deadline: Deadline
    ) throws(MemexError) {
        let shard = layout.place(of: key).shard
        var command = RedisScript.remove.call()
        command.append("1")
        layout.append("h", of: 0, shard, to: &command)
        command.append(key)
        command.append(value)
        _ = try caller.repeatable(shard, command, until: deadline)
    }
}
