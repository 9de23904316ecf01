import Foundation
import MemexTestSupport
import Testing

@testable import MemexModel

@Suite("Depth")
struct DepthTests {
    private static func nested(_ levels: Int, _ open: String, _ close: String, _ inner: String)
        -> String
    {
        let arrays = levels - 1
        return "{\"a\":" + String(repeating: open, count: arrays) + inner
            + String(repeating: close, count: arrays) + "}"
    }

    @Test("128 levels are taken and 129 are not, on a small stack")
    func limit() {
        onSmallThread(256) {
            for (open, close, inner) in [
                ("[", "]", ""), ("{\"b\":", "}", "1"), ("[{\"c\":", "}]", "2"),
            ] {
                let size = open.hasPrefix("[{") ? 2 : 1
                for levels in [62, 63, 64, 65, 127] {
                    let deep = Self.nested((levels - 1) / size + 1, open, close, inner)
                    withView(deep) { #expect((try? inspect($0).get()) != nil) }
                }
                withView(Self.nested(size == 1 ? 128 : 64, open, close, inner)) { view in
                    #expect((try? inspect(view).get()) != nil)
                    #expect((try? JSONDocument(parsing: view).root.count) == 1)
                }
                for levels in [129, 130, 2_000, 100_000] {
                    withView(Self.nested(levels, open, close, inner)) { view in
                        guard case .failure(let error) = inspect(view) else {
                            Issue.record("taken")
                            return
                        }
                        let place =
                            5 + (size == 1 ? 127 * open.utf8.count : 63 * open.utf8.count + 1)
                        expectTooDeep(error, place)
                        do throws(MemexError) {
                            _ = try JSONDocument(parsing: view)
                            Issue.record("parsed")
                        } catch { expectTooDeep(error, place) }
                        do throws(MemexError) {
                            try JSONCheck.strict(view)
                            Issue.record("checked")
                        } catch { expectTooDeep(error, place) }
                    }
                }
            }
        }
    }

    private func expectTooDeep(_ error: MemexError, _ place: Int) {
        #expect(error.code == .limit && error.message.contains("128 levels"))
        #expect(error.details == "{\"limit\":128,\"offset\":\(place)}")
    }

    @Test("levels around metadata and provenance do not count")
    func carried() {
        let deep = Self.nested(128, "{\"b\":", "}", "1")
        for around in [("{\"metadata\":", "}"), ("{\"a\":[1,{}],\"messages\":[{},{\"provenance\":", "}]}")] {
            withView(around.0 + deep + around.1) { view in
                #expect((try? JSONDocument(parsing: view, carries: true)) != nil)
                #expect((try? JSONDocument(parsing: view)) == nil)
            }
            for levels in [132, 100_000] {
                let opened = around.0 + String(repeating: "[", count: levels)
                withView(opened) { view in
                    do throws(MemexError) {
                        _ = try JSONDocument(parsing: view, carries: true)
                        Issue.record("parsed")
                    } catch {
                        #expect(
                            error.code == .limit && error.details.hasSuffix("\"limit\":128,\"offset\":128}"))
                    }
                }
            }
        }
        // Brackets are matched up to the outermost.
        withView("{\"a\":" + String(repeating: "[", count: 130) + String(repeating: "]", count: 129) + "}}") {
            view in
            #expect((try? JSONDocument(parsing: view, carries: true)) == nil)
        }
    }

    @Test("endless openings end early")
    func openings() {
        onSmallThread(256) {
            for unit in ["[", "{\"\":", "[{\"\":"] {
                withView(String(repeating: unit, count: 100_000)) { view in
                    #expect((try? JSONCheck.strict(view)) == nil)
                    var members = RawMembers(view)
                    #expect(members.next() == nil)
                    var elements = RawElements(view)
                    #expect(elements.next() == nil)
                }
            }
        }
    }

    @Test("merging and comparing at full depth fits a small stack")
    func deepMerge() {
        onSmallThread(256) {
            let deep = Self.nested(128, "{\"b\":", "}", "1")
            let other = Self.nested(128, "{\"b\":", "}", "2")
            withView(deep) { target in
                withView(other) { patch in
                    var out = ByteBuffer()
                    do {
                        try MergePatch.apply(target: target, patch: patch, to: &out)
                        #expect(out.view.equals(patch))
                        let left = try JSONDocument(parsing: target)
                        let right = try JSONDocument(parsing: patch)
                        let merged = try JSONDocument(parsing: out.view)
                        #expect(!left.root.equals(right.root))
                        #expect(merged.root.equals(right.root))
                    } catch { Issue.record("\(error)") }
                }
            }
        }
    }
}
