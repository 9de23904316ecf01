package import MemexModel
package import MemexTokens

/// How a store is to be opened.
package struct StoreOptions {
    package var url: String
    package var target: StoreURL
    package var isFullyDurable = true
    package var timeout: Int64 = 30_000_000
    package var create = true
    package var readOnly = false
    /// Waits end early for signals, see `Deadline`.
    package var isInterruptible = false
    package var counter = MessageCounter.estimate

    package init(url: String) throws(MemexError) {
        self.url = url
        var text = url
        do {
            let parsed: Result<StoreURL, MemexError> = text.withUTF8 { bytes in
                do throws(MemexError) { return .success(try StoreURL(bytes)) } catch {
                    return .failure(error)
                }
            }
            target = try parsed.get()
        }
    }

    /// From the configuration of `memex_store_open`.
    package init(_ reader: inout OptionReader) throws(MemexError) {
        guard let url = try reader.string("url") else {
            throw MemexError.invalid(path: "/url", "is missing; give the URL of the store")
        }
        try self.init(url: url.text)
        if let durability = try reader.string("durability") {
            if durability.equals("full") {
                isFullyDurable = true
            } else if durability.equals("normal") {
                isFullyDurable = false
            } else {
                throw MemexError.invalid(path: "/durability", "is neither \"full\" nor \"normal\"")
            }
        }
        if let timeout = try reader.int64("timeout_us", in: 0...86_400_000_000) { self.timeout = timeout }
        if let create = try reader.bool("create") { self.create = create }
        if let readOnly = try reader.bool("read_only") { self.readOnly = readOnly }
        if let interruptible = try reader.bool("interruptible") { isInterruptible = interruptible }
        if let counter = try TokenizerChoice.counter(&reader) { self.counter = counter }
    }
}
