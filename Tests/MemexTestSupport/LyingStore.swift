package import MemexModel
package import MemexStorage

/// An ordered store with a defect.
package final class LyingStore: OrderedStore {
    package enum Lie: CaseIterable, Sendable {
        case ignoresDescending, includesTheEnd, excludesTheStart, ignoresTheLimit, losesDeletes
        case ignoresConditions, truncatesValues, halvesCommits, comparesOtherwise
    }

    private let base: any OrderedStore
    private let lie: Lie

    package init(_ base: any OrderedStore, _ lie: Lie) {
        self.base = base
        self.lie = lie
    }

    package var traits: OrderedStoreTraits { base.traits }
    package var isInsideCallback: Bool { false }

    package func get(_ key: ByteView, _ visit: (ByteView) throws(MemexError) -> Void)
        throws(MemexError) -> Bool
    {
        try base.get(key) { (value) throws(MemexError) in
            try visit(lie == .truncatesValues ? value.slice(0, min(value.count, 20)) : value)
        }
    }

    package func scan(
        from: ByteView, to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        var count: Int64 = 0
        var found: [([UInt8], [UInt8])] = []
        try base.scan(
            from: from, to: to, descending: descending && lie != .ignoresDescending,
            limit: lie == .ignoresTheLimit ? .max : limit
        ) { (key, value) throws(MemexError) in
            count += 1
            if lie == .excludesTheStart, key.equals(from) { return true }
            if lie == .comparesOtherwise {
                found.append((Array(key), Array(value)))
                return true
            }
            return try visit(key, value)
        }
        if lie == .includesTheEnd, count < limit {
            _ = try base.get(to) { (value) throws(MemexError) in _ = try visit(to, value) }
        }
        // Signed bytes, the classic mistake.
        found.sort { left, right in
            let pair = [left, right].map { $0.0.map { Int8(bitPattern: $0) } }
            return pair[descending ? 1 : 0].lexicographicallyPrecedes(pair[descending ? 0 : 1])
        }
        for (key, value) in found {
            let going: Result<Bool, MemexError> = key.withUnsafeBufferPointer { key in
                value.withUnsafeBufferPointer { value in
                    do throws(MemexError) { return .success(try visit(key, value)) } catch {
                        return .failure(error)
                    }
                }
            }
            if try !going.get() { return }
        }
    }

    package func commit(_ writes: UnsafeBufferPointer<KeyValueWrite>) throws(MemexError) -> Bool {
        var kept: [KeyValueWrite] = []
        for (index, write) in writes.enumerated() {
            let isCondition = write.kind != .put && write.kind != .delete
            if lie == .losesDeletes, write.kind == .delete { continue }
            if lie == .ignoresConditions, isCondition { continue }
            if lie == .halvesCommits, !isCondition, index > writes.count / 2 { continue }
            kept.append(write)
        }
        let result: Result<Bool, MemexError> = kept.withUnsafeBufferPointer { writes in
            do throws(MemexError) { return .success(try base.commit(writes)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    package func close() throws(MemexError) { try base.close() }
}
