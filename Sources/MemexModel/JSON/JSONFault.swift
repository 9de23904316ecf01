/// What is wrong with a JSON text, and at which byte.
struct JSONFault: Error {
    enum Kind {
        case byteOrderMark
        case invalidUTF8
        case controlCharacter
        case badEscape
        case loneSurrogate
        case badNumber
        case badLiteral
        case expectedValue
        case expectedKey
        case expectedColon
        case expectedCommaOrBrace
        case expectedCommaOrBracket
        case tooDeep
        case unexpectedEnd
        case trailingText
        case duplicateKey
        case nulInKey
        case notAnObject
        case notMessages
        case noMessages
    }

    let kind: Kind
    let offset: Int

    init(_ kind: Kind, _ offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    /// The error for whoever passed the text, whose first byte is `base` bytes into what they passed.
    func error(base: Int = 0) -> MemexError {
        let place = base &+ offset
        guard case .tooDeep = kind else { return MemexError.invalid(offset: place, text) }
        return MemexError(
            .limit, "\(text) at byte \(place)",
            detailMembers: "\"limit\":\(Limits.jsonDepth),\"offset\":\(place)")
    }

    /// The error for whoever passed a value inside of another text; offsets count from the value's beginning.
    func error(path: String, start: Int = 0) -> MemexError {
        let plain = error(base: 0 &- start)
        return MemexError(
            plain.code, "\(path): \(plain.message)",
            detailMembers: "\"path\":\(JSONText.quoted(path)),\(plain.detailMembers)")
    }

    private var text: String {
        switch kind {
        case .byteOrderMark: return "JSON must not begin with a byte order mark; one stands"
        case .invalidUTF8: return "JSON must be valid UTF-8; a malformed sequence begins"
        case .controlCharacter:
            return "a control character inside a JSON string must be escaped; one stands"
        case .badEscape: return "an unknown escape in a JSON string begins"
        case .loneSurrogate:
            return "a surrogate escape (\\uD800 to \\uDFFF) without its other half begins"
        case .badNumber: return "a malformed JSON number ends"
        case .badLiteral: return "true, false or null was expected"
        case .expectedValue: return "a JSON value was expected"
        case .expectedKey: return "a key in double quotes was expected"
        case .expectedColon: return "a colon after a key was expected"
        case .expectedCommaOrBrace: return "a comma or a closing brace was expected"
        case .expectedCommaOrBracket: return "a comma or a closing bracket was expected"
        case .tooDeep:
            return "JSON has more than \(Limits.jsonDepth) levels of arrays and objects; the next begins"
        case .unexpectedEnd: return "JSON ends too early,"
        case .trailingText: return "text after the end of the JSON value begins"
        case .duplicateKey: return "a key that its object already has begins"
        case .nulInKey: return "a key with a NUL character begins"
        case .notAnObject: return "a JSON object was expected"
        case .notMessages: return "a JSON object or an array of objects was expected"
        case .noMessages: return "the array of messages is empty; it ends"
        }
    }
}
