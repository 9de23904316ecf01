public import CMemex
internal import MemexModel

/// Reads of an error: a handle that is none gives the neutral answer.
private func read<Result>(_ error: OpaquePointer?, _ neutral: Result, _ body: (ErrorObject) -> Result)
    -> Result
{
    switch HandleTable.enter(error, .error) {
    case .found(let object, let index):
        let result = Unmanaged<ErrorObject>.fromOpaque(object)._withUnsafeGuaranteedRef { body($0) }
        HandleTable.leave(index)
        return result
    case .none, .forked: return neutral
    }
}

@implementation @_cdecl("memex_error_code")
public func memex_error_code(_ error: OpaquePointer!) -> memex_status {
    read(error, MEMEX_E_HANDLE) { $0.code }
}

@implementation @_cdecl("memex_error_message")
public func memex_error_message(_ error: OpaquePointer!) -> UnsafePointer<CChar>! {
    read(error, StaticText.pointer("not a live error handle")) {
        $0.message.pointer ?? StaticText.pointer("")
    }
}

@implementation @_cdecl("memex_error_details")
public func memex_error_details(_ error: OpaquePointer!) -> UnsafePointer<CChar>! {
    read(error, StaticText.pointer("{}")) { $0.details.pointer ?? StaticText.pointer("{}") }
}

@implementation @_cdecl("memex_error_retryable")
public func memex_error_retryable(_ error: OpaquePointer!) -> Int32 {
    read(error, 0) { $0.isRetryable ? 1 : 0 }
}

@implementation @_cdecl("memex_error_free")
public func memex_error_free(_ error: OpaquePointer!) { HandleTable.free(error, .error) }
