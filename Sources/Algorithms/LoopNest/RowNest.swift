import Foundations
import Kernels

/// Any loop nest: rows of products, read from any strides, multiplied factor by factor and added up. What is bound by memory
/// (element-wise products, outer products, sums, products of a matrix and a vector), and all that is no matrix product.
package enum RowNest {
    /// `nest` is simplified and has no windows.
    package static func run(_ nest: LoopNest, threads: Int, control: Control) throws(Failure) -> Bool {
        if nest.outputExtent == 0 { return true }
        return try withPlan(nest, threads: threads) { (plan) throws(Failure) in
            let layout = RowNestScratch(plan)
            let used = plan.threads(threads)
            let perThread = roundToCacheLine(layout.byteCount)
            let kept = plan.partsAreTasks ? saturatingMultiply(plan.taskCount, plan.tileBytes) : 0
            return try withWorkspace(byteCount: saturatingAdd(saturatingMultiply(perThread, used), kept)) {
                (scratch) throws(Failure) in
                var (plan, layout, interruption) = (plan, layout, Interruption(control))
                return withUnsafePointer(to: &plan) { plan in
                    withUnsafePointer(to: &layout) { layout in
                        withUnsafeMutablePointer(to: &interruption) { interruption in
                            var context = RowNestContext(
                                plan: plan, layout: layout, scratch: scratch, scratchPerThread: perThread,
                                kept: scratch + perThread &* used, interruption: interruption)
                            return withUnsafeMutablePointer(to: &context) { run($0, threads: used, control) }
                        }
                    }
                }
            }
        }
    }

    private static func run(
        _ context: UnsafeMutablePointer<RowNestContext>, threads: Int, _ control: Control
    ) -> Bool {
        let plan = context.pointee.plan
        let (tasks, tiles) = (plan.pointee.taskCount, plan.pointee.tileCount)
        let perTask = plan.pointee.work / Double(max(tasks, 1))
        let grain = rowNestSharing.grain(tasks: tasks, workPerTask: perTask, threads: threads)
        let sumsParts = plan.pointee.partsAreTasks
        var finished = ThreadPool.run(
            tasks: tasks, grain: grain, threads: threads, control: control, context: context,
            sumsParts ? partTasks : tileTasks)
        finished = finished && !context.pointee.interruption.isRaised(slot: -1)
        if !finished || !sumsParts { return finished }
        return ThreadPool.run(
            tasks: tiles, grain: 1, threads: threads, control: control, context: context, combiningTasks)
    }

    package static func explain(_ nest: LoopNest, threads: Int) throws(Failure) -> Explanation {
        var found = Explanation()
        found.algorithm = "loop nest"
        if nest.outputExtent == 0 { return found }
        _ = try withPlan(nest, threads: threads) { (plan) throws(Failure) in
            found.kernel = plan.totals ? "rows summed up" : nest.depth > 1 ? "rows added" : "rows multiplied"
            found.input = plan.readsInPlace ? "direct" : "by lines"
            found.output = plan.writer.isPlain ? "direct" : "converted by lines"
            found.vectorLanes = vectorLanes(nest.arithmetic)
            found.blockRows = plan.tiles.rows
            found.blockColumns = plan.piece
            found.workspaceBytes = RowNestScratch(plan).byteCount
            found.tasks = plan.taskCount
            found.threads = plan.threads(threads)
            return true
        }
        return found
    }

    private static func withPlan(
        _ nest: LoopNest, threads: Int, _ body: (RowNestPlan) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        try withUnsafeTemporaryAllocation(of: ElementReader.self, capacity: nest.factorCount &+ 1) {
            (readers) throws(Failure) -> Bool in
            try body(RowNestPlan(nest, readers: readers.baseAddress.unsafelyUnwrapped, threads: threads))
        }
    }
}

private struct RowNestContext {
    let plan: UnsafePointer<RowNestPlan>
    let layout: UnsafePointer<RowNestScratch>
    let scratch: UnsafeMutableRawPointer
    let scratchPerThread: Int
    let kept: UnsafeMutableRawPointer
    let interruption: UnsafeMutablePointer<Interruption>

    func thread(_ slot: Int) -> RowNestRun {
        RowNestRun(
            plan: plan, layout: layout, scratch: scratch + slot &* scratchPerThread, slot: slot,
            interruption: interruption)
    }
}

private func tileTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    context.assumingMemoryBound(to: RowNestContext.self).pointee.thread(slot).run(tiles: first..<end)
}

private func partTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: RowNestContext.self).pointee
    context.thread(slot).run(parts: first..<end, to: context.kept)
}

private func combiningTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: RowNestContext.self).pointee
    context.thread(slot).combine(tiles: first..<end, context.kept)
}
