package import Foundation

/// Real input data in a folder named `shared` beside the repository. Tests that want it do less without.
package enum SharedData {
    /// The repository's root.
    package static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The folder, nil when it is absent, which is said once.
    package static let folder: URL? = {
        let place = repository.deletingLastPathComponent().appendingPathComponent("shared")
        if FileManager.default.fileExists(atPath: place.path) { return place }
        print("note: ../shared is absent; tests on real data are skipped or use seeds of their own")
        return nil
    }()

    /// Unpacks an archive of `shared/data` into a new temporary folder, which the caller removes.
    package static func unpack(_ archive: String) -> URL? {
        guard let source = file(archive) else { return nil }
        let target = FileManager.default.temporaryDirectory
            .appendingPathComponent("memex-tests-" + UUID().uuidString)
        try? FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        guard run("tar", ["-xJf", source.path, "-C", target.path]) != nil else {
            print("note: \(archive) cannot be unpacked")
            return nil
        }
        return target
    }

    /// The decompressed bytes of a file `*.xz` of `shared/data`.
    package static func decompress(_ name: String) -> Data? {
        guard let source = file(name) else { return nil }
        guard let data = run("xz", ["-dc", source.path]) else {
            print("note: \(name) cannot be decompressed")
            return nil
        }
        return data
    }

    private static func file(_ name: String) -> URL? {
        guard let place = folder?.appendingPathComponent("data").appendingPathComponent(name) else {
            return nil
        }
        if FileManager.default.fileExists(atPath: place.path) { return place }
        print("note: ../shared/data/\(name) is absent")
        return nil
    }

    /// What a program writes, nil when it fails.
    package static func run(_ program: String, _ arguments: [String]) -> Data? {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardOutput = output
        guard (try? process.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? data : nil
    }
}
