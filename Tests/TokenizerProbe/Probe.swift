import MemexModel
import MemexTokens

// The tokenizers as C functions, for the fuzzer and the benchmark, until the library exports its own.

private let tokenizers = BuiltInEncoding.allCases.compactMap { BytePairTokenizer($0) }

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

/// Tokens of a message or a request as JSON; -1 for a request that is none. A tokenizer by its name.
@_cdecl("probe_count_chat")
public func probeCountChat(
    _ tokenizer: UnsafePointer<UInt8>?, _ tokenizerLength: Int, _ model: UnsafePointer<UInt8>?,
    _ modelLength: Int, _ text: UnsafePointer<UInt8>?, _ length: Int, _ isRequest: Int32
) -> Int {
    let name = ByteView(start: tokenizer, count: tokenizerLength)
    guard let found = try? TextTokenizers.encoding(name) else { return -2 }
    let model = modelLength > 0 ? ByteView(start: model, count: modelLength) : nil
    let counter = ChatTokenCounter(found, model: model)
    let text = ByteView(start: text, count: length)
    if isRequest == 0 { return counter.count(message: text) }
    return (try? counter.count(request: text)) ?? -1
}
