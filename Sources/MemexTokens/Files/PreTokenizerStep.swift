internal import MemexModel

/// A step of a pre-tokenizer.
enum PreTokenizerStep {
    enum Prefix {
        case always
        case first
        case never
    }

    case pattern(KnownPattern, SplitBehavior, invert: Bool)
    case literal([UInt8], SplitBehavior, invert: Bool)
    case digits(alone: Bool)
    /// `\w+|[^\w\s]+`, the rest goes.
    case words
    case whiteSpace
    case punctuation(SplitBehavior)
    case metaspace([UInt8], Prefix, splits: Bool)
    /// The bytes of a byte-level vocabulary; the last step.
    case bytes(addsBlank: Bool, splits: Bool)

    /// Whether a step takes all of a text in one known way.
    var wholePattern: SplitPattern? {
        switch self {
        case .pattern(.whole(let pattern), .isolated, invert: false),
            .pattern(.whole(let pattern), .removed, invert: true):
            return pattern
        case .bytes(addsBlank: false, splits: true): return .p50k
        default: return nil
        }
    }

    /// What the step makes of a text before it splits it, in `text`; false when it makes nothing of it.
    func rewrite(_ view: ByteView, isFirst: Bool, to text: inout ByteBuffer) -> Bool {
        switch self {
        case .bytes(addsBlank: true, _):
            if view.byte(0) == 0x20 { return false }
            text.append(" ")
            text.append(view)
            return true
        case .metaspace(let mark, let prefix, _):
            mark.withUnsafeBufferPointer { mark in
                let wanted: Bool
                switch prefix {
                case .always: wanted = true
                case .first: wanted = isFirst
                case .never: wanted = false
                }
                if wanted, view.byte(0) != 0x20, !view.has(mark, at: 0) { text.append(mark) }
                var at = 0
                while at < view.count {
                    if view.byte(at) == 0x20 {
                        text.append(mark)
                    } else {
                        text.append(byte: view.byte(at))
                    }
                    at &+= 1
                }
            }
            return true
        default: return false
        }
    }

    /// The pieces of a text.
    func split(_ view: ByteView) -> Spans {
        var spans = Spans()
        var behavior = SplitBehavior.isolated
        var inverts = false
        switch self {
        case .pattern(let pattern, let wanted, let invert):
            (behavior, inverts) = (wanted, invert)
            Self.match(pattern, view, &spans)
        case .bytes(_, let splits): if splits { Self.match(.whole(.p50k), view, &spans) }
        case .literal(let bytes, let wanted, let invert):
            (behavior, inverts) = (wanted, invert)
            bytes.withUnsafeBufferPointer { Self.match($0, view, &spans) }
        case .metaspace(let mark, _, let splits):
            behavior = .mergedWithNext
            if splits { mark.withUnsafeBufferPointer { Self.match($0, view, &spans) } }
        case .digits(let alone):
            behavior = alone ? .isolated : .contiguous
            Self.match(view, &spans, CodePoints.isNumber)
        case .whiteSpace:
            behavior = .removed
            Self.match(view, &spans, CodePoints.isSpace)
        case .punctuation(let wanted):
            behavior = wanted
            Self.match(view, &spans) { UnicodeTable.shared.flags($0) & UnicodeTable.punctuation != 0 }
        case .words:
            (behavior, inverts) = (.removed, true)
            Self.matchWords(view, &spans)
        }
        spans.finish(view.count)
        spans.apply(behavior, invert: inverts)
        return spans
    }

    private static func match(_ pattern: KnownPattern, _ view: ByteView, _ spans: inout Spans) {
        guard let base = view.baseAddress else { return }
        let text = PieceText(base: base, count: view.count, readable: view.count, characters: .shared)
        var at = 0
        while at < view.count {
            let end = pattern.end(text, view, at)
            if end > at { spans.match(at, end) }
            at = end > at ? end : at &+ text.character(at).length
        }
    }

    private static func match(_ bytes: ByteView, _ view: ByteView, _ spans: inout Spans) {
        var at = 0
        while at < view.count {
            if view.has(bytes, at: at) {
                spans.match(at, at &+ bytes.count)
                at &+= bytes.count
            } else {
                at &+= 1
            }
        }
    }

    private static func match(_ view: ByteView, _ spans: inout Spans, _ isWanted: (UInt32) -> Bool) {
        var at = 0
        while at < view.count {
            let (code, length) = CodePoints.read(view, at)
            if isWanted(code) { spans.match(at, at &+ length) }
            at &+= length
        }
    }

    private static func matchWords(_ view: ByteView, _ spans: inout Spans) {
        func kind(_ code: UInt32) -> Int {
            if UnicodeTable.shared.flags(code) & UnicodeTable.word != 0 { return 1 }
            return CodePoints.isSpace(code) ? 0 : 2
        }
        var at = 0
        while at < view.count {
            let (code, length) = CodePoints.read(view, at)
            let wanted = kind(code)
            var end = at &+ length
            while wanted > 0, end < view.count {
                let next = CodePoints.read(view, end)
                if kind(next.code) != wanted { break }
                end &+= next.length
            }
            if wanted > 0 { spans.match(at, end) }
            at = end
        }
    }
}
