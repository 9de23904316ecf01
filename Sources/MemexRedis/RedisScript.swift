/// What the server runs, atomically. Each is called by its SHA-1 and sent again when the server has
/// forgotten it.
struct RedisScript: Sendable {
    let source: StaticString
    let sha1: String

    static let all = [commit, scan, remove, fence]

    /// Conditions, then writes: all or none. Keys by their numbers; 1 when it is done, 0 when a condition
    /// did not hold.
    static let commit = RedisScript(
        """
        local K, A, n, i, call = KEYS, ARGV, #ARGV, 1, redis.call
        while i <= n do
          local o, k = A[i], K[A[i + 1] + 0]
          if o == '=' then
            if call('HGET', k, A[i + 2]) ~= A[i + 3] then return 0 end
            i = i + 4
          elseif o == '-' then
            if call('HEXISTS', k, A[i + 2]) == 1 then return 0 end
            i = i + 3
          elseif o == '+' then
            if call('HEXISTS', k, A[i + 2]) == 0 then return 0 end
            i = i + 3
          elseif o == '<' then
            if call('ZCOUNT', k, A[i + 2], A[i + 2]) > 0 then return 0 end
            i = i + 3
          elseif o == '>' then
            if call('ZCOUNT', k, A[i + 2], A[i + 2]) == 0 then return 0 end
            i = i + 3
          else break end
        end
        while i <= n do
          local o, k = A[i], K[A[i + 1] + 0]
          if o == 'm' then
            call('ZADD', k, A[i + 2], A[i + 3])
            i = i + 4
          elseif o == 'h' then
            call('HSET', k, A[i + 2], A[i + 3])
            i = i + 4
          elseif o == 's' then
            call('ZADD', k, 0, A[i + 2])
            i = i + 3
          elseif o == 'r' then
            call('ZREMRANGEBYSCORE', k, A[i + 2], A[i + 2])
            call('ZADD', k, A[i + 2], A[i + 3])
            i = i + 4
          elseif o == 'H' then
            call('HDEL', k, A[i + 2])
            i = i + 3
          elseif o == 'S' then
            call('ZREM', k, A[i + 2])
            i = i + 3
          elseif o == 'M' then
            call('ZREMRANGEBYSCORE', k, A[i + 2], A[i + 3])
            i = i + 4
          elseif o == 'D' then
            call('UNLINK', k)
            i = i + 2
          else
            return redis.error_reply('ERR a commit has an unknown step')
          end
        end
        return 1
        """)

    /// Names of a range in their order, and their values: KEYS are the order and the values, ARGV the
    /// command, its bounds and the limit.
    static let scan = RedisScript(
        """
        local names = redis.call(ARGV[1], KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
        if #names == 0 then return {names, names} end
        return {names, redis.call('HMGET', KEYS[2], unpack(names))}
        """)

    /// Removes a value that is still what it was; 1 when it was.
    static let remove = RedisScript(
        """
        if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
        redis.call('HDEL', KEYS[1], ARGV[1])
        return 1
        """)

    /// Closes a thread's number, unless the thread is there. Nobody who was given the number takes a day to
    /// use it.
    static let fence = RedisScript(
        """
        if redis.call('HEXISTS', KEYS[1], 't') == 1 then return 0 end
        redis.call('HSET', KEYS[1], 'y', '')
        redis.call('EXPIRE', KEYS[1], 86400)
        return 1
        """)

    private init(_ source: StaticString) {
        self.source = source
        sha1 = SHA1.hex(of: source)
    }

    func call(capacity: Int = 256) -> RedisCommand {
        var command = RedisCommand("EVALSHA", capacity: capacity)
        command.append(sha1)
        return command
    }
}
