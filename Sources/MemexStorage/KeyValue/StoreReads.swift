internal import MemexModel

/// Reads that engine and transactions share.
extension OrderedStore {
    /// Entries of one read of the store; a store of the host's copies them all.
    static var pageEntries: Int64 { 512 }

    /// The stored head of a thread, added to `head`; false when there is none.
    func readHead(_ key: Int64, into head: inout ByteBuffer) throws(MemexError) -> Bool {
        var name = ByteBuffer(capacity: 16)
        name.key(KeyLayout.head, key)
        let found = try name.lend { (name) throws(MemexError) -> Bool in
            try get(name) { (value) throws(MemexError) -> Void in head.append(value) }
        }
        if head.failed { throw .noMemory }
        return found
    }

    /// The last own row of a thread up to a seq, (0, 0) when there is none.
    func lastRow(
        _ key: Int64, upTo limit: Int64 = .max, skipping: ((ByteView) -> Bool)? = nil
    ) throws(MemexError) -> (seq: Int64, createdAt: Int64) {
        var from = ByteBuffer(capacity: 32)
        from.key(KeyLayout.message, key)
        var to = ByteBuffer(capacity: 32)
        to.key(KeyLayout.message, key, limit)
        to.advancePastKey()
        var found: (seq: Int64, createdAt: Int64) = (0, 0)
        try scanRange(from, to, descending: true, limit: skipping == nil ? 1 : .max) {
            (name, value) throws(MemexError) -> Bool in
            if let skipping, skipping(name) { return true }
            let seq = try Self.seq(name)
            found = (seq, try MessageRow.createdAt(seq, value))
            return false
        }
        return found
    }

    /// The number that stands at an offset of a key.
    static func number(_ name: ByteView, at offset: Int) throws(MemexError) -> Int64 {
        guard name.count >= offset &+ 8 else { throw RecordHead.damaged }
        var reader = ByteReader(name.slice(offset, 8))
        let value = reader.ordered()
        guard StoredNumber.isCount(value) else { throw RecordHead.damaged }
        return value
    }

    /// The seq in the key of a message or a mark.
    static func seq(_ name: ByteView) throws(MemexError) -> Int64 {
        let value = try number(name, at: 9)
        guard value > 0, StoredNumber.isSeq(value) else { throw RecordHead.damaged }
        return value
    }

    /// A whole range, page by page.
    func scanRange(
        _ from: borrowing ByteBuffer, _ to: borrowing ByteBuffer, descending: Bool, limit: Int64 = .max,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        var start = ByteBuffer(capacity: 64)
        start.append(from.view)
        var end = ByteBuffer(capacity: 64)
        end.append(to.view)
        var left = limit
        while left > 0 {
            let page = left < Self.pageEntries ? left : Self.pageEntries
            var seen: Int64 = 0
            var going = true
            var mark = ByteBuffer(capacity: 64)
            try start.lend { (start) throws(MemexError) -> Void in
                try end.lend { (end) throws(MemexError) -> Void in
                    try scan(from: start, to: end, descending: descending, limit: page) {
                        (name, value) throws(MemexError) -> Bool in
                        seen &+= 1
                        if seen == page {
                            mark.append(name)
                            if mark.failed { throw .noMemory }
                        }
                        going = try visit(name, value)
                        return going
                    }
                }
            }
            if !going || seen < page { return }
            left &-= seen
            if descending {
                end.removeAll()
                end.append(mark.view)
            } else {
                start.removeAll()
                start.append(mark.view)
                start.advancePastKey()
            }
        }
    }

    /// All keys that begin with the bytes of `prefix`.
    func scanPrefix(
        _ prefix: borrowing ByteBuffer, _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        var to = ByteBuffer(capacity: 64)
        to.append(prefix.view)
        to.advancePastPrefix()
        try scanRange(prefix, to, descending: false, visit)
    }
}
