package import MemexModel
package import MemexTokens

/// A pipeline that chooses what the model sees. Any thread may use it.
package final class Strategy: Sendable {
    let steps: [PipelineStep]
    let pins: PinRule

    private init(steps: [PipelineStep], pins: PinRule) {
        self.steps = steps
        self.pins = pins
    }

    /// The pipeline when none is given: pins, then the request's max_tokens.
    package static let standard = Strategy(steps: [], pins: .standard)

    /// One step as JSON, or an array of them; no bytes mean the standard pipeline.
    package convenience init(parsing bytes: ByteView) throws(MemexError) {
        guard bytes.count > 0 else {
            self.init(steps: [], pins: .standard)
            return
        }
        var parser = PipelineParser()
        try parser.parse(bytes)
        self.init(steps: parser.steps, pins: parser.pinRule)
    }

    /// Writes the window as JSON, see `memex_context_build`. Nothing is written when it throws.
    package func build(
        from source: any MessageSource, request: WindowRequest, counter: MessageCounter,
        to out: inout ByteBuffer
    ) throws(MemexError) {
        var builder = WindowBuilder(self, request, source, counter)
        try builder.examine()
        try builder.choose()
        try builder.write(counter.name, &out)
    }
}
