package import MemexModel
internal import MemexStorage

extension ConversationThread {
    /// Writes the thread's document.
    package func document(_ out: inout ByteBuffer) throws(MemexError) {
        try reading { () throws(MemexError) in try ThreadDocument.append(try record(), store.engine, to: &out)
        }
    }

    /// Changes title and metadata by a merge patch: options {"if_version"}.
    package func update(_ patch: ByteView, _ optionBytes: ByteView, _ out: inout ByteBuffer)
        throws(MemexError)
    {
        try writing { () throws(MemexError) in
            var options = try OptionReader(optionBytes, what: "options")
            let ifVersion = try options.int64("if_version", in: 1...Int64.max)
            try options.finish()
            let change = try DocumentPatch(patch)
            let key = try storedKey()
            if let transaction = session.transaction {
                try transaction.claimMessage(key, 0)
                let record = try record()
                _ = try transaction.add(
                    [.updateThread(try updated(record, change, ifVersion ?? record.version, transaction))],
                    kind: .change)
                return
            }
            var retries = Retries(store)
            while true {
                let record = try record()
                let update = try updated(record, change, ifVersion ?? record.version, nil)
                do throws(MemexError) {
                    _ = try store.commit([.updateThread(update)], until: store.repeatableDeadline())
                    break
                } catch {
                    guard ifVersion == nil else { throw error }
                    try retries.next(after: error)
                }
            }
            try ThreadDocument.append(try record(), store.engine, to: &out)
        }
    }

    private func updated(
        _ record: ThreadRecord, _ change: DocumentPatch, _ version: Int64, _ transaction: Transaction?
    ) throws(MemexError) -> ThreadUpdate {
        _ = transaction?.noteChange(record.key)
        var update = ThreadUpdate(thread: target)
        update.expectVersion = version
        update.versionDelta = 1
        update.changesDelta = 1
        update.updatedAt = store.environment.now()
        update.title = change.title
        update.metadata = try change.metadata(of: record)
        return update
    }

    /// Starts a thread that shares this one's messages up to a point, see `memex_thread_fork`.
    package func fork(_ optionBytes: ByteView) throws(MemexError) -> ConversationThread {
        try writing { () throws(MemexError) in
            guard session.transaction == nil else {
                throw MemexError(
                    .unsupported, "a fork cannot be part of a transaction; make it before or after")
            }
            var options = try OptionReader(optionBytes, what: "options", carries: true)
            let at = try options.int64("at_seq", in: 0...Limits.seq)
            var new = try ThreadInit.read(&options, session)
            try options.finish()
            var retries = Retries(store)
            while true {
                let base = try record()
                let seq = at ?? base.lastSeq
                guard seq <= base.lastSeq else {
                    throw MemexError.invalid(
                        path: "/at_seq", "is \(seq), the thread's last seq is \(base.lastSeq)")
                }
                let chain = try chain()
                guard chain.levels.count < ThreadChain.levelsMaximum else {
                    throw MemexError(
                        .limit, "the thread is a fork of a fork, \(chain.levels.count) deep; copy it instead")
                }
                new.baseKey = base.key
                new.baseSeq = seq
                new.floor = seq
                new.baseRev = base.rev
                new.rootKey = base.rootKey != 0 ? base.rootKey : base.key
                new.deletedCount = base.deletedCount == 0 ? 0 : try tombstones(chain, upTo: seq)
                var note = ThreadUpdate(thread: .key(base.key))
                note.expectChanges = base.changes
                note.changesDelta = 1
                note.forkDelta = 1
                do throws(MemexError) {
                    let results = try store.commit(
                        [.updateThread(note), .createThread(new)], until: store.repeatableDeadline())
                    new.key = results[1].key
                    return ConversationThread(session, .key(new.key), new)
                } catch {
                    try retries.next(after: error)
                }
            }
        }
    }

    private func tombstones(_ chain: ThreadChain, upTo seq: Int64) throws(MemexError) -> Int64 {
        var count: Int64 = 0
        try chain.read(store.engine, MessageRange(to: seq)) { (view, _) throws(MemexError) in
            if view.isDeleted { count += 1 }
            return true
        }
        return count
    }
}

/// A merge patch of a thread's document: {"title", "metadata"}.
struct DocumentPatch {
    private(set) var title: String??
    private var metadata: ByteView?
    private var removesMetadata = false
    private let bytes: OwnedBytes

    init(_ patch: ByteView) throws(MemexError) {
        guard patch.count > 0 else { throw MemexError(.invalid, "the patch is missing; give a JSON object") }
        bytes = try OwnedBytes(copying: patch)
        var reader = try OptionReader(bytes.view, what: "the patch", carries: true)
        if let node = reader.value("title") {
            if node.isNull {
                title = .some(nil)
            } else if let text = node.string {
                title = try ThreadInit.checkedTitle(text)
            } else {
                throw MemexError.invalid(path: "/title", "is neither a string nor null")
            }
        }
        if let node = reader.value("metadata") {
            if node.isNull {
                removesMetadata = true
            } else {
                guard node.kind == .object else {
                    throw MemexError.invalid(path: "/metadata", "is neither an object nor null")
                }
                metadata = try reader.rawObject("metadata")
            }
        }
        try reader.finish()
    }

    func metadata(of record: ThreadRecord) throws(MemexError) -> [UInt8]?? {
        if removesMetadata { return .some(nil) }
        guard let metadata else { return nil }
        var after = ByteBuffer()
        let failure: MemexError? = (record.metadata ?? []).withUnsafeBufferPointer { before in
            do throws(MemexError) {
                guard record.metadata == nil || ThreadRecord.isMetadata(before) else {
                    throw ThreadRecord.impossibleText("metadata", of: record.key)
                }
                try JSONObject.patch(before, metadata, to: &after)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
        if JSONObject.isEmpty(after.view) { return .some(nil) }
        return try ThreadInit.checkedMetadata(after.view)
    }
}
