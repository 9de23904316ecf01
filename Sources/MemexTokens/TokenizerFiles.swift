internal import MemexModel

/// Tokenizers that are loaded from files.
enum TokenizerFiles {
    static func open(
        _ path: ByteView?, _ pattern: ByteView?, _ reader: borrowing OptionReader
    ) throws(MemexError) -> any TextTokenizer {
        throw reader.failure("path", "files cannot be loaded; name an encoding or a model")
    }
}
