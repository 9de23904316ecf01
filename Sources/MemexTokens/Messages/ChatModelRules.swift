internal import MemexModel

/// What sets the models apart that a request can be for.
struct ChatModelRules: Equatable, Sendable {
    /// Tokens around a message, its role among them.
    var frame = 4
    /// Tokens with which the reply begins.
    var reply = 3
    /// What a call costs beyond its name, written twice, and its arguments.
    var call = 4
    /// What calls that are made together cost beyond their names and arguments.
    var parallelCalls = 8
    /// What tools cost beyond their text when there is a system message to hold them, and when there is none.
    var tools = -1
    var toolsAlone = -1
    /// Whether tools go into the system message that is there; if not, they have one of their own.
    var joinsTools = true
    /// What a tool's JSON is multiplied with, in hundredths.
    var toolHundredths = 100
    /// What each tool costs beyond its JSON; OpenAI's have their own text.
    var eachTool = 0
    /// What a request that has the model think, and no tools, costs.
    var thinking = 0
    var images = ImageRule.tiles(base: 85, tile: 170)
    /// How tools and formats are put: as OpenAI does, or as JSON.
    var dialect = Dialect.openAI

    enum Dialect: Sendable {
        case openAI
        case claude
        case gemini
    }

    init() {}

    /// - Parameter tokenizer: its name decides when the model says nothing.
    init(model: ByteView?, tokenizer: String) {
        switch tokenizer {
        case "estimate:claude":
            self = .claude
            // These have a shorter text about tools.
            let olderOnes: [StaticString] = [
                "claude-3", "claude-sonnet-4-2", "claude-opus-4-2", "claude-opus-4-1",
            ]
            if let model, olderOnes.contains(where: { model.begins(with: $0) }) { tools = 310 }
            return
        case "estimate:claude-4.7":
            self = .newerClaude
            return
        case "estimate:gemini":
            self = .gemini
            return
        default: break
        }
        guard var name = model else { return }
        if name.begins(with: "ft:") { name = name.slice(3, name.count &- 3) }
        // A provider that passes requests on puts its own name in front.
        if name.begins(with: "openai/") { name = name.slice(7, name.count &- 7) }
        func begins(_ prefix: StaticString) -> Bool { name.begins(with: prefix) }
        if begins("gpt-5") || begins("o1") || begins("o3") || begins("o4") { reply = 2 }
        if begins("gpt-5") {
            call = 10
            parallelCalls = 14
            tools = 80
            toolsAlone = 81
            joinsTools = false
        }
        if begins("o1-mini") || begins("o1-preview") { reply = 3 }
        for (prefix, rule) in Self.imageRules where begins(prefix) {
            images = rule
            return
        }
    }

    private static let imageRules: [(StaticString, ImageRule)] = [
        ("gpt-4o-mini", .tiles(base: 2833, tile: 5667)),
        ("gpt-4.1-mini", .patches(hundredths: 162)),
        ("gpt-4.1-nano", .patches(hundredths: 246)),
        ("gpt-5-mini", .patches(hundredths: 120)),
        ("gpt-5-nano", .patches(hundredths: 150)),
        ("gpt-5", .tiles(base: 70, tile: 140)),
        ("o4-mini", .patches(hundredths: 172)),
        ("o1", .tiles(base: 75, tile: 150)),
        ("o3", .tiles(base: 75, tile: 150)),
    ]

    /// Fitted to recorded usage, as the factors of `CalibratedEstimate` are.
    private static let claude: ChatModelRules = {
        var rules = ChatModelRules()
        rules.dialect = .claude
        rules.reply = 2
        rules.tools = 543
        rules.eachTool = 18
        rules.thinking = 29
        rules.images = .area
        return rules
    }()

    private static let newerClaude: ChatModelRules = {
        var rules = claude
        rules.reply = 10
        rules.tools = 272
        return rules
    }()

    private static let gemini: ChatModelRules = {
        var rules = ChatModelRules()
        rules.dialect = .gemini
        rules.frame = 6
        rules.reply = -5
        rules.tools = 0
        rules.toolHundredths = 123
        rules.eachTool = -14
        rules.images = .gemini
        return rules
    }()
}
