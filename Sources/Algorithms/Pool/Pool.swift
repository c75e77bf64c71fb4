import Foundations
import Kernels

/// Reductions over windows, in a fixed order.
package enum Pool {
    package static func run(_ problem: PoolProblem, threads: Int, control: Control) throws(Failure) -> Bool {
        if problem.outputCount == 0 { return true }
        var plan = PoolPlan(problem)
        var flat = PoolFlat(plan)
        let work = flat.isUsed ? flat.work : PoolWork(taskCount: plan.taskCount, workPerTask: plan.workPerTask)
        let used = work.threads(threads)
        let scratchPerThread = roundToCacheLine(flat.isUsed ? flat.scratch.byteCount : plan.scratch.byteCount)
        return try withWorkspace(byteCount: saturatingMultiply(scratchPerThread, used)) { (memory) throws(Failure) in
            withUnsafePointer(to: &plan) { plan in
                withUnsafePointer(to: &flat) { flat in
                    var context = PoolContext(
                        plan: plan, flat: flat, scratch: memory, scratchPerThread: scratchPerThread)
                    return ThreadPool.run(
                        tasks: work.taskCount, grain: work.grain(threads: used), threads: used, control: control,
                        context: &context, poolTasks)
                }
            }
        }
    }
}

private struct PoolContext {
    let plan: UnsafePointer<PoolPlan>
    let flat: UnsafePointer<PoolFlat>
    let scratch: UnsafeMutableRawPointer
    let scratchPerThread: Int
}

private func poolTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: PoolContext.self).pointee
    let scratch = context.scratch + slot &* context.scratchPerThread
    if context.flat.pointee.isUsed {
        let run = PoolFlatRun(context.plan, context.flat, scratch: scratch)
        for task in first..<end { run.run(task: task) }
        return
    }
    let run = PoolRun(plan: context.plan, scratch: scratch)
    for task in first..<end {
        var block = PoolBlock(task, run)
        if context.plan.pointee.indices == nil { run.reduce(&block) } else { run.reduceWithIndices(&block) }
    }
}

/// Nanoseconds.
private var sharing: WorkSharing { WorkSharing(perThread: 20_000, perGrain: 100_000) }

/// What there is to share out; work in nanoseconds, roughly.
struct PoolWork {
    let taskCount: Int
    let workPerTask: Double

    /// Threads that this much work can use.
    func threads(_ wanted: Int) -> Int {
        max(1, min(sharing.threads(wanted, work: workPerTask * Double(taskCount)), taskCount))
    }

    /// Tasks that a thread takes at a time.
    func grain(threads: Int) -> Int { sharing.grain(tasks: taskCount, workPerTask: workPerTask, threads: threads) }
}
