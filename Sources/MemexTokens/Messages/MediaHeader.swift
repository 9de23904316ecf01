internal import MemexModel

/// What the first bytes of an image or a recording tell.
enum MediaHeader {
    /// The size of a PNG, JPEG, GIF or WebP.
    static func size(_ data: Base64Bytes) -> PixelSize? {
        let found: PixelSize
        if data.has("PNG", at: 1) {
            found = PixelSize(width: data.big(16, 4), height: data.big(20, 4))
        } else if data.has("GIF8", at: 0) {
            found = PixelSize(width: data.little(6, 2), height: data.little(8, 2))
        } else if data.has("RIFF", at: 0), data.has("WEBP", at: 8) {
            guard let size = webP(data) else { return nil }
            found = size
        } else if data.big(0, 2) == 0xFFD8 {
            guard let size = jpeg(data) else { return nil }
            found = size
        } else {
            return nil
        }
        return found.width > 0 && found.height > 0 ? found : nil
    }

    private static func webP(_ data: Base64Bytes) -> PixelSize? {
        if data.has("VP8X", at: 12) {
            return PixelSize(width: data.little(24, 3) &+ 1, height: data.little(27, 3) &+ 1)
        }
        if data.has("VP8L", at: 12) {
            let bits = data.little(21, 4)
            if bits < 0 { return nil }
            return PixelSize(width: bits & 0x3FFF &+ 1, height: bits &>> 14 & 0x3FFF &+ 1)
        }
        if data.has("VP8 ", at: 12) {
            let width = data.little(26, 2)
            let height = data.little(28, 2)
            return width < 0 || height < 0 ? nil : PixelSize(width: width & 0x3FFF, height: height & 0x3FFF)
        }
        return nil
    }

    /// Goes from segment to segment up to the one that begins a frame.
    private static func jpeg(_ data: Base64Bytes) -> PixelSize? {
        var at = 2
        while data.byte(at) == 0xFF {
            let marker = data.byte(at &+ 1)
            if marker == 0xFF {
                at &+= 1
                continue
            }
            if marker >= 0xC0, marker <= 0xCF, marker != 0xC4, marker != 0xC8, marker != 0xCC {
                return PixelSize(width: data.big(at &+ 7, 2), height: data.big(at &+ 5, 2))
            }
            if marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7) {
                at &+= 2
                continue
            }
            let length = data.big(at &+ 2, 2)
            if length < 2 { return nil }
            at &+= 2 &+ length
        }
        return nil
    }

    /// How long a WAV or an MP3 of a constant bit rate plays, in milliseconds; 0 when that cannot be read.
    static func milliseconds(_ data: Base64Bytes) -> Int {
        if data.has("RIFF", at: 0), data.has("WAVE", at: 8) {
            let rate = data.little(28, 4)
            return rate > 0 ? duration(bytes: data.count &- 44, perSecond: rate) : 0
        }
        var at = 0
        if data.has("ID3", at: 0) {
            // Seven bits a byte.
            var place = 6
            while place < 10 {
                at = at &<< 7 | data.byte(place) & 0x7F
                place &+= 1
            }
            at &+= 10
        }
        let header = data.big(at, 4)
        guard header > 0, header &>> 21 == 0x7FF, header &>> 17 & 3 == 1 else { return 0 }
        let rate = kilobits(header &>> 12 & 15, isFirstVersion: header &>> 19 & 3 == 3)
        return duration(bytes: data.count &- at, perSecond: rate &* 125)
    }

    /// Thousands of bits a second of layer III; 0 when the header does not tell.
    private static func kilobits(_ index: Int, isFirstVersion: Bool) -> Int {
        if index < 1 || index > 14 { return 0 }
        if !isFirstVersion { return index <= 8 ? index &* 8 : (index &- 8) &* 16 &+ 64 }
        // From 32 on steps of 8, 16, 32 and 64, four of each but the first.
        if index <= 5 { return index &* 8 &+ 24 }
        if index <= 9 { return (index &- 5) &* 16 &+ 64 }
        return index <= 13 ? (index &- 9) &* 32 &+ 128 : 320
    }

    private static func duration(bytes: Int, perSecond: Int) -> Int {
        guard bytes > 0, perSecond > 0 else { return 0 }
        return Int(bitPattern: UInt(bitPattern: bytes &* 1000) / UInt(bitPattern: perSecond))
    }
}
