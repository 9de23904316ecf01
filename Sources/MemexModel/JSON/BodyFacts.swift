/// What is known about a message body after one pass over it: where its role and its content stand.
///
/// Offsets count bytes from where the scan was told to begin; they frame what stands between the quotes,
/// escapes untouched.
package struct BodyFacts: BitwiseCopyable, Equatable, Sendable {
    /// First byte of the role's string, -1 when there is none or it is not a string.
    package var roleOffset: Int32 = -1
    package var roleLength: Int32 = -1
    /// First byte of the content's string, -1 when there is none or it is not a string.
    package var contentOffset: Int32 = -1
    package var contentLength: Int32 = -1
    /// Any of the constants below.
    package var flags: UInt32 = 0

    /// The object has exactly the keys role and content, and both are strings.
    package static let simple: UInt32 = 1
    /// The content holds at least one backslash.
    package static let contentEscaped: UInt32 = 2
    /// The role holds at least one backslash.
    package static let roleEscaped: UInt32 = 4
    /// There is a key tool_calls, and its value is not null.
    package static let toolCalls: UInt32 = 8
    /// There is a key tool_call_id, and its value is a string.
    package static let toolCallID: UInt32 = 16
    /// The fast scanner declined; the slow path did the work.
    package static let declined: UInt32 = 32

    @inline(__always)
    package init() {}

    @inline(__always)
    package func has(_ flag: UInt32) -> Bool { flags & flag != 0 }

    /// The raw role in the bytes that the facts were taken from.
    package func role(in bytes: ByteView) -> ByteView? {
        BodyFacts.cut(bytes, roleOffset, roleLength)
    }

    /// The raw content in the bytes that the facts were taken from.
    package func content(in bytes: ByteView) -> ByteView? {
        BodyFacts.cut(bytes, contentOffset, contentLength)
    }

    private static func cut(_ bytes: ByteView, _ offset: Int32, _ length: Int32) -> ByteView? {
        let from = Int(offset)
        let size = Int(length)
        guard from >= 0, size >= 0, from <= bytes.count, size <= bytes.count &- from else { return nil }
        return bytes.slice(from, size)
    }
}

/// The keys of a body that the library looks at.
enum BodyKey {
    case other
    case role
    case content
    case toolCalls
    case toolCallID
}

extension BodyFacts {
    /// Notes a member of the body whose value is a string.
    @inline(__always)
    mutating func note(_ key: BodyKey, string offset: Int, length: Int, escaped: Bool) {
        switch key {
        case .other: return
        case .role:
            roleOffset = Int32(truncatingIfNeeded: offset)
            roleLength = Int32(truncatingIfNeeded: length)
            if escaped { flags |= BodyFacts.roleEscaped }
        case .content:
            contentOffset = Int32(truncatingIfNeeded: offset)
            contentLength = Int32(truncatingIfNeeded: length)
            if escaped { flags |= BodyFacts.contentEscaped }
        case .toolCalls: flags |= BodyFacts.toolCalls
        case .toolCallID: flags |= BodyFacts.toolCallID
        }
    }

    /// Notes how many members the body has, once all are known.
    @inline(__always)
    mutating func note(memberCount: Int) {
        if memberCount == 2, roleOffset >= 0, contentOffset >= 0 { flags |= BodyFacts.simple }
    }
}
