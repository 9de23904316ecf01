internal import MemexModel

/// The normal forms of Unicode.
struct UnicodeNormalizer: ~Copyable {
    enum Form {
        case nfc
        case nfd
        case nfkc
        case nfkd
    }

    /// Characters and, in the upper eight bits, their combining classes.
    private var codes = HeapArray<UInt32>(0)
    private var sorted = HeapArray<UInt32>(0)

    private static let bits: UInt32 = 21
    private static let mask: UInt32 = (1 << 21) - 1
    private static let classes: UInt32 = 255

    /// Appends the normal form of a text; false when memory ran out.
    static func append(_ text: ByteView, _ form: Form, to out: inout ByteBuffer) -> Bool {
        if isPlain(text) {
            out.append(text)
            return true
        }
        var normalizer = UnicodeNormalizer()
        normalizer.decompose(text, compatible: form == .nfkc || form == .nfkd)
        normalizer.reorder()
        if form == .nfc || form == .nfkc { normalizer.compose() }
        if normalizer.codes.failed || normalizer.sorted.failed { return false }
        var at = 0
        while at < normalizer.codes.count {
            CodePoints.append(normalizer.codes[at] & mask, to: &out)
            at &+= 1
        }
        return true
    }

    /// Whether no character plays a part in any normal form.
    private static func isPlain(_ text: ByteView) -> Bool {
        var at = 0
        while at < text.count {
            if text.byte(at) < 0x80 {
                at &+= 1
                continue
            }
            let (code, length) = CodePoints.read(text, at)
            if UnicodeTable.shared.flags(code) & UnicodeTable.normalized != 0 || isSyllable(code) {
                return false
            }
            at &+= length
        }
        return true
    }

    private static func isSyllable(_ code: UInt32) -> Bool { code &- 0xAC00 < 11_172 }

    private mutating func decompose(_ text: ByteView, compatible: Bool) {
        let table = UnicodeTable.shared
        var at = 0
        while at < text.count {
            let (code, length) = CodePoints.read(text, at)
            at &+= length
            if Self.isSyllable(code) {
                let number = code &- 0xAC00
                codes.append(0x1100 &+ number / 588)
                codes.append(0x1161 &+ number % 588 / 28)
                if number % 28 != 0 { codes.append(0x11A7 &+ number % 28) }
            } else if table.flags(code) & UnicodeTable.normalized == 0 {
                codes.append(code)
            } else if let parts = table.decomposition(code, compatible: compatible) {
                var part = 0
                while part < parts.count, let base = parts.baseAddress {
                    add(base[part])
                    part &+= 1
                }
            } else {
                add(code)
            }
        }
    }

    private mutating func add(_ code: UInt32) {
        codes.append(UnicodeTable.shared.combiningClass(code) &<< Self.bits | code)
    }

    /// Sorts each run of combining characters by class; equals keep their order.
    private mutating func reorder() {
        var at = 0
        while at < codes.count {
            if codes[at] &>> Self.bits == 0 {
                at &+= 1
                continue
            }
            let from = at
            var isSorted = true
            while at < codes.count, codes[at] &>> Self.bits != 0 {
                if at > from, codes[at &- 1] &>> Self.bits > codes[at] &>> Self.bits { isSorted = false }
                at &+= 1
            }
            if !isSorted { sort(from, at) }
        }
    }

    private mutating func sort(_ from: Int, _ end: Int) {
        if end &- from <= 32 {
            var next = from &+ 1
            while next < end {
                let code = codes[next]
                var at = next
                while at > from, codes[at &- 1] &>> Self.bits > code &>> Self.bits {
                    codes[at] = codes[at &- 1]
                    at &-= 1
                }
                codes[at] = code
                next &+= 1
            }
            return
        }
        // There are few classes, so that a pass for each is linear whatever the text.
        sorted.removeAll()
        var wanted: UInt32 = 1
        while wanted <= Self.classes, sorted.count < end &- from {
            var at = from
            while at < end {
                if codes[at] &>> Self.bits == wanted { sorted.append(codes[at]) }
                at &+= 1
            }
            wanted &+= 1
        }
        var at = from
        while at < end {
            codes[at] = sorted[at &- from]
            at &+= 1
        }
    }

    private mutating func compose() {
        var count = 0
        var starter = -1
        // The class of the character before, -1 right after the starter.
        var last = -1
        var at = 0
        while at < codes.count {
            let entry = codes[at]
            let rank = Int(entry &>> Self.bits)
            at &+= 1
            if starter >= 0, last < rank, let whole = Self.composed(codes[starter], entry & Self.mask) {
                codes[starter] = whole
                continue
            }
            if rank == 0 {
                starter = count
                last = -1
            } else {
                last = rank
            }
            codes[count] = entry
            count &+= 1
        }
        codes.resize(count)
    }

    private static func composed(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if first &- 0x1100 < 19, second &- 0x1161 < 21 {
            return 0xAC00 &+ ((first &- 0x1100) &* 21 &+ (second &- 0x1161)) &* 28
        }
        if isSyllable(first), (first &- 0xAC00) % 28 == 0, second &- 0x11A8 < 27 {
            return first &+ (second &- 0x11A7)
        }
        return UnicodeTable.shared.composition(first, second)
    }
}
