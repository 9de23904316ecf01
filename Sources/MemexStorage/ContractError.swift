package import MemexModel

/// What engines throw when a condition of the contract does not hold: the same words and details everywhere.
package enum ContractError {
    package static let gone = MemexError(.notFound, "the thread does not exist any more")

    package static let threadExists = MemexError(
        .exists, "a thread with this id exists; open it, or choose another id",
        detailMembers: "\"path\":\"/id\"")

    package static let messageExists = MemexError(
        .exists, "a message of the thread has this id; choose another", detailMembers: "\"path\":\"/id\"")

    package static let otherBytes = MemexError(
        .conflict, "the idempotency key was used with other bytes; use a new key for new messages",
        detailMembers: "\"path\":\"/idempotency_key\"")

    package static let changed = MemexError(
        .conflict, "the thread was changed since it was read; read it again")

    package static let lastSeq = MemexError(
        .limit, "a thread has at most \(Limits.seq) messages", detailMembers: "\"limit\":\(Limits.seq)")

    package static func version(_ expected: Int64, _ actual: Int64) -> MemexError {
        MemexError(
            .conflict, "if_version is \(expected), the thread has version \(actual); read it again",
            detailMembers: "\"path\":\"/if_version\",\"version\":\(actual)")
    }

    package static func seq(_ expected: Int64, _ next: Int64) -> MemexError {
        MemexError(
            .conflict, "expect_seq is \(expected), the next seq is \(next)",
            detailMembers: "\"path\":\"/expect_seq\",\"next_seq\":\(next)")
    }
}
