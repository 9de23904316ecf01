#if canImport(Glibc)
    import Glibc
#endif

/// The keys of the objects that the scanner is inside of, to refuse a key that comes twice.
///
/// Lives on fixed memory that the scanner lends; each entry packs where a key begins (high half) with its
/// length, first and last byte (low half), so that most pairs differ in one comparison.
struct KeyStack: BitwiseCopyable {
    static let capacity = 128

    private let entries: UnsafeMutablePointer<UInt64>
    private var count = 0
    private var base = 0

    @inline(__always)
    init(_ entries: UnsafeMutablePointer<UInt64>) { self.entries = entries }

    /// An object begins. False when there is no room.
    @inline(__always)
    mutating func enter() -> Bool {
        guard count < KeyStack.capacity else { return false }
        entries[count] = UInt64(truncatingIfNeeded: base)
        count &+= 1
        base = count
        return true
    }

    /// The innermost object ends.
    @inline(__always)
    mutating func leave() {
        count = base &- 1
        base = Int(truncatingIfNeeded: entries[count])
    }

    /// Keys of the innermost object.
    @inline(__always)
    var size: Int { count &- base }

    /// Adds a key of the innermost object. False when it is there already, or there is no room.
    @inline(__always)
    mutating func add(_ text: UnsafePointer<UInt8>, _ start: Int, _ length: Int) -> Bool {
        guard count < KeyStack.capacity, length < 1 << 16 else { return false }
        var mark = UInt32(truncatingIfNeeded: length)
        if length > 0 {
            mark |= UInt32(text[start]) &<< 16
            mark |= UInt32(text[start &+ length &- 1]) &<< 24
        }
        var at = base
        while at < count {
            let entry = entries[at]
            if UInt32(truncatingIfNeeded: entry) == mark {
                let other = Int(truncatingIfNeeded: entry &>> 32)
                if length == 0 || memcmp(text + other, text + start, length) == 0 { return false }
            }
            at &+= 1
        }
        entries[count] = UInt64(truncatingIfNeeded: start) &<< 32 | UInt64(mark)
        count &+= 1
        return true
    }
}
