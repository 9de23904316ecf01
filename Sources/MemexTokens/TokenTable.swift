internal import MemexModel

/// Tokens by id and ids by token.
struct TokenTable: ~Copyable {
    /// What became of a token.
    enum Outcome {
        case added
        case repeatsToken
        case repeatsID
    }

    /// One more than the highest id.
    private(set) var idEnd = 0
    private(set) var tokens = 0
    private(set) var longest = 0
    private var bytes = ByteBuffer()
    /// By id: where its bytes begin, and how many they are, and one.
    private var starts = HeapArray<UInt32>(0)
    private var sizes = HeapArray<UInt32>(0)
    /// An open table of ids, and one.
    private var slots = HeapArray<UInt32>(repeating: 0, count: 1_024)

    var failed: Bool { bytes.failed || starts.failed || sizes.failed || slots.failed }
    var byteCount: Int { bytes.count }

    /// The bytes of a token; empty when there is none.
    @inline(__always)
    func token(_ id: Int) -> ByteView {
        let size = Int(sizes[id])
        return size == 0 ? ByteView(start: nil, count: 0) : bytes.view.slice(Int(starts[id]), size &- 1)
    }

    func has(_ id: Int) -> Bool { sizes[id] != 0 }

    @inline(__always)
    private static func hash(_ token: ByteView) -> Int {
        guard let base = token.baseAddress else { return 0 }
        return Int(truncatingIfNeeded: VocabularyHash.long(base, token.count))
    }

    /// The id of a token; -1 when it is none.
    @inline(__always)
    func id(_ token: ByteView) -> Int {
        guard token.count <= longest else { return -1 }
        let mask = slots.count &- 1
        var at = Self.hash(token) & mask
        while true {
            let id = Int(slots[at]) &- 1
            if id < 0 { return -1 }
            if self.token(id).equals(token) { return id }
            at = (at &+ 1) & mask
        }
    }

    /// The id of the first of some bytes; -1 when they are none.
    func id(of bytes: InlineArray<4, UInt8>, _ count: Int) -> Int {
        var bytes = bytes
        return withUnsafeBytes(of: &bytes) { id($0.bindMemory(to: UInt8.self).slice(0, count)) }
    }

    /// Adds a token; `id` is below `VocabularyImage.idLimit`.
    mutating func add(_ token: ByteView, id: Int) -> Outcome {
        if has(id) { return .repeatsID }
        if tokens > 0, self.id(token) >= 0 { return .repeatsToken }
        if id >= idEnd {
            idEnd = id &+ 1
            starts.resize(idEnd)
            sizes.resize(idEnd)
        }
        starts[id] = UInt32(truncatingIfNeeded: bytes.count)
        sizes[id] = UInt32(truncatingIfNeeded: token.count &+ 1)
        bytes.append(token)
        tokens &+= 1
        longest = max(longest, token.count)
        if failed { return .added }
        if tokens &* 2 > slots.count { rehash() } else { place(id) }
        return .added
    }

    private mutating func place(_ id: Int) {
        let mask = slots.count &- 1
        var at = Self.hash(token(id)) & mask
        while slots[at] != 0 { at = (at &+ 1) & mask }
        slots[at] = UInt32(truncatingIfNeeded: id &+ 1)
    }

    private mutating func rehash() {
        slots = HeapArray<UInt32>(repeating: 0, count: slots.count &* 4)
        if slots.failed || slots.count < tokens { return }
        var id = 0
        while id < idEnd {
            if has(id) { place(id) }
            id &+= 1
        }
    }
}
