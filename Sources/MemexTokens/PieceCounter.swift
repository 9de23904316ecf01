internal import CMemexShim

/// Counts the tokens of pieces without making them: a piece that is in the vocabulary is one, whichever.
///
/// Pieces that must be merged are counted when enough of them wait; `finish` counts the last.
struct PieceCounter: PieceSink, ~Copyable {
    /// Memory for a piece that cannot be split within the scratch memory ran out.
    private(set) var failed = false
    private let image: VocabularyImage
    private let cache: PieceCache
    private let lookups: UnsafeMutablePointer<PieceLookup>
    private let merger: PieceMerger
    private var queue: MergeQueue
    private var total: UnsafeMutablePointer<Int>

    /// - Parameter total: where the tokens are counted; must hold a number.
    init(_ image: VocabularyImage, _ scratch: TokenizerScratch, into total: UnsafeMutablePointer<Int>) {
        self.image = image
        self.total = total
        cache = scratch.cache
        lookups = scratch.lookups
        merger = PieceMerger(image, scratch)
        queue = MergeQueue(image, scratch.cache, scratch.queue)
    }

    /// Counts elsewhere from here on.
    @inline(__always)
    mutating func count(into total: UnsafeMutablePointer<Int>) { self.total = total }

    /// Counts what still waits.
    @inline(__always)
    mutating func finish() { if queue.used > 0 { queue.run() } }

    @inline(__always)
    mutating func piece(_ at: UnsafePointer<UInt8>, _ length: Int, padded: Bool) {
        if length <= 8, padded {
            let word = TextLoad.word(at) & TextLoad.mask(length)
            if image.hasShort(word), at[length &- 1] != 0 {
                total.pointee &+= 1
            } else {
                missed(at, length, padded)
            }
        } else if length <= 16, padded {
            let low = TextLoad.word(at)
            let high = TextLoad.word(at + 8) & TextLoad.mask(length &- 8)
            if image.hasMedium(low, high), at[length &- 1] != 0 {
                total.pointee &+= 1
            } else {
                missed(at, length, padded)
            }
        } else {
            missed(at, length, padded)
        }
    }

    /// Looks all pieces up before it compares any, so that the reads from the tables, which are larger than the
    /// caches, overlap.
    @inline(__always)
    mutating func pieces(_ bytes: UnsafePointer<UInt8>, starts: UInt64, limit: Int) {
        var bits = starts & (~0 &>> UInt64(truncatingIfNeeded: 64 &- limit))
        var found = bits.nonzeroBitCount
        bits &= bits &- 1
        var start = 0
        var entry = lookups
        while true {
            let end = bits == 0 ? limit : bits.trailingZeroBitCount
            let length = end &- start
            let at = bytes + start
            let isMedium = length > 8
            let low = TextLoad.word(at) & TextLoad.mask(isMedium ? 8 : length)
            let high = isMedium ? TextLoad.word(at + 8) & TextLoad.mask(min(length &- 8, 8)) : 0
            let place = image.keyPlace(low, high, isMedium: isMedium)
            memex_shim_prefetch(place)
            entry.pointee = PieceLookup(low: low, high: high, place: place, start: start, length: length)
            entry += 1
            start = end
            if bits == 0 { break }
            bits &= bits &- 1
        }
        var next = lookups
        while next < entry {
            let lookup = next.pointee
            let first = lookup.place.load(as: UInt64.self)
            let second = lookup.place.load(fromByteOffset: 8, as: UInt64.self)
            let differs = (first ^ lookup.low) | (lookup.length > 8 ? second ^ lookup.high : 0)
            if differs != 0 || lookup.length > 16 {
                found &-= 1
                missed(bytes + lookup.start, lookup.length, true)
            }
            next += 1
        }
        total.pointee &+= found
    }

    /// A piece that was not found at once: a long one, one that ends in NUL, one at the end of the text, or one
    /// that is no token.
    @inline(never)
    private mutating func missed(_ at: UnsafePointer<UInt8>, _ length: Int, _ padded: Bool) {
        if length > 16 || at[length &- 1] == 0 {
            if image.longToken(at, length) != VocabularyImage.noToken {
                total.pointee &+= 1
            } else {
                merge(at, length, nil)
            }
            return
        }
        let key = PieceKey(at, length, padded: padded)
        if !padded {
            if length <= 8 ? image.hasShort(key.low) : image.hasMedium(key.low, key.high) {
                total.pointee &+= 1
                return
            }
        }
        guard length <= PieceCache.longest else { return merge(at, length, nil) }
        let known = cache.find(key, length)
        if known > 0 {
            total.pointee &+= known
            return
        }
        merge(at, length, key)
    }

    private mutating func merge(_ at: UnsafePointer<UInt8>, _ length: Int, _ key: PieceKey?) {
        if length <= MergeQueue.parts &* 4, queue.add(at, length, key, total) { return }
        let count = merger.count(at, length)
        if count < 0 {
            failed = true
        } else {
            total.pointee &+= count
        }
    }
}
