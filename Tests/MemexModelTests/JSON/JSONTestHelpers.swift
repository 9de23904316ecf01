import CJansson
import Dispatch
import Foundation
import MemexTestSupport

@testable import MemexModel

/// Lends bytes in a block of exactly their size, so that a sanitizer sees reads behind them.
func withView<T>(_ bytes: [UInt8], _ body: (ByteView) throws -> T) rethrows -> T {
    let block = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
    defer { block.deallocate() }
    block.initialize(from: bytes, count: bytes.count)
    return try body(ByteView(start: UnsafePointer(block), count: bytes.count))
}

func withView<T>(_ text: String, _ body: (ByteView) throws -> T) rethrows -> T {
    try withView(Array(text.utf8), body)
}

/// What a JSON string of these raw bytes says, by the library.
func decoded(_ raw: ByteView) throws -> [UInt8] {
    var out = ByteBuffer()
    try JSONEscape.decode(raw, to: &out)
    return Array(out.view)
}

/// The scanner's verdict on a whole text, white space around it allowed.
func scan(_ view: ByteView) -> BodyFacts? {
    var facts = BodyFacts()
    var end = scanValue(view, from: 0, facts: &facts)
    guard end >= 0 else { return nil }
    while end < view.count, [0x20, 0x0A, 0x0D, 0x09].contains(view[end]) { end += 1 }
    return end == view.count ? facts : nil
}

/// jansson itself, on the bytes as they are.
final class Jansson {
    let value: UnsafeMutablePointer<json_t>?
    private(set) var report = json_error_t()

    init(
        _ view: ByteView,
        flags: Int = Int(JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY)
    ) {
        let empty: [CChar] = [0]
        if let base = view.baseAddress, view.count > 0 {
            let text = UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self)
            value = json_loadb(text, view.count, flags, &report)
        } else {
            value = json_loadb(empty, 0, flags, &report)
        }
    }

    deinit { json_decref(value) }

    var accepted: Bool { value != nil }
    var isObject: Bool { value?.pointee.type == JSON_OBJECT }
    var size: Int { Int(json_object_size(value)) }
    var overflowed: Bool { json_error_code(&report) == json_error_numeric_overflow }

    func member(_ name: String) -> UnsafeMutablePointer<json_t>? { json_object_get(value, name) }

    func string(_ name: String) -> [UInt8]? {
        guard let node = member(name), node.pointee.type == JSON_STRING,
            let text = json_string_value(node)
        else { return nil }
        let bytes = UnsafeRawBufferPointer(start: text, count: json_string_length(node))
        return Array(bytes)
    }
}

/// What `BodyInspector.inspect` says: facts, or an error.
func inspect(_ view: ByteView) -> Result<BodyFacts, MemexError> {
    var facts = BodyFacts()
    do throws(MemexError) {
        try BodyInspector.inspect(view, facts: &facts)
        return .success(facts)
    } catch {
        return .failure(error)
    }
}

/// The offset in an error's details, -1 when there is none.
func offset(_ error: MemexError) -> Int {
    guard let object = try? JSONSerialization.jsonObject(with: Data(error.details.utf8)),
        let number = (object as? [String: Any])?["offset"] as? Int
    else { return -1 }
    return number
}

/// Runs on a thread with a small stack, as hosts have them. Sanitizers make every frame several times as
/// large, so under them it is larger too.
func onSmallThread(_ kibibytes: Int, _ body: @escaping @Sendable () -> Void) {
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
        body()
        done.signal()
    }
    let isSanitized = ProcessInfo.processInfo.environment["MEMEX_SANITIZE"] != nil
    thread.stackSize = (isSanitized ? 16 : 1) * kibibytes << 10
    thread.start()
    done.wait()
}

/// Real messages, one an element, or seeds of our own when there are none.
enum Messages {
    static let real: [[UInt8]] = {
        guard let data = SharedData.decompress("tau-bench-airline-gpt4o.jsonl.xz") else {
            return []
        }
        var messages: [[UInt8]] = []
        for line in data.split(separator: 0x0A) {
            withView(Array(line)) { view in
                var elements = RawElements(rawMember(object: view, "traj") ?? view.slice(0, 0))
                while let element = elements.next() { messages.append(Array(element)) }
            }
        }
        return messages
    }()

    static let own: [[UInt8]] =
        [
            #"{"role":"user","content":"Hello, wörld! 你好 😀"}"#,
            #"{"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{\"q\": \"a\\u00e9\"}"}}]}"#,
            #"{"role":"tool","tool_call_id":"call_1","name":"find","content":"[1, 2, 3]"}"#,
            #"{"role":"user","content":[{"type":"text","text":"a\nb\tc"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}"#,
            #" { "content" : "line\u000Abreak \u0000 \ud83d\ude00" , "role" : "system" } "#,
            #"{"role":"user","content":"","metadata":{"score":0.25,"n":-12,"big":12345678901234567890,"e":1e5,"ok":true,"no":false}}"#,
            #"{"a":[[[[{}]]]],"b":{},"c":[],"role":"x","content":"y"}"#,
        ].map { Array($0.utf8) } + plain

    /// Longer ones, as most messages are: a change in the middle of a text leaves them right.
    private static let plain: [[UInt8]] = (1...12).map { number in
        let sentence =
            "I would like to change flight HAT\(number) to the next day, s\u{E9}at \(number)A. "
        let text = String(repeating: sentence, count: number * 2)
        return Array("{\"role\": \"user\", \"content\": \"\(text)\", \"n\": \(number)}".utf8)
    }

    static let all = real + own
}
