internal import MemexModel

/// What a transaction adds to its writes at the end, and the list of them.
extension WriteTransaction {
    /// Adds the whole commit to a list; its bytes belong to the transaction.
    func finish(_ list: inout WriteList) throws(MemexError) {
        try refuseFamilies()
        for thread in threads { try finish(thread) }
        if puts.count == 0, deletes.count == 0 { return }
        list.reserve(writes: puts.count &+ deletes.count &+ absent.count &+ equal.count)
        Self.list(.requireEqual, equal, &list)
        Self.list(.requireAbsent, absent, &list)
        Self.list(.put, puts, &list)
        Self.list(.delete, deletes, &list)
    }

    /// A store that is spread over several servers cannot write to two of them at once.
    private func refuseFamilies() throws(MemexError) {
        if threads.count < 2 || store.traits.spansFamilies { return }
        let families = Set(threads.map { $0.head.record.rootKey != 0 ? $0.head.record.rootKey : $0.key })
        guard families.count == 1 else {
            throw MemexError(
                .unsupported,
                "the batch writes to \(families.count) threads that are no forks of one another, which may be on "
                    + "several servers of the cluster; nothing was stored: write to each in a batch of its own",
                detailMembers: "\"threads\":\(families.count)")
        }
    }

    private static func list(
        _ kind: KeyValueWrite.Kind, _ tree: borrowing MemoryTree, _ list: inout WriteList
    ) {
        guard var position = tree.position(ByteView(start: nil, count: 0)) else { return }
        while let block = tree.forward(&position) { list.append(kind, block.key, block.value) }
    }

    private func finish(_ thread: TransactionThread) throws(MemexError) {
        var name = ByteBuffer(capacity: 16)
        name.key(KeyLayout.head, thread.key)
        var next = ByteBuffer(capacity: 32)
        if let stored = thread.stored {
            var value = ByteBuffer(capacity: stored.count)
            stored.withUnsafeBufferPointer { value.append($0) }
            try require(name, equal: value)
            next.key(KeyLayout.message, thread.key, thread.firstFreeSeq)
            if next.failed { throw .noMemory }
            try Self.set(&absent, next.view, ByteView(start: nil, count: 0))
        } else {
            try requireAbsent(name)
        }
        try finishPlace(thread)
        if thread.isRemoved || !thread.isChanged { return }
        try thread.head.record.confirm()
        thread.head.generation &+= 1
        if thread.isDocumentChanged { try finishDocument(thread) }
        var value = ByteBuffer(capacity: 256)
        ThreadRow.write(thread.head, to: &value)
        try put(name, value)
    }

    private func finishDocument(_ thread: TransactionThread) throws(MemexError) {
        var name = ByteBuffer(capacity: 16)
        name.key(KeyLayout.document, thread.key)
        thread.head.hasDocument = thread.head.record.title != nil || thread.head.record.metadata != nil
        guard thread.head.hasDocument else { return try delete(name) }
        thread.head.documentGeneration = thread.head.generation
        var value = ByteBuffer(capacity: 256)
        ThreadRow.writeDocument(thread.head, to: &value)
        try put(name, value)
    }

    private func finishPlace(_ thread: TransactionThread) throws(MemexError) {
        let record = thread.head.record
        let place = thread.isListed ? record.activityAt : nil
        if place == thread.placedAt { return }
        var tenant = record.tenant
        var name = ByteBuffer(capacity: 64)
        if let old = thread.placedAt {
            tenant.withUTF8 { name.activityKey(tenant: $0, at: old, record.key) }
            try delete(name)
        }
        name.removeAll()
        if let place {
            tenant.withUTF8 { name.activityKey(tenant: $0, at: place, record.key) }
            try put(name, ByteView(start: nil, count: 0))
        }
    }
}
