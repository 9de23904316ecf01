internal import CMemexShim

/// Merges a piece as byte-pair encoding does: the pair of lowest rank first, of equals the leftmost.
struct PieceMerger {
    let image: VocabularyImage
    let area: MergeArea
    let otherArea: MergeArea
    let jointArea: MergeArea
    /// Up to here parts are kept without gaps, which is quicker than links.
    private static let few = 24

    init(_ image: VocabularyImage, _ scratch: TokenizerScratch) {
        self.image = image
        area = scratch.area
        otherArea = scratch.otherArea
        jointArea = scratch.jointArea
    }

    /// The tokens of a piece; -1 when memory ran out.
    func count(_ at: UnsafePointer<UInt8>, _ length: Int) -> Int {
        if length <= area.capacity { return merge(at, length, area) }
        var total = 0
        return windows(at, length) { total &+= $1 } ? total : -1
    }

    /// Hands out the ids of a piece in order, in one or several runs; false when memory ran out.
    func encode(
        _ at: UnsafePointer<UInt8>, _ length: Int, _ take: (UnsafePointer<UInt32>, Int) -> Void
    ) -> Bool {
        if length <= area.capacity {
            take(area.ids, merge(at, length, area))
            return true
        }
        return windows(at, length, take)
    }
}

// MARK: - One span

extension PieceMerger {
    /// Merges at most `area.capacity` bytes; the number of tokens, which lie in `area.ids`.
    func merge(_ at: UnsafePointer<UInt8>, _ length: Int, _ area: MergeArea) -> Int {
        var parts = 0
        var from = 0
        let starts = area.next
        while from < length, parts < Self.few {
            let whole = image.part(at, from, length)
            area.ids[parts] = whole.id
            starts[parts] = UInt32(truncatingIfNeeded: from)
            parts &+= 1
            from &+= whole.length
        }
        if from < length { return mergeMany(at, length, area) }
        starts[parts] = UInt32(truncatingIfNeeded: length)
        return mergeFew(at, parts, area)
    }

    /// As ranks are kept: nothing is the highest.
    @inline(__always)
    private static func rank(_ token: UInt32) -> Int32 { Int32(truncatingIfNeeded: token & 0x7FFF_FFFF) }

    /// Parts without gaps; `area.next` has where each begins, and the end.
    @inline(__always)
    private func mergeFew(_ at: UnsafePointer<UInt8>, _ count: Int, _ area: MergeArea) -> Int {
        let ids = area.ids
        let ranks = area.ranks
        var parts = count
        var index = 0
        while index &+ 1 < parts {
            let first = Int(area.next[index])
            let token =
                Int(area.next[index &+ 2]) &- first == 2
                ? image.merged(bytes: at[first], at[first &+ 1]) : image.merged(ids[index], ids[index &+ 1])
            ranks[index] = Self.rank(token)
            index &+= 1
        }
        while parts > 1 {
            var best = Int32.max
            var place = 0
            index = 0
            while index &+ 1 < parts {
                let rank = ranks[index]
                if rank < best {
                    best = rank
                    place = index
                }
                index &+= 1
            }
            if best == Int32.max { break }
            let token = UInt32(truncatingIfNeeded: best)
            ids[place] = token
            index = place &+ 1
            while index &+ 1 < parts {
                ids[index] = ids[index &+ 1]
                ranks[index] = ranks[index &+ 1]
                index &+= 1
            }
            parts &-= 1
            if place &+ 1 < parts { ranks[place] = Self.rank(image.merged(token, ids[place &+ 1])) }
            if place > 0 { ranks[place &- 1] = Self.rank(image.merged(ids[place &- 1], token)) }
        }
        return parts
    }

    /// Parts that stay at their first byte and are linked. The lowest rank of each group of sixteen is kept, so
    /// that a merge looks at three groups and at the list of the groups.
    @inline(never)
    private func mergeMany(_ at: UnsafePointer<UInt8>, _ length: Int, _ area: MergeArea) -> Int {
        let ids = area.ids
        let ranks = area.ranks
        begin(at, length, area)
        let eights = Int32(truncatingIfNeeded: (length &+ 127) / 128)
        while true {
            let rank = memex_shim_lowest(area.lowest, eights)
            if rank == Int32.max { break }
            let group = Int(memex_shim_find(area.lowest, rank))
            let place = group &<< 4 | Int(memex_shim_find(ranks + group &<< 4, rank))
            let token = UInt32(truncatingIfNeeded: rank)
            let eaten = Int(area.next[place])
            let after = Int(area.next[eaten])
            let before = Int(area.previous[place])
            ids[place] = token
            area.next[place] = UInt32(truncatingIfNeeded: after)
            ranks[eaten] = Int32.max
            ranks[place] = Int32.max
            if after < length {
                area.previous[after] = UInt32(truncatingIfNeeded: place)
                ranks[place] = Self.rank(image.merged(token, ids[after]))
            }
            if before < length {
                ranks[before] = Self.rank(image.merged(ids[before], token))
                if before &>> 4 != group { update(before &>> 4, area) }
            }
            update(group, area)
            if eaten &>> 4 != group { update(eaten &>> 4, area) }
        }
        var parts = 0
        var from = 0
        while from < length {
            ids[parts] = ids[from]
            parts &+= 1
            from = Int(area.next[from])
        }
        return parts
    }

    @inline(__always)
    private func update(_ group: Int, _ area: MergeArea) {
        area.lowest[group] = memex_shim_lowest(area.ranks + group &<< 4, 2)
    }

    /// Lays the parts out and looks up what each merges into.
    private func begin(_ at: UnsafePointer<UInt8>, _ length: Int, _ area: MergeArea) {
        let ids = area.ids
        let ranks = area.ranks
        var index = 0
        let end = (length &+ 15) & ~15
        while index < end {
            ranks[index] = Int32.max
            index &+= 1
        }
        var from = 0
        var before = length
        while from < length {
            let part = image.part(at, from, length)
            ids[from] = part.id
            area.previous[from] = UInt32(truncatingIfNeeded: before)
            if before < length {
                let token =
                    part.length == 1 && from &- before == 1
                    ? image.merged(bytes: at[before], at[from]) : image.merged(ids[before], part.id)
                ranks[before] = Self.rank(token)
            }
            before = from
            from &+= part.length
            area.next[before] = UInt32(truncatingIfNeeded: from)
        }
        index = 0
        let groups = end &>> 4
        while index < groups {
            update(index, area)
            index &+= 1
        }
        while index & 7 != 0 {
            area.lowest[index] = Int32.max
            index &+= 1
        }
    }
}
