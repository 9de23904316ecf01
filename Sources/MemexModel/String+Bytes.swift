extension String {
    /// The UTF-8 bytes, borrowed for the call.
    package func withBytes<Result>(_ body: (ByteView) -> Result) -> Result {
        // Native strings are contiguous, and outside of Apple's systems there are no others.
        utf8.withContiguousStorageIfAvailable(body) ?? body(ByteView(start: nil, count: 0))
    }
}

extension StaticString {
    /// The UTF-8 bytes, for ever. Unlike `utf8Start` it has no way to trap.
    package var bytes: ByteView { RawCursor.bytes(self) }
}
