internal import MemexModel
internal import MemexStorage

/// Writes a commit down as a call of the script: keys by number, conditions, writes.
struct RedisCommitEncoder: ~Copyable {
    private struct Name: Equatable {
        enum Kind { case values, order, messages }
        var thread: Int64
        var kind: Kind
    }

    private let layout: RedisLayout
    private let shard: Int
    private var names: [Name] = []
    private var keys: RedisCommand
    private var arguments: RedisCommand
    /// The seq from which on a thread's rows are known to be free.
    private var free: (thread: Int64, seq: Int64) = (0, .max)
    private var created: Set<Int64> = []

    init(_ layout: RedisLayout, _ shard: Int, capacity: Int) {
        self.layout = layout
        self.shard = shard
        keys = RedisCommand(capacity: 256)
        arguments = RedisCommand(capacity: capacity)
    }

    /// A commit of one shard.
    static func encode(
        _ writes: UnsafeBufferPointer<KeyValueWrite>, _ layout: RedisLayout, _ shard: Int,
        fences: Bool = false, where isWanted: (KeyValueWrite) -> Bool = { _ in true }
    ) throws(MemexError) -> RedisCommand {
        var size = 256
        for write in writes { size += write.key.count + write.value.count + 48 }
        var encoder = RedisCommitEncoder(layout, shard, capacity: size)
        // The script looks at all conditions before it writes.
        for isCondition in [true, false] {
            for write in writes where write.kind.isCondition == isCondition && isWanted(write) {
                try encoder.add(write, fences: fences)
            }
        }
        return encoder.finished()
    }

    private func finished() -> RedisCommand {
        var command = RedisScript.commit.call(capacity: 512)
        command.append(number: Int64(names.count))
        command.append(contentsOf: keys)
        command.append(contentsOf: arguments)
        return command
    }

    private mutating func appendKey(_ thread: Int64, _ kind: Name.Kind) {
        let name = Name(thread: thread, kind: kind)
        var index = names.firstIndex(of: name) ?? names.count
        if index == names.count {
            names.append(name)
            switch kind {
            case .values: layout.append("h", of: thread, shard, to: &keys)
            case .order: layout.append("z", of: thread, shard, to: &keys)
            case .messages: layout.append("m", of: thread, shard, to: &keys)
            }
        }
        index += 1
        arguments.append(number: Int64(index))
    }

    private mutating func appendField(_ key: ByteView, _ place: RedisLayout.Place) {
        if place.skipped == 0 {
            arguments.append(key)
        } else {
            arguments.append(key.slice(0, 1), key.slice(1 + place.skipped, key.count - 1 - place.skipped))
        }
    }

    private mutating func append(
        _ code: StaticString, _ place: RedisLayout.Place, _ kind: Name.Kind, _ key: ByteView
    ) {
        arguments.append(code)
        appendKey(place.thread, kind)
        appendField(key, place)
    }

    private mutating func add(_ write: KeyValueWrite, fences: Bool) throws(MemexError) {
        let key = write.key
        let letter = key.first ?? 0
        let place = layout.place(of: key)
        guard place.shard == shard else {
            throw MemexError(.internal, "a commit has a row of another shard")
        }
        let kind = RedisLayout.kind(letter)
        if kind == .message { return try addMessage(write, place) }
        switch write.kind {
        case .requireEqual:
            append("=", place, .values, key)
            arguments.append(write.value)
        case .requireAbsent:
            append("-", place, .values, key)
            if letter == KeyLayout.head {
                created.insert(place.thread)
                if fences { addFence(place) }
            }
        case .requirePresent: append("+", place, .values, key)
        case .put:
            if kind != .name {
                append("h", place, .values, key)
                arguments.append(write.value)
            }
            if kind == .name || kind == .orderedValue { append("s", place, .order, key) }
            if letter == KeyLayout.head, created.contains(place.thread) { markThread(place, "s") }
        case .delete:
            if letter == KeyLayout.head {
                for kind in [Name.Kind.values, .order, .messages] {
                    arguments.append("D")
                    appendKey(place.thread, kind)
                }
                return markThread(place, "S")
            }
            if kind != .name { append("H", place, .values, key) }
            if kind == .name || kind == .orderedValue { append("S", place, .order, key) }
        }
    }

    private mutating func markThread(_ place: RedisLayout.Place, _ code: StaticString) {
        var name = ByteBuffer(capacity: 9)
        name.append(byte: RedisLayout.threadMark)
        for shift in stride(from: 56, through: 0, by: -8) {
            name.append(byte: UInt8(truncatingIfNeeded: place.thread >> Int64(shift)))
        }
        append(code, RedisLayout.Place(shard: shard, thread: 0, skipped: 0), .order, name.view)
    }

    /// The number may have been given up by somebody who took the thread's name over.
    private mutating func addFence(_ place: RedisLayout.Place) {
        var name = ByteBuffer(capacity: 1)
        name.append(byte: RedisLayout.fence)
        append("-", RedisLayout.Place(shard: shard, thread: place.thread, skipped: 0), .values, name.view)
    }

    private mutating func addMessage(
        _ write: KeyValueWrite, _ place: RedisLayout.Place
    ) throws(MemexError) {
        let seq = RedisLayout.number(write.key, at: 9)
        switch write.kind {
        case .requireAbsent:
            arguments.append("<")
            if free.thread != place.thread { free = (place.thread, seq) }
        case .requirePresent: arguments.append(">")
        case .put: arguments.append(free.thread == place.thread && seq >= free.seq ? "m" : "r")
        case .delete: arguments.append("M")
        case .requireEqual: throw MemexError(.internal, "a commit requires a message to be equal")
        }
        appendKey(place.thread, .messages)
        arguments.append(number: seq)
        if write.kind == .put { arguments.append(write.key.slice(9, 8), write.value) }
        if write.kind == .delete { arguments.append(number: seq) }
    }
}

extension KeyValueWrite.Kind {
    fileprivate var isCondition: Bool { self != .put && self != .delete }
}
