internal import MemexModel
internal import MemexStorage

/// The lines of an open group, and reads that see them. Used by one thread at a time: the leader of the commit
/// queue, which alone changes the index meanwhile.
final class FileGroup: OrderedStore, @unchecked Sendable {
    let traits = OrderedStoreTraits()
    private let shared: FileState
    // One thread at a time, so each use need not be checked for others.
    /// The group as it will stand in the journal; the last line still lacks its end.
    @exclusivity(unchecked) private var lines = ByteBuffer()
    @exclusivity(unchecked) private var lastStart = 0
    @exclusivity(unchecked) private var count: Int64 = 0
    @exclusivity(unchecked) private var commitNumber: Int64 = 0
    @exclusivity(unchecked) private var base: Int64 = 0
    @exclusivity(unchecked) private var changes: [FileIndex.Change] = []
    /// Key to the number of its last change, for reads: made when somebody reads.
    @exclusivity(unchecked) private var overlay = MemoryTree()
    @exclusivity(unchecked) private var overlaid = 0
    @exclusivity(unchecked) private(set) var isBroken = false

    init(_ shared: FileState) { self.shared = shared }

    deinit { for change in changes { change.block.release() } }

    func begin() {
        isBroken = false
        base = shared.end
        commitNumber = shared.commit &+ 1
    }

    var isEmpty: Bool { count == 0 }

    /// Ends the last line: the whole commit.
    func finished() throws(MemexError) -> ByteView {
        JournalLine.finish(&lines, from: lastStart, commit: commitNumber, line: count, isLast: true)
        if lines.failed { throw .noMemory }
        return lines.view
    }

    /// Hands the changes to the index.
    func apply(to index: inout FileIndex) {
        for change in changes { index.apply(change) }
        changes.removeAll(keepingCapacity: changes.count <= 4096)
        clear()
    }

    func forget() {
        for change in changes { change.block.release() }
        changes.removeAll(keepingCapacity: false)
        clear()
    }

    private func clear() {
        if lines.count > 1 << 20 || lines.failed { lines = ByteBuffer() } else { lines.removeAll() }
        lastStart = 0
        count = 0
        if overlaid > 0 { overlay = MemoryTree() }
        overlaid = 0
    }

    // MARK: Writing

    func commit(_ writes: UnsafeBufferPointer<KeyValueWrite>) throws(MemexError) -> Bool {
        for write in writes where write.kind != .put && write.kind != .delete {
            guard try holds(write) else { return false }
        }
        isBroken = true
        for write in writes where write.kind == .put || write.kind == .delete { try add(write) }
        isBroken = false
        return true
    }

    private func holds(_ write: KeyValueWrite) throws(MemexError) -> Bool {
        var isEqual = false
        let isPresent = try get(write.key) { (value) throws(MemexError) -> Void in
            isEqual = value.equals(write.value)
        }
        switch write.kind {
        case .requireAbsent: return !isPresent
        case .requirePresent: return isPresent
        case .requireEqual: return isEqual
        case .put, .delete: return true
        }
    }

    private func add(_ write: KeyValueWrite) throws(MemexError) {
        // A deletion of what is not there says nothing.
        if write.kind == .delete, try !get(write.key, { (_) throws(MemexError) -> Void in }) { return }
        if count > 0 {
            JournalLine.finish(&lines, from: lastStart, commit: commitNumber, line: count, isLast: false)
        }
        count &+= 1
        lastStart = lines.count
        JournalLine.begin(write, to: &lines)
        let ending = JournalLine.endSize(commit: commitNumber, line: count)
        if lines.failed { throw .noMemory }
        let change: FileIndex.Change?
        if write.kind == .delete {
            change = FileIndex.delete(write.key, count: lines.count &- lastStart &+ ending)
        } else {
            change = FileIndex.put(
                write.key, inline: FileIndex.keepsInline(write.key, write.value) ? write.value : nil,
                offset: base &+ Int64(lastStart), count: lines.count &- lastStart &+ ending)
        }
        guard let change else { throw .noMemory }
        changes.append(change)
    }

    // MARK: Reading

    private func overlayNow() throws(MemexError) {
        while overlaid < changes.count {
            var number = ByteBuffer(capacity: 8)
            number.append(littleEndian: Int64(overlaid))
            guard !number.failed, let block = MemoryBlock.make(changes[overlaid].block.key, number.view)
            else {
                throw .noMemory
            }
            switch overlay.put(block) {
            case .added: break
            case .replaced(let old): old.release()
            case .noMemory:
                block.release()
                throw .noMemory
            }
            overlaid &+= 1
        }
    }

    private func change(_ block: MemoryBlock) -> FileIndex.Change? {
        guard block.value.count == 8, let base = block.value.baseAddress else { return nil }
        let number = Int(Int64(littleEndian: UnsafeRawPointer(base).loadUnaligned(as: Int64.self)))
        return number >= 0 && number < changes.count ? changes[number] : nil
    }

    func get(_ key: ByteView, _ visit: (ByteView) throws(MemexError) -> Void) throws(MemexError) -> Bool {
        if !changes.isEmpty {
            try overlayNow()
            if let block = overlay.find(key), let change = change(block) {
                if change.isDelete { return false }
                try show(change.block, visit)
                return true
            }
        }
        return try shared.get(key, visit)
    }

    /// The value of a change of this group, out of its line if need be.
    private func show(_ block: MemoryBlock, _ visit: (ByteView) throws(MemexError) -> Void) throws(MemexError)
    {
        guard let entry = FileIndex.read(block.value) else { throw FileState.damagedIndex }
        switch entry {
        case .inline(let value): try visit(value)
        case .line(let offset, _):
            let start = Int(offset &- base)
            var end = lines.count
            if start != lastStart {
                end = start
                while end < lines.count, lines.view[end] != 0x0A { end &+= 1 }
            }
            var content = lines.view.slice(start, end &- start)
            if start != lastStart {
                guard let summed = JournalLine.summed(content), let found = JournalLine.place(summed) else {
                    throw FileState.damagedIndex
                }
                content = found.content
            }
            var key = ByteBuffer()
            var value = ByteBuffer()
            guard JournalLine.read(content, key: &key, value: &value, wantsValue: true) != nil, !value.failed
            else { throw .noMemory }
            try visit(value.view)
        }
    }

    func scan(
        from: ByteView, to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        if changes.isEmpty {
            return try shared.scanIndex(
                from: from, to: to, descending: descending, limit: limit, visit)
        }
        try overlayNow()
        guard limit > 0, from.compare(to) < 0 else { return }
        var ours = overlay.position(descending ? to : from)
        var theirs = shared.position(descending ? to : from)
        var own = next(&ours, from, to, descending)
        var stored = shared.next(&theirs, from, to, descending)
        var left = limit
        while left > 0, own != nil || stored != nil {
            var order = own == nil ? 1 : stored == nil ? -1 : 0
            if let own, let stored {
                order = own.key.compare(stored.key)
                if descending { order = 0 &- order }
            }
            if order <= 0, let block = own {
                if order == 0 { stored = shared.next(&theirs, from, to, descending) }
                own = next(&ours, from, to, descending)
                guard let change = change(block), !change.isDelete else { continue }
                var going = true
                try show(change.block) { (value) throws(MemexError) -> Void in
                    going = try visit(block.key, value)
                }
                guard going else { return }
            } else if let block = stored {
                stored = shared.next(&theirs, from, to, descending)
                guard try shared.show(block, visit) else { return }
            }
            left &-= 1
        }
    }

    private func next(
        _ position: inout MemoryTree.Position?, _ from: ByteView, _ to: ByteView, _ descending: Bool
    ) -> MemoryBlock? {
        guard var place = position else { return nil }
        defer { position = place }
        guard let block = descending ? overlay.backward(&place) : overlay.forward(&place) else { return nil }
        return descending
            ? block.key.compare(from) >= 0 ? block : nil : block.key.compare(to) < 0 ? block : nil
    }

    func close() throws(MemexError) {}
}
