package import MemexModel

/// The ranges of the numbers that a store holds.
///
/// A store is outside data. Each number is confirmed once, where its row is decoded; what follows may calculate with
/// it: with a seq or a step added it still fits.
package enum StoredNumber {
    /// Keys of threads, rows, and counts of changes.
    package static let countMaximum: Int64 = 1 << 62
    /// The year 1.
    package static let earliest: Int64 = -62_135_596_800_000_000
    /// The last microsecond of the year 9999.
    package static let latest: Int64 = 253_402_300_799_999_999

    @inline(__always)
    package static func isSeq(_ value: Int64) -> Bool { value >= 0 && value <= Limits.seq }

    @inline(__always)
    package static func isCount(_ value: Int64) -> Bool { value >= 0 && value <= countMaximum }

    /// A count of changes and a seq.
    @inline(__always)
    package static func isRev(_ value: Int64) -> Bool { value >= 0 && value <= countMaximum &+ Limits.seq }

    @inline(__always)
    package static func isTime(_ value: Int64) -> Bool { value >= earliest && value <= latest }

    /// CORRUPT: a number that the library has not written.
    package static func impossible(
        _ name: StaticString, _ value: Int64, of owner: @autoclosure () -> String
    ) -> MemexError {
        MemexError(
            .corrupt,
            "\(owner()) says that its \(name) is \(value), which cannot be: it was changed by another program or is "
                + "damaged; run the check command and restore from a backup",
            detailMembers: "\"number\":\"\(name)\",\"value\":\(value)")
    }
}

extension ThreadRecord {
    /// The first number that is out of range; nil when none is.
    package var impossibleNumber: (name: StaticString, value: Int64)? {
        if !StoredNumber.isCount(key) || key == 0 { return ("key", key) }
        if !StoredNumber.isCount(version) { return ("version", version) }
        if !StoredNumber.isTime(createdAt) { return ("created_at_us", createdAt) }
        if !StoredNumber.isTime(updatedAt) { return ("updated_at_us", updatedAt) }
        if !StoredNumber.isTime(activityAt) { return ("activity_at_us", activityAt) }
        if !StoredNumber.isCount(changes) { return ("changes", changes) }
        if !StoredNumber.isSeq(deletedCount) { return ("deleted", deletedCount) }
        if !StoredNumber.isSeq(floor) { return ("floor", floor) }
        if !StoredNumber.isCount(baseKey) { return ("base_key", baseKey) }
        if !StoredNumber.isSeq(baseSeq) { return ("base_seq", baseSeq) }
        if !StoredNumber.isRev(baseRev) { return ("base_rev", baseRev) }
        if !StoredNumber.isCount(rootKey) { return ("root_key", rootKey) }
        if !StoredNumber.isCount(forkCount) { return ("forks", forkCount) }
        return nil
    }

    /// Throws CORRUPT when a number is out of range.
    package func confirm() throws(MemexError) {
        if let (name, value) = impossibleNumber {
            throw StoredNumber.impossible(name, value, of: "thread number \(key)")
        }
    }

    /// CORRUPT: a text that is not UTF-8, or metadata that is no JSON object.
    package static func impossibleText(_ name: StaticString, of key: Int64) -> MemexError {
        MemexError(
            .corrupt,
            "the \(name) of thread number \(key) is not what the library wrote: it was changed by another program or "
                + "is damaged; run the check command and restore from a backup",
            detailMembers: "\"key\":\(key),\"text\":\"\(name)\"")
    }

    /// Whether bytes are what a thread's metadata must be.
    package static func isMetadata(_ bytes: ByteView) -> Bool {
        guard bytes.first(where: { $0 > 0x20 }) == 0x7B else { return false }
        return (try? JSONCheck.strict(bytes)) != nil
    }
}
