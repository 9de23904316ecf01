package import MemexModel

/// The step types: those built in, and those that the program registered.
///
/// A pipeline holds on to the strategies it was opened with, so removing one here ends nothing that runs.
/// Strategies are let go outside of the lock: their deinit may call back.
package enum StrategyRegistry {
    private static let registered = ProcessWide<[String: any CustomStrategy]>([:])

    package static let builtIn = ["fifo", "pin", "token_budget"]

    /// Adds a step type; the caller has checked the form of the name.
    package static func register(_ name: ByteView, _ strategy: any CustomStrategy) throws(MemexError) {
        let text = name.text
        let isTaken = registered.withLock { registered in
            if builtIn.contains(text) || registered[text] != nil { return true }
            registered[text] = strategy
            return false
        }
        if isTaken { throw MemexError(.exists, "a strategy of that name is built in or registered") }
    }

    package static func unregister(_ name: ByteView) throws(MemexError) {
        let text = name.text
        let removed = registered.withLock { $0.removeValue(forKey: text) }
        if removed == nil { throw MemexError(.notFound, "no strategy of that name is registered") }
    }

    /// All step types, sorted.
    package static var names: [String] { (builtIn + registered.withLock { Array($0.keys) }).sorted() }

    static func strategy(_ name: ByteView) -> (any CustomStrategy)? {
        let text = name.text
        return registered.withLock { $0[text] }
    }
}
