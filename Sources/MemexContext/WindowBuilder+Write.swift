internal import MemexModel

extension WindowBuilder {
    /// Writes the window and the reasons.
    func write(_ tokenizer: String, _ out: inout ByteBuffer) throws(MemexError) {
        let start = out.count
        out.reserve(examined.arena.count &+ examined.items.count &* 64 &+ 256)
        let kept = units.indices.filter { units[$0].isKept }
        writeBodies(kept, &out)
        writeSeqs(kept, &out)
        var tokens: Int64 = 0
        for index in kept { tokens = tokens &+ units[index].tokens }
        out.append("],\"tokens\":")
        out.append(number: tokens)
        out.append(",\"tokenizer\":")
        out.append(text: JSONText.quoted(tokenizer))
        writeKept(kept, &out)
        try writeLeftOut(&out)
        writeChanged(kept, &out)
        out.append("],\"message_count\":")
        out.append(number: source.messageCount)
        out.append(byte: 0x7D)
        if out.failed {
            out.truncate(start)
            throw MemexError.noMemory
        }
    }

    private func writeBodies(_ kept: [Int], _ out: inout ByteBuffer) {
        out.append("{\"messages\":[")
        var isFirst = true
        for index in kept {
            forEachItem(units[index]) { item in
                if !isFirst { out.append(byte: 0x2C) }
                isFirst = false
                out.append(examined.body(item))
            }
        }
    }

    private func writeSeqs(_ kept: [Int], _ out: inout ByteBuffer) {
        out.append("],\"seqs\":[")
        var isFirst = true
        for index in kept {
            forEachItem(units[index]) { item in
                if !isFirst { out.append(byte: 0x2C) }
                isFirst = false
                out.append(number: item.seq)
            }
        }
    }

    private func writeKept(_ kept: [Int], _ out: inout ByteBuffer) {
        out.append(",\"kept\":[")
        let hasCustom = strategy.steps.contains { if case .custom = $0 { true } else { false } }
        var isFirst = true
        for index in kept {
            let unit = units[index]
            forEachItem(unit) { item in
                let reason: KeptReason
                switch item.pin {
                case .system: reason = .system
                case .flagged: reason = .pinned
                default: reason = unit.isPinned ? .group : hasCustom ? .strategy : .recent
                }
                writeEntry(item, reason.name, isFirst, &out)
                isFirst = false
            }
        }
    }

    private func writeEntry(
        _ item: WindowItem, _ reason: StaticString, _ isFirst: Bool, _ out: inout ByteBuffer
    ) {
        out.append(isFirst ? "{\"seq\":" : ",{\"seq\":")
        out.append(number: item.seq)
        out.append(",\"reason\":\"")
        out.append(reason)
        out.append("\",\"tokens\":")
        out.append(number: item.tokens)
        if !details.isEmpty, let text = details[item.seq] {
            out.append(",\"detail\":")
            text.withUnsafeBufferPointer { _ = JSONEscape.appendQuoted($0, to: &out) }
        }
        out.append(byte: 0x7D)
    }

    /// What is said about an item that is not in the window; nil when it counts as not examined.
    private func leftOutReason(_ item: WindowItem) -> LeftOutReason? {
        let reason = item.fault ?? item.loose ?? (item.unit >= 0 ? units[item.unit].leftOut : nil)
        if item.seq < examined.tailFrom, item.pin == .none { return nil }
        return reason
    }

    private func writeLeftOut(_ out: inout ByteBuffer) throws(MemexError) {
        out.append("],\"left_out\":[")
        var isFirst = true
        var listed: Int64 = 0
        var firstUnknown: Int64 = 1
        var isFound = false
        for item in examined.items {
            if item.unit >= 0, units[item.unit].isKept {
                listed &+= 1
            } else if let reason = leftOutReason(item) {
                writeEntry(item, reason.name, isFirst, &out)
                isFirst = false
                listed &+= 1
            } else {
                continue
            }
            if !isFound {
                isFound = try !source.areAdjacent(firstUnknown &- 1, item.seq)
                if !isFound { firstUnknown = item.seq &+ 1 }
            }
        }
        let count = source.messageCount &- listed
        guard count > 0, firstUnknown < examined.tailFrom else { return }
        out.append(isFirst ? "{\"from_seq\":" : ",{\"from_seq\":")
        out.append(number: firstUnknown)
        out.append(",\"to_seq\":")
        out.append(number: examined.tailFrom &- 1)
        out.append(",\"count\":")
        out.append(number: count)
        out.append(",\"reason\":\"not_examined\"}")
    }

    /// Results that stand before messages which came between them and their call.
    private func writeChanged(_ kept: [Int], _ out: inout ByteBuffer) {
        out.append("],\"changed\":[")
        var isFirst = true
        for position in kept.indices where units[kept[position]].count > 1 {
            guard position &+ 1 < kept.count else { break }
            let next = seq(units[kept[position &+ 1]])
            var previous: Int64 = 0
            forEachItem(units[kept[position]]) { item in
                if item.seq > next {
                    out.append(isFirst ? "{\"seq\":" : ",{\"seq\":")
                    isFirst = false
                    out.append(number: item.seq)
                    out.append(",\"change\":\"moved\",\"after_seq\":")
                    out.append(number: previous)
                    out.append(byte: 0x7D)
                }
                previous = item.seq
            }
        }
    }
}
