/// Sizes that the library enforces; `memex_describe` shows them.
public enum Limits {
    /// Bytes of a thread, message or tenant id, and of an idempotency key.
    public static let idBytes = 255
    /// Bytes of one message body.
    public static let bodyBytes = 64 << 20
    /// Bytes of one JSON argument: several bodies, options.
    public static let argumentBytes = 256 << 20
    /// Bytes of options, queries and configurations, which are parsed into a tree.
    public static let optionBytes = 16 << 20
    /// Bytes of the metadata of a thread or a message.
    public static let metadataBytes = 1 << 20
    /// Bytes of a thread's title.
    public static let titleBytes = 4096
    /// Levels of arrays and objects in JSON.
    public static let jsonDepth = 128
    /// Messages of one append.
    public static let appendMessages = 100_000
    /// Highest seq of a thread.
    public static let seq: Int64 = (1 << 31) - 1
    /// Messages or threads of one page.
    public static let pageItems: Int64 = 10_000
    /// Bytes of a page after which it ends early.
    public static let pageBytes = 64 << 20
}
