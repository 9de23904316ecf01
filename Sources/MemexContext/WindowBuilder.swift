internal import MemexModel
internal import MemexTokens

/// Builds one window: reads no more than the pipeline needs, forms units, and lets the steps choose.
struct WindowBuilder: ~Copyable {
    /// Messages that are looked at on either side of a pinned message for the rest of its group.
    private static let reach: Int64 = 256
    /// Messages that are read at a time when they are counted after that.
    private static let countedAtATime: Int64 = 64

    let strategy: Strategy
    let request: WindowRequest
    let source: any MessageSource
    let lastSeq: Int64
    var examined: ExaminedMessages
    var units = ContiguousArray<WindowUnit>()
    /// What custom strategies said about messages they kept: seq and text.
    var details: [Int64: [UInt8]] = [:]
    /// Where the instruction that is in force begins: the last run of adjacent system messages.
    private var instruction: Int64 = 0

    init(
        _ strategy: Strategy, _ request: WindowRequest, _ source: any MessageSource,
        _ counter: MessageCounter
    ) {
        self.strategy = strategy
        self.request = request
        self.source = source
        lastSeq = source.lastSeq
        examined = ExaminedMessages(lastSeq: lastSeq, counter: counter)
    }

    // MARK: Reading

    /// Reads pinned messages, then the newest ones.
    mutating func examine() throws(MemexError) {
        guard lastSeq > 0 else { return }
        try readPinned()
        try examined.count()
        try form()
        let pinned = try pinnedTokens(upTo: tightestBudget)
        if customExamine > 0 {
            try read(limit: customExamine)
        } else {
            try readTail(budget: tightestBudget.map { $0 &- pinned }, last: smallestFifo)
        }
        try examined.checkMemory()
    }

    private mutating func readPinned() throws(MemexError) {
        let pins = strategy.pins
        for seq in try source.marked(from: 1, to: lastSeq).reversed() {
            let continues = instruction > 0 ? try source.areAdjacent(seq, instruction) : false
            if instruction > 0, !pins.flagged, !continues { break }
            try source.message(seq: seq) { (message) throws(MemexError) in
                var pin = WindowPin.none
                if message.role.isInstruction, instruction == 0 || continues,
                    OpenAIChatRules.fault(message) == nil
                {
                    instruction = message.seq
                    if pins.holds(message.role) { pin = .system }
                }
                if message.isFlagged, pins.flagged { pin = max(pin, .flagged) }
                if pin != .none { try examined.addEarly(message, pin) }
            }
        }
        for seq in examined.pinnedToolSeqs { try readGroup(around: seq) }
        examined.finishEarly()
    }

    /// Reads the neighbours of a pinned call or result until its group is whole.
    private mutating func readGroup(around seq: Int64) throws(MemexError) {
        var from = seq
        if examined.early(seq)?.startsGroup != true {
            try source.newest(before: seq, limit: Self.reach) { (message) throws(MemexError) in
                try examined.addEarly(message, .none)
                from = message.seq
                return !message.startsGroup
            }
        }
        var calls = OpenCalls()
        var to = lastSeq
        var after: Int64 = 0
        try source.oldest(from: from) { (message) throws(MemexError) in
            // The next calls end the group; they are no part of what was read without a gap.
            if message.seq > from, message.startsGroup {
                to = message.seq &- 1
                return false
            }
            to = message.seq
            try examined.addEarly(message, .none)
            if message.seq > seq { after &+= 1 }
            var isDone = after == Self.reach
            if let item = examined.early(message.seq), item.fault == nil {
                let arena = examined.arena.view
                if item.startsGroup {
                    calls.open(arena, item.offset, item.length)
                } else if item.role == .tool, calls.answer(arena, item.offset, item.length) {
                    isDone = isDone || calls.isComplete
                }
            }
            return !isDone
        }
        examined.addIsland(from...max(seq, to))
    }

    /// Reads the newest messages until those that can be kept are more than the limits allow, so that what is
    /// chosen does not depend on how much was read at a time.
    private mutating func readTail(budget: Int64?, last: Int64?) throws(MemexError) {
        let limit = request.examine ?? WindowRequest.defaultExamine
        var tokens: Int64 = 0
        var count: Int64 = 0
        var isEnough = false
        if examined.countsLater, limit > Self.countedAtATime {
            try read(limit: Self.countedAtATime)
            isEnough = examined.tailFrom > 1
        } else {
            try source.newest(before: lastSeq &+ 1, limit: limit) { (message) throws(MemexError) in
                if let item = try examined.addTail(message), item.fault == nil, !item.role.isInstruction {
                    tokens = tokens &+ item.tokens
                    count &+= 1
                }
                if let budget, tokens > budget { isEnough = true }
                if let last, count >= last { isEnough = true }
                return !isEnough
            }
            try examined.count()
        }
        if !isEnough, examined.tailCount < limit { examined.reachBottom() }
        try form()
        // A group at the lower end may not be whole: its call is near. Or messages turned out to be unusable:
        // then ever more are read at a time.
        var chunk: Int64 = 16
        while isEnough, !isSatisfied(budget, last), examined.tailCount < limit, examined.tailFrom > 1 {
            try read(limit: min(limit &- examined.tailCount, chunk), stopsAtCalls: chunk == 16)
            chunk &*= 2
        }
    }

    /// Reads that many older messages, or fewer when it may stop at a message with calls.
    private mutating func read(limit: Int64, stopsAtCalls: Bool = false) throws(MemexError) {
        let before = examined.tailCount
        var isStopped = false
        try source.newest(before: examined.tailFrom, limit: limit) { (message) throws(MemexError) in
            _ = try examined.addTail(message)
            isStopped = stopsAtCalls && message.startsGroup
            return !isStopped
        }
        try examined.count()
        if !isStopped, examined.tailCount &- before < limit { examined.reachBottom() }
        try form()
    }

    private mutating func form() throws(MemexError) {
        examined.arrange(supersededBelow: instruction)
        let validator = OpenAIChatValidator(
            arena: examined.arena.view, segments: examined.segments, source: source)
        units = try validator.units(&examined.items)
    }

    private func isSatisfied(_ budget: Int64?, _ last: Int64?) -> Bool {
        var tokens: Int64 = 0
        var count: Int64 = 0
        for unit in units where unit.isKept && !unit.isPinned && seq(unit) >= examined.tailFrom {
            tokens = tokens &+ unit.tokens
            count &+= unit.count
        }
        if let budget, tokens > budget { return true }
        if let last, count >= last { return true }
        return false
    }

    // MARK: Limits

    private var tightestBudget: Int64? {
        var tightest = request.maxTokens
        for step in strategy.steps {
            if case .tokenBudget(let tokens) = step { tightest = min(tightest ?? tokens, tokens) }
        }
        return tightest
    }

    private var smallestFifo: Int64? {
        var smallest: Int64?
        for step in strategy.steps {
            if case .fifo(let last) = step { smallest = min(smallest ?? last, last) }
        }
        return smallest
    }

    /// Newest messages that custom steps want to see; 0 without such steps.
    private var customExamine: Int64 {
        var most: Int64 = 0
        for step in strategy.steps {
            if case .custom(let custom) = step { most = max(most, custom.examine) }
        }
        if let examine = request.examine { most = min(most, examine) }
        return most
    }

    /// Tokens of what must stay; throws LIMIT when they are too many.
    func pinnedTokens(upTo limit: Int64?) throws(MemexError) -> Int64 {
        var tokens: Int64 = 0
        for unit in units where unit.isKept && unit.isPinned { tokens = tokens &+ unit.tokens }
        if let limit, tokens > limit {
            throw MemexError(
                .limit,
                "what must stay needs \(tokens) tokens, \(limit) are allowed; raise max_tokens or pin less",
                detailMembers: "\"needed\":\(tokens),\"limit\":\(limit)")
        }
        return tokens
    }

    func seq(_ unit: WindowUnit) -> Int64 { examined.items[unit.first].seq }
}
