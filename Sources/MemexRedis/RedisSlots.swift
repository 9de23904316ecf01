internal import MemexModel

/// Hash slots of a cluster.
enum RedisSlots {
    static let count = 16_384

    /// The slot of a hash tag: CRC-16 (XMODEM) of it.
    static func slot(of tag: String) -> Int {
        var crc: UInt16 = 0
        for byte in tag.utf8 {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
        }
        return Int(crc) % count
    }

    /// Ranges and their masters, of the reply to CLUSTER SLOTS. `origin` stands for a host that a server does
    /// not know of itself.
    static func ranges(
        _ reply: RedisValue, origin: RedisAddress
    ) -> [(first: Int, last: Int, address: RedisAddress)] {
        var ranges: [(first: Int, last: Int, address: RedisAddress)] = []
        for index in 0..<reply.count {
            guard let entry = reply[index], let first = entry[0], let last = entry[1], let master = entry[2],
                let host = master[0], let port = master[1], (1...65_535).contains(port.integer),
                (0..<Int64(count)).contains(first.integer),
                (first.integer..<Int64(count)).contains(last.integer)
            else { continue }
            let name = host.text.isEmpty || host.text == "?" ? origin.host : host.text
            ranges.append(
                (Int(first.integer), Int(last.integer), RedisAddress(host: name, port: Int(port.integer))))
        }
        return ranges
    }
}
