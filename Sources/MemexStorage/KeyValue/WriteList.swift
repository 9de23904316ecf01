#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel

/// The writes of one commit, and the bytes that some of them point to. Kept and used again by whoever has
/// the writers' turn.
struct WriteList: ~Copyable {
    /// Memory above this is given back after the commit.
    private static let keptBytes = 1 << 20
    private static let keptWrites = 4096

    /// Room must be reserved for all that is written here: writes point into it.
    var bytes = ByteBuffer()
    private var writes: UnsafeMutablePointer<KeyValueWrite>?
    private var capacity = 0
    private(set) var count = 0
    private var failed = false

    init() {}

    deinit { free(writes) }

    mutating func removeAll() {
        bytes.removeAll()
        count = 0
        if failed || bytes.failed || held > Self.keptBytes {
            bytes = ByteBuffer()
            held = 0
        }
        if failed || capacity > Self.keptWrites {
            free(writes)
            writes = nil
            capacity = 0
        }
        failed = false
    }

    private var held = 0
    private var start: UnsafeMutablePointer<UInt8>?

    /// Makes room for all bytes and writes to come.
    mutating func reserve(bytes size: Int, writes extra: Int) {
        bytes.reserve(size)
        if size > held { held = size }
        start = bytes.base
        reserve(writes: extra)
    }

    mutating func reserve(writes extra: Int) {
        if failed || extra <= capacity &- count { return }
        var wanted = capacity == 0 ? 16 : capacity &* 2
        if wanted < count &+ extra { wanted = count &+ extra }
        guard wanted < Int.max / 64, let grown = realloc(writes, wanted &* MemoryLayout<KeyValueWrite>.stride)
        else {
            failed = true
            return
        }
        writes = grown.assumingMemoryBound(to: KeyValueWrite.self)
        capacity = wanted
    }

    @inline(__always)
    mutating func append(
        _ kind: KeyValueWrite.Kind, _ key: ByteView, _ value: ByteView = ByteView(start: nil, count: 0)
    ) {
        if count == capacity { reserve(writes: 1) }
        guard count < capacity, let writes else { return }
        (writes + count).initialize(to: KeyValueWrite(kind, key, value))
        count &+= 1
    }

    /// The bytes that were written from `offset` on.
    @inline(__always)
    func tail(_ offset: Int) -> ByteView { bytes.view.slice(offset, bytes.count &- offset) }

    /// Throws when memory ran out, or the bytes have moved under the writes.
    func finished() throws(MemexError) -> UnsafeBufferPointer<KeyValueWrite> {
        if failed || bytes.failed { throw .noMemory }
        if bytes.count > 0, bytes.base != start {
            throw MemexError(.internal, "a commit needed more room than was reserved; report this")
        }
        return UnsafeBufferPointer(start: UnsafePointer(writes), count: count)
    }
}
