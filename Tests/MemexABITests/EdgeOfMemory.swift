import Foundation

/// A page behind which there is none: a byte read beyond a text's length ends the process.
final class EdgeOfMemory {
    private let base: UnsafeMutableRawPointer
    private let page: Int

    init?() {
        page = sysconf(Int32(_SC_PAGESIZE))
        let both = mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let both, both != MAP_FAILED, mprotect(both + page, page, PROT_NONE) == 0 else { return nil }
        base = both
    }

    deinit { munmap(base, 2 * page) }

    /// The bytes, the last of them at the edge; valid until the next call.
    func place(_ text: String) -> UnsafePointer<CChar> {
        let bytes = Array(text.utf8)
        let start = base + (page - bytes.count)
        bytes.withUnsafeBytes {
            start.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(base), byteCount: bytes.count)
        }
        return UnsafePointer(start.assumingMemoryBound(to: CChar.self))
    }
}
