internal import MemexModel

/// Makes units of messages such that any choice of units, in order, is a conversation that OpenAI chat
/// accepts.
///
/// - Calls and results are matched by position and id: a result belongs to the last assistant message with
///   calls before it, if one of them has its id and no result yet; else it answers nothing and is left out.
/// - Calls that never got all their results are left out together with those they got.
/// - Messages that stand between a call and its results stay; in the window they follow the results.
struct OpenAIChatValidator {
    /// Forms units of items in the order of seq. `segments` are the ranges of seqs that were examined without
    /// a gap, ascending.
    static func units(
        _ items: inout ContiguousArray<WindowItem>, _ arena: ByteView, _ segments: [ClosedRange<Int64>]
    ) -> ContiguousArray<WindowUnit> {
        var units = ContiguousArray<WindowUnit>()
        units.reserveCapacity(items.count)
        var calls = OpenCalls()
        var open = -1
        var hasSeenCall = false
        var segment = 0

        func close() {
            if open >= 0, !calls.isComplete { units[open].leftOut = .unanswered }
            open = -1
            calls.close()
        }

        for index in items.indices {
            let item = items[index]
            if segment < segments.count, item.seq > segments[segment].upperBound {
                while segment < segments.count, item.seq > segments[segment].upperBound { segment &+= 1 }
                close()
                hasSeenCall = false
            }
            items[index].unit = -1
            items[index].next = -1
            items[index].loose = nil
            if item.startsGroup {
                close()
                hasSeenCall = true
            }
            if item.fault != nil { continue }
            if item.role == .tool {
                guard open >= 0, calls.answer(arena, item.offset, item.length) else {
                    let begin = segment < segments.count ? segments[segment].lowerBound : 1
                    items[index].loose = hasSeenCall || begin <= 1 ? .noCall : .callNotExamined
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

    private static func add(
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
