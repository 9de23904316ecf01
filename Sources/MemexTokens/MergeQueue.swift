internal import CMemexShim

/// Pieces that wait to be merged, side by side.
///
/// A merge waits for memory again and again: the tables of pairs are larger than the caches, and what to look
/// up next depends on what was found. So several pieces take their steps in turns, and each asks for its memory
/// one turn ahead. Their order does not matter to whoever only counts.
struct MergeQueue {
    static let lanes = 8
    /// The longest piece, in parts.
    static let parts = 32
    /// Numbers from one lane to the next: there is a place before the first part and one after the last.
    private static let stride = 40
    static let bytes = lanes * (MemoryLayout<MergeLane>.stride + stride * 8 + parts * 16)

    private let image: VocabularyImage
    private let cache: PieceCache
    private let headers: UnsafeMutablePointer<MergeLane>
    private let probes: UnsafeMutablePointer<PairProbe>
    private let numbers: UnsafeMutablePointer<UInt32>
    private(set) var used = 0

    /// - Parameter base: `bytes` bytes, aligned to eight.
    init(_ image: VocabularyImage, _ cache: PieceCache, _ base: UnsafeMutableRawPointer) {
        self.image = image
        self.cache = cache
        headers = base.assumingMemoryBound(to: MergeLane.self)
        let after = base + Self.lanes &* MemoryLayout<MergeLane>.stride
        probes = after.assumingMemoryBound(to: PairProbe.self)
        numbers = (after + Self.lanes &* Self.parts &* 16).assumingMemoryBound(to: UInt32.self)
    }

    /// The tokens of a lane's parts, each at the place where it began.
    @inline(__always)
    private func ids(_ lane: Int) -> UnsafeMutablePointer<UInt32> {
        numbers + (lane &* Self.stride &* 2 &+ 4)
    }

    /// What each part merges into with the next: the token, then the place in the five lowest bits, so that the
    /// lowest number is the merge to make.
    @inline(__always)
    private func merges(_ lane: Int) -> UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(ids(lane) + Self.stride).assumingMemoryBound(to: Int32.self)
    }

    @inline(__always)
    private func probe(_ lane: Int, _ index: Int) -> UnsafeMutablePointer<PairProbe> {
        probes + (lane &* Self.parts &+ index)
    }

    private static let none = Int32.max
    /// What stands before the first and after the last part: it merges with nothing.
    private static let edge = UInt32(VocabularyImage.idLimit &- 1)

    @inline(__always)
    private static func merge(_ token: UInt32, at place: Int) -> Int32 {
        token == VocabularyImage.noToken
            ? none : Int32(truncatingIfNeeded: token &<< 5 | UInt32(truncatingIfNeeded: place))
    }
}

// MARK: - Adding

extension MergeQueue {
    /// Adds a piece; its tokens will be added to `total`. False when it has too many parts.
    ///
    /// - Parameter key: of the piece, when the cache shall keep its count.
    @inline(__always)
    mutating func add(
        _ at: UnsafePointer<UInt8>, _ length: Int, _ key: PieceKey?, _ total: UnsafeMutablePointer<Int>
    ) -> Bool {
        let ids = ids(used)
        let merges = merges(used)
        var parts = 0
        var from = 0
        var before = 0
        var asked: UInt64 = 0
        while from < length {
            guard parts < Self.parts else { return false }
            let part = image.part(at, from, length)
            ids[parts] = part.id
            if parts > 0 {
                let place = parts &- 1
                if part.length == 1, before == 1 {
                    merges[place] = Self.merge(image.merged(bytes: at[from &- 1], at[from]), at: place)
                } else {
                    asked |= 1 &<< UInt64(truncatingIfNeeded: place)
                    ask(probe(used, place), ids[place], part.id)
                }
            }
            before = part.length
            parts &+= 1
            from &+= part.length
        }
        var place = parts &- 1
        let end = (parts &+ 7) & ~7
        while place < end {
            merges[place] = Self.none
            place &+= 1
        }
        ids[-1] = Self.edge
        ids[Self.parts] = Self.edge
        headers[used] = MergeLane(
            total: total, key: key ?? PieceKey.none, length: key == nil ? 0 : length,
            alive: (1 &<< UInt64(truncatingIfNeeded: parts)) &- 1,
            eights: Int32(truncatingIfNeeded: end / 8), place: 0, before: 0, asked: asked)
        used &+= 1
        if used == Self.lanes { run() }
        return true
    }

    @inline(__always)
    private func ask(_ probe: UnsafeMutablePointer<PairProbe>, _ left: UInt32, _ right: UInt32) {
        let key = VocabularyImage.pairKey(left, right)
        let hash = VocabularyHash.pair(key, image.pairSeed)
        probe.pointee.key = key
        probe.pointee.hash = hash
        memex_shim_prefetch(image.pairBucket(hash))
    }

    /// Turns the hash into the slot.
    @inline(__always)
    private func find(_ probe: UnsafeMutablePointer<PairProbe>) {
        let slot = image.pairSlot(probe.pointee.hash)
        memex_shim_prefetch(image.pairKeys + slot)
        probe.pointee.hash = UInt64(truncatingIfNeeded: slot)
    }

    @inline(__always)
    private func answer(_ probe: UnsafeMutablePointer<PairProbe>, at place: Int) -> Int32 {
        let found = probe.pointee
        let entry = image.pairKeys[Int(truncatingIfNeeded: found.hash)]
        let token = UInt32(truncatingIfNeeded: entry & 0xF_FFFF)
        let merge = Int32(truncatingIfNeeded: token &<< 5 | UInt32(truncatingIfNeeded: place))
        return entry &>> 20 == found.key ? merge : Self.none
    }
}

// MARK: - Merging

extension MergeQueue {
    /// Merges all that waits.
    @inline(never)
    mutating func run() {
        let count = used
        used = 0
        answerFirst(count)
        // The lanes that still merge, four bits each.
        var active: UInt64 = 0x7654_3210
        var running = count
        while true {
            var index = 0
            while index < running {
                if step(Self.lane(active, index)) {
                    index &+= 1
                    continue
                }
                // The last one takes its place.
                running &-= 1
                let shift = UInt64(truncatingIfNeeded: index &* 4)
                let last = UInt64(truncatingIfNeeded: Self.lane(active, running))
                active = active & ~(0xF &<< shift) | last &<< shift
            }
            if running == 0 { break }
            index = 0
            while index < running {
                let lane = Self.lane(active, index)
                find(probe(lane, 0))
                find(probe(lane, 1))
                index &+= 1
            }
            index = 0
            while index < running {
                let lane = Self.lane(active, index)
                let merges = merges(lane)
                let before = Int(headers[lane].before)
                let place = Int(headers[lane].place)
                merges[before] = answer(probe(lane, 0), at: before)
                merges[place] = answer(probe(lane, 1), at: place)
                index &+= 1
            }
        }
    }

    @inline(__always)
    private static func lane(_ active: UInt64, _ index: Int) -> Int {
        Int(truncatingIfNeeded: active &>> UInt64(truncatingIfNeeded: index &* 4) & 0xF)
    }

    /// Answers the lookups that adding began.
    private func answerFirst(_ count: Int) {
        for turn in 0..<2 {
            var lane = 0
            while lane < count {
                let merges = merges(lane)
                var asked = headers[lane].asked
                while asked != 0 {
                    let place = asked.trailingZeroBitCount
                    asked &= asked &- 1
                    if turn == 0 {
                        find(probe(lane, place))
                    } else {
                        merges[place] = answer(probe(lane, place), at: place)
                    }
                }
                lane &+= 1
            }
        }
    }

    /// Makes the next merge of a lane and asks for its neighbours; false when there is none, and the lane is
    /// done.
    @inline(__always)
    private func step(_ lane: Int) -> Bool {
        let header = headers + lane
        let ids = ids(lane)
        let merges = merges(lane)
        let lowest = memex_shim_lowest(merges, header.pointee.eights)
        if lowest == Self.none {
            finish(lane)
            return false
        }
        let place = Int(lowest & 31)
        let token = UInt32(truncatingIfNeeded: lowest &>> 5)
        let alive = header.pointee.alive
        let above = alive & (~1 &<< UInt64(truncatingIfNeeded: place))
        let below = alive & ((1 &<< UInt64(truncatingIfNeeded: place)) &- 1)
        let rest = above & (above &- 1)
        header.pointee.alive = alive ^ above ^ rest
        ids[place] = token
        merges[above.trailingZeroBitCount] = Self.none
        // Without a neighbour it is the edge, which merges with nothing.
        let before = 62 &- (below &<< 1 | 1).leadingZeroBitCount
        let after = (rest | 1 &<< UInt64(Self.parts)).trailingZeroBitCount
        header.pointee.before = Int32(truncatingIfNeeded: before)
        header.pointee.place = Int32(truncatingIfNeeded: place)
        ask(probe(lane, 0), ids[before], token)
        ask(probe(lane, 1), token, ids[after])
        return true
    }

    @inline(__always)
    private func finish(_ lane: Int) {
        let header = headers[lane]
        let count = header.alive.nonzeroBitCount
        header.total.pointee &+= count
        if header.length > 0 { cache.keep(header.key, header.length, count) }
    }
}
