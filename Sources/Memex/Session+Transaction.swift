package import MemexModel

extension Session {
    /// Begins to collect changes; the view collects what is written through it.
    package func begin(_ optionBytes: ByteView) throws(MemexError) -> (Transaction, Session) {
        try authorize(.write)
        guard transaction == nil else {
            throw MemexError(.unsupported, "transactions do not nest; begin from the store or the session")
        }
        guard !store.gate.isClosed else { throw Store.closedError }
        var options = try OptionReader(optionBytes, what: "options")
        try options.finish()
        let transaction = Transaction()
        return (transaction, view(of: transaction))
    }

    /// Throws unless `memex_store_close` may close this view now.
    package func checkClosable() throws(MemexError) {
        guard transaction == nil else {
            throw MemexError(
                .invalid, "a transaction's view is freed with the transaction: commit it or roll it back")
        }
        guard !isRoot || !store.isInsideCallback else {
            throw MemexError(
                .reentrant,
                "a store cannot be closed from inside one of its callbacks; close it after the call returns")
        }
    }
}
