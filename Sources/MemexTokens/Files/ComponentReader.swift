internal import MemexModel

/// Reads the components around a model. What is not known is refused by its name: a count would be wrong.
struct ComponentReader {
    let reader: TokenizerReader
    /// Components within components.
    private static let deepest = 8
    private static let most = 64

    private func type(_ value: ByteView, _ place: String) throws(MemexError) -> ByteView {
        guard let type = try reader.member("type", of: value, at: place), let name = RawString.contents(type)
        else { throw reader.fault(.invalid, place, "the component has no type") }
        return name
    }

    /// Flattens the components of a Sequence.
    private func flatten(
        _ value: ByteView?, _ place: String, _ list: StaticString, _ depth: Int,
        _ take: (ByteView, ByteView, String) throws(MemexError) -> Void
    ) throws(MemexError) {
        guard let value else { return }
        let name = try type(value, place)
        guard name.equals("Sequence") else { return try take(name, value, place) }
        guard depth < Self.deepest else {
            throw reader.unsupported(place, "components are nested too deeply")
        }
        guard let entries = try reader.member(list, of: value, at: place), entries.byte(0) == 0x5B else {
            throw reader.fault(.invalid, "\(place)/\(list)", "must be an array")
        }
        var elements = RawElements(entries)
        var index = 0
        while let element = elements.next() {
            guard index < Self.most else {
                throw reader.unsupported(place, "more than \(Self.most) components")
            }
            try flatten(element, "\(place)/\(list)/\(index)", list, depth &+ 1, take)
            index &+= 1
        }
    }

    private func unknown(_ kind: String, _ name: ByteView, _ place: String) -> MemexError {
        reader.unsupported(place, "the \(kind) \(TokenizerReader.shown(name)) is not supported")
    }

    private func text(_ name: StaticString, _ value: ByteView, _ place: String) throws(MemexError) -> [UInt8]
    {
        guard let text = try reader.string(try reader.member(name, of: value, at: place)) else {
            throw reader.fault(.invalid, "\(place)/\(name)", "must be a string")
        }
        return text
    }

    /// What a pattern looks for: a text, or a regular expression.
    private func pattern(
        _ value: ByteView, _ place: String
    ) throws(MemexError) -> (text: [UInt8], isRegex: Bool) {
        guard let pattern = try reader.member("pattern", of: value, at: place) else {
            throw reader.fault(.invalid, place, "the component has no pattern")
        }
        if let text = try reader.string(try reader.member("String", of: pattern, at: place)) {
            return (text, false)
        }
        return (try text("Regex", pattern, "\(place)/pattern"), true)
    }

    private func refuse(_ regex: [UInt8], _ place: String) -> MemexError {
        let shown = regex.withUnsafeBufferPointer { TokenizerReader.shown($0) }
        return reader.unsupported(
            "\(place)/pattern", "the regular expression is not one of those that are known: \(shown)")
    }
}

// MARK: - Normalizers

extension ComponentReader {
    func normalizer(_ value: ByteView?) throws(MemexError) -> [NormalizerStep] {
        var steps: [NormalizerStep] = []
        try flatten(value, "/normalizer", "normalizers", 0) { name, value, place throws(MemexError) in
            steps.append(try normalizer(name, value, place))
        }
        return steps
    }

    private func normalizer(
        _ name: ByteView, _ value: ByteView, _ place: String
    ) throws(MemexError) -> NormalizerStep {
        if name.equals("NFC") { return .form(.nfc) }
        if name.equals("NFD") { return .form(.nfd) }
        if name.equals("NFKC") { return .form(.nfkc) }
        if name.equals("NFKD") { return .form(.nfkd) }
        if name.equals("Lowercase") { return .lowercase }
        if name.equals("StripAccents") { return .stripAccents }
        if name.equals("Nmt") { return .nmt }
        if name.equals("Strip") {
            return .strip(
                left: try reader.bool("strip_left", of: value, at: place, standard: true),
                right: try reader.bool("strip_right", of: value, at: place, standard: true))
        }
        if name.equals("Prepend") { return .prepend(try text("prepend", value, place)) }
        if name.equals("Replace") {
            let content = try text("content", value, place)
            let pattern = try pattern(value, place)
            if !pattern.isRegex {
                if pattern.text.isEmpty { throw reader.unsupported(place, "an empty pattern") }
                return .replace(pattern.text, content)
            }
            if pattern.text.withUnsafeBufferPointer({ $0.equals(" {2,}") }) { return .replaceBlanks(content) }
            throw refuse(pattern.text, place)
        }
        if name.equals("Precompiled") {
            guard let encoded = try reader.member("precompiled_charsmap", of: value, at: place),
                let raw = RawString.contents(encoded)
            else { throw reader.fault(.invalid, place, "the component has no precompiled_charsmap") }
            var text = ByteBuffer()
            var bytes = ByteBuffer()
            guard RawString.decode(raw, to: &text), Base64.decode(text.view, to: &bytes),
                let map = PrecompiledMap(bytes.view)
            else { throw reader.fault(.invalid, "\(place)/precompiled_charsmap", "is no character map") }
            return .precompiled(map)
        }
        throw unknown("normalizer", name, place)
    }
}

// MARK: - Pre-tokenizers

extension ComponentReader {
    func preTokenizer(_ value: ByteView?) throws(MemexError) -> [PreTokenizerStep] {
        var steps: [PreTokenizerStep] = []
        try flatten(value, "/pre_tokenizer", "pretokenizers", 0) { name, value, place throws(MemexError) in
            if let last = steps.last, case .bytes = last {
                throw reader.unsupported(place, "a pre-tokenizer after ByteLevel")
            }
            steps.append(try preTokenizer(name, value, place))
        }
        return steps
    }

    private func behavior(_ value: ByteView, _ place: String) throws(MemexError) -> SplitBehavior? {
        guard let name = try reader.member("behavior", of: value, at: place) else { return nil }
        guard let raw = RawString.contents(name), let behavior = SplitBehavior(raw) else {
            throw reader.unsupported("\(place)/behavior", "a behavior that is not known")
        }
        return behavior
    }

    private func preTokenizer(
        _ name: ByteView, _ value: ByteView, _ place: String
    ) throws(MemexError) -> PreTokenizerStep {
        if name.equals("ByteLevel") {
            return .bytes(
                addsBlank: try reader.bool("add_prefix_space", of: value, at: place, standard: true),
                splits: try reader.bool("use_regex", of: value, at: place, standard: true))
        }
        if name.equals("Split") {
            guard let behavior = try behavior(value, place) else {
                throw reader.fault(.invalid, place, "the component has no behavior")
            }
            let invert = try reader.bool("invert", of: value, at: place)
            let pattern = try pattern(value, place)
            if !pattern.isRegex { return .literal(pattern.text, behavior, invert: invert) }
            guard let known = pattern.text.withUnsafeBufferPointer({ KnownPattern($0) }) else {
                throw refuse(pattern.text, place)
            }
            return .pattern(known, behavior, invert: invert)
        }
        if name.equals("Digits") {
            return .digits(alone: try reader.bool("individual_digits", of: value, at: place))
        }
        if name.equals("Whitespace") { return .words }
        if name.equals("WhitespaceSplit") { return .whiteSpace }
        if name.equals("Punctuation") { return .punctuation(try behavior(value, place) ?? .isolated) }
        if name.equals("CharDelimiterSplit") {
            return .literal(try text("delimiter", value, place), .removed, invert: false)
        }
        if name.equals("Metaspace") {
            let (mark, prefix) = try metaspace(value, place)
            return .metaspace(
                mark, prefix, splits: try reader.bool("split", of: value, at: place, standard: true))
        }
        throw unknown("pre-tokenizer", name, place)
    }

    private func metaspace(
        _ value: ByteView, _ place: String
    ) throws(MemexError) -> (mark: [UInt8], prefix: PreTokenizerStep.Prefix) {
        let mark = try text("replacement", value, place)
        guard mark.withUnsafeBufferPointer({ mark.count > 0 && CodePoints.read($0, 0).length == mark.count })
        else { throw reader.fault(.invalid, "\(place)/replacement", "must be one character") }
        guard let scheme = try reader.member("prepend_scheme", of: value, at: place) else {
            let adds = try reader.bool("add_prefix_space", of: value, at: place, standard: true)
            return (mark, adds ? .always : .never)
        }
        if scheme.equals("\"always\"") { return (mark, .always) }
        if scheme.equals("\"first\"") { return (mark, .first) }
        if scheme.equals("\"never\"") { return (mark, .never) }
        throw reader.unsupported("\(place)/prepend_scheme", "a scheme that is not known")
    }
}

// MARK: - Decoders

extension ComponentReader {
    /// Nil when there is none.
    func decoder(_ value: ByteView?) throws(MemexError) -> [DecoderStep]? {
        guard let value else { return nil }
        var steps: [DecoderStep] = []
        try flatten(value, "/decoder", "decoders", 0) { name, value, place throws(MemexError) in
            steps.append(try decoder(name, value, place))
        }
        return steps
    }

    private func decoder(
        _ name: ByteView, _ value: ByteView, _ place: String
    ) throws(MemexError) -> DecoderStep {
        if name.equals("ByteLevel") { return .bytes }
        if name.equals("ByteFallback") { return .byteFallback }
        if name.equals("Fuse") { return .fuse }
        if name.equals("Metaspace") {
            let (mark, prefix) = try metaspace(value, place)
            if case .never = prefix { return .metaspace(mark, dropsFirst: false) }
            return .metaspace(mark, dropsFirst: true)
        }
        if name.equals("Replace") {
            let pattern = try pattern(value, place)
            if pattern.isRegex { throw refuse(pattern.text, place) }
            return .replace(pattern.text, try text("content", value, place))
        }
        if name.equals("Strip") {
            guard
                let start = TokenizerReader.number(
                    try reader.member("start", of: value, at: place), below: 1 << 20),
                let stop = TokenizerReader.number(
                    try reader.member("stop", of: value, at: place), below: 1 << 20)
            else { throw reader.fault(.invalid, place, "start and stop must be numbers") }
            return .strip(try text("content", value, place), start: start, stop: stop)
        }
        throw unknown("decoder", name, place)
    }
}
