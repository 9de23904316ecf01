import CJansson
import Glibc
import Synchronization
import Testing

@testable import MemexModel

/// Which of the next allocations of jansson fails on the one thread that asked for it.
private let failingThread = Atomic<UInt>(0)
/// Used by that thread alone.
private nonisolated(unsafe) var countdown = 0

@Suite("Memory runs out inside jansson")
struct MemoryTests {
    private static func onFailure(_ nth: Int, _ body: () -> MemexError?) -> MemexError? {
        countdown = nth
        failingThread.store(UInt(pthread_self()), ordering: .relaxed)
        defer { failingThread.store(0, ordering: .relaxed) }
        return body()
    }

    @Test("each failure is told as such, nothing else changes")
    func failures() {
        // Other tests run meanwhile on other threads: for them it stays malloc.
        json_set_alloc_funcs(
            { size in
                if failingThread.load(ordering: .relaxed) == UInt(pthread_self()) {
                    countdown -= 1
                    if countdown == 0 { return nil }
                }
                return malloc(size)
            }, { free($0) })
        let text =
            #"{"role":"user","content":"\ud83d\ude00","big":123456789012345678901,"a":[1,2.5,{"k":"v"},[],null],"b":{"c":true}}"#
        withView(text) { view in
            var failed = 0
            for nth in 1...200 {
                let error = Self.onFailure(nth) {
                    guard case .failure(let error) = inspect(view) else { return nil }
                    return error
                }
                if error != nil { failed += 1 }
                #expect(error == nil || error?.code == .noMemory, "\(nth): \(error?.message ?? "")")
                let parsed = Self.onFailure(nth) {
                    do throws(MemexError) {
                        let document = try JSONDocument(parsing: view)
                        return document.root.count == 5
                            ? nil : MemexError(.internal, "lost a member")
                    } catch { return error }
                }
                #expect(
                    parsed == nil || parsed?.code == .noMemory, "\(nth): \(parsed?.message ?? "")")
            }
            #expect(failed > 10)
        }
    }
}
