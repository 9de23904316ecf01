import MemexModel
import MemexTestSupport
import Testing

@testable import MemexTokens

@Suite struct PieceMergerTests {
    /// Byte-pair encoding as it is defined, slowly: the pair of lowest rank, the leftmost of equals.
    private func reference(_ bytes: [UInt8], _ image: VocabularyImage) -> [UInt32] {
        var ids = bytes.map { image.bytes[Int($0)] }
        func merged(_ index: Int) -> UInt32 {
            index + 1 < ids.count ? image.merged(ids[index], ids[index + 1]) : VocabularyImage.noToken
        }
        var ranks = ids.indices.map(merged)
        while let best = ranks.min(), best != VocabularyImage.noToken, let place = ranks.firstIndex(of: best)
        {
            ids[place] = best
            ids.remove(at: place + 1)
            ranks.remove(at: place + 1)
            ranks[place] = merged(place)
            if place > 0 { ranks[place - 1] = merged(place - 1) }
        }
        return ids
    }

    private func merge(_ bytes: [UInt8], _ image: VocabularyImage) -> (count: Int, queued: Int, ids: [UInt32])
    {
        var count = 0
        var queued = 0
        var ids: [UInt32] = []
        TokenizerScratch.with(tag: 0) { scratch in
            bytes.withUnsafeBufferPointer { text in
                guard let at = text.baseAddress else { return }
                let merger = PieceMerger(image, scratch)
                count = merger.count(at, text.count)
                _ = merger.encode(at, text.count) { ids += UnsafeBufferPointer(start: $0, count: $1) }
                var queue = MergeQueue(image, scratch.cache, scratch.queue)
                // Beside others, so that they take turns.
                var other = 0
                for length in [5, 2, 9] { _ = queue.add(at, min(length, text.count), nil, &other) }
                if !queue.add(at, text.count, nil, &queued) { queued = -1 }
                queue.run()
            }
        }
        return (count, queued, ids)
    }

    @Test(arguments: [BuiltInEncoding.o200kBase, .cl100kBase, .p50kBase])
    func mergesAsDefined(_ encoding: BuiltInEncoding) throws {
        let image = try #require(encoding.image)
        var generator = TextGenerator(seed: 31)
        let letters = Array("abcdefghijklmnopqrstuvwxyzetaoinsr".utf8)
        for round in 0..<400 {
            let length = 2 + generator.below(round % 8 == 0 ? 200 : 30)
            let text =
                round % 2 == 0
                ? generator.text(length) : (0..<length).map { _ in letters[generator.below(letters.count)] }
            let expected = reference(text, image)
            let found = merge(text, image)
            #expect(found.ids == expected, "\(text)")
            #expect(found.count == expected.count)
            #expect(found.queued == expected.count || found.queued == -1)
        }
    }

    /// Pieces of several windows, and of fewer letters than are good for them.
    @Test(arguments: [
        "a", " ", "=", "ab", "abc", "aab", "\u{4e2d}", "\u{430}\u{431}", "e\u{301}", "xyxyz", "\n", "0",
    ])
    func longPiecesMergeAsDefined(_ letters: String) throws {
        let image = try #require(BuiltInEncoding.o200kBase.image)
        var generator = TextGenerator(seed: 32)
        let characters = Array(letters)
        for length in [1_023, 1_025, 1_500] {
            let text = Array(
                (0..<length).map { _ in String(characters[generator.below(characters.count)]) }.joined().utf8)
            let expected = reference(text, image)
            let found = merge(text, image)
            #expect(found.count == expected.count)
            #expect(found.ids == expected)
        }
    }

    /// A text whose first window ends with tokens that may not stand before those of the next: an earlier edge
    /// is needed.
    @Test func tokensThatMayNotFollowAreNotJoined() throws {
        let image = try #require(BuiltInEncoding.o200kBase.image)
        var state: UInt64 = 126
        let text = (0..<1_100).map { _ -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return 0x61 + UInt8((state >> 33) % 26)
        }
        let expected = reference(text, image)
        #expect(expected.count == 568)
        #expect(merge(text, image).ids == expected)
        #expect(merge(text, image).count == 568)
    }
}
