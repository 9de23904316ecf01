internal import CMemexShim
package import MemexModel
package import MemexStorage
package import MemexTokens
internal import Synchronization

/// A set of conversations behind one URL. Sessions and transactions are views of it.
package final class Store: Sendable {
    package let engine: any StorageEngine
    package let environment: Environment
    /// What messages are counted with.
    package let counter: MessageCounter
    package let timeout: Int64
    package let isReadOnly: Bool
    private let isInterruptible: Bool
    /// Nil for an engine that is this store's alone.
    private let sharedName: String?
    let gate = Gate()
    private let interruptions = Atomic<Int>(0)

    package init(
        engine: any StorageEngine, environment: Environment = .system,
        counter: MessageCounter = .estimate, timeout: Int64 = 30_000_000,
        sharedName: String? = nil, isReadOnly: Bool = false, isInterruptible: Bool = false
    ) {
        self.isReadOnly = isReadOnly || engine.capabilities.isReadOnly
        self.isInterruptible = isInterruptible
        self.sharedName = sharedName
        self.engine = engine
        self.environment = environment
        self.counter = counter
        self.timeout = timeout
    }

    /// Opens what a URL names.
    package static func open(_ options: StoreOptions, environment: Environment = .system) throws(MemexError)
        -> Store
    {
        var sharedName: String?
        if case .sharedMemory(let name) = options.target { sharedName = name }
        Log.write(.info, "a store is opened")
        return Store(
            engine: try EngineOpener.open(options, environment), environment: environment,
            counter: options.counter, timeout: options.timeout, sharedName: sharedName,
            isReadOnly: options.readOnly, isInterruptible: options.isInterruptible)
    }

    /// Tokens of a message. A tokenizer of the host's that closes this store is told, not to wait for itself.
    @inline(__always)
    func tokens(_ body: ByteView) throws(MemexError) -> Int {
        guard counter.callsBack else { return try counter.count(body) }
        guard memex_shim_callback_enter(callbackOwner) == 0 else {
            throw MemexError(.limit, "callbacks are nested too deep")
        }
        defer { memex_shim_callback_leave() }
        return try counter.count(body)
    }

    /// Tokens of a stored message: as stored, if this store's way to count made the number. A tokenizer of the
    /// host's is not called while messages are read: 0 then says that it is not known.
    @inline(__always)
    func tokens(of view: borrowing MessageView) throws(MemexError) -> UInt32 {
        if view.head.counter == counter.mark { return view.head.tokens }
        if view.isDeleted || counter.callsBack { return 0 }
        return UInt32(clamping: try counter.count(view.body))
    }

    /// Marks the calling thread as inside a callback of this store.
    package var callbackOwner: UnsafeRawPointer {
        UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())
    }

    /// Whether the calling thread runs inside a callback of this store or of its engine.
    package var isInsideCallback: Bool {
        memex_shim_callback_inside(callbackOwner) != 0 || engine.isInsideCallback
    }

    static let closedError = MemexError(.closed, "the store is closed; open it again")

    /// Runs a call inside the gate.
    @inline(__always)
    func inside<Result>(_ body: () throws(MemexError) -> Result) throws(MemexError) -> Result {
        guard gate.enter() else { throw Self.closedError }
        defer { gate.leave() }
        return try body()
    }

    package func deadline(_ timeout: Int64? = nil) -> Deadline { Deadline(after: timeout ?? self.timeout) }

    /// For a call that can be made again when a signal ended its wait: it has changed nothing before, and what it
    /// was given is not consumed.
    func repeatableDeadline(_ timeout: Int64? = nil) -> Deadline {
        Deadline(after: timeout ?? self.timeout, isInterruptible: isInterruptible)
    }

    /// Commits; the caller is inside the gate.
    func commit(_ operations: [WriteOperation], until deadline: Deadline) throws(MemexError) -> [WriteResult]
    {
        try uninterrupted { () throws(MemexError) in try engine.commit(operations, until: deadline) }
    }

    /// Commits one append; the caller is inside the gate.
    func append(_ operation: AppendOperation, until deadline: Deadline) throws(MemexError) -> WriteResult {
        try uninterrupted { () throws(MemexError) in try engine.append(operation, until: deadline) }
    }

    /// Interruptions of other stores that share the engine are none of ours: the commit is tried again.
    @inline(__always)
    private func uninterrupted<Result>(_ commit: () throws(MemexError) -> Result) throws(MemexError) -> Result
    {
        let before = interruptions.load(ordering: .relaxed)
        while true {
            do throws(MemexError) {
                return try commit()
            } catch {
                guard error.code == .cancelled else { throw error }
                if gate.isClosed { throw Self.closedError }
                if error.isPause { throw error }
                if interruptions.load(ordering: .relaxed) != before { throw error }
            }
        }
    }

    /// Throws before anything is changed when the engine cannot wipe what it removes.
    func requireErasing() throws(MemexError) {
        guard engine.capabilities.erases else {
            throw MemexError(.unsupported, "this backend cannot wipe removed bytes; delete without erase")
        }
    }

    package func interrupt() throws(MemexError) {
        try inside { () throws(MemexError) in
            interruptions.wrappingAdd(1, ordering: .relaxed)
            engine.interrupt()
        }
    }

    package func flush() throws(MemexError) {
        try inside { () throws(MemexError) in try engine.flush(until: deadline()) }
    }

    /// Refuses new calls, wakes those that wait, waits for those that run, and closes the engine.
    package func close() throws(MemexError) {
        guard gate.close() else { throw Self.closedError }
        Log.write(.info, "a store is closed")
        gate.waitUntilEmpty { engine.interrupt() }
        if let sharedName, !SharedMemory.leave(sharedName) { return }
        try engine.close()
    }
}
