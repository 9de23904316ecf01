internal import MemexModel

/// A tokenizer of the host's for one call, which keeps what it failed by. Not for several threads.
final class WatchedTokenizer: TextTokenizer, @unchecked Sendable {
    private let base: any TextTokenizer
    private(set) var failure: MemexError?

    init(_ base: any TextTokenizer) { self.base = base }

    var name: String { base.name }
    var identity: String { base.identity }
    var callsBack: Bool { true }

    func count(_ text: ByteView, special: SpecialTokenPolicy) throws(MemexError) -> Int {
        if let failure { throw failure }
        do throws(MemexError) {
            return try base.count(text, special: special)
        } catch {
            failure = error
            throw error
        }
    }

    func encode(
        _ text: ByteView, special: SpecialTokenPolicy, to ids: inout ByteBuffer
    ) throws(MemexError) {
        try base.encode(text, special: special, to: &ids)
    }

    func decode(_ ids: UnsafeBufferPointer<UInt32>, to text: inout ByteBuffer) throws(MemexError) {
        try base.decode(ids, to: &text)
    }
}
