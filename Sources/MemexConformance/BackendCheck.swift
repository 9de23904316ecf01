internal import Memex
package import MemexModel
internal import MemexStorage

/// Runs the conformance cases against whatever a URL names, see `memex_backend_check`.
package enum BackendCheck {
    package static func run(_ config: ByteView, to out: inout ByteBuffer) throws(MemexError) {
        var reader = try OptionReader(config, what: "config")
        let options = try StoreOptions(&reader)
        let topics = try topics(&reader)
        let seed = try reader.int64("seed")
        try reader.finish()
        guard !options.readOnly else {
            throw MemexError.invalid(path: "/read_only", "makes no sense here: the cases write")
        }
        try requireEmpty(options, topics)
        var report = Report()
        for topic in topics {
            report.add(topic, run(topic, options, seed.map { UInt64(bitPattern: $0) }))
        }
        report.finish(&out)
    }

    private static func topics(_ reader: inout OptionReader) throws(MemexError) -> [EngineTopic] {
        guard let list = try reader.array("cases") else { return EngineTopic.allCases }
        var topics: [EngineTopic] = []
        for index in 0..<list.count {
            guard let name = list.element(index)?.string, let topic = EngineTopic(name: name) else {
                let known = EngineTopic.allCases.map { "\($0.name)" }.joined(separator: ", ")
                throw MemexError.invalid(path: "/cases/\(index)", "is no case; cases are \(known)")
            }
            if !topics.contains(topic) { topics.append(topic) }
        }
        guard !topics.isEmpty else {
            throw MemexError.invalid(path: "/cases", "is empty; leave it out for all cases")
        }
        return topics
    }

    /// The cases fill the store, so it must not be somebody's; and they need their tenants as they left them.
    private static func requireEmpty(_ options: StoreOptions, _ topics: [EngineTopic]) throws(MemexError) {
        let store = try Store.open(options)
        var found = false
        do throws(MemexError) {
            for tenant in [""] + topics.map(\.tenantPrefix) {
                let scan = ThreadScan(tenant: tenant, order: .creation, descending: false)
                try store.engine.threads(scan) { (_) throws(MemexError) in
                    found = true
                    return false
                }
            }
        } catch {
            try? store.close()
            throw error
        }
        try store.close()
        if found {
            throw MemexError.invalid(path: "/url", "names a store that is not empty; give a new one")
        }
    }

    private enum Outcome {
        case passed
        case failed([String])
        case skipped(StaticString)
    }

    private static func run(_ topic: EngineTopic, _ options: StoreOptions, _ seed: UInt64?) -> Outcome {
        // A new store each time, or the one that the other cases fill, too.
        let isFresh = options.target == .memory || options.target == .sqliteMemory
        var keepsNothing = isFresh
        if case .sharedMemory = options.target { keepsNothing = true }
        if topic == .reopening, keepsNothing {
            return .skipped("a store in memory keeps nothing once it is closed")
        }
        var store: Store
        do throws(MemexError) { store = try Store.open(options) } catch {
            return .failed(["the store does not open again: \(error.message)"])
        }
        if topic.needsMultiThreadBatches, !store.engine.capabilities.multiThreadBatches {
            try? store.close()
            return .skipped("the engine has no batches over several threads")
        }
        let checker = StorageEngineChecker(
            seed: seed ?? StorageEngineChecker.defaultSeed, appendsPerWriter: 100, isFresh: isFresh)
        checker.run(topic, on: store.engine) { (_) in
            try store.close()
            store = try Store.open(options)
            return store.engine
        }
        do throws(MemexError) { try store.close() } catch {
            // A failed reopening leaves a store that is closed.
            if error.code != .closed { checker.expectations.fail(error) }
        }
        let failures = checker.failures
        return failures.isEmpty ? .passed : .failed(failures)
    }

    /// The result as JSON.
    private struct Report {
        private var counts = (passed: 0, failed: 0, skipped: 0)
        private var cases = ""

        mutating func add(_ topic: EngineTopic, _ outcome: Outcome) {
            if !cases.isEmpty { cases += "," }
            cases += "{\"name\":\"\(topic.name)\",\"result\":"
            switch outcome {
            case .passed:
                counts.passed += 1
                cases += "\"passed\"}"
            case .skipped(let reason):
                counts.skipped += 1
                cases += "\"skipped\",\"reason\":\"\(reason)\"}"
            case .failed(let failures):
                counts.failed += 1
                var reason = failures[0]
                if failures.count > 1 { reason += " (and \(failures.count - 1) more)" }
                cases += "\"failed\",\"reason\":" + JSONText.quoted(reason) + "}"
            }
        }

        func finish(_ out: inout ByteBuffer) {
            out.append(
                text: "{\"passed\":\(counts.passed),\"failed\":\(counts.failed),"
                    + "\"skipped\":\(counts.skipped),\"cases\":[\(cases)]}")
        }
    }
}
