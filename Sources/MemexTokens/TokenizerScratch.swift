internal import CMemexShim

/// The memory that counting and encoding use, of the calling thread: made when it first counts, freed when
/// it ends. A thread that gets none shares the process's one, which is enough and keeps no cache.
struct TokenizerScratch {
    /// The longest span that is merged at once; longer pieces go window by window.
    static let window = 1_024
    /// The bytes of two tokens, to see whether they may stand side by side.
    static let joint = 512
    private static var lookupsAt: Int { 2 &* MergeArea.bytes(window) &+ MergeArea.bytes(joint) }
    private static var queueAt: Int { lookupsAt &+ 64 &* MemoryLayout<PieceLookup>.stride }
    private static var areas: Int { queueAt &+ MergeQueue.bytes }

    let cache: PieceCache
    let area: MergeArea
    let otherArea: MergeArea
    let jointArea: MergeArea
    /// Room for the pieces of a window.
    let lookups: UnsafeMutablePointer<PieceLookup>
    /// Of `MergeQueue`.
    let queue: UnsafeMutableRawPointer

    private init(_ base: UnsafeMutableRawPointer, cache: UnsafeMutableRawPointer?, tag: Int) {
        area = MergeArea(base, capacity: Self.window)
        otherArea = MergeArea(base + MergeArea.bytes(Self.window), capacity: Self.window)
        jointArea = MergeArea(base + 2 &* MergeArea.bytes(Self.window), capacity: Self.joint)
        lookups = (base + Self.lookupsAt).assumingMemoryBound(to: PieceLookup.self)
        queue = base + Self.queueAt
        self.cache = PieceCache(cache, tag: tag)
    }

    /// Lends the memory for one call, which calls nothing of the caller's.
    @inline(__always)
    static func with<Result>(tag: Int, _ body: (TokenizerScratch) -> Result) -> Result {
        if let block = memex_shim_thread_block(areas &+ PieceCache.bytes) {
            return body(TokenizerScratch(block, cache: block + areas, tag: tag))
        }
        return withShared(body)
    }

    /// Lends the process's memory, to one thread at a time.
    static func withShared<Result>(_ body: (TokenizerScratch) -> Result) -> Result {
        let shared = memex_shim_shared_block_take()
        defer { memex_shim_shared_block_give() }
        return body(TokenizerScratch(shared, cache: nil, tag: 0))
    }

    /// Whether the process's block is large enough, for the tests.
    static var sharedFits: Bool { areas <= Int(MEMEX_SHIM_SHARED_BLOCK) }
}
