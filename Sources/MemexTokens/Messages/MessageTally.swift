internal import MemexModel

/// What is counted of one message: its text, which is counted at once at the end, and everything else.
///
/// Knows the parts of OpenAI's, Anthropic's and Gemini's messages. Names of types, identifiers, signatures and
/// cache marks are not billed and not looked at.
struct MessageTally: ~Copyable {
    private let rules: ChatModelRules
    private(set) var meter: TextMeter
    private(set) var text = ByteBuffer()
    private(set) var extra = 0

    /// Tokens of a file whose pages and text are not known: a page of a PDF.
    static let file = 220
    /// Milliseconds of sound for each token.
    private static let millisecondsPerToken = 100
    private static let maximumDepth = 16

    init(_ rules: ChatModelRules, _ tokenizer: any TextTokenizer) {
        self.rules = rules
        meter = TextMeter(tokenizer)
    }

    /// All that was added.
    var total: Int { extra &+ meter.count(text) }

    mutating func add(_ tokens: Int) { extra &+= tokens }

    mutating func add(text bytes: ByteView) { text.append(bytes) }

    mutating func add(literal: StaticString) { text.append(literal) }

    /// A message's content: a string, an array of parts, or a part.
    mutating func add(content value: ByteView, depth: Int = 0) {
        guard depth < Self.maximumDepth, let first = value.first else { return }
        if let raw = RawString.contents(value) {
            TextMeter.append(raw, to: &text)
        } else if first == 0x5B {
            var elements = RawElements(value)
            while let element = elements.next() { add(content: element, depth: depth &+ 1) }
        } else if first == 0x7B {
            add(part: value, depth: depth)
        }
    }

    private mutating func add(part: ByteView, depth: Int) {
        let detail = Self.detail(part)
        var members = RawMembers(part)
        while let member = members.next() {
            let value = member.value
            if member.isNamed("text") || member.isNamed("thinking") || member.isNamed("refusal")
                || member.isNamed("content") || member.isNamed("parts") || member.isNamed("output")
            {
                add(content: value, depth: depth &+ 1)
            } else if member.isNamed("image_url") {
                let isObject = value.first == 0x7B
                add(
                    media: isObject ? rawMember(object: value, "url") : value, kind: .image,
                    detail: isObject ? Self.detail(value) : detail)
            } else if member.isNamed("input_audio") {
                add(media: rawMember(object: value, "data"), kind: .audio, detail: detail)
            } else if member.isNamed("file") {
                add(file: value)
            } else if member.isNamed("source") || member.isNamed("inlineData")
                || member.isNamed("inline_data") || member.isNamed("fileData")
                || member.isNamed("file_data")
            {
                add(source: value, detail: detail, depth: depth)
            } else if member.isNamed("functionCall") || member.isNamed("functionResponse")
                || member.isNamed("function_call") || member.isNamed("function_response")
                || member.isNamed("toolUse") || member.isNamed("toolResult")
            {
                add(part: value, depth: depth &+ 1)
            } else if member.isNamed("name") || member.isNamed("title") || member.isNamed("context") {
                extra &+= meter.count(string: value)
            } else if member.isNamed("input") || member.isNamed("args") || member.isNamed("response")
                || member.isNamed("json")
            {
                extra &+= meter.count(json: value)
            }
        }
    }

    private static func detail(_ object: ByteView) -> ImageRule.Detail {
        guard let value = rawMember(object: object, "detail"), let raw = RawString.contents(value) else {
            return .high
        }
        return raw.equals("low") ? .low : .high
    }

    private enum Media {
        case image
        case audio
        case file
    }

    private mutating func add(file value: ByteView) {
        if let name = rawMember(object: value, "filename") { extra &+= meter.count(string: name) }
        extra &+= Self.file
    }

    /// Anthropic's `source`, Gemini's inline data and its references.
    private mutating func add(source: ByteView, detail: ImageRule.Detail, depth: Int) {
        guard source.first == 0x7B else { return }
        if let content = rawMember(object: source, "content") {
            return add(content: content, depth: depth &+ 1)
        }
        let mime =
            rawMember(object: source, "media_type") ?? rawMember(object: source, "mimeType")
            ?? rawMember(
                object: source, "mime_type")
        var kind = Media.image
        if let mime, let raw = RawString.contents(mime) {
            if raw.begins(with: "text/"), let data = rawMember(object: source, "data"),
                let type = rawMember(object: source, "type"), type.equals("\"text\"")
            {
                return add(content: data, depth: depth &+ 1)
            }
            if raw.begins(with: "audio/") {
                kind = .audio
            } else if !raw.begins(with: "image/") {
                kind = .file
            }
        }
        add(media: rawMember(object: source, "data"), kind: kind, detail: detail)
    }

    /// Base64, a data URL that holds some, or an address.
    private mutating func add(media value: ByteView?, kind: Media, detail: ImageRule.Detail) {
        var data = ByteView(start: nil, count: 0)
        if let value, let raw = RawString.contents(value) {
            data = raw
            if raw.begins(with: "data:") {
                var comma = 5
                while comma < raw.count, raw[comma] != 0x2C { comma &+= 1 }
                data = comma < raw.count ? raw.slice(comma &+ 1, raw.count &- comma &- 1) : raw.slice(0, 0)
            }
        }
        switch kind {
        case .image:
            let size = MediaHeader.size(Base64Bytes(data)) ?? ImageRule.assumed
            extra &+= rules.images.tokens(size, detail: detail)
        case .audio:
            let time = MediaHeader.milliseconds(Base64Bytes(data))
            extra &+= (time &+ Self.millisecondsPerToken &- 1) / Self.millisecondsPerToken
        case .file:
            extra &+= Self.file
        }
    }

    /// The calls of an assistant message, OpenAI's.
    ///
    /// The name of a call is written again where its result is, so it is counted twice here: a result alone does
    /// not know it. Calls that are made together are put as one call of `multi_tool_use.parallel`.
    mutating func add(calls value: ByteView) {
        var elements = RawElements(value)
        var count = 0
        while elements.next() != nil { count &+= 1 }
        guard count > 0 else { return }
        elements = RawElements(value)
        if count == 1, let call = elements.next() {
            extra &+= rules.call
            return add(call: call)
        }
        var uses = ByteBuffer()
        uses.append("{\"tool_uses\":[")
        var isFirst = true
        while let call = elements.next() {
            uses.append(isFirst ? "{\"recipient_name\":\"functions." : ",{\"recipient_name\":\"functions.")
            isFirst = false
            let function = Self.function(call)
            if let name = rawMember(object: function, "name"), let raw = RawString.contents(name) {
                uses.append(raw)
            }
            uses.append("\",\"parameters\":")
            if let given = Self.arguments(function) { TextMeter.append(arguments: given, to: &uses) }
            uses.append(byte: 0x7D)
        }
        uses.append("]}")
        extra &+= rules.parallelCalls &+ meter.count(uses)
        uses.removeAll()
        uses.append("multi_tool_use.parallel")
        extra &+= meter.count(uses)
    }

    private mutating func add(call: ByteView) {
        let function = Self.function(call)
        if let name = rawMember(object: function, "name") {
            extra &+= meter.count(string: name) &+ meter.count(string: name, after: "functions.")
        }
        if let given = Self.arguments(function) { extra &+= meter.count(arguments: given) }
    }

    private static func function(_ call: ByteView) -> ByteView {
        rawMember(object: call, "function") ?? rawMember(object: call, "custom") ?? call
    }

    private static func arguments(_ function: ByteView) -> ByteView? {
        rawMember(object: function, "arguments") ?? rawMember(object: function, "input")
    }

    /// The call of an assistant message before there were tools.
    mutating func add(legacyCall value: ByteView) {
        guard value.first == 0x7B else { return }
        if let name = rawMember(object: value, "name") { extra &+= 3 &+ meter.count(string: name) }
        if let given = rawMember(object: value, "arguments") { extra &+= meter.count(arguments: given) }
    }

    mutating func add(string value: ByteView) { extra &+= meter.count(string: value) }

    /// A tool's definition, for a provider whose rendering is not known.
    mutating func add(tool value: ByteView) {
        extra &+= max(meter.count(json: value) &* rules.toolHundredths / 100 &+ rules.eachTool, 1)
    }

    mutating func add(json value: ByteView) { extra &+= meter.count(json: value) }
}
