#if canImport(Glibc)
    import Glibc
#endif

/// Plain values on the C heap: memory that runs out sets `failed` and ends no process, and a place that is
/// not there reads as `zero`, so that no file can make it trap.
struct HeapArray<Element: BitwiseCopyable>: ~Copyable {
    private(set) var base: UnsafeMutablePointer<Element>?
    private(set) var count = 0
    private(set) var failed = false
    private var capacity = 0
    let zero: Element

    init(_ zero: Element) { self.zero = zero }

    init(repeating value: Element, count: Int) {
        zero = value
        resize(count)
    }

    deinit { free(base) }

    @inline(__always)
    subscript(index: Int) -> Element {
        get {
            guard UInt(bitPattern: index) < UInt(bitPattern: count), let base else { return zero }
            return base[index]
        }
        set {
            guard UInt(bitPattern: index) < UInt(bitPattern: count), let base else { return }
            base[index] = newValue
        }
    }

    @inline(__always)
    mutating func append(_ value: Element) {
        if count == capacity { grow(count &+ 1) }
        guard count < capacity, let base else { return }
        base[count] = value
        count &+= 1
    }

    /// The last value, which goes; nil when there is none.
    @inline(__always)
    mutating func popLast() -> Element? {
        guard count > 0, let base else { return nil }
        count &-= 1
        return base[count]
    }

    /// Adds zeros, or forgets what is behind.
    mutating func resize(_ size: Int) {
        if size > capacity { grow(size) }
        guard size >= 0, size <= capacity else { return }
        if let base {
            var at = count
            while at < size {
                base[at] = zero
                at &+= 1
            }
        }
        count = size
    }

    mutating func removeAll() { count = 0 }

    private mutating func grow(_ needed: Int) {
        let stride = MemoryLayout<Element>.stride
        let size = max(needed, capacity &* 2, 16)
        guard !failed, size > 0, size < Int.max / 4 / max(stride, 1),
            let grown = realloc(base, size &* stride)
        else {
            failed = true
            return
        }
        base = grown.assumingMemoryBound(to: Element.self)
        capacity = size
    }
}
