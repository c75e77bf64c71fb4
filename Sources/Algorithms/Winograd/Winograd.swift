import CMachine
import Foundations
import Kernels

/// Convolutions by 3 x 3 filters at unit steps, with 4 or 2.25 times fewer products than direct summation; also by those
/// of a third axis, whose taps are as many planes of 3 x 3.
package enum Winograd {
    /// Whether the problem is of the kind, or dilated and its parts are.
    package static func canRun(_ problem: ContractionProblem) -> Bool {
        ofShape(problem, else: false) { _, _ in true }
    }

    /// Whether, moreover, its samples lie as they are packed fast, along a row or along the channels, or serve many outputs
    /// each, and its tiles cover so few outputs too many that at most two thirds of the products are left. Measured on
    /// Sapphire Rapids, float32, 256 channels each way at 28 x 28, dilated by 2: 1.5 times as fast as a matrix product.
    package static func gains(_ problem: ContractionProblem) -> Bool {
        ofShape(problem, else: false) { problem, shape in
            let size = problem.inputType.byteCount
            let isPackedFast = shape.x.window.inputStride == size || shape.channel.inputStride == size
            if !isPackedFast && shape.row.extent < 64 { return false }
            let outputs = outputs(shape)
            let points = (outputs &+ 2) &* (outputs &+ 2)
            let products = saturatingMultiply(points, shape.tiles(outputs: outputs))
            return saturatingMultiply(products, 3)
                <= saturatingMultiply(18, saturatingMultiply(shape.x.extent, shape.y.extent))
        }
    }

    /// The extent of the tiles' outputs, for a problem of the kind: 4, or 2 where a large filter serves few tiles, as reading
    /// it takes longer than the products. Measured on Sapphire Rapids, float32, 512 channels each way at 7 x 7: of one
    /// image 2 take 0.66 of the time that 4 take, of eight 1.6.
    package static func outputs(_ problem: ContractionProblem) -> Int {
        ofShape(problem, else: 4) { _, shape in outputs(shape) }
    }

    /// What `body` finds of the problem, or of a dilated one's first part, which stands for all; `other` of another kind.
    private static func ofShape<Result>(
        _ problem: ContractionProblem, else other: Result, _ body: (ContractionProblem, WinogradShape) -> Result
    ) -> Result {
        if let shape = WinogradShape(problem) { return body(problem, shape) }
        let found = try? problem.withUndilatedParts { (parts) throws(Failure) -> Result in
            let part = parts.part(0)
            guard let shape = WinogradShape(part) else { return other }
            return body(part, shape)
        }
        return (found ?? nil) ?? other
    }

    private static func outputs(_ shape: WinogradShape) -> Int {
        let tiles = saturatingMultiply(shape.tiles(outputs: 4), shape.z.extent)
        return tiles <= 4 && saturatingMultiply(shape.filters, shape.isDouble ? 8 : 4) > largeFilter ? 2 : 4
    }

    package static func explain(_ problem: ContractionProblem, threads: Int) -> Explanation {
        ofShape(problem, else: Explanation()) { problem, shape in
            let outputs = outputs(shape)
            let plan = WinogradPlan(problem, shape, outputs: outputs, threads: threads, keepsFilter: true)
            var explanation = Explanation()
            explanation.algorithm = "winograd"
            explanation.kernel = outputs == 4 ? "F(4x4, 3x3)" : "F(2x2, 3x3)"
            explanation.input = "transformed by blocks"
            explanation.output = "transformed by blocks"
            explanation.vectorLanes = plan.lanes
            explanation.tileRows = contractionTileRows
            explanation.tileColumns = plan.filter.panelWidth
            explanation.blockRows = plan.tiling.blockRows &* outputs
            explanation.blockColumns = plan.tiling.blockColumns &* outputs
            explanation.workspaceBytes = WinogradScratch(plan).byteCount
            explanation.tasks = plan.taskCount
            explanation.threads = max(1, min(threads, plan.taskCount))
            return explanation
        }
    }

    /// Runs the problem by F(outputs x outputs, 3 x 3), `outputs` being 2 or 4; nil if it is of another kind, its filter is
    /// not finite, or nothing is summed.
    package static func run(
        _ problem: ContractionProblem, outputs: Int, threads: Int, control: Control, store: FilterStore? = nil
    ) throws(Failure) -> Bool? {
        guard let shape = WinogradShape(problem) else {
            let finished = try problem.withUndilatedParts { (parts) throws(Failure) in
                try run(parts, outputs: outputs, threads: threads, control: control, store: store)
            }
            return finished ?? nil
        }
        if problem.outputCount == 0 { return true }
        // A weight's gradient sums over samples, of which there may be none.
        if shape.channel.extent == 0 { return nil }
        let work = Double(problem.outputCount) * Double(shape.channel.extent) * Double(shape.z.taps)
        let useful = sharing.threads(threads, work: work)
        let plan = WinogradPlan(problem, shape, outputs: outputs, threads: useful, keepsFilter: store != nil)
        let filterBytes = plan.transformsFilter ? 0 : plan.filter.byteCount(batch: problem.batch.extent)
        if store == nil && filterBytes > passBytes && plan.filter.panels > 1 {
            let panels = max(1, plan.filter.panels / ceilingDivide(filterBytes, passBytes))
            return try run(problem, rowsPerPass: panels &* plan.filter.panelWidth) { (problem) throws(Failure) in
                try run(problem, outputs: outputs, threads: threads, control: control)
            }
        }
        let layout = WinogradScratch(plan)
        let used = max(1, min(useful, max(plan.taskCount, plan.transformsFilter ? 0 : plan.filter.pieces)))
        let perThread = roundToCacheLine(layout.byteCount)
        let key = PackingKey(form: -outputs, problem, base: store?.base ?? problem.filter)
        let packed = try PackedFilter(byteCount: filterBytes, key, store)
        let filter = packed.base
        let isPacked = packed.isPacked
        var isFinite = true
        let finished = try withWorkspace(byteCount: saturatingMultiply(perThread, used)) { (scratch) throws(Failure) in
            var (plan, layout) = (plan, layout)
            return withUnsafePointer(to: &plan) { plan in
                withUnsafePointer(to: &layout) { layout in
                    var context = WinogradContext(
                        plan: plan, layout: layout, filter: filter, scratch: scratch, scratchPerThread: perThread)
                    return withUnsafeMutablePointer(to: &context) { context in
                        if !isPacked && !transformFilter(context, threads: used, control) { return false }
                        isFinite = sc_atomic_load(infinities(context)) == 0
                        if !isFinite || store?.onlyPacks ?? false { return true }
                        let finished = ThreadPool.run(
                            tasks: plan.pointee.taskCount, grain: 1, threads: used, control: control,
                            context: context, blockTasks)
                        isFinite = sc_atomic_load(infinities(context)) == 0
                        return finished
                    }
                }
            }
        }
        if !isFinite { return nil }
        if finished { packed.keep() }
        return finished
    }

    /// Part by part, with one transformed filter.
    private static func run(
        _ parts: UndilatedParts, outputs: Int, threads: Int, control: Control, store: FilterStore?
    ) throws(Failure) -> Bool? {
        if WinogradShape(parts.part(0)) == nil { return nil }
        var cache = FilterCache()
        defer { cache.removeAll() }
        return try withUnsafeMutablePointer(to: &cache) { (cache) throws(Failure) -> Bool? in
            let store = store ?? FilterStore(cache: cache, base: parts.part(0).filter, onlyPacks: false)
            for number in 0..<(store.onlyPacks ? 1 : parts.count) {
                let finished = try run(
                    parts.part(number), outputs: outputs, threads: threads, control: control, store: store)
                if finished != true { return finished }
            }
            return true
        }
    }

    /// Some output channels after the other: the transformed filters of all would be new memory in every call, which takes
    /// longer to get than samples take to be transformed again.
    private static func run(
        _ problem: ContractionProblem, rowsPerPass: Int, _ body: (ContractionProblem) throws(Failure) -> Bool?
    ) throws(Failure) -> Bool? {
        var index = problem.rows[0]
        let whole = index
        var first = 0
        while first < whole.extent {
            index.extent = min(rowsPerPass, whole.extent &- first)
            let finished = try withUnsafeMutablePointer(to: &index) { (index) throws(Failure) -> Bool? in
                var part = problem
                part.rows = IndexList(base: index, count: 1)
                part.filter += first &* whole.filterStride
                part.output += first &* whole.outputStride
                part.epilogue.bias? += first &* whole.biasStride
                return try body(part)
            }
            if finished != true { return finished }
            first &+= rowsPerPass
        }
        return true
    }

    private static func transformFilter(
        _ context: UnsafeMutablePointer<WinogradContext>, threads: Int, _ control: Control
    ) -> Bool {
        let plan = context.pointee.plan
        return ThreadPool.run(
            tasks: saturatingMultiply(plan.pointee.filter.pieces, plan.pointee.problem.batch.extent), grain: 1,
            threads: threads, control: control, context: context, filterTasks)
    }
}

/// Bytes of one point of a filter whose 36 points no second-level cache holds.
private let largeFilter = 64 << 10
/// Bytes of transformed filters that a call without a plan holds at a time.
private let passBytes = 12 << 20
/// Multiply-adds (of 9 taps' channels).
private var sharing: WorkSharing { WorkSharing(perThread: 100_000) }

private struct WinogradContext {
    let plan: UnsafePointer<WinogradPlan>
    let layout: UnsafePointer<WinogradScratch>
    let filter: UnsafeMutableRawPointer
    let scratch: UnsafeMutableRawPointer
    let scratchPerThread: Int
    /// Not 0 once a filter was seen that is not finite.
    var infinities: Int64 = 0
}

private func infinities(_ context: UnsafeMutablePointer<WinogradContext>) -> UnsafeMutablePointer<Int64> {
    context.pointer(to: \.infinities).unsafelyUnwrapped
}

private func filterTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let shared = context.assumingMemoryBound(to: WinogradContext.self)
    let context = shared.pointee
    let scratch = context.scratch + (slot &* context.scratchPerThread &+ context.layout.pointee.taps)
    let filter = context.plan.pointee.filter
    for unit in first..<end {
        let isFinite = filter.transform(
            context.plan, batch: unit / filter.pieces, piece: unit % filter.pieces,
            to: context.filter + unit &* filter.pieceBytes, scratch: scratch)
        if !isFinite { sc_atomic_store(infinities(shared), 1) }
    }
}

private func blockTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let shared = context.assumingMemoryBound(to: WinogradContext.self)
    let context = shared.pointee
    // Once a filter was not finite, nothing of this will stand.
    if sc_atomic_load(infinities(shared)) != 0 { return }
    let isFinite = WinogradRun(
        plan: context.plan, layout: context.layout,
        packed: context.plan.pointee.transformsFilter ? nil : UnsafeRawPointer(context.filter),
        scratch: context.scratch + slot &* context.scratchPerThread
    ).run(tasks: first..<end)
    if !isFinite { sc_atomic_store(infinities(shared), 1) }
}
