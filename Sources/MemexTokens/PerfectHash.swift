import MemexModel

/// A hash of a fixed set of keys with one probe: every key lies in the one slot that its hash and the pilot of
/// its bucket name.
struct PerfectHash {
    /// One for each bucket.
    private(set) var pilots: [UInt8]
    /// The key at each slot, -1 for none.
    private(set) var slots: [Int32]
    private let hashes: [UInt64]
    /// Where the keys of each bucket begin among `members`.
    private var starts: [Int32]
    private var members: [Int32]

    /// Places keys by their hashes; nil when two keys cannot be told apart or the search does not end, which
    /// another seed mends.
    ///
    /// The fullest buckets choose their pilots first. A bucket that finds all 256 taken throws others out,
    /// which then choose again: that is what lets eight bits a bucket fill nearly all slots.
    init?(_ hashes: [UInt64], perBucket: Double, load: Double) {
        self.hashes = hashes
        let buckets = max(1, Int(Double(hashes.count) / perBucket))
        pilots = [UInt8](repeating: 0, count: buckets)
        slots = [Int32](repeating: -1, count: max(1, Int((Double(hashes.count) / load).rounded(.up))))
        starts = [Int32](repeating: 0, count: buckets + 1)
        members = [Int32](repeating: 0, count: hashes.count)
        let largest = sortKeys()
        var bySize = [[Int32]](repeating: [], count: largest + 1)
        for bucket in 0..<buckets { bySize[keys(of: bucket).count].append(Int32(bucket)) }
        var budget = 64 * buckets + 4_096
        var turn: UInt64 = 0
        for size in stride(from: largest, to: 0, by: -1) {
            var waiting = bySize[size]
            while let bucket = waiting.popLast() {
                budget -= 1
                turn &+= 1
                guard budget > 0, let evicted = place(Int(bucket), turn) else { return nil }
                waiting.append(contentsOf: evicted)
            }
        }
    }

    /// What the first seed of a fixed sequence gives, with which it gives something.
    static func search<Found>(
        _ attempt: (UInt64) -> Found?
    ) throws(MemexError) -> (found: Found, seed: UInt64) {
        for number in 1...UInt64(64) {
            let seed = number &* 0xA076_1D64_78BD_642F
            if let found = attempt(seed) { return (found, seed) }
        }
        throw MemexError(.internal, "no perfect hash was found")
    }

    /// Sorts the keys by bucket; the size of the fullest.
    private mutating func sortKeys() -> Int {
        let buckets = UInt64(pilots.count)
        for hash in hashes { starts[VocabularyHash.bucket(hash, buckets) + 1] += 1 }
        var largest: Int32 = 0
        for bucket in 0..<pilots.count {
            largest = max(largest, starts[bucket + 1])
            starts[bucket + 1] += starts[bucket]
        }
        var next = starts
        for (key, hash) in hashes.enumerated() {
            let bucket = VocabularyHash.bucket(hash, buckets)
            members[Int(next[bucket])] = Int32(key)
            next[bucket] += 1
        }
        return Int(largest)
    }

    private func keys(of bucket: Int) -> ArraySlice<Int32> {
        members[Int(starts[bucket])..<Int(starts[bucket + 1])]
    }

    private func slot(_ key: Int32, _ pilot: UInt64) -> Int {
        VocabularyHash.slot(hashes[Int(key)], pilot, UInt64(slots.count))
    }

    /// Finds a pilot for a bucket; the buckets that had to give way, nil when there is none at all.
    private mutating func place(_ bucket: Int, _ turn: UInt64) -> [Int32]? {
        let mine = keys(of: bucket)
        var best: (cost: Int, pilot: UInt64, evicted: [Int32])?
        for step in 0..<UInt64(256) {
            // Another order each time, so that two buckets do not throw each other out for ever.
            let pilot = (step &+ turn &* 0x9D) & 0xFF
            guard let others = obstacles(mine, pilot, below: best?.cost ?? Int.max) else { continue }
            let cost = others.reduce(0) { $0 + keys(of: Int($1)).count * keys(of: Int($1)).count }
            if cost < best?.cost ?? Int.max { best = (cost, pilot, others) }
            if cost == 0 { break }
        }
        guard let best else { return nil }
        for other in best.evicted {
            for key in keys(of: Int(other)) { slots[slot(key, UInt64(pilots[Int(other)]))] = -1 }
        }
        for key in mine { slots[slot(key, best.pilot)] = key }
        pilots[bucket] = UInt8(best.pilot)
        return best.evicted
    }

    /// The buckets whose keys lie where these would; nil when two of these share a slot or it costs too much.
    private func obstacles(_ mine: ArraySlice<Int32>, _ pilot: UInt64, below limit: Int) -> [Int32]? {
        var others: [Int32] = []
        var cost = 0
        for (index, key) in mine.enumerated() {
            let place = slot(key, pilot)
            for other in mine.prefix(index) where slot(other, pilot) == place { return nil }
            guard slots[place] >= 0 else { continue }
            let owner = Int32(VocabularyHash.bucket(hashes[Int(slots[place])], UInt64(pilots.count)))
            if others.contains(owner) { continue }
            others.append(owner)
            let size = keys(of: Int(owner)).count
            cost += size * size
            if cost >= limit { return nil }
        }
        return others
    }
}
