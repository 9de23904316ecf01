/// What a failed operation reports: a code for programs, a sentence for people, and details as JSON.
///
/// Messages say what was wrong, where, and what to do. They never contain message content or secrets.
public struct MemexError: Error, Sendable {
    /// The closed set of reasons; raw values are the `MEMEX_E_*` of the C header.
    public enum Code: Int32, Sendable, CaseIterable {
        case invalid = -1
        case notFound = -2
        case exists = -3
        case conflict = -4
        case busy = -5
        case timeout = -6
        case cancelled = -7
        case closed = -8
        case forked = -9
        case handle = -10
        case reentrant = -11
        case denied = -12
        case unsupported = -13
        case limit = -14
        case noMemory = -15
        case io = -16
        case full = -17
        case poisoned = -18
        case corrupt = -19
        case tampered = -20
        case newerFormat = -21
        case unavailable = -22
        case provider = -23
        case rateLimited = -24
        case callback = -25
        case outcomeUnknown = -26
        case `internal` = -27

        /// Whether the same call may succeed later without any change by the caller.
        public var isRetryable: Bool {
            switch self {
            case .busy, .timeout, .noMemory, .full, .unavailable, .rateLimited, .outcomeUnknown:
                return true
            default:
                return false
            }
        }
    }

    public let code: Code
    public let message: String
    /// Members of the details object, already encoded: `"path":"/url","offset":3` without braces.
    package let detailMembers: String

    /// The details as a JSON object.
    public var details: String { "{" + detailMembers + "}" }

    package init(_ code: Code, _ message: String, detailMembers: String = "") {
        self.code = code
        self.message = message
        self.detailMembers = detailMembers
    }

    /// An argument is wrong at a JSON path, for example `/filter/metadata`.
    package static func invalid(path: String, _ message: String) -> MemexError {
        MemexError(
            .invalid, "\(path.isEmpty ? "/" : path): \(message)",
            detailMembers: "\"path\":\(JSONText.quoted(path))")
    }

    /// An argument is wrong at a byte offset of what was passed.
    package static func invalid(offset: Int, _ message: String) -> MemexError {
        MemexError(
            .invalid, "\(message) at byte \(offset)", detailMembers: "\"offset\":\(offset)")
    }

    /// A wait of an interruptible store ended early, see `Deadline.pauseAt`.
    package static func paused(bySignal: Bool, remaining: Int64) -> MemexError {
        MemexError(
            .cancelled,
            "the wait was ended so that signals can be handled; call again to go on waiting, nothing was stored",
            detailMembers: pausedMark + "\(bySignal),\"remaining_us\":\(remaining)")
    }

    private static let pausedMark = "\"signal\":"

    package var isPause: Bool { code == .cancelled && detailMembers.hasPrefix(Self.pausedMark) }

    package static let noMemory = MemexError(
        .noMemory, "memory ran out; free some and call again, nothing was changed")
}
