/// A piece of at most sixteen bytes as two zero-padded words.
struct PieceKey {
    let low: UInt64
    let high: UInt64

    static let none = PieceKey(low: 0, high: 0)

    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    init(_ at: UnsafePointer<UInt8>, _ length: Int, padded: Bool) {
        if padded {
            if length <= 8 {
                low = TextLoad.word(at) & TextLoad.mask(length)
                high = 0
            } else {
                low = TextLoad.word(at)
                high = TextLoad.word(at + 8) & TextLoad.mask(length &- 8)
            }
        } else {
            low = TextLoad.partial(at, length)
            high = length > 8 ? TextLoad.partial(at + 8, length &- 8) : 0
        }
    }
}
