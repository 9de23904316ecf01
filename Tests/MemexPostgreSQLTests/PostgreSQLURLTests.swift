import CMemexShim
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@testable import MemexPostgreSQL

@Suite(.enabled(if: memex_pq_load() == nil, "libpq is not installed")) struct PostgreSQLURLTests {
    private func parse(_ url: String, readOnly: Bool = false) throws -> PostgreSQLURL {
        try PostgreSQLURL(url, readOnly: readOnly)
    }

    @Test func ownParametersAreTakenOut() throws {
        let url = try parse(
            "postgresql://u:p%40ss@db.example/chat?schema=s_1&pool_size=3&application_name=mine&pool_wait_us=5"
                + "&prepared=false&partitions=16")
        #expect(url.schema == "s_1" && url.poolSize == 3 && url.poolWait == 5)
        #expect(!url.usesPrepared && url.partitions == 16)
        #expect(url.value("application_name") == "mine" && url.value("password") == "p@ss")
        #expect(url.value("dbname") == "chat" && url.value("user") == "u")
        #expect(url.value("options") == nil, "a pooler passes no settings on")
        #expect(url.endpoints == [.init(host: "db.example", address: nil, port: nil)])
    }

    @Test(arguments: ["localhost", "127.0.0.1", "127.1.2.3", "%2Frun%2Fpostgresql", ""])
    func thisMachineMayGoWithoutEncryption(_ host: String) throws {
        #expect(try parse("postgresql://\(host)/x").value("sslmode") == nil)
    }

    @Test(arguments: [
        "db.example", "10.0.0.1", "localhost.example", "127.example", "127.0.0.1.example",
        "localhost,db.example",
    ])
    func otherMachinesAreEncryptedUnlessTheURLSaysOtherwise(_ host: String) throws {
        #expect(try parse("postgresql://\(host)/x").value("sslmode") == "require")
        #expect(try parse("postgresql://\(host)/x?sslrootcert=/ca").value("sslmode") == "verify-full")
        #expect(try parse("postgresql://\(host)/x?sslmode=disable").value("sslmode") == "disable")
    }

    @Test func severalHostsMeanTheOneThatWrites() throws {
        let url = try parse("postgresql://a:1,b,c:3/x")
        #expect(url.endpoints.map(\.host) == ["a", "b", "c"])
        #expect(url.endpoints.map(\.port) == ["1", nil, "3"])
        #expect(url.value("target_session_attrs") == "read-write")
        #expect(try parse("postgresql://a,b/x", readOnly: true).value("target_session_attrs") == nil)
        let given = try parse("postgresql://a,b/x?target_session_attrs=prefer-standby")
        #expect(given.value("target_session_attrs") == "prefer-standby" && given.prefersStandby)
        #expect(try parse("postgresql://a/x").value("target_session_attrs") == nil)
    }

    @Test func settingsOfASessionAreAddedToTheCallers() throws {
        let options = try #require(try parse("postgresql://a/x?options=-c%20geqo%3Doff").value("options"))
        #expect(options.hasPrefix("-c geqo=off ") && options.contains("enable_seqscan=off"))
    }

    /// What the server adds, and what the reader takes out again, gives the checksum of the contract.
    @Test func theSealIsTheContracts() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<1_000 {
            let seq = Int64(1 + generator.below(Int(Limits.seq)))
            var draft = MessageDraft()
            draft.createdAt = Int64(bitPattern: generator.next())
            draft.head.checksum = UInt32(truncatingIfNeeded: generator.next())
            draft.head.tokens = UInt32(truncatingIfNeeded: generator.next())
            draft.head.flags = UInt16(truncatingIfNeeded: generator.next())
            draft.head.compression = UInt8(truncatingIfNeeded: generator.next())
            draft.head.codecKey = UInt32(truncatingIfNeeded: generator.next())
            draft.head.counter = UInt32(truncatingIfNeeded: generator.next())
            let changes = UInt32(truncatingIfNeeded: generator.next()) & 0x7FFF_FFFF
            let sent = RecordSeal.sent(draft, createdAt: draft.createdAt)
            // As the function of the schema, with numbers that do not wrap around.
            let mixed = (seq * 2_654_435_761) ^ (Int64(changes) * 2_246_822_519)
            let stored = sent ^ (mixed & 0xFFFF_FFFF)
            var head = draft.head
            head.changes = changes
            let expected = RecordChecksum.seal(
                draft.head.checksum, head, seq: seq, createdAt: draft.createdAt)
            #expect(RecordSeal.checksum(stored: stored, seq: seq, changes: changes) == expected)
            #expect(RecordSeal.counter(stored: stored) == draft.head.counter)
        }
    }
}
