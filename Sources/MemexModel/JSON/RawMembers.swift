/// A member of an object, as it stands in the text.
package struct RawMember: BitwiseCopyable {
    /// What stands between the quotes of the key, escapes untouched.
    package let key: ByteView
    /// The value, without white space around it.
    package let value: ByteView

    @inline(__always)
    package init(key: ByteView, value: ByteView) {
        self.key = key
        self.value = value
    }

    /// Whether the key, decoded, is these bytes.
    @inline(__always)
    package func isNamed(_ name: ByteView) -> Bool { RawString.equals(key, name) }

    @inline(__always)
    package func isNamed(_ name: StaticString) -> Bool { RawString.equals(key, RawCursor.bytes(name)) }
}

/// Goes through the members of an object in validated JSON text, without parsing their values.
package struct RawMembers {
    private let text: ByteView
    private var at: Int
    /// The text is not a well-formed object; no more members come.
    package private(set) var isBroken = false

    /// The object that the text begins with, white space before it allowed. Anything else has no members.
    package init(_ object: ByteView) {
        text = object
        at = object.count
        guard let base = object.baseAddress else { return }
        let start = ByteWords.skipSpace(base, 0, object.count)
        guard start < object.count, base[start] == 0x7B else { return }
        at = ByteWords.skipSpace(base, start &+ 1, object.count)
        if at >= object.count { isBroken = true }
    }

    package mutating func next() -> RawMember? {
        guard let base = text.baseAddress, at < text.count else { return nil }
        let end = text.count
        if base[at] == 0x7D {
            at = end
            return nil
        }
        let keyStart = at &+ 1
        guard base[at] == 0x22 else { return fail() }
        let keyEnd = RawCursor.stringEnd(base, keyStart, end)
        guard keyEnd > 0 else { return fail() }
        let colon = ByteWords.skipSpace(base, keyEnd, end)
        guard colon < end, base[colon] == 0x3A else { return fail() }
        let start = ByteWords.skipSpace(base, colon &+ 1, end)
        let after = RawCursor.valueEnd(base, start, end)
        guard after > start else { return fail() }
        at = ByteWords.skipSpace(base, after, end)
        guard at < end else { return fail() }
        if base[at] == 0x2C {
            at = ByteWords.skipSpace(base, at &+ 1, end)
            guard at < end, base[at] == 0x22 else { return fail() }
        } else if base[at] != 0x7D {
            return fail()
        }
        return RawMember(
            key: text.slice(keyStart, keyEnd &- 1 &- keyStart), value: text.slice(start, after &- start))
    }

    private mutating func fail() -> RawMember? {
        at = text.count
        isBroken = true
        return nil
    }
}

/// The value of a member of a validated object, as it stands in the text; nil when there is none.
package func rawMember(object: ByteView, _ name: ByteView) -> ByteView? {
    var members = RawMembers(object)
    while let member = members.next() {
        if member.isNamed(name) { return member.value }
    }
    return nil
}

/// The value of a member of a validated object, as it stands in the text; nil when there is none.
@inline(__always)
package func rawMember(object: ByteView, _ name: StaticString) -> ByteView? {
    rawMember(object: object, RawCursor.bytes(name))
}
