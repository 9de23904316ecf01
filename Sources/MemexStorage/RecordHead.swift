internal import CMemexShim
package import MemexModel

/// The small fixed facts of a stored message, and the checksum over all of it.
///
/// Bytes, version 1: version, compression codec, cipher, format, flags (2), CRC-32C (4, little endian),
/// then as LEB128: tokens, changes (`rev - seq`), content offset + 1 (0: none), content length, and for a
/// codec its dictionary or key number, and with the flag `counted` what the tokens were counted with.
package struct RecordHead {
    package static let version: UInt8 = 1

    package var compression: UInt8 = 0
    package var cipher: UInt8 = 0
    package var format: UInt8 = 0
    package var flags: UInt16 = 0
    package var checksum: UInt32 = 0
    package var tokens: UInt32 = 0
    /// `rev - seq` of the message's last change.
    package var changes: UInt32 = 0
    /// Where the content's characters stand in the body, or -1.
    package var contentOffset: Int32 = -1
    package var contentLength: Int32 = 0
    package var codecKey: UInt32 = 0
    /// What `tokens` was counted with: 0 for the estimate, else the mark of a way to count.
    package var counter: UInt32 = 0 {
        didSet { set(Flag.counted, counter != 0) }
    }

    package init() {}

    package enum Flag {
        package static let state: UInt16 = 0x0003
        package static let pinned: UInt16 = 0x0004
        /// The body has the keys role and content alone, both strings.
        package static let simple: UInt16 = 0x0008
        package static let contentEscaped: UInt16 = 0x0010
        package static let toolCalls: UInt16 = 0x0020
        package static let toolCallID: UInt16 = 0x0040
        /// Listed in the sparse index of messages that windows keep.
        package static let marked: UInt16 = 0x0080
        package static let roleEscaped: UInt16 = 0x0100
        /// Neither an id of the caller's nor an extra: a reader need not look for them.
        package static let plain: UInt16 = 0x0200
        /// There is a `counter`.
        package static let counted: UInt16 = 0x0400
    }

    package var state: MessageState {
        get { MessageState(rawValue: UInt8(truncatingIfNeeded: flags & Flag.state)) ?? .deleted }
        set { flags = flags & ~Flag.state | UInt16(newValue.rawValue) }
    }

    package func has(_ flag: UInt16) -> Bool { flags & flag != 0 }

    package mutating func set(_ flag: UInt16, _ on: Bool) {
        flags = on ? flags | flag : flags & ~flag
    }

    /// Most bytes that `write` needs.
    package static let maximumSize = 40

    /// Writes the head; returns its length.
    @inline(__always)
    package func write(into bytes: UnsafeMutablePointer<UInt8>) -> Int {
        bytes[0] = Self.version
        bytes[1] = compression
        bytes[2] = cipher
        bytes[3] = format
        bytes[4] = UInt8(truncatingIfNeeded: flags)
        bytes[5] = UInt8(truncatingIfNeeded: flags >> 8)
        for index in 0..<4 {
            bytes[6 &+ index] = UInt8(truncatingIfNeeded: checksum >> UInt32(truncatingIfNeeded: index &* 8))
        }
        var at = 10
        at = Self.put(UInt64(tokens), bytes, at)
        at = Self.put(UInt64(changes), bytes, at)
        at = Self.put(UInt64(UInt32(bitPattern: contentOffset &+ 1)), bytes, at)
        at = Self.put(UInt64(UInt32(bitPattern: contentLength)), bytes, at)
        if compression != 0 || cipher != 0 { at = Self.put(UInt64(codecKey), bytes, at) }
        if has(Flag.counted) { at = Self.put(UInt64(counter), bytes, at) }
        return at
    }

    @inline(__always)
    private static func put(_ value: UInt64, _ bytes: UnsafeMutablePointer<UInt8>, _ from: Int) -> Int {
        var rest = value
        var at = from
        while rest >= 0x80 {
            bytes[at] = UInt8(truncatingIfNeeded: rest) | 0x80
            rest >>= 7
            at &+= 1
        }
        bytes[at] = UInt8(truncatingIfNeeded: rest)
        return at &+ 1
    }

    /// Reads a head; throws CORRUPT or NEWER_FORMAT.
    package init(_ bytes: ByteView) throws(MemexError) {
        guard bytes.count >= 14 else { throw Self.damaged }
        guard bytes[0] == Self.version else {
            throw MemexError(
                bytes[0] > Self.version ? .newerFormat : .corrupt,
                "a message record has format \(bytes[0]); this library reads \(Self.version)")
        }
        compression = bytes[1]
        cipher = bytes[2]
        format = bytes[3]
        flags = UInt16(bytes[4]) | UInt16(bytes[5]) << 8
        checksum =
            UInt32(bytes[6]) | UInt32(bytes[7]) << 8 | UInt32(bytes[8]) << 16
            | UInt32(bytes[9]) << 24
        var at = 10
        tokens = Self.take(bytes, &at)
        changes = Self.take(bytes, &at)
        contentOffset = Int32(bitPattern: Self.take(bytes, &at)) &- 1
        contentLength = Int32(bitPattern: Self.take(bytes, &at))
        if compression != 0 || cipher != 0 { codecKey = Self.take(bytes, &at) }
        if has(Flag.counted) { counter = Self.take(bytes, &at) }
        guard at <= bytes.count, contentLength >= 0 else { throw Self.damaged }
    }

    @inline(__always)
    private static func take(_ bytes: ByteView, _ at: inout Int) -> UInt32 {
        var value: UInt32 = 0
        var shift: UInt32 = 0
        while at < bytes.count, shift < 35 {
            let byte = bytes[at]
            at &+= 1
            value |= UInt32(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
        at = bytes.count &+ 1
        return 0
    }

    static let damaged = MemexError(
        .corrupt, "a message record is damaged; run the check command and restore from a backup")
}

/// CRC-32C of a record: everything the caller gave, then what the commit added.
package enum RecordChecksum {
    /// Over the parts that are known before the commit.
    package static func payload(
        body: ByteView, role: ByteView, id: ByteView, extra: ByteView
    ) -> UInt32 {
        var crc = memex_shim_crc32c(0, body.baseAddress, body.count)
        crc = memex_shim_crc32c(crc, role.baseAddress, role.count)
        if id.count > 0 { crc = memex_shim_crc32c(crc, id.baseAddress, id.count) }
        if extra.count > 0 { crc = memex_shim_crc32c(crc, extra.baseAddress, extra.count) }
        return crc
    }

    /// Continues with the envelope.
    package static func seal(_ payload: UInt32, _ head: RecordHead, seq: Int64, createdAt: Int64) -> UInt32 {
        var words = (
            (UInt64(bitPattern: seq) ^ UInt64(head.counter) << 32).littleEndian,
            UInt64(bitPattern: createdAt).littleEndian,
            (UInt64(head.tokens) << 32 | UInt64(head.changes)).littleEndian,
            (UInt64(head.compression) << 56 | UInt64(head.cipher) << 48 | UInt64(head.format) << 40
                | UInt64(head.flags) << 16 ^ UInt64(head.codecKey)).littleEndian
        )
        return withUnsafeBytes(of: &words) { memex_shim_crc32c(payload, $0.baseAddress, $0.count) }
    }
}
