package import MemexModel
package import MemexStorage

/// A message that a window may hold. Its body is borrowed for the duration of the visit.
package struct Candidate {
    /// `format` of bodies in the dialect of OpenAI chat, as records store it.
    package static let openAIChat: UInt8 = 1

    package var seq: Int64 = 0
    package var role = ChatRole.other
    /// As counted when the message was stored; 0 for one that is yet to be counted.
    package var tokens: Int64 = 0
    /// `RecordHead.Flag`s, the state among them.
    package var flags: UInt16 = 0
    package var format = Candidate.openAIChat
    /// The body has a content, and it is a string.
    package var hasText = false
    package var body = ByteView(start: nil, count: 0)

    package init() {}

    /// With the count that is stored, if it has that mark, see `MessageCounter`.
    package init(_ view: borrowing MessageView, countedAs mark: UInt32) {
        seq = view.seq
        role = ChatRole(view.role)
        tokens = view.head.counter == mark ? Int64(view.head.tokens) : 0
        flags = view.head.flags
        format = view.head.format
        hasText = view.head.contentOffset >= 0
        body = view.body
    }

    var isFlagged: Bool { flags & RecordHead.Flag.pinned != 0 }
    var hasToolCalls: Bool { flags & RecordHead.Flag.toolCalls != 0 }
    var hasToolCallID: Bool { flags & RecordHead.Flag.toolCallID != 0 }
    /// Begins a group: calls, whose results follow.
    var startsGroup: Bool { role == .assistant && hasToolCalls }
    var isComplete: Bool { flags & RecordHead.Flag.state == UInt16(MessageState.complete.rawValue) }
}
