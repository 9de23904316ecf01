public import CMemex
internal import Memex
internal import MemexModel

@implementation @_cdecl("memex_txn_begin")
public func memex_txn_begin(
    _ store: OpaquePointer!, _ options: UnsafePointer<CChar>!, _ options_len: Int,
    _ out: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    out?.pointee = nil
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(out)
        let options = try Boundary.bytes(options, options_len)
        return try Boundary.with(store, Session.self) { (session) throws(MemexError) in
            let (transaction, view) = try session.begin(options)
            let object = TransactionObject(transaction, view)
            guard object.viewHandle != nil else { throw MemexError.noMemory }
            return try Boundary.give(object, out)
        }
    }
}

@implementation @_cdecl("memex_txn_store")
public func memex_txn_store(_ txn: OpaquePointer!) -> OpaquePointer! {
    switch HandleTable.enter(txn, .transaction) {
    case .found(let object, let index):
        let handle = Unmanaged<TransactionObject>.fromOpaque(object)._withUnsafeGuaranteedRef {
            $0.viewHandle
        }
        HandleTable.leave(index)
        return handle
    case .none, .forked: return nil
    }
}

@implementation @_cdecl("memex_txn_commit")
public func memex_txn_commit(
    _ txn: OpaquePointer!, _ out: UnsafeMutablePointer<memex_bytes>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.clear(out)
    error?.pointee = nil
    do throws(MemexError) {
        // The handle is consumed however this ends, so memory is looked at after that.
        return try Boundary.with(txn, TransactionObject.self) { (object) throws(MemexError) in
            guard HandleTable.free(txn, .transaction) else { throw Boundary.badHandle(txn, .transaction) }
            try Boundary.requireMemory()
            var buffer = ByteBuffer()
            try object.transaction.commit(in: object.view, to: &buffer)
            return try Boundary.give(buffer, out)
        }
    } catch let thrown {
        return Boundary.report(thrown, error)
    }
}

@implementation @_cdecl("memex_txn_rollback")
public func memex_txn_rollback(_ txn: OpaquePointer!) { HandleTable.free(txn, .transaction) }
