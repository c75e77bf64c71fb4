import Foundations
import Kernels

/// Narrow images as one line of samples.
///
/// Where whole images lie contiguously one after the other and their output rows are shorter than a vector, the line of
/// all their samples is correlated as one signal, the filter's rows and planes being taps further on. Sums that would
/// cross from one row or image into the next are computed too and dropped: that is cheaper than vectors mostly empty.
/// Every kept output adds the same products in the same order as elsewhere. Dtypes that are not computed with as they lie
/// in memory are converted by the line, before and after.
struct FlatGeometry {
    var isUsed = false
    /// Samples of one image and of one image row.
    var imageExtent = 1
    var rowExtent = 1
    var imageCount = 1
    var imagesPerTask = 1
    var taskCount = 0
    var workPerTask = 0.0
    /// Scratch: the line of results, then, where they are not plain, the converted input, the results in the output's
    /// dtype, and the writer's stages.
    var convertedInput = 0
    var convertedOutput = 0
    var stages = 0
    var scratchBytes = 0

    init() {}

    init(_ plan: StencilPlan) {
        let inputElement = plan.problem.inputType.byteCount
        guard !plan.touchesBorder, !plan.mayFactor, plan.filters == 1, plan.problem.epilogue.isEmpty,
            plan.fusedExtent == 1, plan.column.step == 1,
            plan.problem.inputSwapUnit == 1, plan.problem.outputSwapUnit == 1, plan.column.inStride == inputElement,
            plan.column.outStride == plan.problem.outputType.byteCount, plan.column.outExtent < plan.lanes,
            plan.rowPhases == 1, plan.row.step == 1, plan.row.isWindow,
            plan.column.isWindow, plan.batchCount == plan.outerCount, plan.outerCount <= 1,
            plan.row.inStride == plan.column.inExtent &* inputElement
        else { return }
        let image = plan.column.inExtent &* plan.row.inExtent
        imageCount = plan.outerCount == 1 ? plan.outer[0].outExtent : 1
        if imageCount > 1 && plan.outer[0].inStride != image &* inputElement { return }
        // Dropped sums may be two thirds of all, no more; and an image may not outgrow the scratch of a task.
        if image > 3 &* plan.row.outExtent &* plan.column.outExtent || image > flatSamples / 4 { return }
        isUsed = true
        imageExtent = image
        rowExtent = plan.column.inExtent
        imagesPerTask = max(1, min(imageCount, flatSamples / image))
        taskCount = ceilingDivide(imageCount, imagesPerTask)
        let samples = imagesPerTask &* image
        convertedInput = roundToCacheLine(samples &* plan.element)
        convertedOutput = plan.reader.isPlain ? convertedInput : 2 &* convertedInput
        stages = convertedOutput
        scratchBytes = stages
        if !plan.writer.isPlain {
            stages = roundToCacheLine(stages &+ samples &* plan.problem.outputType.byteCount)
            scratchBytes = stages &+ 2 &* 16 &* stageSamples
        }
        workPerTask = Double(imagesPerTask &* image) * Double(plan.problem.tapCount)
    }
}

/// Samples of a task: their results stay in a first-level cache.
private let flatSamples = 4096
/// Samples converted at a time.
private let stageSamples = 256

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
        let inputElement = plan.pointee.problem.inputType.byteCount
        let outputElement = plan.pointee.problem.outputType.byteCount
        var input = plan.pointee.problem.input + images.lowerBound &* flat.imageExtent &* inputElement
        if !plan.pointee.reader.isPlain {
            let converted = scratch + flat.convertedInput
            plan.pointee.reader.read(
                input, stride: inputElement, count: images.count &* flat.imageExtent, to: converted, stage: converted)
            input = UnsafeRawPointer(converted)
        }
        // The last window of the last image ends with its last sample: nothing beyond is read.
        let unfinished = (row.outExtent &- 1) &* flat.rowExtent &+ column.outExtent
        let columns = (images.count &- 1) &* flat.imageExtent &+ unfinished
        var strip = StencilStrip(
            input: input, inputRowStride: 0, filterRowStride: plan.pointee.rowTap &* flat.rowExtent &* element,
            output: scratch, outputRowStride: 0, rows: 1, columns: columns,
            weights: tables + plan.pointee.tables.weights, filterRows: row.filterExtent, taps: plan.pointee.taps,
            tapOffsets: offsets(plan.pointee.tables.tapsInPatch))
        runStencilStrip(plan.pointee.arithmetic, &strip)

        var image = UnsafeRawPointer(scratch)
        if !plan.pointee.writer.isPlain {
            convertLine(columns, to: scratch + flat.convertedOutput)
            image = UnsafeRawPointer(scratch + flat.convertedOutput)
        }
        let imageStride = plan.pointee.outerCount == 1 ? plan.pointee.outer[0].outStride : 0
        var output = plan.pointee.problem.output + images.lowerBound &* imageStride
        for _ in images {
            copyRows(
                image, strideBytes: flat.rowExtent &* outputElement, to: output, strideBytes: row.outStride,
                rows: row.outExtent, byteCount: column.outExtent &* outputElement)
            image += flat.imageExtent &* outputElement
            output += imageStride
        }
    }

    /// The line of results in the output's dtype.
    private func convertLine(_ count: Int, to converted: UnsafeMutableRawPointer) {
        let outputElement = plan.pointee.problem.outputType.byteCount
        let stages = scratch + plan.pointee.flat.stages
        for first in stride(from: 0, to: count, by: stageSamples) {
            plan.pointee.writer.write(
                scratch + first &* plan.pointee.element, count: min(stageSamples, count &- first),
                to: converted + first &* outputElement, stride: outputElement, stages: stages,
                stages + 16 &* stageSamples)
        }
    }
}
