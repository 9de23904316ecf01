internal import MemexModel

/// The regular expressions that published tokenizers split with. There is no engine for others.
///
/// The one of cl100k_base as tiktoken writes it is not among them: its `{1,3}+` repeats groups of numbers in
/// the tokenizers library, so that all numbers in a row are one piece there.
enum KnownPattern {
    /// Takes all of a text.
    case whole(SplitPattern)
    /// `\p{N}` or `\p{N}{1,3}`.
    case numbers(Int)
    /// `[一-龥぀-ゟ゠-ヿ]+`
    case hanAndKana
    /// The words of DeepSeek V3.
    case deepSeek

    private static let gpt2: StaticString =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    private static let gpt2Shorter: StaticString =
        #"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    private static let p50k: StaticString =
        #"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"#
    private static let llama: StaticString =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let qwen: StaticString =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let o200k: StaticString =
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let tekken: StaticString =
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let deepSeekWords: StaticString =
        ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##
    private static let hanText: StaticString = "[\u{4E00}-\u{9FA5}\u{3040}-\u{309F}\u{30A0}-\u{30FF}]+"

    /// Nil for an expression that is not known. Newlines in brackets may stand for themselves.
    init?(_ text: ByteView) {
        var plain = ByteBuffer()
        var at = 0
        while at < text.count {
            switch text.byte(at) {
            case 0x0A: plain.append(#"\n"#)
            case 0x0D: plain.append(#"\r"#)
            default: plain.append(byte: text.byte(at))
            }
            at &+= 1
        }
        let found = plain.view
        if found.equals(Self.gpt2) || found.equals(Self.gpt2Shorter) || found.equals(Self.p50k) {
            self = .whole(.p50k)
        } else if found.equals(Self.llama) {
            self = .whole(.llama)
        } else if found.equals(Self.qwen) {
            self = .whole(.qwen)
        } else if found.equals(Self.o200k) {
            self = .whole(.o200k)
        } else if found.equals(Self.tekken) {
            self = .whole(.tekken)
        } else if found.equals(Self.deepSeekWords) {
            self = .deepSeek
        } else if found.equals(Self.hanText) {
            self = .hanAndKana
        } else if found.equals(#"\p{N}"#) {
            self = .numbers(1)
        } else if found.equals(#"\p{N}{1,3}"#) {
            self = .numbers(3)
        } else {
            return nil
        }
    }

    /// The end of a match that begins at a place before the end of a text; the place itself when none does.
    func end(_ text: PieceText, _ view: ByteView, _ at: Int) -> Int {
        switch self {
        case .whole(let pattern): return pattern.pieceEnd(text, at)
        case .numbers(let limit): return text.numberEnd(at, limit)
        case .hanAndKana:
            var end = at
            while end < view.count {
                let (code, length) = CodePoints.read(view, end)
                guard code &- 0x4E00 <= 0x51A5 || code &- 0x3040 <= 0xBF else { break }
                end &+= length
            }
            return end
        case .deepSeek: return DeepSeekWords.end(text, view, at)
        }
    }
}
