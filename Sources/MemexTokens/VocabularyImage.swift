internal import MemexModel

/// A vocabulary as one block of read-only bytes: perfect hashes of the words and of the pairs that merge, and
/// what encoding and decoding need besides. The block lies in the library or was built from a file.
///
/// Plain pointers and numbers, so that the loops that read it count no references. `base` must outlive it.
///
/// All numbers are little-endian, sections start at multiples of 64 bytes:
///
/// | section | entries |
/// |---|---|
/// | short, medium words | a pilot byte a bucket; keys of 8 and 16 bytes, zero-padded; a 3-byte id a slot |
/// | long words (over 16 bytes, or ending in NUL) | open table of 4-byte places in the blob; blob |
/// | blob | records: 2-byte length, 3-byte id, bytes |
/// | pairs | a bucket of 4 bytes: pilot and 24 bits of filter; slots `left << 40 | right << 20 | merged` |
/// | dense | the token of each pair of bytes, 4 bytes each |
/// | bytes | the token of each byte, 4 bytes each |
/// | straddle | a bit for each pair of bytes, see `straddles` |
/// | characters | a block of 64 tokens for each block of 64 code points below U+10000, distinct blocks once |
/// | places | for each id where its bytes are, 3 bytes |
struct VocabularyImage: @unchecked Sendable {
    static let magic: UInt64 = 0x314B_4F54_584D_454D  // "MEMXTOK1"
    static let version: UInt32 = 1
    static let headerBytes = 256
    static let noToken: UInt32 = 0xFFFF_FFFF
    static let noPlace: UInt32 = 0xFF_FFFF
    /// Ids have 20 bits in a pair's slot.
    static let idLimit = 1 << 20

    /// Numbers of the header, in its order; sections are byte offsets.
    enum Field: Int, CaseIterable {
        case version, tokens, idEnd, longestToken
        case shortBuckets, shortSlots, mediumBuckets, mediumSlots, longSlots, blobBytes, pairBuckets,
            pairSlots
        case characterBlocks
        case shortPilots, shortKeys, shortIds, mediumPilots, mediumKeys, mediumIds, longTable, blob
        case pairTable, pairKeys, dense, bytes, straddle, places
        case characterIndex, characterIds, end
    }

    let wordSeed: UInt64
    let pairSeed: UInt64
    let shortBuckets: UInt64
    let shortSlots: UInt64
    let mediumBuckets: UInt64
    let mediumSlots: UInt64
    let pairBuckets: UInt64
    let pairSlots: UInt64
    let longMask: Int
    let blobBytes: Int
    let tokens: Int
    /// One more than the highest id.
    let idEnd: Int
    let longestToken: Int

    let shortPilots: UnsafePointer<UInt8>
    let shortKeys: UnsafePointer<UInt64>
    let shortIds: UnsafePointer<UInt8>
    let mediumPilots: UnsafePointer<UInt8>
    let mediumKeys: UnsafePointer<UInt64>
    let mediumIds: UnsafePointer<UInt8>
    let longTable: UnsafePointer<UInt32>
    let blob: UnsafePointer<UInt8>
    let pairTable: UnsafePointer<UInt32>
    let pairKeys: UnsafePointer<UInt64>
    let dense: UnsafePointer<UInt32>
    let bytes: UnsafePointer<UInt32>
    let straddle: UnsafePointer<UInt8>
    let places: UnsafePointer<UInt8>
    let characterIndex: UnsafePointer<UInt16>
    let characterIds: UnsafePointer<UInt32>

    /// Nil when the block is not an image of this version or its sections do not fit into it.
    init?(_ base: UnsafeRawPointer, count: Int) {
        guard count >= Self.headerBytes, UInt(bitPattern: base) & 63 == 0,
            base.load(as: UInt64.self) == Self.magic
        else { return nil }
        func number(_ field: Field) -> Int {
            Int(base.load(fromByteOffset: 32 &+ field.rawValue &* 4, as: UInt32.self))
        }
        func section<T>(_ field: Field, _ entries: Int, _: T.Type) -> UnsafePointer<T>? {
            let offset = number(field)
            let (size, overflow) = entries.multipliedReportingOverflow(by: MemoryLayout<T>.size)
            guard !overflow, offset & 63 == 0, offset <= count, size <= count &- offset else { return nil }
            return (base + offset).assumingMemoryBound(to: T.self)
        }
        guard number(.version) == Int(Self.version), number(.end) == count else { return nil }
        tokens = number(.tokens)
        idEnd = number(.idEnd)
        longestToken = number(.longestToken)
        wordSeed = base.load(fromByteOffset: 8, as: UInt64.self)
        pairSeed = base.load(fromByteOffset: 16, as: UInt64.self)
        shortBuckets = UInt64(number(.shortBuckets))
        shortSlots = UInt64(number(.shortSlots))
        mediumBuckets = UInt64(number(.mediumBuckets))
        mediumSlots = UInt64(number(.mediumSlots))
        pairBuckets = UInt64(number(.pairBuckets))
        pairSlots = UInt64(number(.pairSlots))
        longMask = number(.longSlots) &- 1
        blobBytes = number(.blobBytes)
        guard idEnd <= Self.idLimit, number(.longSlots) & longMask == 0, longMask >= 0,
            let shortPilots = section(.shortPilots, number(.shortBuckets), UInt8.self),
            let shortKeys = section(.shortKeys, number(.shortSlots), UInt64.self),
            let shortIds = section(.shortIds, number(.shortSlots) &* 3 &+ 1, UInt8.self),
            let mediumPilots = section(.mediumPilots, number(.mediumBuckets), UInt8.self),
            let mediumKeys = section(.mediumKeys, number(.mediumSlots) &* 2, UInt64.self),
            let mediumIds = section(.mediumIds, number(.mediumSlots) &* 3 &+ 1, UInt8.self),
            let longTable = section(.longTable, number(.longSlots), UInt32.self),
            let blob = section(.blob, number(.blobBytes), UInt8.self),
            let pairTable = section(.pairTable, number(.pairBuckets), UInt32.self),
            let pairKeys = section(.pairKeys, number(.pairSlots), UInt64.self),
            let dense = section(.dense, 65_536, UInt32.self),
            let bytes = section(.bytes, 256, UInt32.self),
            let straddle = section(.straddle, 8_192, UInt8.self),
            let places = section(.places, number(.idEnd) &* 3 &+ 1, UInt8.self),
            let characterIndex = section(.characterIndex, 1_024, UInt16.self),
            let characterIds = section(.characterIds, number(.characterBlocks) &* 64, UInt32.self)
        else { return nil }
        self.shortPilots = shortPilots
        self.shortKeys = shortKeys
        self.shortIds = shortIds
        self.mediumPilots = mediumPilots
        self.mediumKeys = mediumKeys
        self.mediumIds = mediumIds
        self.longTable = longTable
        self.blob = blob
        self.pairTable = pairTable
        self.pairKeys = pairKeys
        self.dense = dense
        self.bytes = bytes
        self.straddle = straddle
        self.places = places
        self.characterIndex = characterIndex
        self.characterIds = characterIds
    }

    @inline(__always)
    private static func three(_ at: UnsafePointer<UInt8>, _ index: Int) -> UInt32 {
        TextLoad.half(at + index &* 3) & 0xFF_FFFF
    }

    @inline(__always)
    private static func two(_ at: UnsafePointer<UInt8>) -> Int { Int(at[0]) | Int(at[1]) &<< 8 }
}

// MARK: - Words

extension VocabularyImage {
    /// The slot where a word of at most eight bytes would be.
    @inline(__always)
    func shortSlot(_ word: UInt64) -> Int {
        let hash = VocabularyHash.word(word, 0, wordSeed)
        let pilot = UInt64(shortPilots[VocabularyHash.bucket(hash, shortBuckets)])
        return VocabularyHash.slot(hash, pilot, shortSlots)
    }

    /// The slot where a word of nine to sixteen bytes would be.
    @inline(__always)
    func mediumSlot(_ low: UInt64, _ high: UInt64) -> Int {
        let hash = VocabularyHash.word(low, high, wordSeed)
        let pilot = UInt64(mediumPilots[VocabularyHash.bucket(hash, mediumBuckets)])
        return VocabularyHash.slot(hash, pilot, mediumSlots)
    }

    /// Whether a zero-padded word of at most eight bytes, which does not end in NUL, is a token.
    @inline(__always)
    func hasShort(_ word: UInt64) -> Bool { shortKeys[shortSlot(word)] == word }

    @inline(__always)
    func hasMedium(_ low: UInt64, _ high: UInt64) -> Bool {
        let slot = mediumSlot(low, high)
        return mediumKeys[slot &* 2] == low && mediumKeys[slot &* 2 &+ 1] == high
    }

    /// Where the key of a word of at most sixteen bytes would be, without a branch; `isMedium` for more than
    /// eight. Sixteen bytes can be read there.
    @inline(__always)
    func keyPlace(_ low: UInt64, _ high: UInt64, isMedium: Bool) -> UnsafeRawPointer {
        let hash = VocabularyHash.word(low, high, wordSeed)
        let pilots = isMedium ? mediumPilots : shortPilots
        let pilot = UInt64(pilots[VocabularyHash.bucket(hash, isMedium ? mediumBuckets : shortBuckets)])
        let slot = VocabularyHash.slot(hash, pilot, isMedium ? mediumSlots : shortSlots)
        return UnsafeRawPointer(isMedium ? mediumKeys : shortKeys) + (slot &<< (isMedium ? 4 : 3))
    }

    @inline(__always)
    func shortToken(_ word: UInt64) -> UInt32 {
        let slot = shortSlot(word)
        return shortKeys[slot] == word ? Self.three(shortIds, slot) : Self.noToken
    }

    @inline(__always)
    func mediumToken(_ low: UInt64, _ high: UInt64) -> UInt32 {
        let slot = mediumSlot(low, high)
        guard mediumKeys[slot &* 2] == low, mediumKeys[slot &* 2 &+ 1] == high else { return Self.noToken }
        return Self.three(mediumIds, slot)
    }

    /// The token of a word of more than sixteen bytes, or of one that ends in NUL.
    func longToken(_ word: UnsafePointer<UInt8>, _ count: Int) -> UInt32 {
        guard count <= longestToken else { return Self.noToken }
        var at = Int(truncatingIfNeeded: VocabularyHash.long(word, count)) & longMask
        var probes = 0
        while probes <= longMask {
            let place = Int(longTable[at])
            if place == 0 { return Self.noToken }
            let record = blob + (place &- 1)
            if Self.two(record) == count, equal(record + 5, word, count) { return Self.three(record + 2, 0) }
            at = (at &+ 1) & longMask
            probes &+= 1
        }
        return Self.noToken
    }

    @inline(__always)
    private func equal(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var at = 0
        while at < count {
            if left[at] != right[at] { return false }
            at &+= 1
        }
        return true
    }
}

// MARK: - Pairs

extension VocabularyImage {
    /// What two neighbouring tokens merge into; `noToken` when they do not.
    @inline(__always)
    func merged(_ left: UInt32, _ right: UInt32) -> UInt32 {
        let key = Self.pairKey(left, right)
        let hash = VocabularyHash.pair(key, pairSeed)
        let bucket = pairBucket(hash).pointee
        guard bucket &>> VocabularyHash.filterIndex(hash) & 1 != 0 else { return Self.noToken }
        let slot = pairKeys[VocabularyHash.slot(hash, UInt64(bucket & 0xFF), pairSlots)]
        return slot &>> 20 == key ? UInt32(truncatingIfNeeded: slot & 0xF_FFFF) : Self.noToken
    }

    @inline(__always)
    static func pairKey(_ left: UInt32, _ right: UInt32) -> UInt64 { UInt64(left) &<< 20 | UInt64(right) }

    /// The first step of `merged`: where its bucket is.
    @inline(__always)
    func pairBucket(_ hash: UInt64) -> UnsafePointer<UInt32> {
        pairTable + VocabularyHash.bucket(hash, pairBuckets)
    }

    /// The second step: its slot. If the filter says that there is no such pair, the first one, which is near;
    /// it does not match.
    @inline(__always)
    func pairSlot(_ hash: UInt64) -> Int {
        let bucket = pairBucket(hash).pointee
        let slot = VocabularyHash.slot(hash, UInt64(bucket & 0xFF), pairSlots)
        let passes = Int(truncatingIfNeeded: bucket &>> VocabularyHash.filterIndex(hash) & 1)
        return slot & (0 &- passes)
    }

    /// The token of a character of two or three bytes, `noToken` when it is none.
    @inline(__always)
    func character(_ code: Int) -> UInt32 {
        characterIds[Int(characterIndex[code &>> 6]) &<< 6 | code & 63]
    }

    /// What two neighbouring bytes merge into.
    @inline(__always)
    func merged(bytes left: UInt8, _ right: UInt8) -> UInt32 {
        dense[Int(left) &<< 8 | Int(right)]
    }

    /// Whether some token begins or ends with a part of a character that touches a character's edge between
    /// these bytes. Where none does, nothing can merge across the edge before the character is whole.
    @inline(__always)
    func straddles(_ last: UInt8, _ lead: UInt8) -> Bool {
        let index = Int(last) &<< 8 | Int(lead)
        return straddle[index &>> 3] &>> UInt8(truncatingIfNeeded: index & 7) & 1 != 0
    }
}

// MARK: - Tokens

extension VocabularyImage {
    /// Appends the bytes of a token; false when there is no such token.
    func append(_ id: Int, to text: inout ByteBuffer) -> Bool {
        guard id >= 0, id < idEnd else { return false }
        let place = Self.three(places, id)
        guard place != Self.noPlace else { return false }
        var at = Int(place)
        if at < Int(truncatingIfNeeded: shortSlots) {
            append(shortKeys + at, length(id), to: &text)
            return true
        }
        at &-= Int(truncatingIfNeeded: shortSlots)
        if at < Int(truncatingIfNeeded: mediumSlots) {
            append(mediumKeys + at &* 2, length(id), to: &text)
            return true
        }
        at &-= Int(truncatingIfNeeded: mediumSlots)
        guard at &+ 5 <= blobBytes else { return false }
        let length = Self.two(blob + at)
        guard at &+ 5 &+ length <= blobBytes else { return false }
        text.append(ByteView(start: blob + (at &+ 5), count: length))
        return true
    }

    private func append(_ key: UnsafePointer<UInt64>, _ count: Int, to text: inout ByteBuffer) {
        text.append(ByteView(start: UnsafeRawPointer(key).assumingMemoryBound(to: UInt8.self), count: count))
    }

    /// How many bytes a token has; 0 when there is no such token.
    @inline(__always)
    func length(_ id: Int) -> Int {
        guard id >= 0, id < idEnd else { return 0 }
        let place = Self.three(places, id)
        guard place != Self.noPlace else { return 0 }
        var at = Int(place)
        if at < Int(truncatingIfNeeded: shortSlots) { return 8 &- shortKeys[at].leadingZeroBitCount &>> 3 }
        at &-= Int(truncatingIfNeeded: shortSlots)
        if at < Int(truncatingIfNeeded: mediumSlots) {
            return 16 &- mediumKeys[at &* 2 &+ 1].leadingZeroBitCount &>> 3
        }
        at &-= Int(truncatingIfNeeded: mediumSlots)
        return at &+ 5 <= blobBytes ? Self.two(blob + at) : 0
    }
}
