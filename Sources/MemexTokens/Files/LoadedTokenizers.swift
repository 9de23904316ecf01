internal import MemexModel

/// The tokenizers of files that somebody has: a store, a handle and a window of one file share one.
enum LoadedTokenizers {
    private struct Entry {
        weak var tokenizer: FileTokenizer?
    }

    private static let entries = ProcessWide<[Entry]>([])

    /// The one that was made of these very bytes, if it is still in use.
    static func find(_ name: String, _ identity: String) -> FileTokenizer? {
        entries.withLock { entries in
            for entry in entries {
                if let found = entry.tokenizer, found.identity == identity, found.name == name {
                    return found
                }
            }
            return nil
        }
    }

    /// Keeps one as long as somebody else does.
    static func keep(_ tokenizer: FileTokenizer) {
        entries.withLock { entries in
            entries.removeAll { $0.tokenizer == nil }
            entries.append(Entry(tokenizer: tokenizer))
        }
    }
}
