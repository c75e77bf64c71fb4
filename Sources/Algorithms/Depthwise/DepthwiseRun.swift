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
            rows: rows, weights: weights, tapStride: plan.column.dilation &* pixelStride,
            inputStep: plan.column.step &* pixelStride, output: scratch,
            outputStep: plan.writesInPlace ? plan.column.outStride : plan.pixelPitch,
            vectorWeights: plan.filter.vectorPitch)
        strip.vectors = block.vectors.count
        strip.lastVector = block.lastVector
        strip.start = plan.filter.bias(block.filter, vector: block.vectors.lowerBound).map { filter + $0 }
        for y in block.rows {
            strip.rowCount = findRows(block, y, rows, weights)
            strip.output =
                plan.writesInPlace
                ? block.output + y &* plan.row.outStride
                : scratch + (plan.scratch.results &+ (y &- block.rows.lowerBound) &* plan.resultPitch)
            run(&strip)
            limit(strip.output, block, step: strip.outputStep)
        }
        if !plan.writesInPlace { writeResults(block) }
    }

    /// From one input column to the next, where a strip reads.
    private var pixelStride: Int { plan.pointee.readsInPlace ? plan.pointee.column.inStride : plan.pointee.pixelPitch }

    private func addresses(_ place: Int) -> UnsafeMutablePointer<UnsafeRawPointer> {
        (scratch + place).assumingMemoryBound(to: UnsafeRawPointer.self)
    }

    /// The input rows under the filter rows of one output row that lie inside, at column 0, and the weights of each.
    private func findRows(
        _ block: DepthwiseBlock, _ y: Int, _ rows: UnsafeMutablePointer<UnsafeRawPointer>,
        _ weights: UnsafeMutablePointer<UnsafeRawPointer>
    ) -> Int {
        let plan = plan.pointee
        let rowWeights = plan.column.filterExtent &* laneWeightBytes(plan.arithmetic)
        let first = filter + plan.filter.weights(block.filter, vector: block.vectors.lowerBound)
        let taps = plan.row.taps(y)
        let top = plan.row.step &* y &- plan.row.padding
        var found = 0
        for plane in 0..<plan.planes {
            guard let source = block.plane(plane) else { continue }
            for tap in taps {
                let index = top &+ tap &* plan.row.dilation
                rows[found] =
                    plan.readsInPlace
                    ? source + index &* plan.row.inStride
                    : UnsafeRawPointer(slabRow(plane, index &- block.inputRows.lowerBound))
                weights[found] = first + (plane &* plan.row.filterExtent &+ tap) &* rowWeights
                found &+= 1
            }
        }
        return found
    }

    /// One output row: outputs whose windows are whole in one go, those at the ends one at a time.
    private func run(_ strip: inout DepthwiseStrip) {
        let column = plan.pointee.column
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
        set(&strip, x, plan.pointee.column.taps(x), output)
        strip.outputs = 1
        runDepthwiseStrip(plan.pointee.arithmetic, &strip)
    }

    private func set(_ strip: inout DepthwiseStrip, _ x: Int, _ taps: Range<Int>, _ output: UnsafeMutableRawPointer) {
        let column = plan.pointee.column
        strip.taps = taps.count
        strip.weightOffset = taps.lowerBound &* laneWeightBytes(plan.pointee.arithmetic)
        strip.inputOffset =
            (column.step &* x &- column.padding &+ taps.lowerBound &* column.dilation) &* pixelStride
        strip.output = output + x &* strip.outputStep
    }

    private func limit(_ row: UnsafeMutableRawPointer, _ block: DepthwiseBlock, step: Int) {
        let problem = plan.pointee.problem
        if problem.epilogue.clamp == nil { return }
        for x in 0..<plan.pointee.column.outExtent {
            problem.epilogue.limit(row + x &* step, count: block.channels.count, problem.resultType)
        }
    }

    // MARK: - Slab and results

    private func slabRow(_ plane: Int, _ row: Int) -> UnsafeMutableRawPointer {
        let plan = plan.pointee
        let rowPitch = plan.column.inExtent &* plan.pixelPitch
        return scratch + (plan.scratch.slab &+ (plane &* plan.scratch.slabRows &+ row) &* rowPitch)
    }

    private func packSlab(_ block: DepthwiseBlock) {
        let plan = plan.pointee
        let count = block.channels.count
        for plane in 0..<plan.planes {
            guard let source = block.plane(plane) else { continue }
            if count < plan.lanes {
                // Lanes without a channel are computed with, in full speed only if they are no subnormal numbers.
                slabRow(plane, 0).initializeMemory(
                    as: UInt8.self, repeating: 0,
                    count: block.inputRows.count &* plan.column.inExtent &* plan.pixelPitch)
            }
            let (row, column) = (plan.row, plan.column)
            let first = source + block.inputRows.lowerBound &* row.inStride
            if row.inStride == column.inExtent &* column.inStride {
                pack(first, pixels: block.inputRows.count &* column.inExtent, channels: count, to: slabRow(plane, 0))
                continue
            }
            for y in 0..<block.inputRows.count {
                pack(first + y &* row.inStride, pixels: column.inExtent, channels: count, to: slabRow(plane, y))
            }
        }
    }

    /// Pixels that one stride walks.
    private func pack(_ source: UnsafeRawPointer, pixels: Int, channels: Int, to target: UnsafeMutableRawPointer) {
        let plan = plan.pointee
        let (channel, column) = (plan.channel, plan.column)
        let stage = scratch + plan.scratch.stages
        let unit = plan.problem.inputType.byteCount
        if channel.inStride == unit || column.inStride != unit || plan.element > 8 {
            for x in 0..<pixels {
                readRun(
                    plan.reader, source + x &* column.inStride, stride: channel.inStride, count: channels,
                    to: target + x &* plan.pixelPitch, stage: stage)
            }
            return
        }
        var tile = TransposedTiles(
            rows: channels, columns: pixels, sourceRow: channel.inStride, destinationColumn: plan.pixelPitch, tiles: 1,
            sourceTile: 0, destinationTile: 0, elementBytes: plan.element)
        if plan.reader.isPlain {
            transpose(source, to: target, offsets: nil, &tile)
            return
        }
        let lines = scratch + plan.scratch.lines
        tile.sourceRow = plan.scratch.linePixels &* plan.element
        var x = 0
        while x < pixels {
            tile.columns = min(plan.scratch.linePixels, pixels &- x)
            for c in 0..<channels {
                readRun(
                    plan.reader, source + (x &* column.inStride &+ c &* channel.inStride), stride: column.inStride,
                    count: tile.columns, to: lines + c &* tile.sourceRow, stage: stage)
            }
            transpose(UnsafeRawPointer(lines), to: target + x &* plan.pixelPitch, offsets: nil, &tile)
            x &+= tile.columns
        }
    }

    private func writeResults(_ block: DepthwiseBlock) {
        let plan = plan.pointee
        let (row, column) = (plan.row, plan.column)
        let results = scratch + plan.scratch.results
        let target = block.output + block.rows.lowerBound &* row.outStride
        if row.outStride == column.outExtent &* column.outStride {
            write(results, pixels: block.rows.count &* column.outExtent, channels: block.channels.count, to: target)
            return
        }
        for y in 0..<block.rows.count {
            write(
                results + y &* plan.resultPitch, pixels: column.outExtent, channels: block.channels.count,
                to: target + y &* row.outStride)
        }
    }

    /// Pixels that one stride walks.
    private func write(
        _ source: UnsafeMutableRawPointer, pixels: Int, channels: Int, to target: UnsafeMutableRawPointer
    ) {
        let plan = plan.pointee
        let (channel, column) = (plan.channel, plan.column)
        let stages = scratch + plan.scratch.stages
        let unit = plan.problem.outputType.byteCount
        if channel.outStride == unit || plan.element > 8 {
            for x in 0..<pixels {
                writeRun(
                    plan.writer, source + x &* plan.pixelPitch, count: channels, to: target + x &* column.outStride,
                    stride: channel.outStride, stages: stages)
            }
            return
        }
        var tile = TransposedTiles(
            rows: pixels, columns: channels, sourceRow: plan.pixelPitch, destinationColumn: channel.outStride, tiles: 1,
            sourceTile: 0, destinationTile: 0, elementBytes: plan.element)
        if plan.writer.isPlain && column.outStride == unit {
            transpose(UnsafeRawPointer(source), to: target, offsets: nil, &tile)
            return
        }
        let lines = scratch + plan.scratch.lines
        tile.destinationColumn = plan.scratch.linePixels &* plan.element
        var x = 0
        while x < pixels {
            tile.rows = min(plan.scratch.linePixels, pixels &- x)
            transpose(UnsafeRawPointer(source + x &* plan.pixelPitch), to: lines, offsets: nil, &tile)
            for c in 0..<channels {
                writeRun(
                    plan.writer, lines + c &* tile.destinationColumn, count: tile.rows,
                    to: target + (x &* column.outStride &+ c &* channel.outStride), stride: column.outStride,
                    stages: stages)
            }
            x &+= tile.rows
        }
    }
}

/// A task: some channels by some output rows, all other indices fixed. Neighbouring tasks share channels, then filters.
private struct DepthwiseBlock {
    let vectors: Range<Int>
    let channels: Range<Int>
    /// From the first channel to the last vector's, in bytes.
    let lastVector: Int
    let rows: Range<Int>
    let inputRows: Range<Int>
    let filter: Int
    let output: UnsafeMutableRawPointer
    /// The input at index 0 of all window axes.
    private let input: UnsafeRawPointer
    private var outputs = AxisInts(repeating: 0)
    private let plan: UnsafePointer<DepthwisePlan>

    init(_ plan: UnsafePointer<DepthwisePlan>, task: Int) {
        self.plan = plan
        let p = plan.pointee
        var rest = task
        func take(_ extent: Int) -> Int {
            let index = rest % extent
            rest /= extent
            return index
        }
        let firstRow = take(p.rowBlocks) &* p.blockRows
        rows = firstRow..<min(firstRow &+ p.blockRows, p.row.outExtent)
        inputRows = p.inputRows(rows)
        for i in (p.batchCount..<p.outerCount).reversed() { outputs[i] = take(p.outer[i].outExtent) }
        let firstVector = take(p.channelBlocks) &* p.blockVectors
        vectors = firstVector..<min(firstVector &+ p.blockVectors, p.vectors)
        let firstChannel = p.filter.firstChannel(firstVector)
        channels = firstChannel..<min(vectors.upperBound &* p.lanes, p.channel.outExtent)
        lastVector = (p.filter.firstChannel(vectors.upperBound &- 1) &- firstChannel) &* p.element
        for i in (0..<p.batchCount).reversed() { outputs[i] = take(p.outer[i].outExtent) }
        var (filter, inOffset, outOffset) = (0, firstChannel &* p.channel.inStride, firstChannel &* p.channel.outStride)
        for i in 0..<p.outerCount {
            let axis = p.outer[i]
            outOffset &+= outputs[i] &* axis.outStride
            if axis.isWindow { continue }
            inOffset &+= outputs[i] &* axis.inStride
            if axis.hasOwnFilter { filter = filter &* axis.outExtent &+ outputs[i] }
        }
        self.filter = filter
        input = p.problem.input + inOffset
        output = p.problem.output + outOffset
    }

    /// The input under a plane of the filter, at row and column 0; nil where that lies outside.
    func plane(_ number: Int) -> UnsafeRawPointer? {
        var rest = number
        var offset = 0
        for i in (plan.pointee.batchCount..<plan.pointee.outerCount).reversed() {
            let axis = plan.pointee.outer[i]
            let index = axis.step &* outputs[i] &- axis.padding &+ rest % axis.filterExtent &* axis.dilation
            if index < 0 || index >= axis.inExtent { return nil }
            offset &+= index &* axis.inStride
            rest /= axis.filterExtent
        }
        return input + offset
    }
}
