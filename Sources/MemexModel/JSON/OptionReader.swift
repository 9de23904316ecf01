/// Reads one object of options: typed getters, and at the end a complaint about keys nobody asked for.
///
///     var options = try OptionReader(bytes, what: "options")
///     let limit = try options.int64("limit", in: 1...1000) ?? 100
///     try options.finish()
///
/// Views and nodes that it returns are valid as long as the reader is (or, for `raw`, as long as the bytes
/// that it was given). A null counts as a value of the wrong type: a key that is not meant is left out.
package struct OptionReader: ~Copyable {
    private let document: JSONDocument?
    private let object: JSONNode?
    /// The object's text; empty when only its node is known.
    let text: ByteView
    let path: OptionPath
    /// Names that were asked for, for the complaint: "a, b, ".
    private var names = ByteBuffer()
    /// Members that were asked for, by their place in the object. More than 64 are always too many.
    private var asked: UInt64 = 0

    /// Options as text, an object. No bytes read as `{}`. Some carry metadata or provenance.
    package init(
        _ bytes: ByteView, what: StaticString, limit: Int = Limits.optionBytes, carries: Bool = false
    ) throws(MemexError) {
        path = OptionPath()
        text = bytes
        guard bytes.count > 0 else {
            document = nil
            object = nil
            return
        }
        let parsed = try JSONDocument(parsing: bytes, limit: limit, carries: carries)
        let root = parsed.root
        guard root.kind == .object else {
            throw MemexError.invalid(path: "", "\(what) must be a JSON object")
        }
        document = consume parsed
        object = root
    }

    /// An object inside of a document that somebody else keeps; `text` are its bytes where `raw` is wanted.
    package init(
        _ node: JSONNode, text: ByteView = ByteView(start: nil, count: 0), path: OptionPath
    ) throws(MemexError) {
        document = nil
        self.path = path
        self.text = text
        guard node.kind == .object else { throw path.invalid("must be a JSON object") }
        object = node
    }

    /// No key was given.
    package var isEmpty: Bool { object.map { $0.count == 0 } ?? true }

    /// The value of a key, of any kind; the key counts as asked for.
    package mutating func value(_ name: StaticString) -> JSONNode? {
        guard let object, object.count > 0 else { return nil }
        names.append(RawCursor.bytes(name))
        names.append(RawCursor.bytes(", "))
        guard let found = object.member(name) else { return nil }
        asked |= object.place(of: RawCursor.bytes(name))
        return found
    }

    /// Throws when a key is there that was never asked for.
    package mutating func finish() throws(MemexError) {
        guard let object, object.count > 0 else { return }
        if asked.nonzeroBitCount == object.count { return }
        try object.forEachMember { (key, _) throws(MemexError) in
            let place = object.place(of: key)
            if place != 0, asked & place != 0 { return }
            // A key that was not given as it was read: memory ran out in jansson, see `string`.
            if text.count > 0, rawMember(object: text, key) == nil { throw MemexError.noMemory }
            throw path.unknown(key, known: names.view)
        }
    }

    /// The bytes of a key's value as they stand in the text, for values that are kept verbatim.
    package mutating func raw(_ name: StaticString) -> ByteView? {
        guard value(name) != nil else { return nil }
        return bytes(of: name)
    }

    /// The same for a key that was asked for before.
    func bytes(of name: StaticString) -> ByteView? {
        rawMember(object: text, RawCursor.bytes(name))
    }

    func invalid(_ name: StaticString, _ message: String) -> MemexError {
        path.appending(RawCursor.bytes(name)).invalid(message)
    }
}
