import MemexModel

/// The words of a vocabulary, sorted into the tables of its image.
struct Words {
    enum Size {
        case short
        case medium
    }

    private let tokens: [[UInt8]]
    private let shortRanks: [Int]
    private let mediumRanks: [Int]
    private let longRanks: [Int]
    let short: PerfectHash
    let medium: PerfectHash
    /// Of both.
    let seed: UInt64
    private(set) var longTable: [UInt32] = []
    private(set) var blob: [UInt8] = []
    private var longPlaces: [Int] = []

    init(_ tokens: [[UInt8]]) throws(MemexError) {
        self.tokens = tokens
        var byLength: ([Int], [Int], [Int]) = ([], [], [])
        for (rank, token) in tokens.enumerated() {
            guard let last = token.last else { continue }
            // Zero-padded keys cannot tell "a" from "a" and NUL.
            if token.count > 16 || last == 0 {
                byLength.2.append(rank)
            } else if token.count > 8 {
                byLength.1.append(rank)
            } else {
                byLength.0.append(rank)
            }
        }
        let (shortRanks, mediumRanks, longRanks) = byLength
        self.shortRanks = shortRanks
        self.mediumRanks = mediumRanks
        self.longRanks = longRanks
        func hashes(_ ranks: [Int], _ seed: UInt64) -> [UInt64] {
            ranks.map { VocabularyHash.word(Self.word(tokens[$0], 0), Self.word(tokens[$0], 8), seed) }
        }
        let placed = try PerfectHash.search { seed -> (PerfectHash, PerfectHash)? in
            guard let short = PerfectHash(hashes(shortRanks, seed), perBucket: 3, load: 0.97),
                let medium = PerfectHash(hashes(mediumRanks, seed), perBucket: 3, load: 0.97)
            else { return nil }
            return (short, medium)
        }
        ((short, medium), seed) = placed
        placeLong()
    }

    private static func word(_ token: [UInt8], _ from: Int) -> UInt64 {
        var word: UInt64 = 0
        for (index, byte) in token.dropFirst(from).prefix(8).enumerated() {
            word |= UInt64(byte) << UInt64(index * 8)
        }
        return word
    }

    private mutating func placeLong() {
        var size = 1
        while size < longRanks.count * 2 + 1 { size *= 2 }
        longTable = [UInt32](repeating: 0, count: size)
        for rank in longRanks {
            let token = tokens[rank]
            let hash = token.withUnsafeBufferPointer { bytes in
                bytes.baseAddress.map { VocabularyHash.long($0, bytes.count) } ?? 0
            }
            var at = Int(truncatingIfNeeded: hash) & (size - 1)
            while longTable[at] != 0 { at = (at + 1) & (size - 1) }
            longTable[at] = UInt32(blob.count + 1)
            longPlaces.append(blob.count)
            blob.append(UInt8(token.count & 0xFF))
            blob.append(UInt8(token.count >> 8))
            blob.append(contentsOf: ImageWriter.three(rank))
            blob.append(contentsOf: token)
        }
    }

    /// The keys of all slots.
    func keys(_ size: Size) -> [UInt64] {
        switch size {
        case .short:
            return short.slots.map { $0 < 0 ? 0 : Self.word(tokens[shortRanks[Int($0)]], 0) }
        case .medium:
            return medium.slots.flatMap { slot -> [UInt64] in
                guard slot >= 0 else { return [0, 0] }
                let token = tokens[mediumRanks[Int(slot)]]
                return [Self.word(token, 0), Self.word(token, 8)]
            }
        }
    }

    /// The ids of all slots, three bytes each, and a byte more so that four can be read.
    func ids(_ size: Size) -> [UInt8] {
        let slots = size == .short ? short.slots : medium.slots
        let ranks = size == .short ? shortRanks : mediumRanks
        return slots.flatMap { ImageWriter.three($0 < 0 ? 0 : ranks[Int($0)]) } + [0]
    }

    /// For each id where its bytes are: a short slot, a medium slot, or a place in the blob, counted on.
    func places(_ ids: Int) -> [UInt8] {
        var places = [Int](repeating: Int(VocabularyImage.noPlace), count: ids)
        for (slot, key) in short.slots.enumerated() where key >= 0 { places[shortRanks[Int(key)]] = slot }
        for (slot, key) in medium.slots.enumerated() where key >= 0 {
            places[mediumRanks[Int(key)]] = short.slots.count + slot
        }
        let before = short.slots.count + medium.slots.count
        for (rank, place) in zip(longRanks, longPlaces) { places[rank] = before + place }
        return places.flatMap(ImageWriter.three) + [0]
    }
}
