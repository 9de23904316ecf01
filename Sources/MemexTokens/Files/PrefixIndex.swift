internal import MemexModel

/// Tokens in the order of their bytes, to find all that a text begins with.
struct PrefixIndex: ~Copyable {
    private var ids = HeapArray<UInt32>(0)
    /// Where the tokens of each first byte begin.
    private var firsts = HeapArray<UInt32>(repeating: 0, count: 257)

    var failed: Bool { ids.failed || firsts.failed }

    init(_ tokens: borrowing TokenTable) {
        var id = 0
        while id < tokens.idEnd {
            let token = tokens.token(id)
            if token.count > 0 {
                ids.append(UInt32(truncatingIfNeeded: id))
                firsts[Int(token.byte(0)) &+ 1] &+= 1
            }
            id &+= 1
        }
        var byte = 0
        while byte < 256 {
            firsts[byte &+ 1] &+= firsts[byte]
            byte &+= 1
        }
        sort(tokens)
    }

    /// A heap sort: no memory of its own, no bad case.
    private mutating func sort(_ tokens: borrowing TokenTable) {
        var root = ids.count / 2 &- 1
        while root >= 0 {
            sink(root, ids.count, tokens)
            root &-= 1
        }
        var end = ids.count &- 1
        while end > 0 {
            let last = ids[end]
            ids[end] = ids[0]
            ids[0] = last
            sink(0, end, tokens)
            end &-= 1
        }
    }

    private mutating func sink(_ from: Int, _ end: Int, _ tokens: borrowing TokenTable) {
        var root = from
        while true {
            var child = root &* 2 &+ 1
            if child >= end { return }
            if child &+ 1 < end, isLess(child, child &+ 1, tokens) { child &+= 1 }
            if !isLess(root, child, tokens) { return }
            let id = ids[root]
            ids[root] = ids[child]
            ids[child] = id
            root = child
        }
    }

    @inline(__always)
    private func isLess(_ left: Int, _ right: Int, _ tokens: borrowing TokenTable) -> Bool {
        tokens.token(Int(ids[left])).compare(tokens.token(Int(ids[right]))) < 0
    }

    func mayBegin(_ byte: UInt8) -> Bool { firsts[Int(byte)] != firsts[Int(byte) &+ 1] }

    /// Hands out the tokens that stand at a place of a text, the shortest first.
    @inline(__always)
    func forEach(
        _ text: ByteView, at place: Int, _ tokens: borrowing TokenTable,
        _ body: (_ id: Int, _ length: Int) -> Void
    ) {
        let first = Int(text.byte(place))
        var low = Int(firsts[first])
        var high = Int(firsts[first &+ 1])
        var length = 1
        while low < high {
            let id = Int(ids[low])
            if tokens.token(id).count == length {
                body(id, length)
                low &+= 1
            }
            guard place &+ length < text.count else { return }
            let byte = text.byte(place &+ length)
            low = edge(low, high, length, byte, above: false, tokens)
            high = edge(low, high, length, byte, above: true, tokens)
            length &+= 1
        }
    }

    /// Where the tokens begin whose byte at a depth is at least, or above, another.
    private func edge(
        _ from: Int, _ end: Int, _ depth: Int, _ byte: UInt8, above: Bool, _ tokens: borrowing TokenTable
    ) -> Int {
        var low = from
        var high = end
        while low < high {
            let middle = (low &+ high) &>> 1
            let found = tokens.token(Int(ids[middle])).byte(depth)
            if found < byte || (above && found == byte) { low = middle &+ 1 } else { high = middle }
        }
        return low
    }
}
