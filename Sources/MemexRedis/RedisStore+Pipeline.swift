internal import MemexModel
internal import MemexStorage

extension RedisStore {
    func commit(
        all commits: [UnsafeBufferPointer<KeyValueWrite>], until deadline: Deadline
    ) -> [Result<Bool, MemexError>] {
        let layout = self.layout
        let shards = commits.map { $0.first.map { layout.place(of: $0.key).shard } ?? 0 }
        let answers = caller.pipelined(shards, isWrite: true, until: deadline) {
            (index) throws(MemexError) in
            try RedisCommitEncoder.encode(commits[index], layout, shards[index])
        }
        var verdicts: [Result<Bool, MemexError>] = []
        for (index, answer) in answers.enumerated() {
            do throws(MemexError) {
                verdicts.append(
                    .success(try judge(answer, commits[index], shards[index], until: deadline)))
            } catch { verdicts.append(.failure(error)) }
        }
        return verdicts
    }

    private func judge(
        _ answer: RedisCaller.Answer, _ writes: UnsafeBufferPointer<KeyValueWrite>, _ shard: Int,
        until deadline: Deadline
    ) throws(MemexError) -> Bool {
        switch answer {
        case .written(let written): return try verdict(written)
        case .again: return try commit(writes, until: deadline)
        case .fault(let fault):
            let command = try RedisCommitEncoder.encode(writes, layout, shard)
            return try resolve(fault, command, shard, writes, until: deadline)
        }
    }
}
