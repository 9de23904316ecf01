/// What holds a message in the window whatever the steps say.
enum WindowPin: UInt8, Comparable {
    case none
    /// The group that it belongs to has a pinned message.
    case group
    /// The system prompt in force.
    case system
    /// `pinned` in its envelope.
    case flagged

    static func < (left: WindowPin, right: WindowPin) -> Bool { left.rawValue < right.rawValue }
}

/// A message that was examined. Its body stands in the arena.
struct WindowItem {
    let seq: Int64
    var tokens: Int64
    let offset: Int
    let length: Int
    let role: ChatRole
    /// An assistant's calls.
    let startsGroup: Bool
    /// What keeps it, by itself, out of every window.
    let fault: LeftOutReason?
    let isFlagged: Bool
    var pin = WindowPin.none
    /// What keeps it out because of its neighbours.
    var loose: LeftOutReason?
    /// The unit that it belongs to, -1 for none.
    var unit = -1
    /// The next item of the same unit, -1 for none.
    var next = -1
}

/// What a window holds as a whole or not at all: a message, or an assistant's calls with their results.
struct WindowUnit {
    /// Items of the unit, linked by `next`; the first is the oldest.
    let first: Int
    var last: Int
    var count: Int64 = 1
    var tokens: Int64
    var pin: WindowPin
    var leftOut: LeftOutReason?

    var isKept: Bool { leftOut == nil }
    var isPinned: Bool { pin != .none }
}
