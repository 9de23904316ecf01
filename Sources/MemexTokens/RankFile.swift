package import MemexModel

/// A `.tiktoken` file: a line for each token, its bytes in Base64, a blank, its rank.
package enum RankFile {
    /// The longest token; published files have none of over 128 bytes.
    static let longestToken = 1_024

    /// The tokens by rank.
    static func parse(_ text: ByteView, name: String) throws(MemexError) -> TokenTable {
        var tokens = TokenTable()
        var token = ByteBuffer()
        var line = 0
        var at = 0
        while at < text.count {
            line &+= 1
            var end = at
            while end < text.count, text.byte(end) != 0x0A { end &+= 1 }
            var last = end
            if last > at, text.byte(last &- 1) == 0x0D { last &-= 1 }
            if last > at {
                if let problem = add(text.slice(at, last &- at), &token, to: &tokens) {
                    throw MemexError(
                        .invalid, "line \(line) of \(name) \(problem)", detailMembers: "\"line\":\(line)")
                }
            }
            at = end &+ 1
        }
        if tokens.failed || token.failed { throw MemexError.noMemory }
        return tokens
    }

    /// Adds the token of a line; what is wrong with it, if anything.
    private static func add(
        _ line: ByteView, _ token: inout ByteBuffer, to tokens: inout TokenTable
    ) -> String? {
        token.removeAll()
        var blank = 0
        while blank < line.count, line.byte(blank) != 0x20 { blank &+= 1 }
        guard blank < line.count, blank > 0 else { return "is not a token in Base64, a blank and a rank" }
        guard Base64.decode(line.slice(0, blank), to: &token) else { return "has a token that is not Base64" }
        if token.count == 0 { return "has an empty token" }
        if token.count > longestToken { return "has a token of more than \(longestToken) bytes" }
        var rank = 0
        var at = blank &+ 1
        let limit = VocabularyImage.idLimit &- 1
        if at >= line.count { return "has no rank" }
        while at < line.count {
            let digit = Int(line.byte(at)) &- 0x30
            guard digit >= 0, digit <= 9 else { return "has a rank that is not a number" }
            rank = rank &* 10 &+ digit
            if rank >= limit { return "has a rank that is not below \(limit)" }
            at &+= 1
        }
        switch tokens.add(token.view, id: rank) {
        case .added: return nil
        case .repeatsID: return "repeats a rank"
        case .repeatsToken: return "repeats a token"
        }
    }

    /// The image of a rank file's vocabulary.
    package static func image(_ text: ByteView, name: String) throws(MemexError) -> ByteBuffer {
        try VocabularyBuilder.make(try parse(text, name: name), name: name).image()
    }
}

extension UnsafeBufferPointer where Element == UInt8 {
    /// A byte, 0 where there is none.
    @inline(__always)
    func byte(_ index: Int) -> UInt8 {
        guard UInt(bitPattern: index) < UInt(bitPattern: count), let baseAddress else { return 0 }
        return baseAddress[index]
    }
}
