internal import MemexModel

/// A step of a normalizer.
enum NormalizerStep {
    case form(UnicodeNormalizer.Form)
    case lowercase
    case stripAccents
    case strip(left: Bool, right: Bool)
    case prepend([UInt8])
    case replace([UInt8], [UInt8])
    /// Two or more of U+0020.
    case replaceBlanks([UInt8])
    case precompiled(PrecompiledMap)
    case nmt

    /// Appends what becomes of a text; false when memory ran out.
    ///
    /// - Parameter cut: becomes true when the first character goes.
    func append(_ text: ByteView, to out: inout ByteBuffer, cut: inout Bool) -> Bool {
        switch self {
        case .form(let form): return UnicodeNormalizer.append(text, form, to: &out)
        case .lowercase:
            Self.map(text, to: &out, cut: &cut) { code in
                code == 0x130 ? nil : UnicodeTable.shared.lowercase(code)
            }
        case .stripAccents:
            Self.map(text, to: &out, cut: &cut) { code in
                UnicodeTable.shared.flags(code) & UnicodeTable.mark != 0 ? Self.gone : code
            }
        case .nmt: Self.map(text, to: &out, cut: &cut, Self.nmt)
        case .strip(let left, let right): Self.strip(text, left, right, to: &out, cut: &cut)
        case .prepend(let prefix):
            if text.count > 0 { prefix.withUnsafeBufferPointer { out.append($0) } }
            out.append(text)
        case .replace(let pattern, let content):
            pattern.withUnsafeBufferPointer { pattern in
                content.withUnsafeBufferPointer { Self.replace(text, pattern, $0, to: &out, cut: &cut) }
            }
        case .replaceBlanks(let content):
            content.withUnsafeBufferPointer { Self.replaceBlanks(text, $0, to: &out, cut: &cut) }
        case .precompiled(let map): map.append(text, to: &out)
        }
        return !out.failed
    }

    /// What becomes of a text by several steps; false when memory ran out.
    static func apply(
        _ steps: [NormalizerStep], _ text: ByteView, to out: inout ByteBuffer, cut: inout Bool
    ) -> Bool {
        out.append(text)
        var done = true
        steps.forEachElement { step in
            var next = ByteBuffer(capacity: out.count)
            done = step.append(out.view, to: &next, cut: &cut)
            swap(&out, &next)
            return done
        }
        return done && !out.failed
    }

    private static let gone = UInt32.max

    /// Nil stands for the small form of U+0130.
    private static func map(
        _ text: ByteView, to out: inout ByteBuffer, cut: inout Bool, _ change: (UInt32) -> UInt32?
    ) {
        var at = 0
        while at < text.count {
            let (code, length) = CodePoints.read(text, at)
            if code >= CodePoints.foreign {
                out.append(byte: text.byte(at))
            } else if let changed = change(code) {
                if changed != gone {
                    CodePoints.append(changed, to: &out)
                } else if at == 0 {
                    cut = true
                }
            } else {
                CodePoints.append(0x69, to: &out)
                CodePoints.append(0x307, to: &out)
            }
            at &+= length
        }
    }

    private static func nmt(_ code: UInt32) -> UInt32? {
        switch code {
        case 1...8, 0xB, 0xE...0x1F, 0x7F, 0x8F, 0x9F: return gone
        case 0x9, 0xA, 0xC, 0xD, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: return 0x20
        default: return code
        }
    }

    private static func strip(
        _ text: ByteView, _ left: Bool, _ right: Bool, to out: inout ByteBuffer, cut: inout Bool
    ) {
        var from = 0
        while left, from < text.count {
            let (code, length) = CodePoints.read(text, from)
            if !CodePoints.isSpace(code) { break }
            from &+= length
        }
        if from > 0 { cut = true }
        var end = from
        var at = from
        while at < text.count {
            let (code, length) = CodePoints.read(text, at)
            at &+= length
            if !CodePoints.isSpace(code) { end = at }
        }
        out.append(text.slice(from, (right ? end : text.count) &- from))
    }

    private static func replace(
        _ text: ByteView, _ pattern: ByteView, _ content: ByteView, to out: inout ByteBuffer, cut: inout Bool
    ) {
        var at = 0
        while at < text.count {
            if text.has(pattern, at: at) {
                if at == 0, content.count == 0 { cut = true }
                out.append(content)
                at &+= pattern.count
            } else {
                out.append(byte: text.byte(at))
                at &+= 1
            }
        }
    }

    private static func replaceBlanks(
        _ text: ByteView, _ content: ByteView, to out: inout ByteBuffer, cut: inout Bool
    ) {
        var at = 0
        while at < text.count {
            var end = at
            while text.byte(end) == 0x20 { end &+= 1 }
            if end &- at >= 2 {
                if at == 0, content.count == 0 { cut = true }
                out.append(content)
                at = end
            } else {
                out.append(byte: text.byte(at))
                at &+= 1
            }
        }
    }
}

extension UnsafeBufferPointer where Element == UInt8 {
    /// Whether some bytes, at least one, stand at a place.
    @inline(__always)
    func has(_ bytes: ByteView, at place: Int) -> Bool {
        guard bytes.count > 0, place <= count &- bytes.count, byte(place) == bytes.byte(0) else {
            return false
        }
        return slice(place, bytes.count).equals(bytes)
    }
}
