internal import MemexModel

/// One step of a pipeline.
enum PipelineStep: Sendable {
    case fifo(last: Int64)
    case tokenBudget(Int64)
    case custom(CustomStep)
}

/// A registered strategy with what the pipeline says about it.
struct CustomStep: Sendable {
    static let defaultExamine: Int64 = 1_000

    let strategy: any CustomStrategy
    /// The step as it stands in the pipeline.
    let config: [UInt8]
    let examine: Int64
}

/// What is kept whatever the steps say.
struct PinRule: Sendable {
    var system = false
    var developer = false
    var flagged = false

    static let standard = PinRule(system: true, developer: true, flagged: true)

    func holds(_ role: ChatRole) -> Bool { role == .system ? system : role == .developer && developer }
}

/// Reads the steps of a pipeline.
struct PipelineParser {
    private(set) var steps: [PipelineStep] = []
    private var pins: PinRule?

    /// A pipeline that does not speak of pins keeps the system prompt and what is flagged.
    var pinRule: PinRule { pins ?? .standard }

    mutating func parse(_ bytes: ByteView) throws(MemexError) {
        let document = try JSONDocument(parsing: bytes)
        let root = document.root
        switch root.kind {
        case .object: try step(root, bytes, OptionPath())
        case .array:
            guard root.count > 0 else {
                throw MemexError.invalid(
                    path: "", "the pipeline is empty; give a step, or no pipeline at all")
            }
            var elements = RawElements(bytes)
            for index in 0..<root.count {
                guard let node = root.element(index) else { break }
                try step(node, elements.next() ?? ByteView(start: nil, count: 0), OptionPath().at(index))
            }
        default:
            throw MemexError.invalid(path: "", "the pipeline must be a step (an object) or an array of steps")
        }
        extendLifetime(document)
    }

    private mutating func step(_ node: JSONNode, _ text: ByteView, _ path: OptionPath) throws(MemexError) {
        var options = try OptionReader(node, text: text, path: path)
        guard let type = try options.string("type") else {
            throw options.failure("type", "is missing; name a step")
        }
        if type.equals("fifo") {
            steps.append(.fifo(last: try Self.required(&options, "last", Limits.seq)))
        } else if type.equals("token_budget") {
            steps.append(.tokenBudget(try Self.required(&options, "max_tokens", WindowRequest.tokensMaximum)))
        } else if type.equals("pin") {
            try pin(&options)
        } else if let strategy = StrategyRegistry.strategy(type) {
            let examine = try options.int64("examine", in: 1...Limits.seq) ?? CustomStep.defaultExamine
            // The other keys are the strategy's own.
            steps.append(.custom(CustomStep(strategy: strategy, config: Array(text), examine: examine)))
            return
        } else {
            let known = StrategyRegistry.names.joined(separator: ", ")
            throw MemexError(
                .notFound, "\(path.text)/type: no such step; known are \(known)",
                detailMembers: "\"path\":\(JSONText.quoted(path.text + "/type"))")
        }
        try options.finish()
    }

    private static func required(
        _ options: inout OptionReader, _ name: StaticString, _ most: Int64
    ) throws(MemexError) -> Int64 {
        guard let value = try options.int64(name, in: 1...most) else {
            throw options.failure(name, "is missing")
        }
        return value
    }

    private mutating func pin(_ options: inout OptionReader) throws(MemexError) {
        var rule = pins ?? PinRule()
        if let roles = try options.array("roles") {
            for index in 0..<roles.count {
                if let role = roles.element(index)?.string, role.equals("system") {
                    rule.system = true
                } else if let role = roles.element(index)?.string, role.equals("developer") {
                    rule.developer = true
                } else {
                    throw options.failure(
                        "roles",
                        "may hold \"system\" and \"developer\"; pin other messages by their \"pinned\" flag")
                }
            }
        } else {
            rule.system = true
            rule.developer = true
        }
        if try options.bool("flagged") ?? true { rule.flagged = true }
        pins = rule
    }
}
