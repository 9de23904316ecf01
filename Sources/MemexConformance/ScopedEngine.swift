package import MemexModel
package import MemexStorage

/// An engine in which every tenant has a prefix that its caller does not see.
///
/// It also holds the engine to one result an operation, so that topics may count on it.
package final class ScopedEngine: StorageEngine {
    private let base: any StorageEngine
    private let prefix: String

    package init(_ base: any StorageEngine, prefix: String) {
        self.base = base
        self.prefix = prefix
    }

    /// Bytes that the prefix leaves of a tenant's name.
    var tenantBytes: Int { Limits.idBytes - prefix.utf8.count }

    private func shown(_ record: ThreadRecord) -> ThreadRecord {
        guard record.tenant.hasPrefix(prefix) else { return record }
        var copy = record
        copy.tenant = String(record.tenant.dropFirst(prefix.count))
        return copy
    }

    package var capabilities: EngineCapabilities { base.capabilities }
    package var isInsideCallback: Bool { base.isInsideCallback }

    package func commit(_ operations: [WriteOperation], until: Deadline) throws(MemexError)
        -> [WriteResult]
    {
        var scoped = operations
        for index in scoped.indices {
            guard case .createThread(var record) = scoped[index] else { continue }
            record.tenant = prefix + record.tenant
            scoped[index] = .createThread(record)
        }
        let results = try base.commit(scoped, until: until)
        guard results.count == operations.count else {
            throw MemexError(
                .internal, "the engine gave \(results.count) results for \(operations.count) operations")
        }
        return results
    }

    package func thread(tenant: String, id: String) throws(MemexError) -> ThreadRecord? {
        try base.thread(tenant: prefix + tenant, id: id).map(shown)
    }

    package func thread(key: Int64) throws(MemexError) -> ThreadRecord? {
        try base.thread(key: key).map(shown)
    }

    package func threads(
        _ scan: ThreadScan, _ visit: (ThreadRecord) throws(MemexError) -> Bool
    ) throws(MemexError) {
        var scoped = scan
        scoped.tenant = prefix + scan.tenant
        try base.threads(scoped) { (record) throws(MemexError) in try visit(shown(record)) }
    }

    package func forks(of key: Int64) throws(MemexError) -> [ThreadRecord] {
        try base.forks(of: key).map(shown)
    }

    package func messages(
        _ key: Int64, _ range: MessageRange, _ visit: (borrowing MessageView) throws(MemexError) -> Bool
    ) throws(MemexError) { try base.messages(key, range, visit) }

    package func markedSeqs(
        _ key: Int64, from: Int64, to: Int64, _ visit: (Int64) -> Bool
    ) throws(MemexError) { try base.markedSeqs(key, from: from, to: to, visit) }

    package func seq(_ key: Int64, id: ByteView) throws(MemexError) -> Int64? { try base.seq(key, id: id) }

    package func derived(_ key: Int64, kind: String, name: String) throws(MemexError) -> DerivedRecord? {
        try base.derived(key, kind: kind, name: name)
    }

    package func derived(
        _ key: Int64, kind: String, _ visit: (DerivedRecord) throws(MemexError) -> Bool
    ) throws(MemexError) { try base.derived(key, kind: kind, visit) }

    package func blob(_ hash: BlobHash) throws(MemexError) -> [UInt8]? { try base.blob(hash) }

    package func pieces(
        _ key: Int64, seq: Int64, _ visit: (ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) { try base.pieces(key, seq: seq, visit) }

    package func flush(until: Deadline) throws(MemexError) { try base.flush(until: until) }
    package func interrupt() { base.interrupt() }
    package func wipe(until: Deadline) throws(MemexError) { try base.wipe(until: until) }
    package func maintain(until: Deadline) throws(MemexError) { try base.maintain(until: until) }
    package func check(until: Deadline) throws(MemexError) -> [String] { try base.check(until: until) }
    package func statistics() throws(MemexError) -> String { try base.statistics() }
    package func close() throws(MemexError) { try base.close() }
}
