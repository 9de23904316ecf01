#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel

/// What an append needs to know of its thread. It may be out of date: an append's conditions find out.
struct CachedThread {
    var key: Int64 = 0
    var lastSeq: Int64 = 0
    /// The head as it is stored.
    fileprivate(set) var head: UnsafeMutablePointer<UInt8>?
    fileprivate(set) var headCount = 0
    fileprivate var headCapacity = 0

    var headView: ByteView { ByteView(start: UnsafePointer(head), count: headCount) }

    /// Does to the head here what a commit did to the one in the store.
    func noteMove(to moment: Int64) {
        if let head { ThreadRow.move(head, headCount, to: moment) }
    }
}

/// The threads that were appended to lately, by key; owned by whoever has the writers' turn.
struct ThreadCache: ~Copyable {
    private static let slots: Int64 = 2048

    private var entries: UnsafeMutablePointer<CachedThread>?

    init() {}

    deinit {
        guard let entries else { return }
        for index in 0..<Int(Self.slots) { free(entries[index].head) }
        free(entries)
    }

    /// The entry of a thread, or nil.
    @inline(__always)
    func find(_ key: Int64) -> UnsafeMutablePointer<CachedThread>? {
        guard let entries, key > 0 else { return nil }
        let entry = entries + Int(key & (Self.slots &- 1))
        return entry.pointee.key == key ? entry : nil
    }

    /// Notes a thread in place of the one that had its slot.
    mutating func note(
        _ key: Int64, head: ByteView, lastSeq: Int64
    ) throws(MemexError) -> UnsafeMutablePointer<CachedThread> {
        if entries == nil {
            entries = calloc(Int(Self.slots), MemoryLayout<CachedThread>.stride)?
                .bindMemory(to: CachedThread.self, capacity: Int(Self.slots))
        }
        guard let entries else { throw .noMemory }
        let entry = entries + Int(key & (Self.slots &- 1))
        entry.pointee.key = 0
        try Self.setHead(entry, head)
        entry.pointee.key = key
        entry.pointee.lastSeq = lastSeq
        return entry
    }

    static func setHead(_ entry: UnsafeMutablePointer<CachedThread>, _ head: ByteView) throws(MemexError) {
        if entry.pointee.headCapacity < head.count {
            guard let grown = realloc(entry.pointee.head, head.count) else { throw .noMemory }
            entry.pointee.head = grown.assumingMemoryBound(to: UInt8.self)
            entry.pointee.headCapacity = head.count
        }
        if let to = entry.pointee.head, let from = head.baseAddress { memcpy(to, from, head.count) }
        entry.pointee.headCount = head.count
    }

    func drop(_ key: Int64) { find(key)?.pointee.key = 0 }

    func dropAll() {
        guard let entries else { return }
        for index in 0..<Int(Self.slots) { entries[index].key = 0 }
    }
}
