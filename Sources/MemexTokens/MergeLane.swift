/// A piece of the merge queue.
struct MergeLane {
    /// Where its tokens are counted.
    let total: UnsafeMutablePointer<Int>
    let key: PieceKey
    /// Its bytes, 0 when the cache need not know it.
    let length: Int
    /// A bit for each place where a part begins.
    var alive: UInt64
    /// Its places, in eights.
    let eights: Int32
    /// Of the last merge, and of the part before it.
    var place: Int32
    var before: Int32
    /// A bit for each place whose first lookup is under way.
    let asked: UInt64
}

/// A lookup of a pair that is under way: its hash, later its slot.
struct PairProbe {
    var key: UInt64
    var hash: UInt64
}
