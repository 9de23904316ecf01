/// Ids of messages that the caller did not name: computed from the row, stored nowhere.
///
/// The id is a UUIDv7 (RFC 9562) whose time is the message's `created_at_us`: 48 bits of milliseconds,
/// the remaining microseconds in `rand_a`. Its 62 bits of `rand_b` are a four-round Feistel network over
/// (31 zero bits, the 31 bits of seq), keyed by the thread's id. So an id names its seq without an index,
/// stays the same when a thread is copied to another store, and an id of another thread decodes to a
/// non-zero upper half and is refused without a look at the store.
package struct MessageID {
    /// Round keys of one thread.
    private let keys: (UInt32, UInt32, UInt32, UInt32)

    private static let half: UInt32 = 0x7FFF_FFFF

    package init(threadID: ByteView) {
        // FNV-1a, 64 bits, finished by the mixer of SplitMix64.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in threadID { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        let first = Self.mix(hash)
        let second = Self.mix(hash &+ 0x9E37_79B9_7F4A_7C15)
        keys = (
            UInt32(truncatingIfNeeded: first), UInt32(truncatingIfNeeded: first >> 32),
            UInt32(truncatingIfNeeded: second), UInt32(truncatingIfNeeded: second >> 32)
        )
    }

    package init(threadID: String) {
        self = threadID.withBytes { MessageID(threadID: $0) }
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    @inline(__always)
    private static func round(_ value: UInt32, _ key: UInt32) -> UInt32 {
        var x = (value ^ key) &* 0x85EB_CA6B
        x ^= x >> 13
        x = x &* 0xC2B2_AE35
        x ^= x >> 16
        return x & half
    }

    /// The 36 characters of the id.
    package func write(
        seq: Int64, createdAt: Int64, into text: UnsafeMutableBufferPointer<UInt8>
    ) {
        guard text.count >= 36 else { return }
        var left: UInt32 = 0
        var right = UInt32(truncatingIfNeeded: seq) & Self.half
        (left, right) = (right, left ^ Self.round(right, keys.0))
        (left, right) = (right, left ^ Self.round(right, keys.1))
        (left, right) = (right, left ^ Self.round(right, keys.2))
        (left, right) = (right, left ^ Self.round(right, keys.3))
        let tail = UInt64(left) << 31 | UInt64(right)
        UUIDText.write(UUIDv7.high(createdAt), UUIDv7.variant | tail, into: text)
    }

    package func append(seq: Int64, createdAt: Int64, to buffer: inout ByteBuffer) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 36) { text in
            write(seq: seq, createdAt: createdAt, into: text)
            buffer.append(ByteView(text))
        }
    }

    package func text(seq: Int64, createdAt: Int64) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 36) { text in
            write(seq: seq, createdAt: createdAt, into: text)
            return String(decoding: text, as: UTF8.self)
        }
    }

    /// The seq and the time that an id of this thread names, or nil when it is not one.
    package func decode(_ id: ByteView) -> (seq: Int64, createdAt: Int64)? {
        guard let (high, low) = UUIDText.parse(id), (high >> 12) & 0xF == 7, low >> 62 == 2 else {
            return nil
        }
        var left = UInt32(truncatingIfNeeded: low >> 31) & Self.half
        var right = UInt32(truncatingIfNeeded: low) & Self.half
        (left, right) = (right ^ Self.round(left, keys.3), left)
        (left, right) = (right ^ Self.round(left, keys.2), left)
        (left, right) = (right ^ Self.round(left, keys.1), left)
        (left, right) = (right ^ Self.round(left, keys.0), left)
        guard left == 0, right != 0 else { return nil }
        let milliseconds = Int64(truncatingIfNeeded: high >> 16)
        let microseconds = Int64(truncatingIfNeeded: (high & 0xFFF) >> 2)
        return (Int64(right), milliseconds &* 1000 &+ microseconds)
    }
}
