internal import MemexModel

extension WriteTransaction {
    func createThread(_ given: ThreadRecord) throws(MemexError) -> WriteResult {
        var record = given
        guard record.id.utf8.count > 0, record.id.utf8.count <= Limits.idBytes,
            record.tenant.utf8.count <= Limits.idBytes
        else {
            throw MemexError(.limit, "a thread's id has 1 to \(Limits.idBytes) bytes, its tenant no more")
        }
        var name = ByteBuffer(capacity: 64)
        name.nameKey(tenant: record.tenant, id: record.id)
        if !record.isHidden {
            guard try !get(name, { (_) throws(MemexError) -> Void in }) else {
                throw ContractError.threadExists
            }
            try requireAbsent(name)
        }
        record.key = try nextKey(for: record, name.view)
        record.activityAt = record.createdAt
        let thread = TransactionThread(new: record)
        add(thread)
        if !record.isHidden {
            var key = ByteBuffer(capacity: 8)
            key.append(littleEndian: record.key)
            try put(name, key)
            name.removeAll()
            name.key(KeyLayout.creation, tenant: record.tenant)
            name.append(ordered: record.key)
            try put(name, ByteView(start: nil, count: 0))
        }
        if record.baseKey != 0 {
            name.removeAll()
            name.key(KeyLayout.fork, record.baseKey, record.key)
            try put(name, ByteView(start: nil, count: 0))
        }
        if record.rootKey != 0 {
            name.removeAll()
            name.key(KeyLayout.family, record.rootKey, record.key)
            try put(name, ByteView(start: nil, count: 0))
        }
        var result = thread.result
        result.lastSeq = thread.lastSeq
        result.createdAt = record.createdAt
        return result
    }

    func updateThread(_ update: ThreadUpdate) throws(MemexError) -> WriteResult {
        let thread = try thread(update.thread)
        let record = thread.head.record
        if let expected = update.expectVersion, expected != record.version {
            throw ContractError.version(expected, record.version)
        }
        if let expected = update.expectChanges, expected != record.changes {
            throw ContractError.changed
        }
        if update.title != nil || update.metadata != nil { try loadDocument(thread) }
        if let title = update.title { thread.head.record.title = title }
        if let metadata = update.metadata { thread.head.record.metadata = metadata }
        if update.title != nil || update.metadata != nil { thread.isDocumentChanged = true }
        thread.head.record.version &+= update.versionDelta
        thread.head.record.changes &+= update.changesDelta
        thread.head.record.deletedCount &+= update.deletedDelta
        thread.head.record.forkCount &+= update.forkDelta
        if let moment = update.updatedAt { thread.head.record.updatedAt = moment }
        thread.isChanged = true
        if update.hide, !record.isHidden {
            try deleteNames(record)
            thread.head.record.isHidden = true
        }
        return thread.result
    }

    /// Title and metadata are only read when one of them changes.
    private func loadDocument(_ thread: TransactionThread) throws(MemexError) {
        guard !thread.isNew, !thread.isDocumentChanged, thread.head.hasDocument else { return }
        var name = ByteBuffer(capacity: 16)
        name.key(KeyLayout.document, thread.key)
        let found = try get(name) { (value) throws(MemexError) -> Void in
            // Of another generation: the head is out of date, so this commit loses its race.
            _ = try ThreadRow.readDocument(value, into: &thread.head)
        }
        if !found { thread.head.hasDocument = false }
    }

    func removeThread(_ target: ThreadTarget) throws(MemexError) -> WriteResult {
        let thread = try thread(target)
        let record = thread.head.record
        let result = thread.result
        if !record.isHidden { try deleteNames(record) }
        var name = ByteBuffer(capacity: 32)
        if record.baseKey != 0 {
            name.key(KeyLayout.fork, record.baseKey, record.key)
            try delete(name)
        }
        if record.rootKey != 0 {
            name.removeAll()
            name.key(KeyLayout.family, record.rootKey, record.key)
            try delete(name)
        }
        for prefix in [KeyLayout.head, KeyLayout.document] {
            name.removeAll()
            name.key(prefix, record.key)
            try delete(name)
        }
        for prefix in KeyLayout.ownedPrefixes {
            name.removeAll()
            name.key(prefix, record.key)
            var end = ByteBuffer(capacity: 16)
            end.append(name.view)
            end.advancePastPrefix()
            try deleteRange(name, end, isStoredToo: !store.traits.dropsThreads)
        }
        thread.isRemoved = true
        return result
    }

    /// What finds a live thread; its place by activity follows at the commit.
    private func deleteNames(_ record: ThreadRecord) throws(MemexError) {
        var name = ByteBuffer(capacity: 64)
        name.nameKey(tenant: record.tenant, id: record.id)
        try delete(name)
        name.removeAll()
        name.key(KeyLayout.creation, tenant: record.tenant)
        name.append(ordered: record.key)
        try delete(name)
    }
}
