import CMachine
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
    let outside = (stage + plan.pointee.scratch.outsideFromFirstStage).assumingMemoryBound(to: Int.self)
    for slot in 0..<geometry.slots {
        let samples = SlotSamples(plan, slot: slot, columns: columns)
        samples.mapOutside(plan, to: outside)
        var planeIndex = AxisInts(repeating: 0)
        for p in 0..<plan.pointee.planes {
            let plane = locatePlane(run, place, planeIndex)
            let target = patch + (p &* geometry.planePitch &+ slot &* geometry.slotPitch)
            for r in 0..<rowCount {
                let index = plan.pointee.problem.boundary.map(
                    firstRow &+ geometry.inputRow(r, plan.pointee), extent: row.inExtent)
                let source = index < 0 ? nil : plane.map { $0 + index &* row.inStride }
                if let source, slot == 0 { prefetchRow(plan, source, samples) }
                packRow(plan, source, samples, outside, to: target + r &* geometry.rowPitch, stage: stage)
            }
            advance(&planeIndex, plan)
        }
    }
}

/// Rows between the one that is packed and the one that is asked for meanwhile.
private let prefetchRows = 8

private func prefetchRow(
    _ plan: UnsafePointer<StencilPlan>, _ source: UnsafeRawPointer, _ samples: SlotSamples
) {
    let column = plan.pointee.column
    // A row with a line for every sample is left to the hardware: asking for each costs as much as reading it.
    if column.inStride <= 0 || column.step &* column.inStride > 32 { return }
    let row = plan.pointee.rowTap &* plan.pointee.row.inStride
    let from = source + (prefetchRows &* row &+ (samples.first &+ column.step &* samples.before) &* column.inStride)
    let bytes = (samples.end &- samples.before) &* column.step &* column.inStride
    sc_prefetch(from.assumingMemoryBound(to: UInt8.self), Int64(bytes))
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
        if boundary == .fill { return }
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

private func packRow(
    _ plan: UnsafePointer<StencilPlan>, _ source: UnsafeRawPointer?, _ samples: SlotSamples,
    _ outside: UnsafePointer<Int>, to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
) {
    guard let source else {
        fill(plan, target, samples.count)
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
    let element = plan.pointee.element
    if plan.pointee.problem.boundary == .fill {
        fill(plan, target + range.lowerBound &* element, range.count)
    } else if plan.pointee.reader.isPlain {
        gatherIndexed(
            source, offsets + range.lowerBound, to: target + range.lowerBound &* element, count: range.count,
            elementBytes: element)
    } else {
        for i in range {
            plan.pointee.reader.read(
                source + offsets[i], stride: 0, count: 1, to: target + i &* element, stage: stage)
        }
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
