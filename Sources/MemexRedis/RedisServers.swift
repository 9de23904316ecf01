internal import CMemexShim
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif
internal import Synchronization

/// The servers of a store, and which of them has which hash tag.
final class RedisServers: @unchecked Sendable {
    let url: RedisURL
    let interruptions: RedisInterruptions
    private let connector: RedisConnector
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var pools: [RedisAddress: RedisPool] = [:]
    private var slots: [Int32] = []
    private var addresses: [RedisAddress] = []
    /// The hash slot of each hash tag.
    private var slotOfShard: [Int] = [0]
    private let roundTrips = Atomic<Int>(0)
    private let redirections = Atomic<Int>(0)

    init(_ url: RedisURL, _ interruptions: RedisInterruptions) {
        self.url = url
        self.interruptions = interruptions
        connector = RedisConnector(url, interruptions)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    private func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    func countRoundTrip() { roundTrips.wrappingAdd(1, ordering: .relaxed) }
    func countRedirection() { redirections.wrappingAdd(1, ordering: .relaxed) }

    func setTags(_ tags: [String]) {
        locked { slotOfShard = tags.map { RedisSlots.slot(of: $0) } }
    }

    // MARK: Places

    func pool(of address: RedisAddress) -> RedisPool {
        locked { unlockedPool(address) }
    }

    private func unlockedPool(_ address: RedisAddress) -> RedisPool {
        if let pool = pools[address] { return pool }
        let pool = RedisPool(address, connector, interruptions)
        pools[address] = pool
        return pool
    }

    /// Where a shard's keys are, as far as is known.
    func pool(ofShard shard: Int) -> RedisPool {
        locked {
            guard url.isCluster, !slots.isEmpty else { return unlockedPool(url.addresses[0]) }
            let place = Int(slots[slotOfShard[shard]])
            return unlockedPool(place >= 0 ? addresses[place] : url.addresses[0])
        }
    }

    /// One server per master that has a slot; the one server of a plain store.
    var masters: [RedisAddress] {
        locked { url.isCluster && !addresses.isEmpty ? addresses : url.addresses }
    }

    /// A server said that a slot is another's.
    func note(_ address: RedisAddress, ofShard shard: Int, from: RedisAddress) {
        countRedirection()
        // A server that does not know its own name leaves it out.
        let place = address.host.isEmpty ? RedisAddress(host: from.host, port: address.port) : address
        locked {
            guard !slots.isEmpty else { return }
            if !addresses.contains(place) { addresses.append(place) }
            slots[slotOfShard[shard]] = Int32(truncatingIfNeeded: addresses.firstIndex(of: place) ?? 0)
        }
    }

    /// Asks the servers, those that are known first, for the map of slots. False when none answers.
    func refresh(until deadline: Deadline) throws(MemexError) -> Bool {
        guard url.isCluster else { return true }
        var refusal: MemexError?
        let known = locked { addresses } + url.addresses
        for (index, address) in known.enumerated() where !known[..<index].contains(address) {
            // One that hangs leaves time for the others.
            let share = Deadline(after: min(deadline.remaining, max(deadline.remaining / 4, 250_000)))
            do throws(MemexError) {
                if let ranges = try map(from: address, until: share), !ranges.isEmpty {
                    adopt(ranges)
                    return true
                }
            } catch {
                if error.code != .unavailable, error.code != .timeout { refusal = error }
                if error.code == .cancelled || error.code == .forked || error.code == .closed { throw error }
            }
        }
        if let refusal { throw refusal }
        return false
    }

    private func map(
        from address: RedisAddress, until deadline: Deadline
    ) throws(MemexError) -> [(first: Int, last: Int, address: RedisAddress)]? {
        let pool = pool(of: address)
        let connection = try pool.take(until: deadline)
        defer { pool.give(connection) }
        do throws(RedisFault) {
            var command = RedisCommand("CLUSTER")
            command.append("SLOTS")
            try connection.queue(command)
            countRoundTrip()
            guard let reply = try connection.run(until: deadline).first else { return nil }
            if reply.value.isError {
                if case .refused(let error) = RedisRefusal(reply.value) {
                    guard error.code == .io else { throw .failed(error) }
                    throw .failed(
                        MemexError(.unsupported, "the server is no cluster; use redis:// for it"))
                }
                return nil
            }
            return RedisSlots.ranges(reply.value, origin: address)
        } catch { throw error.ofRead }
    }

    private func adopt(_ ranges: [(first: Int, last: Int, address: RedisAddress)]) {
        var found = [Int32](repeating: -1, count: RedisSlots.count)
        var order: [RedisAddress] = []
        for range in ranges {
            let place = order.firstIndex(of: range.address) ?? order.count
            if place == order.count { order.append(range.address) }
            for slot in range.first...range.last { found[slot] = Int32(truncatingIfNeeded: place) }
        }
        locked {
            slots = found
            addresses = order
        }
    }

    // MARK: Control

    var statistics: String {
        let all = locked { Array(pools.values) }
        var sum = RedisPool.Counts()
        for pool in all {
            let own = pool.statistics
            sum.open += own.open
            sum.idle += own.idle
            sum.made += own.made
            sum.waited += own.waited
            sum.broken += own.broken
        }
        return "\"servers\":\(masters.count),\"connections\":\(sum.open),\"connections_idle\":\(sum.idle)"
            + ",\"connections_limit\":\(url.poolSize),\"connections_made\":\(sum.made)"
            + ",\"connections_broken\":\(sum.broken),\"pool_waits\":\(sum.waited)"
            + ",\"round_trips\":\(roundTrips.load(ordering: .relaxed))"
            + ",\"redirections\":\(redirections.load(ordering: .relaxed))"
    }

    func close() { for pool in locked({ Array(pools.values) }) { pool.close() } }
}
