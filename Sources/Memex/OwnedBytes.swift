package import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// A block of bytes that lives as long as somebody refers to it.
package final class OwnedBytes: @unchecked Sendable {
    package let view: ByteView
    private let base: UnsafeMutablePointer<UInt8>

    /// Takes over what a buffer has gathered.
    package init(_ buffer: consuming ByteBuffer) throws(MemexError) {
        guard let (base, count) = buffer.take() else { throw MemexError.noMemory }
        self.base = base
        view = ByteView(start: base, count: count)
    }

    package convenience init(copying bytes: ByteView) throws(MemexError) {
        var buffer = ByteBuffer(capacity: bytes.count + 1)
        buffer.append(bytes)
        try self.init(buffer)
    }

    deinit { free(base) }
}
