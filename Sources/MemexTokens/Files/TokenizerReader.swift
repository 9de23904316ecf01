internal import MemexModel

/// Reads a Hugging Face `tokenizer.json`.
struct TokenizerReader {
    let path: String
    let text: ByteView

    /// What is wrong, at a JSON path.
    func fault(_ code: MemexError.Code, _ place: String, _ what: String) -> MemexError {
        MemexError(
            code, "\(path), at \(place): \(what)",
            detailMembers: "\"file\":\(JSONText.quoted(path)),\"path\":\(JSONText.quoted(place))")
    }

    func unsupported(_ place: String, _ what: String) -> MemexError { fault(.unsupported, place, what) }

    func read() throws(MemexError) -> FileTokenizer {
        do throws(MemexError) { _ = try JSONCheck.value(text) } catch {
            throw FileContents.fault(.invalid, path, "is not JSON: \(error.message)")
        }
        guard let modelText = try member("model", of: text, at: "") else {
            throw FileContents.fault(.invalid, path, "is no tokenizer.json: it has no member \"model\"")
        }
        let components = ComponentReader(reader: self)
        let normalizer = try components.normalizer(try member("normalizer", of: text, at: ""))
        let steps = try components.preTokenizer(try member("pre_tokenizer", of: text, at: ""))
        var isByteLevel = false
        steps.forEachElement { step in
            if case .bytes = step { isByteLevel = true }
            return true
        }
        var decoder = try components.decoder(try member("decoder", of: text, at: ""))
        if isByteLevel {
            if decoder == nil { decoder = [.bytes] }
            var beginsWithBytes = false
            decoder?.forEachElement { step in
                if case .bytes = step { beginsWithBytes = true }
                return false
            }
            if !beginsWithBytes {
                throw unsupported("/decoder", "a byte-level vocabulary needs the decoder ByteLevel first")
            }
        }
        var vocabulary = try ModelReader(reader: self, isByteLevel: isByteLevel).read(modelText)
        let added = try AddedTokenReader(reader: self, isByteLevel: isByteLevel, normalizer: normalizer).read(
            try member("added_tokens", of: text, at: ""), vocabulary)
        let model = try vocabulary.finish(path)
        return FileTokenizer(
            name: path, model: model, decoder: decoder, isByteLevel: isByteLevel,
            pipeline: TextPipeline(
                before: added.before, after: added.after, normalizer: normalizer, steps: steps),
            others: added.others, unreachable: vocabulary.unreachable)
    }

    /// A member of an object, nil when it is missing or null; a member that comes twice is a fault.
    func member(_ name: StaticString, of object: ByteView, at place: String) throws(MemexError) -> ByteView? {
        var members = RawMembers(object)
        var found: ByteView?
        while let member = members.next() {
            guard member.isNamed(name) else { continue }
            if found != nil { throw fault(.invalid, "\(place)/\(name)", "the member comes twice") }
            found = member.value
        }
        guard let found, !found.equals("null") else { return nil }
        return found
    }

    /// The decoded text of a string; nil when the value is none.
    func string(_ value: ByteView?) throws(MemexError) -> [UInt8]? {
        guard let value, let raw = RawString.contents(value) else { return nil }
        var text = ByteBuffer()
        guard RawString.decode(raw, to: &text) else { return nil }
        if text.failed { throw MemexError.noMemory }
        return Self.array(text.view)
    }

    /// A name or an expression for a message, cut at 400 bytes.
    static func shown(_ text: ByteView) -> String { text.slice(0, min(text.count, 400)).text }

    /// The bytes of a view; unlike an array's initializer this has no way to trap.
    static func array(_ view: ByteView) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(view.count)
        var at = 0
        while at < view.count {
            bytes.append(view.byte(at))
            at &+= 1
        }
        return bytes
    }

    /// A number from 0 to below a limit; nil when the value is none.
    static func number(_ value: ByteView?, below limit: Int) -> Int? {
        guard let value, value.count > 0 else { return nil }
        var number = 0
        var at = 0
        while at < value.count {
            let digit = Int(value.byte(at)) &- 0x30
            guard digit >= 0, digit <= 9 else { return nil }
            number = number &* 10 &+ digit
            if number >= limit { return nil }
            at &+= 1
        }
        return number
    }

    /// The value of a boolean member, `standard` when it is missing.
    func bool(
        _ name: StaticString, of object: ByteView, at place: String, standard: Bool = false
    ) throws(MemexError) -> Bool {
        guard let value = try member(name, of: object, at: place) else { return standard }
        if value.equals("true") { return true }
        if value.equals("false") { return false }
        throw fault(.invalid, "\(place)/\(name)", "must be true or false")
    }
}
