package import MemexModel

/// What a `.tiktoken` file does not say.
package struct RankFileOptions: Sendable {
    /// How text is split before it is merged: `o200k_base`, `cl100k_base`, `p50k_base` (also for `r50k_base`
    /// and `gpt2`), `llama`, `qwen` or `tekken`. There is no default: the file does not tell, and a wrong one
    /// counts wrong.
    package var pattern: String?
    /// Special tokens and their ids.
    package var special: [(name: String, id: Int)]

    package init(pattern: String? = nil, special: [(name: String, id: Int)] = []) {
        self.pattern = pattern
        self.special = special
    }
}

extension TextTokenizers {
    /// The names of the patterns that a rank file may be split with.
    package static let patterns = ["o200k_base", "cl100k_base", "p50k_base", "llama", "qwen", "tekken"]

    /// The tokenizer of a file: a Hugging Face `tokenizer.json`, or a `.tiktoken` rank file by its name.
    ///
    /// Loading reads the whole file and takes from a few milliseconds to about a second, see
    /// docs/reference/tokenizer-files.md; keep the tokenizer. Opening the same file again is only reading it.
    /// Post-processors and truncation are not applied: the tokens are those of the text alone.
    ///
    /// - Parameter options: for a rank file only; a `tokenizer.json` says everything itself.
    /// - Throws: NOT_FOUND, IO; INVALID for a broken file, with its line or JSON path; UNSUPPORTED for a
    ///   component that is not known, by name; LIMIT for a file of over 256 MiB.
    package static func file(
        path: String, options: RankFileOptions = RankFileOptions()
    ) throws(MemexError) -> any TextTokenizer {
        let contents = try FileContents.read(path)
        let text = contents.view
        let identity = options.identity(of: text)
        if let found = LoadedTokenizers.find(path, identity) { return found }
        // A file of ranks begins with Base64, a tokenizer.json with an object.
        var first = 0
        while first < text.count, text.byte(first) <= 0x20 { first &+= 1 }
        let found: FileTokenizer
        if text.byte(first) == 0x7B {
            found = try TokenizerReader(path: path, text: text).read()
        } else {
            found = try RankFile.tokenizer(text, path: path, options: options)
        }
        found.identity = identity
        LoadedTokenizers.keep(found)
        return found
    }
}

extension RankFileOptions {
    /// What tells a file's way to count from all others.
    func identity(of text: ByteView) -> String {
        var digest = SHA256()
        digest.update(text)
        let words = digest.finish()
        let tokens = special.map { "\($0.id) \($0.name)" }.joined(separator: "\n")
        return "file \(words.0) \(words.1) \(words.2) \(words.3) \(pattern ?? "")\n\(tokens)"
    }
}

extension RankFile {
    /// The tokenizer of a rank file.
    static func tokenizer(
        _ text: ByteView, path: String, options: RankFileOptions
    ) throws(MemexError) -> FileTokenizer {
        let choices = TextTokenizers.patterns.joined(separator: ", ")
        let tokens = try parse(text, name: path)
        guard let name = options.pattern else {
            throw FileContents.fault(
                .invalid, path,
                "is a rank file, which does not say how text is split; set \"pattern\" to one of \(choices)")
        }
        guard let pattern = SplitPattern(name) else {
            throw MemexError(
                .notFound, "the pattern is not known; known are \(choices)",
                detailMembers: "\"pattern\":\(JSONText.quoted(name))")
        }
        var others = TokenTable()
        var patterns = TokenTable()
        var flags = HeapArray<AddedTokens.Flags>(AddedTokens.Flags())
        var fault: MemexError?
        options.special.forEachElement { name, id in
            let problem: String?
            if id < 0 || id >= VocabularyImage.idLimit &- 1 || tokens.has(id) {
                problem = "has an id that is taken, or none from 0 to below \(VocabularyImage.idLimit - 1)"
            } else if name.isEmpty || name.utf8.count > longestToken {
                problem = "must have 1 to \(longestToken) bytes"
            } else {
                let outcome = name.withBytes { others.add($0, id: id) }
                if case .added = outcome { problem = nil } else { problem = "comes twice, or its id does" }
            }
            if let problem {
                fault = MemexError(
                    .invalid, "the special token \(JSONText.quoted(name)) \(problem)",
                    detailMembers: "\"special\":\(JSONText.quoted(name))")
                return false
            }
            _ = name.withBytes { patterns.add($0, id: flags.count) }
            flags.append(AddedTokens.Flags(id: UInt32(truncatingIfNeeded: id), isSpecial: true))
            return true
        }
        if let fault { throw fault }
        if others.failed { throw MemexError.noMemory }
        let pipeline = TextPipeline(
            before: try AddedTokens.make(patterns, flags),
            after: try AddedTokens.make(TokenTable(), HeapArray(AddedTokens.Flags())), normalizer: [],
            steps: [.pattern(.whole(pattern), .isolated, invert: false)])
        let builder = try VocabularyBuilder.make(tokens, name: path)
        let model: TokenizerModel
        if builder.hasImage {
            model = .image(try LoadedImage(try builder.image()))
        } else {
            // Ranks that no image has: any two tokens that together are one merge, by its rank.
            var options = PairModel.Options()
            options.isByteLevel = true
            options.ignoresMerges = true
            let tokens = builder.release()
            let pairs = PairRanks(everySplitOf: tokens)
            if pairs.failed { throw MemexError.noMemory }
            model = .pairs(PairModel(tokens, pairs, options))
        }
        return FileTokenizer(
            name: path, model: model, decoder: [.bytes], isByteLevel: true, pipeline: pipeline,
            others: others,
            unreachable: TokenTable())
    }
}

extension SplitPattern {
    /// Nil for a name that is not known.
    init?(_ name: String) {
        switch name {
        case "o200k_base": self = .o200k
        case "cl100k_base": self = .cl100k
        case "p50k_base", "r50k_base", "gpt2": self = .p50k
        case "llama": self = .llama
        case "qwen": self = .qwen
        case "tekken": self = .tekken
        default: return nil
        }
    }
}
