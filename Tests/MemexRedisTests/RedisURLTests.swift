import MemexModel
import MemexRedis
import MemexTestSupport
import Testing

@Suite struct RedisURLTests {
    @Test("All parts of a URL are taken apart") func parts() throws {
        let url = try RedisURL(
            "redis://some%40body:p%3Ass@example.org:6400/3?prefix=a.b&pool_size=4&pool_wait_us=7&replicas=2")
        #expect(url.user == "some@body" && url.password == "p:ss" && url.database == 3)
        #expect(url.prefix == "a.b" && url.poolSize == 4 && url.poolWait == 7 && url.replicas == 2)
        #expect(!url.isCluster && !url.isEncrypted)
    }

    @Test("A password without a user, a host without a port") func short() throws {
        let url = try RedisURL("redis://:secret@[::1]")
        #expect(url.user == nil && url.password == "secret" && url.database == 0 && url.prefix == "memex")
        #expect(try RedisURL("rediss://host").isEncrypted)
        let cluster = try RedisURL("redis+cluster://a:1,b:2,c?shards=4")
        #expect(cluster.isCluster && cluster.shards == 4)
    }

    @Test(
        "What is wrong is refused, and not repeated",
        arguments: [
            "redis:host", "redis://", "redis://host:0", "redis://host:65536", "redis://a:1,b:2",
            "redis://h/x",
            "redis://h/-1", "redis://user@h", "redis://:s3cret%@h", "redis://:s3cret%zz@h", "redis://h?x=1",
            "redis://h?pool_size=0", "redis://h?prefix=", "redis://h?prefix=a:b", "redis://h?shards=2",
            "redis+cluster://h/1", "redis+cluster://h?shards=0", "redis+cluster://h?shards=4097",
            "redis://h#f",
        ])
    func wrong(url: String) {
        do {
            _ = try RedisURL(url)
            Issue.record("\(url) was taken")
        } catch {
            #expect(error.code == .invalid)
            #expect(!error.message.utf8.elementsEqual("s3cret".utf8) && !error.message.contains("s3cret"))
        }
    }
}
