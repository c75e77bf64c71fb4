import Foundations
import Kernels

/// Maxima with the indices of their elements: tap by tap in the order of a window's elements, so that of equal elements
/// the first is found and of NaN the last, as torch has it.
extension PoolRun {
    func reduceWithIndices(_ block: inout PoolBlock) {
        let best = Results(scratch + plan.pointee.scratch.results, block, self)
        for r in block.rows {
            var row = block
            row.rows = r..<r &+ 1
            row.output += (r &- block.rows.lowerBound) &* plan.pointee.row.outStride
            if let start = block.indices {
                row.indices = start + (r &- block.rows.lowerBound) &* plan.pointee.row.indexStride
            }
            findMaxima(best.base, &row)
            write(best, row)
            if plan.pointee.wideIndices {
                writeIndices(Int64.self, row)
            } else {
                writeIndices(Int32.self, row)
            }
        }
    }

    private var positions: UnsafeMutableRawPointer { scratch + plan.pointee.scratch.positions }

    /// One row's maxima, and their flat distances from their windows' first taps.
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
        let take = takeLarger(plan.pointee.form.scalar, wideIndices: plan.pointee.wideIndices)
        let start = row.step &* block.rows.lowerBound &- row.padding &+ row.dilation &* rowTaps.lowerBound
        // The first column of the block under tap 0 may lie in the padding; where elements are read it does not.
        var line = start &* row.inStride &- column.padding &* column.inStride
        repeat {
            let columns = column.outputs(readingInsideWith: taps[outerCount &+ 1].current).clamped(to: block.columns)
            if columns.isEmpty { continue }
            let skipped = (columns.lowerBound &- block.columns.lowerBound) &* block.units
            let x = elements(
                block.input + (line &+ column.step &* columns.lowerBound &* column.inStride), columns.count, block.units
            )
            take(
                best + skipped &* plan.pointee.form.elementBytes, positions + skipped &* indexBytes, x, Int64(flat),
                Int64(columns.count &* block.units))
        } while advanceTap(&line, &flat)
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
        var identity = form.identity
        fillRows(
            &identity, to: best, rowStride: 0, rows: 1, count: block.columns.count &* block.units,
            elementBytes: form.elementBytes)
        let column = plan.pointee.column
        let inner = column.interior
        for c in block.columns {
            let taps = inner.contains(c) ? 0..<column.taps : column.taps(of: c)
            let hasNone = isEmpty || taps.isEmpty
            var first = hasNone ? -1 : Int64(flat &+ taps.lowerBound &* column.dilation &* column.flatStride)
            let place = positions + (c &- block.columns.lowerBound) &* block.units &* indexBytes
            fillRows(&first, to: place, rowStride: 0, rows: 1, count: block.units, elementBytes: indexBytes)
        }
    }

    /// What a tap reads for neighbouring outputs, contiguous and converted: where it lies if it does already.
    private func elements(_ source: UnsafeRawPointer, _ columns: Int, _ units: Int) -> UnsafeRawPointer {
        let column = plan.pointee.column
        let size = plan.pointee.problem.inputType.byteCount
        let unitsAreOneRun =
            plan.pointee.lineIsDense && column.step == 1 && units == plan.pointee.unit.outExtent
        let stride = plan.pointee.unit.outExtent == 1 ? column.step &* column.inStride : plan.pointee.unit.inStride
        let isOneRun = unitsAreOneRun || columns == 1 || plan.pointee.unit.outExtent == 1
        let form = plan.pointee.form
        if isOneRun && stride == size && form.reader.isPlain && !form.isBoolean { return source }
        let staged = scratch + plan.pointee.scratch.staged
        let raw = scratch + plan.pointee.scratch.raw
        if isOneRun {
            form.reader.read(source, stride: stride, count: columns &* units, to: staged, stage: raw)
        } else {
            for c in 0..<columns {
                form.reader.read(
                    source + c &* column.step &* column.inStride, stride: stride, count: units,
                    to: staged + c &* units &* form.elementBytes, stage: raw)
            }
        }
        if form.isBoolean { normaliseBooleans(staged, count: columns &* units) }
        return UnsafeRawPointer(staged)
    }

    private func writeIndices<Index: FixedWidthInteger & BitwiseCopyable>(_: Index.Type, _ block: PoolBlock) {
        guard let out = block.indices else { return }
        let (row, column, unit) = (plan.pointee.row, plan.pointee.column, plan.pointee.unit)
        let rowFlat = block.flat &+ (row.step &* block.rows.lowerBound &- row.padding) &* row.flatStride
        let isSwapped = plan.pointee.problem.indicesSwapUnit > 1
        var position = UnsafeRawPointer(positions)
        for c in block.columns {
            let flat = rowFlat &+ (column.step &* c &- column.padding) &* column.flatStride
            let target = out + (c &- block.columns.lowerBound) &* column.indexStride
            for u in 0..<block.units {
                let found = position.load(as: Index.self)
                position += MemoryLayout<Index>.size
                let index = found < 0 ? -1 : Int64(found) &+ Int64(flat)
                (target + u &* unit.indexStride).storeBytes(of: isSwapped ? index.byteSwapped : index, as: Int64.self)
            }
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
