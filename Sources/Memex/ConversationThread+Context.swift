package import MemexContext
package import MemexModel

extension ConversationThread {
    /// Writes the window that a strategy chooses, see `memex_context_build`.
    package func context(
        strategy: Strategy?, request: ByteView, to out: inout ByteBuffer
    ) throws(MemexError) {
        var window = ByteBuffer()
        try reading { () throws(MemexError) in
            let source = try ThreadSource(self)
            try (strategy ?? .standard).build(from: source, request: request, tokenizer: store.tokenizer, to: &window)
        }
        swap(&window, &out)
    }
}
