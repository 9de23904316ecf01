internal import MemexModel

/// Merges the bytes of one token after the other, to find the last pair of each.
struct MergeSearch: ~Copyable {
    enum Found {
        case pair(Int, Int)
        case none
    }

    /// Where each part begins, and the end; what each part and the next one make, -1 for nothing.
    private var starts: HeapArray<Int32>
    private var ranks: HeapArray<Int32>

    init(_ longest: Int) {
        starts = HeapArray(repeating: 0, count: longest &+ 2)
        ranks = HeapArray(repeating: -1, count: longest &+ 2)
    }

    var failed: Bool { starts.failed || ranks.failed }

    /// The two tokens whose merge gives a token, merging in the order of ids; none when merging its bytes
    /// does not end there.
    ///
    /// - Parameter isMade: whether merging makes a token at all.
    mutating func lastMerge(
        of id: Int, _ tokens: borrowing TokenTable, _ isMade: (Int) -> Bool
    ) -> Found {
        let token = tokens.token(id)
        var count = token.count
        var at = 0
        while at <= count {
            starts[at] = Int32(truncatingIfNeeded: at)
            at &+= 1
        }
        at = 0
        while at &+ 1 < count {
            ranks[at] = Self.joined(token, starts, at, tokens, isMade)
            at &+= 1
        }
        while count > 1 {
            var best = Int32.max
            var place = -1
            at = 0
            while at &+ 1 < count {
                let rank = ranks[at]
                if rank >= 0, rank < best {
                    best = rank
                    place = at
                }
                at &+= 1
            }
            guard place >= 0 else { return .none }
            if count == 2 {
                let edge = Int(starts[1])
                let left = tokens.id(token.slice(0, edge))
                let right = tokens.id(token.slice(edge, token.count &- edge))
                return Int(best) == id && left >= 0 && right >= 0 ? .pair(left, right) : .none
            }
            at = place &+ 1
            while at < count {
                starts[at] = starts[at &+ 1]
                ranks[at] = ranks[at &+ 1]
                at &+= 1
            }
            count &-= 1
            if place &+ 1 < count { ranks[place] = Self.joined(token, starts, place, tokens, isMade) }
            if place > 0 { ranks[place &- 1] = Self.joined(token, starts, place &- 1, tokens, isMade) }
        }
        return .none
    }

    private static func joined(
        _ token: ByteView, _ starts: borrowing HeapArray<Int32>, _ part: Int,
        _ tokens: borrowing TokenTable, _ isMade: (Int) -> Bool
    ) -> Int32 {
        let from = Int(starts[part])
        let id = tokens.id(token.slice(from, Int(starts[part &+ 2]) &- from))
        return id >= 0 && isMade(id) ? Int32(truncatingIfNeeded: id) : -1
    }
}
