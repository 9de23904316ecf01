internal import MemexModel

/// Several commands at once: one round trip for each server that has to be asked.
extension RedisCaller {
    enum Answer {
        case written(Written)
        /// Nothing was done; to be asked alone, which follows redirections and waits.
        case again
        case fault(RedisFault)
    }

    func pipelined(
        _ shards: [Int], isWrite: Bool, until deadline: Deadline,
        _ command: (Int) throws(MemexError) -> RedisCommand
    ) -> [Answer] {
        var answers = [Answer](repeating: .again, count: shards.count)
        var pools: [(pool: RedisPool, indexes: [Int])] = []
        for (index, shard) in shards.enumerated() {
            let pool = servers.pool(ofShard: shard)
            if let place = pools.firstIndex(where: { $0.pool === pool }) {
                pools[place].indexes.append(index)
            } else {
                pools.append((pool, [index]))
            }
        }
        for (pool, indexes) in pools {
            guard let connection = try? pool.take(until: deadline) else { continue }
            defer { pool.give(connection) }
            do throws(RedisFault) {
                do throws(MemexError) {
                    for index in indexes { try connection.add(command(index)) }
                } catch { throw .failed(error) }
                let confirms = isWrite && confirmation.isNeeded
                if confirms { try connection.queue(confirmation.command(until: deadline)) }
                servers.countRoundTrip()
                let replies = try connection.run(until: deadline)
                let unconfirmed = confirms ? replies.last.flatMap { confirmation.failure($0.value) } : nil
                for (index, reply) in zip(indexes, replies) where !reply.value.isError {
                    answers[index] = .written(Written(reply: reply, unconfirmed: unconfirmed))
                }
            } catch {
                let isUnknown = isWrite && error.mayHaveWritten
                for index in indexes { answers[index] = isUnknown ? .fault(error) : .again }
            }
        }
        return answers
    }

    /// A reply of every shard.
    func readEach(
        _ shards: Int, until deadline: Deadline, _ command: (Int) -> RedisCommand
    ) throws(MemexError) -> [RedisReply] {
        if shards == 1 { return [try read(0, command(0), until: deadline)] }
        var replies: [RedisReply] = []
        replies.reserveCapacity(shards)
        let answers = pipelined(Array(0..<shards), isWrite: false, until: deadline) {
            (index) throws(MemexError) in command(index)
        }
        for (shard, answer) in answers.enumerated() {
            if case .written(let written) = answer {
                replies.append(written.reply)
            } else {
                replies.append(try read(shard, command(shard), until: deadline))
            }
        }
        return replies
    }
}
