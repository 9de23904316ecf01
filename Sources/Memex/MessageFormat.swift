package import MemexModel

/// The dialect of a message's body. Raw values are stored.
package enum MessageFormat: UInt8, Sendable, CaseIterable {
    case opaque = 0
    case openaiChat = 1
    case openaiResponses = 2
    case anthropic = 3
    case gemini = 4
    case mistral = 5
    case cohere = 6
    case bedrock = 7
    case ollama = 8

    package var name: StaticString {
        switch self {
        case .opaque: "opaque"
        case .openaiChat: "openai.chat"
        case .openaiResponses: "openai.responses"
        case .anthropic: "anthropic"
        case .gemini: "gemini"
        case .mistral: "mistral"
        case .cohere: "cohere"
        case .bedrock: "bedrock"
        case .ollama: "ollama"
        }
    }

    package init?(name: ByteView) {
        for format in Self.allCases where name.equals(format.name) {
            self = format
            return
        }
        return nil
    }
}
