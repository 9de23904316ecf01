internal import MemexModel
internal import MemexStorage

extension RedisStore {
    /// Rows of one reply: the first few, then as many as fit into some megabytes.
    private static let firstRows: Int64 = 32
    private static let replyBytes: Int64 = 4 << 20

    func scan(
        from: ByteView, to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        let letter = from.first ?? 0
        guard from.compare(to) < 0, limit > 0 else { return }
        if !RedisLayout.isOfThread(letter) {
            return try scanShards(from, to, descending: descending, limit: limit) {
                (name) throws(MemexError) -> Bool in
                try visit(name, ByteView(start: nil, count: 0))
            }
        }
        var next = ByteBuffer(capacity: 16)
        if from.count >= 9 {
            next.append(byte: letter)
            Self.append(RedisLayout.number(from, at: 1) &+ 1, to: &next)
            if next.failed { throw .noMemory }
            if to.compare(next.view) <= 0 {
                var left = limit
                return try scanThread(from, to, descending: descending, &left, visit)
            }
        }
        guard !descending else {
            throw MemexError(.internal, "rows of several threads are read in ascending order alone")
        }
        try scanThreads(from, to, limit: limit, visit)
    }

    private static func append(_ number: Int64, to buffer: inout ByteBuffer) {
        for shift in stride(from: 56, through: 0, by: -8) {
            buffer.append(byte: UInt8(truncatingIfNeeded: number >> Int64(shift)))
        }
    }

    // MARK: One thread

    /// False from the visitor makes `left` 0.
    private func scanThread(
        _ from: ByteView, _ to: ByteView, descending: Bool, _ left: inout Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        if RedisLayout.kind(from[0]) == .message {
            try scanMessages(from, to, descending: descending, &left, visit)
        } else {
            try scanRows(from, to, descending: descending, &left, visit)
        }
    }

    private func scanMessages(
        _ from: ByteView, _ to: ByteView, descending: Bool, _ left: inout Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        let place = layout.place(of: from)
        var low = RedisLayout.number(from, at: 9) &+ (from.count > 17 ? 1 : 0)
        var high = Limits.seq
        if to.count >= 17, to.slice(0, 9).equals(from.slice(0, 9)) {
            high = RedisLayout.number(to, at: 9) &- (to.count > 17 ? 0 : 1)
        }
        var count = min(left, Self.firstRows)
        var name = ByteBuffer(capacity: 17)
        while left > 0, low <= high {
            var command = RedisCommand(descending ? "ZREVRANGEBYSCORE" : "ZRANGEBYSCORE")
            layout.append("m", of: place.thread, place.shard, to: &command)
            command.append(number: descending ? high : low)
            command.append(number: descending ? low : high)
            command.append("LIMIT")
            command.append("0")
            command.append(number: count)
            let reply = try caller.read(place.shard, command, until: deadline)
            defer { withExtendedLifetime(reply) {} }
            guard reply.value.isArray else { throw Self.damaged }
            var bytes: Int64 = 0
            for index in 0..<reply.value.count {
                guard let row = reply.value[index]?.bytes, row.count >= 8 else { throw Self.damaged }
                name.removeAll()
                name.append(from.slice(0, 9))
                name.append(row.slice(0, 8))
                if name.failed { throw .noMemory }
                bytes += Int64(row.count)
                let seq = RedisLayout.number(row, at: 0)
                if descending { high = seq &- 1 } else { low = seq &+ 1 }
                left -= 1
                guard try visit(name.view, row.slice(8, row.count - 8)) else {
                    left = 0
                    return
                }
            }
            let seen = Int64(reply.value.count)
            if seen < count { return }
            count = min(left, max(1, Self.replyBytes / max(bytes / max(seen, 1), 1)), 512)
        }
    }

    private func scanRows(
        _ from: ByteView, _ to: ByteView, descending: Bool, _ left: inout Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        let place = layout.place(of: from)
        if RedisLayout.kind(from[0]) == .value {
            // Head and document: there is one of each.
            var name = ByteBuffer(capacity: 9)
            name.append(from.slice(0, 9))
            if name.failed { throw .noMemory }
            guard from.count == 9 else { return }
            let stored = try value(name.view, place, until: deadline)
            defer { withExtendedLifetime(stored) {} }
            if stored.value.isNil { return }
            left -= 1
            if try !visit(name.view, stored.value.bytes) { left = 0 }
            return
        }
        let hasValues = RedisLayout.kind(from[0]) == .orderedValue
        var command = hasValues ? RedisScript.scan.call() : Self.rangeCommand(descending)
        if hasValues {
            command.append("2")
            layout.append("z", of: place.thread, place.shard, to: &command)
            layout.append("h", of: place.thread, place.shard, to: &command)
            command.append(descending ? "ZREVRANGEBYLEX" : "ZRANGEBYLEX")
        } else {
            layout.append("z", of: place.thread, place.shard, to: &command)
        }
        var low = ByteBuffer(capacity: 32)
        low.append("[")
        low.append(from.slice(0, 1))
        low.append(from.slice(9, from.count - 9))
        var high = ByteBuffer(capacity: 32)
        high.append("(")
        if to.count > 9, to.slice(0, 9).equals(from.slice(0, 9)) {
            high.append(to.slice(0, 1))
            high.append(to.slice(9, to.count - 9))
        } else {
            high.append(byte: from[0] &+ 1)
        }
        if low.failed || high.failed { throw .noMemory }
        command.append(descending ? high.view : low.view)
        command.append(descending ? low.view : high.view)
        if !hasValues {
            command.append("LIMIT")
            command.append("0")
        }
        command.append(number: min(left, 1_000))
        let reply = try caller.read(place.shard, command, until: deadline)
        defer { withExtendedLifetime(reply) {} }
        let names = hasValues ? reply.value[0] : reply.value
        guard let names, names.isArray else { throw Self.damaged }
        var name = ByteBuffer(capacity: 64)
        for index in 0..<names.count {
            guard let field = names[index]?.bytes, field.count > 0 else { throw Self.damaged }
            var value = ByteView(start: nil, count: 0)
            if hasValues {
                guard let stored = reply.value[1]?[index], stored.isString else { throw Self.damaged }
                value = stored.bytes
            }
            name.removeAll()
            name.append(from.slice(0, 9))
            name.append(field.slice(1, field.count - 1))
            if name.failed { throw .noMemory }
            left -= 1
            guard try visit(name.view, value) else {
                left = 0
                return
            }
        }
    }

    private static func rangeCommand(_ descending: Bool) -> RedisCommand {
        descending ? RedisCommand("ZREVRANGEBYLEX") : RedisCommand("ZRANGEBYLEX")
    }

    // MARK: Several threads

    private func scanThreads(
        _ from: ByteView, _ to: ByteView, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        let letter = from[0]
        var mark = ByteBuffer(capacity: 9)
        mark.append(byte: RedisLayout.threadMark)
        mark.append(from.slice(1, min(from.count - 1, 8)))
        var end = ByteBuffer(capacity: 1)
        end.append(byte: RedisLayout.threadMark &+ 1)
        var threads: [Int64] = []
        try scanShards(mark.view, end.view, descending: false, limit: .max) {
            (name) throws(MemexError) -> Bool in
            guard name.count == 9 else { throw Self.damaged }
            threads.append(RedisLayout.number(name, at: 1))
            return true
        }
        var left = limit
        for thread in threads where left > 0 {
            var low = ByteBuffer(capacity: 64)
            low.append(byte: letter)
            Self.append(thread, to: &low)
            var high = ByteBuffer(capacity: 64)
            high.append(byte: letter)
            Self.append(thread &+ 1, to: &high)
            // The range begins inside of its first thread.
            if from.count > 9, from.slice(0, 9).equals(low.view) { low.append(from.slice(9, from.count - 9)) }
            if to.compare(high.view) < 0 {
                high.removeAll()
                high.append(to)
            }
            if low.failed || high.failed { throw .noMemory }
            if low.view.compare(high.view) >= 0 { continue }
            try scanThread(low.view, high.view, descending: false, &left, visit)
        }
    }

    // MARK: All shards

    /// Names of a range from every shard, merged.
    private func scanShards(
        _ from: ByteView, _ to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        var low = ByteBuffer(capacity: 96)
        low.append("[")
        low.append(from)
        var high = ByteBuffer(capacity: 96)
        high.append("(")
        high.append(to)
        var left = limit
        let page = Int(
            layout.shards == 1 ? min(limit, 512) : max(8, min(min(limit, 512), 1_024 / Int64(layout.shards))))
        while left > 0 {
            if low.failed || high.failed { throw .noMemory }
            let first = descending ? Array(high.view) : Array(low.view)
            let second = descending ? Array(low.view) : Array(high.view)
            let layout = layout
            let replies = try caller.readEach(layout.shards, until: deadline) { shard in
                var command = Self.rangeCommand(descending)
                layout.append("z", of: 0, shard, to: &command)
                first.withUnsafeBufferPointer { command.append($0) }
                second.withUnsafeBufferPointer { command.append($0) }
                command.append("LIMIT")
                command.append("0")
                command.append(number: Int64(page))
                return command
            }
            defer { withExtendedLifetime(replies) {} }
            var entries: [ByteView] = []
            /// Beyond it a shard has names that were not sent.
            var bound: ByteView?
            func isBefore(_ one: ByteView, _ other: ByteView) -> Bool {
                descending ? one.compare(other) > 0 : one.compare(other) < 0
            }
            for reply in replies {
                guard reply.value.isArray else { throw Self.damaged }
                let count = reply.value.count
                for index in 0..<count { if let name = reply.value[index]?.bytes { entries.append(name) } }
                if count >= page, let last = reply.value[count - 1]?.bytes {
                    bound = bound.map { isBefore(last, $0) ? last : $0 } ?? last
                }
            }
            entries.sort(by: isBefore)
            for entry in entries {
                if let bound, isBefore(bound, entry) { break }
                left -= 1
                guard try visit(entry), left > 0 else { return }
            }
            guard let bound else { return }
            if descending {
                high.removeAll()
                high.append("(")
                high.append(bound)
            } else {
                low.removeAll()
                low.append("(")
                low.append(bound)
            }
        }
    }
}
