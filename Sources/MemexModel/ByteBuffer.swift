#if canImport(Glibc)
    import Glibc
#endif

/// A growing block of bytes on the C heap whose allocations can fail without ending the process.
///
/// A failed allocation sets `failed` and turns later appends into no-ops; whoever hands the result out
/// checks it once at the end.
package struct ByteBuffer: ~Copyable {
    package private(set) var base: UnsafeMutablePointer<UInt8>?
    package private(set) var count: Int
    private var capacity: Int
    package private(set) var failed: Bool

    package init(capacity: Int = 0) {
        base = nil
        count = 0
        self.capacity = 0
        failed = false
        if capacity > 0 { reserve(capacity) }
    }

    deinit { free(base) }

    package var view: ByteView { ByteView(start: UnsafePointer(base), count: count) }

    /// Makes room for `extra` more bytes.
    @inline(__always)
    package mutating func reserve(_ extra: Int) {
        if extra <= capacity &- count { return }
        grow(extra)
    }

    @inline(never)
    private mutating func grow(_ extra: Int) {
        if failed { return }
        let (needed, overflow) = count.addingReportingOverflow(extra)
        guard extra >= 0, !overflow, needed < Int.max / 4 else {
            failed = true
            return
        }
        var size = capacity < 128 ? 256 : capacity &* 2
        if size < needed { size = needed }
        guard let grown = realloc(base, size) else {
            failed = true
            return
        }
        base = grown.assumingMemoryBound(to: UInt8.self)
        capacity = size
    }

    @inline(__always)
    package mutating func append(byte: UInt8) {
        reserve(1)
        guard count < capacity, let base else { return }
        base[count] = byte
        count &+= 1
    }

    @inline(__always)
    package mutating func append(_ bytes: ByteView) {
        reserve(bytes.count)
        guard bytes.count <= capacity &- count, let base, let from = bytes.baseAddress else { return }
        memcpy(base + count, from, bytes.count)
        count &+= bytes.count
    }

    @inline(__always)
    package mutating func append(_ literal: StaticString) {
        append(RawCursor.bytes(literal))
    }

    package mutating func append(text: String) {
        text.withBytes { append($0) }
    }

    /// Decimal digits of a number.
    package mutating func append(number: Int64) {
        if number < 0 { append(byte: 0x2D) }
        var rest = number.magnitude
        reserve(20)
        guard 20 <= capacity &- count, let base else { return }
        var digits = 1
        var probe = rest
        while probe >= 10_000 {
            probe /= 10_000
            digits &+= 4
        }
        if probe >= 100 {
            probe /= 100
            digits &+= 2
        }
        if probe >= 10 { digits &+= 1 }
        var at = count &+ digits
        count = at
        // Two digits a division.
        while rest >= 10 {
            let pair = UInt32(truncatingIfNeeded: rest % 100)
            rest /= 100
            at &-= 2
            base[at] = 0x30 &+ UInt8(truncatingIfNeeded: pair / 10)
            base[at &+ 1] = 0x30 &+ UInt8(truncatingIfNeeded: pair % 10)
        }
        if at > count &- digits { base[at &- 1] = 0x30 &+ UInt8(truncatingIfNeeded: rest) }
    }

    /// Appends bytes that the caller writes at once; nil when memory ran out.
    @inline(__always)
    package mutating func extend(by length: Int) -> UnsafeMutablePointer<UInt8>? {
        reserve(length)
        guard length >= 0, length <= capacity &- count, let base else { return nil }
        count &+= length
        return base + (count &- length)
    }

    /// Bytes of an integer, least significant first.
    @inline(__always)
    package mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
        var stored = value.littleEndian
        withUnsafeBytes(of: &stored) { append($0.bindMemory(to: UInt8.self)) }
    }

    /// Forgets what follows the first `length` bytes.
    package mutating func truncate(_ length: Int) { if length >= 0, length < count { count = length } }

    package mutating func removeAll() { count = 0 }

    /// Overwrites bytes that were appended before.
    package mutating func overwrite(at offset: Int, _ bytes: ByteView) {
        guard offset >= 0, bytes.count <= count &- offset, let base, let from = bytes.baseAddress
        else { return }
        memcpy(base + offset, from, bytes.count)
    }

    /// Throws unless `take` will succeed.
    package mutating func makeReady() throws(MemexError) {
        reserve(1)
        if failed { throw MemexError.noMemory }
    }

    /// Hands the block to the caller, who frees it; a NUL follows its bytes. Nil when memory ran out.
    package consuming func take() -> (base: UnsafeMutablePointer<UInt8>, count: Int)? {
        append(byte: 0)
        guard !failed, let base else { return nil }
        let length = count &- 1
        self.base = nil
        return (base, length)
    }
}
