import Foundation
import Testing

/// The servers that `make services` started, named by MEMEX_TEST_REDIS and MEMEX_TEST_REDIS_CLUSTER.
enum TestServer {
    private static let environment = ProcessInfo.processInfo.environment
    static let url = environment["MEMEX_TEST_REDIS"] ?? ""
    static let clusterURL = environment["MEMEX_TEST_REDIS_CLUSTER"] ?? ""
    static let reason: Comment = "MEMEX_TEST_REDIS names no server; run make services"
    static let clusterReason: Comment = "MEMEX_TEST_REDIS_CLUSTER names no cluster; run make services"

    /// A URL of a store that nobody else has.
    static func fresh(_ url: String) -> String {
        let name = UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
        return url + (url.contains("?") ? "&" : "?") + "prefix=t\(name)"
    }
}
