internal import MemexModel

/// Counts pieces of text; a block of memory is used again for each.
struct TextMeter: ~Copyable {
    let tokenizer: any TextTokenizer
    private var scratch = ByteBuffer()

    init(_ tokenizer: any TextTokenizer) { self.tokenizer = tokenizer }

    /// Where the tokenizer fails, for want of memory, a guess stands in: a count has no error to give.
    func count(_ text: ByteView) -> Int {
        if text.count == 0 { return 0 }
        return (try? tokenizer.count(text, special: .asText)) ?? text.count / 4 &+ 1
    }

    func count(_ text: borrowing ByteBuffer) -> Int { count(text.view) }

    /// Tokens of a JSON string; 0 when the value is none.
    mutating func count(string value: ByteView, after prefix: StaticString = "") -> Int {
        guard let raw = RawString.contents(value) else { return 0 }
        scratch.removeAll()
        scratch.append(prefix)
        Self.append(raw, to: &scratch)
        return count(scratch.view)
    }

    /// Tokens of a JSON value as compact JSON.
    mutating func count(json value: ByteView) -> Int {
        scratch.removeAll()
        CompactJSON.append(value, to: &scratch)
        return count(scratch.view)
    }

    /// Tokens of a call's arguments: JSON inside a JSON string, which is put compactly.
    mutating func count(arguments value: ByteView) -> Int {
        scratch.removeAll()
        Self.append(arguments: value, to: &scratch)
        return count(scratch.view)
    }

    static func append(arguments value: ByteView, to out: inout ByteBuffer) {
        guard let raw = RawString.contents(value) else { return CompactJSON.append(value, to: &out) }
        var text = ByteBuffer()
        append(raw, to: &text)
        if (try? JSONCheck.strict(text.view)) != nil {
            CompactJSON.append(text.view, to: &out)
        } else {
            out.append(text.view)
        }
    }

    /// The text of a raw string; one that cannot be decoded stays as it stands.
    static func append(_ raw: ByteView, to out: inout ByteBuffer) {
        do throws(MemexError) { try JSONEscape.decode(raw, to: &out) } catch { out.append(raw) }
    }
}
