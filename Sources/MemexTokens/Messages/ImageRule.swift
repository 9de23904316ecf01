#if canImport(Glibc)
    import Glibc
#endif

/// What a model's provider bills for an image of a size in pixels.
enum ImageRule: Equatable, Sendable {
    /// Scaled into 2048 × 2048, then the shorter side to 768: a base and so much for each 512 × 512 tile.
    case tiles(base: Int, tile: Int)
    /// Patches of 32 × 32, at most 1,536 of them, times a factor in hundredths.
    case patches(hundredths: Int)
    /// Pixels divided by 750, after the longer side was scaled to 1568.
    case area
    /// 258 for each tile of 768 × 768; one for an image of up to 384 × 384.
    case gemini

    /// How closely the model shall look; `auto` is `high`.
    enum Detail: Sendable {
        case low
        case high
    }

    /// An image whose size is unknown counts as one of this size.
    static let assumed = PixelSize(width: 1024, height: 1024)

    func tokens(_ size: PixelSize, detail: Detail) -> Int {
        // Beyond these sides every rule scales down anyway.
        let width = Double(min(max(size.width, 1), 1 << 16))
        let height = Double(min(max(size.height, 1), 1 << 16))
        switch self {
        case .tiles(let base, let tile):
            if detail == .low { return base }
            return base &+ tile &* Self.tiles(width, height)
        case .patches(let hundredths):
            let patches = Self.patches(width, height)
            return (patches &* hundredths &+ 99) / 100 &+ 1
        case .area:
            let scale = min(1, 1568 / max(width, height))
            let pixels = width * scale * height * scale
            return min(Self.whole((pixels / 750).rounded(.up)), 1600)
        case .gemini:
            if width <= 384, height <= 384 { return 258 }
            let unit = min(max((min(width, height) / 1.5).rounded(.down), 256), 768)
            let across = Self.whole((width / unit).rounded(.up))
            let down = Self.whole((height / unit).rounded(.up))
            return 258 &* across &* down
        }
    }

    private static func tiles(_ width: Double, _ height: Double) -> Int {
        var width = width
        var height = height
        let longer = max(width, height)
        if longer > 2048 {
            width *= 2048 / longer
            height *= 2048 / longer
        }
        let shorter = min(width, height)
        if shorter > 768 {
            width *= 768 / shorter
            height *= 768 / shorter
        }
        return whole((width / 512).rounded(.up)) &* whole((height / 512).rounded(.up))
    }

    private static func patches(_ width: Double, _ height: Double) -> Int {
        let most = 1536.0
        let across = (width / 32).rounded(.up)
        let down = (height / 32).rounded(.up)
        if across * down <= most { return whole(across * down) }
        // So that it can be covered by the most patches, then once more so that a side is whole patches.
        let shrink = (32 * 32 * most / (width * height)).squareRoot()
        let columns = width * shrink / 32
        let rows = height * shrink / 32
        let whole = min(
            max(columns.rounded(.down), 1) / columns, max(rows.rounded(.down), 1) / rows)
        let final = (columns * whole).rounded(.up) * (rows * whole).rounded(.up)
        return Self.whole(min(final, most))
    }

    /// A number that is whole and not large, without the trap of a conversion.
    private static func whole(_ number: Double) -> Int { Int(exactly: number) ?? 0 }
}

/// Width and height in pixels.
struct PixelSize: Equatable, Sendable {
    var width: Int
    var height: Int
}
