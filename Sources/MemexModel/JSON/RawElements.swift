/// Goes through the elements of an array in validated JSON text, without parsing them.
package struct RawElements {
    private let text: ByteView
    private var at: Int
    /// The text is not a well-formed array; no more elements come.
    package private(set) var isBroken = false

    /// The array that the text begins with, white space before it allowed. Anything else has no elements.
    package init(_ array: ByteView) {
        text = array
        at = array.count
        guard let base = array.baseAddress else { return }
        let start = ByteWords.skipSpace(base, 0, array.count)
        guard start < array.count, base[start] == 0x5B else { return }
        at = ByteWords.skipSpace(base, start &+ 1, array.count)
        if at >= array.count {
            isBroken = true
        } else if base[at] == 0x5D {
            at = array.count
        }
    }

    /// The next element, without white space around it.
    package mutating func next() -> ByteView? {
        guard let base = text.baseAddress, at < text.count else { return nil }
        let end = text.count
        let start = at
        let after = RawCursor.valueEnd(base, start, end)
        guard after > start else { return fail() }
        at = ByteWords.skipSpace(base, after, end)
        guard at < end else { return fail() }
        if base[at] == 0x2C {
            at = ByteWords.skipSpace(base, at &+ 1, end)
            guard at < end else { return fail() }
        } else if base[at] == 0x5D {
            at = end
        } else {
            return fail()
        }
        return text.slice(start, after &- start)
    }

    private mutating func fail() -> ByteView? {
        at = text.count
        isBroken = true
        return nil
    }
}
