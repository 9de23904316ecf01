/// Working memory for merging a span of at most `capacity` bytes. Borrowed from whoever made it.
struct MergeArea {
    /// Tokens: of the parts while merging, in order and without gaps afterwards.
    let ids: UnsafeMutablePointer<UInt32>
    /// What each part merges into with the next one, `Int32.max` for nothing; in groups of sixteen.
    let ranks: UnsafeMutablePointer<Int32>
    /// Where the next part and the one before begin.
    let next: UnsafeMutablePointer<UInt32>
    let previous: UnsafeMutablePointer<UInt32>
    /// The lowest rank of each group; in groups of eight.
    let lowest: UnsafeMutablePointer<Int32>
    let capacity: Int

    static func bytes(_ capacity: Int) -> Int { (capacity &* 4 &+ groups(capacity)) &* 4 }

    private static func groups(_ capacity: Int) -> Int { (capacity / 16 &+ 7) & ~7 }

    /// - Parameters:
    ///   - base: `bytes(capacity)` bytes, aligned to eight.
    ///   - capacity: a multiple of sixteen.
    init(_ base: UnsafeMutableRawPointer, capacity: Int) {
        self.capacity = capacity
        lowest = base.assumingMemoryBound(to: Int32.self)
        ranks = lowest + Self.groups(capacity)
        ids = UnsafeMutableRawPointer(ranks + capacity).assumingMemoryBound(to: UInt32.self)
        next = ids + capacity
        previous = next + capacity
    }
}
