internal import MemexModel

/// What makes tokens of pieces.
enum TokenizerModel {
    /// A byte-level vocabulary as an image.
    case image(LoadedImage)
    case pairs(PairModel)
    case unigram(UnigramModel)
}

/// Takes what a text is split into.
protocol TokenSink: ~Copyable {
    mutating func added(_ id: UInt32)
    mutating func piece(_ piece: ByteView)
    /// A text that is split by one pattern.
    mutating func walk(_ pattern: SplitPattern, _ text: ByteView)
}

/// Counts with an image.
struct ImageCounter: TokenSink, ~Copyable {
    var counter: PieceCounter
    var total: UnsafeMutablePointer<Int>

    mutating func added(_ id: UInt32) { total.pointee &+= 1 }

    mutating func piece(_ piece: ByteView) {
        guard piece.count > 0, let base = piece.baseAddress else { return }
        counter.piece(base, piece.count, padded: false)
    }

    mutating func walk(_ pattern: SplitPattern, _ text: ByteView) {
        guard text.count > 0, let base = text.baseAddress else { return }
        pattern.walk(base, text.count, into: &counter)
    }
}

/// Encodes with an image.
struct ImageEncoder: TokenSink, ~Copyable {
    var encoder: PieceEncoder

    mutating func added(_ id: UInt32) { encoder.ids.append(littleEndian: id) }

    mutating func piece(_ piece: ByteView) {
        guard piece.count > 0, let base = piece.baseAddress else { return }
        encoder.piece(base, piece.count, padded: false)
    }

    mutating func walk(_ pattern: SplitPattern, _ text: ByteView) {
        guard text.count > 0, let base = text.baseAddress else { return }
        pattern.walk(base, text.count, into: &encoder)
    }
}

/// Encodes with a model that is no image.
struct ModelEncoder: TokenSink, ~Copyable {
    let model: TokenizerModel
    var ids = ByteBuffer()
    /// A character has no token.
    private(set) var isUnknown = false
    private var pairs = PairModel.Work()
    private var unigram = UnigramModel.Work()

    init(_ model: TokenizerModel) { self.model = model }

    var failed: Bool { pairs.failed || unigram.failed || ids.failed }

    mutating func added(_ id: UInt32) { ids.append(littleEndian: id) }

    mutating func piece(_ piece: ByteView) {
        switch model {
        case .image: return
        case .pairs(let model): model.encode(piece, &pairs, to: &ids)
        case .unigram(let model): if !model.encode(piece, &unigram, to: &ids) { isUnknown = true }
        }
    }

    mutating func walk(_ pattern: SplitPattern, _ text: ByteView) {
        guard let base = text.baseAddress else { return }
        let split = PieceText(base: base, count: text.count, readable: text.count, characters: .shared)
        var at = 0
        while at < text.count {
            let end = max(pattern.pieceEnd(split, at), at &+ 1)
            piece(text.slice(at, end &- at))
            at = end
        }
    }
}
