package import MemexModel

/// Counts what a provider bills for messages and whole requests. Any thread may use it.
///
/// The sum of all messages, of what a request has besides, and of the reply's beginning is the request.
package struct ChatTokenCounter: Sendable {
    let tokenizer: any TextTokenizer
    let rules: ChatModelRules

    /// - Parameter model: decides what images cost and how messages are framed; nil for what most models do.
    package init(_ tokenizer: any TextTokenizer, model: ByteView?) {
        self.tokenizer = tokenizer
        rules = ChatModelRules(model: model, tokenizer: tokenizer.name)
    }

    /// Tokens of one message with its frame, whatever JSON it is.
    package func count(message body: ByteView) -> Int {
        var tally = MessageTally(rules, tokenizer)
        add(message: body, to: &tally)
        return tally.total
    }

    /// Tokens of a request: its messages, tools, functions and response format, and the reply's beginning.
    ///
    /// Its `model` is not looked at; the counter has one.
    package func count(request: ByteView) throws(MemexError) -> Int {
        try JSONCheck.strict(request)
        let list = rawMember(object: request, "messages") ?? rawMember(object: request, "contents")
        guard let messages = list, messages.first == 0x5B else {
            throw MemexError.invalid(path: "/messages", "an array of messages is needed")
        }
        var total = rules.reply
        var instructions = ByteBuffer()
        var elements = RawElements(messages)
        var next = elements.next()
        let hasSystem = next.map { Self.isSystem($0) } ?? false
        if rules.dialect == .openAI {
            total &+= writeInstructions(request, hasSystem, to: &instructions)
        } else {
            total &+= countOthers(request)
        }
        if instructions.count > 0 {
            var tally = MessageTally(rules, tokenizer)
            if hasSystem, rules.joinsTools, let message = next {
                add(message: message, to: &tally)
                if tally.text.count > 0 { tally.add(literal: "\n\n") }
                next = elements.next()
            } else {
                tally.add(rules.frame)
            }
            tally.add(text: instructions.view)
            total &+= tally.total
        }
        while let message = next {
            total &+= count(message: message)
            next = elements.next()
        }
        guard !instructions.failed else { throw MemexError.noMemory }
        return max(total, 0)
    }

    private static func isSystem(_ message: ByteView) -> Bool {
        guard let role = rawMember(object: message, "role") else { return false }
        return role.equals("\"system\"") || role.equals("\"developer\"")
    }

    /// Writes tools and the response format; gives what they cost beyond their text.
    private func writeInstructions(_ request: ByteView, _ hasSystem: Bool, to out: inout ByteBuffer) -> Int {
        var extra = 0
        let hasTools = RequestInstructions.append(
            tools: rawMember(object: request, "tools"), functions: rawMember(object: request, "functions"),
            to: &out)
        if hasTools { extra &+= hasSystem ? rules.tools : rules.toolsAlone }
        var format = ByteBuffer()
        extra &+= RequestInstructions.append(
            format: rawMember(object: request, "response_format"), to: &format)
        if format.count > 0 {
            if hasTools { out.append("\n\n") }
            out.append(format.view)
        }
        return extra
    }

    private func add(message body: ByteView, to tally: inout MessageTally) {
        tally.add(rules.frame)
        // What is no object is counted as text all the same.
        guard body.first(where: { $0 > 0x20 }) == 0x7B else { return tally.add(json: body) }
        var isTool = false
        var isFunction = false
        if let role = rawMember(object: body, "role") {
            isTool = role.equals("\"tool\"")
            isFunction = role.equals("\"function\"")
        }
        var members = RawMembers(body)
        while let member = members.next() {
            if member.isNamed("content") || member.isNamed("parts") || member.isNamed("refusal") {
                tally.add(content: member.value)
            } else if member.isNamed("name") {
                // The name of a tool's result is counted with its call.
                if !isTool, member.value.count > 2 {
                    tally.add(isFunction ? -1 : 1)
                    tally.add(string: member.value)
                }
            } else if member.isNamed("tool_calls") {
                tally.add(calls: member.value)
            } else if member.isNamed("function_call") {
                tally.add(legacyCall: member.value)
            }
        }
    }

    /// Claude and Gemini: what stands beside the messages, roughly.
    private func countOthers(_ request: ByteView) -> Int {
        var tally = MessageTally(rules, tokenizer)
        var hasTools = false
        var thinks = false
        var members = RawMembers(request)
        while let member = members.next() {
            if member.isNamed("system") || member.isNamed("system_instruction")
                || member.isNamed("systemInstruction")
            {
                tally.add(content: member.value)
            } else if member.isNamed("tools") {
                hasTools = true
                add(tools: member.value, to: &tally)
            } else if member.isNamed("thinking") {
                thinks = member.value.first == 0x7B
            }
        }
        if hasTools { tally.add(rules.tools) } else if thinks { tally.add(rules.thinking) }
        return tally.total
    }

    /// Each definition as JSON. Gemini's stand together in one tool.
    private func add(tools: ByteView, depth: Int = 0, to tally: inout MessageTally) {
        guard depth < 2 else { return }
        var elements = RawElements(tools)
        while let tool = elements.next() {
            let group =
                rawMember(object: tool, "functionDeclarations")
                ?? rawMember(object: tool, "function_declarations")
            if let group {
                add(tools: group, depth: depth &+ 1, to: &tally)
            } else {
                tally.add(tool: tool)
            }
        }
    }
}
