internal import CMemexVocabularies

/// The encodings whose vocabularies the library carries.
package enum BuiltInEncoding: String, CaseIterable, Sendable {
    case o200kBase = "o200k_base"
    case o200kHarmony = "o200k_harmony"
    case cl100kBase = "cl100k_base"
    case p50kBase = "p50k_base"

    /// The number of the vocabulary's image.
    private var vocabulary: Int32 {
        switch self {
        case .o200kBase, .o200kHarmony: return MEMEX_VOCABULARY_O200K_BASE
        case .cl100kBase: return MEMEX_VOCABULARY_CL100K_BASE
        case .p50kBase: return MEMEX_VOCABULARY_P50K_BASE
        }
    }

    var pattern: SplitPattern {
        switch self {
        case .o200kBase, .o200kHarmony: return .o200k
        case .cl100kBase: return .cl100k
        case .p50kBase: return .p50k
        }
    }

    var specialTokens: SpecialTokens {
        switch self {
        case .o200kBase: return .o200kBase
        case .o200kHarmony: return .o200kHarmony
        case .cl100kBase: return .cl100kBase
        case .p50kBase: return .p50kBase
        }
    }

    /// The place of the vocabulary in the caches of threads; 0 is none.
    var cacheTag: Int { Int(vocabulary) &+ 1 }

    /// The image, read where it lies. Nil only if the library was built with a broken one.
    var image: VocabularyImage? {
        var length = 0
        guard let base = memex_vocabulary_image(vocabulary, &length) else { return nil }
        return VocabularyImage(base, count: length)
    }
}
