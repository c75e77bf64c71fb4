import CMachine

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// How many threads a call may use: what was set, else SWIFTCONV_NUM_THREADS, else OMP_NUM_THREADS, else the CPUs that
/// this process may run on.
package enum ThreadCount {
    package static let limit = 1024

    package static var current: Int {
        let set = Int(sc_atomic_load(&chosen))
        if set > 0 { return set }
        let count = Int(sc_atomic_load(&fallback))
        if count > 0 { return count }
        let found =
            fromEnvironment("SWIFTCONV_NUM_THREADS") ?? fromEnvironment("OMP_NUM_THREADS")
            ?? min(Int(sc_machine_cpu_count()), limit)
        sc_atomic_store(&fallback, Int64(found))
        return found
    }

    /// 0 goes back to the default.
    package static func set(_ count: Int) { sc_atomic_store(&chosen, Int64(min(count, limit))) }

    /// The leading positive number of a variable such as `4` or OpenMP's list `4,2`.
    private static func fromEnvironment(_ name: String) -> Int? {
        guard let text = getenv(name) else { return nil }
        let count = strtol(text, nil, 10)
        return count > 0 ? min(count, limit) : nil
    }
}

nonisolated(unsafe) private var chosen: Int64 = 0
nonisolated(unsafe) private var fallback: Int64 = 0
