package import MemexModel

extension KeyValueEngine {
    package func check(until deadline: Deadline) throws(MemexError) -> [String] {
        let checker = KeyValueChecker(self, deadline)
        try checker.run()
        return checker.problems
    }
}
