/// SHA-256 (FIPS 180-4): digests of idempotent appends, addresses of blobs.
package struct SHA256 {
    private var state: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
        0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19
    )
    private var block = InlineBlock()
    private var filled = 0
    private var total: UInt64 = 0

    package init() {}

    package mutating func update(_ bytes: ByteView) {
        total &+= UInt64(bytes.count)
        var index = 0
        while index < bytes.count {
            if filled == 0, bytes.count &- index >= 64 {
                compress(bytes.slice(index, 64))
                index &+= 64
                continue
            }
            block.set(filled, bytes[index])
            filled &+= 1
            index &+= 1
            if filled == 64 { compressBlock() }
        }
    }

    /// The 32 bytes of the digest as four words, most significant first.
    package mutating func finish() -> (UInt64, UInt64, UInt64, UInt64) {
        let bits = total &* 8
        block.set(filled, 0x80)
        filled &+= 1
        if filled == 64 { compressBlock() }
        while filled != 56 {
            block.set(filled, 0)
            filled &+= 1
            if filled == 64 { compressBlock() }
        }
        var shift: UInt64 = 56
        for index in 56..<64 {
            block.set(index, UInt8(truncatingIfNeeded: bits >> shift))
            shift = shift &- 8
        }
        compressBlock()
        return (
            UInt64(state.0) << 32 | UInt64(state.1), UInt64(state.2) << 32 | UInt64(state.3),
            UInt64(state.4) << 32 | UInt64(state.5), UInt64(state.6) << 32 | UInt64(state.7)
        )
    }

    private mutating func compressBlock() {
        let copy = block
        withUnsafeBytes(of: copy.words) { compress($0.bindMemory(to: UInt8.self)) }
        filled = 0
    }

    private mutating func compress(_ data: ByteView) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
            Self.rounds.withUnsafeBufferPointer { k in
                Self.compress(&state, data, w, k)
            }
        }
    }

    private static func compress(
        _ state: inout (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32),
        _ data: ByteView, _ w: UnsafeMutableBufferPointer<UInt32>, _ k: UnsafeBufferPointer<UInt32>
    ) {
        guard data.count >= 64, w.count >= 64, k.count >= 64 else { return }
        for index in 0..<16 {
            let at = index &* 4
            w[index] =
                UInt32(data[at]) << 24 | UInt32(data[at &+ 1]) << 16
                | UInt32(data[at &+ 2]) << 8 | UInt32(data[at &+ 3])
        }
        for index in 16..<64 {
            let x = w[index &- 15]
            let y = w[index &- 2]
            let s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >> 3)
            let s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >> 10)
            w[index] = w[index &- 16] &+ s0 &+ w[index &- 7] &+ s1
        }
        var (a, b, c, d, e, f, g, h) = state
        for index in 0..<64 {
            let s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
            let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ k[index] &+ w[index]
            let s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
            let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
        }
        state = (
            state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d,
            state.4 &+ e, state.5 &+ f, state.6 &+ g, state.7 &+ h
        )
    }

    @inline(__always)
    private static func rotate(_ value: UInt32, _ by: UInt32) -> UInt32 {
        value >> by | value << (32 &- by)
    }

    /// 64 bytes inside the struct.
    private struct InlineBlock {
        var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (
            0, 0, 0, 0, 0, 0, 0, 0
        )

        mutating func set(_ index: Int, _ byte: UInt8) {
            withUnsafeMutableBytes(of: &words) { if index >= 0, index < $0.count { $0[index] = byte } }
        }
    }

    private static let rounds: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4,
        0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe,
        0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f,
        0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
        0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc,
        0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
        0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070, 0x19a4_c116,
        0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
        0xc671_78f2,
    ]
}
