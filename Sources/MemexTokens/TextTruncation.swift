package import MemexModel

/// Cuts texts at a number of tokens.
package enum TextTruncation {
    package struct Cut {
        /// Bytes to keep.
        package var length: Int
        /// Their tokens.
        package var tokens: Int
    }

    /// Bytes that are looked at first for each token wanted.
    private static let bytesPerToken = 8
    /// Tokens that are looked at behind the last one wanted: where a text is cut changes those before it.
    private static let margin = 64

    /// Where a text's first tokens end, before a character that would be broken.
    package static func cut(
        _ text: ByteView, _ limit: Int, _ tokenizer: any TextTokenizer, _ special: SpecialTokenPolicy
    ) throws(MemexError) -> Cut {
        guard limit > 0 else { return Cut(length: 0, tokens: 0) }
        // A beginning that is long enough: the rest of a long text changes nothing.
        var size = min(text.count, 4_096)
        let (wanted, overflow) = limit.multipliedReportingOverflow(by: bytesPerToken)
        if !overflow { size = min(text.count, max(size, wanted)) }
        while true {
            size = boundary(text, size)
            let part = text.slice(0, size)
            let count = try tokenizer.count(part, special: special)
            if size == text.count, count <= limit { return Cut(length: size, tokens: count) }
            if size == text.count || count &- limit > margin {
                return try cut(part, limit, atMost: count, tokenizer, special)
            }
            size = size > text.count / 2 ? text.count : size &* 2
        }
    }

    /// The same for a text that has too many.
    private static func cut(
        _ text: ByteView, _ limit: Int, atMost count: Int, _ tokenizer: any TextTokenizer,
        _ special: SpecialTokenPolicy
    ) throws(MemexError) -> Cut {
        var length = try encodedLength(text, limit, tokenizer, special)
        if let end = length {
            // A part of a token can have more tokens than the whole; a part of a character is none at all.
            var end = boundary(text, end)
            var steps = 0
            while end > 0, steps < 8 {
                let tokens = try tokenizer.count(text.slice(0, end), special: special)
                if tokens <= limit { return Cut(length: end, tokens: tokens) }
                end = boundary(text, end &- 1)
                steps &+= 1
            }
            length = nil
        }
        return try search(text, limit, tokenizer, special)
    }

    /// Bytes of the first tokens; nil when the tokenizer cannot say.
    private static func encodedLength(
        _ text: ByteView, _ limit: Int, _ tokenizer: any TextTokenizer, _ special: SpecialTokenPolicy
    ) throws(MemexError) -> Int? {
        if tokenizer.callsBack { return nil }
        var ids = ByteBuffer()
        var bytes = ByteBuffer()
        do throws(MemexError) {
            try tokenizer.encode(text, special: special, to: &ids)
            guard ids.count / 4 >= limit, let base = ids.base else { return nil }
            let first = UnsafeRawPointer(base).assumingMemoryBound(to: UInt32.self)
            try tokenizer.decode(UnsafeBufferPointer(start: first, count: limit), to: &bytes)
        } catch {
            guard error.code == .unsupported else { throw error }
            return nil
        }
        // One that normalises text gives other bytes.
        let found = bytes.view
        guard found.count <= text.count, text.slice(0, found.count).equals(found) else { return nil }
        return found.count
    }

    /// By counting alone: halves what is in question until it is one character.
    private static func search(
        _ text: ByteView, _ limit: Int, _ tokenizer: any TextTokenizer, _ special: SpecialTokenPolicy
    ) throws(MemexError) -> Cut {
        var best = Cut(length: 0, tokens: 0)
        var high = text.count
        while true {
            var middle = boundary(text, best.length &+ (high &- best.length) / 2)
            if middle <= best.length { middle = next(text, best.length) }
            if middle >= high { return best }
            let tokens = try tokenizer.count(text.slice(0, middle), special: special)
            if tokens <= limit {
                best = Cut(length: middle, tokens: tokens)
            } else {
                high = middle
            }
        }
    }

    /// The nearest end of a character at or before a place. Bytes that are no UTF-8 are characters each.
    private static func boundary(_ text: ByteView, _ place: Int) -> Int {
        if place >= text.count { return text.count }
        var start = place
        while start > 0, place &- start < 3, text[start] & 0xC0 == 0x80 { start &-= 1 }
        if text[start] & 0xC0 == 0x80 { return max(place, 0) }
        return start &+ length(text[start]) > place ? start : max(place, 0)
    }

    /// The end of the character that begins at a place.
    private static func next(_ text: ByteView, _ place: Int) -> Int {
        var end = place &+ 1
        while end < text.count, end &- place < length(text[place]), text[end] & 0xC0 == 0x80 { end &+= 1 }
        return min(end, text.count)
    }

    private static func length(_ lead: UInt8) -> Int {
        if lead < 0xC0 { return 1 }
        if lead < 0xE0 { return 2 }
        return lead < 0xF0 ? 3 : 4
    }
}
