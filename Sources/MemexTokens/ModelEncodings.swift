internal import MemexModel

/// Which encoding a model counts with, as tiktoken has it. Encodings that are not built in are named, so that
/// the error can say what is missing.
enum ModelEncodings {
    /// Whole names.
    static let names: [(StaticString, StaticString)] = [
        ("o1", "o200k_base"), ("o3", "o200k_base"), ("o4-mini", "o200k_base"), ("gpt-5", "o200k_base"),
        ("gpt-4.1", "o200k_base"), ("gpt-4o", "o200k_base"), ("gpt-4", "cl100k_base"),
        ("gpt-3.5-turbo", "cl100k_base"), ("gpt-3.5", "cl100k_base"), ("gpt-35-turbo", "cl100k_base"),
        ("davinci-002", "cl100k_base"), ("babbage-002", "cl100k_base"),
        ("text-embedding-ada-002", "cl100k_base"), ("text-embedding-3-small", "cl100k_base"),
        ("text-embedding-3-large", "cl100k_base"), ("text-davinci-003", "p50k_base"),
        ("text-davinci-002", "p50k_base"), ("code-davinci-002", "p50k_base"),
        ("code-davinci-001", "p50k_base"), ("code-cushman-002", "p50k_base"),
        ("code-cushman-001", "p50k_base"), ("davinci-codex", "p50k_base"), ("cushman-codex", "p50k_base"),
        ("text-davinci-edit-001", "p50k_edit"), ("code-davinci-edit-001", "p50k_edit"),
        ("text-davinci-001", "r50k_base"), ("text-curie-001", "r50k_base"),
        ("text-babbage-001", "r50k_base"), ("text-ada-001", "r50k_base"), ("davinci", "r50k_base"),
        ("curie", "r50k_base"), ("babbage", "r50k_base"), ("ada", "r50k_base"), ("gpt2", "gpt2"),
        ("gpt-2", "gpt2"),
    ]

    /// Beginnings of names, tried in order after the whole names.
    static let beginnings: [(StaticString, StaticString)] = [
        ("o1-", "o200k_base"), ("o3-", "o200k_base"), ("o4-mini-", "o200k_base"), ("gpt-5", "o200k_base"),
        ("gpt-4.5-", "o200k_base"), ("gpt-4.1-", "o200k_base"), ("chatgpt-4o-", "o200k_base"),
        ("gpt-4o-", "o200k_base"), ("gpt-4-", "cl100k_base"), ("gpt-3.5-turbo-", "cl100k_base"),
        ("gpt-35-turbo-", "cl100k_base"), ("gpt-oss-", "o200k_harmony"), ("ft:gpt-4o", "o200k_base"),
        ("ft:gpt-4", "cl100k_base"), ("ft:gpt-3.5-turbo", "cl100k_base"),
        ("ft:davinci-002", "cl100k_base"), ("ft:babbage-002", "cl100k_base"),
    ]

    /// The encoding's name; nil for a model that is not known.
    static func encoding(_ model: ByteView) -> StaticString? {
        if let found = first(names, { model.equals($0) }) { return found }
        return first(beginnings) { beginning in
            let length = beginning.utf8CodeUnitCount
            return model.count >= length && model.slice(0, length).equals(beginning)
        }
    }

    private static func first(
        _ entries: [(StaticString, StaticString)], _ matches: (StaticString) -> Bool
    ) -> StaticString? {
        entries.withUnsafeBufferPointer { entries in
            guard let base = entries.baseAddress else { return nil }
            var index = 0
            while index < entries.count {
                if matches(base[index].0) { return base[index].1 }
                index &+= 1
            }
            return nil
        }
    }

    /// What can be asked for, for an error: the names that lead somewhere, beginnings with an asterisk.
    static var choices: String {
        let known = Set(BuiltInEncoding.allCases.map(\.rawValue))
        let whole = names.filter { known.contains($0.1.description) }.map { $0.0.description }
        return (whole + beginnings.map { $0.0.description + "*" }).joined(separator: ", ")
    }
}
