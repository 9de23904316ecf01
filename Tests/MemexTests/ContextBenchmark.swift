import Dispatch
import Foundation
import Memex
import MemexContext
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

/// `MEMEX_BENCH=1 swift test -c release -Xswiftc -enable-testing --filter ContextBenchmark`
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["MEMEX_BENCH"] != nil))
struct ContextBenchmark {
    @Test(arguments: [("memory:", 1_000_000), ("sqlite:///", 100_000)])
    func windowOfALongThread(_ url: String, _ most: Int) throws {
        let text = String(repeating: "All work and no play. ", count: 18)
        let bodies = ["user", "assistant"].map { #"{"role":"\#($0)","content":"\#(text.prefix(378))"}"# }
        try measure(url, [10_000, most], bodies)
    }

    /// Messages of real conversations with tools, one after the other.
    @Test func windowOfAThreadWithTools() throws {
        guard let data = SharedData.decompress("tau-bench-airline-gpt4o.jsonl.xz") else { return }
        var bodies: [String] = []
        for line in data.split(separator: 0x0A) {
            let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
            for turn in object?["traj"] as? [[String: Any]] ?? [] where turn["role"] as? String != "system" {
                bodies.append(
                    String(decoding: try JSONSerialization.data(withJSONObject: turn), as: UTF8.self))
            }
        }
        try measure("memory:", [10_000], bodies)
    }

    private func measure(_ url: String, _ goals: [Int], _ bodies: [String]) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let place = url == "memory:" ? url : "sqlite:///" + folder.appendingPathComponent("chat.db").path
        let store = try Store.open(try StoreOptions(url: place))
        let thread = try Session(root: store).createThread(ByteView(start: nil, count: 0))
        let none = ByteView(start: nil, count: 0)
        _ = try withBytes(#"{"role":"system","content":"be kind"}"#) { try thread.append($0, none) }
        var count = 1
        for goal in goals {
            while count < goal {
                let batch = (0..<min(1_000, goal - count)).map { bodies[(count + $0) % bodies.count] }
                _ = try withBytes("[" + batch.joined(separator: ",") + "]") { try thread.append($0, none) }
                count += batch.count
            }
            for tokens in [8_000, 128_000] {
                var times: [Double] = []
                var bytes: [UInt8] = []
                for _ in 0..<300 {
                    var out = ByteBuffer()
                    let start = DispatchTime.now().uptimeNanoseconds
                    try withBytes(#"{"max_tokens":\#(tokens)}"#) {
                        try thread.context(strategy: nil, request: $0, to: &out)
                    }
                    times.append(Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6)
                    bytes = Array(out.view)
                }
                times.sort()
                let kept = ChatChecker(bytes)?.seqs.count ?? 0
                print(
                    "\(url) \(goal) messages, \(tokens) tokens: \(kept) kept, \(bytes.count) bytes, median \(times[150]) ms, best \(times[0]) ms"
                )
            }
        }
        try store.close()
    }
}
