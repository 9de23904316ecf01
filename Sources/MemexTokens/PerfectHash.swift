internal import MemexModel

/// A hash of a fixed set of keys with one probe: every key lies in the one slot that its hash and the pilot of
/// its bucket name.
struct PerfectHash: ~Copyable {
    /// One for each bucket.
    private(set) var pilots: HeapArray<UInt8>
    /// The key at each slot, -1 for none.
    private(set) var slots: HeapArray<Int32>
    /// Where the keys of each bucket begin among `members`.
    private var starts: HeapArray<Int32>
    private var members: HeapArray<Int32>
    /// Buckets in the way of the one that is being placed: of the trial, and of the best.
    private var others = HeapArray<Int32>(0)
    private var evicted = HeapArray<Int32>(0)

    /// Places keys by their hashes; nil when two keys cannot be told apart or the search does not end, which
    /// another seed mends, or when memory ran out.
    ///
    /// The fullest buckets choose their pilots first. A bucket that finds all 256 taken throws others out,
    /// which then choose again: that is what lets eight bits a bucket fill nearly all slots.
    init?(_ hashes: borrowing HeapArray<UInt64>) {
        let buckets = max(1, hashes.count / 3)
        let size = max(1, Int(exactly: (Double(hashes.count) / 0.97).rounded(.up)) ?? hashes.count)
        pilots = HeapArray(repeating: 0, count: buckets)
        slots = HeapArray(repeating: -1, count: size)
        starts = HeapArray(repeating: 0, count: buckets &+ 1)
        members = HeapArray(repeating: 0, count: hashes.count)
        if pilots.failed || slots.failed || starts.failed || members.failed { return nil }
        let largest = sortKeys(hashes)
        var waiting = HeapArray<Int32>(0)
        var budget = 64 &* buckets &+ 4_096
        var turn: UInt64 = 0
        var wanted = largest
        while wanted > 0 {
            var bucket = 0
            while bucket < buckets {
                if keyCount(bucket) == wanted { waiting.append(Int32(truncatingIfNeeded: bucket)) }
                bucket &+= 1
            }
            while let next = waiting.popLast() {
                budget &-= 1
                turn &+= 1
                guard budget > 0, place(Int(next), turn, hashes) else { return nil }
                var at = 0
                while at < evicted.count {
                    waiting.append(evicted[at])
                    at &+= 1
                }
            }
            wanted &-= 1
        }
        if waiting.failed || others.failed || evicted.failed { return nil }
    }

    /// The seed of a number, of a fixed sequence.
    static func seed(_ number: UInt64) -> UInt64 { number &* 0xA076_1D64_78BD_642F }
    static let seeds: UInt64 = 64

    /// Sorts the keys by bucket; the size of the fullest.
    private mutating func sortKeys(_ hashes: borrowing HeapArray<UInt64>) -> Int {
        let buckets = UInt64(truncatingIfNeeded: pilots.count)
        var key = 0
        while key < hashes.count {
            starts[VocabularyHash.bucket(hashes[key], buckets) &+ 1] &+= 1
            key &+= 1
        }
        var largest: Int32 = 0
        var bucket = 0
        while bucket < pilots.count {
            largest = max(largest, starts[bucket &+ 1])
            starts[bucket &+ 1] &+= starts[bucket]
            bucket &+= 1
        }
        // Counts down while it fills, so that the starts are back where they were.
        key = hashes.count &- 1
        var left = HeapArray<Int32>(repeating: 0, count: pilots.count)
        while key >= 0 {
            let bucket = VocabularyHash.bucket(hashes[key], buckets)
            left[bucket] &+= 1
            members[Int(starts[bucket &+ 1] &- left[bucket])] = Int32(truncatingIfNeeded: key)
            key &-= 1
        }
        return left.failed ? 0 : Int(largest)
    }

    private func keyCount(_ bucket: Int) -> Int { Int(starts[bucket &+ 1] &- starts[bucket]) }

    @inline(__always)
    private func slot(_ key: Int32, _ pilot: UInt64, _ hashes: borrowing HeapArray<UInt64>) -> Int {
        VocabularyHash.slot(hashes[Int(key)], pilot, UInt64(truncatingIfNeeded: slots.count))
    }

    /// Finds a pilot for a bucket; false when there is none at all. `evicted` has the buckets that give way.
    private mutating func place(
        _ bucket: Int, _ turn: UInt64, _ hashes: borrowing HeapArray<UInt64>
    ) -> Bool {
        let from = Int(starts[bucket])
        let end = Int(starts[bucket &+ 1])
        var best = Int.max
        var bestPilot: UInt64 = 0
        var step: UInt64 = 0
        evicted.removeAll()
        while step < 256 {
            // Another order each time, so that two buckets do not throw each other out for ever.
            let pilot = (step &+ turn &* 0x9D) & 0xFF
            step &+= 1
            let cost = obstacles(from, end, pilot, below: best, hashes)
            if cost < best {
                best = cost
                bestPilot = pilot
                swap(&others, &evicted)
            }
            if cost == 0 { break }
        }
        if best == Int.max { return false }
        var index = 0
        while index < evicted.count {
            let other = Int(evicted[index])
            let pilot = UInt64(pilots[other])
            var key = Int(starts[other])
            while key < Int(starts[other &+ 1]) {
                slots[slot(members[key], pilot, hashes)] = -1
                key &+= 1
            }
            index &+= 1
        }
        var key = from
        while key < end {
            slots[slot(members[key], bestPilot, hashes)] = members[key]
            key &+= 1
        }
        pilots[bucket] = UInt8(truncatingIfNeeded: bestPilot)
        return true
    }

    /// Collects the buckets whose keys lie where these would: what it costs to throw them out, or `Int.max`
    /// when two of these share a slot or it costs too much.
    private mutating func obstacles(
        _ from: Int, _ end: Int, _ pilot: UInt64, below limit: Int, _ hashes: borrowing HeapArray<UInt64>
    ) -> Int {
        others.removeAll()
        var cost = 0
        var key = from
        while key < end {
            let place = slot(members[key], pilot, hashes)
            var before = from
            while before < key {
                if slot(members[before], pilot, hashes) == place { return Int.max }
                before &+= 1
            }
            key &+= 1
            let taken = slots[place]
            if taken < 0 { continue }
            let owner = VocabularyHash.bucket(hashes[Int(taken)], UInt64(truncatingIfNeeded: pilots.count))
            var known = false
            before = 0
            while before < others.count {
                if Int(others[before]) == owner { known = true }
                before &+= 1
            }
            if known { continue }
            others.append(Int32(truncatingIfNeeded: owner))
            cost &+= keyCount(owner) &* keyCount(owner)
            if cost >= limit { return Int.max }
        }
        return cost
    }
}
