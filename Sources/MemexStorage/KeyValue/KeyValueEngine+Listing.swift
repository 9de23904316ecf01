package import MemexModel

extension KeyValueEngine {
    private static var pageThreads: Int64 { 256 }

    package func threads(
        _ scan: ThreadScan, _ visit: (ThreadRecord) throws(MemexError) -> Bool
    ) throws(MemexError) {
        guard scan.tenant.utf8.count <= Limits.idBytes else { return }
        if scan.rootKey != 0 { return try family(scan, visit) }
        var rest = scan
        var page: [(moment: Int64, key: Int64)] = []
        var isLast = false
        while !isLast {
            page.removeAll(keepingCapacity: true)
            var from = ByteBuffer(capacity: 64)
            var to = ByteBuffer(capacity: 64)
            Self.bounds(rest, &from, &to)
            // Records are read once the scan is over: nothing may be read inside of it.
            try store.scanRange(from, to, descending: scan.descending, limit: Self.pageThreads) {
                (name, _) throws(MemexError) -> Bool in
                page.append(try Self.place(name, scan))
                return true
            }
            isLast = page.count < Int(Self.pageThreads)
            if let place = page.last {
                rest.from = (place.moment, scan.descending ? place.key &- 1 : place.key &+ 1)
            }
            for place in page {
                guard let record = try thread(key: place.key), !record.isHidden else { continue }
                // One that moved since the scan is at its new place, if that is still to come.
                if scan.order == .coarseActivity, record.activityAt != place.moment { continue }
                guard try visit(record) else { return }
            }
        }
    }

    private static func bounds(_ scan: ThreadScan, _ from: inout ByteBuffer, _ to: inout ByteBuffer) {
        let prefix = scan.order == .creation ? KeyLayout.creation : KeyLayout.activity
        from.key(prefix, tenant: scan.tenant)
        to.append(from.view)
        guard let start = scan.from, scan.descending else {
            to.advancePastPrefix()
            if let start = scan.from { add(start, scan, &from) }
            return
        }
        add(start, scan, &to)
        to.advancePastKey()
    }

    private static func add(_ start: (Int64, Int64), _ scan: ThreadScan, _ name: inout ByteBuffer) {
        if scan.order == .coarseActivity { name.append(moment: start.0) }
        name.append(ordered: start.1)
    }

    private static func place(
        _ name: ByteView, _ scan: ThreadScan
    ) throws(MemexError) -> (moment: Int64, key: Int64) {
        var reader = ByteReader(name)
        _ = reader.take(2 &+ scan.tenant.utf8.count)
        let moment = scan.order == .coarseActivity ? reader.moment() : 0
        let key = reader.ordered()
        guard reader.isComplete, key > 0 else { throw RecordHead.damaged }
        return (moment, key)
    }

    /// A family is small beside its tenant: its members are read, then ordered.
    private func family(
        _ scan: ThreadScan, _ visit: (ThreadRecord) throws(MemexError) -> Bool
    ) throws(MemexError) {
        var members = try records(KeyLayout.family, scan.rootKey)
        if let root = try thread(key: scan.rootKey), root.rootKey == 0 || root.rootKey == root.key {
            members.append(root)
        }
        let byActivity = scan.order == .coarseActivity
        members.sort { left, right in
            (byActivity ? left.activityAt : 0, left.key) < (byActivity ? right.activityAt : 0, right.key)
        }
        if scan.descending { members.reverse() }
        var last: Int64 = 0
        for member in members where !member.isHidden && member.tenant == scan.tenant && member.key != last {
            let here = (byActivity ? member.activityAt : 0, member.key)
            if let from = scan.from {
                let start = (byActivity ? from.0 : 0, from.1)
                if scan.descending ? here > start : here < start { continue }
            }
            last = member.key
            guard try visit(member) else { return }
        }
    }
}
