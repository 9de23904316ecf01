internal import CMemex
internal import CMemexShim
internal import Memex
internal import MemexModel
internal import MemexStorage
#if canImport(Glibc)
    internal import Glibc
#endif

/// A backend that the host registered.
final class RegisteredBackend: BackendFactory, @unchecked Sendable {
    private let context: HostContext
    private let functions: memex_backend

    /// Throws unless every function is there.
    init(_ context: HostContext, _ backend: UnsafePointer<memex_backend>?) throws(MemexError) {
        guard let backend else { throw MemexError(.invalid, "the backend is NULL") }
        guard Int(backend.pointee.struct_size) >= MemoryLayout<memex_backend>.size else {
            throw MemexError(.invalid, "set struct_size of the backend to sizeof(memex_backend)")
        }
        let functions = backend.pointee
        guard functions.open != nil, functions.close != nil, functions.get != nil, functions.scan != nil,
            functions.commit != nil
        else {
            throw MemexError(
                .invalid, "a function of the backend is NULL; open, close, get, scan and commit are needed")
        }
        self.context = context
        self.functions = functions
    }

    func open(url: String) throws(MemexError) -> any StorageEngine {
        let store = try CustomStore(context, functions, url)
        do throws(MemexError) {
            return try KeyValueEngine(store)
        } catch let thrown {
            try? store.close()
            throw thrown
        }
    }
}

/// An ordered store behind the host's functions.
final class CustomStore: OrderedStore, @unchecked Sendable {
    private let context: HostContext
    private let functions: memex_backend
    private var instance: UnsafeMutableRawPointer?

    let traits: OrderedStoreTraits = {
        var traits = OrderedStoreTraits()
        traits.durable = true
        return traits
    }()

    private var owner: UnsafeRawPointer { UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque()) }
    var isInsideCallback: Bool { memex_shim_callback_inside(owner) != 0 }

    init(_ context: HostContext, _ functions: memex_backend, _ url: String) throws(MemexError) {
        self.context = context
        self.functions = functions
        var opened: UnsafeMutableRawPointer?
        let open = unsafeBitCast(functions.open, to: OpenFunction.self)
        let result: Result<ReplyObject?, MemexError> = url.withBytes { url in
            do throws(MemexError) {
                return .success(
                    try Callback.run(owner, "the backend's open") { reply in
                        memex_shim_call_open(
                            open, context.userData, url.chars, url.count, &opened,
                            UnsafeMutableRawPointer(reply))
                    })
            } catch { return .failure(error) }
        }
        guard try result.get() != nil else {
            throw MemexError(.callback, "the backend's open failed: it said CONFLICT")
        }
        instance = opened
    }

    func get(_ key: ByteView, _ visit: (ByteView) throws(MemexError) -> Void) throws(MemexError) -> Bool {
        let get = unsafeBitCast(functions.get, to: GetFunction.self)
        guard
            let reply = try Callback.run(
                owner, "the backend's get",
                { reply in
                    memex_shim_call_get(get, instance, key.chars, key.count, UnsafeMutableRawPointer(reply))
                })
        else { throw MemexError(.callback, "the backend's get failed: it said CONFLICT") }
        guard reply.hasData else { return false }
        try reply.withData(visit)
        return true
    }

    func scan(
        from: ByteView, to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        let scan = unsafeBitCast(functions.scan, to: ScanFunction.self)
        guard
            let reply = try Callback.run(
                owner, "the backend's scan",
                { reply in
                    memex_shim_call_scan(
                        scan, instance, from.chars, from.count, to.chars, to.count, descending ? 1 : 0, limit,
                        UnsafeMutableRawPointer(reply))
                })
        else { throw MemexError(.callback, "the backend's scan failed: it said CONFLICT") }
        var previous: ByteView?
        var count: Int64 = 0
        try reply.forEachEntry { (key, value) throws(MemexError) in
            let isInside = key.compare(from) >= 0 && key.compare(to) < 0
            let isOrdered = previous.map { descending ? key.compare($0) < 0 : key.compare($0) > 0 } ?? true
            guard isInside, isOrdered else {
                throw MemexError(
                    .callback, "the backend's scan failed: its keys are out of order or outside of the range")
            }
            guard count < limit else { return false }
            previous = key
            count += 1
            return try visit(key, value)
        }
    }

    func commit(_ writes: UnsafeBufferPointer<KeyValueWrite>) throws(MemexError) -> Bool {
        let commit = unsafeBitCast(functions.commit, to: CommitFunction.self)
        guard let raw = calloc(writes.count, MemoryLayout<memex_write>.stride) else {
            throw MemexError.noMemory
        }
        defer { free(raw) }
        let list = raw.bindMemory(to: memex_write.self, capacity: writes.count)
        var index = 0
        while index < writes.count {
            let write = writes[index]
            list[index].kind = write.kind.rawValue
            list[index].key = write.key.chars
            list[index].key_len = write.key.count
            list[index].value = write.value.chars
            list[index].value_len = write.value.count
            index &+= 1
        }
        return try Callback.run(owner, "the backend's commit") { reply in
            memex_shim_call_commit(commit, instance, list, writes.count, UnsafeMutableRawPointer(reply))
        } != nil
    }

    func close() throws(MemexError) {
        let close = unsafeBitCast(functions.close, to: CloseFunction.self)
        _ = try Callback.run(owner, "the backend's close") { reply in
            memex_shim_call_close(close, instance, UnsafeMutableRawPointer(reply))
        }
    }

    // The header's types, with the reply as plain pointer, as the guards take them.
    private typealias OpenFunction =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int,
            UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
            UnsafeMutableRawPointer?
        ) -> Int32
    private typealias CloseFunction =
        @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Int32
    private typealias GetFunction =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int, UnsafeMutableRawPointer?
        ) -> Int32
    private typealias ScanFunction =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int, UnsafePointer<CChar>?, Int, Int32, Int64,
            UnsafeMutableRawPointer?
        ) -> Int32
    private typealias CommitFunction =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafeRawPointer?, Int, UnsafeMutableRawPointer?
        ) -> Int32
}

extension UnsafeBufferPointer where Element == UInt8 {
    /// As C sees it.
    var chars: UnsafePointer<CChar>? {
        baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
    }
}
