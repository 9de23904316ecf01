package import MemexModel

/// One step of a commit, laid out like `memex_write`.
package struct KeyValueWrite {
    /// Raw values are the `MEMEX_WRITE_*` of the C header.
    package enum Kind: UInt32, Sendable {
        case put = 1
        case delete = 2
        case requireAbsent = 3
        case requirePresent = 4
        case requireEqual = 5
    }

    package var kind: Kind
    private var reserved: UInt32 = 0
    package var key: ByteView
    /// For `put` and `requireEqual`.
    package var value: ByteView

    package init(_ kind: Kind, _ key: ByteView, _ value: ByteView = ByteView(start: nil, count: 0)) {
        self.kind = kind
        self.key = key
        self.value = value
    }
}
