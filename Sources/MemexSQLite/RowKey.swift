internal import MemexModel

/// Keys of messages: the thread's key in the upper half, seq in the lower.
enum RowKey {
    static let threadMaximum: Int64 = (1 << 31) - 1

    @inline(__always)
    static func make(_ thread: Int64, _ seq: Int64) -> Int64 { thread << 32 | (seq & 0xFFFF_FFFF) }

    @inline(__always)
    static func seq(_ key: Int64) -> Int64 { key & 0xFFFF_FFFF }

    /// Whether a message of any thread can have the key.
    @inline(__always)
    static func isPossible(_ key: Int64) -> Bool {
        key > 0 && key >> 32 > 0 && seq(key) > 0 && seq(key) <= Limits.seq
    }

    /// First and last key that a thread can have.
    @inline(__always)
    static func bounds(_ thread: Int64) -> (Int64, Int64) { (thread << 32, thread << 32 | 0xFFFF_FFFF) }
}
