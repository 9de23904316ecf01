import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct RecordHeadTests {
    @Test func comesBack() throws {
        var generator = SeededGenerator(seed: 3)
        for round in 0..<20_000 {
            var head = RecordHead()
            func number() -> UInt32 {
                UInt32(truncatingIfNeeded: generator.next()) >> UInt32(generator.below(33) & 31)
            }
            head.compression = round % 3 == 0 ? UInt8(generator.below(256)) : 0
            head.cipher = round % 5 == 0 ? UInt8(generator.below(256)) : 0
            head.format = UInt8(generator.below(256))
            head.flags = UInt16(truncatingIfNeeded: generator.next())
            head.counter = round % 2 == 0 ? number() : 0
            head.checksum = number()
            head.tokens = number()
            head.changes = number()
            head.contentOffset =
                Int32(bitPattern: number() & 0x7FFF_FFFF) &- (round % 2 == 0 ? 1 : 0)
            if head.contentOffset == .max { head.contentOffset = 7 }
            head.contentLength = Int32(bitPattern: number() & 0x7FFF_FFFF)
            if head.compression != 0 || head.cipher != 0 { head.codecKey = number() }
            var bytes = [UInt8](repeating: 0, count: RecordHead.maximumSize)
            let size = bytes.withUnsafeMutableBufferPointer {
                $0.baseAddress.map { head.write(into: $0) } ?? 0
            }
            #expect(size >= 14 && size <= RecordHead.maximumSize)
            let read = try bytes.prefix(size).withUnsafeBufferPointer { try RecordHead($0) }
            #expect("\(read)" == "\(head)")
            for cut in 0..<size {
                let part = Array(bytes.prefix(cut))
                expectError(.corrupt, "cut at \(cut)") {
                    _ = try part.withUnsafeBufferPointer { try RecordHead($0) }
                }
            }
        }
    }

    @Test func otherVersionsAreRefused() {
        var bytes = [UInt8](repeating: 0, count: 20)
        bytes[0] = 2
        expectError(.newerFormat, "version 2") {
            _ = try bytes.withUnsafeBufferPointer { try RecordHead($0) }
        }
        bytes[0] = 0
        expectError(.corrupt, "version 0") {
            _ = try bytes.withUnsafeBufferPointer { try RecordHead($0) }
        }
    }
}
