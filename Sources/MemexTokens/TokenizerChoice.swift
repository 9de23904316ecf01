package import MemexModel

/// A tokenizer as options name it.
package struct TokenizerChoice: Sendable {
    package let tokenizer: any TextTokenizer
    /// The model, when it was named by one.
    package let model: String?
    package let special: SpecialTokenPolicy

    /// By the name of an encoding, or else of a model.
    package init(named name: ByteView) throws(MemexError) {
        special = .asText
        if let found = TextTokenizers.known(name) {
            tokenizer = found
            model = nil
        } else {
            tokenizer = try TextTokenizers.model(name)
            model = name.text
        }
    }

    /// From {"encoding" | "model" | "path", "pattern", "special"}. The caller finishes the reader.
    package init(_ reader: inout OptionReader) throws(MemexError) {
        let encoding = try reader.string("encoding")
        let model = try reader.string("model")
        let path = try reader.string("path")
        let pattern = try reader.string("pattern")
        guard (encoding == nil ? 0 : 1) + (model == nil ? 0 : 1) + (path == nil ? 0 : 1) == 1 else {
            throw reader.failure("encoding", "give one of \"encoding\", \"model\" and \"path\"")
        }
        if let path, path.contains(0) { throw reader.failure("path", "has a NUL") }
        if pattern != nil, path == nil { throw reader.failure("pattern", "goes with \"path\" alone") }
        if let encoding {
            tokenizer = try TextTokenizers.encoding(encoding)
        } else if let model {
            tokenizer = try TextTokenizers.model(model)
        } else {
            tokenizer = try TextTokenizers.file(
                path: path?.text ?? "", options: RankFileOptions(pattern: pattern?.text))
        }
        self.model = model?.text
        special = try Self.special(&reader)
    }

    private static func special(_ reader: inout OptionReader) throws(MemexError) -> SpecialTokenPolicy {
        guard let name = try reader.string("special") else { return .asText }
        if name.equals("text") { return .asText }
        if name.equals("tokens") { return .asTokens }
        throw reader.failure("special", "is neither \"text\" nor \"tokens\"")
    }

    /// What counts the messages of a store or a window: the value of "tokenizer", a name or an object.
    package static func counter(_ reader: inout OptionReader) throws(MemexError) -> MessageCounter? {
        guard let node = reader.value("tokenizer") else { return nil }
        do throws(MemexError) {
            if node.kind != .object {
                guard let name = try reader.string("tokenizer") else { return nil }
                return MessageCounter(try TokenizerChoice(named: name))
            }
            guard var nested = try reader.nested("tokenizer") else { return nil }
            let choice = try TokenizerChoice(&nested)
            try nested.finish()
            return MessageCounter(choice)
        } catch {
            // A store answers NOT_FOUND when there is none.
            guard error.code == .notFound else { throw error }
            throw reader.failure("tokenizer", error.message)
        }
    }
}
