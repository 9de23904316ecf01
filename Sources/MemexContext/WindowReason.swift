/// Why a message is in a window: the closed set of `kept[].reason`.
package enum KeptReason: UInt8, Sendable, CaseIterable {
    case system
    case pinned
    case group
    case recent
    case strategy

    package var name: StaticString {
        switch self {
        case .system: "system"
        case .pinned: "pinned"
        case .group: "group"
        case .recent: "recent"
        case .strategy: "strategy"
        }
    }
}

/// Why a message is not in a window: the closed set of `left_out[].reason`.
package enum LeftOutReason: UInt8, Sendable, CaseIterable {
    case budget
    case fifo
    case strategy
    case cut
    case superseded
    case incomplete
    case format
    case role
    case malformed
    case unanswered
    case noCall
    case callNotExamined
    case notExamined

    package var name: StaticString {
        switch self {
        case .budget: "budget"
        case .fifo: "fifo"
        case .strategy: "strategy"
        case .cut: "cut"
        case .superseded: "superseded"
        case .incomplete: "incomplete"
        case .format: "format"
        case .role: "role"
        case .malformed: "malformed"
        case .unanswered: "unanswered"
        case .noCall: "no_call"
        case .callNotExamined: "call_not_examined"
        case .notExamined: "not_examined"
        }
    }

    /// A step of the pipeline decided so; the message itself could be sent.
    var isChoice: Bool {
        switch self {
        case .budget, .fifo, .strategy, .cut: true
        default: false
        }
    }
}
