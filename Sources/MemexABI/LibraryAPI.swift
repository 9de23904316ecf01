public import CMemex
internal import Memex
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

@implementation @_cdecl("memex_version_number")
public func memex_version_number() -> UInt32 { UInt32(MEMEX_VERSION_NUMBER) }

@implementation @_cdecl("memex_version")
public func memex_version() -> UnsafePointer<CChar>! { StaticText.pointer("0.2.0") }

@implementation @_cdecl("memex_check_abi")
public func memex_check_abi(_ abi_version: UInt32) -> memex_status {
    abi_version == UInt32(MEMEX_ABI_VERSION) ? MEMEX_OK : MEMEX_E_UNSUPPORTED
}

@implementation @_cdecl("memex_status_name")
public func memex_status_name(_ status: memex_status) -> UnsafePointer<CChar>! {
    StaticText.pointer(StatusNames.name(status))
}

@implementation @_cdecl("memex_describe")
public func memex_describe(
    _ out: UnsafeMutablePointer<memex_bytes>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.clear(out)
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(out)
        var buffer = ByteBuffer()
        Description.write(to: &buffer)
        return try Boundary.give(buffer, out)
    }
}

@implementation @_cdecl("memex_bytes_free")
public func memex_bytes_free(_ bytes: UnsafeMutablePointer<memex_bytes>!) {
    guard let bytes else { return }
    free(bytes.pointee.data)
    bytes.pointee.data = nil
    bytes.pointee.len = 0
}

/// Text that is never freed.
enum StaticText {
    static func pointer(_ text: StaticString) -> UnsafePointer<CChar>? {
        text.bytes.chars
    }
}

enum StatusNames {
    static func name(_ status: Int32) -> StaticString {
        switch status {
        case MEMEX_OK: "MEMEX_OK"
        case MEMEX_DONE: "MEMEX_DONE"
        case MEMEX_E_INVALID: "MEMEX_E_INVALID"
        case MEMEX_E_NOT_FOUND: "MEMEX_E_NOT_FOUND"
        case MEMEX_E_EXISTS: "MEMEX_E_EXISTS"
        case MEMEX_E_CONFLICT: "MEMEX_E_CONFLICT"
        case MEMEX_E_BUSY: "MEMEX_E_BUSY"
        case MEMEX_E_TIMEOUT: "MEMEX_E_TIMEOUT"
        case MEMEX_E_CANCELLED: "MEMEX_E_CANCELLED"
        case MEMEX_E_CLOSED: "MEMEX_E_CLOSED"
        case MEMEX_E_FORKED: "MEMEX_E_FORKED"
        case MEMEX_E_HANDLE: "MEMEX_E_HANDLE"
        case MEMEX_E_REENTRANT: "MEMEX_E_REENTRANT"
        case MEMEX_E_DENIED: "MEMEX_E_DENIED"
        case MEMEX_E_UNSUPPORTED: "MEMEX_E_UNSUPPORTED"
        case MEMEX_E_LIMIT: "MEMEX_E_LIMIT"
        case MEMEX_E_NO_MEMORY: "MEMEX_E_NO_MEMORY"
        case MEMEX_E_IO: "MEMEX_E_IO"
        case MEMEX_E_FULL: "MEMEX_E_FULL"
        case MEMEX_E_POISONED: "MEMEX_E_POISONED"
        case MEMEX_E_CORRUPT: "MEMEX_E_CORRUPT"
        case MEMEX_E_TAMPERED: "MEMEX_E_TAMPERED"
        case MEMEX_E_NEWER_FORMAT: "MEMEX_E_NEWER_FORMAT"
        case MEMEX_E_UNAVAILABLE: "MEMEX_E_UNAVAILABLE"
        case MEMEX_E_PROVIDER: "MEMEX_E_PROVIDER"
        case MEMEX_E_RATE_LIMITED: "MEMEX_E_RATE_LIMITED"
        case MEMEX_E_CALLBACK: "MEMEX_E_CALLBACK"
        case MEMEX_E_OUTCOME_UNKNOWN: "MEMEX_E_OUTCOME_UNKNOWN"
        case MEMEX_E_INTERNAL: "MEMEX_E_INTERNAL"
        default: "MEMEX_E_UNKNOWN"
        }
    }
}
