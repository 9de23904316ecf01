internal import CMemex
internal import CMemexShim
internal import Memex
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// Where an error handle goes.
typealias ErrorOut = UnsafeMutablePointer<OpaquePointer?>?

/// The conventions of the C interface, in one place: statuses, errors, text arguments, results.
enum Boundary {
    /// Runs a call: clears the error, refuses when memory is short, turns what is thrown into a status.
    @inline(__always)
    static func run(_ error: ErrorOut, _ body: () throws(MemexError) -> Int32) -> Int32 {
        error?.pointee = nil
        do throws(MemexError) {
            try requireMemory()
            return try body()
        } catch let thrown {
            return report(thrown, error)
        }
    }

    @inline(__always)
    static func requireMemory() throws(MemexError) {
        if memex_shim_memory_is_short() != 0 { throw MemexError.noMemory }
    }

    @inline(never)
    static func report(_ thrown: MemexError, _ error: ErrorOut) -> Int32 {
        switch thrown.code {
        case .poisoned, .corrupt, .tampered, .outcomeUnknown, .internal: Log.write(.error, thrown.message)
        case .callback, .io, .full, .noMemory: Log.write(.warning, thrown.message)
        default: break
        }
        if let error { error.pointee = HandleTable.make(ErrorObject(thrown), .error) }
        return thrown.code.rawValue
    }

    // MARK: Handles

    /// Runs a call with the object of a handle.
    @inline(__always)
    static func with<Object: HandleObject, Result>(
        _ handle: OpaquePointer?, _ type: Object.Type,
        _ body: (Object) throws(MemexError) -> Result
    ) throws(MemexError) -> Result {
        switch HandleTable.enter(handle, Object.kind) {
        case .found(let object, let index):
            defer { HandleTable.leave(index) }
            // The table holds the object until `leave`.
            return try Unmanaged<Object>.fromOpaque(object)._withUnsafeGuaranteedRef {
                (object) -> Swift.Result<Result, MemexError> in
                do throws(MemexError) { return .success(try body(object)) } catch { return .failure(error) }
            }.get()
        case .none: throw badHandle(handle, Object.kind)
        case .forked: throw forked
        }
    }

    @inline(never)
    static func badHandle(_ handle: OpaquePointer?, _ kind: HandleKind) -> MemexError {
        let noun: String
        switch kind {
        case .store: noun = "store"
        case .transaction: noun = "transaction"
        case .thread: noun = "thread"
        case .message: noun = "message"
        case .cursor: noun = "cursor"
        case .strategy: noun = "strategy"
        case .error: noun = "error"
        case .reply: noun = "reply"
        case .tokenizer: noun = "tokenizer"
        }
        return MemexError(
            .handle,
            handle == nil
                ? "the \(noun) handle is NULL"
                : "not a live \(noun) handle: freed, closed, or of another type")
    }

    static let forked = MemexError(
        .forked, "the handle was inherited through fork(); open the store again in this process")

    /// A handle for an object, into a variable of the caller's.
    @inline(__always)
    static func give<Object: HandleObject>(
        _ object: Object, _ out: UnsafeMutablePointer<OpaquePointer?>
    ) throws(MemexError) -> Int32 {
        guard let handle = HandleTable.make(object, Object.kind) else { throw MemexError.noMemory }
        out.pointee = handle
        return MEMEX_OK
    }

    @inline(__always)
    static func required<Pointee>(_ out: UnsafeMutablePointer<Pointee>?) throws(MemexError)
        -> UnsafeMutablePointer<Pointee>
    {
        guard let out else { throw MemexError(.invalid, "the output argument is NULL") }
        return out
    }

    // MARK: Text

    /// Bytes of an argument: nothing for NULL, up to the NUL for `MEMEX_NTS`.
    @inline(__always)
    static func bytes(_ start: UnsafePointer<CChar>?, _ length: Int) throws(MemexError) -> ByteView {
        guard let start else {
            if length == 0 || length == -1 { return ByteView(start: nil, count: 0) }
            throw MemexError(.invalid, "a text argument is NULL, but its length is not 0")
        }
        var count = length
        if length < 0 {
            guard length == -1 else {
                throw MemexError(.invalid, "the length of a text argument is larger than memory")
            }
            count = Int(truncatingIfNeeded: strlen(start))
        }
        guard count <= Limits.argumentBytes else {
            throw MemexError(
                .limit, "a text argument has more than \(Limits.argumentBytes) bytes; split it",
                detailMembers: "\"limit\":\(Limits.argumentBytes)")
        }
        return ByteView(
            start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count: count)
    }

    // MARK: Results

    /// Hands a buffer to the caller.
    static func give(
        _ buffer: consuming ByteBuffer, _ out: UnsafeMutablePointer<memex_bytes>?
    ) throws(MemexError) -> Int32 {
        guard let out else { return MEMEX_OK }
        guard let (base, count) = buffer.take() else { throw MemexError.noMemory }
        out.pointee.data = UnsafeMutableRawPointer(base).assumingMemoryBound(to: CChar.self)
        out.pointee.len = count
        return MEMEX_OK
    }

    @inline(__always)
    static func clear(_ out: UnsafeMutablePointer<memex_bytes>?) {
        out?.pointee.data = nil
        out?.pointee.len = 0
    }
}

/// A C string that lives as long as its owner.
final class CText: Sendable {
    nonisolated(unsafe) let pointer: UnsafePointer<CChar>?

    init(_ text: String) {
        pointer = text.withBytes { bytes in
            guard let raw = malloc(bytes.count &+ 1) else { return nil }
            if let from = bytes.baseAddress { memcpy(raw, from, bytes.count) }
            raw.storeBytes(of: 0, toByteOffset: bytes.count, as: UInt8.self)
            return UnsafePointer(raw.assumingMemoryBound(to: CChar.self))
        }
    }

    deinit { free(UnsafeMutablePointer(mutating: pointer)) }
}

/// What an error handle refers to.
final class ErrorObject: Sendable {
    let code: Int32
    let isRetryable: Bool
    let message: CText
    let details: CText

    init(_ error: MemexError) {
        code = error.code.rawValue
        isRetryable = error.code.isRetryable
        message = CText(error.message)
        details = CText(error.details)
    }
}
