internal import MemexModel

/// Builds the image of a byte-level vocabulary from its tokens by rank.
///
/// What the image relies on is checked here: every byte is a token; every token that merging can make is
/// reached by its own merges, the last of which is the only pair that ever makes it (merging inside a span
/// runs as it would alone); a merged token ranks after its parts. A vocabulary that breaks the last rule, or
/// one that makes a character unreachable, has no image: `hasImage` is false.
struct VocabularyBuilder: ~Copyable {
    /// How merging is given.
    enum Rule {
        /// Any two tokens that together are a token; its id is its rank.
        case byRank
        /// The pairs of a list; `hasWords` when a whole piece that is a token is one anyway.
        case byPairs(hasWords: Bool)
    }

    let tokens: TokenTable
    /// The two parts of each token's last merge; `alone` for bytes, `dead` for what merging does not make.
    private var parts: HeapArray<UInt64>
    private(set) var hasImage = true
    /// Whether tokens that merging does not make are found as words.
    private var hasWords = true

    private static var alone: UInt64 { UInt64.max }
    private static var dead: UInt64 { UInt64.max &- 1 }

    private init(tokens: consuming TokenTable) {
        parts = HeapArray(repeating: Self.dead, count: tokens.idEnd)
        self.tokens = tokens
    }

    /// - Parameter pairs: the merges, when they are given by pairs.
    static func make(
        _ tokens: consuming TokenTable, name: String, rule: Rule = .byRank,
        pairs: borrowing PairRanks = PairRanks()
    ) throws(MemexError) -> VocabularyBuilder {
        var builder = VocabularyBuilder(tokens: tokens)
        if builder.parts.failed { throw MemexError.noMemory }
        let missing = builder.takeBytes()
        switch rule {
        case .byRank:
            if missing >= 0 {
                throw MemexError(.invalid, "\(name) has no token for the byte \(missing)")
            }
            builder.takeRanks()
        case .byPairs(let hasWords):
            builder.hasWords = hasWords
            if missing >= 0 { builder.hasImage = false } else { builder.takePairs(pairs) }
        }
        return builder
    }

    /// Marks the tokens of single bytes; a byte that has none, -1 when all have.
    private mutating func takeBytes() -> Int {
        var byte = 0
        while byte < 256 {
            let bytes: InlineArray<4, UInt8> = [UInt8(truncatingIfNeeded: byte), 0, 0, 0]
            let id = tokens.id(of: bytes, 1)
            if id < 0 { return byte }
            parts[id] = Self.alone
            byte &+= 1
        }
        return -1
    }

    /// Ranks are ids: each token's last merge is looked for.
    private mutating func takeRanks() {
        var search = MergeSearch(tokens.longest)
        var id = 0
        while id < tokens.idEnd {
            if tokens.token(id).count > 1 {
                let found = search.lastMerge(of: id, tokens) { _ in true }
                switch found {
                case .pair(let left, let right):
                    if left >= id || right >= id { hasImage = false }
                    parts[id] = VocabularyImage.pairKey(
                        UInt32(truncatingIfNeeded: left), UInt32(truncatingIfNeeded: right))
                case .none:
                    if isCharacter(tokens.token(id)) { hasImage = false }
                }
            }
            if !hasImage { return }
            id &+= 1
        }
        if search.failed { hasImage = false }
    }

    /// Ranks are those of pairs: they must run as the ids of what they make do, and contain each token's last
    /// merge. The others are never asked for.
    private mutating func takePairs(_ pairs: borrowing PairRanks) {
        var made = HeapArray<UInt32>(repeating: UInt32.max, count: tokens.idEnd)
        pairs.forEach { pair in
            let id = Int(pair.merged)
            made[id] = min(made[id], pair.rank)
        }
        var search = MergeSearch(tokens.longest)
        var (first, last) = (-1, -1)
        var id = 0
        while id < tokens.idEnd {
            let rank = Int(made[id])
            if rank != Int(UInt32.max) {
                guard rank > first,
                    case .pair(let left, let right) = search.lastMerge(
                        of: id, tokens,
                        {
                            made[$0] != UInt32.max
                        }),
                    left < id, right < id,
                    let used = pairs.find(
                        UInt32(truncatingIfNeeded: left), UInt32(truncatingIfNeeded: right)),
                    Int(used.merged) == id, Int(used.rank) > last
                else {
                    hasImage = false
                    return
                }
                (first, last) = (rank, Int(used.rank))
                parts[id] = VocabularyImage.pairKey(
                    UInt32(truncatingIfNeeded: left), UInt32(truncatingIfNeeded: right))
            } else if parts[id] == Self.dead, hasWords, isCharacter(tokens.token(id)) {
                hasImage = false
            }
            if !hasImage { return }
            id &+= 1
        }
        if made.failed || search.failed { hasImage = false }
    }

    /// Whether a token is one character of four bytes, which the image would take whole.
    private func isCharacter(_ token: ByteView) -> Bool { token.count == 4 && token.byte(0) >= 0xF0 }

    /// Whether the image has a token: as a word, if not as the result of a merge.
    func isWord(_ id: Int) -> Bool { hasWords || parts[id] != Self.dead }

    /// The tokens, when there is no image to be made.
    consuming func release() -> TokenTable { tokens }

    private func isMerged(_ id: Int) -> Bool { parts[id] != Self.dead }
}

// MARK: - The image

extension VocabularyBuilder {
    /// The image's bytes; `hasImage` must be true.
    func image() throws(MemexError) -> ByteBuffer {
        guard hasImage else {
            throw MemexError(.unsupported, "a token of the vocabulary ranks before its parts")
        }
        var writer = ImageWriter()
        let words = try Words.make(tokens) { isWord($0) }
        var number = 0
        var id = 0
        while id < tokens.idEnd {
            if tokens.has(id), isWord(id) { number &+= 1 }
            id &+= 1
        }
        writer.set(.version, Int(VocabularyImage.version))
        writer.set(.tokens, number)
        writer.set(.idEnd, tokens.idEnd)
        writer.set(.longestToken, tokens.longest)
        writer.set(.shortBuckets, words.short.pilots.count)
        writer.set(.shortSlots, words.short.slots.count)
        writer.set(.mediumBuckets, words.medium.pilots.count)
        writer.set(.mediumSlots, words.medium.slots.count)
        writer.set(.longSlots, words.longTable.count)
        writer.set(.blobBytes, words.blobBytes)
        writer.section(.shortPilots, words.short.pilots)
        writer.section(.shortKeys)
        words.appendKeys(tokens, isMedium: false, to: &writer)
        writer.section(.shortIds)
        words.appendIds(isMedium: false, to: &writer)
        writer.section(.mediumPilots, words.medium.pilots)
        writer.section(.mediumKeys)
        words.appendKeys(tokens, isMedium: true, to: &writer)
        writer.section(.mediumIds)
        words.appendIds(isMedium: true, to: &writer)
        writer.section(.longTable, words.longTable)
        writer.section(.blob)
        words.appendBlob(to: &writer)
        try addPairs(words.seed, to: &writer)
        writer.section(.dense, try denseTable())
        writer.section(.bytes)
        var byte = 0
        while byte < 256 {
            let single = self.id(of: [UInt8(truncatingIfNeeded: byte), 0, 0, 0], 1)
            writer.append(UInt32(truncatingIfNeeded: max(0, single)))
            byte &+= 1
        }
        writer.section(.straddle, try straddleBits())
        writer.section(.places)
        try words.appendPlaces(tokens.idEnd, to: &writer)
        try addCharacters(to: &writer)
        return try writer.finish()
    }

    /// The id of the first bytes, if merging makes it; -1 otherwise.
    private func id(of bytes: InlineArray<4, UInt8>, _ count: Int) -> Int {
        let id = tokens.id(of: bytes, count)
        return id >= 0 && isMerged(id) ? id : -1
    }

    private func addPairs(_ wordSeed: UInt64, to writer: inout ImageWriter) throws(MemexError) {
        var keys = HeapArray<UInt64>(0)
        var merged = HeapArray<UInt32>(0)
        var id = 0
        while id < tokens.idEnd {
            if parts[id] < Self.dead {
                keys.append(parts[id])
                merged.append(UInt32(truncatingIfNeeded: id))
            }
            id &+= 1
        }
        var hashes = HeapArray<UInt64>(repeating: 0, count: keys.count)
        if keys.failed || merged.failed || hashes.failed { throw MemexError.noMemory }
        var number: UInt64 = 0
        while true {
            number &+= 1
            if number > PerfectHash.seeds { throw Words.noHash }
            let seed = PerfectHash.seed(number)
            var at = 0
            while at < keys.count {
                hashes[at] = VocabularyHash.pair(keys[at], seed)
                at &+= 1
            }
            guard let hash = PerfectHash(hashes) else { continue }
            let count = UInt64(truncatingIfNeeded: hash.pilots.count)
            var buckets = HeapArray<UInt32>(repeating: 0, count: hash.pilots.count)
            if buckets.failed { throw MemexError.noMemory }
            at = 0
            while at < buckets.count {
                buckets[at] = UInt32(hash.pilots[at])
                at &+= 1
            }
            at = 0
            while at < keys.count {
                buckets[VocabularyHash.bucket(hashes[at], count)] |=
                    1 &<< VocabularyHash.filterIndex(hashes[at])
                at &+= 1
            }
            writer.seeds(wordSeed, seed)
            writer.set(.pairBuckets, buckets.count)
            writer.set(.pairSlots, hash.slots.count)
            writer.section(.pairTable, buckets)
            writer.section(.pairKeys)
            at = 0
            while at < hash.slots.count {
                // No key has all its bits set.
                let key = Int(hash.slots[at])
                writer.append(key < 0 ? UInt64.max : keys[key] &<< 20 | UInt64(merged[key]))
                at &+= 1
            }
            return
        }
    }

    private func addCharacters(to writer: inout ImageWriter) throws(MemexError) {
        var index = HeapArray<UInt16>(0)
        var ids = HeapArray<UInt32>(0)
        var start: UInt32 = 0
        while start < 0x1_0000 {
            let from = ids.count
            var code = start
            while code < start &+ 64 {
                ids.append(UInt32(truncatingIfNeeded: code < 0x80 ? -1 : characterId(code)))
                code &+= 1
            }
            // A block that is there already is used again.
            var block = 0
            while block < from, !Self.equal(ids, block, from) { block &+= 64 }
            if block < from { ids.resize(from) }
            index.append(UInt16(truncatingIfNeeded: block / 64))
            start &+= 64
        }
        if index.failed || ids.failed { throw MemexError.noMemory }
        writer.set(.characterBlocks, ids.count / 64)
        writer.section(.characterIndex, index)
        writer.section(.characterIds, ids)
    }

    private static func equal(_ ids: borrowing HeapArray<UInt32>, _ left: Int, _ right: Int) -> Bool {
        var at = 0
        while at < 64, ids[left &+ at] == ids[right &+ at] { at &+= 1 }
        return at == 64
    }

    private func characterId(_ code: UInt32) -> Int {
        let low = UInt8(truncatingIfNeeded: 0x80 | code & 0x3F)
        let middle = code &>> 6
        if code < 0x800 { return id(of: [UInt8(truncatingIfNeeded: 0xC0 | middle), low, 0, 0], 2) }
        let lead = UInt8(truncatingIfNeeded: 0xE0 | code &>> 12)
        // A surrogate is no character.
        if code &- 0xD800 < 0x800 { return -1 }
        return id(of: [lead, UInt8(truncatingIfNeeded: 0x80 | middle & 0x3F), low, 0], 3)
    }

    private func denseTable() throws(MemexError) -> HeapArray<UInt32> {
        var table = HeapArray<UInt32>(repeating: VocabularyImage.noToken, count: 65_536)
        if table.failed { throw MemexError.noMemory }
        var id = 0
        while id < tokens.idEnd {
            let token = tokens.token(id)
            if token.count == 2, isMerged(id) {
                table[Int(token.byte(0)) &<< 8 | Int(token.byte(1))] = UInt32(truncatingIfNeeded: id)
            }
            id &+= 1
        }
        return table
    }

    private func straddleBits() throws(MemexError) -> HeapArray<UInt8> {
        var bits = HeapArray<UInt8>(repeating: 0, count: 8_192)
        if bits.failed { throw MemexError.noMemory }
        var id = 0
        while id < tokens.idEnd {
            if isMerged(id) { mark(tokens.token(id), in: &bits) }
            id &+= 1
        }
        return bits
    }

    private func mark(_ token: ByteView, in bits: inout HeapArray<UInt8>) {
        func mark(_ at: Int) {
            let index = Int(token.byte(at &- 1)) &<< 8 | Int(token.byte(at))
            bits[index &>> 3] |= 1 &<< UInt8(truncatingIfNeeded: index & 7)
        }
        var start = 0
        while start < token.count {
            var end = start &+ 1
            while end < token.count, token.byte(end) & 0xC0 == 0x80 { end &+= 1 }
            let lead = token.byte(start)
            let length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
            if token.count > 1, lead & 0xC0 == 0x80 || end &- start != length {
                if start > 0 { mark(start) }
                if end < token.count { mark(end) }
            }
            start = end
        }
    }
}
