package import MemexModel

/// A new engine in memory, private to who holds it.
package func memoryEngine(environment: Environment = .system) throws(MemexError) -> KeyValueEngine {
    try KeyValueEngine(MemoryStore(), environment: environment)
}
