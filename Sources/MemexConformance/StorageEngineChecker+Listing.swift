internal import MemexModel
internal import MemexStorage

extension StorageEngineChecker {
    func checkThreadScans(_ engine: any StorageEngine) throws {
        var generator = SeededGenerator(seed: seed)
        var keys: [Int64] = []
        for index in 0..<600 {
            let moment = Int64(generator.below(40)) * 50_000_000
            keys.append(try engine.create("thread \(index)", tenant: "t", at: moment))
            if index % 7 == 0 {
                try engine.create(
                    "stranger \(index)", tenant: index % 2 == 0 ? "" : "tt", at: moment)
            }
        }
        for key in keys where key % 3 == 0 {
            try engine.add(key, [MessageSpec(at: Int64(generator.below(40)) * 50_000_000 + 1)])
        }
        for key in keys where key % 11 == 0 { try engine.update(key) { $0.hide = true } }
        let records = try keys.map { try engine.record($0) }.filter { !$0.isHidden }
        guard records.count > 300 else { return expect(false, "live threads are not hidden") }
        for record in records {
            expect(
                !ActivityOrder.mustMove(activityAt: record.activityAt, to: record.activity),
                "the coarse place is not ahead and not far behind of thread", about: record.key)
        }
        for order in [ThreadScan.Order.creation, .coarseActivity] {
            func place(_ record: ThreadRecord) -> (Int64, Int64) {
                (order == .creation ? 0 : record.activityAt, record.key)
            }
            for descending in [false, true] {
                let sorted = records.sorted {
                    descending ? place($1) < place($0) : place($0) < place($1)
                }
                var scan = ThreadScan(tenant: "t", order: order, descending: descending)
                expect(
                    try engine.listed(scan).map { $0.key } == sorted.map { $0.key },
                    "the whole list", about: "\(order), descending \(descending)")
                var starts = (0..<20).map { _ in place(sorted[generator.below(sorted.count)]) }
                starts += [
                    (0, 0), (.max, .max), (75_000_000, 1), (50_000_000, .max),
                    (0, keys[300] * 1000),
                ]
                for start in starts {
                    scan.from = order == .creation ? (0, start.1) : start
                    guard let from = scan.from else { continue }
                    let expected = sorted.filter {
                        descending ? place($0) <= from : place($0) >= from
                    }
                    expect(
                        try engine.listed(scan).map { $0.key } == expected.map { $0.key },
                        "a list from a place, itself included", about: "\(order), descending \(descending)")
                }
            }
        }
        var seen = 0
        try engine.threads(ThreadScan(tenant: "t", order: .creation, descending: false)) {
            (_) throws(MemexError) -> Bool in
            seen += 1
            return seen < 300
        }
        expect(seen == 300, "false ends the reading")
        expect(
            try engine.listed(ThreadScan(tenant: "nobody", order: .creation, descending: true))
                .isEmpty, "a listing")
        try engine.write(.removeThread(.key(records[5].key)))
        expect(
            try engine.listed(ThreadScan(tenant: "t", order: .coarseActivity, descending: true))
                .count == records.count - 1, "a listing")
    }

    /// Threads by their real activity, against sorting all of them.
    func checkActivityOrder(_ engine: any StorageEngine) throws {
        var generator = SeededGenerator(seed: seed &+ 1)
        let span = 20 * Int(ActivityOrder.granularity)
        let start: Int64 = 1_700_000_000_000_000
        var keys: [Int64] = []
        var roots: [Int64: Int64] = [:]
        for index in 0..<400 {
            let batch = EngineBatch()
            let root = index > 20 && index % 9 == 0 ? keys[index % 3] : 0
            batch.create("thread \(index)", at: start + Int64(generator.below(span))) {
                $0.baseKey = root
                $0.rootKey = root
            }
            if root != 0 { batch.update(.key(root)) { $0.forkDelta = 1 } }
            let key = try require(try batch.commit(engine).first?.key)
            keys.append(key)
            roots[key] = root == 0 ? key : root
        }
        for round in 0..<6 {
            for _ in 0..<250 {
                let key = keys[generator.below(keys.count)]
                // Steps around the granularity, forwards mostly, and now and then a time of the past.
                let last = try engine.record(key).activity
                let step = Int64(generator.below(3 * Int(ActivityOrder.granularity) / 2))
                let moment =
                    generator.below(5) == 0 ? start + Int64(generator.below(span)) : last + step
                try engine.add(key, [MessageSpec(at: moment)])
            }
            if round == 2 {
                for key in keys.prefix(40) {
                    try engine.write(.removeMessages(.key(key), above: 1))
                }
            }
            if round == 3 {
                for key in keys.suffix(40) { try engine.update(key) { $0.hide = true } }
                keys.removeLast(40)
            }
            let records = try keys.map { try engine.record($0) }
            try checkListings(engine, records, roots, &generator)
        }
        // The library removes messages of threads that it hides; a live one without them is a finding.
        for key in roots.keys { try engine.write(.removeThread(.key(key))) }
    }

    private func checkListings(
        _ engine: any StorageEngine, _ records: [ThreadRecord], _ roots: [Int64: Int64],
        _ generator: inout SeededGenerator
    ) throws {
        guard let first = records.first else { return }
        for descending in [false, true] {
            let sorted = records.sorted { left, right in
                let pair = ((left.activity, left.key), (right.activity, right.key))
                return descending ? pair.1 < pair.0 : pair.0 < pair.1
            }
            for rootKey in [0, roots[first.key] ?? 0] {
                let members = rootKey == 0 ? sorted : sorted.filter { roots[$0.key] == rootKey }
                var positions: [(Int64, Int64)?] = [nil]
                for _ in 0..<8 {
                    let record = members[generator.below(members.count)]
                    positions.append((record.activity, record.key))
                }
                for position in positions {
                    let bound =
                        generator.below(3) == 0
                        ? sorted[generator.below(sorted.count)].activity : Int64.max
                    let expected = members.filter { record in
                        let here = (record.activity, record.key)
                        if record.activity > bound { return false }
                        guard let position else { return true }
                        return descending ? here < position : here > position
                    }
                    let limit = generator.below(2) == 0 ? Int.max : 1 + generator.below(50)
                    var found: [Int64] = []
                    try ActivityOrder.list(
                        engine, tenant: "", rootKey: rootKey, descending: descending,
                        after: position, bound: bound
                    ) { (record) throws(MemexError) -> Bool in
                        found.append(record.key)
                        return found.count < limit
                    }
                    expect(
                        found == expected.prefix(limit).map { $0.key },
                        "a listing",
                        about: "descending \(descending), root \(rootKey), after a place \(position != nil)"
                    )
                }
            }
        }
    }
}
