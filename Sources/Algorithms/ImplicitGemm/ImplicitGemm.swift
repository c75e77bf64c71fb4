import Foundations
import Kernels

/// Contractions as matrix products whose operands are packed from where they lie; of convolutions, with no patch matrix.
///
/// Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008), gives the loops.
package enum ImplicitGemm {
    package static func run(
        _ problem: ContractionProblem, threads: Int, control: Control, store: FilterStore? = nil
    ) throws(Failure) -> Bool {
        if problem.outputCount == 0 { return true }
        return try withSimplified(problem) { (problem) throws(Failure) in
            let reals = problem.exactReals(threads: threads, control: control)
            return try run(
                GemmPlan(problem, threads: threads, isKept: store != nil, sums: reals), threads: threads,
                control: control, store: store)
        }
    }

    /// Whether it multiplies several depths of small integers by one instruction.
    package static func multipliesWords(_ problem: ContractionProblem) -> Bool {
        !GemmOperands(problem, sums: GemmOperands.sums(problem), lanesAreColumns: true).areElements
    }

    /// Bytes that the packed filter takes, 0 where it is read in place.
    package static func packedFilterBytes(_ problem: ContractionProblem) -> Int {
        var bytes = 0
        try? withSimplified(problem) { (problem) throws(Failure) in
            let reals = problem.mayBeExactInReals ? ArithmeticKind.float64 : nil
            bytes = max(
                GemmPlan(problem, threads: 1).filter.byteCount,
                GemmPlan(problem, threads: 1, sums: reals).filter.byteCount)
        }
        return bytes
    }

    package static func explain(_ problem: ContractionProblem, threads: Int) -> Explanation {
        var explanation = Explanation()
        explanation.algorithm = "implicit gemm"
        if problem.outputCount == 0 { return explanation }
        try? withSimplified(problem) { (problem) throws(Failure) in
            let plan = GemmPlan(problem, threads: threads)
            explanation.kernel = kernelName(plan)
            explanation.input = plan.reader.isPlain && problem.windowCount == 0 ? "direct" : "packed by blocks"
            explanation.output = plan.writer.isPlain ? "direct" : "converted by blocks"
            explanation.vectorLanes = plan.lanes
            explanation.tileRows = contractionTileRows
            explanation.tileColumns = plan.panelWidth
            explanation.blockRows = plan.rowBlocks.largest
            explanation.blockColumns = plan.columnBlocks.largest
            explanation.workspaceBytes = GemmScratch(plan).byteCount
            explanation.tasks = plan.taskCount
            explanation.threads = plan.threads(threads)
        }
        return explanation
    }

    private static func kernelName(_ plan: GemmPlan) -> StaticString {
        switch (plan.lanesAreColumns, plan.operands.depths) {
        case (true, 4): "lanes along pixels, words of 4 bytes"
        case (false, 4): "lanes along channels, words of 4 bytes"
        case (true, 2): "lanes along pixels, words of 2 integers"
        case (false, 2): "lanes along channels, words of 2 integers"
        case (true, _): plan.problem.mayBeExactInReals ? "lanes along pixels, of reals if exact" : "lanes along pixels"
        case (false, _):
            plan.problem.mayBeExactInReals ? "lanes along channels, of reals if exact" : "lanes along channels"
        }
    }

    private static func run(
        _ plan: GemmPlan, threads: Int, control: Control, store: FilterStore?
    ) throws(Failure) -> Bool {
        let layout = GemmScratch(plan)
        let used = plan.threads(threads)
        let stageBytes = plan.filter.byteCount == 0 ? 0 : plan.filter.stageBytes(plan.problem)
        let perThread = max(roundToCacheLine(layout.byteCount), roundToCacheLine(stageBytes))
        let key = PackingKey(form: plan.filter.form, plan.problem, base: store?.base ?? plan.problem.filter)
        let packed = try PackedFilter(byteCount: plan.filter.byteCount, key, plan.filter.byteCount == 0 ? nil : store)
        let filter = packed.base
        let isPacked = packed.isPacked
        let finished = try withWorkspace(byteCount: saturatingMultiply(perThread, used)) { (scratch) throws(Failure) in
            var (plan, layout, interruption) = (plan, layout, Interruption(control))
            return withUnsafePointer(to: &plan) { plan in
                withUnsafePointer(to: &layout) { layout in
                    withUnsafeMutablePointer(to: &interruption) { interruption in
                        var context = GemmContext(
                            plan: plan, layout: layout, filter: filter, scratch: scratch, scratchPerThread: perThread,
                            interruption: interruption)
                        return withUnsafeMutablePointer(to: &context) { context in
                            if !isPacked && !packFilter(context, threads: used, control) { return false }
                            if store?.onlyPacks ?? false { return true }
                            let finished = ThreadPool.run(
                                tasks: plan.pointee.taskCount, grain: grain(plan.pointee, threads: used), threads: used,
                                control: control, context: context, gemmTasks)
                            return finished && !interruption.isRaised(slot: -1)
                        }
                    }
                }
            }
        }
        if finished { packed.keep() }
        return finished
    }

    private static func packFilter(
        _ context: UnsafeMutablePointer<GemmContext>, threads: Int, _ control: Control
    ) -> Bool {
        let filter = context.pointee.plan.pointee.filter
        if filter.byteCount == 0 { return true }
        let units = filter.units &* context.pointee.plan.pointee.problem.batch.extent
        let grain = max(1, 65_536 / max(1, filter.byteCount / max(units, 1)))
        return ThreadPool.run(
            tasks: units, grain: grain, threads: threads, control: control, context: context, packingTasks)
    }

    /// Tasks that a thread takes at a time.
    private static func grain(_ plan: GemmPlan, threads: Int) -> Int {
        gemmSharing.grain(
            tasks: plan.taskCount, workPerTask: plan.work / Double(max(plan.taskCount, 1)), threads: threads)
    }

    /// Runs `body` with the problem's simplified form, whose lists live as long.
    private static func withSimplified<Result>(
        _ problem: ContractionProblem, _ body: (ContractionProblem) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // As small as may be: beyond 1 KiB they would come from the heap. One more, so that neither is empty.
        try withUnsafeTemporaryAllocation(of: ContractionIndex.self, capacity: problem.indexCount &+ 1) {
            (indices) throws(Failure) -> Result in
            try withUnsafeTemporaryAllocation(of: ContractionWindow.self, capacity: problem.windowCount &+ 1) {
                (windows) throws(Failure) -> Result in
                try body(
                    problem.simplified(
                        indices: indices.baseAddress.unsafelyUnwrapped,
                        windows: windows.baseAddress.unsafelyUnwrapped))
            }
        }
    }
}

private struct GemmContext {
    let plan: UnsafePointer<GemmPlan>
    let layout: UnsafePointer<GemmScratch>
    let filter: UnsafeMutableRawPointer
    let scratch: UnsafeMutableRawPointer
    let scratchPerThread: Int
    let interruption: UnsafeMutablePointer<Interruption>
}

private func packingTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: GemmContext.self)
    let plan = context.pointee.plan
    let units = plan.pointee.filter.units
    for unit in first..<end {
        plan.pointee.filter.pack(
            plan.pointee.problem, batch: unit / units, unit: unit % units, to: context.pointee.filter,
            stage: context.pointee.scratch + slot &* context.pointee.scratchPerThread)
    }
}

private func gemmTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: GemmContext.self).pointee
    GemmRun(
        plan: context.plan, filter: UnsafeRawPointer(context.filter), layout: context.layout,
        scratch: context.scratch + slot &* context.scratchPerThread, slot: slot, interruption: context.interruption
    ).run(tasks: first..<end)
}
