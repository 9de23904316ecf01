import MemexContext
import MemexModel
import MemexStorage
import MemexTestSupport
import MemexTokens

/// A message of a made-up thread.
struct TestMessage {
    var body: String
    var isPinned = false
    var isIncomplete = false
    var isDeleted = false
    var format = Candidate.openAIChat
}

/// A thread in memory, with all that a stored one has.
final class TestSource: MessageSource {
    let messages: [TestMessage]
    private let candidates: [Candidate]
    private let storage: [UnsafeMutablePointer<UInt8>]
    private(set) var visited = 0

    init(_ messages: [TestMessage]) {
        self.messages = messages
        var candidates: [Candidate] = []
        var storage: [UnsafeMutablePointer<UInt8>] = []
        for (index, message) in messages.enumerated() {
            let bytes = Array(message.body.utf8)
            let block = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
            block.initialize(from: bytes, count: bytes.count)
            storage.append(block)
            let view = ByteView(start: block, count: bytes.count)
            var facts = BodyFacts()
            try? BodyInspector.inspect(view, facts: &facts)
            var candidate = Candidate()
            candidate.seq = Int64(index + 1)
            candidate.role = facts.role(in: view).map { ChatRole($0) } ?? .other
            candidate.tokens = Int64(EstimateTokenizer.count(message: view))
            if facts.has(BodyFacts.toolCalls) { candidate.flags |= RecordHead.Flag.toolCalls }
            if facts.has(BodyFacts.toolCallID) { candidate.flags |= RecordHead.Flag.toolCallID }
            if message.isPinned { candidate.flags |= RecordHead.Flag.pinned }
            if message.isIncomplete { candidate.flags |= UInt16(MessageState.incomplete.rawValue) }
            candidate.hasText = facts.contentOffset >= 0
            candidate.format = message.format
            candidate.body = view
            candidates.append(candidate)
        }
        self.candidates = candidates
        self.storage = storage
    }

    deinit { for block in storage { block.deallocate() } }

    var lastSeq: Int64 { Int64(messages.count) }
    var messageCount: Int64 { Int64(messages.filter { !$0.isDeleted }.count) }

    func newest(
        before seq: Int64, limit: Int64, _ visit: (borrowing Candidate) throws(MemexError) -> Bool
    ) throws(MemexError) {
        var index = Int(min(seq - 1, lastSeq)) - 1
        var left = limit
        while index >= 0, left > 0 {
            if !messages[index].isDeleted {
                visited += 1
                left -= 1
                guard try visit(candidates[index]) else { return }
            }
            index -= 1
        }
    }

    func oldest(
        from seq: Int64, _ visit: (borrowing Candidate) throws(MemexError) -> Bool
    ) throws(MemexError) {
        for candidate in candidates.dropFirst(Int(max(seq, 1)) - 1)
        where !messages[Int(candidate.seq) - 1].isDeleted {
            visited += 1
            guard try visit(candidate) else { return }
        }
    }

    func marked(from: Int64, to: Int64) throws(MemexError) -> [Int64] {
        candidates.filter {
            ($0.role.isInstruction || messages[Int($0.seq) - 1].isPinned)
                && !messages[Int($0.seq) - 1].isDeleted
                && $0.seq >= from && $0.seq <= to
        }.map(\.seq)
    }

    func message(
        seq: Int64, _ visit: (borrowing Candidate) throws(MemexError) -> Void
    ) throws(MemexError) {
        guard seq >= 1, seq <= lastSeq, !messages[Int(seq) - 1].isDeleted else { return }
        visited += 1
        try visit(candidates[Int(seq) - 1])
    }

    /// The history as the checker wants it.
    var history: [Int: ChatChecker.Entry] {
        var entries: [Int: ChatChecker.Entry] = [:]
        for (index, message) in messages.enumerated() {
            entries[index + 1] = ChatChecker.Entry(
                body: message.body, tokens: Int(candidates[index].tokens), isDeleted: message.isDeleted)
        }
        return entries
    }
}

/// Bytes of a text as a view, valid during the call.
func withBytes<T>(_ text: String, _ body: (ByteView) throws -> T) rethrows -> T {
    let bytes = Array(text.utf8)
    return try bytes.withUnsafeBufferPointer { try body($0) }
}

func strategy(_ pipeline: String) throws -> Strategy { try withBytes(pipeline) { try Strategy(parsing: $0) } }

/// The window's bytes.
func window(_ source: any MessageSource, _ strategy: Strategy, _ request: String = "") throws -> [UInt8] {
    var out = ByteBuffer()
    try withBytes(request) {
        try strategy.build(from: source, request: WindowRequest($0), counter: .estimate, to: &out)
    }
    return Array(out.view)
}

func checked(_ source: TestSource, _ pipeline: String, _ request: String = "", max: Int? = nil) throws
    -> ChatChecker
{
    let bytes = try window(source, try strategy(pipeline), request)
    guard let checker = ChatChecker(bytes) else {
        throw TestFailure("no window: \(String(decoding: bytes, as: UTF8.self))")
    }
    if let complaint = checker.complaint(history: source.history, maxTokens: max) {
        throw TestFailure(complaint)
    }
    return checker
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

// Bodies.

func user(_ text: String) -> TestMessage { TestMessage(body: #"{"role":"user","content":"\#(text)"}"#) }
func assistant(_ text: String) -> TestMessage {
    TestMessage(body: #"{"role":"assistant","content":"\#(text)"}"#)
}
func system(_ text: String) -> TestMessage { TestMessage(body: #"{"role":"system","content":"\#(text)"}"#) }
func calls(_ ids: String...) -> TestMessage { calls(ids) }
func calls(_ ids: [String]) -> TestMessage {
    let list = ids.map { #"{"id":"\#($0)","type":"function","function":{"name":"f","arguments":"{}"}}"# }
    return TestMessage(
        body: #"{"role":"assistant","content":null,"tool_calls":[\#(list.joined(separator: ","))]}"#)
}
func result(_ id: String, _ text: String = "ok") -> TestMessage {
    TestMessage(body: #"{"role":"tool","tool_call_id":"\#(id)","content":"\#(text)"}"#)
}
