package import MemexModel
internal import MemexStorage

/// A store as somebody sees it: a tenant and a principal, perhaps inside a transaction. Every call of the
/// library goes through a session; a plain store is the session of tenant "".
package final class Session: Sendable {
    package let store: Store
    package let tenant: String
    package let principal: String
    /// Collects writes instead of committing them.
    package let transaction: Transaction?
    /// The store itself, which sees the control plane of all tenants.
    package let isRoot: Bool
    private let gate = Gate()

    package init(root store: Store) {
        self.store = store
        tenant = ""
        principal = ""
        transaction = nil
        isRoot = true
    }

    private init(_ parent: Session, tenant: String, principal: String, transaction: Transaction?) {
        store = parent.store
        self.tenant = tenant
        self.principal = principal
        self.transaction = transaction
        isRoot = false
    }

    /// What a call wants to do, for the one place that decides whether it may.
    package enum Action: Sendable { case read, write, administer, narrow }

    /// The one place that decides whether this principal may do this.
    @inline(__always)
    package func authorize(_ action: Action) throws(MemexError) {
        if gate.isClosed { throw MemexError(.closed, "the session is closed; open it again") }
        if store.isReadOnly, action == .write {
            throw MemexError(.io, "the store was opened read-only; open it without read_only to write")
        }
    }

    package func checkOpen() throws(MemexError) {
        try authorize(.read)
        if store.gate.isClosed { throw Store.closedError }
    }

    /// A narrower view: options {"tenant", "principal"}.
    package func narrow(_ bytes: ByteView) throws(MemexError) -> Session {
        try authorize(.narrow)
        guard !store.gate.isClosed else { throw Store.closedError }
        var options = try OptionReader(bytes, what: "options")
        var tenant = self.tenant
        var principal = self.principal
        if let given = try options.string("tenant") {
            if given.count > 0 { try Identifier.check(given, "/tenant") }
            guard isRoot || given.text == tenant else {
                throw MemexError(
                    .denied, "a session keeps its tenant; open one for another tenant from the store")
            }
            tenant = given.text
        }
        if let given = try options.string("principal") {
            try Identifier.check(given, "/principal")
            guard self.principal.isEmpty || given.text == self.principal else {
                throw MemexError(
                    .denied, "a session keeps its principal; open one for another from the store")
            }
            principal = given.text
        }
        try options.finish()
        return Session(self, tenant: tenant, principal: principal, transaction: transaction)
    }

    package func view(of transaction: Transaction) -> Session {
        Session(self, tenant: tenant, principal: principal, transaction: transaction)
    }

    /// Closes the session alone.
    package func closeSession() throws(MemexError) {
        guard gate.close() else { throw MemexError(.closed, "the session is closed") }
    }

    // MARK: Threads

    package func createThread(_ initial: ByteView) throws(MemexError) -> ConversationThread {
        try authorize(.write)
        return try store.inside { () throws(MemexError) in
            var options = try OptionReader(initial, what: "init", carries: true)
            let record = try ThreadInit.read(&options, self)
            try options.finish()
            let operation = WriteOperation.createThread(record)
            if let transaction {
                let index = try transaction.add([operation], kind: .createThread(id: record.id))
                return ConversationThread(self, .created(operation: index), record)
            }
            let results = try store.commit([operation], until: store.repeatableDeadline())
            var created = record
            created.key = results[0].key
            return ConversationThread(self, .key(created.key), created)
        }
    }

    package func openThread(_ id: ByteView) throws(MemexError) -> ConversationThread {
        try authorize(.read)
        try Identifier.check(id, "the thread id")
        return try store.inside { () throws(MemexError) in
            guard let record = try store.engine.thread(tenant: tenant, id: id.text) else {
                throw MemexError(.notFound, "no thread has this id; create it, or list what there is")
            }
            try record.confirmFloor()
            return ConversationThread(self, .key(record.key), record)
        }
    }
}
