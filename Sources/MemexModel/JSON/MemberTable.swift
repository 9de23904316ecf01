#if canImport(Glibc)
    import Glibc
#endif

/// The members of a validated object, to be found by key in constant time, whatever their number.
struct MemberTable: ~Copyable {
    private struct Entry {
        let member: RawMember
        let hash: Int
        var isTaken: Bool
    }

    private let entries: UnsafeMutablePointer<Entry>?
    /// Open addressing: place of an entry plus one, 0 for a free slot. Nil when there are few members.
    private let slots: UnsafeMutablePointer<UInt32>?
    private let mask: Int
    let count: Int
    private let isBroken: Bool

    private static let few = 8

    /// A table with room for `count` members; no memory when `isBroken`.
    private init(count: Int) {
        var width = 0
        if count > MemberTable.few {
            width = 32
            while width < count &* 2 { width &*= 2 }
        }
        let memory = count > 0 ? malloc(count &* MemoryLayout<Entry>.stride) : nil
        let index = width > 0 ? calloc(width, MemoryLayout<UInt32>.stride) : nil
        entries = memory?.assumingMemoryBound(to: Entry.self)
        slots = index?.assumingMemoryBound(to: UInt32.self)
        mask = width &- 1
        self.count = count
        isBroken = (count > 0 && memory == nil) || (width > 0 && index == nil)
    }

    static func of(_ object: ByteView) throws(MemexError) -> MemberTable {
        var members = RawMembers(object)
        var size = 0
        while members.next() != nil { size &+= 1 }
        guard size < 1 << 30 else { throw MemexError.noMemory }
        let table = MemberTable(count: size)
        if table.isBroken { throw MemexError.noMemory }
        try table.fill(object)
        return table
    }

    deinit {
        free(entries)
        free(slots)
    }

    private func fill(_ object: ByteView) throws(MemexError) {
        guard let entries else { return }
        var members = RawMembers(object)
        var at = 0
        while at < count, let member = members.next() {
            let hash = try MemberTable.hash(member.key)
            (entries + at).initialize(to: Entry(member: member, hash: hash, isTaken: false))
            if let slots {
                var slot = hash & mask
                while slots[slot] != 0 { slot = (slot &+ 1) & mask }
                slots[slot] = UInt32(truncatingIfNeeded: at &+ 1)
            }
            at &+= 1
        }
    }

    /// Finds a member by its raw key, marks it as taken, and gives its value.
    func take(_ key: ByteView) throws(MemexError) -> ByteView? {
        guard let entries else { return nil }
        let hash = try MemberTable.hash(key)
        var at = 0
        var slot = hash & mask
        while true {
            if let slots {
                let place = slots[slot]
                if place == 0 { return nil }
                at = Int(place) &- 1
                slot = (slot &+ 1) & mask
            } else if at >= count {
                return nil
            }
            if entries[at].hash == hash, RawString.same(entries[at].member.key, key) {
                entries[at].isTaken = true
                return entries[at].member.value
            }
            at &+= 1
        }
    }

    /// The member at a place of the text's order, unless it was taken.
    func untaken(_ place: Int) -> RawMember? {
        guard let entries, place >= 0, place < count, !entries[place].isTaken else { return nil }
        return entries[place].member
    }

    /// Seeded per process, so that nobody can choose keys that collide.
    private static func hash(_ key: ByteView) throws(MemexError) -> Int {
        var hasher = Hasher()
        if RawString.hasEscape(key) {
            var decoded = ByteBuffer(capacity: key.count)
            try JSONEscape.decode(key, to: &decoded)
            if decoded.failed { throw MemexError.noMemory }
            hasher.combine(bytes: UnsafeRawBufferPointer(decoded.view))
        } else {
            hasher.combine(bytes: UnsafeRawBufferPointer(key))
        }
        return hasher.finalize()
    }
}
