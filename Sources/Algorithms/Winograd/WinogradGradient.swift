import CMachine
import Foundations
import Kernels

/// Gradients of 3 x 3 filters at unit steps, with 4 times fewer products than direct summation.
package enum WinogradGradient {
    package static func canRun(_ problem: ContractionProblem) -> Bool { WinogradGradientShape(problem) != nil }

    /// Whether, moreover, both operands lie as they are packed fast, along a row or along the channels, there are vectors of
    /// input channels, and the sums are long enough to make up for as many of them as there are points, most of their tiles
    /// full; shorter sums would also pass the promise of accuracy. (Samples count here: they are what is summed.)
    ///
    /// Measured on Sapphire Rapids, float32, against a matrix product: 64 channels each way at 56 x 56 2.5 to 4.6 times as
    /// fast, 16 at 64 x 64 2.5 times, 64 to 8 2.7 to 3.3 times but 8 to 64 1.1 to 1.9, 256 at 14 x 14, four samples, 1.5 to
    /// 1.8 times, two 1.5 times; 512 at 7 x 7, eight samples, 1.2 to 1.4 times, one a third; 128 at 14 x 14, one sample, 1 to
    /// 1.15 times.
    package static func gains(_ problem: ContractionProblem) -> Bool {
        guard let shape = WinogradGradientShape(problem) else { return false }
        let (size, gradientSize) = (problem.inputType.byteCount, problem.filterType.byteCount)
        if shape.x.window.inputStride != size && shape.channel.inputStride != size { return false }
        if shape.x.outputStride != gradientSize && shape.row.filterStride != gradientSize { return false }
        let outputs = saturatingMultiply(shape.y.extent, shape.x.extent)
        let tiles = saturatingMultiply(ceilingDivide(shape.y.extent, 4), ceilingDivide(shape.x.extent, 4))
        return shape.channel.extent >= 16 && shape.row.extent >= 8
            && saturatingMultiply(outputs, shape.sample.extent) >= leastOutputs
            && saturatingMultiply(tiles, 6) <= outputs
    }

    package static func explain(_ problem: ContractionProblem, threads: Int) -> Explanation {
        var explanation = Explanation()
        guard let shape = WinogradGradientShape(problem) else { return explanation }
        let plan = WinogradGradientPlan(problem, shape, threads: threads)
        explanation.algorithm = "winograd"
        explanation.kernel = "F(3x3, 4x4)"
        explanation.input = "transformed by blocks"
        explanation.output = "transformed by blocks"
        explanation.vectorLanes = plan.lanes
        explanation.tileRows = contractionTileRows
        explanation.tileColumns = plan.panelWidth
        explanation.blockRows = plan.blockRows
        explanation.blockColumns = plan.blockChannels
        explanation.workspaceBytes = saturatingAdd(WinogradGradientScratch(plan).byteCount, plan.sumsBytes)
        explanation.tasks = plan.blockCount
        explanation.threads = max(1, min(threads, plan.blockCount))
        return explanation
    }

    /// Nil if the problem is of another kind, nothing is summed, or a sum is not finite: which of its taps NaN or infinity
    /// belong to, other algorithms tell.
    package static func run(
        _ problem: ContractionProblem, threads: Int, control: Control
    ) throws(Failure) -> Bool? {
        guard let shape = WinogradGradientShape(problem) else { return nil }
        if problem.outputCount == 0 { return true }
        if problem.depth.extent == 0 { return nil }
        let useful = sharing.threads(threads, work: Double(problem.outputCount) * Double(problem.depth.extent))
        let plan = WinogradGradientPlan(problem, shape, threads: useful)
        let layout = WinogradGradientScratch(plan)
        let used = max(1, min(useful, plan.blockCount))
        let perThread = roundToCacheLine(layout.byteCount)
        let sumsBytes = roundToCacheLine(plan.sumsBytes)
        var isFinite = true
        let finished = try withWorkspace(
            byteCount: saturatingMultiply(saturatingAdd(perThread, sumsBytes), used)
        ) { (scratch) throws(Failure) in
            var (plan, layout) = (plan, layout)
            return withUnsafePointer(to: &plan) { plan in
                withUnsafePointer(to: &layout) { layout in
                    var context = WinogradGradientContext(
                        plan: plan, layout: layout, scratch: scratch, scratchPerThread: perThread,
                        sums: scratch + used &* perThread, sumsBytes: sumsBytes)
                    return withUnsafeMutablePointer(to: &context) { context in
                        let finished = runBlocks(context, threads: used, control)
                        isFinite = sc_atomic_load(infinities(context)) == 0
                        return finished
                    }
                }
            }
        }
        return isFinite ? finished : nil
    }

    /// As many blocks at a time as there are threads, whose sums are held, and some chunks of all of them at a time, so that
    /// interrupts are heard.
    private static func runBlocks(
        _ context: UnsafeMutablePointer<WinogradGradientContext>, threads: Int, _ control: Control
    ) -> Bool {
        let plan = context.pointee.plan
        let (blocks, chunks) = (plan.pointee.blockCount, plan.pointee.chunkCount)
        var polling = Polling(control)
        while context.pointee.firstBlock < blocks && sc_atomic_load(infinities(context)) == 0 {
            let tasks = min(threads, blocks &- context.pointee.firstBlock)
            context.pointee.firstChunk = 0
            while context.pointee.firstChunk < chunks {
                context.pointee.endChunk = min(chunks, context.pointee.firstChunk &+ chunksAtATime)
                let finished = ThreadPool.run(
                    tasks: tasks, grain: 1, threads: threads, control: control, context: context, chunkTasks)
                if !finished || polling.isInterrupted() { return false }
                context.pointee.firstChunk = context.pointee.endChunk
            }
            context.pointee.firstBlock &+= tasks
        }
        return true
    }
}

private let leastOutputs = 384
/// Chunks of a block between which interrupts are heard: of the largest blocks some 10 ms.
private let chunksAtATime = 16
/// Multiply-adds of direct summation.
private var sharing: WorkSharing { WorkSharing(perThread: 900_000) }

private struct WinogradGradientContext {
    let plan: UnsafePointer<WinogradGradientPlan>
    let layout: UnsafePointer<WinogradGradientScratch>
    let scratch: UnsafeMutableRawPointer
    let scratchPerThread: Int
    let sums: UnsafeMutableRawPointer
    let sumsBytes: Int
    var firstBlock = 0
    var firstChunk = 0
    var endChunk = 0
    /// Not 0 once a sum was seen that is not finite.
    var infinities: Int64 = 0
}

private func infinities(_ context: UnsafeMutablePointer<WinogradGradientContext>) -> UnsafeMutablePointer<Int64> {
    context.pointer(to: \.infinities).unsafelyUnwrapped
}

private func chunkTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let shared = context.assumingMemoryBound(to: WinogradGradientContext.self)
    let context = shared.pointee
    for task in first..<end {
        let run = WinogradGradientRun(
            context.plan, context.layout, block: context.firstBlock &+ task,
            scratch: context.scratch + slot &* context.scratchPerThread,
            sums: context.sums + task &* context.sumsBytes)
        for chunk in context.firstChunk..<context.endChunk { run.add(chunk: chunk) }
        if context.endChunk == context.plan.pointee.chunkCount && !run.finish() {
            sc_atomic_store(infinities(shared), 1)
        }
    }
}
