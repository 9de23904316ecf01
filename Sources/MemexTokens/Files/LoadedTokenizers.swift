internal import MemexModel

/// The tokenizers of files that somebody has: a store, a handle and a window of one file share one.
enum LoadedTokenizers {
    private final class Entry: @unchecked Sendable {
        weak var tokenizer: FileTokenizer?
        let next: Entry?

        init(_ tokenizer: FileTokenizer, _ next: Entry?) {
            self.tokenizer = tokenizer
            self.next = next
        }
    }

    private static let entries = ProcessWide<Entry?>(nil)

    /// The one that was made of these very bytes, if it is still in use.
    static func find(_ name: String, _ identity: String) -> FileTokenizer? {
        entries.withLock { first in
            var entry = first
            while let one = entry {
                if let found = one.tokenizer, found.identity == identity, found.name == name {
                    return found
                }
                entry = one.next
            }
            return nil
        }
    }

    /// Keeps one as long as somebody else does, and forgets those that nobody has.
    static func keep(_ tokenizer: FileTokenizer) {
        entries.withLock { first in
            var kept: Entry? = Entry(tokenizer, nil)
            var entry = first
            while let one = entry {
                if let found = one.tokenizer { kept = Entry(found, kept) }
                entry = one.next
            }
            first = kept
        }
    }
}
