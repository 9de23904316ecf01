package import MemexModel

/// The tokenizers that the program registered, by the names that open them as encodings.
///
/// Whoever opened one holds on to it, so removing it here ends nothing that runs. Tokenizers are let go outside
/// of the lock: their deinit may call back. A list, because it has no way to trap, and is short.
package enum TokenizerRegistry {
    private final class Entry: Sendable {
        let tokenizer: any TextTokenizer
        let next: Entry?

        init(_ tokenizer: any TextTokenizer, _ next: Entry?) {
            self.tokenizer = tokenizer
            self.next = next
        }
    }

    private static let registered = ProcessWide<Entry?>(nil)

    /// Adds a tokenizer; the caller has checked the form of the name.
    package static func register(_ tokenizer: any TextTokenizer) throws(MemexError) {
        let isAdded = tokenizer.name.withBytes { name in
            if TextTokenizers.isBuiltIn(name) { return false }
            return registered.withLock { first in
                if find(name, from: first) != nil { return false }
                first = Entry(tokenizer, first)
                return true
            }
        }
        if !isAdded { throw MemexError(.exists, "a tokenizer of that name is built in or registered") }
    }

    package static func unregister(_ name: ByteView) throws(MemexError) {
        let removed: Entry? = registered.withLock { first in
            guard let found = find(name, from: first) else { return nil }
            var kept: Entry?
            var entry = first
            while let one = entry {
                if one !== found { kept = Entry(one.tokenizer, kept) }
                entry = one.next
            }
            first = kept
            return found
        }
        if removed == nil { throw MemexError(.notFound, "no tokenizer of that name is registered") }
    }

    static func tokenizer(_ name: ByteView) -> (any TextTokenizer)? {
        registered.withLock { find(name, from: $0)?.tokenizer }
    }

    /// Goes through the names.
    static func forEachName(_ body: (String) -> Void) {
        var entry = registered.withLock { $0 }
        while let one = entry {
            body(one.tokenizer.name)
            entry = one.next
        }
    }

    private static func find(_ name: ByteView, from first: Entry?) -> Entry? {
        var entry = first
        while let one = entry {
            if one.tokenizer.name.withBytes({ $0.equals(name) }) { return one }
            entry = one.next
        }
        return nil
    }
}
