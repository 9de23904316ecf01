/// How a vocabulary's text is split before it is merged.
enum SplitPattern {
    case o200k
    case cl100k
    case p50k

    /// Hands the pieces of a text to a sink.
    @inline(__always)
    func walk<Sink: PieceSink & ~Copyable>(
        _ base: UnsafePointer<UInt8>, _ count: Int, into sink: inout Sink
    ) {
        switch self {
        case .o200k: PieceWalker<O200KRules>.walk(base, count, .shared, into: &sink)
        case .cl100k: PieceWalker<CL100KRules>.walk(base, count, .shared, into: &sink)
        case .p50k: PieceWalker<P50KRules>.walk(base, count, .shared, into: &sink)
        }
    }
}
