@testable import MemexABI
import MemexModel
import MemexTestSupport

/// An object behind a handle. Its number tells it from others, and it counts when it goes.
final class Tracked: Sendable, HandleObject {
    static let kind = HandleKind.message

    let number: Int
    private let gone: Locked<Int>?
    private let atEnd: (@Sendable () -> Void)?

    init(_ number: Int = 0, gone: Locked<Int>? = nil, atEnd: (@Sendable () -> Void)? = nil) {
        self.number = number
        self.gone = gone
        self.atEnd = atEnd
    }

    deinit {
        gone?.withLock { $0 += 1 }
        atEnd?()
    }
}

/// What a body throws.
func failure(of body: () throws(MemexError) -> Void) -> MemexError? {
    do throws(MemexError) {
        try body()
        return nil
    } catch { return error }
}

extension Locked where Value == Int {
    var value: Int { withLock { $0 } }
}
