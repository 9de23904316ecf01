package import MemexModel

/// Builds the image of a byte-level vocabulary from its tokens by rank.
///
/// What the image relies on is checked here and an error when it does not hold: every byte is a token; every
/// token is reached by its own merges, the last of which is the only pair that ever makes it (merging inside a
/// span runs as it would alone); a merged token ranks after its parts.
package struct VocabularyBuilder {
    private let tokens: [[UInt8]]
    private var ranks = [[UInt8]: UInt32]()
    /// The two parts of each token's last merge; nil for single bytes.
    private var parts: [(left: UInt32, right: UInt32)?] = []

    /// - Parameter tokens: by rank; empty where a rank is no token.
    package init(_ tokens: [[UInt8]]) throws(MemexError) {
        self.tokens = tokens
        ranks.reserveCapacity(tokens.count)
        for (rank, token) in tokens.enumerated() where !token.isEmpty {
            guard ranks.updateValue(UInt32(rank), forKey: token) == nil else {
                throw MemexError(.invalid, "the vocabulary has the token of rank \(rank) twice")
            }
            guard token.count < 65_536 else {
                throw MemexError(.invalid, "the token of rank \(rank) is longer than 65535 bytes")
            }
        }
        for byte in UInt8.min...UInt8.max where ranks[[byte]] == nil {
            throw MemexError(.invalid, "the vocabulary has no token for the byte \(byte)")
        }
        parts = [(left: UInt32, right: UInt32)?](repeating: nil, count: tokens.count)
        for (rank, token) in tokens.enumerated() where token.count > 1 {
            parts[rank] = try lastMerge(of: token, UInt32(rank))
        }
    }

    private func lastMerge(
        of token: [UInt8], _ rank: UInt32
    ) throws(MemexError) -> (left: UInt32, right: UInt32) {
        var ends = Array(1...token.count)
        while true {
            var best: (rank: UInt32, at: Int)?
            var start = 0
            for at in 0..<(ends.count - 1) {
                if let found = ranks[Array(token[start..<ends[at + 1]])], found < best?.rank ?? UInt32.max {
                    best = (found, at)
                }
                start = ends[at]
            }
            guard let best else { break }
            if ends.count == 2, best.rank == rank {
                guard let left = ranks[Array(token[0..<ends[0]])],
                    let right = ranks[Array(token[ends[0]...])],
                    left < rank, right < rank
                else { break }
                return (left, right)
            }
            if ends.count == 2 { break }
            ends.remove(at: best.at)
        }
        throw MemexError(
            .unsupported, "the token of rank \(rank) is not reached by merging its own bytes in rank order")
    }
}

// MARK: - The image

extension VocabularyBuilder {
    /// The image's bytes.
    package func image() throws(MemexError) -> [UInt8] {
        var writer = ImageWriter()
        let words = try Words(tokens)
        let pairs = try pairTable()
        writer.set(.version, Int(VocabularyImage.version))
        writer.set(.tokens, ranks.count)
        writer.set(.idEnd, tokens.count)
        writer.set(.longestToken, tokens.map(\.count).max() ?? 0)
        writer.seeds(words.seed, pairs.seed)
        writer.set(.shortBuckets, words.short.pilots.count)
        writer.set(.shortSlots, words.short.slots.count)
        writer.set(.mediumBuckets, words.medium.pilots.count)
        writer.set(.mediumSlots, words.medium.slots.count)
        writer.set(.longSlots, words.longTable.count)
        writer.set(.blobBytes, words.blob.count)
        writer.set(.pairBuckets, pairs.buckets.count)
        writer.set(.pairSlots, pairs.slots.count)
        writer.section(.shortPilots, words.short.pilots)
        writer.section(.shortKeys, words.keys(.short))
        writer.section(.shortIds, words.ids(.short))
        writer.section(.mediumPilots, words.medium.pilots)
        writer.section(.mediumKeys, words.keys(.medium))
        writer.section(.mediumIds, words.ids(.medium))
        writer.section(.longTable, words.longTable)
        writer.section(.blob, words.blob)
        writer.section(.pairTable, pairs.buckets)
        writer.section(.pairKeys, pairs.slots)
        writer.section(.dense, denseTable())
        writer.section(.bytes, (UInt8.min...UInt8.max).map { ranks[[$0]] ?? 0 })
        writer.section(.straddle, straddleBits())
        writer.section(.places, words.places(tokens.count))
        let characters = characterTable()
        writer.set(.characterBlocks, characters.ids.count / 64)
        writer.section(.characterIndex, characters.index)
        writer.section(.characterIds, characters.ids)
        return writer.finish()
    }

    private func pairTable() throws(MemexError) -> (buckets: [UInt32], slots: [UInt64], seed: UInt64) {
        var keys: [UInt64] = []
        var merged: [UInt64] = []
        for (rank, pair) in parts.enumerated() {
            guard let pair else { continue }
            keys.append(VocabularyImage.pairKey(pair.left, pair.right))
            merged.append(UInt64(rank))
        }
        let (hash, seed) = try PerfectHash.search { seed in
            PerfectHash(keys.map { VocabularyHash.pair($0, seed) }, perBucket: 3, load: 0.97)
        }
        var buckets = hash.pilots.map { UInt32($0) }
        for key in keys {
            let value = VocabularyHash.pair(key, seed)
            buckets[VocabularyHash.bucket(value, UInt64(buckets.count))] |=
                1 << VocabularyHash.filterIndex(value)
        }
        // No key has all its bits set.
        let slots = hash.slots.map { $0 < 0 ? UInt64.max : keys[Int($0)] << 20 | merged[Int($0)] }
        return (buckets, slots, seed)
    }

    private func characterTable() -> (index: [UInt16], ids: [UInt32]) {
        var index: [UInt16] = []
        var blocks = [[UInt32]: UInt16]()
        var ids: [UInt32] = []
        for start in stride(from: 0, to: 0x1_0000, by: 64) {
            let block = (start..<start + 64).map { code -> UInt32 in
                guard code >= 0x80, let scalar = Unicode.Scalar(UInt32(code)) else {
                    return VocabularyImage.noToken
                }
                return ranks[Array(String(Character(scalar)).utf8)] ?? VocabularyImage.noToken
            }
            if let known = blocks[block] {
                index.append(known)
            } else {
                blocks[block] = UInt16(blocks.count)
                index.append(UInt16(blocks.count - 1))
                ids += block
            }
        }
        return (index, ids)
    }

    private func denseTable() -> [UInt32] {
        var table = [UInt32](repeating: VocabularyImage.noToken, count: 65_536)
        for (rank, token) in tokens.enumerated() where token.count == 2 {
            table[Int(token[0]) << 8 | Int(token[1])] = UInt32(rank)
        }
        return table
    }

    private func straddleBits() -> [UInt8] {
        var bits = [UInt8](repeating: 0, count: 8_192)
        func mark(_ last: UInt8, _ lead: UInt8) {
            let index = Int(last) << 8 | Int(lead)
            bits[index >> 3] |= 1 << UInt8(index & 7)
        }
        for token in tokens where token.count > 1 {
            var start = 0
            while start < token.count {
                var end = start + 1
                while end < token.count, token[end] & 0xC0 == 0x80 { end += 1 }
                if token[start] & 0xC0 == 0x80 || end - start != Self.characterLength(token[start]) {
                    if start > 0 { mark(token[start - 1], token[start]) }
                    if end < token.count { mark(token[end - 1], token[end]) }
                }
                start = end
            }
        }
        return bits
    }

    private static func characterLength(_ lead: UInt8) -> Int {
        lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    }
}
