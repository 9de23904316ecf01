internal import Memex
package import MemexModel
package import MemexStorage

/// A registered backend over ordered stores, one a URL, that outlive the engines on them.
package final class TestBackend: BackendFactory {
    private let name: String
    private let make: @Sendable () -> any OrderedStore
    private let stores = Locked<[String: any OrderedStore]>([:])

    private let environment: Environment

    package init(
        _ name: String, environment: Environment = .system,
        _ make: @escaping @Sendable () -> any OrderedStore
    ) {
        self.name = name
        self.environment = environment
        self.make = make
        do { try withText(name) { try BackendRegistry.register($0, self) } } catch { fatalError("\(error)") }
    }

    package func open(url: String) throws(MemexError) -> any StorageEngine {
        let store = stores.withLock { stores in
            let store = stores[url] ?? make()
            stores[url] = store
            return store
        }
        return try KeyValueEngine(store, environment: environment)
    }

    package func unregister() { try? withText(name) { try BackendRegistry.unregister($0) } }
}

/// The bytes of a text, borrowed for the call.
package func withText<Result>(_ text: String, _ body: (ByteView) throws -> Result) rethrows -> Result {
    try Array(text.utf8).withUnsafeBufferPointer { try body($0) }
}
