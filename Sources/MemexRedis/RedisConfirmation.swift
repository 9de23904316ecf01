internal import MemexModel

/// What has to be confirmed before a commit is acknowledged: replicas that have it, and, where the server can
/// say so, its own disk.
struct RedisConfirmation: Sendable {
    var replicas = 0
    /// WAITAOF: the server's append-only file has it.
    var asksForDisk = false

    var isNeeded: Bool { replicas > 0 || asksForDisk }

    /// Covers all that was sent before over the same connection.
    func command(until deadline: Deadline) -> RedisCommand {
        var command = RedisCommand(asksForDisk ? "WAITAOF" : "WAIT")
        if asksForDisk { command.append(number: 1) }
        command.append(number: Int64(replicas))
        // The server answers before the deadline, so that it is known what is missing. It looks at expired waits
        // ten times a second.
        let left = min(deadline.remaining / 1000, 86_400_000)
        command.append(number: max(left - max(left / 8, 120), left / 2, 1))
        return command
    }

    /// Nil when the reply says that all is confirmed.
    func failure(_ reply: RedisValue) -> MemexError? {
        let members = "\"engine\":\"redis\""
        let confirmed = asksForDisk ? reply[1]?.integer ?? 0 : reply.integer
        if asksForDisk, reply[0]?.integer ?? 0 < 1 {
            return MemexError(
                .outcomeUnknown,
                "stored, but the server did not write it to its disk within timeout_us; repeat the call with its "
                    + "idempotency key: it is stored once", detailMembers: members)
        }
        if confirmed < replicas {
            return MemexError(
                .outcomeUnknown,
                "stored, but \(confirmed) of \(replicas) replicas confirmed it within timeout_us; repeat the call "
                    + "with its idempotency key: it is stored once", detailMembers: members)
        }
        return nil
    }
}
