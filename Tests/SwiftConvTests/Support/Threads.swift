#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

private final class ThreadBody: @unchecked Sendable {
    let index: Int
    let run: @Sendable (Int) -> Void
    init(_ index: Int, _ run: @escaping @Sendable (Int) -> Void) { (self.index, self.run) = (index, run) }
}

/// Runs `body` on as many threads of the system's at once and waits for all of them.
func onThreads(_ count: Int, _ body: @escaping @Sendable (_ index: Int) -> Void) {
    #if canImport(Darwin)
    var threads = [pthread_t?](repeating: nil, count: count)
    #else
    var threads = [pthread_t](repeating: pthread_t(), count: count)
    #endif
    for i in 0..<count {
        let context = Unmanaged.passRetained(ThreadBody(i, body)).toOpaque()
        let status = pthread_create(
            &threads[i], nil,
            { context in
                #if canImport(Darwin)
                let body = Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
                #else
                let body = Unmanaged<ThreadBody>.fromOpaque(context!).takeRetainedValue()
                #endif
                body.run(body.index)
                return nil
            }, context)
        precondition(status == 0)
    }
    #if canImport(Darwin)
    for thread in threads { pthread_join(thread!, nil) }
    #else
    for thread in threads { pthread_join(thread, nil) }
    #endif
}

func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}
