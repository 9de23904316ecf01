internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// Lets one call at a time use something, without holding a lock while it does: a callback of the host may
/// run inside. A call from inside its own turn is told so instead of waiting for itself.
final class Turn: @unchecked Sendable {
    private struct State {
        var mutex = pthread_mutex_t()
        var condition = pthread_cond_t()
        var isTaken = false
        var owner = pthread_t()
    }

    private let state = UnsafeMutablePointer<State>.allocate(capacity: 1)

    init() {
        state.initialize(to: State())
        pthread_mutex_init(&state.pointee.mutex, nil)
        pthread_cond_init(&state.pointee.condition, nil)
    }

    deinit {
        pthread_cond_destroy(&state.pointee.condition)
        pthread_mutex_destroy(&state.pointee.mutex)
        state.deallocate()
    }

    func take<Result>(_ body: () throws(MemexError) -> Result) throws(MemexError) -> Result {
        pthread_mutex_lock(&state.pointee.mutex)
        while state.pointee.isTaken {
            if pthread_equal(state.pointee.owner, pthread_self()) != 0 {
                pthread_mutex_unlock(&state.pointee.mutex)
                throw MemexError(
                    .reentrant, "a callback used what its own call is using; use it after the call")
            }
            pthread_cond_wait(&state.pointee.condition, &state.pointee.mutex)
        }
        state.pointee.isTaken = true
        state.pointee.owner = pthread_self()
        pthread_mutex_unlock(&state.pointee.mutex)
        defer {
            pthread_mutex_lock(&state.pointee.mutex)
            state.pointee.isTaken = false
            pthread_cond_signal(&state.pointee.condition)
            pthread_mutex_unlock(&state.pointee.mutex)
        }
        return try body()
    }
}
