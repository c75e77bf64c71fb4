import CMachine
import Foundations
import Testing

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// What the tasks of one call leave behind.
private final class Ledger: @unchecked Sendable {
    let tasks: Int
    /// How often each task ran.
    let runs: UnsafeMutablePointer<Int64>
    /// 1 while a slot is in use.
    let slots: UnsafeMutablePointer<Int64>
    let threads: Int
    let grain: Int
    let microseconds: UInt32
    /// Calls of the body that broke a promise.
    let faults: UnsafeMutablePointer<Int64>
    var nested = false

    init(tasks: Int, grain: Int, threads: Int, microseconds: UInt32 = 0) {
        (self.tasks, self.grain, self.threads, self.microseconds) = (tasks, grain, threads, microseconds)
        runs = .allocate(capacity: tasks + 1)
        runs.initialize(repeating: 0, count: tasks + 1)
        slots = .allocate(capacity: threads + 1)
        slots.initialize(repeating: 0, count: threads + 1)
        faults = .allocate(capacity: 1)
        faults.initialize(to: 0)
    }

    deinit {
        runs.deallocate()
        slots.deallocate()
        faults.deallocate()
    }

    func run(control: Control = .none) -> Bool {
        ThreadPool.run(
            tasks: tasks, grain: grain, threads: threads, control: control,
            context: Unmanaged.passUnretained(self).toOpaque()
        ) { context, slot, first, end in
            Unmanaged<Ledger>.fromOpaque(context).takeUnretainedValue().enter(slot, first, end)
        }
    }

    private func enter(_ slot: Int, _ first: Int, _ end: Int) {
        func require(_ condition: Bool) { if !condition { _ = sc_atomic_fetch_add(faults, 1) } }
        require(first >= 0 && first < end && end <= tasks && end - first <= grain && first % grain == 0)
        require(slot >= 0 && slot < threads)
        if slot < 0 || slot >= threads || first < 0 || end > tasks { return }
        require(sc_atomic_compare_exchange(slots + slot, 0, 1) != 0)
        for task in first..<end { _ = sc_atomic_fetch_add(runs + task, 1) }
        if microseconds > 0 { usleep(microseconds) }
        if nested { require(Ledger(tasks: 5, grain: 1, threads: 3).ranEachTaskOnce()) }
        sc_atomic_store(slots + slot, 0)
    }

    func ranEachTaskOnce() -> Bool {
        run() && (0..<tasks).allSatisfy { sc_atomic_load(runs + $0) == 1 } && sc_atomic_load(faults) == 0
    }

    var total: Int { (0..<tasks).reduce(0) { $0 + Int(sc_atomic_load(runs + $1)) } }
}

struct ThreadPoolTests {
    @Test func runsEachTaskOnce() {
        for tasks in [1, 2, 3, 7, 64, 1000] {
            for grain in [1, 2, 3, 64, 1 << 40] {
                for threads in [1, 2, 3, 7, 16] {
                    #expect(
                        Ledger(tasks: tasks, grain: grain, threads: threads).ranEachTaskOnce(),
                        "tasks=\(tasks) grain=\(grain) threads=\(threads)")
                }
            }
        }
    }

    /// Jobs that follow each other closely: workers of the last one may come late.
    @Test func runsManyShortJobs() {
        let wrong = (0..<3000).filter {
            !Ledger(tasks: 1 + $0 % 9, grain: 1 + $0 % 2, threads: 1 + $0 % 5).ranEachTaskOnce()
        }
        #expect(wrong.isEmpty)
    }

    /// And with pauses between them, so that workers go to sleep.
    @Test func wakesSleepers() {
        for i in 0..<60 {
            #expect(Ledger(tasks: 8, grain: 1, threads: 4, microseconds: 50).ranEachTaskOnce())
            usleep(UInt32(100 * (i % 7)))
        }
    }

    @Test func servesSeveralCallers() {
        let faults = Ledger(tasks: 1, grain: 1, threads: 1)
        onThreads(16) { i in
            for job in 0..<100
            where !Ledger(tasks: 20 + job, grain: 1 + i % 3, threads: 1 + (i + job) % 6).ranEachTaskOnce() {
                _ = sc_atomic_fetch_add(faults.faults, 1)
            }
        }
        #expect(sc_atomic_load(faults.faults) == 0)
    }

    @Test func runsCallsWithinCalls() {
        let ledger = Ledger(tasks: 20, grain: 1, threads: 4)
        ledger.nested = true
        #expect(ledger.ranEachTaskOnce())
    }

    @Test(arguments: [1, 2, 7])
    func stopsWhenInterrupted(threads: Int) {
        let ledger = Ledger(tasks: 100_000, grain: 1, threads: threads, microseconds: 1000)
        let start = monotonicSeconds()
        let finished = ledger.run(control: Control(interrupted: { _ in 1 }, context: nil))
        #expect(!finished)
        #expect(ledger.total < ledger.tasks && ledger.total > 0)
        #expect((0..<ledger.tasks).allSatisfy { sc_atomic_load(ledger.runs + $0) <= 1 })
        #expect(monotonicSeconds() - start < 5)  // of 100 s / threads; loaded machines are slow
        #expect(Ledger(tasks: 30, grain: 1, threads: threads).ranEachTaskOnce(), "the next call")
    }

    @Test func pollsWithItsContextAndGoesOn() {
        var polls: Int64 = 0
        let ledger = Ledger(tasks: 100, grain: 1, threads: 1, microseconds: 2000)
        let finished = withUnsafeMutablePointer(to: &polls) { polls in
            ledger.run(
                control: Control(
                    interrupted: { context in
                        _ = sc_atomic_fetch_add(context!.assumingMemoryBound(to: Int64.self), 1)
                        return 0
                    }, context: polls))
        }
        #expect(finished && ledger.total == 100)
        #expect(polls > 0 && polls <= 100)
    }
}
