internal import Memex
internal import MemexModel
internal import MemexTokens
#if canImport(Glibc)
    internal import Glibc
#endif

/// What handles refer to, where it is not the engine's own object: an object and the text that the C
/// interface lends of it.

final class ThreadObject: Sendable {
    let thread: ConversationThread
    let id: CText

    init(_ thread: ConversationThread) {
        self.thread = thread
        id = CText(thread.id)
    }
}

final class MessageObject: Sendable {
    let message: Message
    let id: CText
    let role: CText

    init(_ message: Message) {
        self.message = message
        id = CText(message.id)
        role = CText(message.role)
    }
}

final class CursorObject: Sendable {
    let cursor: any Cursor
    init(_ cursor: any Cursor) { self.cursor = cursor }
}

/// A tokenizer, and how it was opened.
final class TokenizerObject: Sendable {
    let tokenizer: any TextTokenizer
    let special: SpecialTokenPolicy
    let counter: MessageCounter
    let name: CText

    init(_ choice: TokenizerChoice) {
        tokenizer = choice.tokenizer
        special = choice.special
        counter = MessageCounter(choice)
        name = CText(choice.tokenizer.name)
    }
}

/// A transaction and the handle of its view, which goes with it.
final class TransactionObject: Sendable {
    let transaction: Transaction
    let view: Session
    nonisolated(unsafe) let viewHandle: OpaquePointer?

    init(_ transaction: Transaction, _ view: Session) {
        self.transaction = transaction
        self.view = view
        viewHandle = HandleTable.make(view, .store)
    }

    deinit {
        HandleTable.free(viewHandle, .store)
        transaction.rollback()
    }
}
