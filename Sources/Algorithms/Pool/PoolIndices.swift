import CMachine
import Foundations
import Kernels

/// Maxima with the indices of their elements: tap by tap in the order of a window's elements, so that of equal elements
/// the first is found and of NaN the last, as torch has it.
extension PoolRun {
    func reduceWithIndices(_ block: inout PoolBlock) {
        let row = plan.pointee.row
        let inner = row.interior.clamped(to: block.rows)
        var r = block.rows.lowerBound
        while r < block.rows.upperBound {
            // Rows with the same taps go together where elements are moved anyway.
            let group = inner.contains(r) && !plan.pointee.takesInPlace ? plan.pointee.rowGroup : 1
            var part = block
            part.rows = r..<min(r &+ group, inner.contains(r) ? inner.upperBound : r &+ 1)
            part.output += (r &- block.rows.lowerBound) &* row.outStride
            if let start = block.indices { part.indices = start + (r &- block.rows.lowerBound) &* row.indexStride }
            var best = Results(scratch + plan.pointee.scratch.results, part, self)
            best.rowStride = part.columns.count &* part.units &* plan.pointee.form.elementBytes
            findMaxima(best.base, &part)
            write(best, part)
            if plan.pointee.wideIndices { writeIndices(Int64.self, part) } else { writeIndices(Int32.self, part) }
            r = part.rows.upperBound
        }
    }

    private var positions: UnsafeMutableRawPointer { scratch + plan.pointee.scratch.positions }

    /// Maxima of rows with the same taps, and their flat distances from their windows' first taps.
    private func findMaxima(_ best: UnsafeMutableRawPointer, _ block: inout PoolBlock) {
        let (row, column) = (plan.pointee.row, plan.pointee.column)
        let outerCount = plan.pointee.outerCount
        let rowTaps = row.taps(of: block.rows.lowerBound)
        taps[outerCount] = PoolTaps(row, rowTaps)
        taps[outerCount &+ 1] = PoolTaps(column, 0..<column.taps)
        var flat = 0
        for i in 0...outerCount { flat = flat &+ taps[i].range.lowerBound &* taps[i].flat }
        let isEmpty = rowTaps.isEmpty || block.planes == 0
        begin(best, block, flat, isEmpty: isEmpty)
        if isEmpty { return }
        let start = row.step &* block.rows.lowerBound &- row.padding &+ row.dilation &* rowTaps.lowerBound
        let tap = Tap(bytes: start &* row.inStride &- column.padding &* column.inStride, flat: flat)
        let inner = column.interior.clamped(to: block.columns)
        if plan.pointee.takesInPlace && !inner.isEmpty {
            take(block.columns.lowerBound..<inner.lowerBound, best, block, from: tap, staged: true)
            take(inner, best, block, from: tap, staged: false)
            take(inner.upperBound..<block.columns.upperBound, best, block, from: tap, staged: true)
        } else {
            take(block.columns, best, block, from: tap, staged: true)
        }
    }

    /// A tap's distance from the block's input, for column 0, and from tap 0 of every axis along the flat index.
    private struct Tap {
        var bytes: Int
        var flat: Int
    }

    /// Goes through a window's taps in the order of the flat index, some at a time.
    private func take(
        _ columns: Range<Int>, _ best: UnsafeMutableRawPointer, _ block: PoolBlock, from first: Tap, staged: Bool
    ) {
        if columns.isEmpty { return }
        let (form, column) = (plan.pointee.form, plan.pointee.column)
        let take = takeLarger(form.scalar, wideIndices: plan.pointee.wideIndices)
        let skipped = (columns.lowerBound &- block.columns.lowerBound) &* block.units
        let list = (scratch + plan.pointee.scratch.tapList).assumingMemoryBound(to: sc_window_tap.self)
        let stagedBase = scratch + plan.pointee.scratch.staged
        let source =
            staged ? UnsafeRawPointer(stagedBase) : block.input + column.step &* columns.lowerBound &* column.inStride
        let isFlat =
            staged || columns.count == 1
            || (column.step == 1 && plan.pointee.lineIsDense && block.units == plan.pointee.unit.outExtent)
        var largest = sc_largest()
        largest.source = source.assumingMemoryBound(to: UInt8.self)
        largest.source_row_stride = Int64(column.step &* column.inStride)
        largest.taps = UnsafePointer(list)
        largest.best = (best + skipped &* form.elementBytes).assumingMemoryBound(to: UInt8.self)
        largest.positions = (positions + skipped &* indexBytes).assumingMemoryBound(to: UInt8.self)
        largest.rows = isFlat ? 1 : Int64(columns.count)
        largest.count = Int64(isFlat ? block.rows.count &* columns.count &* block.units : block.units)
        var tap = first
        var count = 0
        var goesOn = true
        while goesOn {
            if staged {
                let line = stagedBase + count &* plan.pointee.scratch.stagedPitch
                stage(
                    block.input + tap.bytes, tap: taps[plan.pointee.outerCount &+ 1].current, block.rows.count, columns,
                    block.units, to: line)
                list[count] = sc_window_tap(
                    offset: Int64(count &* plan.pointee.scratch.stagedPitch), position: Int64(tap.flat))
            } else {
                list[count] = sc_window_tap(offset: Int64(tap.bytes), position: Int64(tap.flat))
            }
            count &+= 1
            goesOn = advanceTap(&tap.bytes, &tap.flat)
            if goesOn && count < (staged ? plan.pointee.stagedRows : PoolScratch.listedTaps) { continue }
            largest.tap_count = Int64(count)
            take(&largest)
            count = 0
        }
    }

    /// Goes to the next tap in the order of the flat index; false after the last.
    private func advanceTap(_ bytes: inout Int, _ flat: inout Int) -> Bool {
        for i in (0..<plan.pointee.outerCount &+ 2).reversed() {
            if taps[plan.pointee.tapOrder[i]].advance(&bytes, &flat) { return true }
        }
        return false
    }

    private var indexBytes: Int { plan.pointee.wideIndices ? 8 : 4 }

    /// The lowest value everywhere, at the window's first element; -1 where there is none.
    private func begin(_ best: UnsafeMutableRawPointer, _ block: PoolBlock, _ flat: Int, isEmpty: Bool) {
        let form = plan.pointee.form
        let rows = block.rows.count
        let rowElements = block.columns.count &* block.units
        var identity = form.identity
        fillRows(
            &identity, to: best, rowStride: 0, rows: 1, count: rows &* rowElements, elementBytes: form.elementBytes)
        let column = plan.pointee.column
        let inner = column.interior.clamped(to: block.columns)
        func set(_ columns: Range<Int>, _ taps: Range<Int>) {
            let hasNone = isEmpty || taps.isEmpty
            var first = hasNone ? -1 : Int64(flat &+ taps.lowerBound &* column.dilation &* column.flatStride)
            let place = positions + (columns.lowerBound &- block.columns.lowerBound) &* block.units &* indexBytes
            fillRows(
                &first, to: place, rowStride: rowElements &* indexBytes, rows: rows,
                count: columns.count &* block.units, elementBytes: indexBytes)
        }
        for c in block.columns.lowerBound..<inner.lowerBound { set(c..<c &+ 1, column.taps(of: c)) }
        if !inner.isEmpty { set(inner, 0..<column.taps) }
        for c in inner.upperBound..<block.columns.upperBound { set(c..<c &+ 1, column.taps(of: c)) }
    }

    /// What a tap reads for neighbouring outputs, contiguous and converted; the lowest value where it lies outside.
    private func stage(
        _ lines: UnsafeRawPointer, tap: Int, _ rows: Int, _ columns: Range<Int>, _ units: Int,
        to destination: UnsafeMutableRawPointer
    ) {
        let (form, column, unit) = (plan.pointee.form, plan.pointee.column, plan.pointee.unit)
        let rowElements = columns.count &* units
        let inside = column.outputs(readingInsideWith: tap).clamped(to: columns)
        if inside != columns {
            var identity = form.identity
            fillRows(
                &identity, to: destination, rowStride: 0, rows: 1, count: rows &* rowElements,
                elementBytes: form.elementBytes)
            if inside.isEmpty { return }
        }
        let step = column.step &* column.inStride
        let source = lines + inside.lowerBound &* step
        let target = destination + (inside.lowerBound &- columns.lowerBound) &* units &* form.elementBytes
        let (sourceRow, targetRow) = (
            plan.pointee.row.step &* plan.pointee.row.inStride, rowElements &* form.elementBytes
        )
        let isOneRun =
            unit.outExtent == 1 || (column.step == 1 && plan.pointee.lineIsDense && units == unit.outExtent)
        if isOneRun && form.reader.isPlain {
            gatherRows(
                source, rowStride: sourceRow, strideBytes: unit.outExtent == 1 ? step : unit.inStride, to: target,
                rowStride: targetRow, rows: rows, count: inside.count &* units, elementBytes: form.elementBytes)
        } else {
            for r in 0..<rows {
                read(
                    source + r &* sourceRow, inside.count, units, isOneRun: isOneRun, to: target + r &* targetRow)
            }
        }
        if form.isBoolean { normaliseBooleans(destination, count: rows &* rowElements) }
    }

    /// A row of what a tap reads.
    private func read(
        _ source: UnsafeRawPointer, _ columns: Int, _ units: Int, isOneRun: Bool,
        to target: UnsafeMutableRawPointer
    ) {
        let (form, unit) = (plan.pointee.form, plan.pointee.unit)
        let raw = scratch + plan.pointee.scratch.raw
        let step = plan.pointee.column.step &* plan.pointee.column.inStride
        if isOneRun {
            form.reader.read(
                source, stride: unit.outExtent == 1 ? step : unit.inStride, count: columns &* units, to: target,
                stage: raw)
            return
        }
        for c in 0..<columns {
            form.reader.read(
                source + c &* step, stride: unit.inStride, count: units,
                to: target + c &* units &* form.elementBytes, stage: raw)
        }
    }

    private func writeIndices<Index: FixedWidthInteger & BitwiseCopyable>(_: Index.Type, _ block: PoolBlock) {
        guard let out = block.indices else { return }
        let (row, column, unit) = (plan.pointee.row, plan.pointee.column, plan.pointee.unit)
        let columnFlat = (column.step &* block.columns.lowerBound &- column.padding) &* column.flatStride
        let flatStep = column.step &* column.flatStride
        let rowBytes = block.columns.count &* block.units &* indexBytes
        for r in 0..<block.rows.count {
            let found = positions + r &* rowBytes
            let target = out + r &* row.indexStride
            let position = row.step &* (block.rows.lowerBound &+ r) &- row.padding
            let flat = block.flat &+ position &* row.flatStride &+ columnFlat
            if unit.outExtent == 1 {
                writeRun(Index.self, found, to: target, stride: column.indexStride, block.columns.count, flat, flatStep)
                continue
            }
            for c in 0..<block.columns.count {
                writeRun(
                    Index.self, found + c &* block.units &* indexBytes, to: target + c &* column.indexStride,
                    stride: unit.indexStride, block.units, flat &+ c &* flatStep, 0)
            }
        }
    }

    /// Positions within windows that begin at `flat`, each `flatStep` after the one before.
    @inline(__always)
    private func writeRun<Index: FixedWidthInteger & BitwiseCopyable>(
        _: Index.Type, _ found: UnsafeRawPointer, to out: UnsafeMutableRawPointer, stride: Int, _ count: Int,
        _ flat: Int, _ flatStep: Int
    ) {
        @inline(__always)
        func write(_ stride: Int, _ store: (Int64) -> Int64) {
            for i in 0..<count {
                let position = found.load(fromByteOffset: i &* MemoryLayout<Index>.size, as: Index.self)
                let index = position < 0 ? -1 : Int64(position) &+ Int64(flat &+ i &* flatStep)
                out.storeBytes(of: store(index), toByteOffset: i &* stride, as: Int64.self)
            }
        }
        if plan.pointee.problem.indicesSwapUnit > 1 {
            write(stride) { $0.byteSwapped }
        } else if stride == 8 {
            write(8) { $0 }
        } else {
            write(stride) { $0 }
        }
    }
}

extension PoolAxis {
    /// Outputs for which tap `tap` lies inside the input.
    fileprivate func outputs(readingInsideWith tap: Int) -> Range<Int> {
        let offset = dilation &* tap &- padding
        let first = offset >= 0 ? 0 : ceilingDivide(0 &- offset, step)
        let last = inExtent &- 1 &- offset
        let end = last < 0 ? 0 : min(outExtent, last / step &+ 1)
        return min(first, end)..<end
    }
}
