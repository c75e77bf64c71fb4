import Foundations
import Kernels

/// Packs the input of a block of output rows and columns, boundary included, as the plan's patch geometry lays it out,
/// all but the first `kept` patch rows.
func packPatch(
    _ run: StencilRun, _ place: Place, rows: Range<Int>, columns: Range<Int>, kept: Int,
    to patch: UnsafeMutableRawPointer
) {
    let plan = run.plan
    var planeTaps = AxisInts(repeating: 0)
    for p in 0..<plan.pointee.planes {
        packPlane(
            run, place.plane(planeTaps), place, rows: rows, columns: columns, kept: kept,
            to: patch + p &* plan.pointee.patch.planePitch)
        plan.pointee.advance(&planeTaps)
    }
}

/// One plane of a patch: `plane` is the input at its taps along the outer axes, nil where all of it is filled.
private func packPlane(
    _ run: StencilRun, _ plane: UnsafeRawPointer?, _ place: Place, rows: Range<Int>, columns: Range<Int>, kept: Int,
    to patch: UnsafeMutableRawPointer
) {
    let plan = run.plan
    let geometry = plan.pointee.patch
    let row = plan.pointee.row
    let stage = run.scratch + plan.pointee.scratch.firstStage
    let outside = (run.scratch + plan.pointee.scratch.outside).assumingMemoryBound(to: Int.self)
    let firstRow = place.firstInputRow &+ rows.lowerBound &* plan.pointee.rowStep
    let end = plan.pointee.patchRows(rows.count)
    let inside = plane == nil ? kept..<kept : insideRows(plan, firstRow, kept..<end)
    for slot in 0..<geometry.slots {
        let samples = SlotSamples(plan, slot: slot, columns: columns)
        if plane != nil { samples.mapOutside(plan, to: outside) }
        let target = patch + slot &* geometry.slotPitch
        if let plane, !inside.isEmpty {
            let first = plane + (firstRow &+ geometry.rowUnit &* inside.lowerBound) &* row.inStride
            packRows(
                plan, first, inside.count, samples, outside, to: target + inside.lowerBound &* geometry.rowPitch)
        }
        for r in kept..<end where !inside.contains(r) {
            let index = plan.pointee.problem.boundary.map(
                firstRow &+ geometry.inputRow(r, plan.pointee), extent: row.inExtent)
            let source = index < 0 ? nil : plane.map { $0 + index &* row.inStride }
            packRow(plan, source, samples, outside, to: target + r &* geometry.rowPitch, stage: stage)
        }
    }
}

/// The patch rows that can be packed together: inside the input at even distances, and needing no conversion.
private func insideRows(_ plan: UnsafePointer<StencilPlan>, _ firstRow: Int, _ patchRows: Range<Int>) -> Range<Int> {
    let geometry = plan.pointee.patch
    if geometry.rowPerTap || !plan.pointee.reader.isPlain { return patchRows.lowerBound..<patchRows.lowerBound }
    // Rounded up, whatever the sign.
    let first = floorDivide(geometry.rowUnit &- 1 &- firstRow, geometry.rowUnit)
    let end = floorDivide(plan.pointee.row.inExtent &+ geometry.rowUnit &- 1 &- firstRow, geometry.rowUnit)
    return (first..<max(first, end)).clamped(to: patchRows)
}

/// The samples of one slot of a patch row: `before` of them lie outside the input, then up to `end` inside, then outside
/// again up to `count`. Input column of sample i: `first + step * i`.
private struct SlotSamples {
    let first: Int
    let count: Int
    let before: Int
    let end: Int

    init(_ plan: UnsafePointer<StencilPlan>, slot: Int, columns: Range<Int>) {
        let column = plan.pointee.column
        first =
            column.step &* columns.lowerBound &- column.padding &+ plan.pointee.patch.slotStart(slot, column)
        count = columns.count &+ plan.pointee.patch.slotExtra
        before = first >= 0 ? 0 : min(count, ceilingDivide(0 &- first, column.step))
        let inside = first >= column.inExtent ? 0 : (column.inExtent &- 1 &- first) / column.step &+ 1
        end = max(before, min(count, inside))
    }

    /// Where in an input row the boundary finds each sample outside, in bytes: worked out once for all rows.
    func mapOutside(_ plan: UnsafePointer<StencilPlan>, to offsets: UnsafeMutablePointer<Int>) {
        let boundary = plan.pointee.problem.boundary
        if case .fill = boundary { return }
        let column = plan.pointee.column
        let fused = plan.pointee.fusedExtent
        for i in 0..<count where i < before || i >= end {
            let index = first &+ column.step &* i
            let sample = floorDivide(index, fused)
            let mapped = boundary.map(sample, extent: column.inExtent / fused)
            offsets[i] = (mapped &* fused &+ (index &- sample &* fused)) &* column.inStride
        }
    }
}

/// Rows that need no conversion, one after the other from `source` on.
private func packRows(
    _ plan: UnsafePointer<StencilPlan>, _ source: UnsafeRawPointer, _ rows: Int, _ samples: SlotSamples,
    _ outside: UnsafePointer<Int>, to target: UnsafeMutableRawPointer
) {
    let element = plan.pointee.element
    let column = plan.pointee.column
    let pitch = plan.pointee.patch.rowPitch
    let rowStride = plan.pointee.patch.rowUnit &* plan.pointee.row.inStride
    gatherRows(
        source + (samples.first &+ column.step &* samples.before) &* column.inStride, rowStride: rowStride,
        strideBytes: column.step &* column.inStride, to: target + samples.before &* element, rowStride: pitch,
        rows: rows, count: samples.end &- samples.before, elementBytes: element)
    packOutside(plan, source, rowStride, rows, 0..<samples.before, outside, to: target)
    packOutside(plan, source, rowStride, rows, samples.end..<samples.count, outside, to: target)
}

private func packOutside(
    _ plan: UnsafePointer<StencilPlan>, _ source: UnsafeRawPointer, _ rowStride: Int, _ rows: Int,
    _ range: Range<Int>, _ offsets: UnsafePointer<Int>, to target: UnsafeMutableRawPointer
) {
    if range.isEmpty { return }
    let element = plan.pointee.element
    let pitch = plan.pointee.patch.rowPitch
    let target = target + range.lowerBound &* element
    if plan.pointee.fillsOutside {
        fill(plan, target, rowStride: pitch, rows: rows, range.count)
    } else {
        gatherIndexedRows(
            source, rowStride: rowStride, offsets + range.lowerBound, to: target, rowStride: pitch, rows: rows,
            count: range.count, elementBytes: element)
    }
}

private func packRow(
    _ plan: UnsafePointer<StencilPlan>, _ source: UnsafeRawPointer?, _ samples: SlotSamples,
    _ outside: UnsafePointer<Int>, to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
) {
    guard let source else {
        fill(plan, target, rowStride: 0, rows: 1, samples.count)
        return
    }
    let element = plan.pointee.element
    let column = plan.pointee.column
    let stride = column.step &* column.inStride
    let reader = plan.pointee.reader
    packOutside(plan, source, 0..<samples.before, outside, to: target, stage: stage)
    let run = reader.isPlain ? max(1, samples.end &- samples.before) : plan.pointee.scratch.stageElements
    var i = samples.before
    while i < samples.end {
        let count = min(run, samples.end &- i)
        reader.read(
            source + (samples.first &+ column.step &* i) &* column.inStride, stride: stride, count: count,
            to: target + i &* element, stage: stage)
        i &+= count
    }
    packOutside(plan, source, samples.end..<samples.count, outside, to: target, stage: stage)
}

private func packOutside(
    _ plan: UnsafePointer<StencilPlan>, _ source: UnsafeRawPointer, _ range: Range<Int>,
    _ offsets: UnsafePointer<Int>, to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
) {
    if range.isEmpty { return }
    if plan.pointee.reader.isPlain || plan.pointee.fillsOutside {
        packOutside(plan, source, 0, 1, range, offsets, to: target)
        return
    }
    for i in range {
        plan.pointee.reader.read(
            source + offsets[i], stride: 0, count: 1, to: target + i &* plan.pointee.element, stage: stage)
    }
}

private func fill(
    _ plan: UnsafePointer<StencilPlan>, _ target: UnsafeMutableRawPointer, rowStride: Int, rows: Int, _ count: Int
) {
    var value = plan.pointee.problem.fill
    withUnsafeBytes(of: &value) { value in
        fillRows(
            value.baseAddress.unsafelyUnwrapped, to: target, rowStride: rowStride, rows: rows, count: count,
            elementBytes: plan.pointee.element)
    }
}
