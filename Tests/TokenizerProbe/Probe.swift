import MemexModel
import MemexTokens

// The tokenizers as C functions, for the fuzzer and the benchmark, until the library exports its own.

private nonisolated(unsafe) var tokenizers: [any TextTokenizer] = BuiltInEncoding.allCases.compactMap {
    BytePairTokenizer($0)
}

/// Loads a file: its number, or -1, and then `message` has `room` bytes at most of what is wrong.
@_cdecl("probe_open")
public func probeOpen(
    _ path: UnsafePointer<CChar>?, _ pattern: UnsafePointer<CChar>?, _ message: UnsafeMutablePointer<UInt8>?,
    _ room: Int
) -> Int32 {
    guard let path else { return -1 }
    do {
        let options = RankFileOptions(pattern: pattern.map { String(cString: $0) })
        tokenizers.append(try TextTokenizers.file(path: String(cString: path), options: options))
        return Int32(tokenizers.count - 1)
    } catch {
        let text = Array("\(error.code): \(error.message)".utf8.prefix(max(0, room - 1))) + [0]
        message?.update(from: text, count: text.count)
        return -1
    }
}

/// -1 when memory ran out.
@_cdecl("probe_count")
public func probeCount(_ encoding: Int32, _ text: UnsafePointer<UInt8>?, _ length: Int, _ special: Int32)
    -> Int
{
    let text = ByteView(start: text, count: length)
    return (try? tokenizers[Int(encoding)].count(text, special: special == 0 ? .asText : .asTokens)) ?? -1
}

/// Texts one behind the other.
@_cdecl("probe_count_batch")
public func probeCountBatch(
    _ encoding: Int32, _ texts: UnsafePointer<UInt8>?, _ lengths: UnsafePointer<Int>?, _ count: Int,
    _ counts: UnsafeMutablePointer<Int>?
) -> Int32 {
    guard var at = texts, let lengths, let counts else { return -1 }
    return withUnsafeTemporaryAllocation(of: ByteView.self, capacity: count) { views in
        for index in 0..<count {
            views.initializeElement(at: index, to: ByteView(start: at, count: lengths[index]))
            at += lengths[index]
        }
        do {
            try tokenizers[Int(encoding)].count(
                batch: UnsafeBufferPointer(views), special: .asText, to: counts)
            return 0
        } catch {
            return -1
        }
    }
}

/// The ids, in `room` places at most; how many there are.
@_cdecl("probe_encode")
public func probeEncode(
    _ encoding: Int32, _ text: UnsafePointer<UInt8>?, _ length: Int, _ special: Int32,
    _ ids: UnsafeMutablePointer<UInt32>?, _ room: Int
) -> Int {
    var buffer = ByteBuffer()
    let text = ByteView(start: text, count: length)
    do {
        try tokenizers[Int(encoding)].encode(
            text, special: special == 0 ? .asText : .asTokens, to: &buffer)
    } catch {
        return -1
    }
    let count = buffer.count / 4
    if let ids, let base = buffer.base {
        UnsafeMutableRawPointer(ids).copyMemory(from: base, byteCount: min(count, room) * 4)
    }
    return count
}

/// The bytes, in `room` places at most; how many there are, -1 for ids that are none.
@_cdecl("probe_decode")
public func probeDecode(
    _ encoding: Int32, _ ids: UnsafePointer<UInt32>?, _ count: Int, _ text: UnsafeMutablePointer<UInt8>?,
    _ room: Int
) -> Int {
    var buffer = ByteBuffer()
    do {
        try tokenizers[Int(encoding)].decode(UnsafeBufferPointer(start: ids, count: count), to: &buffer)
    } catch {
        return -1
    }
    if let text, let base = buffer.base { text.update(from: base, count: min(buffer.count, room)) }
    return buffer.count
}
