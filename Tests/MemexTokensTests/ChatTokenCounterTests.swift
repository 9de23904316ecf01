import MemexConformance
import MemexModel
import MemexTestSupport
import Testing

@testable import MemexTokens

/// Counts with the tokenizer of a model.
struct ChatCount {
    let counter: ChatTokenCounter

    init(_ model: String, _ encoding: String? = nil) throws {
        var name = encoding ?? ""
        var model = model
        counter = try model.withUTF8 { model in
            let tokenizer = try name.withUTF8 {
                try encoding == nil ? TextTokenizers.model(model) : TextTokenizers.encoding($0)
            }
            return ChatTokenCounter(tokenizer, model: model)
        }
    }

    func message(_ json: String) -> Int {
        var json = json
        return json.withUTF8 { counter.count(message: $0) }
    }

    func request(_ json: String) throws -> Int {
        var json = json
        return try json.withUTF8 { try counter.count(request: $0) }
    }
}

@Suite struct ChatTokenCounterTests {
    /// The example of the OpenAI cookbook, whose counts it publishes.
    private static let cookbook = """
        {"messages": [
        {"role": "system", "content": "You are a helpful, pattern-following assistant that translates corporate \
        jargon into plain English."},
        {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
        {"role": "system", "name": "example_assistant", "content": "Things working well together will increase \
        revenue."},
        {"role": "system", "name": "example_user", "content": "Let's circle back when we have more bandwidth to \
        touch base on opportunities for increased leverage."},
        {"role": "system", "name": "example_assistant", "content": "Let's talk later when we're less busy about \
        how to do better."},
        {"role": "user", "content": "This late pivot means we don't have time to boil the ocean for the client \
        deliverable."}]}
        """

    private static let cookbookTools = """
        {"messages": [
        {"role": "system", "content": "You are a helpful assistant that can answer to questions about the \
        weather."},
        {"role": "user", "content": "What's the weather like in San Francisco?"}],
        "tools": [{"type": "function", "function": {"name": "get_current_weather",
        "description": "Get the current weather in a given location", "parameters": {"type": "object",
        "properties": {"location": {"type": "string",
        "description": "The city and state, e.g. San Francisco, CA"},
        "unit": {"type": "string", "description": "The unit of temperature to return",
        "enum": ["celsius", "fahrenheit"]}}, "required": ["location"]}}}]}
        """

    @Test(arguments: [
        ("gpt-3.5-turbo", 129), ("gpt-4-0613", 129), ("gpt-4o", 124), ("gpt-4o-mini", 124), ("gpt-5", 123),
    ])
    func theCookbooksMessagesCountAsPublished(_ model: String, _ expected: Int) throws {
        #expect(try ChatCount(model).request(Self.cookbook) == expected)
    }

    @Test(arguments: [("gpt-3.5-turbo", 105), ("gpt-4", 105), ("gpt-4o", 101), ("gpt-4o-mini", 101)])
    func theCookbooksToolsCountAsPublished(_ model: String, _ expected: Int) throws {
        #expect(try ChatCount(model).request(Self.cookbookTools) == expected)
    }

    @Test func aRequestIsItsMessagesAndTheReply() throws {
        let count = try ChatCount("gpt-4o")
        let messages = [
            #"{"role":"system","content":"Be short."}"#, #"{"role":"user","content":"Hi \u00e9 \"x\""}"#,
            #"{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}"#,
            #"{"role":"tool","tool_call_id":"a","content":"ok"}"#,
        ]
        let sum = messages.map { count.message($0) }.reduce(3, +)
        #expect(try count.request("{\"messages\":[\(messages.joined(separator: ","))]}") == sum)
        #expect(count.message(#"{"role":"user","content":"Hi"}"#) == 5)
    }

    /// Expected values from recordings: a call costs its name twice, its arguments and a frame.
    @Test func callsAreCounted() throws {
        let count = try ChatCount("gpt-4o")
        func calls(_ calls: String) -> Int {
            count.message("{\"role\":\"assistant\",\"tool_calls\":[\(calls)]}")
        }
        let one =
            #"{"id":"x","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}"#
        let spaced =
            #"{"id":"longer_id","type":"function","function":{"name":"get_weather","arguments":"{ \"city\" : \"Paris\" }"}}"#
        // Frame 4, call 4, "get_weather" 2, "functions.get_weather" 3, arguments 5.
        #expect(calls(one) == 18)
        #expect(calls(spaced) == 18)
        #expect(calls("") == 4)
        #expect(calls(one + "," + one) > calls(one) + 18)
        let legacy =
            #"{"role":"assistant","function_call":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}"#
        #expect(count.message(legacy) == 14)
        #expect(count.message(#"{"role":"function","name":"get_weather","content":"ok"}"#) == 6)
    }

    @Test func identifiersAndUnknownMembersCostNothing() throws {
        let count = try ChatCount("gpt-4o")
        #expect(
            count.message(#"{"role":"tool","tool_call_id":"call_123456789","name":"f","content":"ok"}"#)
                == count.message(#"{"role":"tool","content":"ok"}"#))
        #expect(count.message(#"{"role":"user","content":"ok","annotations":["a","b"]}"#) == 5)
        #expect(count.message(#"{"role":"assistant","content":null,"refusal":"No."}"#) == 6)
        #expect(count.message(#"{"role":"user","name":"bob","content":"ok"}"#) == 7)
    }

    @Test func partsAreOneText() throws {
        let count = try ChatCount("gpt-4o")
        let parts = #"[{"type":"text","text":"some "},{"type":"text","text":"thing"}]"#
        #expect(
            count.message("{\"role\":\"user\",\"content\":\(parts)}")
                == count.message(#"{"role":"user","content":"some thing"}"#))
    }

    @Test func responseFormatsAreCounted() throws {
        let count = try ChatCount("gpt-4o")
        let messages = #""messages":[{"role":"user","content":"Hi"}]"#
        let plain = try count.request("{\(messages)}")
        func format(_ rest: String) throws -> Int {
            try count.request("{\(messages),\"response_format\":\(rest)}") - plain
        }
        #expect(try format(#"{"type":"json_object"}"#) == 0)
        #expect(try format(#"{"type":"text"}"#) == 0)
        let schema = #"{"type":"object","properties":{"answer":{"type":"string"}}}"#
        // A system message's frame 4, the schema 14.
        #expect(
            try format("{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"schema\":\(schema)}}")
                == 4 + 14 + 7)
        #expect(
            try format(
                "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"strict\":true,\"schema\":\(schema)}}"
            ) == 4 + 14 + 10)
    }

    @Test func wrongRequestsAreErrors() throws {
        let count = try ChatCount("gpt-4o")
        for text in ["", "{", "[]", "{}", #"{"messages":{}}"#, #"{"messages":"x"}"#, "null"] {
            let error = #expect(throws: MemexError.self) { _ = try count.request(text) }
            #expect(error?.code == .invalid, "\(text)")
        }
        #expect(try count.request(#"{"messages":[]}"#) == 3)
    }

    @Test func estimatesKnowOtherMessages() throws {
        let claude = try ChatCount("claude-sonnet-4", "estimate:claude")
        #expect(claude.message(#"{"role":"user","content":"Hi there"}"#) == 6)
        let call =
            #"{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city":"Paris"}}]}"#
        #expect(claude.message(call) == 4 + 2 + 5)
        let tools = #""tools":[{"name":"get_weather","input_schema":{"type":"object"}}]"#
        let messages = #""messages":[{"role":"user","content":"Hi there"}]"#
        #expect(try claude.request("{\(messages),\(tools)}") > claude.request("{\(messages)}") + 543)
        let gemini = try ChatCount("gemini-2.5-flash", "estimate:gemini")
        #expect(try gemini.request(#"{"contents":[{"role":"user","parts":[{"text":"Hi there"}]}]}"#) == 3)
        let result =
            #"{"role":"user","parts":[{"functionResponse":{"name":"get_weather","response":{"city":"Paris"}}}]}"#
        #expect(gemini.message(result) == 6 + 2 + 5)
    }
}
