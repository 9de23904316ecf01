internal import CMemexShim
internal import MemexModel
internal import Synchronization
#if canImport(Glibc)
    internal import Glibc
#endif

/// What a handle refers to.
enum HandleKind: UInt64 {
    case store = 1
    case transaction = 2
    case thread = 3
    case message = 4
    case cursor = 5
    case strategy = 6
    case error = 7
    case reply = 8
    case tokenizer = 9
}

/// The table behind every handle: a handle's value is an index and a tag, salted, never an address.
///
/// The tag holds the kind and a generation that a slot raises whenever it is freed; a slot whose generations
/// are used up is retired. A slot counts the calls that use its object, so that a free in another thread
/// waits for them. In a forked child all earlier slots answer FORKED.
enum HandleTable {
    // Internal, not private: slots are what the tests look at.

    /// state: bits 0-31 tag, 32 live, 33-63 users.
    struct Slot: ~Copyable {
        let state = Atomic<UInt64>(0)
        var object: UnsafeMutableRawPointer?
        var nextFree: UInt32 = 0
    }

    static let live: UInt64 = 1 << 32
    private static let user: UInt64 = 1 << 33
    private static let tagMask: UInt64 = 0xFFFF_FFFF
    static let generationMask: UInt64 = 0x03FF_FFFF
    static let slotsPerChunk = 4096
    private static let chunksMaximum = 4096

    private struct Table: ~Copyable {
        let chunks: UnsafeMutablePointer<Atomic<UInt>>
        var mutex = pthread_mutex_t()
        /// Index + 1 of the first free slot.
        var firstFree: UInt32 = 0
        let used = Atomic<Int>(0)
        /// Slots below it were inherited through fork.
        let inherited = Atomic<Int>(0)
        let salt: UInt64
    }

    private nonisolated(unsafe) static let table: UnsafeMutablePointer<Table> = {
        let chunks = UnsafeMutablePointer<Atomic<UInt>>.allocate(capacity: chunksMaximum)
        for index in 0..<chunksMaximum { (chunks + index).initialize(to: Atomic(0)) }
        let table = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        table.initialize(to: Table(chunks: chunks, salt: SystemRandom.next()))
        pthread_mutex_init(&table.pointee.mutex, nil)
        _ = memex_shim_at_fork({ HandleTable.lock() }, { HandleTable.unlock() }, { HandleTable.afterFork() })
        return table
    }()

    private static func lock() { pthread_mutex_lock(&table.pointee.mutex) }
    private static func unlock() { pthread_mutex_unlock(&table.pointee.mutex) }

    private static func afterFork() {
        pthread_mutex_init(&table.pointee.mutex, nil)
        table.pointee.firstFree = 0
        table.pointee.inherited.store(table.pointee.used.load(ordering: .relaxed), ordering: .relaxed)
    }

    @inline(__always)
    static func slot(_ index: Int) -> UnsafeMutablePointer<Slot>? {
        guard index >= 0, index < table.pointee.used.load(ordering: .acquiring) else { return nil }
        let chunk = table.pointee.chunks[index >> 12].load(ordering: .relaxed)
        guard let base = UnsafeMutablePointer<Slot>(bitPattern: chunk) else { return nil }
        return base + (index & 4095)
    }

    // MARK: Making

    /// A handle for an object, which the table keeps; nil when memory or slots ran out.
    static func make(_ object: AnyObject, _ kind: HandleKind) -> OpaquePointer? {
        lock()
        var index = Int(table.pointee.firstFree) &- 1
        if index >= 0, let free = slot(index) {
            table.pointee.firstFree = free.pointee.nextFree
        } else {
            index = grow()
        }
        unlock()
        guard index >= 0, let slot = slot(index) else { return nil }
        slot.pointee.object = Unmanaged.passRetained(object).toOpaque()
        let generation = slot.pointee.state.load(ordering: .relaxed) & generationMask
        let tag = kind.rawValue << 26 | generation
        slot.pointee.state.store(tag | live, ordering: .releasing)
        let value = (tag << 32 | UInt64(truncatingIfNeeded: index)) ^ table.pointee.salt
        return OpaquePointer(bitPattern: UInt(truncatingIfNeeded: value))
    }

    /// A fresh slot's index, -1 when there is none. Called with the lock.
    private static func grow() -> Int {
        let index = table.pointee.used.load(ordering: .relaxed)
        guard index < slotsPerChunk &* chunksMaximum else { return -1 }
        if index & 4095 == 0 {
            guard let raw = calloc(slotsPerChunk, MemoryLayout<Slot>.stride) else { return -1 }
            let base = raw.bindMemory(to: Slot.self, capacity: slotsPerChunk)
            for offset in 0..<slotsPerChunk { (base + offset).initialize(to: Slot()) }
            table.pointee.chunks[index >> 12].store(UInt(bitPattern: raw), ordering: .relaxed)
        }
        table.pointee.used.store(index &+ 1, ordering: .releasing)
        return index
    }

    // MARK: Using

    enum Answer {
        case found(UnsafeMutableRawPointer, Int)
        case none
        case forked
    }

    @inline(__always)
    static func decode(_ handle: OpaquePointer?) -> (index: Int, tag: UInt64) {
        let value = UInt64(truncatingIfNeeded: UInt(bitPattern: handle)) ^ table.pointee.salt
        return (Int(truncatingIfNeeded: value & tagMask), value >> 32)
    }

    /// Counts a user in; pair with `leave`.
    @inline(__always)
    static func enter(_ handle: OpaquePointer?, _ kind: HandleKind) -> Answer {
        guard handle != nil else { return .none }
        let (index, tag) = decode(handle)
        guard tag >> 26 == kind.rawValue, let slot = slot(index) else { return .none }
        var state = slot.pointee.state.load(ordering: .relaxed)
        while true {
            guard state & tagMask == tag, state & live != 0 else { return .none }
            // A state that matches was set in this process or, before the fork, in the parent.
            if index < table.pointee.inherited.load(ordering: .relaxed) { return .forked }
            let (exchanged, found) = slot.pointee.state.weakCompareExchange(
                expected: state, desired: state &+ user, successOrdering: .acquiring,
                failureOrdering: .relaxed)
            if exchanged { break }
            state = found
        }
        guard let object = slot.pointee.object else {
            leave(index)
            return .none
        }
        return .found(object, index)
    }

    @inline(__always)
    static func leave(_ index: Int) {
        guard let slot = slot(index) else { return }
        let (_, state) = slot.pointee.state.wrappingSubtract(user, ordering: .acquiringAndReleasing)
        if state >> 32 == 0 { recycle(slot, index) }
    }

    /// Frees a handle: no call finds it any more, and its object goes once no call uses it. False when it
    /// was no live handle of that kind.
    @discardableResult
    static func free(_ handle: OpaquePointer?, _ kind: HandleKind) -> Bool {
        guard handle != nil else { return false }
        let (index, tag) = decode(handle)
        guard tag >> 26 == kind.rawValue, let slot = slot(index) else { return false }
        if index < table.pointee.inherited.load(ordering: .relaxed) { return false }
        var state = slot.pointee.state.load(ordering: .relaxed)
        while true {
            guard state & tagMask == tag, state & live != 0 else { return false }
            let (exchanged, found) = slot.pointee.state.compareExchange(
                expected: state, desired: state & ~live, ordering: .acquiringAndReleasing)
            if exchanged { break }
            state = found
        }
        if state >> 33 == 0 { recycle(slot, index) }
        return true
    }

    private static func recycle(_ slot: UnsafeMutablePointer<Slot>, _ index: Int) {
        let object = slot.pointee.object
        slot.pointee.object = nil
        let tag = slot.pointee.state.load(ordering: .relaxed) & tagMask
        let generation = (tag &+ 1) & generationMask
        slot.pointee.state.store(generation, ordering: .relaxed)
        // A slot that has used all its generations is retired: no old handle can ever match again.
        if generation != 0 {
            lock()
            slot.pointee.nextFree = table.pointee.firstFree
            table.pointee.firstFree = UInt32(truncatingIfNeeded: index &+ 1)
            unlock()
        }
        // Last, and without the lock: it may run a callback of the host.
        if let object { Unmanaged<AnyObject>.fromOpaque(object).release() }
    }
}
