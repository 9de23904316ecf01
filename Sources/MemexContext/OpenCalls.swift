internal import MemexModel

/// The calls of the last assistant message that made some, and which of them have their result.
///
/// Ids stand in the arena. They are compared within one message's calls alone: threads use an id again
/// for another call later.
struct OpenCalls {
    private struct Call {
        let offset: Int
        let length: Int
        var isAnswered = false
    }

    private var calls: [Call] = []
    private(set) var missing = 0

    var isComplete: Bool { missing == 0 }

    /// Begins with the calls of a message whose body stands at `offset` of the arena.
    mutating func open(_ arena: ByteView, _ offset: Int, _ length: Int) {
        close()
        let body = arena.slice(offset, length)
        guard let base = arena.baseAddress else { return }
        var found: [Call] = calls
        _ = OpenAIChatRules.forEachCallID(body) { id in
            guard let start = id.baseAddress else { return }
            found.append(Call(offset: start - base, length: id.count))
        }
        calls = found
        missing = calls.count
    }

    mutating func close() {
        calls.removeAll(keepingCapacity: true)
        missing = 0
    }

    /// Notes the result in that body. False when no call of that id waits for one.
    mutating func answer(_ arena: ByteView, _ offset: Int, _ length: Int) -> Bool {
        guard missing > 0, let id = OpenAIChatRules.resultID(arena.slice(offset, length)) else {
            return false
        }
        for index in calls.indices where !calls[index].isAnswered {
            if RawString.same(arena.slice(calls[index].offset, calls[index].length), id) {
                calls[index].isAnswered = true
                missing &-= 1
                return true
            }
        }
        return false
    }
}
