#if canImport(Glibc)
    import Glibc
#endif

/// Long pieces, merged window by window in memory that does not grow with them.
///
/// Tokens of which each may follow the one before it are the merging of their bytes: there is only one such
/// sequence. So the tokens of a window hold up to an edge from which the next window continues with a token
/// that may follow. The tokens before the last two nearly always do; if not, earlier edges are tried, and
/// then longer windows.
extension PieceMerger {
    /// How many edges of a window are tried.
    private static let tries = 6

    /// The tokens in order, in several runs; false when memory ran out.
    func windows(
        _ at: UnsafePointer<UInt8>, _ length: Int, _ take: (UnsafePointer<UInt32>, Int) -> Void
    ) -> Bool {
        var from = 0
        var size = area.capacity
        var borrowed: UnsafeMutableRawPointer?
        defer { free(borrowed) }
        var (mine, other) = (area, otherArea)
        while true {
            var parts = merge(at + from, min(size, length &- from), mine)
            while length &- from > size {
                guard let step = advance(at + from, length &- from, parts, mine, other) else { break }
                take(mine.ids, step.kept)
                from &+= step.bytes
                parts = step.parts
                swap(&mine, &other)
            }
            if length &- from <= size {
                take(mine.ids, parts)
                return true
            }
            size &*= 2
            let bytes = MergeArea.bytes(size)
            free(borrowed)
            borrowed = malloc(2 &* bytes)
            guard let base = borrowed else { return false }
            mine = MergeArea(base, capacity: size)
            other = MergeArea(base + bytes, capacity: size)
        }
    }

    /// Merges the next window into `other`: how many tokens of `mine` hold before it, their bytes, and the
    /// tokens of the next. Nil when no edge of this window will do.
    private func advance(
        _ at: UnsafePointer<UInt8>, _ left: Int, _ parts: Int, _ mine: MergeArea, _ other: MergeArea
    ) -> (kept: Int, bytes: Int, parts: Int)? {
        var kept = parts
        var bytes = mine.capacity
        func dropLast() {
            kept &-= 1
            bytes &-= image.length(Int(mine.ids[kept]))
        }
        dropLast()
        var tried = 0
        while tried < Self.tries, kept > 1 {
            dropLast()
            guard kept > 0, bytes > 0 else { return nil }
            let next = merge(at + bytes, min(other.capacity, left &- bytes), other)
            let before = image.length(Int(mine.ids[kept &- 1]))
            if mayJoin(at + (bytes &- before), before, image.length(Int(other.ids[0]))) {
                return (kept, bytes, next)
            }
            tried &+= 1
        }
        return nil
    }

    /// Whether two tokens may stand side by side: their bytes merge into just these two.
    private func mayJoin(_ at: UnsafePointer<UInt8>, _ left: Int, _ right: Int) -> Bool {
        guard left &+ right <= jointArea.capacity else { return false }
        return merge(at, left &+ right, jointArea) == 2 && image.length(Int(jointArea.ids[0])) == left
    }
}
