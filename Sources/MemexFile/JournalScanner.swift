#if canImport(Glibc)
    internal import Glibc
#endif
internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// Reads what a journal has from an offset on, commit by commit.
///
/// A line that is no line of ours, with a whole commit somewhere behind it, was damaged after it was written: it
/// is counted, and what else its commit says is taken. So is what stands before the mark up to which the journal was
/// durable. Else it is the end of a write that did not come to its end, or is under way.
struct JournalScanner: ~Copyable {
    private static let chunk = 1 << 20

    /// The end of the last whole commit.
    private(set) var end: Int64
    private(set) var commit: Int64
    /// Lines that were damaged or are missing.
    private(set) var damages = 0
    /// The byte before the end should be a newline and is none.
    private(set) var lacksNewline = false
    private var staged: [FileIndex.Change] = []
    private var stagedLine: Int64 = 0
    private var badLines = 0
    /// Changes that were taken from damaged lines, as far as they could be read.
    private var guesses: [FileIndex.Change] = []

    init(end: Int64, commit: Int64) {
        self.end = end
        self.commit = commit
    }

    deinit {
        for change in staged { change.block.release() }
        for change in guesses { change.block.release() }
    }

    /// Reads up to `size`, and applies whole commits to the index. Up to `durable` everything was whole once.
    mutating func run(
        _ journal: JournalFile, to size: Int64, durable: Int64, _ index: inout FileIndex
    ) throws(MemexError) {
        var buffer = ByteBuffer()
        var start = end
        var at = end
        while at < size {
            let wanted = size &- at < Int64(Self.chunk) ? Int(size &- at) : Self.chunk
            let before = buffer.count
            try journal.read(at: at, wanted, into: &buffer)
            let got = buffer.count &- before
            if got == 0 { break }
            at &+= Int64(got)
            var used = 0
            var from = before
            while let base = buffer.base, from < buffer.count,
                let newline = memchr(base + from, 0x0A, buffer.count &- from)
            {
                from = UnsafeRawPointer(newline) - UnsafeRawPointer(base)
                try line(buffer.view.slice(used, from &- used), at: start &+ Int64(used), &index)
                used = from &+ 1
                from = used
            }
            if used > 0 {
                var rest = ByteBuffer(capacity: Self.chunk)
                rest.append(buffer.view.slice(used, buffer.count &- used))
                if rest.failed { throw .noMemory }
                buffer = rest
                start &+= Int64(used)
            }
        }
        if end < durable, at >= durable {
            try settle(buffer.view, at: start, durable: durable, &index)
        }
    }

    /// The journal's end is damaged. What can be read of it counts.
    private mutating func settle(
        _ rest: ByteView, at start: Int64, durable: Int64, _ index: inout FileIndex
    ) throws(MemexError) {
        let length = durable &- start
        if length > 1, length <= Int64(rest.count) {
            // Its newline is what was damaged, perhaps alone.
            lacksNewline = true
            try line(rest.slice(0, Int(length) &- 1), at: start, &index)
        }
        guard end < durable else { return }
        damages &+= badLines > 0 ? badLines : 1
        takeAll(&index)
        end = durable
    }

    private mutating func takeAll(_ index: inout FileIndex) {
        for change in guesses { take(change, &index) }
        for change in staged { index.apply(change) }
        guesses.removeAll(keepingCapacity: true)
        staged.removeAll(keepingCapacity: true)
        stagedLine = 0
        badLines = 0
    }

    private mutating func line(
        _ line: ByteView, at offset: Int64, _ index: inout FileIndex
    ) throws(MemexError) {
        var rest = line
        var at = offset
        while try !take(rest, at: at, &index) {
            guard let length = Self.firstWhole(rest) else {
                badLines &+= 1
                guess(rest, at: at)
                return
            }
            // The newline between two lines was damaged, they were not.
            _ = try take(rest.slice(0, length), at: at, &index)
            rest = rest.slice(length &+ 1, rest.count &- length &- 1)
            at &+= Int64(length) &+ 1
        }
    }

    /// False when it is no line of ours.
    private mutating func take(
        _ line: ByteView, at offset: Int64, _ index: inout FileIndex
    ) throws(MemexError) -> Bool {
        var key = ByteBuffer(capacity: 32)
        var value = ByteBuffer()
        guard let summed = JournalLine.summed(line), let found = JournalLine.place(summed),
            let content = JournalLine.read(found.content, key: &key, value: &value, wantsValue: false)
        else { return false }
        let place = found.place
        // Lines or whole commits may be missing.
        let isNext =
            place.line == 1
            ? stagedLine == 0 && place.commit == commit &+ 1
            : place.line == stagedLine &+ 1 && place.commit == commit &+ 1
        if !isNext, badLines == 0 { badLines = 1 }
        stagedLine = place.line
        if key.failed { throw .noMemory }
        switch content {
        case .header: break
        case .delete:
            guard let change = FileIndex.delete(key.view, count: line.count) else { throw .noMemory }
            staged.append(change)
        case .put: staged.append(try put(found.content, key.view, line, at: offset))
        }
        guard place.isLast else { return true }
        damages &+= badLines
        takeAll(&index)
        commit = place.commit
        end = offset &+ Int64(line.count) &+ 1
        return true
    }

    /// The length of a whole line that others follow without a newline.
    private static func firstWhole(_ line: ByteView) -> Int? {
        guard let base = line.baseAddress else { return nil }
        var from = 0
        while from < line.count,
            let quote = memex_shim_find_text(base + from, line.count &- from, ",\"crc\":\"")
        {
            let end = UnsafeRawPointer(quote) - UnsafeRawPointer(base) &+ JournalLine.tailSize
            if end &+ 1 < line.count, JournalLine.summed(line.slice(0, end)) != nil { return end }
            from = UnsafeRawPointer(quote) - UnsafeRawPointer(base) &+ 1
        }
        return nil
    }

    private func put(
        _ content: ByteView, _ key: ByteView, _ line: ByteView, at offset: Int64
    ) throws(MemexError) -> FileIndex.Change {
        var inline: ByteView?
        var again = ByteBuffer()
        var value = ByteBuffer()
        if MessageRowParts.place(key) == nil,
            JournalLine.read(content, key: &again, value: &value, wantsValue: true) != nil,
            FileIndex.keepsInline(key, value.view)
        {
            inline = value.view
        }
        if again.failed || value.failed { throw .noMemory }
        guard let change = FileIndex.put(key, inline: inline, offset: offset, count: line.count) else {
            throw .noMemory
        }
        return change
    }

    /// A guess counts when the message is not there and the one before it is.
    private func take(_ change: FileIndex.Change, _ index: inout FileIndex) {
        var before = ByteBuffer(capacity: 24)
        if let place = MessageRowParts.place(change.block.key), place.seq > 1 {
            MessageRowParts.writeKey(thread: place.thread, seq: place.seq &- 1, to: &before)
        }
        guard index.tree.find(change.block.key) == nil,
            before.count == 0 || index.tree.find(before.view) != nil
        else {
            change.block.release()
            return
        }
        index.apply(change)
    }

    /// A damaged line still stands for the message that it seems to be: reading that one shall say CORRUPT.
    private mutating func guess(_ line: ByteView, at offset: Int64) {
        var cursor = LineCursor(line)
        guard cursor.has("{\"message\":[") else { return }
        let thread = cursor.number()
        cursor.expect(",")
        let seq = cursor.number()
        cursor.expect("]")
        guard cursor.isValid, thread > 0, seq > 0, seq <= Limits.seq else { return }
        var key = ByteBuffer(capacity: 24)
        MessageRowParts.writeKey(thread: thread, seq: seq, to: &key)
        guard !key.failed,
            let change = FileIndex.put(key.view, inline: nil, offset: offset, count: line.count)
        else { return }
        guesses.append(change)
    }
}
