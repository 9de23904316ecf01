import Foundation
import Memex
import MemexContext
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct ContextTests {
    private func withThread(_ body: (Session, ConversationThread) throws -> Void) throws {
        let session = Session(root: Store(engine: try memoryEngine()))
        try body(session, try session.createThread(ByteView(start: nil, count: 0)))
        try session.store.close()
    }

    private func append(_ thread: ConversationThread, _ text: String, _ options: String = "") throws {
        _ = try withBytes(text) { text in try withBytes(options) { try thread.append(text, $0) } }
    }

    private func window(_ thread: ConversationThread, _ pipeline: String = "", _ request: String = "") throws
        -> [UInt8]
    {
        var out = ByteBuffer()
        let strategy = pipeline.isEmpty ? nil : try withBytes(pipeline) { try Strategy(parsing: $0) }
        try withBytes(request) { try thread.context(strategy: strategy, request: $0, to: &out) }
        return Array(out.view)
    }

    private func seqs(_ thread: ConversationThread, _ pipeline: String = "", _ request: String = "") throws
        -> [Int]
    {
        try #require(ChatChecker(try window(thread, pipeline, request))).seqs
    }

    @Test func theFormatOfStoredMessagesIsTheOneWindowsExpect() {
        #expect(Candidate.openAIChat == MessageFormat.openaiChat.rawValue)
    }

    @Test func aStoredThreadHasPinsTombstonesAndForks() throws {
        try withThread { _, thread in
            try append(thread, #"{"role":"system","content":"s"}"#)
            for index in 2...20 {
                try append(
                    thread, #"{"role":"user","content":"m\#(index)"}"#, index == 5 ? #"{"pinned":true}"# : "")
            }
            try append(thread, #"{"any":"thing"}"#, #"{"format":"opaque"}"#)
            try append(thread, #"{"role":"assistant","content":"ha"}"#, #"{"state":"incomplete"}"#)
            #expect(try seqs(thread, #"{"type":"fifo","last":3}"#) == [1, 5, 18, 19, 20])
            try thread.message(seq: 19).delete(ByteView(start: nil, count: 0))
            #expect(try seqs(thread, #"{"type":"fifo","last":3}"#) == [1, 5, 17, 18, 20])
            let checker = try #require(ChatChecker(try window(thread, #"{"type":"fifo","last":3}"#)))
            #expect(checker.object["message_count"] as? Int == 21)
            #expect(checker.reasons("left_out")[21] == "format")
            #expect(checker.reasons("left_out")[22] == "incomplete")

            let fork = try withBytes(#"{"at_seq":18}"#) { try thread.fork($0) }
            try append(fork, #"{"role":"developer","content":"other rules"}"#)
            try append(fork, #"{"role":"user","content":"go on"}"#)
            #expect(try seqs(fork, #"{"type":"fifo","last":2}"#) == [5, 18, 19, 20])
            #expect(try seqs(thread, #"{"type":"fifo","last":1}"#) == [1, 5, 20])
        }
    }

    @Test func realConversationsKeepTheirBytes() throws {
        guard let data = SharedData.decompress("tau-bench-airline-gpt4o.jsonl.xz") else { return }
        try withThread { session, _ in
            for line in data.split(separator: 0x0A).prefix(30) {
                guard let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
                    let turns = object["traj"] as? [[String: Any]]
                else { continue }
                let thread = try session.createThread(ByteView(start: nil, count: 0))
                var history: [Int: ChatChecker.Entry] = [:]
                for (index, turn) in turns.enumerated() {
                    let body = String(
                        decoding: try JSONSerialization.data(withJSONObject: turn), as: UTF8.self)
                    try append(thread, body)
                    history[index + 1] = ChatChecker.Entry(body: body, tokens: (body.utf8.count + 3) / 4 + 4)
                }
                for budget in stride(from: 2_200, through: 8_000, by: 300) {
                    let checker = try #require(
                        ChatChecker(try window(thread, "", #"{"max_tokens":\#(budget)}"#)))
                    #expect(checker.complaint(history: history, maxTokens: budget) == nil)
                    #expect(checker.seqs.first == 1)
                }
            }
        }
    }
}

func withBytes<T>(_ text: String, _ body: (ByteView) throws -> T) rethrows -> T {
    let bytes = Array(text.utf8)
    return try bytes.withUnsafeBufferPointer { try body($0) }
}
