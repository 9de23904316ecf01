import Foundation
import MemexTestSupport
import Testing

@testable import MemexModel

@Suite("JSONTestSuite and naughty strings")
struct ConformanceTests {
    /// The files of the archive by their path; empty when it is absent.
    private static let archive: [String: [UInt8]] = {
        guard let folder = SharedData.unpack("torture-json-unicode.tar.xz") else { return [:] }
        defer { try? FileManager.default.removeItem(at: folder) }
        var files: [String: [UInt8]] = [:]
        for path in (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? [] {
            guard path.hasSuffix(".json") else { continue }
            files[path] = (try? Data(contentsOf: folder.appendingPathComponent(path))).map {
                [UInt8]($0)
            }
        }
        return files
    }()

    private static func files(_ folder: String) -> [(name: String, bytes: [UInt8])] {
        archive.filter { $0.key.hasPrefix(folder) }.map { path, bytes in
            (String(path.dropFirst(folder.count)), bytes)
        }
    }

    /// The whole strict door for values of any kind.
    private static func accepts(_ view: ByteView) -> Bool { (try? JSONCheck.strict(view)) != nil }

    @Test("y_ is accepted, n_ refused, and the scanner takes nothing that jansson refuses")
    func parsing() {
        var counts = ["y": 0, "n": 0, "i": 0]
        for (name, bytes) in Self.files("JSONTestSuite/test_parsing/") {
            let kind = String(name.prefix(1))
            counts[kind, default: 0] += 1
            withView(bytes) { view in
                let deep = name.contains("100000") || name.contains("opening_brackets_object")
                let accepted = Self.accepts(view)
                // These two repeat a key, which the door refuses on purpose.
                let strict = [
                    "y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json",
                ]
                // This one has NUL in a key, which jansson does not hold.
                let nul = ["y_object_escaped_null_in_key.json"]
                if kind == "y" { #expect(accepted == !(strict + nul).contains(name), "\(name)") }
                if kind == "n" { #expect(!accepted, "\(name)") }
                if deep { return }
                let judge = Jansson(view)
                if scan(view) != nil { #expect(judge.accepted, "\(name)") }
                // 500 levels are too many for us; jansson takes a NUL for the end of the text.
                let ours = [
                    "i_structure_500_nested_arrays.json", "n_multidigit_number_then_00.json",
                ]
                if judge.accepted { #expect(accepted == !ours.contains(name), "\(name)") }
                if accepted, !judge.accepted { #expect(judge.overflowed, "\(name)") }
            }
        }
        if !Self.archive.isEmpty { #expect(counts == ["y": 95, "n": 188, "i": 35]) }
    }

    @Test("the transform files: keys that come twice are refused, the rest is kept")
    func transform() {
        for (name, bytes) in Self.files("JSONTestSuite/test_transform/") {
            withView(bytes) { view in
                let refused = name.hasPrefix("object_same_key") || name.contains("codepoint")
                #expect(Self.accepts(view) == !refused, "\(name)")
            }
        }
    }

    @Test("naughty strings go in as JSON and come out as they were")
    func naughty() throws {
        guard let file = Self.archive["blns/blns.json"] else { return }
        let strings = try #require(try JSONSerialization.jsonObject(with: Data(file)) as? [String])
        #expect(strings.count > 500)
        for string in strings {
            var body = ByteBuffer()
            body.append(RawCursor.bytes("{\"role\":\"user\",\"content\":"))
            withView(string) { #expect(JSONEscape.appendQuoted($0, to: &body) == -1) }
            body.append(byte: 0x7D)
            let facts = try inspect(body.view).get()
            #expect(facts.has(BodyFacts.simple))
            let content = try #require(facts.content(in: body.view))
            let text = try decoded(content)
            #expect(text == Array(string.utf8))
            #expect(Jansson(body.view).string("content") == Array(string.utf8))
        }
    }
}
