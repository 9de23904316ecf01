import Foundation
import Glibc
import MemexTestSupport
import Testing

@testable import MemexModel

/// A host may run in a locale whose decimal point is a comma; jansson reads reals by it.
@Suite("Locale", .serialized)
struct LocaleTests {
    /// Builds a German locale into a temporary folder, where the system's tool for it exists.
    private static func comma() -> locale_t? {
        for name in ["de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"] {
            if let locale = newlocale(1 << LC_NUMERIC, name, nil) { return locale }
        }
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("memex-locale-" + UUID().uuidString)
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let place = folder.appendingPathComponent("de_DE.UTF-8").path
        _ = SharedData.run(
            "localedef", ["--no-archive", "-c", "-i", "de_DE", "-f", "UTF-8", place])
        setenv("LOCPATH", folder.path, 1)
        defer { unsetenv("LOCPATH") }
        return newlocale(1 << LC_NUMERIC, "de_DE.UTF-8", nil)
    }

    @Test("a comma as decimal point changes nothing")
    func decimalComma() throws {
        guard let locale = Self.comma() else {
            print("note: no locale with a decimal comma here; not tested")
            return
        }
        let previous = uselocale(locale)
        defer {
            uselocale(previous)
            freelocale(locale)
        }
        #expect(localeconv().pointee.decimal_point.pointee == 0x2C)
        try withView(#"{"a":1.25e2,"b":[0.5,-1.5e-3,1e400]}"#) { view in
            _ = try inspect(view).get()
            let document = try JSONDocument(parsing: view)
            #expect(document.root.member("a")?.double == 125)
            #expect(document.root.member("b")?.element(1)?.double == -0.0015)
        }
        #expect(uselocale(nil) == locale)
    }
}
