package import MemexModel
package import MemexStorage

/// A message of a test.
package struct MessageSpec {
    package var body: [UInt8]
    package var role = "user"
    package var id = ""
    package var extra: [UInt8] = []
    package var createdAt: Int64 = 0
    package var tokens: UInt32 = 3
    package var changes: UInt32 = 0
    package var state = MessageState.complete
    package var isMarked = false

    package init(_ text: String = "{\"role\":\"user\",\"content\":\"hello\"}") {
        body = Array(text.utf8)
    }
    package init(bytes: [UInt8]) { body = bytes }
    package init(id: String) {
        self.init()
        self.id = id
    }
    package init(at moment: Int64) {
        self.init()
        createdAt = moment
    }
}

/// A batch of operations that keeps alive what its operations borrow.
package final class EngineBatch {
    package var operations: [WriteOperation] = []
    private var allocations: [UnsafeMutableRawPointer] = []

    package init() {}

    deinit { for allocation in allocations { allocation.deallocate() } }

    package func lend(_ bytes: [UInt8]) -> ByteView {
        if bytes.isEmpty { return ByteView(start: nil, count: 0) }
        let copy = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 8)
        allocations.append(copy)
        bytes.withUnsafeBytes {
            copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: bytes.count)
        }
        return ByteView(
            start: UnsafePointer(copy.assumingMemoryBound(to: UInt8.self)), count: bytes.count)
    }

    package func lend(_ text: String) -> ByteView { lend(Array(text.utf8)) }

    package func draft(_ spec: MessageSpec) -> MessageDraft {
        var draft = MessageDraft()
        draft.body = lend(spec.body)
        draft.role = lend(spec.role)
        draft.id = lend(spec.id)
        draft.extra = lend(spec.extra)
        draft.createdAt = spec.createdAt
        draft.head.tokens = spec.tokens
        draft.head.changes = spec.changes
        draft.head.state = spec.state
        draft.head.set(RecordHead.Flag.marked, spec.isMarked)
        draft.seal()
        return draft
    }

    /// The index of the operation in the batch.
    @discardableResult
    package func append(
        _ target: ThreadTarget, _ specs: [MessageSpec], key: String = "",
        digest: (UInt64, UInt64) = (1, 2),
        expectSeq: Int64 = 0
    ) -> Int {
        let drafts = specs.map(draft)
        let space = UnsafeMutablePointer<MessageDraft>.allocate(capacity: max(drafts.count, 1))
        space.initialize(from: drafts, count: drafts.count)
        allocations.append(UnsafeMutableRawPointer(space))
        var operation = AppendOperation(
            thread: target, drafts: UnsafeBufferPointer(start: space, count: drafts.count))
        operation.idempotencyKey = lend(key)
        operation.digest = digest
        operation.expectSeq = expectSeq
        return add(.append(operation))
    }

    @discardableResult
    package func create(
        _ id: String, tenant: String = "", at moment: Int64 = 1_000_000,
        _ change: (inout ThreadRecord) -> Void = { _ in }
    ) -> Int {
        var record = ThreadRecord()
        record.id = id
        record.tenant = tenant
        record.createdAt = moment
        record.updatedAt = moment
        change(&record)
        return add(.createThread(record))
    }

    @discardableResult
    package func update(_ target: ThreadTarget, _ change: (inout ThreadUpdate) -> Void) -> Int {
        var update = ThreadUpdate(thread: target)
        change(&update)
        return add(.updateThread(update))
    }

    @discardableResult
    package func put(_ target: ThreadTarget, seq: Int64, _ spec: MessageSpec) -> Int {
        add(.putMessage(MessagePut(thread: target, seq: seq, draft: draft(spec))))
    }

    @discardableResult
    package func add(_ operation: WriteOperation) -> Int {
        operations.append(operation)
        return operations.count - 1
    }

    @discardableResult
    package func commit(_ engine: any StorageEngine, until deadline: Deadline = .never) throws
        -> [WriteResult]
    {
        try withExtendedLifetime(self) { try engine.commit(operations, until: deadline) }
    }
}
