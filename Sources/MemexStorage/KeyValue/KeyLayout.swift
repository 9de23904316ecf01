package import MemexModel

/// The keys under which an engine keeps its rows. Numbers are big endian, so that bytes sort as they do.
package enum KeyLayout {
    static let maximumSize = 1024

    // First bytes of keys.
    package static let format: UInt8 = 0x21  // !
    package static let nextKey = UInt8(ascii: "n")
    package static let head = UInt8(ascii: "t")
    package static let document = UInt8(ascii: "u")
    package static let name = UInt8(ascii: "i")
    /// After all others: messages of the newest thread then come in at the end of the store, where trees
    /// leave full pages behind.
    package static let message = UInt8(ascii: "z")
    package static let messageID = UInt8(ascii: "x")
    package static let receipt = UInt8(ascii: "k")
    package static let marked = UInt8(ascii: "p")
    package static let activity = UInt8(ascii: "a")
    package static let creation = UInt8(ascii: "o")
    package static let fork = UInt8(ascii: "f")
    package static let family = UInt8(ascii: "r")
    package static let derived = UInt8(ascii: "d")
    package static let blob = UInt8(ascii: "b")
    package static let piece = UInt8(ascii: "s")

    /// Rows that belong to a thread and go with it, by (prefix, key, …).
    static let ownedPrefixes: [UInt8] = [message, messageID, receipt, marked, derived, piece]
}

extension ByteBuffer {
    @inline(__always)
    mutating func append(bigEndian value: UInt64) {
        var stored = value.bigEndian
        withUnsafeBytes(of: &stored) { append($0.bindMemory(to: UInt8.self)) }
    }

    /// A number of a thread or message: never negative.
    @inline(__always)
    mutating func append(ordered value: Int64) { append(bigEndian: UInt64(value < 0 ? 0 : value)) }

    /// A moment, which may lie before 1970.
    @inline(__always)
    mutating func append(moment: Int64) {
        append(bigEndian: UInt64(bitPattern: moment) ^ 0x8000_0000_0000_0000)
    }

    @inline(__always)
    mutating func key(_ prefix: UInt8, _ key: Int64) {
        append(byte: prefix)
        append(ordered: key)
    }

    @inline(__always)
    mutating func key(_ prefix: UInt8, _ key: Int64, _ second: Int64) {
        append(byte: prefix)
        append(ordered: key)
        append(ordered: second)
    }

    @inline(__always)
    mutating func key(_ prefix: UInt8, _ key: Int64, _ rest: ByteView) {
        append(byte: prefix)
        append(ordered: key)
        append(rest)
    }

    /// The tenant with its length in front: no tenant's rows stand between those of another.
    mutating func key(_ prefix: UInt8, tenant: ByteView) {
        append(byte: prefix)
        append(byte: UInt8(truncatingIfNeeded: tenant.count))
        append(tenant)
    }

    mutating func key(_ prefix: UInt8, tenant: String) {
        append(byte: prefix)
        append(byte: UInt8(truncatingIfNeeded: tenant.utf8.count))
        append(text: tenant)
    }

    mutating func nameKey(tenant: String, id: String) {
        key(KeyLayout.name, tenant: tenant)
        append(text: id)
    }

    mutating func activityKey(tenant: ByteView, at moment: Int64, _ key: Int64) {
        self.key(KeyLayout.activity, tenant: tenant)
        append(moment: moment)
        append(ordered: key)
    }

    mutating func derivedKey(_ key: Int64, kind: String, name: String?) {
        self.key(KeyLayout.derived, key)
        append(text: kind)
        append(byte: 0)
        if let name { append(text: name) }
    }

    mutating func blobKey(_ hash: BlobHash) {
        append(byte: KeyLayout.blob)
        append(bigEndian: hash.words.0)
        append(bigEndian: hash.words.1)
        append(bigEndian: hash.words.2)
        append(bigEndian: hash.words.3)
    }

    mutating func pieceKey(_ key: Int64, seq: Int64, piece: Int64) {
        self.key(KeyLayout.piece, key, seq)
        append(ordered: piece)
    }

    /// Turns the key of a prefix into the first key after all that begin with it. The last byte of a
    /// prefix that is all 0xFF cannot be raised; none of ours is.
    mutating func advancePastPrefix() {
        while count > 0, let base {
            let last = base[count &- 1]
            if last < 0xFF {
                base[count &- 1] = last &+ 1
                return
            }
            truncate(count &- 1)
        }
    }

    /// Turns a key into the one right after it.
    mutating func advancePastKey() { append(byte: 0) }

    /// Its bytes, for the length of a call; throws when memory ran out while it was made.
    @inline(__always)
    package borrowing func lend<R>(
        _ body: (ByteView) throws(MemexError) -> R
    ) throws(MemexError) -> R {
        if failed { throw .noMemory }
        return try body(view)
    }
}
