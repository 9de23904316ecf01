internal import MemexModel

extension WindowBuilder {
    /// Lets the steps narrow what is kept, in order, and the request's max_tokens last.
    mutating func choose() throws(MemexError) {
        for index in units.indices where units[index].isKept && !units[index].isPinned {
            // Neighbours of pinned messages from before the tail: no step gets to see them.
            if seq(units[index]) < examined.tailFrom { units[index].leftOut = .notExamined }
        }
        for step in strategy.steps {
            switch step {
            case .fifo(let last): keepNewest(last, .fifo) { $0.count }
            case .tokenBudget(let limit): try keepBudget(limit)
            case .custom(let custom): try apply(custom)
            }
        }
        if let limit = request.maxTokens { try keepBudget(limit) }
    }

    private mutating func keepBudget(_ limit: Int64) throws(MemexError) {
        let pinned = try pinnedTokens(upTo: limit)
        keepNewest(limit &- pinned, .budget) { $0.tokens }
    }

    /// Keeps the longest run of newest units whose sum is within the limit; pinned ones do not count.
    private mutating func keepNewest(_ limit: Int64, _ reason: LeftOutReason, _ size: (WindowUnit) -> Int64) {
        var left = limit
        var isFull = false
        for index in units.indices.reversed() where units[index].isKept && !units[index].isPinned {
            let size = size(units[index])
            if !isFull, size <= left {
                left &-= size
            } else {
                isFull = true
                units[index].leftOut = reason
            }
        }
    }

    // MARK: Custom steps

    private mutating func apply(_ step: CustomStep) throws(MemexError) {
        let from = examined.seqOfNewest(step.examine)
        var input = ByteBuffer(capacity: examined.arena.count &+ examined.items.count &* 80 &+ 256)
        writeInput(step, from, &input)
        if input.failed { throw MemexError.noMemory }
        var reply = ByteBuffer()
        try step.strategy.select(input: input.view, reply: &reply)
        if reply.failed { throw MemexError.noMemory }
        let kept: Set<Int64>
        do throws(MemexError) {
            kept = try readReply(reply.view, from)
        } catch {
            throw MemexError(
                .callback, "the strategy's reply: \(error.message)", detailMembers: error.detailMembers)
        }
        for index in units.indices where units[index].isKept && !units[index].isPinned {
            if seq(units[index]) < from {
                units[index].leftOut = .notExamined
                continue
            }
            var named: Int64 = 0
            forEachItem(units[index]) { if kept.contains($0.seq) { named &+= 1 } }
            if named == units[index].count { continue }
            units[index].leftOut = named == 0 ? .strategy : .cut
        }
    }

    /// Whether a step gets to see a unit: it can be sent, and is pinned or new enough.
    private func isShown(_ unit: WindowUnit, _ from: Int64) -> Bool {
        guard unit.leftOut?.isChoice ?? true else { return false }
        return unit.isPinned || seq(unit) >= from
    }

    private func writeInput(_ step: CustomStep, _ from: Int64, _ out: inout ByteBuffer) {
        out.append("{\"config\":")
        step.config.withUnsafeBufferPointer { out.append($0) }
        if let limit = request.maxTokens {
            out.append(",\"max_tokens\":")
            out.append(number: limit)
        }
        out.append(",\"messages\":[")
        var isFirst = true
        for item in examined.items where item.unit >= 0 {
            let unit = units[item.unit]
            guard isShown(unit, from) else { continue }
            out.append(isFirst ? "{\"seq\":" : ",{\"seq\":")
            isFirst = false
            out.append(number: item.seq)
            out.append(",\"role\":\"")
            out.append(item.role.name)
            out.append("\",\"tokens\":")
            out.append(number: item.tokens)
            out.append(unit.isPinned ? ",\"pinned\":true" : ",\"pinned\":false")
            out.append(unit.isKept ? ",\"kept\":true" : ",\"kept\":false")
            out.append(",\"body\":")
            out.append(examined.body(item))
            out.append(byte: 0x7D)
        }
        out.append("]}")
    }

    private mutating func readReply(_ reply: ByteView, _ from: Int64) throws(MemexError) -> Set<Int64> {
        var shown = Set<Int64>()
        for item in examined.items where item.unit >= 0 && isShown(units[item.unit], from) {
            shown.insert(item.seq)
        }
        var options = try OptionReader(reply, what: "it")
        guard let keep = try options.array("keep") else { throw options.failure("keep", "is missing") }
        var kept = Set<Int64>()
        for index in 0..<keep.count {
            guard let seq = keep.element(index)?.int64, shown.contains(seq) else {
                throw options.failure("keep", "element \(index) is no seq of the messages that were given")
            }
            kept.insert(seq)
        }
        if let reasons = try options.object("reasons") {
            var found: [Int64: [UInt8]] = [:]
            try reasons.forEachMember { (name, text) throws(MemexError) in
                guard let seq = Int64(name.text), shown.contains(seq) else {
                    throw MemexError.invalid(
                        path: "/reasons", "a key is no seq of the messages that were given")
                }
                guard let text = text.string, text.count <= Limits.idBytes else {
                    throw MemexError.invalid(path: "/reasons/\(seq)", "must be a string of at most 255 bytes")
                }
                found[seq] = Array(text)
            }
            for (seq, text) in found { details[seq] = text }
        }
        try options.finish()
        return kept
    }

    func forEachItem(_ unit: WindowUnit, _ visit: (WindowItem) -> Void) {
        var index = unit.first
        while index >= 0 {
            visit(examined.items[index])
            index = examined.items[index].next
        }
    }
}
