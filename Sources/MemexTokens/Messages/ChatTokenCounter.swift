package import MemexModel

/// Counts what a provider bills for messages and whole requests. Any thread may use it.
package struct ChatTokenCounter: Sendable {
    let tokenizer: any TextTokenizer
    /// Tokens around a message.
    private static let frame = 4

    /// - Parameter model: decides what images cost and how messages are framed; nil for what most models do.
    package init(_ tokenizer: any TextTokenizer, model: ByteView?) {
        self.tokenizer = tokenizer
    }

    /// Tokens of one message with its frame, whatever JSON it is.
    package func count(message body: ByteView) -> Int {
        Self.frame &+ text(body)
    }

    /// Tokens of a request: its messages, tools, functions and response format, and the reply's beginning.
    package func count(request: ByteView) throws(MemexError) -> Int {
        try JSONCheck.strict(request)
        guard let messages = rawMember(object: request, "messages"), messages.first == 0x5B else {
            throw MemexError.invalid(path: "/messages", "an array of messages is needed")
        }
        var total = 3
        var elements = RawElements(messages)
        while let message = elements.next() { total &+= count(message: message) }
        return total
    }

    private func text(_ bytes: ByteView) -> Int {
        (try? tokenizer.count(bytes, special: .asText)) ?? bytes.count / 4
    }
}
