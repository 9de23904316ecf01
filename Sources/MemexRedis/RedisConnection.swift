internal import CMemexShim
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// One connection. What is queued is sent together and waited for once. Used by one thread at a time; no
/// call of the system waits but `poll`, until the deadline.
final class RedisConnection {
    let descriptor: Int32
    let address: RedisAddress
    /// When it was put back.
    var idleSince: Int64 = 0
    private(set) var isBroken = false

    private let reader: UnsafeMutableRawPointer
    private let interruptions: RedisInterruptions
    private var outgoing = ByteBuffer(capacity: 1024)
    private var expected = 0
    private let incoming = UnsafeMutablePointer<UInt8>.allocate(capacity: RedisConnection.chunk)
    private static let chunk = 65_536
    /// Memory above this is given back after a round trip.
    private static let keptBytes = 1 << 20

    /// Takes the descriptor over, which does not block.
    init(
        _ descriptor: Int32, _ address: RedisAddress, _ interruptions: RedisInterruptions
    ) throws(MemexError) {
        guard let reader = memex_redis_reader_new() else {
            Glibc.close(descriptor)
            throw .noMemory
        }
        self.reader = reader
        self.descriptor = descriptor
        self.address = address
        self.interruptions = interruptions
        memex_shim_fork_close_add(descriptor)
    }

    deinit {
        incoming.deallocate()
        memex_redis_reader_free(reader)
    }

    func close() {
        memex_shim_fork_close_remove(descriptor)
        Glibc.close(descriptor)
    }

    /// False when the server ended an idle connection. Nothing is sent for that.
    func isAlive() -> Bool {
        if isBroken { return false }
        var descriptor = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        // A server says nothing unasked: what is there to read is the end.
        if Glibc.poll(&descriptor, 1, 0) == 0 { return true }
        isBroken = true
        return false
    }

    func queue(_ command: borrowing RedisCommand) throws(RedisFault) {
        do throws(MemexError) { try add(command) } catch { throw .failed(error) }
    }

    func add(_ command: borrowing RedisCommand) throws(MemexError) {
        do throws(MemexError) { try command.write(to: &outgoing) } catch {
            outgoing = ByteBuffer(capacity: 1024)
            isBroken = true
            throw error
        }
        expected &+= 1
    }

    /// Sends what is queued and gives the replies, in order.
    func run(until deadline: Deadline) throws(RedisFault) -> [RedisReply] {
        var replies: [RedisReply] = []
        replies.reserveCapacity(expected)
        do throws(RedisFault) { try exchange(&replies, until: deadline) } catch {
            isBroken = true
            throw error
        }
        expected = 0
        if outgoing.count > Self.keptBytes {
            outgoing = ByteBuffer(capacity: 1024)
        } else {
            outgoing.removeAll()
        }
        return replies
    }

    private func exchange(_ replies: inout [RedisReply], until deadline: Deadline) throws(RedisFault) {
        let began = interruptions.current
        var sent = 0
        while replies.count < expected {
            while sent < outgoing.count, let base = outgoing.base {
                let count = send(
                    descriptor, base + sent, outgoing.count &- sent, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
                if count >= 0 {
                    sent &+= count
                } else if errno == EAGAIN {
                    break
                } else if errno != EINTR {
                    throw .lost(wasSent: sent > 0)
                }
            }
            let events = sent < outgoing.count ? POLLIN | POLLOUT : POLLIN
            if try wait(Int16(truncatingIfNeeded: events), began, wasSent: sent > 0, until: deadline)
                & Int16(POLLIN | POLLHUP | POLLERR)
                == 0
            {
                continue
            }
            try receive()
            try take(&replies)
        }
    }

    private func wait(
        _ events: Int16, _ began: Int, wasSent: Bool, until deadline: Deadline
    ) throws(RedisFault) -> Int16 {
        var descriptor = pollfd(fd: self.descriptor, events: events, revents: 0)
        while true {
            // Slices, so that an interruption is seen.
            let slice = min(deadline.remaining / 1000 &+ 1, 20)
            if Glibc.poll(&descriptor, 1, Int32(truncatingIfNeeded: slice)) > 0 { return descriptor.revents }
            if interruptions.current != began { throw .interrupted(wasSent: wasSent) }
            if deadline.isPast { throw .silent(wasSent: wasSent) }
        }
    }

    private func receive() throws(RedisFault) {
        let count = recv(descriptor, incoming, Self.chunk, Int32(MSG_DONTWAIT))
        if count > 0 {
            guard memex_redis_reader_feed(reader, incoming, count) == 0 else { throw .failed(.noMemory) }
        } else if count == 0 || errno != EAGAIN && errno != EINTR {
            throw .lost(wasSent: true)
        }
    }

    private func take(_ replies: inout [RedisReply]) throws(RedisFault) {
        while replies.count < expected {
            var reply: UnsafeMutableRawPointer?
            guard memex_redis_reader_next(reader, &reply) == 0 else { throw .lost(wasSent: true) }
            guard let reply else { return }
            replies.append(RedisReply(reply))
        }
    }
}
