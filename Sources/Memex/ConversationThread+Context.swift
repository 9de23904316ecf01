internal import CMemexShim
package import MemexContext
package import MemexModel
internal import MemexTokens

extension ConversationThread {
    /// Writes the window that a strategy chooses, see `memex_context_build`.
    package func context(
        strategy: Strategy?, request: ByteView, to out: inout ByteBuffer
    ) throws(MemexError) {
        var window = ByteBuffer()
        let request = try WindowRequest(request)
        let counter = request.counter ?? store.counter
        try reading { () throws(MemexError) in
            let source = try ThreadSource(self, countedAs: counter.mark)
            // A strategy of the host's that closes this store is to be told, not to wait for itself.
            guard memex_shim_callback_enter(store.callbackOwner) == 0 else {
                throw MemexError(.limit, "callbacks are nested too deep")
            }
            defer { memex_shim_callback_leave() }
            try (strategy ?? .standard).build(
                from: source, request: request, counter: counter, to: &window)
        }
        swap(&window, &out)
    }
}
