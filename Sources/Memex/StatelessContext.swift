package import MemexContext
package import MemexModel
internal import MemexTokens

/// Windows over messages that are not stored.
package enum StatelessContext {
    /// Writes the window that a strategy chooses of an array of bodies, see `memex_context_build_messages`.
    package static func build(
        _ strategy: Strategy?, _ messages: ByteView, _ request: ByteView, to out: inout ByteBuffer
    ) throws(MemexError) {
        let request = try WindowRequest(request)
        let source = try ArraySource(bodies: messages)
        try (strategy ?? .standard).build(
            from: source, request: request, counter: request.counter ?? .estimate, to: &out)
    }
}
