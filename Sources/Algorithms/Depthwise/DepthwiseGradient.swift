import Foundations
import Kernels

/// The weight's gradient of a depthwise convolution: per channel few outputs, each the sum of a product with the whole other
/// operand, which is the filter here. Channels lie along the vectors; input and filter are packed row by row, the input
/// with the zeros around it, and a row's products are added up before they are added to the sums.
package enum DepthwiseGradient {
    /// Few outputs of many taps, for each of at least half a vector of channels that have filters of their own.
    package static func suits(_ problem: SlidingProblem) -> Bool {
        if !Depthwise.canRun(problem) || problem.arithmetic.isComplex || problem.resultType == .bool { return false }
        let windows = WindowOrder(problem)
        let channel = problem.axes[DepthwiseAxes.channel(problem)]
        let column = problem.axes[windows.innermost]
        var outputs = column.outExtent
        if windows.count > 1 {
            outputs = saturatingMultiply(outputs, problem.axes[windows[windows.count &- 2]].outExtent)
        }
        // An input of mostly padding is not worth packing.
        let span = column.span(outputs: column.outExtent, taps: column.filterExtent)
        return outputs <= mostOutputs && column.filterExtent >= column.outExtent && span / 2 <= column.inExtent
            && channel.outExtent >= vectorLanes(problem.arithmetic) / 2
    }

    /// Runs a problem that suits.
    package static func run(_ problem: SlidingProblem, threads: Int, control: Control) throws(Failure) -> Bool {
        if problem.outputCount == 0 { return true }
        var plan = DepthwiseGradientPlan(problem)
        let used = plan.threads(threads)
        return try withWorkspace(
            byteCount: saturatingMultiply(plan.scratchBytes, used)
        ) { (memory) throws(Failure) in
            withUnsafePointer(to: &plan) { plan in
                var context = GradientContext(plan: plan, scratch: memory)
                return ThreadPool.run(
                    tasks: plan.pointee.taskCount, grain: 1, threads: used, control: control, context: &context,
                    gradientTasks)
            }
        }
    }

    package static func explain(_ problem: SlidingProblem, threads: Int) -> Explanation {
        var explanation = Explanation()
        explanation.algorithm = "depthwise"
        if problem.outputCount == 0 { return explanation }
        let plan = DepthwiseGradientPlan(problem)
        explanation.kernel = "lanes along channels, a sum each"
        explanation.input = "packed by blocks"
        explanation.output = "converted by blocks"
        explanation.vectorLanes = plan.lanes
        explanation.tileRows = min(9, plan.outputs)
        explanation.tileColumns = plan.lanes
        explanation.workspaceBytes = plan.scratchBytes
        explanation.tasks = plan.taskCount
        explanation.threads = plan.threads(threads)
        return explanation
    }
}

/// Outputs of a channel beyond which a matrix product gains.
private let mostOutputs = 64

/// How it is cut up: a task is a vector of channels at one combination of outputs along the outer axes.
struct DepthwiseGradientPlan {
    let axes: DepthwiseAxes
    let reader: ElementReader
    let filterReader: ElementReader
    let writer: ElementWriter
    let element: Int
    let lanes: Int
    /// Outputs of a task.
    let outputs: Int
    private let vectors: Int
    let taskCount: Int
    /// Rows of the filter that are packed at a time, and the input's rows under them.
    let blockRows: Int
    let slabRows: Int
    /// Pixels of a packed row of the input, the first of which is column `0 - padding`.
    let slabColumns: Int
    /// Scratch: the addresses of each output's input, sums, packed rows of filter and input, a row of zeros.
    let sums: Int
    let stages: Int
    let lines: Int
    let filter: Int
    let slab: Int
    let zeros: Int
    let scratchBytes: Int

    var pixelPitch: Int { lanes &* element }

    init(_ problem: SlidingProblem) {
        let axes = DepthwiseAxes(problem)
        let (column, row) = (axes.column, axes.row)
        self.axes = axes
        element = problem.arithmetic.byteCount
        lanes = vectorLanes(problem.arithmetic)
        reader = ElementReader(type: problem.inputType, swapUnit: problem.inputSwapUnit, problem.arithmetic)
        filterReader = ElementReader(type: problem.filterType, swapUnit: problem.filterSwapUnit, problem.arithmetic)
        writer = ElementWriter(result: problem.resultType, output: problem.outputType, swapUnit: problem.outputSwapUnit)
        outputs = row.outExtent &* column.outExtent
        vectors = ceilingDivide(axes.channel.outExtent, lanes)
        taskCount = saturatingMultiply(vectors, axes.outerOutputs)
        let pitch = lanes &* element
        slabColumns = column.span(outputs: column.outExtent, taps: column.filterExtent)
        let rowBytes = saturatingMultiply(saturatingAdd(slabColumns, column.filterExtent), pitch)
        blockRows = max(1, min(row.filterExtent, blockBytes / max(rowBytes, 1)))
        slabRows = min(row.inExtent, row.span(outputs: row.outExtent, taps: blockRows))
        var places = WorkspaceLayout()
        _ = places.take(outputs &* 8)
        sums = places.take(outputs &* pitch)
        stages = places.take(2 &* 16 &* stageElements)
        lines = places.take(PixelPacking.lineBytes(channels: lanes, element: element))
        filter = places.take(saturatingMultiply(saturatingMultiply(blockRows, column.filterExtent), pitch))
        slab = places.take(saturatingMultiply(saturatingMultiply(slabRows, slabColumns), pitch))
        zeros = places.take(saturatingMultiply(slabColumns, pitch))
        scratchBytes = places.byteCount
    }

    /// Threads that this much work can use.
    func threads(_ wanted: Int) -> Int {
        let work = Double(axes.problem.tapCount) * Double(outputs) * Double(lanes) * Double(taskCount)
        return max(1, min(depthwiseSharing.threads(wanted, work: work), taskCount))
    }

    /// The first channel of a task, how many there are, and its place.
    func task(_ number: Int) -> (first: Int, channels: Int, place: Int) {
        let first = number % vectors &* lanes
        return (first, min(lanes, axes.channel.outExtent &- first), number / vectors)
    }
}

/// Bytes of packed rows: half of a small second-level cache.
private let blockBytes = 256 << 10

private struct GradientContext {
    let plan: UnsafePointer<DepthwiseGradientPlan>
    let scratch: UnsafeMutableRawPointer
}

private func gradientTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: GradientContext.self).pointee
    for task in first..<end {
        DepthwiseGradientRun(
            context.plan, task: task, scratch: context.scratch + slot &* context.plan.pointee.scratchBytes
        ).run()
    }
}

/// One task.
private struct DepthwiseGradientRun {
    private let plan: UnsafePointer<DepthwiseGradientPlan>
    private let scratch: UnsafeMutableRawPointer
    private let place: DepthwisePlace
    private let firstChannel: Int
    private let pixels: PixelPacking

    init(_ plan: UnsafePointer<DepthwiseGradientPlan>, task: Int, scratch: UnsafeMutableRawPointer) {
        self.plan = plan
        self.scratch = scratch
        let (first, channels, number) = plan.pointee.task(task)
        firstChannel = first
        place = DepthwisePlace(plan.pointer(to: \.axes).unsafelyUnwrapped, number: number)
        pixels = PixelPacking(
            channels: channels, pixelPitch: plan.pointee.pixelPitch, element: plan.pointee.element,
            lines: scratch + plan.pointee.lines, stages: scratch + plan.pointee.stages)
    }

    func run() {
        let axes = plan.pointee.axes
        // Padding is never written, nor are lanes without a channel.
        (scratch + plan.pointee.sums).initializeMemory(
            as: UInt8.self, repeating: 0, count: plan.pointee.scratchBytes &- plan.pointee.sums)
        for plane in 0..<axes.planes {
            guard let source = place.plane(plane) else { continue }
            let input = source + firstChannel &* axes.channel.inStride
            let filter =
                axes.problem.filter
                + (place.filterOffset &+ axes.planeOffset(plane) &+ firstChannel &* axes.channel.filterStride)
            var first = 0
            while first < axes.row.filterExtent {
                let taps = first..<min(first &+ plan.pointee.blockRows, axes.row.filterExtent)
                add(input, filter, taps)
                first = taps.upperBound
            }
        }
        writeSums()
    }

    /// Adds the products of some rows of the filter.
    private func add(_ input: UnsafeRawPointer, _ filter: UnsafeRawPointer, _ taps: Range<Int>) {
        let (row, column) = (plan.pointee.axes.row, plan.pointee.axes.column)
        let pitch = plan.pointee.pixelPitch
        let inside = row.inputs(0..<row.outExtent, taps)
        packInput(input, inside)
        packFilter(filter, taps)
        let inputs = scratch.assumingMemoryBound(to: UnsafeRawPointer.self)
        var operands = DepthwiseSums(
            inputs: inputs, count: plan.pointee.outputs, taps: column.filterExtent,
            tapStride: column.dilation &* pitch, weights: scratch, sums: scratch + plan.pointee.sums)
        for tap in taps {
            for y in 0..<row.outExtent {
                let index = row.step &* y &+ row.dilation &* tap &- row.padding
                let source =
                    inside.contains(index)
                    ? slabRow(index &- inside.lowerBound) : scratch + plan.pointee.zeros
                for x in 0..<column.outExtent {
                    inputs[y &* column.outExtent &+ x] = UnsafeRawPointer(source + column.step &* x &* pitch)
                }
            }
            operands.weights = UnsafeRawPointer(filterRow(tap &- taps.lowerBound))
            runDepthwiseSums(plan.pointee.axes.problem.arithmetic, &operands)
        }
    }

    private func slabRow(_ row: Int) -> UnsafeMutableRawPointer {
        scratch + (plan.pointee.slab &+ row &* plan.pointee.slabColumns &* plan.pointee.pixelPitch)
    }

    private func filterRow(_ row: Int) -> UnsafeMutableRawPointer {
        scratch + (plan.pointee.filter &+ row &* plan.pointee.axes.column.filterExtent &* plan.pointee.pixelPitch)
    }

    private func packInput(_ input: UnsafeRawPointer, _ rows: Range<Int>) {
        let axes = plan.pointee.axes
        let (row, column) = (axes.row, axes.column)
        let columns = column.inputs(0..<column.outExtent, 0..<column.filterExtent)
        for y in rows {
            pixels.read(
                input + (y &* row.inStride &+ columns.lowerBound &* column.inStride), plan.pointee.reader,
                channelStride: axes.channel.inStride, pixelStride: column.inStride, pixels: columns.count,
                to: slabRow(y &- rows.lowerBound) + (columns.lowerBound &+ column.padding) &* plan.pointee.pixelPitch)
        }
    }

    private func packFilter(_ filter: UnsafeRawPointer, _ taps: Range<Int>) {
        let axes = plan.pointee.axes
        let (row, column) = (axes.row, axes.column)
        // Rows without gaps are one.
        let isOneRow = row.filterStride == column.filterExtent &* column.filterStride
        for tap in isOneRow ? taps.lowerBound..<taps.lowerBound &+ 1 : taps {
            pixels.read(
                filter + tap &* row.filterStride, plan.pointee.filterReader, channelStride: axes.channel.filterStride,
                pixelStride: column.filterStride, pixels: column.filterExtent &* (isOneRow ? taps.count : 1),
                to: filterRow(tap &- taps.lowerBound))
        }
    }

    private func writeSums() {
        let axes = plan.pointee.axes
        let problem = axes.problem
        let channel = axes.channel
        let sums = scratch + plan.pointee.sums
        if problem.epilogue.bias != nil { addBias(to: sums) }
        problem.epilogue.limit(sums, count: plan.pointee.outputs &* plan.pointee.lanes, problem.resultType)
        for y in 0..<axes.row.outExtent {
            pixels.write(
                sums + y &* axes.column.outExtent &* plan.pointee.pixelPitch, plan.pointee.writer,
                channelStride: channel.outStride, pixelStride: axes.column.outStride, pixels: axes.column.outExtent,
                to: place.output + (firstChannel &* channel.outStride &+ y &* axes.row.outStride))
        }
    }

    private func addBias(to sums: UnsafeMutableRawPointer) {
        let problem = plan.pointee.axes.problem
        let channel = plan.pointee.axes.channel
        for lane in 0..<pixels.channels {
            let bias = problem.epilogue.bias(
                at: place.biasOffset &+ (firstChannel &+ lane) &* channel.biasStride, problem.arithmetic)
            addToRows(
                problem.arithmetic, bias, sums + lane &* plan.pointee.element, rowStride: plan.pointee.pixelPitch,
                rows: plan.pointee.outputs, count: 1)
        }
    }
}
