/// What merging begins with.
extension VocabularyImage {
    /// The part that begins at `from`: a character where nothing can merge across its edges before it is
    /// whole, else a byte.
    @inline(__always)
    func part(
        _ at: UnsafePointer<UInt8>, _ from: Int, _ length: Int
    ) -> (id: UInt32, length: Int) {
        let lead = at[from]
        if lead >= 0xC2, lead < 0xF5 {
            let size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
            let end = from &+ size
            if end <= length, from == 0 || !straddles(at[from &- 1], lead),
                end == length || (at[end] & 0xC0 != 0x80 && !straddles(at[end &- 1], at[end]))
            {
                let id = token(at + from, size)
                if id != Self.noToken { return (id, size) }
            }
        }
        return (bytes[Int(lead)], 1)
    }

    /// The token of a character of two to four bytes, if it is one.
    @inline(__always)
    private func token(_ at: UnsafePointer<UInt8>, _ size: Int) -> UInt32 {
        let none = Self.noToken
        let second = at[1]
        guard second & 0xC0 == 0x80 else { return none }
        let high = Int(at[0]) &<< 6 | Int(second & 0x3F)
        if size == 2 { return character(high & 0x7FF) }
        let third = at[2]
        guard third & 0xC0 == 0x80 else { return none }
        // The code of a surrogate or an overlong form is not in the table.
        if size == 3 {
            return high & 0x3E0 == 0 ? none : character((high &<< 6 | Int(third & 0x3F)) & 0xFFFF)
        }
        guard at[3] & 0xC0 == 0x80 else { return none }
        return shortToken(UInt64(TextLoad.partial(at, 4)))
    }
}
