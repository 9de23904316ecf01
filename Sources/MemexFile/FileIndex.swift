internal import MemexModel
internal import MemexStorage

/// Where each row stands in the journal. Small rows other than messages are kept here themselves.
///
/// An entry's value: 0 and the row; or 1, the offset of its line (8 bytes) and the line's length without its
/// newline (8), little endian.
struct FileIndex: ~Copyable {
    static let inlineMaximum = 512

    enum Entry {
        case inline(ByteView)
        case line(offset: Int64, count: Int)
    }

    /// What a line of a commit does, until the commit is whole.
    struct Change {
        let block: MemoryBlock
        let isDelete: Bool
        /// Bytes of its line in the journal.
        let lineBytes: Int64
    }

    var tree = MemoryTree()
    /// Bytes of lines that say nothing any more: replaced, deleted, and deletions.
    private(set) var garbage: Int64 = 0
    /// Memory ran out while a commit was applied: it must be built anew.
    private(set) var isIncomplete = false

    init() {}

    static func keepsInline(_ key: ByteView, _ value: ByteView) -> Bool {
        value.count <= inlineMaximum && MessageRowParts.place(key) == nil
    }

    /// A change that puts a row; `line` is where it stands. Nil when memory ran out.
    static func put(
        _ key: ByteView, inline value: ByteView?, offset: Int64, count: Int
    ) -> Change? {
        guard let block = value == nil ? place(key, offset, count) : inline(key, value) else { return nil }
        return Change(block: block, isDelete: false, lineBytes: Int64(count) &+ 1)
    }

    private static func inline(_ key: ByteView, _ value: ByteView?) -> MemoryBlock? {
        var entry = ByteBuffer(capacity: 1 &+ (value?.count ?? 0))
        entry.append(byte: 0)
        if let value { entry.append(value) }
        return entry.failed ? nil : MemoryBlock.make(key, entry.view)
    }

    private static func place(_ key: ByteView, _ offset: Int64, _ count: Int) -> MemoryBlock? {
        var space: (UInt64, UInt64, UInt64) = (0, 0, 0)
        return withUnsafeMutableBytes(of: &space) { raw in
            raw.storeBytes(of: 1, toByteOffset: 0, as: UInt8.self)
            raw.storeBytes(of: offset.littleEndian, toByteOffset: 1, as: Int64.self)
            raw.storeBytes(of: Int64(count).littleEndian, toByteOffset: 9, as: Int64.self)
            return MemoryBlock.make(key, ByteView(raw.bindMemory(to: UInt8.self)).slice(0, 17))
        }
    }

    static func delete(_ key: ByteView, count: Int) -> Change? {
        guard let block = MemoryBlock.make(key, ByteView(start: nil, count: 0)) else { return nil }
        return Change(block: block, isDelete: true, lineBytes: Int64(count) &+ 1)
    }

    static func read(_ value: ByteView) -> Entry? {
        guard value.count > 0 else { return nil }
        if value[0] == 0 { return .inline(value.slice(1, value.count &- 1)) }
        guard value[0] == 1, value.count == 17, let base = value.baseAddress else { return nil }
        let raw = UnsafeRawPointer(base)
        let offset = Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 1, as: Int64.self))
        let count = Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 9, as: Int64.self))
        guard offset >= 0, count > 0, count < 1 << 40 else { return nil }
        return .line(offset: offset, count: Int(count))
    }

    /// Applies a change; its block belongs to the index then.
    mutating func apply(_ change: Change) {
        if change.isDelete {
            garbage &+= change.lineBytes
            if let old = tree.remove(change.block.key) { discard(old) }
            change.block.release()
            return
        }
        switch tree.put(change.block) {
        case .added: break
        case .replaced(let old): discard(old)
        case .noMemory:
            change.block.release()
            isIncomplete = true
        }
    }

    private mutating func discard(_ block: MemoryBlock) {
        if case .line(_, let count) = Self.read(block.value) {
            garbage &+= Int64(count) &+ 1
        } else {
            // About what its line took.
            garbage &+= Int64(block.value.count &+ block.key.count) &* 2 &+ 60
        }
        block.release()
    }
}
