import Foundation

/// A folder that is removed with its last reference.
package final class TemporaryFolder: Sendable {
    private let url: URL

    package init() throws {
        url = Self.parent.appendingPathComponent("memex-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    /// Stores of these tests test logic, not the disk: in memory, unless TMPDIR names a place.
    private static var parent: URL {
        let memory = "/dev/shm"
        let isNamed = ProcessInfo.processInfo.environment["TMPDIR"] != nil
        return !isNamed && FileManager.default.isWritableFile(atPath: memory)
            ? URL(fileURLWithPath: memory) : FileManager.default.temporaryDirectory
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    package func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}
