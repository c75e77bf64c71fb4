/// How tasks of much the same work are shared out to threads: work in any unit that takes time evenly.
package struct WorkSharing {
    /// Work worth waking a thread for, and worth handing out at a time.
    let perThread: Double
    let perGrain: Double

    /// Without `perGrain` tasks are handed out one at a time.
    package init(perThread: Double, perGrain: Double = 0) {
        self.perThread = perThread
        self.perGrain = perGrain
    }

    /// Threads that so much work can use.
    package func threads(_ wanted: Int, work: Double) -> Int {
        max(1, min(wanted, Int(min(work / perThread, 1e6)) &+ 1))
    }

    /// Tasks that a thread takes at a time: enough to hide the taking, few enough to share out evenly.
    package func grain(tasks: Int, workPerTask: Double, threads: Int) -> Int {
        let byWork = Int(min(max(perGrain / max(workPerTask, 1), 1), 1e12))
        return threads == 1 ? byWork : max(1, min(byWork, tasks / (4 &* threads)))
    }
}
