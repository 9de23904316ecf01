internal import CMemexShim
internal import MemexModel

/// Sends a command to whoever has its shard: follows MOVED and ASK, waits for a cluster that changes.
struct RedisCaller: Sendable {
    let servers: RedisServers
    /// How commits are confirmed.
    var confirmation = RedisConfirmation()
    private static let redirectionsMaximum = 16

    /// How a write ended.
    struct Written {
        var reply: RedisReply
        /// Nil, or why it cannot be acknowledged although it was done.
        var unconfirmed: MemexError?
    }

    func read(_ shard: Int, _ command: borrowing RedisCommand, until deadline: Deadline) throws(MemexError)
        -> RedisReply
    {
        do throws(RedisFault) {
            return try call(shard, command, isWrite: false, until: deadline).reply
        } catch { throw error.ofRead }
    }

    /// A write of a command that may be sent twice, because the second does nothing.
    func repeatable(
        _ shard: Int, _ command: borrowing RedisCommand, until deadline: Deadline
    ) throws(MemexError) -> Written {
        do throws(RedisFault) {
            return try call(shard, command, isWrite: true, mayRepeat: true, until: deadline)
        } catch { throw error.ofWrite }
    }

    /// Throws `lost`, `silent` or `interrupted` when nobody knows what became of a write.
    func call(
        _ shard: Int, _ command: borrowing RedisCommand, isWrite: Bool, mayRepeat: Bool = false,
        until deadline: Deadline
    ) throws(RedisFault) -> Written {
        var asked: RedisAddress?
        var loads = false
        var redirections = 0
        var losses = 0
        var pause: Int64 = 2_000
        let began = servers.interruptions.current
        /// The last word before the deadline passed.
        var reason = RedisConnector.unreachable
        while true {
            let pool = asked.map { servers.pool(of: $0) } ?? servers.pool(ofShard: shard)
            do throws(RedisFault) {
                let replies = try exchange(
                    pool, command, asks: asked != nil, loads: loads, isWrite: isWrite, until: deadline)
                let written = judge(replies, isWrite: isWrite)
                guard written.reply.value.isError else { return written }
                asked = nil
                switch RedisRefusal(written.reply.value) {
                case .refused(let error): throw .failed(error)
                case .unknownScript where !loads:
                    loads = true
                    continue
                case .unknownScript: throw .failed(MemexError(.io, "the server does not keep scripts"))
                case .ask(let address):
                    asked =
                        address.host.isEmpty
                        ? RedisAddress(host: pool.address.host, port: address.port) : address
                    servers.countRedirection()
                    redirections += 1
                    if redirections < Self.redirectionsMaximum { continue }
                case .moved(let address):
                    guard servers.url.isCluster else {
                        throw .failed(
                            MemexError(
                                .unsupported, "the server belongs to a cluster; use redis+cluster:// for it"))
                    }
                    servers.note(address, ofShard: shard, from: pool.address)
                    redirections += 1
                    if redirections == 1 { continue }
                    try refresh(until: deadline)
                    if redirections < Self.redirectionsMaximum { continue }
                case .replica:
                    reason = MemexError(
                        .unavailable, "the Redis server is a replica, which does not write; name the master",
                        detailMembers: "\"engine\":\"redis\",\"engine_code\":\"READONLY\"")
                    try refresh(until: deadline)
                case .notYet(let error):
                    reason = error
                    try refresh(until: deadline)
                }
            } catch {
                asked = nil
                switch error {
                case .failed(let failure):
                    // A server that cannot be reached may be replaced by another.
                    guard servers.url.isCluster, failure.code == .unavailable || failure.code == .timeout,
                        !deadline.isPast
                    else { throw error }
                    reason = failure
                case .lost:
                    losses += 1
                    let isCertain = !isWrite || mayRepeat || !error.mayHaveWritten
                    guard isCertain, servers.url.isCluster || losses < 4 else { throw error }
                case .silent(let wasSent):
                    guard !isWrite || !wasSent, servers.url.isCluster, !deadline.isPast else { throw error }
                case .interrupted: throw error
                }
                try refresh(until: deadline)
            }
            if servers.interruptions.current != began { throw .interrupted(wasSent: false) }
            if deadline.remaining <= pause { throw .failed(Self.ended(reason)) }
            _ = memex_shim_sleep_us(pause)
            if pause < 100_000 { pause *= 2 }
        }
    }

    private static func ended(_ reason: MemexError) -> MemexError { reason }

    private func refresh(until deadline: Deadline) throws(RedisFault) {
        guard servers.url.isCluster else { return }
        do throws(MemexError) { _ = try servers.refresh(until: deadline) } catch { throw .failed(error) }
    }

    /// One round trip. The replies to the command and to the confirmation, if there is one.
    private func exchange(
        _ pool: RedisPool, _ command: borrowing RedisCommand, asks: Bool, loads: Bool, isWrite: Bool,
        until deadline: Deadline
    ) throws(RedisFault) -> ArraySlice<RedisReply> {
        let connection: RedisConnection
        do throws(MemexError) { connection = try pool.take(until: deadline) } catch { throw .failed(error) }
        defer { pool.give(connection) }
        var skipped = 0
        if loads {
            for script in RedisScript.all {
                var load = RedisCommand("SCRIPT", capacity: 2_048)
                load.append("LOAD")
                load.append(script.source)
                try connection.queue(load)
                skipped += 1
            }
        }
        if asks {
            try connection.queue(RedisCommand("ASKING"))
            skipped += 1
        }
        try connection.queue(command)
        if isWrite, confirmation.isNeeded { try connection.queue(confirmation.command(until: deadline)) }
        servers.countRoundTrip()
        return try connection.run(until: deadline).dropFirst(skipped)
    }

    private func judge(_ replies: ArraySlice<RedisReply>, isWrite: Bool) -> Written {
        var written = Written(reply: replies[replies.startIndex])
        if isWrite, confirmation.isNeeded, let last = replies.last {
            written.unconfirmed = confirmation.failure(last.value)
        }
        return written
    }
}
