package import MemexModel

/// A step of a pipeline that the program brings. Any thread may call it, several at once.
package protocol CustomStrategy: AnyObject, Sendable {
    /// Chooses among messages. The input is `{"config", "max_tokens", "messages"}`, the reply
    /// `{"keep": [seq, …], "reasons": {"<seq>": text}}`; never called with a lock held.
    func select(input: ByteView, reply: inout ByteBuffer) throws(MemexError)
}
