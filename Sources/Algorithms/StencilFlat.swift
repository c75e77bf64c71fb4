import Foundations
import Kernels

/// Narrow images as one line of samples.
///
/// Where whole images lie contiguously one after the other and their output rows are shorter than a vector, the line of
/// all their samples is correlated as one signal, the filter's rows and planes being taps further on. Sums that would
/// cross from one row or image into the next are computed too and dropped: that is cheaper than vectors mostly empty.
/// Every kept output adds the same products in the same order as elsewhere.
struct FlatGeometry {
    var isUsed = false
    /// Samples of one image and of one image row.
    var imageExtent = 1
    var rowExtent = 1
    var imageCount = 1
    var imagesPerTask = 1
    var taskCount = 0
    var scratchBytes = 0
    var workPerTask = 0.0

    init() {}

    init(_ plan: StencilPlan) {
        guard !plan.usesBlocks, plan.fusedExtent == 1,
            plan.column.outExtent < plan.lanes, plan.rowPhases == 1, plan.row.step == 1, plan.row.isWindow,
            plan.column.isWindow, plan.batchCount == plan.outerCount, plan.outerCount <= 1,
            plan.row.inStride == plan.column.inExtent &* plan.element
        else { return }
        let image = plan.column.inExtent &* plan.row.inExtent
        imageCount = plan.outerCount == 1 ? plan.outer[0].outExtent : 1
        if imageCount > 1 && plan.outer[0].inStride != image &* plan.element { return }
        // Dropped sums may be two thirds of all, no more; and an image may not outgrow the scratch of a task.
        if image > 3 &* plan.row.outExtent &* plan.column.outExtent || image > flatSamples / 4 { return }
        isUsed = true
        imageExtent = image
        rowExtent = plan.column.inExtent
        imagesPerTask = max(1, min(imageCount, flatSamples / image))
        taskCount = ceilingDivide(imageCount, imagesPerTask)
        scratchBytes = imagesPerTask &* image &* plan.element
        workPerTask = Double(imagesPerTask &* image) * Double(plan.problem.tapCount)
    }
}

/// Samples of a task: their results stay in a first-level cache.
private let flatSamples = 4096

extension StencilRun {
    func runFlat(tasks: Range<Int>) {
        let flat = plan.pointee.flat
        for task in tasks {
            let first = task &* flat.imagesPerTask
            runFlat(images: first..<min(first &+ flat.imagesPerTask, flat.imageCount))
        }
    }

    private func runFlat(images: Range<Int>) {
        let flat = plan.pointee.flat
        let row = plan.pointee.row
        let column = plan.pointee.column
        let element = plan.pointee.element
        // The last window of the last image ends with its last sample: nothing beyond is read.
        let unfinished = (row.outExtent &- 1) &* flat.rowExtent &+ column.outExtent
        let strip = StencilStrip(
            input: plan.pointee.problem.input + images.lowerBound &* flat.imageExtent &* element, inputRowStride: 0,
            filterRowStride: plan.pointee.rowTap &* row.inStride, output: scratch, outputRowStride: 0, rows: 1,
            columns: (images.count &- 1) &* flat.imageExtent &+ unfinished,
            weights: tables + plan.pointee.tables.weights, filterRows: row.filterExtent, taps: plan.pointee.taps,
            tapOffsets: offsets(plan.pointee.tables.tapsInPlace))
        runStencilStrip(plan.pointee.arithmetic, strip)

        let imageStride = plan.pointee.outerCount == 1 ? plan.pointee.outer[0].outStride : 0
        var output = plan.pointee.problem.output + images.lowerBound &* imageStride
        var image = UnsafeRawPointer(scratch)
        for _ in images {
            copyRows(
                image, strideBytes: flat.rowExtent &* element, to: output, strideBytes: row.outStride,
                rows: row.outExtent, byteCount: column.outExtent &* element)
            image += flat.imageExtent &* element
            output += imageStride
        }
    }
}
