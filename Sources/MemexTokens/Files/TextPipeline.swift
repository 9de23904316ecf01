internal import MemexModel

/// The way of a text to its pieces: added tokens, the normalizer, added tokens again, the pre-tokenizer.
struct TextPipeline: ~Copyable {
    /// Found in the text as it is, and in what the normalizer makes of it.
    let before: AddedTokens
    let after: AddedTokens
    let normalizer: [NormalizerStep]
    let steps: [PreTokenizerStep]
    /// The pattern of the only step that splits.
    let pattern: SplitPattern?

    init(
        before: consuming AddedTokens, after: consuming AddedTokens, normalizer: [NormalizerStep],
        steps: [PreTokenizerStep]
    ) {
        self.before = before
        self.after = after
        self.normalizer = normalizer
        var rest: [PreTokenizerStep] = []
        var pattern: SplitPattern?
        steps.forEachElement { step in
            // The bytes come last, and do nothing when they neither split nor add.
            if case .bytes(addsBlank: false, splits: false) = step { return true }
            pattern = rest.isEmpty ? step.wholePattern : nil
            rest.append(step)
            return true
        }
        self.steps = rest
        self.pattern = pattern
    }

    /// Hands a text's pieces to a sink; false when memory ran out.
    func pour<Sink: TokenSink & ~Copyable>(
        _ text: ByteView, _ policy: SpecialTokenPolicy, into sink: inout Sink
    ) -> Bool {
        if before.isIdle(policy) { return normalize(text, policy, isFirst: true, into: &sink) }
        var position = AddedTokens.Position()
        var done = true
        while let match = before.next(in: text, policy, &position) {
            let free = position.free
            if match.start > free {
                let part = text.slice(free, match.start &- free)
                done = normalize(part, policy, isFirst: free == 0, into: &sink) && done
            }
            sink.added(match.id)
            position.free = match.end
        }
        let free = position.free
        guard free < text.count else { return done }
        return normalize(text.slice(free, text.count &- free), policy, isFirst: free == 0, into: &sink)
            && done
    }

    private func normalize<Sink: TokenSink & ~Copyable>(
        _ text: ByteView, _ policy: SpecialTokenPolicy, isFirst: Bool, into sink: inout Sink
    ) -> Bool {
        if normalizer.isEmpty { return find(text, policy, isFirst: isFirst, into: &sink) }
        var normal = ByteBuffer()
        var cut = false
        guard NormalizerStep.apply(normalizer, text, to: &normal, cut: &cut) else { return false }
        let done = find(normal.view, policy, isFirst: isFirst && !cut, into: &sink)
        // The text lies in the buffer up to here.
        normal.removeAll()
        return done
    }

    private func find<Sink: TokenSink & ~Copyable>(
        _ text: ByteView, _ policy: SpecialTokenPolicy, isFirst: Bool, into sink: inout Sink
    ) -> Bool {
        if after.isIdle(policy) { return split(text, isFirst: isFirst, into: &sink) }
        var position = AddedTokens.Position()
        var done = true
        while let match = after.next(in: text, policy, &position) {
            let free = position.free
            if match.start > free {
                let isFirst = isFirst && free == 0
                done = split(text.slice(free, match.start &- free), isFirst: isFirst, into: &sink) && done
            }
            sink.added(match.id)
            position.free = match.end
        }
        let free = position.free
        guard free < text.count else { return done }
        return split(text.slice(free, text.count &- free), isFirst: isFirst && free == 0, into: &sink) && done
    }

    private func split<Sink: TokenSink & ~Copyable>(
        _ text: ByteView, isFirst: Bool, into sink: inout Sink
    ) -> Bool {
        if text.count == 0 { return true }
        if let pattern {
            sink.walk(pattern, text)
            return true
        }
        return steps.withUnsafeBufferPointer { split(text, isFirst, $0, 0, into: &sink) }
    }

    /// The steps from one on; there are few.
    private func split<Sink: TokenSink & ~Copyable>(
        _ text: ByteView, _ isFirst: Bool, _ steps: UnsafeBufferPointer<PreTokenizerStep>, _ number: Int,
        into sink: inout Sink
    ) -> Bool {
        guard number < steps.count, let base = steps.baseAddress else {
            sink.piece(text)
            return true
        }
        let step = base[number]
        var rewritten = ByteBuffer()
        let view = step.rewrite(text, isFirst: isFirst, to: &rewritten) ? rewritten.view : text
        if rewritten.failed { return false }
        let parts = step.split(view)
        if parts.spans.failed { return false }
        var done = true
        var index = 0
        while index < parts.spans.count {
            let span = parts.spans[index]
            let part = view.slice(span.start, span.end &- span.start)
            done = split(part, isFirst && span.start == 0, steps, number &+ 1, into: &sink) && done
            index &+= 1
        }
        rewritten.removeAll()
        return done
    }
}
