#if canImport(Glibc)
    internal import Glibc
#endif
package import MemexModel

/// One entry of a `MemoryTree` in one allocation: value length (4), key length (2), key, value.
package struct MemoryBlock {
    static let headerSize = 6

    let base: UnsafeMutableRawPointer

    @inline(__always)
    init(_ base: UnsafeMutableRawPointer) { self.base = base }

    /// Nil when memory ran out.
    @inline(__always)
    package static func make(_ key: ByteView, _ value: ByteView) -> MemoryBlock? {
        guard key.count <= Int(UInt16.max), value.count <= Int(UInt32.max),
            let base = malloc(headerSize &+ key.count &+ value.count)
        else { return nil }
        base.storeBytes(of: UInt32(truncatingIfNeeded: value.count), as: UInt32.self)
        base.storeBytes(of: UInt16(truncatingIfNeeded: key.count), toByteOffset: 4, as: UInt16.self)
        if let from = key.baseAddress { memcpy(base + headerSize, from, key.count) }
        if let from = value.baseAddress { memcpy(base + headerSize + key.count, from, value.count) }
        return MemoryBlock(base)
    }

    @inline(__always)
    var keyCount: Int { Int(base.loadUnaligned(fromByteOffset: 4, as: UInt16.self)) }

    @inline(__always)
    var valueCount: Int { Int(base.loadUnaligned(as: UInt32.self)) }

    @inline(__always)
    package var key: ByteView {
        ByteView(
            start: UnsafePointer((base + Self.headerSize).assumingMemoryBound(to: UInt8.self)),
            count: keyCount)
    }

    @inline(__always)
    package var value: ByteView {
        ByteView(
            start: UnsafePointer((base + Self.headerSize + keyCount).assumingMemoryBound(to: UInt8.self)),
            count: valueCount)
    }

    package func release() { free(base) }
}
