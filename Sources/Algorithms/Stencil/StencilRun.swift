import CMachine
import Foundations
import Kernels

/// Bytes between what a strip's successor reads first and the input that is asked for meanwhile, if they are 6 rows.
/// Measured on Sapphire Rapids (5x5 over rows of 512 bytes, from the third cache level): 3 KiB come too late, 12 KiB too
/// early, 6 to 9 gain 15 %; not asking while streaming is faster.
private let askingDistance = 9 << 10
/// Rows that are asked for have smaller gaps than this, so that they are one run, and are no longer than this: in long
/// ones the hardware reads ahead by itself.
private let smallestGap = 128
private let longRow = 8 << 10

/// What a thread needs to run tasks of a plan. Everything here is offsets and loops over strips; sums happen in the
/// kernels.
struct StencilRun {
    let plan: UnsafePointer<StencilPlan>
    let tables: UnsafeRawPointer
    let scratch: UnsafeMutableRawPointer

    func run(tasks: Range<Int>) {
        if plan.pointee.flat.isUsed {
            runFlat(tasks: tasks)
            return
        }
        if plan.pointee.tasksAreMaskedImages && !plan.pointee.skipsAbsentTaps {
            runMasked(tasks: tasks)
            return
        }
        if plan.pointee.widensRows {
            // The border of whole images is zeros. And what is beyond the rows is computed with, in full speed only if it is no subnormal number.
            scratch.initializeMemory(as: UInt8.self, repeating: 0, count: plan.pointee.scratch.block)
        }
        var walk = StencilWalk(plan, task: tasks.lowerBound)
        withUnsafeMutablePointer(to: &walk) { walk in
            for _ in tasks {
                runTask(UnsafePointer(walk))
                walk.pointee.advance()
            }
        }
        if plan.pointee.streamsOutput { sc_stream_fence() }
    }

    // MARK: - A task

    private func runTask(_ walk: UnsafePointer<StencilWalk>) {
        let rowCount = plan.pointee.rowCount(phase: walk.pointee.phase)
        let firstRow = walk.pointee.rowBlock &* plan.pointee.taskRows
        let rows = min(firstRow, rowCount)..<min(firstRow &+ plan.pointee.taskRows, rowCount)
        let firstColumn = walk.pointee.columnBlock &* plan.pointee.taskColumns
        let columns = firstColumn..<min(firstColumn &+ plan.pointee.taskColumns, plan.pointee.column.outExtent)
        if rows.isEmpty { return }
        let place = Place(plan, walk)
        if plan.pointee.masked.isUsed && !plan.pointee.skipsAbsentTaps && place.isInterior {
            runMasked(place, images: 1, rows)
            return
        }
        if plan.pointee.packsWholeImages && rows.count == rowCount && !plan.pointee.skipsAbsentTaps {
            runWholeImage(place)
            return
        }
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
                step: plan.pointee.rowStep, start: place.firstInputRow, count: plan.pointee.rowCount(phase: place.phase)
            )
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
            weights: place.weights(tables), filterRows: row.filterExtent, taps: plan.pointee.taps,
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
        // What is new to a strip's successors is under the last plane's last filter row.
        let gap = step &- columns.count &* column.inStride
        let asks = gap >= 0 && gap < smallestGap && step <= longRow && !plan.pointee.streamsOutput
        let lastPlane = strip.tapOffsets[strip.taps &- column.filterExtent]
        let ahead =
            (row.filterExtent &- 1) &* step &+ lastPlane &+ max(sharedRowsHeight &* step, askingDistance)
        // One tile of rows at a time across all columns: the input then streams in line after line. (Down the rows first,
        // 3x3 ran at half the speed.) A rest lower than a tile is taken along with the strip before it.
        let height = stripHeight(rows.count, columns.count)
        var first = rows.lowerBound
        while first < rows.upperBound {
            let left = rows.upperBound &- first
            let count = left < height &+ sharedRowsHeight ? left : height
            strip.input = input + (first &- rows.lowerBound) &* step
            if plan.pointee.streamsOutput {
                runStreamed(&strip, place, first..<first &+ count, columns)
            } else {
                if asks { strip.ahead = strip.input + ahead }
                runStrip(&strip, place, first..<first &+ count, columns)
            }
            first &+= count
        }
    }

    /// Rows that are computed at once: where one tile spans the columns, all of them, or as many as a streaming block holds.
    private func stripHeight(_ rows: Int, _ columns: Int) -> Int {
        if columns > plan.pointee.widestColumns { return sharedRowsHeight }
        if !plan.pointee.streamsOutput { return rows }
        return max(sharedRowsHeight, ScratchLayout.streamElements / columns &- sharedRowsHeight)
    }

    /// A strip that reads the patch.
    @inline(__always)
    private func packedStrip(_ place: Place) -> StencilStrip {
        let patch = plan.pointee.patch
        let step = patch.outputRowSteps &* patch.rowPitch
        return StencilStrip(
            input: scratch, inputRowStride: step,
            filterRowStride: plan.pointee.row.filterExtent == 1 ? step : patch.filterRowSteps &* patch.rowPitch,
            output: scratch, outputRowStride: 0, rows: 0, columns: 0, weights: place.weights(tables),
            filterRows: plan.pointee.row.filterExtent, taps: plan.pointee.taps,
            tapOffsets: offsets(plan.pointee.tables.tapsInPatch))
    }

    /// The patch's zeros are there already: all of it was cleared once, and images lie in the same place.
    private func runWholeImage(_ place: Place) {
        let element = plan.pointee.element
        let patch = plan.pointee.patch
        let rows = insidePatch(plan.pointee.row, patch.rows)
        let columns = insidePatch(plan.pointee.column, plan.pointee.column.outExtent &+ patch.slotExtra)
        let rowStride = plan.pointee.row.inStride
        copyRows(
            place.input + (rows.first &* rowStride &+ columns.first &* element), strideBytes: rowStride,
            to: scratch + (rows.place &* patch.rowPitch &+ columns.place &* element), strideBytes: patch.rowPitch,
            rows: rows.count, byteCount: columns.count &* element)
        var strip = packedStrip(place)
        runStrip(
            &strip, place, 0..<plan.pointee.row.outExtent, 0..<plan.pointee.column.outExtent,
            width: plan.pointee.lanes)
    }

    /// Samples of an axis that a patch holds: the first, their number, and where in the patch they begin.
    private func insidePatch(_ axis: SlidingAxis, _ extent: Int) -> (first: Int, count: Int, place: Int) {
        let first = min(max(0, 0 &- axis.padding), axis.inExtent)
        let end = max(first, min(axis.inExtent, extent &- axis.padding))
        return (first, end &- first, max(first &+ axis.padding, 0))
    }

    private func runPacked(_ place: Place, _ rows: Range<Int>, _ columns: Range<Int>) {
        var strip = packedStrip(place)
        // Border strips are too narrow to go past the caches.
        let streams = plan.pointee.streamsOutput && !plan.pointee.readsInPlace
        // Down the rows, a block's last input rows are the next one's first.
        var kept = 0
        forBlocks(rows, columns) { blockRows, blockColumns in
            if blockRows.lowerBound == rows.lowerBound { kept = 0 }
            packPatch(self, place, rows: blockRows, columns: blockColumns, kept: kept, to: scratch)
            if streams {
                runStreamed(&strip, place, blockRows, blockColumns)
            } else {
                let width = plan.pointee.widensRows ? plan.pointee.lanes : blockColumns.count
                runStrip(&strip, place, blockRows, blockColumns, width: width)
            }
            kept = keepLastRows(blockRows.count)
        }
    }

    /// Moves the patch rows that the next block begins with to the patch's top; returns their number.
    private func keepLastRows(_ rows: Int) -> Int {
        let patch = plan.pointee.patch
        let done = rows &* patch.outputRowSteps
        let kept = plan.pointee.patchRows(rows) &- done
        if kept <= 0 { return 0 }
        for p in 0..<plan.pointee.planes {
            let plane = scratch + p &* patch.planePitch
            plane.copyMemory(from: plane + done &* patch.rowPitch, byteCount: kept &* patch.rowPitch)
        }
        return kept
    }

    /// Blocks no larger than a patch, and none lower than a tile if it can be helped: one column of blocks after the
    /// other, each from the top.
    private func forBlocks(
        _ rows: Range<Int>, _ columns: Range<Int>, _ body: (Range<Int>, Range<Int>) -> Void
    ) {
        let height = plan.pointee.blockRows
        let width = plan.pointee.blockColumns
        var c = columns.lowerBound
        while c < columns.upperBound {
            let end = min(c &+ width, columns.upperBound)
            var r = rows.lowerBound
            while r < rows.upperBound {
                let left = rows.upperBound &- r
                var count = min(height, left)
                if count < left && left &- count < sharedRowsHeight && count >= 2 &* sharedRowsHeight {
                    count &-= sharedRowsHeight
                }
                body(r..<r &+ count, c..<end)
                r &+= count
            }
            c = end
        }
    }

    /// Runs a strip whose input is set, into the output or by way of a scratch block: once for each repeated filter. Columns
    /// are computed up to `width`.
    private func runStrip(
        _ strip: inout StencilStrip, _ place: Place, _ rows: Range<Int>, _ columns: Range<Int>, width: Int? = nil
    ) {
        strip.rows = rows.count
        strip.columns = width ?? columns.count
        runStrip(&strip, place, rows, columns, number: 0)
        for number in 1..<max(plan.pointee.repeated.outExtent, 1) {
            strip.weights = place.weights(tables, number)
            runStrip(&strip, place, rows, columns, number: number)
        }
        if plan.pointee.repeated.outExtent > 1 { strip.weights = place.weights(tables) }
    }

    @inline(__always)
    private func runStrip(
        _ strip: inout StencilStrip, _ place: Place, _ rows: Range<Int>, _ columns: Range<Int>, number: Int
    ) {
        let rowStride = plan.pointee.rowPhases &* plan.pointee.row.outStride
        let column = plan.pointee.column
        let target =
            place.output
            + (rows.lowerBound &* rowStride &+ columns.lowerBound &* column.outStride
                &+ number &* plan.pointee.repeated.outStride)
        if plan.pointee.writesInPlace {
            strip.output = target
            strip.outputRowStride = rowStride
            compute(&strip)
            runEpilogue(place, number, target, rowStride: rowStride, rows: rows.count, count: columns.count)
            return
        }
        strip.output = scratch + plan.pointee.scratch.block
        strip.outputRowStride = plan.pointee.scratch.blockPitch
        compute(&strip)
        runEpilogue(
            place, number, strip.output, rowStride: strip.outputRowStride, rows: rows.count, count: strip.columns)
        let element = plan.pointee.element
        if plan.pointee.writer.isPlain && column.outStride == element {
            copyRows(
                strip.output, strideBytes: strip.outputRowStride, to: target, strideBytes: rowStride,
                rows: rows.count, byteCount: columns.count &* element)
            return
        }
        for r in 0..<rows.count {
            writeRow(strip.output + r &* strip.outputRowStride, columns.count, to: target + r &* rowStride)
        }
    }

    /// Adds the place's bias to rows of sums, which are in the first cache, and limits them.
    func runEpilogue(
        _ place: Place, _ number: Int, _ sums: UnsafeMutableRawPointer, rowStride: Int, rows: Int, count: Int
    ) {
        if plan.pointee.problem.epilogue.isEmpty { return }
        let epilogue = plan.pointee.problem.epilogue
        // Rows without gaps are one.
        let isOneRow = rowStride == count &* plan.pointee.element
        let (rows, count) = isOneRow ? (1, rows &* count) : (rows, count)
        if epilogue.bias != nil {
            let bias = epilogue.bias(
                at: place.biasOffset &+ number &* plan.pointee.repeated.biasStride, plan.pointee.arithmetic)
            addToRows(plan.pointee.arithmetic, bias, sums, rowStride: rowStride, rows: rows, count: count)
        }
        if epilogue.clamp == nil { return }
        for r in 0..<rows {
            epilogue.limit(sums + r &* rowStride, count: count, plan.pointee.problem.resultType)
        }
    }

    /// In one pass, or along the columns and then along the rows.
    private func compute(_ strip: inout StencilStrip) {
        if !plan.pointee.isSeparable {
            runStencilStrip(plan.pointee.arithmetic, &strip)
            return
        }
        let patch = plan.pointee.patch
        let pitch = plan.pointee.scratch.blockPitch
        var first = strip
        first.inputRowStride = strip.inputRowStride / patch.outputRowSteps
        first.filterRowStride = first.inputRowStride
        first.filterRows = 1
        first.rows = plan.pointee.patchRows(strip.rows)
        first.weights = tables + plan.pointee.tables.rowFactor
        first.output = scratch + plan.pointee.scratch.intermediate
        first.outputRowStride = pitch
        runStencilStrip(plan.pointee.arithmetic, &first)
        var second = strip
        second.input = UnsafeRawPointer(first.output)
        second.inputRowStride = patch.outputRowSteps &* pitch
        second.filterRowStride = patch.filterRowSteps &* pitch
        second.taps = 1
        second.tapOffsets = offsets(plan.pointee.tables.tapsInPlace)  // the first tap is at offset 0
        second.weights = tables + plan.pointee.tables.columnFactor
        runStencilStrip(plan.pointee.arithmetic, &second)
    }

    /// Runs low strips into scratch and streams them out, each in one piece where its rows follow each other in the output.
    private func runStreamed(
        _ strip: inout StencilStrip, _ place: Place, _ rows: Range<Int>, _ columns: Range<Int>
    ) {
        let rowStride = plan.pointee.rowPhases &* plan.pointee.row.outStride
        let element = plan.pointee.element
        let input = strip.input
        strip.output = scratch + plan.pointee.scratch.block
        let height = stripHeight(rows.count, columns.count)
        var row = rows.lowerBound
        while row < rows.upperBound {
            let left = rows.upperBound &- row
            strip.rows = left < height &+ sharedRowsHeight ? left : height
            let below = row &- rows.lowerBound
            var first = columns.lowerBound
            while first < columns.upperBound {
                let count = min(ScratchLayout.streamColumns, columns.upperBound &- first)
                let right = first &- columns.lowerBound
                strip.columns = count
                strip.input = input + (below &* strip.inputRowStride &+ right &* element)
                strip.outputRowStride = count &* element
                compute(&strip)
                stream(&strip, to: place.output + (row &* rowStride &+ first &* element), rowStride: rowStride)
                first &+= count
            }
            row &+= strip.rows
        }
        strip.input = input
    }

    /// A strip's results, without gaps in scratch, past the caches.
    private func stream(_ strip: inout StencilStrip, to target: UnsafeMutableRawPointer, rowStride: Int) {
        let source = UnsafeRawPointer(strip.output).assumingMemoryBound(to: UInt8.self)
        let target = target.assumingMemoryBound(to: UInt8.self)
        let byteCount = strip.outputRowStride
        if rowStride == byteCount {
            sc_stream_copy(target, source, Int64(strip.rows &* byteCount))
            return
        }
        for r in 0..<strip.rows {
            sc_stream_copy(target + r &* rowStride, source + r &* byteCount, Int64(byteCount))
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

    func offsets(_ byteOffset: Int) -> UnsafePointer<Int> {
        (tables + byteOffset).assumingMemoryBound(to: Int.self)
    }
}
