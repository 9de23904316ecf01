package import MemexModel

/// Turns text into tokens. Any thread may use it.
///
/// Text is bytes. What is no UTF-8 counts byte by byte as symbols; decoding what was encoded gives the same
/// bytes again.
package protocol TextTokenizer: Sendable {
    /// The name that options and results carry.
    var name: String { get }

    /// What stored counts are known by: no other way to count has the same.
    var identity: String { get }

    /// Whether it runs code of the host's, so that it must not be used where something is held.
    var callsBack: Bool { get }

    /// Tokens of a text.
    func count(_ text: ByteView, special: SpecialTokenPolicy) throws(MemexError) -> Int

    /// Tokens of each of several texts, which is faster than one after the other.
    ///
    /// - Parameter counts: room for as many numbers as there are texts.
    func count(
        batch texts: UnsafeBufferPointer<ByteView>, special: SpecialTokenPolicy,
        to counts: UnsafeMutablePointer<Int>
    ) throws(MemexError)

    /// Appends the ids of a text's tokens, four bytes each.
    func encode(
        _ text: ByteView, special: SpecialTokenPolicy, to ids: inout ByteBuffer
    ) throws(MemexError)

    /// Appends the bytes of tokens. An id that is none is an error that names its place.
    func decode(_ ids: UnsafeBufferPointer<UInt32>, to text: inout ByteBuffer) throws(MemexError)
}

extension TextTokenizer {
    package var identity: String { name }
    package var callsBack: Bool { false }

    /// One text after the other.
    package func count(
        batch texts: UnsafeBufferPointer<ByteView>, special: SpecialTokenPolicy,
        to counts: UnsafeMutablePointer<Int>
    ) throws(MemexError) {
        guard let first = texts.baseAddress else { return }
        var index = 0
        while index < texts.count {
            counts[index] = try count(first[index], special: special)
            index &+= 1
        }
    }
}

/// What becomes of a text that looks like a special token, such as `<|endoftext|>`.
package enum SpecialTokenPolicy: Sendable {
    /// It is text like any other: what users write never becomes a special token.
    case asText
    /// It is the special token of that name.
    case asTokens
}
