internal import CMemexShim
package import MemexModel
package import MemexStorage

/// Opens conversations in Redis, or in a Redis Cluster.
package enum RedisEngine {
    package struct Options: Sendable {
        package var url: String
        package var readOnly = false
        package var create = true
        /// `full`: an acknowledged commit is on the server's disk, as far as the server is set up for it, and
        /// in a cluster on a replica.
        package var isFullyDurable = true
        package var timeout: Int64 = 30_000_000
        /// A signal ends the wait of opening.
        package var isInterruptible = false
        package var environment = Environment.system

        package init(url: String) { self.url = url }
    }

    package static func open(_ options: Options) throws(MemexError) -> any StorageEngine {
        let url = try RedisURL(options.url)
        guard !url.isEncrypted else {
            throw MemexError(
                .unsupported,
                "rediss:// is not supported: hiredis as it is found here does not encrypt; put a TLS tunnel "
                    + "(stunnel) in front of the server and use redis:// to it")
        }
        if let reason = memex_redis_load() { throw MemexError(.unavailable, String(cString: reason)) }
        let interruptions = RedisInterruptions()
        let servers = RedisServers(url, interruptions)
        let deadline = Deadline(after: options.timeout, isInterruptible: options.isInterruptible)
        do throws(MemexError) {
            return try open(options, url, servers, until: deadline)
        } catch {
            servers.close()
            throw error
        }
    }

    private static func open(
        _ options: Options, _ url: RedisURL, _ servers: RedisServers, until deadline: Deadline
    ) throws(MemexError) -> any StorageEngine {
        let server = try ask(servers, until: deadline)
        var caller = RedisCaller(servers: servers)
        caller.confirmation.asksForDisk = options.isFullyDurable && server.canConfirmDisk
        caller.confirmation.replicas = url.replicas ?? (options.isFullyDurable && url.isCluster ? 1 : 0)
        let shards = try shards(caller, url, options, until: deadline)
        let layout = RedisLayout(prefix: url.prefix, shards: shards)
        servers.setTags(layout.tags)
        var traits = OrderedStoreTraits()
        traits.durable =
            options.isFullyDurable && server.isDurable(asksForDisk: caller.confirmation.asksForDisk)
        traits.erases = false
        traits.isReadOnly = options.readOnly
        traits.spansFamilies = shards == 1
        traits.dropsThreads = true
        if options.isFullyDurable, !traits.durable {
            Log.write(
                .warning,
                "the Redis server does not write every commit to its disk: set appendonly yes and appendfsync always"
            )
        }
        let store = RedisStore(caller, layout, server, traits, timeout: options.timeout)
        return try KeyValueEngine(pipelined: store, environment: options.environment)
    }

    /// Every master is asked: one that evicts is enough to lose conversations.
    private static func ask(_ servers: RedisServers, until deadline: Deadline) throws(MemexError)
        -> RedisServer
    {
        var pause: Int64 = 5_000
        while true {
            do throws(MemexError) {
                guard try servers.refresh(until: deadline) else { throw RedisConnector.unreachable }
                var result: RedisServer?
                for address in servers.masters {
                    let server = try RedisServer.ask(servers, address, until: deadline)
                    try check(server)
                    // The weakest of them is what can be promised.
                    if result == nil || !server.isDurable(asksForDisk: server.canConfirmDisk) {
                        result = server
                    }
                }
                if let result { return result }
                throw RedisConnector.unreachable
            } catch {
                // A server that reads its data, or a cluster that elects, is waited for; one that is not there not.
                let mayHelp = servers.url.isCluster || error.message != RedisConnector.unreachable.message
                guard error.code == .unavailable, mayHelp, deadline.remaining > pause else { throw error }
                try deadline.sleep(pause)
                if pause < 100_000 { pause *= 2 }
            }
        }
    }

    private static func check(_ server: RedisServer) throws(MemexError) {
        guard !server.evicts else {
            throw MemexError(
                .unsupported,
                "the server's maxmemory-policy lets it remove conversations when its memory is full; set "
                    + "noeviction (CONFIG SET maxmemory-policy noeviction)")
        }
        guard server.version.isEmpty || server.major >= 5 else {
            throw MemexError(.unsupported, "Redis \(server.version) is too old; 5 or newer is needed")
        }
    }

    /// Over how many hash tags the store is spread: settled when it is created.
    private static func shards(
        _ caller: RedisCaller, _ url: RedisURL, _ options: Options, until deadline: Deadline
    ) throws(MemexError) -> Int {
        let layout = RedisLayout(prefix: url.prefix, shards: 1)
        caller.servers.setTags(layout.tags)
        func stored() throws(MemexError) -> Int? {
            var command = RedisCommand("HGET")
            layout.append("h", of: 0, 0, to: &command)
            command.append("!shards")
            let reply = try caller.read(0, command, until: deadline)
            if reply.value.isNil { return nil }
            guard let number = Int(reply.value.text), (1...4_096).contains(number) else {
                throw RedisStore.damaged
            }
            return number
        }
        if let number = try stored() { return number }
        guard options.create, !options.readOnly else {
            throw MemexError(
                .notFound, "the server has no store under this prefix, and it is not to be created")
        }
        var command = RedisCommand("HSETNX")
        layout.append("h", of: 0, 0, to: &command)
        command.append("!shards")
        command.append(number: Int64(url.isCluster ? url.shards : 1))
        _ = try caller.repeatable(0, command, until: deadline)
        guard let number = try stored() else { throw RedisStore.damaged }
        return number
    }
}
