import CSwiftConv
import Foundations
import Kernels

/// Whether a stencil looks for a filter that is an outer product, which two passes apply with p + q products an output
/// instead of p q.
package enum Factoring: Sendable { case never, ifPossible, required }

/// Summation in register tiles, in a fixed order: of every product, or in two passes.
package enum Stencil {
    package static func run(
        _ problem: SlidingProblem, factoring: Factoring, threads: Int, control: Control
    ) throws(Failure) -> Bool {
        if problem.outputCount == 0 { return true }
        var plan = StencilPlan(problem, factoring: factoring)
        let used = plan.threads(threads)
        let scratchStart = roundToCacheLine(plan.tables.byteCount)
        let scratchPerThread = roundToCacheLine(plan.scratch.byteCount)
        let byteCount = saturatingAdd(scratchStart, saturatingMultiply(scratchPerThread, used))
        return try withWorkspace(byteCount: byteCount) { (memory) throws(Failure) in
            try plan.writeTables(to: memory, factoring)
            return withUnsafePointer(to: &plan) { plan in
                var context = StencilContext(
                    plan: plan, tables: UnsafeRawPointer(memory), scratch: memory + scratchStart,
                    scratchPerThread: scratchPerThread)
                return ThreadPool.run(
                    tasks: plan.pointee.taskCount, grain: plan.pointee.grain(threads: used), threads: used,
                    control: control, context: &context, stencilTasks)
            }
        }
    }

    package static func explain(
        _ problem: SlidingProblem, factoring: Factoring, threads: Int
    ) throws(Failure) -> Explanation {
        var plan = StencilPlan(problem, factoring: factoring)
        let tables = try Workspace(byteCount: plan.tables.byteCount)
        try plan.writeTables(to: tables.base, factoring)
        let used = plan.threads(threads)
        let widest = widestTile(plan.arithmetic) &* plan.lanes
        let shares = plan.rowStep == plan.rowTap && plan.row.outExtent >= sharedRowsHeight
        let isMasked = plan.masked.isUsed && !plan.skipsAbsentTaps
        let packsAll = !plan.readsInPlace && !plan.flat.isUsed && !isMasked
        var explanation = Explanation()
        explanation.algorithm = plan.isSeparable ? "separable" : "stencil"
        explanation.kernel =
            isMasked
            ? "masked rows"
            : plan.column.outExtent < plan.lanes ? "narrow rows" : shares ? "shared rows" : "independent rows"
        explanation.input =
            packsAll
            ? "packed by blocks"
            : plan.touchesBorder && !isMasked
                ? "direct, border packed" : plan.reader.isPlain ? "direct" : "converted by blocks"
        explanation.output = plan.writesInPlace ? "direct" : "converted by blocks"
        explanation.vectorAxis = plan.columnAxis
        explanation.vectorLanes = plan.lanes
        explanation.tileRows =
            isMasked ? min(8, plan.row.outExtent) : shares ? sharedRowsHeight : min(4, max(plan.row.outExtent, 1))
        explanation.tileColumns = min(isMasked ? plan.lanes : widest, max(plan.column.outExtent, 1))
        if packsAll || (plan.touchesBorder && !isMasked) || !plan.writesInPlace {
            explanation.blockRows = plan.blockRows
            explanation.blockColumns = plan.blockColumns
        }
        explanation.workspaceBytes = saturatingAdd(plan.tables.byteCount / used, plan.scratch.byteCount)
        explanation.tasks = plan.taskCount
        explanation.threads = used
        return explanation
    }
}

/// What would run; sc_explanation in Swift.
package struct Explanation {
    package var algorithm: StaticString = ""
    package var kernel: StaticString = ""
    package var input: StaticString = ""
    package var output: StaticString = ""
    package var vectorAxis = -1
    package var vectorLanes = 1
    package var tileRows = 1
    package var tileColumns = 1
    package var blockRows = 0
    package var blockColumns = 0
    package var workspaceBytes = 0
    package var tasks = 0
    package var threads = 1

    package init() {}
}

private struct StencilContext {
    let plan: UnsafePointer<StencilPlan>
    let tables: UnsafeRawPointer
    let scratch: UnsafeMutableRawPointer
    let scratchPerThread: Int
}

private func stencilTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: StencilContext.self).pointee
    let run = StencilRun(
        plan: context.plan, tables: context.tables, scratch: context.scratch + slot &* context.scratchPerThread)
    run.run(tasks: first..<end)
}

/// Multiply-adds: about 20 us and 100 us of one core.
private var sharing: WorkSharing { WorkSharing(perThread: 400_000, perGrain: 2_000_000) }

extension StencilPlan {
    /// Packs the filter and settles what depends on its values.
    mutating func writeTables(to memory: UnsafeMutableRawPointer, _ factoring: Factoring) throws(Failure) {
        let found = tables.write(self, to: memory)
        skipsAbsentTaps = !found.isFinite && problem.fillsWithZero
        isSeparable = found.isSeparable
        // A filter with one row or one column is its own factor.
        let isFactored = isSeparable || (found.isFinite && planes == 1 && !mayFactor)
        if factoring == .required && !isFactored { throw Failure(SC_METHOD, argument: SC_ARG_METHOD) }
    }

    /// Threads that this much work can use.
    func threads(_ wanted: Int) -> Int {
        let work = workPerTask * Double(taskCount) + 8 * Double(column.outExtent)
        return max(1, min(sharing.threads(wanted, work: work), taskCount))
    }

    /// Tasks that a thread takes at a time.
    func grain(threads: Int) -> Int { sharing.grain(tasks: taskCount, workPerTask: workPerTask, threads: threads) }
}
