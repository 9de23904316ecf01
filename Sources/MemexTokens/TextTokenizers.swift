package import MemexModel

/// The tokenizers that are built in or registered, by the name of the encoding or of a model.
package enum TextTokenizers {
    package static let names =
        BuiltInEncoding.allCases.map(\.rawValue) + ["estimate"] + CalibratedEstimate.names

    /// All names that open as an encoding.
    package static var allNames: [String] {
        var all = names
        TokenizerRegistry.forEachName { all.append($0) }
        return all
    }

    static func isBuiltIn(_ name: ByteView) -> Bool {
        var isFound = false
        names.forEachElement { known in
            isFound = known.withBytes { $0.equals(name) }
            return !isFound
        }
        return isFound
    }

    /// The tokenizer of an encoding; `estimate` needs no vocabulary, `estimate:claude` and `estimate:gemini` are
    /// for models that publish none.
    package static func encoding(_ name: ByteView) throws(MemexError) -> any TextTokenizer {
        if let found = known(name) { return found }
        throw MemexError(
            .notFound, "the encoding is not known; known are \(allNames.joined(separator: ", "))",
            detailMembers: "\"encoding\":\(JSONText.quoted(name.text))")
    }

    /// The tokenizer that has a name of its own, nil when none has.
    static func known(_ name: ByteView) -> (any TextTokenizer)? {
        if name.equals("estimate") { return EstimateTokenizer() }
        if let found = CalibratedEstimate.named(name) { return found }
        if let encoding = BuiltInEncoding(rawValue: name.text), let found = BytePairTokenizer(encoding) {
            return found
        }
        return TokenizerRegistry.tokenizer(name)
    }

    /// The tokenizer that a model counts with. There is none for models whose makers publish none, and no
    /// silent estimate.
    package static func model(_ name: ByteView) throws(MemexError) -> any TextTokenizer {
        let details = "\"model\":\(JSONText.quoted(name.text))"
        guard let encoding = ModelEncodings.encoding(name) else {
            throw MemexError(
                .notFound,
                "no tokenizer is known for the model; name an encoding (\(allNames.joined(separator: ", "))) or one"
                    + " of the models \(ModelEncodings.choices)",
                detailMembers: details)
        }
        guard let builtIn = BuiltInEncoding(rawValue: encoding.description),
            let found = BytePairTokenizer(builtIn)
        else {
            throw MemexError(
                .unsupported,
                "the model counts with \(encoding), which is not built in; built in are"
                    + " \(names.joined(separator: ", "))",
                detailMembers: details)
        }
        return found
    }
}
