internal import MemexModel

/// The words of a vocabulary, sorted into the tables of its image.
struct Words: ~Copyable {
    /// The ids of words of up to eight bytes, of nine to sixteen, and of the others, in order.
    private let shortIds: HeapArray<UInt32>
    private let mediumIds: HeapArray<UInt32>
    private let longIds: HeapArray<UInt32>
    let short: PerfectHash
    let medium: PerfectHash
    /// Of both.
    let seed: UInt64
    let longTable: HeapArray<UInt32>
    private let longPlaces: HeapArray<UInt32>
    private let blob: ByteBuffer

    var blobBytes: Int { blob.count }

    /// - Parameter isWord: which ids count.
    static func make(
        _ tokens: borrowing TokenTable, _ isWord: (Int) -> Bool
    ) throws(MemexError) -> Words {
        var short = HeapArray<UInt32>(0)
        var medium = HeapArray<UInt32>(0)
        var long = HeapArray<UInt32>(0)
        var id = 0
        while id < tokens.idEnd {
            let token = tokens.token(id)
            let entry = UInt32(truncatingIfNeeded: id)
            if token.count > 0, isWord(id) {
                // Zero-padded keys cannot tell "a" from "a" and NUL.
                if token.count > 16 || token.byte(token.count &- 1) == 0 {
                    long.append(entry)
                } else if token.count > 8 {
                    medium.append(entry)
                } else {
                    short.append(entry)
                }
            }
            id &+= 1
        }
        if short.failed || medium.failed || long.failed { throw MemexError.noMemory }
        var shortHashes = HeapArray<UInt64>(repeating: 0, count: short.count)
        var mediumHashes = HeapArray<UInt64>(repeating: 0, count: medium.count)
        if shortHashes.failed || mediumHashes.failed { throw MemexError.noMemory }
        var number: UInt64 = 0
        var seed: UInt64 = 0
        var shortHash: PerfectHash?
        var mediumHash: PerfectHash?
        repeat {
            number &+= 1
            if number > PerfectHash.seeds { throw noHash }
            seed = PerfectHash.seed(number)
            hash(&shortHashes, short, tokens, seed)
            hash(&mediumHashes, medium, tokens, seed)
            shortHash = PerfectHash(shortHashes)
            mediumHash = PerfectHash(mediumHashes)
        } while shortHash == nil || mediumHash == nil
        var size = 1
        while size < long.count &* 2 &+ 1 { size &*= 2 }
        var table = HeapArray<UInt32>(repeating: 0, count: size)
        var places = HeapArray<UInt32>(0)
        var blob = ByteBuffer()
        var at = 0
        while at < long.count, !table.failed {
            let token = tokens.token(Int(long[at]))
            guard let base = token.baseAddress else { break }
            var slot = Int(truncatingIfNeeded: VocabularyHash.long(base, token.count)) & (size &- 1)
            while table[slot] != 0 { slot = (slot &+ 1) & (size &- 1) }
            table[slot] = UInt32(truncatingIfNeeded: blob.count &+ 1)
            places.append(UInt32(truncatingIfNeeded: blob.count))
            blob.append(littleEndian: UInt16(truncatingIfNeeded: token.count))
            blob.append(byte: UInt8(truncatingIfNeeded: long[at]))
            blob.append(littleEndian: UInt16(truncatingIfNeeded: long[at] &>> 8))
            blob.append(token)
            at &+= 1
        }
        if table.failed || places.failed || blob.failed { throw MemexError.noMemory }
        guard let shortHash = shortHash.take(), let mediumHash = mediumHash.take() else { throw noHash }
        return Words(
            shortIds: short, mediumIds: medium, longIds: long, short: shortHash, medium: mediumHash,
            seed: seed,
            longTable: table, longPlaces: places, blob: blob)
    }

    static var noHash: MemexError { MemexError(.internal, "no perfect hash was found") }

    private static func word(_ token: ByteView, _ from: Int) -> UInt64 {
        guard let base = token.baseAddress, from < token.count else { return 0 }
        return TextLoad.partial(base + from, token.count &- from)
    }

    private static func hash(
        _ hashes: inout HeapArray<UInt64>, _ ids: borrowing HeapArray<UInt32>,
        _ tokens: borrowing TokenTable, _ seed: UInt64
    ) {
        var at = 0
        while at < ids.count {
            let token = tokens.token(Int(ids[at]))
            hashes[at] = VocabularyHash.word(word(token, 0), word(token, 8), seed)
            at &+= 1
        }
    }
}

// MARK: - Sections

extension Words {
    /// The keys of all slots.
    func appendKeys(_ tokens: borrowing TokenTable, isMedium: Bool, to writer: inout ImageWriter) {
        let slots = isMedium ? medium.slots.count : short.slots.count
        var at = 0
        while at < slots {
            let key = isMedium ? medium.slots[at] : short.slots[at]
            let id = isMedium ? mediumIds[Int(key)] : shortIds[Int(key)]
            let token = key < 0 ? ByteView(start: nil, count: 0) : tokens.token(Int(id))
            writer.append(Self.word(token, 0))
            if isMedium { writer.append(Self.word(token, 8)) }
            at &+= 1
        }
    }

    /// The ids of all slots, three bytes each, and a byte more so that four can be read.
    func appendIds(isMedium: Bool, to writer: inout ImageWriter) {
        let slots = isMedium ? medium.slots.count : short.slots.count
        var at = 0
        while at < slots {
            let key = isMedium ? medium.slots[at] : short.slots[at]
            let id = isMedium ? mediumIds[Int(key)] : shortIds[Int(key)]
            writer.append(three: key < 0 ? 0 : Int(id))
            at &+= 1
        }
        writer.append(UInt8(0))
    }

    func appendBlob(to writer: inout ImageWriter) { writer.append(blob.view) }

    /// For each id where its bytes are: a short slot, a medium slot, or a place in the blob, counted on.
    func appendPlaces(_ ids: Int, to writer: inout ImageWriter) throws(MemexError) {
        var places = HeapArray<UInt32>(repeating: VocabularyImage.noPlace, count: ids)
        if places.failed { throw MemexError.noMemory }
        var at = 0
        while at < short.slots.count {
            let key = Int(short.slots[at])
            if key >= 0 { places[Int(shortIds[key])] = UInt32(truncatingIfNeeded: at) }
            at &+= 1
        }
        at = 0
        while at < medium.slots.count {
            let key = Int(medium.slots[at])
            let place = short.slots.count &+ at
            if key >= 0 { places[Int(mediumIds[key])] = UInt32(truncatingIfNeeded: place) }
            at &+= 1
        }
        let before = short.slots.count &+ medium.slots.count
        at = 0
        while at < longIds.count {
            places[Int(longIds[at])] = UInt32(truncatingIfNeeded: before &+ Int(longPlaces[at]))
            at &+= 1
        }
        guard before &+ blob.count < Int(VocabularyImage.noPlace) else {
            throw MemexError(.limit, "the vocabulary has tokens of more than 16 MB")
        }
        at = 0
        while at < ids {
            writer.append(three: Int(places[at]))
            at &+= 1
        }
        writer.append(UInt8(0))
    }
}
