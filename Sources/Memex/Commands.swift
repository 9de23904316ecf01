package import MemexModel
internal import MemexStorage

/// The control plane: commands by name.
package enum Commands {
    package static let names = ["check", "maintain", "stats"]

    package static func run(
        _ name: ByteView, _ arguments: ByteView, _ session: Session, _ out: inout ByteBuffer
    ) throws(MemexError) {
        try session.authorize(.administer)
        guard session.isRoot else {
            throw MemexError(.denied, "commands cover all tenants: run them on the store, not on a session")
        }
        var options = try OptionReader(arguments, what: "arguments")
        try options.finish()
        let store = session.store
        var buffer = ByteBuffer()
        try store.inside { () throws(MemexError) in
            if name.equals("stats") {
                try stats(store, &buffer)
            } else if name.equals("check") {
                try check(store, &buffer)
            } else if name.equals("maintain") {
                try store.engine.maintain(until: store.deadline())
                buffer.append("{}")
            } else {
                throw MemexError(
                    .notFound, "no command of that name; there are \(names.joined(separator: ", "))")
            }
        }
        swap(&buffer, &out)
    }

    private static func stats(_ store: Store, _ out: inout ByteBuffer) throws(MemexError) {
        let capabilities = store.engine.capabilities
        out.append(
            text: "{\"durable\":\(capabilities.durable),"
                + "\"shared_between_processes\":\(capabilities.sharedBetweenProcesses),"
                + "\"multi_thread_batches\":\(capabilities.multiThreadBatches),\"erases\":\(capabilities.erases),"
                + "\"read_only\":\(store.isReadOnly)")
        let more = try store.engine.statistics()
        if !more.isEmpty { out.append(text: "," + more) }
        out.append("}")
    }

    private static func check(_ store: Store, _ out: inout ByteBuffer) throws(MemexError) {
        let problems = try store.engine.check(until: store.deadline())
        out.append(text: "{\"ok\":\(problems.isEmpty),\"problems\":[")
        out.append(text: problems.map { JSONText.quoted($0) }.joined(separator: ","))
        out.append("]}")
    }
}
