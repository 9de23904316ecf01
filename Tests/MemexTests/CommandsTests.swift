import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct CommandsTests {
    @Test(arguments: TestTarget.allCases)
    func everyCommand(_ target: TestTarget) throws {
        let store = try TestStore(target)
        try store.session.create().say("x")
        let stats = try store.session.command("stats")
        for key in ["durable", "shared_between_processes", "multi_thread_batches", "erases", "read_only"] {
            #expect(stats[key] is Bool, "\(key)")
        }
        let check = try store.session.command("check", "{}")
        #expect(check["ok"] as? Bool == true && (check["problems"] as? [Any])?.isEmpty == true)
        #expect(try store.session.command("maintain").isEmpty)
        expectError(.notFound, "a command that is not there") { _ = try store.session.command("drop") }
        expectError(.notFound, "no command") { _ = try store.session.command("") }
        for name in Commands.names {
            expectError(.invalid, "an argument of \(name)") {
                _ = try store.session.command(name, "{\"x\":1}")
            }
            expectError(.invalid, "arguments of \(name)") { _ = try store.session.command(name, "[]") }
        }
        try store.session.store.close()
        for name in Commands.names { expectError(.closed, name) { _ = try store.session.command(name) } }
    }
}
