import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

/// Random operations on families of forks against an oracle that copies everything.
@Suite struct ForkPropertyTests {
    /// A message as one thread sees it. `origin` is shared by all copies of one message.
    struct Entry {
        var body: String?
        var origin: Int
        var id: String
    }

    struct Member {
        var thread: ConversationThread
        var entries: [Entry]
        /// The seqs up to here come from elsewhere.
        var base: Int
        var parent: String?
    }

    @Test(arguments: TestTarget.allCases, [1, 2, 3])
    func forksAreCopies(_ target: TestTarget, seed: Int) throws {
        let store = try TestStore(target)
        let session = store.session
        let canErase = store.engine.capabilities.erases
        var generator = SeededGenerator(seed: UInt64(seed))
        var members: [String: Member] = [:]
        var origins = 0
        var created = 0
        var operations = 0
        var forked: [String: (parent: String, base: Int)] = [:]

        func pick() -> String { members.keys.sorted()[generator.below(members.count)] }

        for _ in 0..<3 {
            created += 1
            let id = "t\(created)"
            members[id] = Member(thread: try session.create("{\"id\":\"\(id)\"}"), entries: [], base: 0)
        }
        while operations < 1_200 {
            operations += 1
            if members.isEmpty || (members.count < 3 && generator.below(4) == 0) {
                created += 1
                let id = "t\(created)"
                members[id] = Member(thread: try session.create("{\"id\":\"\(id)\"}"), entries: [], base: 0)
                continue
            }
            let name = pick()
            guard let member = members[name] else { break }
            let live = member.entries.indices.filter { member.entries[$0].body != nil }
            switch generator.below(20) {
            case 0..<7:
                let count = 1 + generator.below(3)
                let bodies = (0..<count).map { user("\(operations).\($0)") }
                let result = try member.thread.add("[" + bodies.joined(separator: ",") + "]")
                #expect(result.firstSeq == Int64(member.entries.count + 1))
                for (index, body) in bodies.enumerated() {
                    origins += 1
                    let id = try member.thread.message(seq: result.firstSeq + Int64(index)).id
                    members[name]?.entries.append(Entry(body: body, origin: origins, id: id))
                }
            case 7..<10 where members.count < 14:
                created += 1
                let id = "t\(created)"
                let at = generator.below(member.entries.count + 1)
                let fork = try member.thread.fork("{\"id\":\"\(id)\",\"at_seq\":\(at)}")
                members[id] = Member(
                    thread: fork, entries: Array(member.entries.prefix(at)), base: at, parent: name)
                forked[id] = (name, at)
            case 10..<14:
                guard !live.isEmpty else { continue }
                let index = live[generator.below(live.count)]
                let body = user("edited \(operations)")
                try member.thread.message(seq: Int64(index + 1)).replace(body)
                members[name]?.entries[index].body = body
            case 14, 15:
                guard !live.isEmpty else { continue }
                let index = live[generator.below(live.count)]
                try member.thread.message(seq: Int64(index + 1)).remove()
                members[name]?.entries[index].body = nil
            case 16:
                guard !member.entries.isEmpty, generator.below(2) == 0, canErase else { continue }
                // A deleted one, too: forks may still have it.
                let index = generator.below(member.entries.count)
                try member.thread.message(seq: Int64(index + 1)).remove("{\"erase\":true}")
                let origin = member.entries[index].origin
                for (other, family) in members {
                    for (place, entry) in family.entries.enumerated() where entry.origin == origin {
                        members[other]?.entries[place].body = nil
                    }
                }
            case 17:
                guard !live.isEmpty else { continue }
                let index = live[generator.below(live.count)]
                try member.thread.message(seq: Int64(index + 1)).patch("{\"n\":\(operations)}")
            case 18:
                guard generator.below(2) == 0 else { continue }
                let erases = generator.below(4) == 0 && canErase
                try session.delete(name, erases ? "{\"erase\":true}" : "")
                members[name] = nil
                if erases {
                    // What it stored itself goes from its forks.
                    let own = Set(member.entries.dropFirst(member.base).map { $0.origin })
                    for (other, family) in members {
                        for (place, entry) in family.entries.enumerated() where own.contains(entry.origin) {
                            members[other]?.entries[place].body = nil
                        }
                    }
                }
            default:
                guard let index = live.first else { continue }
                #expect(try member.thread.message(member.entries[index].id).seq == Int64(index + 1))
            }
            guard try compare(members, all: operations % 40 == 0, name) else {
                Issue.record("after operation \(operations) on \(name)")
                return
            }
            if !members.isEmpty, operations % 100 == 0 {
                let problems = try session.command("check")["problems"] as? [String]
                #expect(problems == [], "after \(operations) operations")
            }
        }
        for name in members.keys.sorted() { try session.delete(name) }
        let engine = store.engine
        for key in 1...Int64(created) {
            #expect(try engine.thread(key: key) == nil, "thread \(key) is gone with the last of its family")
            #expect(try engine.rows(key).isEmpty)
        }
    }

    private func compare(_ members: [String: Member], all: Bool, _ name: String) throws -> Bool {
        var isRight = true
        func expect(_ holds: Bool, _ what: String) {
            #expect(holds, "\(what)")
            isRight = isRight && holds
        }
        for (id, member) in members {
            let bodies = member.entries.compactMap { $0.body }
            let text = try member.thread.cursor("{\"layout\":\"bodies\",\"page_size\":10000}").page()
            let expected = bodies.isEmpty ? nil : "[" + bodies.joined(separator: ",") + "]"
            let found = text.map { String(decoding: $0, as: UTF8.self) }
            expect(found == expected, "bodies of \(id): \(found ?? "none") for \(expected ?? "none")")
            expect(try member.thread.count() == Int64(bodies.count), "count of \(id)")
            guard all || id == name else { continue }
            let rows = try member.thread.read("{\"include_deleted\":true}")
            expect(
                rows.map { $0["seq"] as? Int } == (0..<member.entries.count).map { $0 + 1 }, "seqs of \(id)")
            expect(rows.map { $0["id"] as? String } == member.entries.map { $0.id }, "ids of \(id)")
            expect(
                rows.map { $0["state"] as? String == "deleted" } == member.entries.map { $0.body == nil },
                "tombstones of \(id)")
            let last = try member.thread.read("{\"last\":3}").map { ($0["seq"] as? Int) ?? 0 }
            let live = member.entries.indices.filter { member.entries[$0].body != nil }.map { $0 + 1 }
            expect(last == Array(live.suffix(3)), "the last of \(id)")
        }
        return isRight
    }
}
