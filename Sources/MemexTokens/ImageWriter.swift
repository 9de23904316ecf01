/// Puts the sections of a vocabulary image one behind the other, and the header before them.
struct ImageWriter {
    private var header = [UInt8](repeating: 0, count: VocabularyImage.headerBytes)
    private var body: [UInt8] = []

    init() { put(VocabularyImage.magic, at: 0) }

    private mutating func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { bytes in
            for (index, byte) in bytes.enumerated() { header[offset + index] = byte }
        }
    }

    mutating func set(_ field: VocabularyImage.Field, _ value: Int) {
        put(UInt32(truncatingIfNeeded: value), at: 32 + field.rawValue * 4)
    }

    mutating func seeds(_ word: UInt64, _ pair: UInt64) {
        put(word, at: 8)
        put(pair, at: 16)
    }

    mutating func section<T: FixedWidthInteger>(_ field: VocabularyImage.Field, _ entries: [T]) {
        while body.count % 64 != 0 { body.append(0) }
        set(field, VocabularyImage.headerBytes + body.count)
        for entry in entries {
            withUnsafeBytes(of: entry.littleEndian) { body.append(contentsOf: $0) }
        }
    }

    mutating func finish() -> [UInt8] {
        while body.count % 64 != 0 { body.append(0) }
        set(.end, VocabularyImage.headerBytes + body.count)
        return header + body
    }

    static func three(_ value: Int) -> [UInt8] {
        [UInt8(value & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value >> 16 & 0xFF)]
    }
}
