internal import MemexModel

#if canImport(Glibc)
    import Glibc
#endif

/// The image of a vocabulary that was built from a file, with the memory it lies in.
final class LoadedImage: @unchecked Sendable {
    let image: VocabularyImage
    private let memory: UnsafeMutableRawPointer

    init(_ bytes: borrowing ByteBuffer) throws(MemexError) {
        var memory: UnsafeMutableRawPointer?
        guard let from = bytes.base, posix_memalign(&memory, 64, bytes.count) == 0, let memory else {
            throw MemexError.noMemory
        }
        memcpy(memory, from, bytes.count)
        guard let image = VocabularyImage(memory, count: bytes.count) else {
            free(memory)
            throw MemexError(.internal, "the image of a vocabulary is broken")
        }
        self.image = image
        self.memory = memory
    }

    deinit { free(memory) }
}
