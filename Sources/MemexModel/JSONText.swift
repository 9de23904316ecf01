/// JSON strings made from Swift strings, for error details and other cold places.
package enum JSONText {
    package static func quoted(_ text: String) -> String {
        var buffer = ByteBuffer()
        text.withBytes { _ = JSONEscape.appendQuoted($0, to: &buffer) }
        return buffer.view.text
    }
}
