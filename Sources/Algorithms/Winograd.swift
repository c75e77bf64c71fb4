import Foundations
import Kernels

/// Convolutions by 3 x 3 filters at unit steps, with 4 or 2.25 times fewer products than direct summation.
package enum Winograd {
    /// Whether the problem is of the kind.
    package static func canRun(_ problem: ContractionProblem) -> Bool { WinogradShape(problem) != nil }

    /// Runs the problem by F(outputs x outputs, 3 x 3), `outputs` being 2 or 4; nil if it is of another kind.
    package static func run(
        _ problem: ContractionProblem, outputs: Int, threads: Int, control: Control
    ) throws(Failure) -> Bool? {
        guard let shape = WinogradShape(problem) else { return nil }
        if problem.outputCount == 0 { return true }
        return try run(WinogradPlan(problem, shape, outputs: outputs), threads: threads, control: control)
    }

    private static func run(_ plan: WinogradPlan, threads: Int, control: Control) throws(Failure) -> Bool {
        let layout = WinogradScratch(plan)
        let work = Double(plan.problem.outputCount) * Double(plan.channels)
        let used = max(1, min(threads, max(plan.taskCount, plan.rows / 8), Int(min(work / workPerThread, 1e6)) &+ 1))
        let perThread = max(roundToCacheLine(layout.byteCount), WinogradFilter.scratchBytes(plan))
        let filterBytes = roundToCacheLine(plan.filterBytes)
        let byteCount = saturatingAdd(filterBytes, saturatingMultiply(perThread, used))
        return try withWorkspace(byteCount: byteCount) { (memory) throws(Failure) in
            var (plan, layout) = (plan, layout)
            return withUnsafePointer(to: &plan) { plan in
                withUnsafePointer(to: &layout) { layout in
                    var context = WinogradContext(
                        plan: plan, layout: layout, filter: memory, scratch: memory + filterBytes,
                        scratchPerThread: perThread)
                    return withUnsafeMutablePointer(to: &context) { context in
                        ThreadPool.run(
                            tasks: plan.pointee.rows &* plan.pointee.problem.batch.extent,
                            grain: max(1, 4096 / max(1, plan.pointee.channels)), threads: used, control: control,
                            context: context, filterTasks)
                            && ThreadPool.run(
                                tasks: plan.pointee.taskCount, grain: 1, threads: used, control: control,
                                context: context, blockTasks)
                    }
                }
            }
        }
    }
}

/// Multiply-adds (of 9 taps' channels) worth waking a thread for.
private let workPerThread = 100_000.0

private struct WinogradContext {
    let plan: UnsafePointer<WinogradPlan>
    let layout: UnsafePointer<WinogradScratch>
    let filter: UnsafeMutableRawPointer
    let scratch: UnsafeMutableRawPointer
    let scratchPerThread: Int
}

private func filterTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: WinogradContext.self).pointee
    let scratch = context.scratch + slot &* context.scratchPerThread
    let rows = context.plan.pointee.rows
    for unit in first..<end {
        WinogradFilter.transform(
            context.plan, batch: unit / rows, row: unit % rows, to: context.filter, scratch: scratch)
    }
}

private func blockTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: WinogradContext.self).pointee
    WinogradRun(
        plan: context.plan, layout: context.layout, filter: UnsafeRawPointer(context.filter),
        scratch: context.scratch + slot &* context.scratchPerThread
    ).run(tasks: first..<end)
}

/// The filter's transform: [batch][point][row][channel].
enum WinogradFilter {
    /// Channels transformed at a time.
    private static let channels = 256

    static func scratchBytes(_ plan: WinogradPlan) -> Int {
        roundToCacheLine(
            (9 &+ plan.points) &* (channels &+ plan.lanes) &* plan.element &+ 16 &* stageElements)
    }

    static func transform(
        _ plan: UnsafePointer<WinogradPlan>, batch: Int, row: Int, to target: UnsafeMutableRawPointer,
        scratch: UnsafeMutableRawPointer
    ) {
        let pointee = plan.pointee
        let problem = pointee.problem
        let shape = pointee.shape
        let reader = ElementReader(
            type: problem.filterType, swapUnit: problem.filterSwapUnit, problem.arithmetic)
        let source =
            problem.filter + (problem.batch.offset(batch, \.filterStride) &+ row &* shape.row.filterStride)
        let points = target + batch &* pointee.points &* pointee.filterPointBytes
        let pitch = (channels &+ pointee.lanes) &* pointee.element
        let transformed = scratch + 9 &* pitch
        let stage = transformed + pointee.points &* pitch
        var first = 0
        while first < pointee.channels {
            let count = min(channels, pointee.channels &- first)
            for tap in 0..<9 {
                readRun(
                    reader,
                    source
                        + (first &* shape.channel.filterStride &+ tap / 3 &* shape.y.filterStride
                            &+ tap % 3 &* shape.x.filterStride),
                    stride: shape.channel.filterStride, count: count, to: scratch + tap &* pitch, stage: stage)
            }
            pointee.kernels.transformFilters(
                UnsafeRawPointer(scratch), pitch: pitch, filters: count, to: transformed, pointPitch: pitch)
            for p in 0..<pointee.points {
                let place = p &* pointee.filterPointBytes &+ (row &* pointee.channels &+ first) &* pointee.element
                (points + place).copyMemory(
                    from: transformed + p &* pitch, byteCount: count &* pointee.element)
            }
            first &+= count
        }
    }
}
