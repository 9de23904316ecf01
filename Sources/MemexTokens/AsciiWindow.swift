internal import CMemexShim

/// Splits up to 64 bytes of ASCII at once: where pieces begin falls out of shifts and sums of class masks.
///
/// A window begins where a piece begins. What its last bytes cannot decide is left to the next window, or to
/// the rules that read one character after the other.
struct AsciiWindow {
    /// A bit for each byte with which a piece begins; bit 0 is set. Good below `limit`.
    private(set) var starts: UInt64
    /// The end of the last piece that is decided.
    private(set) var limit: Int

    /// - Parameters:
    ///   - masks: of the bytes; what lies behind `length` is ignored.
    ///   - length: 1 to 64, all ASCII and none NUL.
    ///   - isEnd: the text ends after `length` bytes.
    @inline(__always)
    init<Rules: SplitRules>(
        _ masks: memex_shim_text_masks, _ bytes: UnsafePointer<UInt8>, length: Int, isEnd: Bool,
        _: Rules.Type
    ) {
        let valid = ~UInt64(0) &>> UInt64(truncatingIfNeeded: 64 &- length)
        let letters = (masks.upper | masks.lower) & valid
        let digits = masks.digit & valid
        let newlines = masks.newline & valid
        let blanks = masks.blank & valid
        let spaces = (masks.blank | masks.white) & valid
        let symbols = valid & ~(letters | digits | newlines | spaces)

        // Newlines right after symbols belong to them; the sum carries through each such run.
        let symbolStarts = symbols & ~(symbols &<< 1)
        let attached = newlines & ~(newlines &+ ((symbols &<< 1) & newlines))
        var decided = length
        if Rules.slashAfterNewline {
            var odd = (attached &<< 1) & symbols
            while odd != 0 {
                let at = odd.trailingZeroBitCount
                if bytes[at] == 0x2F {
                    decided = at
                    break
                }
                odd &= odd &- 1
            }
        }

        let free = newlines & ~attached
        let white = spaces | free
        let whiteStarts = white & ~(white &<< 1)
        // The last character of a white run, which the piece after it may take.
        var lasts = white & ~(white &>> 1) & spaces
        if isEnd { lasts &= ~(1 &<< UInt64(truncatingIfNeeded: length &- 1)) }
        // After the last newline of a run a piece begins: spaces after a newline and not before another.
        var afterNewline = spaces & (free &<< 1)
        var before = free & (spaces &<< 1)
        while before != 0 {
            let at = before & (0 &- before)
            // The run of spaces that ends below this newline.
            let gap = ~spaces & (at &- 1)
            let from: UInt64 = gap == 0 ? 1 : 1 &<< UInt64(truncatingIfNeeded: 64 &- gap.leadingZeroBitCount)
            afterNewline &= ~from
            before &= before &- 1
        }
        if Rules.endTakesWhite, isEnd {
            // The last run is one piece, newlines and all.
            let tail = ~white & valid
            let from = tail == 0 ? 0 : 64 &- tail.leadingZeroBitCount
            if from < length { afterNewline &= (1 &<< UInt64(truncatingIfNeeded: from)) &- 1 }
        }

        // A lone symbol, or a space, before a word belongs to the word; a blank before symbols to them.
        let lone = symbolStarts & ~(symbols &>> 1) & ~(blanks &<< 1)
        let letterStarts = letters & ~(letters &<< 1)
        var found = whiteStarts | afterNewline | lasts
        found |= letterStarts & ~((spaces | lone) &<< 1)
        found |= symbolStarts & ~(blanks &<< 1)
        if Rules.splitsAtCapitals { found |= masks.upper & (masks.lower &<< 1) & valid }

        // Digits go in groups, or alone.
        if Rules.digits == 1 { found |= digits }
        var groups = digits & ~(digits &<< 1)
        found |= groups
        let fourth = digits & (digits &<< 1) & (digits &<< 2) & (digits &<< 3)
        if fourth != 0, Rules.digits == 3 {
            while groups != 0 {
                groups = (groups &<< 3) & fourth
                found |= groups
            }
        }

        // Contractions.
        let place: UInt64
        if !Rules.hasContractions {
            place = 0
        } else if Rules.contractionEndsWord {
            place = masks.apostrophe & symbols & (letters &<< 1)
        } else {
            place = masks.apostrophe & symbolStarts & ~(blanks &<< 1)
        }
        var candidates = place & (letters &>> 1)
        if !isEnd {
            // The letters of a contraction must be in the window.
            let open = place & ~(valid &>> 2)
            if open != 0 { decided = min(decided, open.trailingZeroBitCount) }
        }
        var done = 0
        while candidates != 0 {
            let at = candidates.trailingZeroBitCount
            candidates &= candidates &- 1
            // A word takes one contraction; what follows it begins a piece.
            if at < done || (Rules.contractionEndsWord && at == done && done > 0) { continue }
            let count = Self.contraction(bytes + at, length &- at)
            if count == 0 { continue }
            done = at &+ count
            // None inside; one after it when letters go on.
            let inside = ((1 &<< UInt64(truncatingIfNeeded: count)) &- 1) &<< UInt64(truncatingIfNeeded: at)
            found &= ~inside
            if !Rules.contractionEndsWord { found |= 1 &<< UInt64(truncatingIfNeeded: at) }
            if done < 64 { found |= letters & (1 &<< UInt64(truncatingIfNeeded: done)) }
        }
        starts = found

        if isEnd, decided == length {
            limit = length
            return
        }
        // The last piece may go on behind the window, and a white run at its end is not decided at all.
        let below = ~UInt64(0) &>> UInt64(truncatingIfNeeded: 64 &- decided)
        if decided == 0 {
            limit = 0
        } else if white &>> UInt64(truncatingIfNeeded: decided &- 1) & 1 != 0 {
            limit = 63 &- (whiteStarts & below).leadingZeroBitCount
        } else {
            limit = 63 &- (found & below).leadingZeroBitCount
        }
        if limit < 0 { limit = 0 }
    }

    /// Bytes of the contraction at an apostrophe that a letter follows; 0 when it is none.
    @inline(__always)
    private static func contraction(_ at: UnsafePointer<UInt8>, _ left: Int) -> Int {
        switch at[1] | 0x20 {
        case 0x73, 0x74, 0x6D, 0x64: return 2
        case 0x72, 0x76: return left > 2 && at[2] | 0x20 == 0x65 ? 3 : 0
        case 0x6C: return left > 2 && at[2] | 0x20 == 0x6C ? 3 : 0
        default: return 0
        }
    }
}
