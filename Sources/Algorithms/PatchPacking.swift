import Foundations
import Kernels

/// Packs the input of a block of output rows and columns, boundary included, as the plan's patch geometry lays it out.
func packPatch(
    _ run: StencilRun, _ place: Place, rows: Range<Int>, columns: Range<Int>, to patch: UnsafeMutableRawPointer,
    stage: UnsafeMutableRawPointer
) {
    let plan = run.plan
    let geometry = plan.pointee.patch
    let row = plan.pointee.row
    let rowCount =
        geometry.rowPerTap
        ? rows.count &* row.filterExtent
        : (rows.count &- 1) &* geometry.outputRowSteps &+ (row.filterExtent &- 1) &* geometry.filterRowSteps &+ 1
    let firstRow = place.firstInputRow &+ rows.lowerBound &* plan.pointee.rowStep
    var planeIndex = AxisInts(repeating: 0)
    for p in 0..<plan.pointee.planes {
        let plane = locatePlane(run, place, planeIndex)
        let target = patch + p &* geometry.planePitch
        for r in 0..<rowCount {
            let index = plan.pointee.problem.boundary.map(
                firstRow &+ geometry.inputRow(r, plan.pointee), extent: row.inExtent)
            let source = index < 0 ? nil : plane.map { $0 + index &* row.inStride }
            packRow(plan, source, columns, to: target + r &* geometry.rowPitch, stage: stage)
        }
        advance(&planeIndex, plan)
    }
}

/// The input at the plane's taps along the outer axes, or nil where one of them is filled.
private func locatePlane(
    _ run: StencilRun, _ place: Place, _ taps: AxisInts
) -> UnsafeRawPointer? {
    let plan = run.plan
    var offset = 0
    for i in plan.pointee.batchCount..<plan.pointee.outerCount {
        let axis = plan.pointee.outer[i]
        let first = run.firstIndex(i)
        let index = first &+ axis.dilation &* taps[i]
        let mapped = plan.pointee.problem.boundary.map(index, extent: axis.inExtent)
        if mapped < 0 { return nil }
        offset &+= (mapped &- first) &* axis.inStride
    }
    return place.input + offset
}

private func advance(_ taps: inout AxisInts, _ plan: UnsafePointer<StencilPlan>) {
    var i = plan.pointee.outerCount &- 1
    while i >= plan.pointee.batchCount {
        taps[i] &+= 1
        if taps[i] < plan.pointee.outer[i].filterExtent { return }
        taps[i] = 0
        i &-= 1
    }
}

private func packRow(
    _ plan: UnsafePointer<StencilPlan>, _ source: UnsafeRawPointer?, _ columns: Range<Int>,
    to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
) {
    let geometry = plan.pointee.patch
    let column = plan.pointee.column
    let count = columns.count &+ geometry.slotExtra
    for slot in 0..<geometry.slots {
        let target = target + slot &* geometry.slotPitch
        guard let source else {
            fill(plan, target, count)
            continue
        }
        let first = column.step &* columns.lowerBound &- column.padding &+ geometry.slotStart(slot, column)
        packColumns(plan, source, first: first, count: count, to: target, stage: stage)
    }
}

/// `count` samples from input column `first` on, `column.step` apart, those outside mapped or filled.
private func packColumns(
    _ plan: UnsafePointer<StencilPlan>, _ source: UnsafeRawPointer, first: Int, count: Int,
    to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
) {
    let column = plan.pointee.column
    let step = column.step
    let element = plan.pointee.element
    let before = first >= 0 ? 0 : min(count, ceilingDivide(0 &- first, step))
    let inside = first >= column.inExtent ? 0 : (column.inExtent &- 1 &- first) / step &+ 1
    let end = max(before, min(count, inside))
    packOutside(plan, source, first: first, 0..<before, to: target, stage: stage)
    let stride = step &* column.inStride
    let reader = plan.pointee.reader
    if reader.isPlain {
        reader.read(
            source + (first &+ step &* before) &* column.inStride, stride: stride, count: end &- before,
            to: target + before &* element, stage: stage)
    } else {
        var i = before
        while i < end {
            let run = min(plan.pointee.scratch.stageElements, end &- i)
            reader.read(
                source + (first &+ step &* i) &* column.inStride, stride: stride, count: run,
                to: target + i &* element, stage: stage)
            i &+= run
        }
    }
    packOutside(plan, source, first: first, end..<count, to: target, stage: stage)
}

private func packOutside(
    _ plan: UnsafePointer<StencilPlan>, _ source: UnsafeRawPointer, first: Int, _ outside: Range<Int>,
    to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
) {
    if outside.isEmpty { return }
    let element = plan.pointee.element
    let boundary = plan.pointee.problem.boundary
    if boundary == .fill {
        fill(plan, target + outside.lowerBound &* element, outside.count)
        return
    }
    let column = plan.pointee.column
    let fused = plan.pointee.fusedExtent
    let extent = column.inExtent / fused
    for i in outside {
        let index = first &+ column.step &* i
        let sample = floorDivide(index, fused)
        let mapped = boundary.map(sample, extent: extent) &* fused &+ (index &- sample &* fused)
        plan.pointee.reader.read(
            source + mapped &* column.inStride, stride: column.inStride, count: 1, to: target + i &* element,
            stage: stage)
    }
}

private func fill(_ plan: UnsafePointer<StencilPlan>, _ target: UnsafeMutableRawPointer, _ count: Int) {
    var value = plan.pointee.problem.fill
    let element = plan.pointee.element
    withUnsafeBytes(of: &value) { value in
        let value = value.baseAddress.unsafelyUnwrapped
        if plan.pointee.problem.fillsWithZero {
            target.initializeMemory(as: UInt8.self, repeating: 0, count: count &* element)
        } else {
            gather(value, strideBytes: 0, to: target, count: count, elementBytes: element, swapUnit: 1)
        }
    }
}
