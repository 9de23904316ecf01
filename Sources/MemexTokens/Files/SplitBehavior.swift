internal import MemexModel

/// What becomes of what a splitter matches.
enum SplitBehavior {
    case removed
    case isolated
    case mergedWithPrevious
    case mergedWithNext
    case contiguous

    init?(_ name: ByteView) {
        if name.equals("Removed") {
            self = .removed
        } else if name.equals("Isolated") {
            self = .isolated
        } else if name.equals("MergedWithPrevious") {
            self = .mergedWithPrevious
        } else if name.equals("MergedWithNext") {
            self = .mergedWithNext
        } else if name.equals("Contiguous") {
            self = .contiguous
        } else {
            return nil
        }
    }
}

/// The parts of a text: what a splitter matched and what lies between, then the pieces that come of it.
struct Spans: ~Copyable {
    struct Span: BitwiseCopyable {
        var start = 0
        var end = 0
        var isMatch = false
    }

    private(set) var spans = HeapArray<Span>(Span())
    private var end = 0

    /// Adds a match, and what lies before it.
    @inline(__always)
    mutating func match(_ from: Int, _ to: Int) {
        if from > end { spans.append(Span(start: end, end: from, isMatch: false)) }
        spans.append(Span(start: from, end: to, isMatch: true))
        end = to
    }

    /// Adds the rest of a text.
    mutating func finish(_ count: Int) {
        if count > end { spans.append(Span(start: end, end: count, isMatch: false)) }
    }

    /// Turns the parts into pieces.
    mutating func apply(_ behavior: SplitBehavior, invert: Bool) {
        if invert {
            var at = 0
            while at < spans.count {
                spans[at].isMatch.toggle()
                at &+= 1
            }
        }
        switch behavior {
        case .isolated: return
        case .removed:
            var kept = 0
            var at = 0
            while at < spans.count {
                if !spans[at].isMatch {
                    spans[kept] = spans[at]
                    kept &+= 1
                }
                at &+= 1
            }
            spans.resize(kept)
        case .mergedWithPrevious: join { $1.isMatch && !$0.isMatch }
        case .contiguous: join { $1.isMatch == $0.isMatch }
        case .mergedWithNext: joinBackwards()
        }
    }

    /// Joins each part with the one before it where that is wanted.
    private mutating func join(_ joins: (Span, Span) -> Bool) {
        var kept = 0
        var before = Span()
        var at = 0
        while at < spans.count {
            let span = spans[at]
            if kept > 0, joins(before, span) {
                spans[kept &- 1].end = span.end
            } else {
                spans[kept] = span
                kept &+= 1
            }
            before = span
            at &+= 1
        }
        spans.resize(kept)
    }

    private mutating func joinBackwards() {
        var from = spans.count
        var after = Span()
        var at = spans.count &- 1
        while at >= 0 {
            let span = spans[at]
            if from < spans.count, span.isMatch, !after.isMatch {
                spans[from].start = span.start
            } else {
                from &-= 1
                spans[from] = span
            }
            after = span
            at &-= 1
        }
        var kept = 0
        while from < spans.count {
            spans[kept] = spans[from]
            kept &+= 1
            from &+= 1
        }
        spans.resize(kept)
    }
}
