internal import MemexModel

/// The tokens of a text whose scores add up to most.
final class UnigramModel: @unchecked Sendable {
    let tokens: TokenTable
    private let scores: HeapArray<Double>
    private let index: PrefixIndex
    private let unknownScore: Double
    /// -1 for none.
    private let unknown: Int
    private let hasByteFallback: Bool
    private let bytes: HeapArray<Int32>

    init(
        _ tokens: consuming TokenTable, _ scores: consuming HeapArray<Double>, unknown: Int,
        hasByteFallback: Bool
    ) {
        index = PrefixIndex(tokens)
        bytes = PairModel.byteTokens(tokens, false)
        var lowest = Double.infinity
        var at = 0
        while at < scores.count {
            if scores[at] < lowest { lowest = scores[at] }
            at &+= 1
        }
        unknownScore = lowest - 10
        self.tokens = tokens
        self.scores = scores
        self.unknown = unknown
        self.hasByteFallback = hasByteFallback
    }

    /// Memory ran out while it was made.
    var failed: Bool { tokens.failed || scores.failed || index.failed || bytes.failed }

    struct Work: ~Copyable {
        var nodes = HeapArray<Node>(Node())
        var path = HeapArray<Span>(Span())
        var failed: Bool { nodes.failed || path.failed }
    }

    /// The best way to a place.
    struct Node: BitwiseCopyable {
        var score = 0.0
        var start: Int32 = -1
        var id: Int32 = 0
    }

    struct Span: BitwiseCopyable {
        var start: Int32 = 0
        var end: Int32 = 0
    }

    /// Appends the ids of a piece; false when it has an unknown character and there is no token for those.
    func encode(_ piece: ByteView, _ work: inout Work, to ids: inout ByteBuffer) -> Bool {
        if piece.count == 0 { return true }
        work.nodes.removeAll()
        work.nodes.resize(piece.count &+ 1)
        work.path.removeAll()
        if work.nodes.failed { return true }
        guard search(piece, &work) else { return false }
        // Backwards; unknown characters side by side are one token.
        var end = piece.count
        var unknownEnd = -1
        while end > 0 {
            let node = work.nodes[end]
            let start = Int(node.start)
            if start < 0 || start >= end { return false }
            if unknown >= 0, Int(node.id) == unknown {
                if unknownEnd < 0 { unknownEnd = end }
            } else {
                if unknownEnd >= 0 { push(end, unknownEnd, &work) }
                unknownEnd = -1
                push(start, end, &work)
            }
            end = start
        }
        if unknownEnd >= 0 { push(0, unknownEnd, &work) }
        while let span = work.path.popLast() {
            let start = Int(span.start)
            guard emit(piece.slice(start, Int(span.end) &- start), to: &ids) else { return false }
        }
        return true
    }

    private func push(_ start: Int, _ end: Int, _ work: inout Work) {
        work.path.append(
            Span(start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: end)))
    }

    private func search(_ piece: ByteView, _ work: inout Work) -> Bool {
        var at = 0
        while at < piece.count {
            let length = CodePoints.read(piece, at).length
            let score = work.nodes[at].score
            var isCovered = false
            index.forEach(piece, at: at, tokens) { id, size in
                reach(at &+ size, from: at, id, scores[id] + score, &work)
                if size == length { isCovered = true }
            }
            if !isCovered {
                if unknown < 0,
                    work.nodes[at &+ length].start < 0
                        || unknownScore + score > work.nodes[at &+ length].score
                {
                    return false
                }
                reach(at &+ length, from: at, unknown, unknownScore + score, &work)
            }
            at &+= length
        }
        return true
    }

    @inline(__always)
    private func reach(_ end: Int, from start: Int, _ id: Int, _ score: Double, _ work: inout Work) {
        let node = work.nodes[end]
        if node.start >= 0, score <= node.score { return }
        work.nodes[end] = Node(
            score: score, start: Int32(truncatingIfNeeded: start), id: Int32(truncatingIfNeeded: id))
    }

    private func emit(_ text: ByteView, to ids: inout ByteBuffer) -> Bool {
        let id = tokens.id(text)
        if id >= 0 {
            ids.append(littleEndian: UInt32(truncatingIfNeeded: id))
            return true
        }
        if hasByteFallback {
            var at = 0
            while at < text.count, bytes[Int(text.byte(at))] >= 0 { at &+= 1 }
            if at == text.count {
                at = 0
                while at < text.count {
                    ids.append(littleEndian: UInt32(truncatingIfNeeded: bytes[Int(text.byte(at))]))
                    at &+= 1
                }
                return true
            }
        }
        guard unknown >= 0 else { return false }
        ids.append(littleEndian: UInt32(truncatingIfNeeded: unknown))
        return true
    }
}
