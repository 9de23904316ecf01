internal import MemexModel

/// Makes units of messages such that any choice of units, in order, is a conversation that OpenAI chat
/// accepts.
///
/// - Calls and results are matched by position and id: a result belongs to the last assistant message with
///   calls before it, if one of them has its id and no result yet; else it answers nothing and is left out.
/// - Calls that never got all their results are left out together with those they got.
/// - Messages that stand between a call and its results stay; in the window they follow the results.
struct OpenAIChatValidator {
    let arena: ByteView
    /// The ranges of seqs that were examined without a gap, ascending.
    let segments: [ClosedRange<Int64>]
    let source: any MessageSource

    /// Forms units of items in the order of seq.
    func units(_ items: inout ContiguousArray<WindowItem>) throws(MemexError) -> ContiguousArray<WindowUnit> {
        var units = ContiguousArray<WindowUnit>()
        units.reserveCapacity(items.count)
        var calls = OpenCalls()
        var open = -1
        var hasSeenCall = false
        // The last segment that is known to have a gap before it, and that of the item.
        var begin = 0
        var segment = 0
        var joined = 0

        func close() {
            if open >= 0, !calls.isComplete { units[open].leftOut = .unanswered }
            open = -1
            calls.close()
        }

        for index in items.indices {
            let item = items[index]
            while segment < segments.count &- 1, item.seq > segments[segment].upperBound { segment &+= 1 }
            items[index].unit = -1
            items[index].next = -1
            items[index].loose = nil
            if item.startsGroup {
                close()
                hasSeenCall = true
                joined = segment
                begin = segment
            }
            if item.fault != nil { continue }
            if item.role == .tool {
                while joined < segment {
                    joined &+= 1
                    if try isGap(before: joined) {
                        close()
                        hasSeenCall = false
                        begin = joined
                    }
                }
                guard open >= 0, calls.answer(arena, item.offset, item.length) else {
                    let mayBeCalled = hasSeenCall ? false : try isGap(before: begin)
                    items[index].loose = mayBeCalled ? .callNotExamined : .noCall
                    continue
                }
                add(index, to: open, &items, &units)
                if calls.isComplete { open = -1 }
                continue
            }
            items[index].unit = units.count
            units.append(WindowUnit(first: index, last: index, tokens: item.tokens, pin: item.pin))
            if item.startsGroup {
                open = units.count &- 1
                calls.open(arena, item.offset, item.length)
            }
        }
        close()
        return units
    }

    /// Whether a message stands before a segment that was not examined.
    private func isGap(before index: Int) throws(MemexError) -> Bool {
        guard index < segments.count else { return false }
        let end = index > 0 ? segments[index &- 1].upperBound : 0
        return try !source.areAdjacent(end, segments[index].lowerBound)
    }

    private func add(
        _ index: Int, to unit: Int, _ items: inout ContiguousArray<WindowItem>,
        _ units: inout ContiguousArray<WindowUnit>
    ) {
        items[index].unit = unit
        items[units[unit].last].next = index
        units[unit].last = index
        units[unit].count &+= 1
        units[unit].tokens = units[unit].tokens &+ items[index].tokens
        if items[index].pin > units[unit].pin { units[unit].pin = items[index].pin }
    }
}
