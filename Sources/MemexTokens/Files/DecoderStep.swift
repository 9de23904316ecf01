internal import MemexModel

/// The texts of tokens while they become one: one behind the other, and where each ends.
struct DecodedTokens: ~Copyable {
    var text = ByteBuffer()
    var ends = HeapArray<Int>(0)

    var failed: Bool { text.failed || ends.failed }

    func token(_ index: Int) -> ByteView {
        let from = index == 0 ? 0 : ends[index &- 1]
        return text.view.slice(from, ends[index] &- from)
    }

    mutating func endToken() { ends.append(text.count) }

    mutating func append(_ token: ByteView) {
        text.append(token)
        endToken()
    }
}

/// A step of a decoder.
enum DecoderStep {
    /// Characters stand for bytes.
    case bytes
    case metaspace([UInt8], dropsFirst: Bool)
    /// Tokens such as `<0x0A>` are bytes.
    case byteFallback
    case replace([UInt8], [UInt8])
    case strip([UInt8], start: Int, stop: Int)
    case fuse

    func apply(_ tokens: borrowing DecodedTokens) -> DecodedTokens {
        var out = DecodedTokens()
        out.text.reserve(tokens.text.count)
        var index = 0
        while index < tokens.ends.count {
            let token = tokens.token(index)
            switch self {
            case .bytes:
                if !ByteAlphabet.decode(token, to: &out.text) { out.text.append(token) }
            case .metaspace(let mark, let dropsFirst):
                mark.withUnsafeBufferPointer {
                    Self.replace(
                        token, $0, dropsFirst && index == 0 ? Self.nothing : Self.blank, to: &out.text)
                }
            case .byteFallback:
                if let byte = Self.byte(token) { out.text.append(byte: byte) } else { out.text.append(token) }
            case .replace(let pattern, let content):
                pattern.withUnsafeBufferPointer { pattern in
                    content.withUnsafeBufferPointer { Self.replace(token, pattern, $0, to: &out.text) }
                }
            case .strip(let content, let start, let stop):
                content.withUnsafeBufferPointer { out.text.append(Self.strip(token, $0, start, stop)) }
            case .fuse: out.text.append(token)
            }
            index &+= 1
            // Bytes that follow each other are one text.
            if case .fuse = self, index < tokens.ends.count { continue }
            if case .byteFallback = self, index < tokens.ends.count, Self.byte(token) != nil,
                Self.byte(tokens.token(index)) != nil
            {
                continue
            }
            out.endToken()
        }
        return out
    }

    private static func replace(
        _ token: ByteView, _ pattern: ByteView, _ content: ByteView, to text: inout ByteBuffer
    ) {
        var at = 0
        while at < token.count {
            if token.has(pattern, at: at) {
                text.append(content)
                at &+= pattern.count
            } else {
                text.append(byte: token.byte(at))
                at &+= 1
            }
        }
    }

    private static var nothing: ByteView { ("" as StaticString).bytes }
    private static var blank: ByteView { (" " as StaticString).bytes }
    private static var hexadecimal: ByteView { ("<0x" as StaticString).bytes }

    /// The value of a token such as `<0x0A>`.
    private static func byte(_ token: ByteView) -> UInt8? {
        guard token.count == 6, token.has(hexadecimal, at: 0), token.byte(5) == 0x3E else { return nil }
        func digit(_ character: UInt8) -> UInt8? {
            switch character {
            case 0x30...0x39: return character &- 0x30
            case 0x41...0x46: return character &- 0x37
            case 0x61...0x66: return character &- 0x57
            default: return nil
            }
        }
        guard let high = digit(token.byte(3)), let low = digit(token.byte(4)) else { return nil }
        return high &<< 4 | low
    }

    private static func strip(_ token: ByteView, _ content: ByteView, _ start: Int, _ stop: Int) -> ByteView {
        var from = 0
        var end = token.count
        var left = start
        while left > 0, from < end, token.has(content, at: from) {
            from &+= content.count
            left &-= 1
        }
        left = stop
        while left > 0, end &- from >= content.count, token.has(content, at: end &- content.count) {
            end &-= content.count
            left &-= 1
        }
        return token.slice(from, end &- from)
    }
}
