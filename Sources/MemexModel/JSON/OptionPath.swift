/// Where an object of options stands in what was passed, for error messages: `/messages/3`.
///
/// The last index is kept apart, so that going through an array builds no text.
package struct OptionPath: Sendable {
    private let prefix: String
    private let index: Int

    package init(_ prefix: String = "") { self.init(prefix, -1) }

    private init(_ prefix: String, _ index: Int) {
        self.prefix = prefix
        self.index = index
    }

    /// As text; empty for the outermost object.
    package var text: String { index < 0 ? prefix : "\(prefix)/\(index)" }

    /// The element of this array.
    package func at(_ index: Int) -> OptionPath { OptionPath(text, index) }

    /// The value of a key of this object. Keys are cut at 64 bytes, and what is not plain ASCII shows as
    /// `?`.
    package func appending(_ key: ByteView) -> OptionPath {
        OptionPath(text + "/" + OptionPath.shown(key))
    }

    package func invalid(_ message: String) -> MemexError {
        MemexError.invalid(path: text, message)
    }

    /// The error about a key that nobody asked for; `known` lists those that were, each with ", " behind.
    func unknown(_ key: ByteView, known: ByteView) -> MemexError {
        let length = known.count > 2 ? known.count &- 2 : 0
        let list = length == 0 ? "no keys are known here" : "known are: \(known.slice(0, length).text)"
        return appending(key).invalid("unknown key; \(list)")
    }

    private static func shown(_ key: ByteView) -> String {
        var shown = ByteBuffer(capacity: 72)
        var at = 0
        while at < key.count, at < 64 {
            let byte = key[at]
            switch byte {
            case 0x7E: shown.append(RawCursor.bytes("~0"))
            case 0x2F: shown.append(RawCursor.bytes("~1"))
            case 0x20...0x7D: shown.append(byte: byte)
            default: shown.append(byte: 0x3F)
            }
            at &+= 1
        }
        if key.count > 64 { shown.append(RawCursor.bytes("...")) }
        return shown.view.text
    }
}
