internal import MemexModel

/// A rule that requests to OpenAI chat must keep.
package struct ChatRule: Sendable {
    /// The name that documentation and tests use.
    package let id: StaticString
    package let explanation: StaticString
    /// What a message that breaks it is left out for.
    package let reason: LeftOutReason
    /// A public report of the refusal.
    package let evidence: StaticString
}

/// The rules of OpenAI chat completions about the messages of a request.
///
/// They are about the shape of the conversation. Parts of a content (images, audio, files) differ from
/// model to model and are not looked into.
package enum OpenAIChatRules {
    static let callsMaximum = 128
    static let callIDMaximum = 40
    static let nameMaximum = 64

    package static let all: [ChatRule] = [
        ChatRule(
            id: "role", explanation: "A role is system, developer, user, assistant or tool.", reason: .role,
            evidence: "TheR1D/shell_gpt#717"),
        ChatRule(
            id: "content",
            explanation:
                "A content is a string or an array that is not empty; an assistant's may be null or absent beside tool_calls, function_call, refusal or audio.",
            reason: .malformed,
            evidence: "run-llama/llama_index#17921"),
        ChatRule(
            id: "calls-shape",
            explanation:
                "tool_calls is an array of 1 to 128 objects, on assistant messages only; each has a string type, and a function or custom tool with a name of 1 to 64 letters, digits, _ and -.",
            reason: .malformed,
            evidence: "openai/openai-node#1341, openai/openai-dotnet#317, mcp-use/mcp-use#90"),
        ChatRule(
            id: "call-id",
            explanation: "A call has an id of 1 to 40 characters that no other call of its message has.",
            reason: .malformed,
            evidence: "vercel/ai#5171, openclaw/openclaw#47136"),
        ChatRule(
            id: "result-id", explanation: "A tool message has a tool_call_id.", reason: .malformed,
            evidence: "FoundationAgents/OpenManus#744"),
        ChatRule(
            id: "calls-answered",
            explanation:
                "A message with tool_calls is followed at once by one tool message for each of its calls, in any order.",
            reason: .unanswered,
            evidence: "langchain-ai/langchain#33245"),
        ChatRule(
            id: "result-called",
            explanation:
                "A tool message answers a call of the assistant message before it that no other tool message answered.",
            reason: .noCall,
            evidence: "FoundationAgents/OpenManus#744, agno-agi/agno#5116"),
    ]

    /// What keeps a message out of every request, whatever stands around it.
    static func fault(_ message: borrowing Candidate) -> LeftOutReason? {
        if !message.isComplete { return .incomplete }
        if message.format != Candidate.openAIChat { return .format }
        switch message.role {
        case .other: return .role
        case .assistant:
            if message.hasToolCalls { return callsFault(message) }
        case .tool:
            guard message.hasToolCallID, let id = resultID(message.body), id.count > 0 else {
                return .malformed
            }
            if message.hasToolCalls { return .malformed }
        default:
            if message.hasToolCalls { return .malformed }
        }
        if message.hasText { return nil }
        if hasParts(message.body) { return nil }
        guard message.role == .assistant else { return .malformed }
        return isAnswerWithoutContent(message.body) ? nil : .malformed
    }

    /// A refusal, an audio answer or a call in the form of old: what stands in the place of a content.
    private static func isAnswerWithoutContent(_ body: ByteView) -> Bool {
        if let content = rawMember(object: body, "content"), !content.equals("null") { return false }
        if let refusal = rawMember(object: body, "refusal"), RawString.contents(refusal) != nil {
            return true
        }
        if let audio = rawMember(object: body, "audio"), rawMember(object: audio, "id") != nil { return true }
        if let call = rawMember(object: body, "function_call"), rawMember(object: call, "name") != nil {
            return true
        }
        return false
    }

    /// The raw id that a tool message answers.
    static func resultID(_ body: ByteView) -> ByteView? {
        guard let value = rawMember(object: body, "tool_call_id") else { return nil }
        return RawString.contents(value)
    }

    /// Goes through the raw ids of a message's calls; false when a call has none.
    static func forEachCallID(_ body: ByteView, _ visit: (ByteView) -> Void) -> Bool {
        guard let calls = rawMember(object: body, "tool_calls") else { return false }
        var elements = RawElements(calls)
        while let call = elements.next() {
            guard let value = rawMember(object: call, "id"), let id = RawString.contents(value) else {
                return false
            }
            visit(id)
        }
        return !elements.isBroken
    }

    private static func hasParts(_ body: ByteView) -> Bool {
        guard let content = rawMember(object: body, "content") else { return false }
        if RawString.contents(content) != nil { return true }
        var parts = RawElements(content)
        return parts.next() != nil
    }

    private static func callsFault(_ message: borrowing Candidate) -> LeftOutReason? {
        if !message.hasText, let content = rawMember(object: message.body, "content"),
            !content.equals("null"),
            !hasParts(message.body)
        {
            return .malformed
        }
        guard let calls = rawMember(object: message.body, "tool_calls") else { return .malformed }
        var elements = RawElements(calls)
        var ids: [ByteView] = []
        while let call = elements.next() {
            guard let id = checkedID(call), hasTool(call), ids.count < callsMaximum else { return .malformed }
            for other in ids where RawString.same(other, id) { return .malformed }
            ids.append(id)
        }
        return ids.isEmpty || elements.isBroken ? .malformed : nil
    }

    private static func checkedID(_ call: ByteView) -> ByteView? {
        guard let value = rawMember(object: call, "id"), let id = RawString.contents(value) else {
            return nil
        }
        return id.count > 0 && characters(id) <= callIDMaximum ? id : nil
    }

    /// Characters of a raw string; an escaped pair of surrogates counts as two.
    private static func characters(_ raw: ByteView) -> Int {
        var count = 0
        var at = 0
        while at < raw.count {
            if raw[at] == 0x5C {
                at &+= at &+ 1 < raw.count && raw[at &+ 1] == 0x75 ? 6 : 2
                count &+= 1
                continue
            }
            if raw[at] & 0xC0 != 0x80 { count &+= 1 }
            at &+= 1
        }
        return count
    }

    private static func hasTool(_ call: ByteView) -> Bool {
        guard let value = rawMember(object: call, "type"), let type = RawString.contents(value) else {
            return false
        }
        let tool: ByteView?
        if RawString.equals(type, RawKey.function) {
            tool = rawMember(object: call, "function")
            guard let tool, let arguments = rawMember(object: tool, "arguments"),
                RawString.contents(arguments) != nil
            else { return false }
        } else if RawString.equals(type, RawKey.custom) {
            tool = rawMember(object: call, "custom")
            guard let tool, let input = rawMember(object: tool, "input"), RawString.contents(input) != nil
            else { return false }
        } else {
            return false
        }
        guard let tool, let quoted = rawMember(object: tool, "name"), let name = RawString.contents(quoted)
        else {
            return false
        }
        guard name.count > 0, name.count <= nameMaximum else { return false }
        return name.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
                || $0 == 0x5F
                || $0 == 0x2D
        }
    }
}

/// Names to compare raw strings with.
enum RawKey {
    static var function: ByteView { view("function") }
    static var custom: ByteView { view("custom") }

    private static func view(_ literal: StaticString) -> ByteView {
        ByteView(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    }
}
