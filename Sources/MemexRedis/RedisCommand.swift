internal import MemexModel

/// A command in the protocol's form: an array of byte strings.
struct RedisCommand: ~Copyable {
    private var bytes: ByteBuffer
    private var arguments: Int64 = 0
    private var failed = false

    /// With room for `capacity` bytes of arguments.
    init(_ name: StaticString, capacity: Int = 128) {
        bytes = ByteBuffer(capacity: capacity)
        append(name)
    }

    /// Arguments alone, to be added to a command.
    init(capacity: Int) { bytes = ByteBuffer(capacity: capacity) }

    mutating func append(contentsOf other: borrowing RedisCommand) {
        bytes.append(other.bytes.view)
        if other.bytes.failed { failed = true }
        arguments &+= other.arguments
    }

    mutating func append(_ argument: ByteView) { append(argument, ByteView(start: nil, count: 0)) }

    /// An argument of two parts.
    mutating func append(_ first: ByteView, _ second: ByteView) {
        bytes.append(byte: 0x24)
        bytes.append(number: Int64(first.count &+ second.count))
        bytes.append("\r\n")
        bytes.append(first)
        bytes.append(second)
        bytes.append("\r\n")
        arguments &+= 1
    }

    mutating func append(_ argument: StaticString) {
        append(ByteView(start: argument.utf8Start, count: argument.utf8CodeUnitCount))
    }

    mutating func append(_ argument: String) { argument.withBytes { append($0) } }

    mutating func append(number: Int64) {
        var digits = ByteBuffer(capacity: 20)
        digits.append(number: number)
        append(digits.view)
    }

    func write(to buffer: inout ByteBuffer) throws(MemexError) {
        if failed || bytes.failed { throw .noMemory }
        buffer.append(byte: 0x2A)
        buffer.append(number: arguments)
        buffer.append("\r\n")
        buffer.append(bytes.view)
        if buffer.failed { throw .noMemory }
    }
}
