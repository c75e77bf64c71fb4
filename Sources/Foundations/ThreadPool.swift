import CMachine

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Workers that help the calling thread through a range of tasks.
///
/// - The caller always works, and waits only for workers that have begun: so a call finishes whether or not any worker
///   exists, as none does in the child of a `fork`.
/// - One call has the workers at a time. Others that come meanwhile run on their own thread alone; they would share the
///   same cores anyway.
/// - No thread is made before a call asks for more than one.
package enum ThreadPool {
    /// Runs tasks `[first, end)` on the thread of the given slot (0 is the caller's).
    package typealias Body =
        @convention(c) (
            _ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int
        ) -> Void

    /// Calls `body` over `0..<tasks`, `grain` at a time, on up to `threads` threads, in no fixed order. Returns false if
    /// `control` asked to stop; then some tasks have not run.
    package static func run(
        tasks: Int, grain: Int, threads: Int, control: Control, context: UnsafeMutableRawPointer, _ body: Body
    ) -> Bool {
        if tasks <= 0 { return true }
        if tasks <= grain {
            body(context, 0, 0, tasks)
            return true
        }
        let helpers = min(threads, ceilingDivide(tasks, grain)) &- 1
        var job = Job(tasks: tasks, grain: grain, shares: helpers &+ 1, context: context, body: body)
        return withUnsafeMutablePointer(to: &job) { job in
            guard helpers > 0, let crew = Crew.acquire(helpers: helpers) else {
                return job.work(slot: 0, control)
            }
            crew.open(job, helpers: helpers)
            let finished = job.work(slot: 0, control)
            crew.close()
            crew.release()
            return finished
        }
    }
}

/// Asks the caller of the library, now and then, whether to go on.
package struct Control {
    package var interrupted: (@convention(c) (UnsafeMutableRawPointer?) -> Int32)?
    package var context: UnsafeMutableRawPointer?

    package init(
        interrupted: (@convention(c) (UnsafeMutableRawPointer?) -> Int32)?, context: UnsafeMutableRawPointer?
    ) {
        self.interrupted = interrupted
        self.context = context
    }

    package static var none: Control { Control(interrupted: nil, context: nil) }
}

/// Seconds between two polls; Ctrl-C is to be answered within 0.1 s.
private let pollInterval = 0.03

/// The questions of one thread, however often it might ask. (A run of the pool has its own, so that of many short runs none
/// may ask at all.)
package struct Polling {
    private let control: Control
    private var last: Double

    package init(_ control: Control) {
        self.control = control
        last = control.interrupted == nil ? 0 : monotonicSeconds()
    }

    package mutating func isInterrupted() -> Bool {
        guard let interrupted = control.interrupted else { return false }
        let now = monotonicSeconds()
        if now - last < pollInterval { return false }
        last = now
        return interrupted(control.context) != 0
    }
}

/// Whether a call is to go on, for tasks that take long: the caller's thread (slot 0) asks, the others see its answer.
package struct Interruption {
    fileprivate var raised: Int64 = 0
    fileprivate var polling: Polling

    package init(_ control: Control) { polling = Polling(control) }
}

extension UnsafeMutablePointer<Interruption> {
    package func isRaised(slot: Int) -> Bool {
        let raised = UnsafeMutableRawPointer(self).assumingMemoryBound(to: Int64.self)
        if slot == 0 && pointee.polling.isInterrupted() { sc_atomic_store(raised, 1) }
        return sc_atomic_load(raised) != 0
    }
}

// Job and Crew are shared by threads, so their methods are on pointers to them: a mutating method would promise the
// compiler that nobody else looks.

extension UnsafeMutablePointer {
    /// The address of a stored property.
    fileprivate func field<T>(_ path: WritableKeyPath<Pointee, T>) -> UnsafeMutablePointer<T> {
        pointer(to: path).unsafelyUnwrapped
    }
}

/// Tasks are dealt out in as many contiguous shares as there are threads. Every thread begins with its own, which is what
/// its caches hold after the last call of the kind, and then helps with the others'.
fileprivate struct Job {
    static let maximumShares = 32

    let tasks: Int
    let grain: Int
    let shares: Int
    let context: UnsafeMutableRawPointer
    let body: ThreadPool.Body
    var stopped: Int64 = 0
    /// The next task of each share, a cache line apart.
    var next = InlineArray<256, Int64>(repeating: 0)

    init(
        tasks: Int, grain: Int, shares: Int, context: UnsafeMutableRawPointer, body: @escaping ThreadPool.Body
    ) {
        self.tasks = tasks
        self.grain = grain
        self.shares = min(shares, Job.maximumShares)
        self.context = context
        self.body = body
        for share in 0..<self.shares { next[8 &* share] = Int64(start(share)) }
    }

    /// The first task of a share: whole grains, spread evenly.
    func start(_ share: Int) -> Int {
        let grains = ceilingDivide(tasks, grain)
        let (each, rest) = (grains / shares, grains % shares)
        return min(tasks, (share &* each &+ min(share, rest)) &* grain)
    }
}

extension UnsafeMutablePointer<Job> {
    /// Takes tasks until there are none; the caller's thread (slot 0) also polls. Returns false if it was stopped.
    fileprivate func work(slot: Int, _ control: Control) -> Bool {
        let stopped = field(\.stopped)
        let shares = pointee.shares
        var polling = Polling(control)
        for turn in 0..<shares {
            let share = (slot &+ turn) % shares
            let next = UnsafeMutableRawPointer(field(\.next)).assumingMemoryBound(to: Int64.self) + 8 &* share
            let end = pointee.start(share &+ 1)
            while true {
                if sc_atomic_load(stopped) != 0 { return false }
                // At most one grain beyond the end a thread, so the counter cannot wrap.
                let first = Int(sc_atomic_fetch_add(next, Int64(pointee.grain)))
                if first >= end { break }
                pointee.body(pointee.context, slot, first, Swift.min(saturatingAdd(first, pointee.grain), end))
                if polling.isInterrupted() { sc_atomic_store(stopped, 1) }
            }
        }
        return sc_atomic_load(stopped) == 0
    }
}

private func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}

// MARK: - The crew of workers

/// Spins of about 0.05 us before a worker without work goes to sleep: calls in a loop find it awake, an idle process
/// burns nothing.
private let spinsBeforeSleep = 1000
/// Added to `gate` while the crew is closed; no count of workers comes near it.
private let closed: Int64 = 1 << 40

fileprivate struct Crew {
    var mutex = pthread_mutex_t()
    var wake = pthread_cond_t()
    /// 1 while a call has the crew.
    var busy: Int64 = 0
    var workers = 0
    var sleeping: Int64 = 0
    /// Grows by one for every job: what idle workers watch.
    var generation: Int64 = 0
    /// Workers inside the job; minus `closed` while none may enter. A late worker that adds itself then sees that it is
    /// negative and takes itself away again, so the sum stays right across jobs.
    var gate: Int64 = 0 - closed
    var nextSlot: Int64 = 1
    var slots: Int64 = 0
    var job: UnsafeMutablePointer<Job>?

    /// The process's crew, if no other call has it; with as many workers as can be had, at least one.
    static func acquire(helpers: Int) -> UnsafeMutablePointer<Crew>? {
        guard let crew = current(), sc_atomic_compare_exchange(crew.field(\.busy), 0, 1) != 0 else { return nil }
        while crew.pointee.workers < helpers && crew.startWorker() { crew.pointee.workers &+= 1 }
        if crew.pointee.workers > 0 { return crew }
        crew.release()
        return nil
    }

    /// Made on first use and never freed; the child of a fork, whose workers do not exist, makes its own.
    private static func current() -> UnsafeMutablePointer<Crew>? {
        if let crew = existing() { return crew }
        var memory: UnsafeMutableRawPointer?
        if posix_memalign(&memory, 64, MemoryLayout<Crew>.size) != 0 { return nil }
        guard let memory else { return nil }
        let crew = memory.bindMemory(to: Crew.self, capacity: 1)
        crew.initialize(to: Crew())
        pthread_mutex_init(crew.field(\.mutex), nil)
        pthread_cond_init(crew.field(\.wake), nil)
        if sc_atomic_compare_exchange(&theCrew, 0, Int64(Int(bitPattern: crew))) == 0 {
            free(memory)
            return existing()
        }
        if sc_atomic_compare_exchange(&watchesForks, 0, 1) != 0 {
            pthread_atfork(nil, nil, { sc_atomic_store(&theCrew, 0) })
        }
        return crew
    }

    private static func existing() -> UnsafeMutablePointer<Crew>? {
        UnsafeMutablePointer<Crew>(bitPattern: Int(sc_atomic_load(&theCrew)))
    }
}

extension UnsafeMutablePointer<Crew> {
    fileprivate func release() { sc_atomic_store(field(\.busy), 0) }

    /// Lets workers in. All that they read is written before `gate` opens.
    fileprivate func open(_ job: UnsafeMutablePointer<Job>, helpers: Int) {
        pointee.job = job
        pointee.slots = Int64(helpers) &+ 1
        sc_atomic_store(field(\.nextSlot), 1)
        _ = sc_atomic_fetch_add(field(\.gate), closed)
        _ = sc_atomic_fetch_add(field(\.generation), 1)
        if sc_atomic_load(field(\.sleeping)) > 0 {
            pthread_mutex_lock(field(\.mutex))
            pthread_cond_broadcast(field(\.wake))
            pthread_mutex_unlock(field(\.mutex))
        }
    }

    /// Lets no more workers in and waits for those inside, each of which is at its last grain of tasks.
    fileprivate func close() {
        let gate = field(\.gate)
        _ = sc_atomic_fetch_add(gate, 0 - closed)
        var spins = 0
        while sc_atomic_load(gate) != 0 - closed {
            sc_spin_pause()
            spins &+= 1
            if spins > spinsBeforeSleep { sched_yield() }
        }
    }

    /// False where the system gives no thread.
    fileprivate func startWorker() -> Bool {
        var attributes = pthread_attr_t()
        if pthread_attr_init(&attributes) != 0 { return false }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // Signals are the application's: a worker takes none.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        #if canImport(Darwin)
        var thread: pthread_t?
        return pthread_create(&thread, &attributes, { workerMain($0) }, self) == 0
        #else
        var thread = pthread_t()
        return pthread_create(&thread, &attributes, { workerMain($0.unsafelyUnwrapped) }, self) == 0
        #endif
    }

    /// A worker's life.
    fileprivate func serve() {
        var seen: Int64 = 0
        while true {
            seen = waitForJob(after: seen)
            if sc_atomic_fetch_add(field(\.gate), 1) >= 0 {
                let slot = sc_atomic_fetch_add(field(\.nextSlot), 1)
                if slot < pointee.slots, let job = pointee.job { _ = job.work(slot: Int(slot), .none) }
            }
            _ = sc_atomic_fetch_add(field(\.gate), -1)
        }
    }

    private func waitForJob(after seen: Int64) -> Int64 {
        let generation = field(\.generation)
        for _ in 0..<spinsBeforeSleep {
            let now = sc_atomic_load(generation)
            if now != seen { return now }
            sc_spin_pause()
        }
        pthread_mutex_lock(field(\.mutex))
        _ = sc_atomic_fetch_add(field(\.sleeping), 1)
        while sc_atomic_load(generation) == seen {
            pthread_cond_wait(field(\.wake), field(\.mutex))
        }
        _ = sc_atomic_fetch_add(field(\.sleeping), -1)
        pthread_mutex_unlock(field(\.mutex))
        return sc_atomic_load(generation)
    }
}

private func workerMain(_ crew: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    crew.assumingMemoryBound(to: Crew.self).serve()
    return nil
}

nonisolated(unsafe) private var theCrew: Int64 = 0
nonisolated(unsafe) private var watchesForks: Int64 = 0
