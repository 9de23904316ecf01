internal import Foundation

/// Decides, without a line of the library, whether a window is a request that OpenAI chat accepts, and
/// whether it says the truth about the history that it was built from.
package struct ChatChecker {
    /// A message of the history, by seq.
    package struct Entry {
        package var body: String
        package var tokens: Int
        package var isDeleted: Bool

        package init(body: String, tokens: Int, isDeleted: Bool = false) {
            self.body = body
            self.tokens = tokens
            self.isDeleted = isDeleted
        }
    }

    package let object: [String: Any]
    package let seqs: [Int]
    private let bytes: Data

    /// Nil when the bytes are no JSON object with seqs.
    package init?(_ bytes: [UInt8]) {
        self.bytes = Data(bytes)
        guard let parsed = try? JSONSerialization.jsonObject(with: self.bytes) as? [String: Any],
            let seqs = parsed["seqs"] as? [Int]
        else { return nil }
        object = parsed
        self.seqs = seqs
    }

    package var messages: [[String: Any]] { object["messages"] as? [[String: Any]] ?? [] }
    package var tokens: Int { object["tokens"] as? Int ?? -1 }

    package func reasons(_ key: String) -> [Int: String] {
        var found: [Int: String] = [:]
        for entry in object[key] as? [[String: Any]] ?? [] {
            if let seq = entry["seq"] as? Int { found[seq] = entry["reason"] as? String ?? "?" }
        }
        return found
    }

    /// What is wrong with the window; nil when nothing is.
    package func complaint(history: [Int: Entry], maxTokens: Int?) -> String? {
        ChatChecker.complaint(about: messages) ?? bookkeeping(history, maxTokens)
    }

    private func bookkeeping(_ history: [Int: Entry], _ maxTokens: Int?) -> String? {
        let prefix =
            "{\"messages\":[" + seqs.map { history[$0]?.body ?? "?" }.joined(separator: ",") + "],\"seqs\":["
        if !bytes.starts(with: Data(prefix.utf8)) { return "bodies are not those of the seqs, byte for byte" }
        if Set(seqs).count != seqs.count { return "a seq comes twice" }
        let kept = object["kept"] as? [[String: Any]] ?? []
        if kept.compactMap({ $0["seq"] as? Int }) != seqs { return "kept does not match seqs" }
        if tokens != seqs.reduce(0, { $0 + (history[$1]?.tokens ?? 0) }) { return "tokens is not the sum" }
        if let maxTokens, tokens > maxTokens { return "\(tokens) tokens where \(maxTokens) are allowed" }
        let live = history.filter { !$0.value.isDeleted }
        if object["message_count"] as? Int != live.count { return "message_count is wrong" }
        var known = Set(seqs)
        var range: ClosedRange<Int>?
        var count = 0
        for entry in object["left_out"] as? [[String: Any]] ?? [] {
            if let seq = entry["seq"] as? Int {
                if !known.insert(seq).inserted { return "seq \(seq) is listed twice" }
            } else if let from = entry["from_seq"] as? Int, let to = entry["to_seq"] as? Int, from <= to,
                range == nil
            {
                range = from...to
                count = entry["count"] as? Int ?? 0
            } else {
                return "left_out has an entry of no known form"
            }
        }
        let rest = live.keys.filter { !known.contains($0) }
        if rest.count != count { return "\(rest.count) messages are not listed, the range says \(count)" }
        if let outside = rest.first(where: { !(range?.contains($0) ?? false) }) {
            return "seq \(outside) is in no list and no range"
        }
        if known.contains(where: { live[$0] == nil }) { return "a seq is listed that is not alive" }
        return nil
    }

    /// What OpenAI chat would refuse about messages.
    package static func complaint(about messages: [[String: Any]]) -> String? {
        var index = 0
        while index < messages.count {
            let message = messages[index]
            let role = message["role"] as? String ?? ""
            guard ["system", "developer", "user", "assistant", "tool"].contains(role) else {
                return "role \(role)"
            }
            if role == "tool" { return "message \(index) is a result without a call" }
            let calls = message["tool_calls"].flatMap { $0 is NSNull ? nil : $0 }
            if !hasContent(message) {
                let isAbsent = message["content"] == nil || message["content"] is NSNull
                let stands = ["refusal", "audio", "function_call"].contains {
                    role == "assistant" && message[$0] != nil && !(message[$0] is NSNull)
                }
                if !isAbsent || (calls == nil && !stands) { return "message \(index) has no content" }
            }
            index += 1
            guard let calls else { continue }
            guard role == "assistant" else { return "message \(index - 1): \(role) with calls" }
            guard let list = calls as? [[String: Any]], !list.isEmpty, list.count <= 128 else {
                return "message \(index - 1): calls are no list of 1 to 128 objects"
            }
            var waiting = Set<String>()
            for call in list {
                if let problem = problem(call) { return "message \(index - 1): \(problem)" }
                guard waiting.insert(call["id"] as? String ?? "").inserted else {
                    return "message \(index - 1): an id twice"
                }
            }
            while !waiting.isEmpty {
                guard index < messages.count, messages[index]["role"] as? String == "tool" else {
                    return "message \(index): a result is missing"
                }
                let id = messages[index]["tool_call_id"] as? String ?? ""
                guard waiting.remove(id) != nil else { return "message \(index): a result nobody asked for" }
                guard hasContent(messages[index]) else { return "message \(index): a result without content" }
                index += 1
            }
        }
        return nil
    }

    private static func hasContent(_ message: [String: Any]) -> Bool {
        if message["content"] is String { return true }
        return !((message["content"] as? [Any])?.isEmpty ?? true)
    }

    private static func problem(_ call: [String: Any]) -> String? {
        let id = call["id"] as? String ?? ""
        guard !id.isEmpty, id.unicodeScalars.count <= 40 else { return "id" }
        let type = call["type"] as? String ?? ""
        guard type == "function" || type == "custom", let tool = call[type] as? [String: Any] else {
            return "type"
        }
        guard tool[type == "function" ? "arguments" : "input"] is String else { return "arguments" }
        guard let name = tool["name"] as? String, (1...64).contains(name.utf8.count),
            name.utf8.allSatisfy({ byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || byte == 95
                    || byte == 45
            })
        else { return "name" }
        return nil
    }
}
