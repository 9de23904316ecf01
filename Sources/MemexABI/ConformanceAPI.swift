public import CMemex
internal import MemexConformance
internal import MemexModel

@implementation @_cdecl("memex_backend_check")
public func memex_backend_check(
    _ config: UnsafePointer<CChar>!, _ config_len: Int, _ out: UnsafeMutablePointer<memex_bytes>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.clear(out)
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(out)
        let config = try Boundary.bytes(config, config_len)
        var buffer = ByteBuffer()
        try BackendCheck.run(config, to: &buffer)
        return try Boundary.give(buffer, out)
    }
}
