extension OptionReader {
    /// A string; its UTF-8 may hold NUL.
    package mutating func string(_ name: StaticString) throws(MemexError) -> ByteView? {
        guard let node = value(name) else { return nil }
        guard let string = node.string else { throw invalid(name, "must be a string") }
        try checkWhole(string, name)
        return string
    }

    /// jansson drops a character when memory runs out while it reads a string: what it read is compared with
    /// what was given.
    private func checkWhole(_ string: ByteView, _ name: StaticString) throws(MemexError) {
        guard text.count > 0 else { return }
        guard let raw = rawMember(object: text, RawCursor.bytes(name)).flatMap({ RawString.contents($0) }),
            RawString.equals(raw, string)
        else { throw MemexError.noMemory }
    }

    /// An integer of a range.
    package mutating func int64(
        _ name: StaticString, in range: ClosedRange<Int64> = .min ... .max
    ) throws(MemexError) -> Int64? {
        guard let node = value(name) else { return nil }
        guard let number = node.int64 else { throw invalid(name, "must be an integer") }
        guard number >= range.lowerBound, number <= range.upperBound else {
            throw invalid(name, OptionReader.bounds(range))
        }
        return number
    }

    /// A number, with or without fraction.
    package mutating func double(_ name: StaticString) throws(MemexError) -> Double? {
        guard let node = value(name) else { return nil }
        guard let number = node.double else { throw invalid(name, "must be a number") }
        return number
    }

    package mutating func bool(_ name: StaticString) throws(MemexError) -> Bool? {
        guard let node = value(name) else { return nil }
        guard let bool = node.bool else { throw invalid(name, "must be true or false") }
        return bool
    }

    package mutating func object(_ name: StaticString) throws(MemexError) -> JSONNode? {
        guard let node = value(name) else { return nil }
        guard node.kind == .object else { throw invalid(name, "must be an object") }
        return node
    }

    package mutating func array(_ name: StaticString) throws(MemexError) -> JSONNode? {
        guard let node = value(name) else { return nil }
        guard node.kind == .array else { throw invalid(name, "must be an array") }
        return node
    }

    /// The bytes of an object of the caller's own as they stand in the text.
    package mutating func rawObject(_ name: StaticString) throws(MemexError) -> ByteView? {
        guard try object(name) != nil, let bytes = bytes(of: name) else { return nil }
        try CarriedValue.checkLevels(bytes, path(of: name))
        return bytes
    }

    /// A reader of the object under a key; it must not outlive this one, and is finished on its own.
    package mutating func nested(_ name: StaticString) throws(MemexError) -> OptionReader? {
        guard let node = try object(name) else { return nil }
        let bytes = bytes(of: name) ?? ByteView(start: nil, count: 0)
        return try OptionReader(node, text: bytes, path: path.appending(RawCursor.bytes(name)))
    }

    /// Goes through the objects of the array under a key, each with a reader that is finished afterwards.
    /// Returns how many there were, nil when there is no such key.
    package mutating func forEachObject(
        _ name: StaticString,
        _ body: (Int, inout OptionReader) throws(MemexError) -> Void
    ) throws(MemexError) -> Int? {
        guard let node = try array(name) else { return nil }
        let base = path.appending(RawCursor.bytes(name))
        var elements = RawElements(bytes(of: name) ?? ByteView(start: nil, count: 0))
        let count = node.count
        var index = 0
        while index < count {
            guard let element = node.element(index) else { break }
            let bytes = elements.next() ?? ByteView(start: nil, count: 0)
            var reader = try OptionReader(element, text: bytes, path: base.at(index))
            try body(index, &reader)
            try reader.finish()
            index &+= 1
        }
        return count
    }

    /// Where a key's value stands in what was passed.
    package func path(of name: StaticString) -> String {
        path.appending(RawCursor.bytes(name)).text
    }

    /// An error about a key's value, for checks that go beyond its type.
    package func failure(_ name: StaticString, _ message: String) -> MemexError {
        invalid(name, message)
    }

    private static func bounds(_ range: ClosedRange<Int64>) -> String {
        if range.upperBound == .max { return "must be at least \(range.lowerBound)" }
        if range.lowerBound == .min { return "must be at most \(range.upperBound)" }
        return "must be between \(range.lowerBound) and \(range.upperBound)"
    }
}

extension JSONNode {
    /// One bit for where a member stands in its object; 0 for none and from the 65th on.
    func place(of key: ByteView) -> UInt64 {
        var bit: UInt64 = 1
        var found: UInt64 = 0
        forEachKey { here in
            if here.equals(key) {
                found = bit
                return false
            }
            bit &<<= 1
            return bit != 0
        }
        return found
    }
}
