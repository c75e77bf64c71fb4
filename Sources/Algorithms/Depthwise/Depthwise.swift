import Foundations
import Kernels

/// Convolutions whose channels each have a filter of their own, with the channels along the vectors.
package enum Depthwise {
    /// Whether it is the way to run this: channels with filters of their own slide under a boundary of zeros, most windows
    /// are whole along the columns (those at the ends are computed one at a time), and the channels lie contiguous, or
    /// they are packed faster than vectors along such short rows are filled, if no masks help. Measured on Sapphire Rapids,
    /// float32, channels-first: 14 x 14 at step 2 six times as fast as the Stencil without masks, 0.7 times as with them;
    /// 7 x 7 at step 1 five times and 0.5 times.
    package static func suits(_ problem: SlidingProblem) -> Bool {
        if !canRun(problem) { return false }
        let channel = problem.axes[DepthwiseAxes.channel(problem)]
        let windows = WindowOrder(problem)
        let column = problem.axes[windows.innermost]
        if column.interior.count < column.outExtent / 2 { return false }
        let lanes = vectorLanes(problem.arithmetic)
        if channel.inStride == problem.inputType.byteCount { return channel.outExtent >= lanes / 2 }
        if isMasked(problem, windows) { return false }
        return channel.outExtent >= lanes && column.outExtent < (column.step == 1 ? lanes / 2 : lanes)
    }

    /// Whether the Stencil reads such channels' planes by masks.
    private static func isMasked(_ problem: SlidingProblem, _ windows: WindowOrder) -> Bool {
        if windows.count < 2 { return false }
        let (row, column) = (problem.axes[windows[windows.count &- 2]], problem.axes[windows.innermost])
        return problem.tapCount == saturatingMultiply(row.filterExtent, column.filterExtent)
            && MaskedGeometry.canRun(problem, row: row, column: column)
    }

    /// Channels with filters of their own slide under a boundary of zeros.
    package static func canRun(_ problem: SlidingProblem) -> Bool {
        problem.fillsWithZero && DepthwiseAxes.channel(problem) >= 0 && WindowOrder(problem).count > 0
    }

    /// Runs a problem that it can run.
    package static func run(_ problem: SlidingProblem, threads: Int, control: Control) throws(Failure) -> Bool {
        if problem.outputCount == 0 { return true }
        var plan = DepthwisePlan(problem)
        let used = plan.threads(threads)
        let filterBytes = roundToCacheLine(plan.filter.byteCount)
        let scratchPerThread = plan.scratch.byteCount
        let byteCount = saturatingAdd(filterBytes, saturatingMultiply(scratchPerThread, used))
        return try withWorkspace(byteCount: byteCount) { (memory) throws(Failure) in
            let scratch = memory + filterBytes
            plan.filter.pack(plan, to: memory, stage: scratch + plan.scratch.stages)
            return withUnsafePointer(to: &plan) { plan in
                var context = DepthwiseContext(
                    plan: plan, filter: UnsafeRawPointer(memory), scratch: scratch, scratchPerThread: scratchPerThread)
                return ThreadPool.run(
                    tasks: plan.pointee.taskCount, grain: plan.pointee.grain(threads: used), threads: used,
                    control: control, context: &context, depthwiseTasks)
            }
        }
    }

    package static func explain(_ problem: SlidingProblem, threads: Int) -> Explanation {
        var explanation = Explanation()
        explanation.algorithm = "depthwise"
        if problem.outputCount == 0 { return explanation }
        let plan = DepthwisePlan(problem)
        explanation.kernel = "lanes along channels"
        explanation.input = plan.readsInPlace ? "direct" : "packed by blocks"
        explanation.output = plan.writesInPlace ? "direct" : "converted by blocks"
        explanation.vectorLanes = plan.lanes
        explanation.tileRows = min(8, plan.axes.column.outExtent)
        explanation.tileColumns = plan.lanes
        explanation.blockRows = plan.blockRows
        explanation.blockColumns = plan.blockVectors &* plan.lanes
        explanation.workspaceBytes = plan.scratch.byteCount
        explanation.tasks = plan.taskCount
        explanation.threads = plan.threads(threads)
        return explanation
    }
}

private struct DepthwiseContext {
    let plan: UnsafePointer<DepthwisePlan>
    let filter: UnsafeRawPointer
    let scratch: UnsafeMutableRawPointer
    let scratchPerThread: Int
}

private func depthwiseTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: DepthwiseContext.self).pointee
    DepthwiseRun(
        plan: context.plan, filter: context.filter, scratch: context.scratch + slot &* context.scratchPerThread
    ).run(tasks: first..<end)
}

/// Multiply-adds of depthwise convolutions and their gradients: about 10 us and 50 us of one core.
var depthwiseSharing: WorkSharing { WorkSharing(perThread: 100_000, perGrain: 500_000) }

extension DepthwisePlan {
    /// Threads that this much work can use.
    func threads(_ wanted: Int) -> Int {
        max(1, min(depthwiseSharing.threads(wanted, work: workPerTask * Double(taskCount)), taskCount))
    }

    /// Tasks that a thread takes at a time.
    func grain(threads: Int) -> Int {
        depthwiseSharing.grain(tasks: taskCount, workPerTask: workPerTask, threads: threads)
    }
}
