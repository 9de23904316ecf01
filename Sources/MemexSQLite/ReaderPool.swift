#if canImport(Glibc)
    internal import Glibc
#endif
internal import CMemexShim
internal import MemexModel

/// Connections for reading: made when they are needed, kept for the next, at most a few idle.
final class ReaderPool: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var idle: [SQLiteReader] = []
    private var isClosed = false
    private static let idleMaximum = 8
    private let make: () throws(MemexError) -> SQLiteReader

    init(_ make: @escaping () throws(MemexError) -> SQLiteReader) {
        self.make = make
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func use<Result>(_ body: (SQLiteReader) throws(MemexError) -> Result) throws(MemexError) -> Result {
        pthread_mutex_lock(mutex)
        let found = idle.popLast()
        pthread_mutex_unlock(mutex)
        let reader: SQLiteReader
        if let found { reader = found } else { reader = try make() }
        defer { give(reader) }
        return try body(reader)
    }

    private func give(_ reader: SQLiteReader) {
        pthread_mutex_lock(mutex)
        let keep = !isClosed && idle.count < Self.idleMaximum
        if keep { idle.append(reader) }
        pthread_mutex_unlock(mutex)
        if !keep { reader.close() }
    }

    /// Closes the idle connections; those in use are closed when they come back.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        let readers = idle
        idle = []
        pthread_mutex_unlock(mutex)
        for reader in readers { reader.close() }
    }
}
