import Foundations
import Kernels

/// One thread's part in a depthwise convolution.
struct DepthwiseRun {
    let plan: UnsafePointer<DepthwisePlan>
    let filter: UnsafeRawPointer
    let scratch: UnsafeMutableRawPointer

    func run(tasks: Range<Int>) {
        for task in tasks { run(DepthwiseBlock(plan, task: task)) }
    }

    private func run(_ block: DepthwiseBlock) {
        let plan = plan.pointee
        if !plan.readsInPlace { packSlab(block) }
        let rows = addresses(plan.scratch.rows)
        let weights = addresses(plan.scratch.weights)
        var strip = DepthwiseStrip(
            rows: rows, weights: weights, tapStride: plan.axes.column.dilation &* pixelStride,
            inputStep: plan.axes.column.step &* pixelStride, output: scratch,
            outputStep: plan.writesInPlace ? plan.axes.column.outStride : plan.pixelPitch,
            vectorWeights: plan.filter.vectorPitch)
        strip.vectors = block.vectors.count
        strip.lastVector = block.lastVector
        strip.start = plan.filter.bias(block.place.filter, vector: block.vectors.lowerBound).map { filter + $0 }
        for y in block.rows {
            strip.rowCount = findRows(block, y, rows, weights)
            strip.output =
                plan.writesInPlace
                ? block.output + y &* plan.axes.row.outStride
                : scratch + (plan.scratch.results &+ (y &- block.rows.lowerBound) &* plan.resultPitch)
            run(&strip)
            limit(strip.output, block, step: strip.outputStep)
        }
        if !plan.writesInPlace { writeResults(block) }
    }

    /// From one input column to the next, where a strip reads.
    private var pixelStride: Int {
        plan.pointee.readsInPlace ? plan.pointee.axes.column.inStride : plan.pointee.pixelPitch
    }

    private func addresses(_ place: Int) -> UnsafeMutablePointer<UnsafeRawPointer> {
        (scratch + place).assumingMemoryBound(to: UnsafeRawPointer.self)
    }

    /// The input rows under the filter rows of one output row that lie inside, at column 0, and the weights of each.
    private func findRows(
        _ block: DepthwiseBlock, _ y: Int, _ rows: UnsafeMutablePointer<UnsafeRawPointer>,
        _ weights: UnsafeMutablePointer<UnsafeRawPointer>
    ) -> Int {
        let row = plan.pointee.axes.row
        let readsInPlace = plan.pointee.readsInPlace
        let rowWeights = plan.pointee.axes.column.filterExtent &* laneWeightBytes(plan.pointee.arithmetic)
        let first = filter + plan.pointee.filter.weights(block.place.filter, vector: block.vectors.lowerBound)
        let taps = row.taps(y)
        let top = row.step &* y &- row.padding
        var found = 0
        for plane in 0..<plan.pointee.axes.planes {
            guard let source = block.plane(plane) else { continue }
            for tap in taps {
                let index = top &+ tap &* row.dilation
                rows[found] =
                    readsInPlace
                    ? source + index &* row.inStride
                    : UnsafeRawPointer(slabRow(plane, index &- block.inputRows.lowerBound))
                weights[found] = first + (plane &* row.filterExtent &+ tap) &* rowWeights
                found &+= 1
            }
        }
        return found
    }

    /// One output row: outputs whose windows are whole in one go, those at the ends one at a time.
    private func run(_ strip: inout DepthwiseStrip) {
        let column = plan.pointee.axes.column
        let interior = plan.pointee.columnInterior
        let output = strip.output
        for x in 0..<interior.lowerBound { runSingle(&strip, x, output) }
        if !interior.isEmpty {
            set(&strip, interior.lowerBound, 0..<column.filterExtent, output)
            strip.outputs = interior.count
            runDepthwiseStrip(plan.pointee.arithmetic, &strip)
        }
        for x in interior.upperBound..<column.outExtent { runSingle(&strip, x, output) }
        strip.output = output
    }

    private func runSingle(_ strip: inout DepthwiseStrip, _ x: Int, _ output: UnsafeMutableRawPointer) {
        set(&strip, x, plan.pointee.axes.column.taps(x), output)
        strip.outputs = 1
        runDepthwiseStrip(plan.pointee.arithmetic, &strip)
    }

    private func set(_ strip: inout DepthwiseStrip, _ x: Int, _ taps: Range<Int>, _ output: UnsafeMutableRawPointer) {
        let column = plan.pointee.axes.column
        strip.taps = taps.count
        strip.weightOffset = taps.lowerBound &* laneWeightBytes(plan.pointee.arithmetic)
        strip.inputOffset =
            (column.step &* x &- column.padding &+ taps.lowerBound &* column.dilation) &* pixelStride
        strip.output = output + x &* strip.outputStep
    }

    private func limit(_ row: UnsafeMutableRawPointer, _ block: DepthwiseBlock, step: Int) {
        let problem = plan.pointee.problem
        if problem.epilogue.clamp == nil { return }
        for x in 0..<plan.pointee.axes.column.outExtent {
            problem.epilogue.limit(row + x &* step, count: block.channels.count, problem.resultType)
        }
    }

    // MARK: - Slab and results

    private func slabRow(_ plane: Int, _ row: Int) -> UnsafeMutableRawPointer {
        let rowPitch = plan.pointee.axes.column.inExtent &* plan.pointee.pixelPitch
        return scratch + (plan.pointee.scratch.slab &+ (plane &* plan.pointee.scratch.slabRows &+ row) &* rowPitch)
    }

    private func pixels(_ block: DepthwiseBlock) -> PixelPacking {
        PixelPacking(
            channels: block.channels.count, pixelPitch: plan.pointee.pixelPitch, element: plan.pointee.element,
            lines: scratch + plan.pointee.scratch.lines, stages: scratch + plan.pointee.scratch.stages)
    }

    private func packSlab(_ block: DepthwiseBlock) {
        let (row, column, reader) = (plan.pointee.axes.row, plan.pointee.axes.column, plan.pointee.reader)
        let pixels = pixels(block)
        let channelStride = plan.pointee.axes.channel.inStride
        let rows = block.inputRows.count
        for plane in 0..<plan.pointee.axes.planes {
            guard let source = block.plane(plane) else { continue }
            if pixels.channels < plan.pointee.lanes {
                // Lanes without a channel are computed with, in full speed only if they are no subnormal numbers.
                slabRow(plane, 0).initializeMemory(
                    as: UInt8.self, repeating: 0, count: rows &* column.inExtent &* pixels.pixelPitch)
            }
            let first = source + block.inputRows.lowerBound &* row.inStride
            // Rows without gaps are one.
            let isOneRow = row.inStride == column.inExtent &* column.inStride
            for y in 0..<(isOneRow ? 1 : rows) {
                pixels.read(
                    first + y &* row.inStride, reader, channelStride: channelStride, pixelStride: column.inStride,
                    pixels: isOneRow ? rows &* column.inExtent : column.inExtent, to: slabRow(plane, y))
            }
        }
    }

    private func writeResults(_ block: DepthwiseBlock) {
        let (row, column, writer) = (plan.pointee.axes.row, plan.pointee.axes.column, plan.pointee.writer)
        let pixels = pixels(block)
        let isOneRow = row.outStride == column.outExtent &* column.outStride
        for y in 0..<(isOneRow ? 1 : block.rows.count) {
            pixels.write(
                scratch + (plan.pointee.scratch.results &+ y &* plan.pointee.resultPitch), writer,
                channelStride: plan.pointee.axes.channel.outStride, pixelStride: column.outStride,
                pixels: isOneRow ? block.rows.count &* column.outExtent : column.outExtent,
                to: block.output + (block.rows.lowerBound &+ y) &* row.outStride)
        }
    }
}

/// A task: some channels by some output rows, all other indices fixed.
private struct DepthwiseBlock {
    let vectors: Range<Int>
    let channels: Range<Int>
    /// From the first channel to the last vector's, in bytes.
    let lastVector: Int
    let rows: Range<Int>
    let inputRows: Range<Int>
    let place: DepthwisePlace
    private let firstInput: Int
    /// Output row and column 0 of the first channel.
    let output: UnsafeMutableRawPointer

    /// Tasks are numbered with the row block fastest, then the channel block.
    init(_ plan: UnsafePointer<DepthwisePlan>, task: Int) {
        let (row, channel) = (plan.pointee.axes.row, plan.pointee.axes.channel)
        let firstRow = task % plan.pointee.rowBlocks &* plan.pointee.blockRows
        rows = firstRow..<min(firstRow &+ plan.pointee.blockRows, row.outExtent)
        inputRows = row.inputs(rows, 0..<row.filterExtent)
        let rest = task / plan.pointee.rowBlocks
        let firstVector = rest % plan.pointee.channelBlocks &* plan.pointee.blockVectors
        vectors = firstVector..<min(firstVector &+ plan.pointee.blockVectors, plan.pointee.vectors)
        let firstChannel = plan.pointee.filter.firstChannel(firstVector)
        channels = firstChannel..<min(vectors.upperBound &* plan.pointee.lanes, channel.outExtent)
        let lastChannel = plan.pointee.filter.firstChannel(vectors.upperBound &- 1)
        lastVector = (lastChannel &- firstChannel) &* plan.pointee.element
        // A stored property has an address.
        let axes = plan.pointer(to: \.axes).unsafelyUnwrapped
        place = DepthwisePlace(axes, number: rest / plan.pointee.channelBlocks)
        firstInput = firstChannel &* channel.inStride
        output = place.output + firstChannel &* channel.outStride
    }

    /// The input under a plane of the filter, at row and column 0 of the first channel; nil where that lies outside.
    func plane(_ number: Int) -> UnsafeRawPointer? { place.plane(number).map { $0 + firstInput } }
}
