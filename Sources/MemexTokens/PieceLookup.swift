/// A piece of a window whose place in the vocabulary is known and not yet read.
struct PieceLookup {
    let low: UInt64
    let high: UInt64
    let place: UnsafeRawPointer
    let start: Int
    let length: Int
}
