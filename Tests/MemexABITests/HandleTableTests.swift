import MemexTestSupport
import Synchronization
import Testing

@testable import MemexABI

/// One thread; other suites use the table meanwhile.
@Suite struct HandleTableTests {
    static let kinds: [HandleKind] = [
        .store, .transaction, .thread, .message, .cursor, .strategy, .error, .reply,
    ]

    /// The number of the object that a handle refers to, nil when it is no live handle.
    private func number(_ handle: OpaquePointer?, _ kind: HandleKind) -> Int? {
        guard case .found(let object, let index) = HandleTable.enter(handle, kind) else { return nil }
        defer { HandleTable.leave(index) }
        return Unmanaged<Tracked>.fromOpaque(object).takeUnretainedValue().number
    }

    private func make(
        _ number: Int = 0, _ kind: HandleKind = .thread, gone: Locked<Int>? = nil
    ) throws -> OpaquePointer {
        try #require(HandleTable.make(Tracked(number, gone: gone), kind))
    }

    private func bits(_ handle: OpaquePointer) -> UInt { UInt(bitPattern: handle) }

    // MARK: Finding

    @Test(arguments: kinds)
    func finds(_ kind: HandleKind) throws {
        let gone = Locked(0)
        let handle = try make(7, kind, gone: gone)
        #expect(number(handle, kind) == 7)
        #expect(number(handle, kind) == 7, "found as often as asked")
        #expect(gone.value == 0, "the table keeps it")
        #expect(HandleTable.free(handle, kind))
        #expect(gone.value == 1, "and lets it go")
        #expect(number(handle, kind) == nil)
        #expect(!HandleTable.free(handle, kind), "freed twice")
        #expect(gone.value == 1)
    }

    @Test(arguments: kinds)
    func refusesOtherKinds(_ kind: HandleKind) throws {
        let handle = try make(7, kind)
        for other in Self.kinds where other != kind {
            #expect(number(handle, other) == nil, "\(kind) as \(other)")
            #expect(!HandleTable.free(handle, other), "\(kind) as \(other)")
        }
        #expect(number(handle, kind) == 7)
        #expect(HandleTable.free(handle, kind))
    }

    @Test func refusesWhatIsNoHandle() throws {
        #expect(number(nil, .thread) == nil)
        #expect(!HandleTable.free(nil, .thread))
        let object = Tracked(7)
        let handle = try #require(HandleTable.make(object, .thread))
        #expect(bits(handle) != UInt(bitPattern: Unmanaged.passUnretained(object).toOpaque()))
        // Kind, generation, and the bits beyond the last slot: with any of them changed it is no handle.
        for bit in 24..<64 {
            let wrong = OpaquePointer(bitPattern: bits(handle) ^ 1 << UInt(bit))
            #expect(number(wrong, .thread) == nil, "bit \(bit)")
            #expect(!HandleTable.free(wrong, .thread), "bit \(bit)")
        }
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<10_000 {
            let wrong = OpaquePointer(bitPattern: UInt(generator.next()))
            #expect(number(wrong, .thread) == nil)
        }
        #expect(number(handle, .thread) == 7)
        #expect(HandleTable.free(handle, .thread))
    }

    // MARK: Freeing

    @Test func waitsForItsUsers() throws {
        let gone = Locked(0)
        let handle = try make(gone: gone)
        var indices: [Int] = []
        for _ in 0..<3 {
            guard case .found(_, let index) = HandleTable.enter(handle, .thread) else { break }
            indices.append(index)
        }
        try #require(indices.count == 3)
        #expect(HandleTable.free(handle, .thread))
        #expect(number(handle, .thread) == nil, "nobody comes in after the free")
        #expect(!HandleTable.free(handle, .thread))
        for index in indices {
            #expect(gone.value == 0, "it is in use")
            HandleTable.leave(index)
        }
        #expect(gone.value == 1)
    }

    /// What goes with an object, a transaction's view or a callback of the host's, uses the table.
    @Test func endsWithoutALock() throws {
        let inner = Locked(0)
        let outer = HandleTable.make(
            Tracked(atEnd: {
                let handle = HandleTable.make(Tracked(gone: inner), .cursor)
                HandleTable.free(handle, .cursor)
            }), .thread)
        let handle = try #require(outer)
        #expect(HandleTable.free(handle, .thread))
        #expect(inner.value == 1)
    }

    // MARK: Slots

    /// An old handle never finds the object that has its slot.
    @Test func staleAfterReuse() throws {
        let stale = try make(1)
        let index = HandleTable.decode(stale).index
        #expect(HandleTable.free(stale, .thread))
        var others: [OpaquePointer] = []
        defer { for other in others { HandleTable.free(other, .thread) } }
        repeat {
            others.append(try make(2))
        } while HandleTable.decode(others.last).index != index && others.count < 10_000
        let fresh = try #require(others.last)
        try #require(HandleTable.decode(fresh).index == index, "the slot is used again")
        #expect(fresh != stale)
        #expect(number(stale, .thread) == nil)
        #expect(!HandleTable.free(stale, .thread))
        #expect(number(fresh, .thread) == 2)
    }

    @Test func growsByChunks() throws {
        let gone = Locked(0)
        let count = 2 * HandleTable.slotsPerChunk + 1
        let handles = try (0..<count).map { try make($0, gone: gone) }
        #expect(Set(handles).count == count)
        #expect(Set(handles.map { HandleTable.decode($0).index >> 12 }).count >= 3, "chunks")
        #expect(handles.indices.allSatisfy { number(handles[$0], .thread) == $0 })
        for handle in handles.shuffled() { #expect(HandleTable.free(handle, .thread)) }
        #expect(gone.value == count)
        #expect(handles.allSatisfy { number($0, .thread) == nil })
    }

    /// With the last generation a slot retires: handles of its first generation stay stale.
    @Test func retiresSlots() throws {
        let gone = Locked(0)
        let handle = try make(1, gone: gone)
        let (index, tag) = HandleTable.decode(handle)
        let slot = try #require(HandleTable.slot(index))
        func aged(_ generation: UInt64) -> OpaquePointer? {
            let other = tag & ~HandleTable.generationMask | generation
            return OpaquePointer(bitPattern: bits(handle) ^ UInt((tag ^ other) << 32))
        }
        let last = HandleTable.generationMask
        slot.pointee.state.store(
            HandleTable.decode(aged(last)).tag | HandleTable.live, ordering: .releasing)
        #expect(number(aged(last), .thread) == 1)
        #expect(HandleTable.free(aged(last), .thread))
        #expect(gone.value == 1)
        let others = try (0..<1000).map { try make($0) }
        #expect(others.allSatisfy { HandleTable.decode($0).index != index }, "nobody gets the slot")
        for generation in [0, 1, tag & last, last] {
            #expect(number(aged(generation), .thread) == nil, "generation \(generation)")
        }
        for other in others { HandleTable.free(other, .thread) }
    }
}
