import CMachine
import Foundations
import Kernels

/// Output rows between a strip and the input that is asked for meanwhile. Measured on Sapphire Rapids (5x5 from the third
/// cache level): 6 rows come too late, 24 too early, 12 to 18 gain 15 %; not asking while streaming is faster.
private let prefetchDistance = 18

/// One thread's walk over a range of tasks of a plan. Everything here is offsets and loops over strips; sums happen in
/// the kernels.
struct StencilRun {
    let plan: UnsafePointer<StencilPlan>
    let tables: UnsafeRawPointer
    let scratch: UnsafeMutableRawPointer

    /// Where the walk stands: task = (batch indices, column block, outer window indices, row phase, row block), the last
    /// fastest, so that neighbouring tasks share input rows and planes.
    private(set) var outer = AxisInts(repeating: 0)
    private var columnBlock = 0
    private var phase = 0
    private var rowBlock = 0

    init(plan: UnsafePointer<StencilPlan>, tables: UnsafeRawPointer, scratch: UnsafeMutableRawPointer) {
        self.plan = plan
        self.tables = tables
        self.scratch = scratch
    }

    mutating func run(tasks: Range<Int>) {
        if plan.pointee.flat.isUsed {
            runFlat(tasks: tasks)
            return
        }
        seek(tasks.lowerBound)
        for _ in tasks {
            runTask()
            advance()
        }
        if plan.pointee.streamsOutput { sc_stream_fence() }
    }

    private var phases: Int { min(plan.pointee.rowPhases, plan.pointee.row.outExtent) }

    private mutating func seek(_ task: Int) {
        var rest = task
        func take(_ extent: Int) -> Int {
            let index = rest % extent
            rest /= extent
            return index
        }
        rowBlock = take(plan.pointee.rowTasks)
        phase = take(phases)
        for i in (plan.pointee.batchCount..<plan.pointee.outerCount).reversed() {
            outer[i] = take(plan.pointee.outer[i].outExtent)
        }
        columnBlock = take(plan.pointee.columnTasks)
        for i in (0..<plan.pointee.batchCount).reversed() { outer[i] = take(plan.pointee.outer[i].outExtent) }
    }

    private mutating func advance() {
        rowBlock &+= 1
        if rowBlock < plan.pointee.rowTasks { return }
        rowBlock = 0
        phase &+= 1
        if phase < phases { return }
        phase = 0
        if advanceOuter(plan.pointee.batchCount, plan.pointee.outerCount) { return }
        columnBlock &+= 1
        if columnBlock < plan.pointee.columnTasks { return }
        columnBlock = 0
        _ = advanceOuter(0, plan.pointee.batchCount)
    }

    private mutating func advanceOuter(_ first: Int, _ end: Int) -> Bool {
        var i = end &- 1
        while i >= first {
            outer[i] &+= 1
            if outer[i] < plan.pointee.outer[i].outExtent { return true }
            outer[i] = 0
            i &-= 1
        }
        return false
    }

    // MARK: - A task

    private func runTask() {
        let rowCount = plan.pointee.rowCount(phase: phase)
        let firstRow = rowBlock &* plan.pointee.taskRows
        let rows = min(firstRow, rowCount)..<min(firstRow &+ plan.pointee.taskRows, rowCount)
        let firstColumn = columnBlock &* plan.pointee.taskColumns
        let columns = firstColumn..<min(firstColumn &+ plan.pointee.taskColumns, plan.pointee.column.outExtent)
        if rows.isEmpty { return }
        let place = Place(plan, outer: outer, phase: phase)
        if !(plan.pointee.readsInPlace || plan.pointee.skipsAbsentTaps) {
            runPacked(place, rows, columns)
            return
        }

        let inner = interior(place, rows, columns)
        if inner.rows.isEmpty || inner.columns.isEmpty {
            runBorder(place, rows, columns)
            return
        }
        runBorder(place, rows.lowerBound..<inner.rows.lowerBound, columns)
        runBorder(place, inner.rows, columns.lowerBound..<inner.columns.lowerBound)
        if plan.pointee.readsInPlace {
            runInPlace(place, inner.rows, inner.columns)
        } else {
            runPacked(place, inner.rows, inner.columns)
        }
        runBorder(place, inner.rows, inner.columns.upperBound..<columns.upperBound)
        runBorder(place, inner.rows.upperBound..<rows.upperBound, columns)
    }

    /// The part of a task whose windows are whole. Border strips are widened to a vector, since packing one costs less
    /// than computing single columns, and a narrow rest is left to them entirely.
    private func interior(
        _ place: Place, _ rows: Range<Int>, _ columns: Range<Int>
    ) -> (rows: Range<Int>, columns: Range<Int>) {
        let none = (rows: rows.lowerBound..<rows.lowerBound, columns: columns)
        if !place.isInterior { return none }
        let whole =
            plan.pointee.rowPhases == 1
            ? plan.pointee.rowInterior
            : plan.pointee.row.interior(
                step: plan.pointee.rowStep, start: place.firstInputRow, count: plan.pointee.rowCount(phase: phase))
        let innerRows = whole.clamped(to: rows)
        var innerColumns = plan.pointee.columnInterior.clamped(to: columns)
        if plan.pointee.skipsAbsentTaps { return (innerRows, innerColumns) }
        let lanes = plan.pointee.lanes
        if innerColumns.lowerBound > columns.lowerBound {
            let widened = max(innerColumns.lowerBound, columns.lowerBound &+ lanes)
            innerColumns = min(widened, innerColumns.upperBound)..<innerColumns.upperBound
        }
        if innerColumns.upperBound < columns.upperBound {
            let widened = min(innerColumns.upperBound, columns.upperBound &- lanes)
            innerColumns = innerColumns.lowerBound..<max(innerColumns.lowerBound, widened)
        }
        if innerColumns.count < columns.count && innerColumns.count < 2 &* lanes { return none }
        return (innerRows, innerColumns)
    }

    private func runBorder(_ place: Place, _ rows: Range<Int>, _ columns: Range<Int>) {
        if rows.isEmpty || columns.isEmpty { return }
        if plan.pointee.skipsAbsentTaps {
            runAbsentTaps(place, rows, columns)
        } else {
            runPacked(place, rows, columns)
        }
    }

    private func runInPlace(_ place: Place, _ rows: Range<Int>, _ columns: Range<Int>) {
        let column = plan.pointee.column
        let row = plan.pointee.row
        let step = plan.pointee.rowStep &* row.inStride
        let firstColumn = columns.lowerBound &* column.step &- column.padding
        let input =
            place.input + (place.firstInputRow &* row.inStride &+ rows.lowerBound &* step)
            + firstColumn &* column.inStride
        var strip = StencilStrip(
            input: input, inputRowStride: step, filterRowStride: plan.pointee.rowTap &* row.inStride,
            output: scratch, outputRowStride: 0, rows: 0, columns: columns.count,
            weights: tables + plan.pointee.tables.weights, filterRows: row.filterExtent, taps: plan.pointee.taps,
            tapOffsets: offsets(plan.pointee.tables.tapsInPlace))
        if !plan.pointee.writesInPlace || plan.pointee.isSeparable {
            forBlocks(rows, columns) { blockRows, blockColumns in
                strip.input =
                    input + ((blockRows.lowerBound &- rows.lowerBound) &* step)
                    + (blockColumns.lowerBound &- columns.lowerBound) &* column.inStride
                runStrip(&strip, place, blockRows, blockColumns)
            }
            return
        }
        if columns.count <= plan.pointee.widestColumns && !plan.pointee.streamsOutput {
            runStrip(&strip, place, rows, columns)
            return
        }
        // One tile of rows at a time across all columns: the input then streams in line after line. (Down the rows first,
        // 3x3 ran at half the speed.) A rest lower than a tile is taken along with the strip before it.
        let lastPlane = strip.tapOffsets[strip.taps &- column.filterExtent]
        var first = rows.lowerBound
        while first < rows.upperBound {
            let left = rows.upperBound &- first
            let count = left < 2 &* sharedRowsHeight ? left : sharedRowsHeight
            strip.input = input + (first &- rows.lowerBound) &* step
            if plan.pointee.streamsOutput {
                runStreamed(&strip, place, first..<first &+ count, columns)
            } else {
                // What is new to this strip's successors is under the last plane's last filter row.
                let ahead = (row.filterExtent &- 1 &+ prefetchDistance) &* step &+ lastPlane
                prefetch(strip.input + ahead, count, step, columns.count)
                runStrip(&strip, place, first..<first &+ count, columns)
            }
            first &+= count
        }
    }

    private func prefetch(_ input: UnsafeRawPointer, _ rows: Int, _ step: Int, _ columns: Int) {
        for r in 0..<rows {
            sc_prefetch(
                (input + r &* step).assumingMemoryBound(to: UInt8.self), Int64(columns &* plan.pointee.element))
        }
    }

    private func runPacked(_ place: Place, _ rows: Range<Int>, _ columns: Range<Int>) {
        let patch = plan.pointee.patch
        var strip = StencilStrip(
            input: scratch, inputRowStride: patch.outputRowSteps &* patch.rowPitch,
            filterRowStride: patch.filterRowSteps &* patch.rowPitch, output: scratch, outputRowStride: 0, rows: 0,
            columns: 0, weights: tables + plan.pointee.tables.weights,
            filterRows: plan.pointee.row.filterExtent, taps: plan.pointee.taps,
            tapOffsets: offsets(plan.pointee.tables.tapsInPatch))
        if plan.pointee.row.filterExtent == 1 { strip.filterRowStride = strip.inputRowStride }
        forBlocks(rows, columns) { blockRows, blockColumns in
            packPatch(
                self, place, rows: blockRows, columns: blockColumns, to: scratch,
                stage: scratch + plan.pointee.scratch.firstStage)
            runStrip(&strip, place, blockRows, blockColumns)
        }
    }

    /// Blocks no larger than a patch, and none lower than a tile if it can be helped.
    private func forBlocks(
        _ rows: Range<Int>, _ columns: Range<Int>, _ body: (Range<Int>, Range<Int>) -> Void
    ) {
        let height = plan.pointee.blockRows
        let width = plan.pointee.blockColumns
        var r = rows.lowerBound
        while r < rows.upperBound {
            let left = rows.upperBound &- r
            var count = min(height, left)
            if count < left && left &- count < sharedRowsHeight && count >= 2 &* sharedRowsHeight {
                count &-= sharedRowsHeight
            }
            var c = columns.lowerBound
            while c < columns.upperBound {
                let end = min(c &+ width, columns.upperBound)
                body(r..<r &+ count, c..<end)
                c = end
            }
            r &+= count
        }
    }

    /// Runs a strip whose input is set, into the output or by way of a scratch block.
    private func runStrip(
        _ strip: inout StencilStrip, _ place: Place, _ rows: Range<Int>, _ columns: Range<Int>
    ) {
        strip.rows = rows.count
        strip.columns = columns.count
        let rowStride = plan.pointee.rowPhases &* plan.pointee.row.outStride
        let column = plan.pointee.column
        let target = place.output + (rows.lowerBound &* rowStride &+ columns.lowerBound &* column.outStride)
        if plan.pointee.writesInPlace {
            strip.output = target
            strip.outputRowStride = rowStride
            compute(strip)
            return
        }
        strip.output = scratch + plan.pointee.scratch.block
        strip.outputRowStride = plan.pointee.scratch.blockPitch
        compute(strip)
        for r in 0..<rows.count {
            writeRow(strip.output + r &* strip.outputRowStride, columns.count, to: target + r &* rowStride)
        }
    }

    /// In one pass, or along the columns and then along the rows.
    private func compute(_ strip: StencilStrip) {
        if !plan.pointee.isSeparable {
            runStencilStrip(plan.pointee.arithmetic, strip)
            return
        }
        let patch = plan.pointee.patch
        let pitch = plan.pointee.scratch.blockPitch
        var first = strip
        first.inputRowStride = strip.inputRowStride / patch.outputRowSteps
        first.filterRowStride = first.inputRowStride
        first.filterRows = 1
        first.rows = plan.pointee.intermediateRows(strip.rows)
        first.weights = tables + plan.pointee.tables.rowFactor
        first.output = scratch + plan.pointee.scratch.intermediate
        first.outputRowStride = pitch
        runStencilStrip(plan.pointee.arithmetic, first)
        var second = strip
        second.input = UnsafeRawPointer(first.output)
        second.inputRowStride = patch.outputRowSteps &* pitch
        second.filterRowStride = patch.filterRowSteps &* pitch
        second.taps = 1
        second.tapOffsets = offsets(plan.pointee.tables.tapsInPlace)  // the first tap is at offset 0
        second.weights = tables + plan.pointee.tables.columnFactor
        runStencilStrip(plan.pointee.arithmetic, second)
    }

    /// Runs a low strip into scratch and streams it out, in one piece where its rows follow each other in the output.
    private func runStreamed(
        _ strip: inout StencilStrip, _ place: Place, _ rows: Range<Int>, _ columns: Range<Int>
    ) {
        let rowStride = plan.pointee.rowPhases &* plan.pointee.row.outStride
        let element = plan.pointee.element
        let input = strip.input
        strip.rows = rows.count
        strip.output = scratch + plan.pointee.scratch.block
        var first = columns.lowerBound
        while first < columns.upperBound {
            let count = min(ScratchLayout.streamColumns, columns.upperBound &- first)
            strip.columns = count
            strip.input = input + (first &- columns.lowerBound) &* plan.pointee.column.inStride
            strip.outputRowStride = count &* element
            runStencilStrip(plan.pointee.arithmetic, strip)
            let source = UnsafeRawPointer(strip.output).assumingMemoryBound(to: UInt8.self)
            let target = (place.output + (rows.lowerBound &* rowStride &+ first &* element))
                .assumingMemoryBound(to: UInt8.self)
            if rowStride == count &* element {
                sc_stream_copy(target, source, Int64(rows.count &* count &* element))
            } else {
                for r in 0..<rows.count {
                    sc_stream_copy(
                        target + r &* rowStride, source + r &* count &* element, Int64(count &* element))
                }
            }
            first &+= count
        }
    }

    private func writeRow(_ source: UnsafeMutableRawPointer, _ count: Int, to target: UnsafeMutableRawPointer) {
        let stride = plan.pointee.column.outStride
        for first in Swift.stride(from: 0, to: count, by: plan.pointee.scratch.stageElements) {
            plan.pointee.writer.write(
                source + first &* plan.pointee.element, count: min(plan.pointee.scratch.stageElements, count &- first),
                to: target + first &* stride, stride: stride, stages: scratch + plan.pointee.scratch.firstStage,
                scratch + plan.pointee.scratch.secondStage)
        }
    }

    /// The first tap's index along an outer window axis.
    func firstIndex(_ i: Int) -> Int {
        let axis = plan.pointee.outer[i]
        return axis.step &* outer[i] &- axis.padding
    }

    func offsets(_ byteOffset: Int) -> UnsafePointer<Int> {
        (tables + byteOffset).assumingMemoryBound(to: Int.self)
    }
}

/// A task's place in input and output: all axes but rows and columns fixed.
struct Place {
    /// Outer window axes stand at their first tap (perhaps outside), rows and columns at input index 0.
    var input: UnsafeRawPointer
    /// Output row 0 of the phase, column 0.
    var output: UnsafeMutableRawPointer
    /// Input row of output row 0 and tap 0 of the phase.
    var firstInputRow: Int
    /// The windows lie inside along all outer axes.
    var isInterior = true

    init(_ plan: UnsafePointer<StencilPlan>, outer: AxisInts, phase: Int) {
        var inOffset = 0
        var outOffset = phase &* plan.pointee.row.outStride
        for i in 0..<plan.pointee.outerCount {
            let axis = plan.pointee.outer[i]
            outOffset &+= outer[i] &* axis.outStride
            let index = axis.step &* outer[i] &- axis.padding
            inOffset &+= index &* axis.inStride
            if i >= plan.pointee.batchCount {
                let last = index &+ axis.dilation &* (axis.filterExtent &- 1)
                if index < 0 || last >= axis.inExtent { isInterior = false }
            }
        }
        input = plan.pointee.problem.input + inOffset
        output = plan.pointee.problem.output + outOffset
        firstInputRow = phase &- plan.pointee.row.padding
    }
}
