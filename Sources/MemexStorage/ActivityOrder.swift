package import MemexModel

/// Lists threads by their last activity, although engines note it only once in a while.
///
/// An append would pay for moving its thread in an index. So engines keep `activityAt`, a place that is
/// at most `granularity` behind the thread's real activity and never ahead of it: an append whose time is
/// outside `activityAt ... activityAt + granularity` moves it, others leave it. Listing reads the coarse
/// order and holds threads back until no later one can come before them.
package struct ActivityOrder {
    package static let granularity: Int64 = 60_000_000

    package static func mustMove(activityAt: Int64, to time: Int64) -> Bool {
        time < activityAt || time &- activityAt > granularity
    }

    /// Threads of a tenant, exactly ordered by (activity, key), strictly after `position`. Threads whose
    /// activity is later than `bound` moved after the listing began and are left out.
    package static func list(
        _ engine: any StorageEngine, tenant: String, rootKey: Int64, descending: Bool,
        after position: (Int64, Int64)?, bound: Int64,
        _ visit: (ThreadRecord) throws(MemexError) -> Bool
    ) throws(MemexError) {
        var scan = ThreadScan(tenant: tenant, order: .coarseActivity, descending: descending)
        scan.rootKey = rootKey
        if let position {
            scan.from =
                descending
                ? (position.0, .max) : (position.0 > granularity ? position.0 &- granularity : 0, 0)
        }
        var held: [ThreadRecord] = []  // sorted, next to emit last
        var going = true
        try engine.threads(scan) { (record) throws(MemexError) -> Bool in
            while going, let next = held.last,
                isSettled(next.activity, coarse: record.activityAt, descending: descending)
            {
                held.removeLast()
                going = try visit(next)
            }
            if going, record.activity <= bound,
                position.map({ isAfter(record, $0, descending: descending) }) ?? true
            {
                held.insert(record, at: place(record, in: held, descending: descending))
            }
            return going
        }
        while going, let next = held.popLast() { going = try visit(next) }
    }

    /// Whether no thread that is still to come, with coarse places from `coarse` on, can come first.
    private static func isSettled(_ activity: Int64, coarse: Int64, descending: Bool) -> Bool {
        descending ? activity > coarse &+ granularity : activity < coarse
    }

    private static func isAfter(_ record: ThreadRecord, _ position: (Int64, Int64), descending: Bool) -> Bool
    {
        let here = (record.activity, record.key)
        return descending ? here < position : here > position
    }

    private static func place(_ record: ThreadRecord, in held: [ThreadRecord], descending: Bool) -> Int {
        var low = 0
        var high = held.count
        while low < high {
            let middle = (low + high) / 2
            let other = (held[middle].activity, held[middle].key)
            let here = (record.activity, record.key)
            if descending ? other < here : other > here { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
