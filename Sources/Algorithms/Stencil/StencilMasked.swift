import CMachine
import Foundations
import Kernels

/// Images read and written where they lie though their windows reach outside, as masks tell which samples there are; and
/// such as are narrower than a vector, or read at step 2.
struct MaskedGeometry {
    var isUsed = false
    /// Columns in blocks of a vector.
    private(set) var blocks = 0
    private(set) var lastColumns: UInt64 = 0
    private(set) var reading = MaskedReading.each
    /// Filters lie in one piece as kernels can read them, and nothing else reads them: none is packed.
    private(set) var readsFilter = false
    /// Of a thread: biases, and the stage of their conversion.
    private(set) var stage = 0
    private(set) var scratchBytes = 0

    init() {}

    init(_ plan: StencilPlan) {
        let (row, column, element) = (plan.row, plan.column, plan.element)
        guard MaskedGeometry.canRun(plan.problem, row: row, column: column), !plan.mayFactor, plan.fusedExtent == 1,
            plan.repeated.outExtent <= mostFilters, column.outExtent > 0,
            column.step == 2 || column.outExtent < plan.lanes
                || (plan.touchesBorder && column.outExtent <= widestImage &* plan.lanes)
        else { return }
        blocks = ceilingDivide(column.outExtent, plan.lanes)
        if saturatingMultiply(blocks, column.filterExtent) > mostTaps { return }
        isUsed = true
        lastColumns = ~0 >> UInt64(64 &- (column.outExtent &- (blocks &- 1) &* plan.lanes))
        reading = column.step == 1 ? .each : column.outExtent <= plan.lanes / 2 ? .everySecondOfOne : .everySecond
        readsFilter =
            plan.hasOneInnerPlane && plan.filterDistance == plan.problem.tapCount &* element
            && column.filterStride == element
            && row.filterStride == row.filterExtent &* element
        if plan.problem.epilogue.bias == nil { return }
        var places = WorkspaceLayout()
        _ = places.take(mostImages &* element)
        stage = places.take(mostImages &* 16)
        scratchBytes = places.byteCount
    }

    /// Whether samples are used as they lie, and there is a kernel for such windows.
    static func canRun(_ problem: SlidingProblem, row: SlidingAxis, column: SlidingAxis) -> Bool {
        let arithmetic = problem.arithmetic
        let reader = ElementReader(type: problem.inputType, swapUnit: problem.inputSwapUnit, arithmetic)
        let writer = ElementWriter(
            result: problem.resultType, output: problem.outputType, swapUnit: problem.outputSwapUnit)
        return runsMaskedStrips(arithmetic, filterRows: row.filterExtent) && column.filterExtent == row.filterExtent
            && column.inStride == arithmetic.byteCount && column.outStride == arithmetic.byteCount
            && reader.isPlain && writer.isPlain && problem.fillsWithZero
            && row.dilation == 1 && row.step == column.step && column.step <= 2
    }

    /// Which samples lie under each block of columns, tap by tap.
    func writeTaps(_ plan: StencilPlan, to taps: UnsafeMutablePointer<MaskedTap>) {
        let column = plan.column
        for block in 0..<blocks {
            let first = block &* plan.lanes
            let count = min(plan.lanes, column.outExtent &- first)
            for t in 0..<column.filterExtent {
                let start = column.step &* first &+ t &* column.dilation &- column.padding
                var samples: UInt64 = 0
                for i in 0..<count {
                    let sample = start &+ column.step &* i
                    if sample >= 0 && sample < column.inExtent { samples |= 1 << UInt64(column.step &* i) }
                }
                taps[block &* column.filterExtent &+ t] = MaskedTap(offset: start &* plan.element, samples: samples)
            }
        }
    }
}

/// Taps under all blocks of columns, of which a table is made.
private let mostTaps = 2048
/// Filters over the same input; for more, packing it once pays.
private let mostFilters = 4
/// Vectors in a row of images whose borders take longer to pack than wider tiles save. Measured on Sapphire Rapids, float32,
/// 3 x 3, AVX-512: 28 x 28 by masks 1.4 times as fast, 64 x 64 1.7 times, 256 x 256 1.2 times, 512 x 512 0.95 times; AVX2:
/// 56 x 56 1.15 times, 112 x 112 0.85 times.
private var widestImage: Int { SC_VECTOR_REGISTERS == 32 ? 16 : 8 }
/// Images that a kernel runs at a time.
private let mostImages = 64

extension StencilRun {
    /// Tasks that are an image each, as many together as lie along one axis.
    func runMasked(tasks: Range<Int>) {
        var walk = StencilWalk(plan, task: tasks.lowerBound)
        withUnsafeMutablePointer(to: &walk) { walk in
            var left = tasks.count
            while left > 0 {
                let images = min(left, walk.pointee.batchLeft, mostImages)
                runMasked(Place(plan, walk), images: images, 0..<plan.pointee.row.outExtent)
                left &-= images
                walk.pointee.advanceBatch(images)
            }
        }
    }

    /// Some rows of images along the last batch axis, from a place on that is inside along the outer window axes.
    func runMasked(_ place: Place, images: Int, _ rows: Range<Int>) {
        let row = plan.pointee.row
        let axis = plan.pointee.batchCount > 0 ? plan.pointee.outer[plan.pointee.batchCount &- 1] : SlidingAxis()
        let firstRow = place.firstInputRow &+ rows.lowerBound &* row.step
        let readsFilter = plan.pointee.masked.readsFilter
        let element = plan.pointee.element
        var strip = MaskedStrip(
            input: place.input + firstRow &* row.inStride, rowStride: row.inStride, rowExtent: row.inExtent,
            planeOffsets: offsets(plan.pointee.tables.tapsInPlace), planes: plan.pointee.planes,
            columns: (tables + plan.pointee.tables.maskedTaps).assumingMemoryBound(to: MaskedTap.self),
            blocks: plan.pointee.masked.blocks, lastColumns: plan.pointee.masked.lastColumns,
            reading: plan.pointee.masked.reading, weights: tables,
            weightTap: readsFilter ? element : row.filterExtent &* element,
            weightRow: readsFilter ? row.filterExtent &* element : element, filterRows: row.filterExtent,
            output: scratch, outputRowStride: row.outStride)
        strip.images = images
        strip.inputPitch = axis.inStride
        strip.outputPitch = axis.outStride
        strip.firstRow = firstRow
        let filterPitch = readsFilter ? plan.pointee.problem.tapCount &* element : plan.pointee.tables.filterPitch
        let repeats = max(plan.pointee.repeated.outExtent, 1)
        strip.weightsPitch = axis.filterStride == 0 ? 0 : filterPitch &* repeats
        let filters = readsFilter ? plan.pointee.problem.filter : tables + plan.pointee.tables.weights
        for number in 0..<repeats {
            strip.weights = filters + (place.filter &+ number) &* filterPitch
            strip.output =
                place.output
                + (rows.lowerBound &* row.outStride &+ number &* plan.pointee.repeated.outStride)
            strip.start = readBiases(
                place.biasOffset &+ number &* plan.pointee.repeated.biasStride, stride: axis.biasStride, images)
            strip.rows = rows.count
            runMaskedStrip(plan.pointee.arithmetic, &strip)
            limit(strip)
        }
    }

    private func readBiases(_ offset: Int, stride: Int, _ images: Int) -> UnsafeRawPointer? {
        if plan.pointee.problem.epilogue.bias == nil { return nil }
        plan.pointee.problem.epilogue.readBias(
            offset, stride: stride, count: images, plan.pointee.arithmetic, to: scratch,
            stage: scratch + plan.pointee.masked.stage)
        return UnsafeRawPointer(scratch)
    }

    private func limit(_ strip: MaskedStrip) {
        if plan.pointee.problem.epilogue.clamp == nil { return }
        let columns = plan.pointee.column.outExtent
        // Rows without gaps are one.
        let isOneRow = strip.outputRowStride == columns &* plan.pointee.element
        for image in 0..<strip.images {
            for y in 0..<(isOneRow ? 1 : strip.rows) {
                plan.pointee.problem.epilogue.limit(
                    strip.output + (image &* strip.outputPitch &+ y &* strip.outputRowStride),
                    count: isOneRow ? strip.rows &* columns : columns, plan.pointee.problem.resultType)
            }
        }
    }
}
