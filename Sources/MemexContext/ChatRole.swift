package import MemexModel

/// The roles that OpenAI chat knows, and one for all others.
package enum ChatRole: UInt8, Sendable {
    case other
    case system
    case developer
    case user
    case assistant
    case tool

    package init(_ name: ByteView) {
        if name.equals("user") {
            self = .user
        } else if name.equals("assistant") {
            self = .assistant
        } else if name.equals("tool") {
            self = .tool
        } else if name.equals("system") {
            self = .system
        } else if name.equals("developer") {
            self = .developer
        } else {
            self = .other
        }
    }

    package var name: StaticString {
        switch self {
        case .other: ""
        case .system: "system"
        case .developer: "developer"
        case .user: "user"
        case .assistant: "assistant"
        case .tool: "tool"
        }
    }

    /// Says how the model is to behave: the last such message of a thread is in force.
    package var isInstruction: Bool { self == .system || self == .developer }
}
