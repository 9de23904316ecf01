public import CMemex
internal import MemexModel

@implementation @_cdecl("memex_version_number")
public func memex_version_number() -> UInt32 { 200 }
