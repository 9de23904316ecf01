internal import MemexModel

/// The merges of a vocabulary by the two tokens that they join: an open table.
struct PairRanks: ~Copyable {
    struct Pair: BitwiseCopyable {
        var key: UInt64
        var rank: UInt32
        var merged: UInt32
    }

    private static let empty = Pair(key: UInt64.max, rank: 0, merged: 0)

    private var slots = HeapArray<Pair>(empty)
    private(set) var count = 0
    private(set) var failed = false

    init() {}

    /// Every two tokens that together are a token, whose id is the rank.
    init(everySplitOf tokens: borrowing TokenTable) {
        var id = 0
        while id < tokens.idEnd {
            let token = tokens.token(id)
            let rank = UInt32(truncatingIfNeeded: id)
            var edge = 1
            while edge < token.count {
                let left = tokens.id(token.slice(0, edge))
                let right = left < 0 ? -1 : tokens.id(token.slice(edge, token.count &- edge))
                if right >= 0 {
                    add(
                        UInt32(truncatingIfNeeded: left), UInt32(truncatingIfNeeded: right), rank: rank,
                        merged: rank)
                }
                edge &+= 1
            }
            id &+= 1
        }
    }

    @inline(__always)
    private static func key(_ left: UInt32, _ right: UInt32) -> UInt64 { UInt64(left) &<< 32 | UInt64(right) }

    /// What two tokens merge into; nil when they do not.
    @inline(__always)
    func find(_ left: UInt32, _ right: UInt32) -> Pair? {
        let mask = slots.count &- 1
        if mask < 0 { return nil }
        let key = Self.key(left, right)
        var at = Int(truncatingIfNeeded: VocabularyHash.pair(key, 0)) & mask
        while true {
            let pair = slots[at]
            if pair.key == key { return pair }
            if pair.key == UInt64.max { return nil }
            at = (at &+ 1) & mask
        }
    }

    /// Adds a merge; a later one of the same pair takes its place.
    mutating func add(_ left: UInt32, _ right: UInt32, rank: UInt32, merged: UInt32) {
        if (count &+ 1) &* 2 > slots.count { grow() }
        if failed { return }
        place(Pair(key: Self.key(left, right), rank: rank, merged: merged))
    }

    private mutating func place(_ pair: Pair) {
        let mask = slots.count &- 1
        var at = Int(truncatingIfNeeded: VocabularyHash.pair(pair.key, 0)) & mask
        while slots[at].key != UInt64.max, slots[at].key != pair.key { at = (at &+ 1) & mask }
        if slots[at].key == UInt64.max { count &+= 1 }
        slots[at] = pair
    }

    private mutating func grow() {
        var larger = HeapArray<Pair>(Self.empty)
        larger.resize(max(1_024, slots.count &* 2))
        if larger.failed {
            failed = true
            return
        }
        swap(&slots, &larger)
        count = 0
        var at = 0
        while at < larger.count {
            if larger[at].key != UInt64.max { place(larger[at]) }
            at &+= 1
        }
    }

    func forEach(_ body: (Pair) -> Void) {
        var at = 0
        while at < slots.count {
            if slots[at].key != UInt64.max { body(slots[at]) }
            at &+= 1
        }
    }
}
