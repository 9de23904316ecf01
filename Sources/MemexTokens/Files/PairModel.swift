internal import MemexModel

/// Byte-pair encoding by a list of pairs, as it is defined: slower than an image, and right for any list.
final class PairModel: @unchecked Sendable {
    struct Options {
        var isByteLevel = false
        var ignoresMerges = false
        var hasByteFallback = false
        var fusesUnknown = false
        /// -1 for none.
        var unknown = -1
    }

    /// Byte-level tokens have their bytes here.
    let tokens: TokenTable
    private let pairs: PairRanks
    private let options: Options
    /// Of bytes: themselves, or what stands for them.
    private let bytes: HeapArray<Int32>

    init(_ tokens: consuming TokenTable, _ pairs: consuming PairRanks, _ options: Options) {
        bytes = Self.byteTokens(tokens, options.isByteLevel)
        self.tokens = tokens
        self.pairs = pairs
        self.options = options
    }

    /// The tokens of bytes: `<0x0A>`, or the bytes of a byte-level vocabulary; -1 where there is none.
    static func byteTokens(_ tokens: borrowing TokenTable, _ isByteLevel: Bool) -> HeapArray<Int32> {
        var found = HeapArray<Int32>(repeating: -1, count: 256)
        var name = ByteBuffer()
        var byte = 0
        while byte < 256 {
            name.removeAll()
            if isByteLevel {
                name.append(byte: UInt8(truncatingIfNeeded: byte))
            } else {
                name.append("<0x")
                name.append(byte: hex(byte &>> 4))
                name.append(byte: hex(byte & 15))
                name.append(">")
            }
            found[byte] = Int32(truncatingIfNeeded: tokens.id(name.view))
            byte &+= 1
        }
        return found
    }

    private static func hex(_ digit: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: digit < 10 ? digit &+ 0x30 : digit &+ 0x37)
    }

    struct Work: ~Copyable {
        var symbols = HeapArray<Symbol>(Symbol())
        var merges = HeapArray<Merge>(Merge())
        var failed: Bool { symbols.failed || merges.failed }
    }

    struct Symbol: BitwiseCopyable {
        var id: UInt32 = 0
        var previous: Int32 = -1
        var next: Int32 = -1
        var isAlive = false
    }

    struct Merge: BitwiseCopyable {
        /// The rank, and the place below it: the lowest number is the merge to make.
        var order: UInt64 = 0
        var merged: UInt32 = 0
    }

    /// Appends the ids of a piece.
    func encode(_ piece: ByteView, _ work: inout Work, to ids: inout ByteBuffer) {
        if options.ignoresMerges {
            let id = tokens.id(piece)
            if id >= 0, piece.count > 0 {
                ids.append(littleEndian: UInt32(truncatingIfNeeded: id))
                return
            }
        }
        split(piece, &work)
        merge(&work)
        var at = 0
        while at < work.symbols.count {
            if work.symbols[at].isAlive { ids.append(littleEndian: work.symbols[at].id) }
            at &+= 1
        }
    }

    private func split(_ piece: ByteView, _ work: inout Work) {
        work.symbols.removeAll()
        var hasUnknown = false
        func add(_ id: Int, _ symbols: inout HeapArray<Symbol>) {
            let place = symbols.count
            symbols[place &- 1].next = Int32(truncatingIfNeeded: place)
            symbols.append(
                Symbol(
                    id: UInt32(truncatingIfNeeded: id), previous: Int32(truncatingIfNeeded: place &- 1),
                    next: -1, isAlive: true))
        }
        var at = 0
        while at < piece.count {
            let length = options.isByteLevel ? 1 : CodePoints.read(piece, at).length
            let id =
                options.isByteLevel ? Int(bytes[Int(piece.byte(at))]) : tokens.id(piece.slice(at, length))
            if id >= 0 {
                if hasUnknown { add(options.unknown, &work.symbols) }
                hasUnknown = false
                add(id, &work.symbols)
            } else if options.hasByteFallback, hasBytes(piece, at, length) {
                var index = at
                while index < at &+ length {
                    add(Int(bytes[Int(piece.byte(index))]), &work.symbols)
                    index &+= 1
                }
            } else if options.unknown >= 0 {
                if hasUnknown, !options.fusesUnknown { add(options.unknown, &work.symbols) }
                hasUnknown = true
            }
            at &+= length
        }
        if hasUnknown { add(options.unknown, &work.symbols) }
    }

    private func hasBytes(_ piece: ByteView, _ from: Int, _ length: Int) -> Bool {
        var at = from
        while at < from &+ length {
            if bytes[Int(piece.byte(at))] < 0 { return false }
            at &+= 1
        }
        return true
    }

    private func merge(_ work: inout Work) {
        work.merges.removeAll()
        var at = 0
        while at &+ 1 < work.symbols.count {
            offer(at, &work)
            at &+= 1
        }
        while let merge = Self.popLowest(&work.merges) {
            let place = Int(truncatingIfNeeded: merge.order & 0xFFFF_FFFF)
            var symbol = work.symbols[place]
            guard symbol.isAlive, symbol.next >= 0 else { continue }
            let eaten = work.symbols[Int(symbol.next)]
            // What stands here may have been merged otherwise since.
            guard let pair = pairs.find(symbol.id, eaten.id), pair.merged == merge.merged else { continue }
            work.symbols[Int(symbol.next)].isAlive = false
            symbol.id = merge.merged
            symbol.next = eaten.next
            work.symbols[place] = symbol
            if eaten.next >= 0 {
                work.symbols[Int(eaten.next)].previous = Int32(truncatingIfNeeded: place)
                offer(place, &work)
            }
            if symbol.previous >= 0 { offer(Int(symbol.previous), &work) }
        }
    }

    /// Adds the merge of a symbol and the next to the heap, if there is one.
    private func offer(_ place: Int, _ work: inout Work) {
        let symbol = work.symbols[place]
        guard symbol.next >= 0, let pair = pairs.find(symbol.id, work.symbols[Int(symbol.next)].id) else {
            return
        }
        let order = UInt64(pair.rank) &<< 32 | UInt64(truncatingIfNeeded: place)
        work.merges.append(Merge(order: order, merged: pair.merged))
        var at = work.merges.count &- 1
        while at > 0 {
            let above = (at &- 1) / 2
            if work.merges[above].order <= work.merges[at].order { break }
            let other = work.merges[above]
            work.merges[above] = work.merges[at]
            work.merges[at] = other
            at = above
        }
    }

    private static func popLowest(_ merges: inout HeapArray<Merge>) -> Merge? {
        let lowest = merges[0]
        guard let last = merges.popLast() else { return nil }
        if merges.count == 0 { return lowest }
        merges[0] = last
        var at = 0
        while true {
            var child = at &* 2 &+ 1
            if child >= merges.count { break }
            if child &+ 1 < merges.count, merges[child &+ 1].order < merges[child].order { child &+= 1 }
            if merges[child].order >= last.order { break }
            merges[at] = merges[child]
            at = child
        }
        merges[at] = last
        return lowest
    }
}
