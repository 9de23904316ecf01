/// How a vocabulary's text is split before it is merged.
enum SplitPattern: CaseIterable {
    case o200k
    case cl100k
    case p50k
    case llama
    case qwen
    case tekken

    /// Hands the pieces of a text to a sink. Made once for each sink, because there are many loops in it.
    @inline(never)
    func walk<Sink: PieceSink & ~Copyable>(
        _ base: UnsafePointer<UInt8>, _ count: Int, into sink: inout Sink
    ) {
        switch self {
        case .o200k: PieceWalker<O200KRules>.walk(base, count, .shared, into: &sink)
        case .cl100k: PieceWalker<CL100KRules>.walk(base, count, .shared, into: &sink)
        case .p50k: PieceWalker<P50KRules>.walk(base, count, .shared, into: &sink)
        case .llama: PieceWalker<LlamaRules>.walk(base, count, .shared, into: &sink)
        case .qwen: PieceWalker<QwenRules>.walk(base, count, .shared, into: &sink)
        case .tekken: PieceWalker<TekkenRules>.walk(base, count, .shared, into: &sink)
        }
    }

    /// The end of the piece at a place before the end of a text.
    func pieceEnd(_ text: PieceText, _ at: Int) -> Int {
        switch self {
        case .o200k: return O200KRules.pieceEnd(text, at)
        case .cl100k: return CL100KRules.pieceEnd(text, at)
        case .p50k: return P50KRules.pieceEnd(text, at)
        case .llama: return LlamaRules.pieceEnd(text, at)
        case .qwen: return QwenRules.pieceEnd(text, at)
        case .tekken: return TekkenRules.pieceEnd(text, at)
        }
    }
}
