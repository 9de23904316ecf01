internal import MemexModel
internal import MemexTokens

/// The messages that a window is chosen from: the newest ones, without a gap, and pinned ones from before.
struct ExaminedMessages: ~Copyable {
    /// Bodies, one after the other.
    private(set) var arena = ByteBuffer(capacity: 64 << 10)
    /// All of them in the order of seq; valid after `arrange`.
    var items = ContiguousArray<WindowItem>()
    /// Pinned messages and their groups, ascending after `arrange`.
    private var early = ContiguousArray<WindowItem>()
    /// Where in `early` a seq stands, until that is arranged.
    private var places: [Int64: Int] = [:]
    /// The newest ones, descending, without those of `early`.
    private var tail = ContiguousArray<WindowItem>()
    /// Ranges of `early` that were read without a gap.
    private var islands: [ClosedRange<Int64>] = []
    /// The lowest seq of the tail.
    private(set) var tailFrom: Int64
    /// Messages of the tail, pinned ones included.
    private(set) var tailCount: Int64 = 0
    private let lastSeq: Int64
    private let counter: MessageCounter
    /// Seqs of messages that are yet to be counted, when that must not happen while they are read.
    private var uncounted: Set<Int64> = []
    /// Where in `early` the tail has come to.
    private var earlyIndex = -1

    init(lastSeq: Int64, counter: MessageCounter) {
        self.lastSeq = lastSeq
        self.counter = counter
        tailFrom = lastSeq &+ 1
    }

    private mutating func item(
        _ message: borrowing Candidate, _ pin: WindowPin
    ) throws(MemexError) -> WindowItem {
        let offset = arena.count
        arena.append(message.body)
        var tokens = message.tokens
        if tokens <= 0 {
            if counter.callsBack {
                uncounted.insert(message.seq)
            } else {
                tokens = Int64(try counter.count(message.body))
            }
        }
        return WindowItem(
            seq: message.seq, tokens: tokens, offset: offset, length: message.body.count, role: message.role,
            startsGroup: message.startsGroup, fault: OpenAIChatRules.fault(message),
            isFlagged: message.isFlagged,
            pin: pin)
    }

    /// Adds a message from before the tail; a message that is there already keeps the stronger pin.
    mutating func addEarly(_ message: borrowing Candidate, _ pin: WindowPin) throws(MemexError) {
        let seq = message.seq
        if let index = places[seq] {
            if pin > early[index].pin { early[index].pin = pin }
            return
        }
        let added = try item(message, pin)
        places[seq] = early.count
        early.append(added)
    }

    /// Notes that a range around a pinned message was read without a gap.
    mutating func addIsland(_ range: ClosedRange<Int64>) { islands.append(range) }

    /// The pinned messages whose groups are yet to be found: those that call tools or answer calls.
    var pinnedToolSeqs: [Int64] {
        early.filter { $0.pin != .none && $0.fault == nil && ($0.startsGroup || $0.role == .tool) }.map(\.seq)
    }

    /// A message that was added before.
    func early(_ seq: Int64) -> WindowItem? { places[seq].map { early[$0] } }

    /// No more is added before the tail.
    mutating func finishEarly() {
        early.sort { $0.seq < $1.seq }
        earlyIndex = early.count &- 1
    }

    /// Adds the next older message of the tail; returns its item unless it was there before.
    mutating func addTail(_ message: borrowing Candidate) throws(MemexError) -> WindowItem? {
        tailFrom = message.seq
        tailCount &+= 1
        while earlyIndex >= 0, early[earlyIndex].seq > message.seq { earlyIndex &-= 1 }
        if earlyIndex >= 0, early[earlyIndex].seq == message.seq { return nil }
        let added = try item(message, .none)
        tail.append(added)
        return added
    }

    /// Whether messages are counted after they were read, by `count`.
    var countsLater: Bool { counter.callsBack }

    /// Counts what was read and not counted, outside of all reading.
    mutating func count() throws(MemexError) {
        if uncounted.isEmpty { return }
        for index in early.indices where uncounted.contains(early[index].seq) {
            early[index].tokens = Int64(try counter.count(body(early[index])))
        }
        for index in tail.indices where uncounted.contains(tail[index].seq) {
            tail[index].tokens = Int64(try counter.count(body(tail[index])))
        }
        uncounted.removeAll()
    }

    /// Everything down to the first message was read.
    mutating func reachBottom() { tailFrom = 1 }

    /// Puts all in the order of seq, and marks what a later instruction supersedes.
    mutating func arrange(supersededBelow instruction: Int64) {
        items.removeAll(keepingCapacity: true)
        items.reserveCapacity(early.count &+ tail.count)
        var next = 0
        var index = tail.count &- 1
        while index >= 0 || next < early.count {
            if index < 0 || next < early.count && early[next].seq < tail[index].seq {
                items.append(early[next])
                next &+= 1
            } else {
                items.append(tail[index])
                index &-= 1
            }
        }
        guard instruction > 0 else { return }
        for index in items.indices where items[index].role.isInstruction && items[index].seq < instruction {
            if items[index].fault == nil, !items[index].isFlagged {
                items[index] = superseded(items[index])
            }
        }
    }

    private func superseded(_ item: WindowItem) -> WindowItem {
        WindowItem(
            seq: item.seq, tokens: item.tokens, offset: item.offset, length: item.length, role: item.role,
            startsGroup: item.startsGroup, fault: .superseded, isFlagged: item.isFlagged, pin: item.pin)
    }

    /// The ranges that were read without a gap, ascending, none touching the next.
    var segments: [ClosedRange<Int64>] {
        var ranges = islands
        for item in early { ranges.append(item.seq...item.seq) }
        if tailFrom <= lastSeq { ranges.append(tailFrom...lastSeq) }
        ranges.sort { $0.lowerBound < $1.lowerBound }
        var merged: [ClosedRange<Int64>] = []
        for range in ranges {
            if let last = merged.last, range.lowerBound <= last.upperBound &+ 1 {
                merged[merged.count &- 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        return merged
    }

    /// The seq from which on there are that many messages of the tail.
    func seqOfNewest(_ count: Int64) -> Int64 {
        var left = count
        for item in items.reversed() where item.seq >= tailFrom {
            left &-= 1
            if left <= 0 { return item.seq }
        }
        return tailFrom
    }

    /// Body of an item.
    func body(_ item: WindowItem) -> ByteView { arena.view.slice(item.offset, item.length) }

    func checkMemory() throws(MemexError) { if arena.failed { throw MemexError.noMemory } }
}
