internal import MemexModel

/// The character map of a SentencePiece model: a double array of byte sequences and what they become.
final class PrecompiledMap: @unchecked Sendable {
    private let units: HeapArray<UInt32>
    private let texts: ByteBuffer

    /// - Parameter bytes: the size of the array, the array, and the texts with a NUL after each.
    init?(_ bytes: ByteView) {
        func number(_ at: Int) -> UInt32 {
            UInt32(bytes.byte(at)) | UInt32(bytes.byte(at &+ 1)) &<< 8 | UInt32(bytes.byte(at &+ 2)) &<< 16
                | UInt32(bytes.byte(at &+ 3)) &<< 24
        }
        let size = Int(number(0))
        guard bytes.count >= 4, size & 3 == 0, size > 0, size <= bytes.count &- 4 else { return nil }
        var units = HeapArray<UInt32>(0)
        var at = 4
        while at < 4 &+ size {
            units.append(number(at))
            at &+= 4
        }
        var texts = ByteBuffer()
        texts.append(bytes.slice(at, bytes.count &- at))
        if units.failed || texts.failed { return nil }
        self.units = units
        self.texts = texts
    }

    /// Appends a text with its characters replaced.
    ///
    /// A cluster of less than six bytes is replaced as a whole by what its first bytes become, as the
    /// tokenizers library does.
    func append(_ text: ByteView, to out: inout ByteBuffer) {
        var at = 0
        while at < text.count {
            let end = Graphemes.end(text, at)
            if end &- at < 6, let found = find(text.slice(at, end &- at)) {
                out.append(found)
                at = end
                continue
            }
            while at < end {
                let length = CodePoints.read(text, at).length
                out.append(find(text.slice(at, length)) ?? text.slice(at, length))
                at &+= length
            }
        }
    }

    /// What the shortest known beginning of some bytes becomes; nil when none is known.
    private func find(_ bytes: ByteView) -> ByteView? {
        var node = Self.offset(units[0])
        var at = 0
        while at < bytes.count {
            let byte = bytes.byte(at)
            if byte == 0 { return nil }
            node ^= Int(byte)
            let unit = units[node]
            if unit & 0x8000_00FF != UInt32(byte) { return nil }
            node ^= Self.offset(unit)
            if unit &>> 8 & 1 != 0 {
                let from = Int(units[node] & 0x7FFF_FFFF)
                if from >= texts.count { return ByteView(start: nil, count: 0) }
                var end = from
                while texts.view.byte(end) != 0 { end &+= 1 }
                return texts.view.slice(from, end &- from)
            }
            at &+= 1
        }
        return nil
    }

    private static func offset(_ unit: UInt32) -> Int {
        Int(UInt64(unit &>> 10) &<< UInt64((unit & 0x200) &>> 6))
    }
}
