package import MemexModel

/// The tokenizers that the program registered, by the names that open them as encodings.
///
/// Whoever opened one holds on to it, so removing it here ends nothing that runs. Tokenizers are let go outside
/// of the lock: their deinit may call back.
package enum TokenizerRegistry {
    private static let registered = ProcessWide<[String: any TextTokenizer]>([:])

    /// Adds a tokenizer; the caller has checked the form of the name.
    package static func register(_ tokenizer: any TextTokenizer) throws(MemexError) {
        let name = tokenizer.name
        let isTaken = registered.withLock { registered in
            if TextTokenizers.names.contains(name) || registered[name] != nil { return true }
            registered[name] = tokenizer
            return false
        }
        if isTaken { throw MemexError(.exists, "a tokenizer of that name is built in or registered") }
    }

    package static func unregister(_ name: ByteView) throws(MemexError) {
        let text = name.text
        let removed = registered.withLock { $0.removeValue(forKey: text) }
        if removed == nil { throw MemexError(.notFound, "no tokenizer of that name is registered") }
    }

    package static var names: [String] { registered.withLock { $0.keys.sorted() } }

    static func tokenizer(_ name: ByteView) -> (any TextTokenizer)? {
        let text = name.text
        return registered.withLock { $0[text] }
    }
}
