internal import MemexModel

/// Puts the sections of a vocabulary image one behind the other, and the header before them.
struct ImageWriter: ~Copyable {
    private var image = ByteBuffer()

    init() {
        var at = 0
        while at < VocabularyImage.headerBytes {
            image.append(byte: 0)
            at &+= 1
        }
        put(VocabularyImage.magic, at: 0)
    }

    private mutating func put<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        var stored = value.littleEndian
        withUnsafeBytes(of: &stored) { image.overwrite(at: offset, $0.bindMemory(to: UInt8.self)) }
    }

    mutating func set(_ field: VocabularyImage.Field, _ value: Int) {
        put(UInt32(truncatingIfNeeded: value), at: 32 &+ field.rawValue &* 4)
    }

    mutating func seeds(_ word: UInt64, _ pair: UInt64) {
        put(word, at: 8)
        put(pair, at: 16)
    }

    private mutating func align() { while image.count & 63 != 0 { image.append(byte: 0) } }

    /// Begins a section; its entries follow.
    mutating func section(_ field: VocabularyImage.Field) {
        align()
        set(field, image.count)
    }

    @inline(__always)
    mutating func append<T: FixedWidthInteger>(_ entry: T) { image.append(littleEndian: entry) }

    @inline(__always)
    mutating func append(three value: Int) {
        image.append(byte: UInt8(truncatingIfNeeded: value))
        image.append(byte: UInt8(truncatingIfNeeded: value &>> 8))
        image.append(byte: UInt8(truncatingIfNeeded: value &>> 16))
    }

    mutating func append(_ bytes: ByteView) { image.append(bytes) }

    mutating func section<T: FixedWidthInteger & BitwiseCopyable>(
        _ field: VocabularyImage.Field, _ entries: borrowing HeapArray<T>
    ) {
        section(field)
        var at = 0
        while at < entries.count {
            append(entries[at])
            at &+= 1
        }
    }

    consuming func finish() throws(MemexError) -> ByteBuffer {
        align()
        set(.end, image.count)
        if image.failed { throw MemexError.noMemory }
        return image
    }
}
