import CMachine
import Foundations
import Kernels

/// Small images as one line of samples.
///
/// Where dense images are so small that their rows leave vectors mostly empty, the samples of many are one line: rows are
/// reduced onto each other along it, then columns, at every sample; outputs are picked from what comes out. Images with
/// padding are laid out with it first. Every output combines the same elements in the same order as elsewhere, so that
/// bits do not depend on how a batch lies in memory.
struct PoolFlat {
    private(set) var isUsed = false
    /// Samples of a row and of an image, as they are reduced.
    private(set) var rowExtent = 1
    private(set) var imageExtent = 1
    private(set) var outputsPerImage = 1
    private(set) var imageCount = 1
    private(set) var imagesPerTask = 1
    /// Images are laid out anew, with their padding.
    private(set) var packs = false
    private(set) var work = PoolWork(taskCount: 0, workPerTask: 0)
    private(set) var scratch = PoolFlatScratch()

    init(_ plan: PoolPlan) {
        guard PoolFlat.canRun(plan) else { return }
        let (row, column) = (plan.row, plan.column)
        let (rows, columns) = (row.laidOut, column.laidOut)
        packs = rows > row.inExtent || columns > column.inExtent
        (rowExtent, imageExtent) = (columns, rows &* columns)
        outputsPerImage = row.outExtent &* column.outExtent
        if imageExtent &* plan.form.elementBytes > largestImage || imageExtent > mostDropped &* outputsPerImage {
            return
        }
        imageCount = plan.outerCount == 1 ? plan.outer[0].outExtent : 1
        imagesPerTask = max(1, min(imageCount, flatBytes / (imageExtent &* plan.form.elementBytes)))
        isUsed = true
        let perSample = 0.03 * Double(row.taps &+ column.taps) * Double(plan.form.elementBytes) / 4
        let perImage = Double(imageExtent) * perSample + Double(outputsPerImage)
        work = PoolWork(
            taskCount: ceilingDivide(imageCount, imagesPerTask), workPerTask: 100 + Double(imagesPerTask) * perImage)
        scratch = PoolFlatScratch(self, plan)
    }

    private static func canRun(_ plan: PoolPlan) -> Bool {
        let (row, column, problem) = (plan.row, plan.column, plan.problem)
        let (inputBytes, outputBytes) = (problem.inputType.byteCount, problem.outputType.byteCount)
        guard plan.indices == nil, problem.pooling != .lp, row.isWindow, column.isWindow, plan.unit.outExtent == 1,
            plan.outerCount <= 1, column.taps <= plan.tapChunk,
            column.inStride == inputBytes, row.inStride == column.inExtent &* inputBytes,
            column.outStride == outputBytes, row.outStride == column.outExtent &* outputBytes
        else { return false }
        if plan.outerCount == 1 {
            let batch = plan.outer[0]
            if batch.isWindow || batch.inStride != row.inExtent &* row.inStride
                || batch.outStride != row.outExtent &* row.outStride
            {
                return false
            }
        }
        if case .runs = plan.horizontal { return false }  // sums in another order
        if row.laidOut > largestImage || column.laidOut > largestImage { return false }
        // Padding takes no part in a sum of rows, so each row of outputs needs one in the image.
        for o in 0..<row.outExtent where row.taps(of: o).isEmpty { return false }
        return problem.pooling != .average || problem.divisor != 0
            || (row.isFullyCounted(problem.countsPadding) && column.isFullyCounted(problem.countsPadding))
    }
}

extension PoolAxis {
    /// Extent with the padding that windows reach into.
    fileprivate var laidOut: Int {
        max(padding &+ inExtent, step &* (outExtent &- 1) &+ dilation &* (taps &- 1) &+ 1)
    }

    fileprivate func isFullyCounted(_ countsPadding: Bool) -> Bool {
        fullyCounted(padding: countsPadding) == 0..<outExtent
    }
}

/// Bytes. Measured on Sapphire Rapids, 3 x 3 maxima of float32 at step 1: images of 7 x 7 take a fifth of the time that
/// rows do, 14 x 14 a third, 28 x 28 three fifths, 56 x 56 as long; bytes gain up to 56 x 56.
private let largestImage = 4096
/// Samples that are reduced for each output: at 22 lines still take less than half the time.
private let mostDropped = 32
/// Bytes of a task's line: as it lies, reduced along rows, and along columns, it stays in the L1 cache.
private let flatBytes = 8192

/// Byte offsets of what a thread works in.
struct PoolFlatScratch {
    private(set) var offsets = 0
    private(set) var converted = 0
    private(set) var stage = 0
    private(set) var packed = 0
    private(set) var vertical = 0
    private(set) var horizontal = 0
    private(set) var results = 0
    private(set) var stages = 0
    private(set) var byteCount = 0

    init() {}

    init(_ flat: PoolFlat, _ plan: PoolPlan) {
        let elementBytes = plan.form.elementBytes
        let line = flat.imagesPerTask &* flat.imageExtent &* elementBytes
        offsets = take(flat.outputsPerImage &* MemoryLayout<Int>.size)
        if !plan.form.reader.isPlain {
            converted = take(line)
            stage = take(16 &* stageElements)
        }
        if flat.packs { packed = take(line) }
        vertical = take(line)
        horizontal = take(line)
        if !plan.form.writer.isPlain {
            results = take(flat.imagesPerTask &* flat.outputsPerImage &* elementBytes)
            stages = take(2 &* 16 &* stageElements)
        }
    }

    private mutating func take(_ count: Int) -> Int {
        let start = byteCount
        byteCount &+= roundToCacheLine(count)
        return start
    }
}

/// One thread's work on small images.
struct PoolFlatRun {
    private let plan: UnsafePointer<PoolPlan>
    private let flat: UnsafePointer<PoolFlat>
    private let scratch: UnsafeMutableRawPointer

    /// Lays out what all tasks share: the places of outputs, and padding.
    init(_ plan: UnsafePointer<PoolPlan>, _ flat: UnsafePointer<PoolFlat>, scratch: UnsafeMutableRawPointer) {
        (self.plan, self.flat, self.scratch) = (plan, flat, scratch)
        let (row, column) = (plan.pointee.row, plan.pointee.column)
        let elementBytes = plan.pointee.form.elementBytes
        var place = offsets
        for r in 0..<row.outExtent {
            for c in 0..<column.outExtent {
                place.pointee = (r &* row.step &* flat.pointee.rowExtent &+ c &* column.step) &* elementBytes
                place += 1
            }
        }
        if flat.pointee.packs { fillPadding() }
    }

    private var offsets: UnsafeMutablePointer<Int> {
        (scratch + flat.pointee.scratch.offsets).assumingMemoryBound(to: Int.self)
    }

    private func fillPadding() {
        let form = plan.pointee.form
        let (row, column) = (plan.pointee.row, plan.pointee.column)
        let packed = scratch + flat.pointee.scratch.packed
        let (image, line) = (
            flat.pointee.imageExtent &* form.elementBytes, flat.pointee.rowExtent &* form.elementBytes
        )
        func fill(_ scalar: UInt64, _ start: UnsafeMutableRawPointer, _ elements: Int) {
            var value = SIMD2<UInt64>(scalar, 0)
            fillRows(
                &value, to: start, rowStride: 0, rows: 1, count: elements &* form.parts,
                elementBytes: form.scalar.byteCount)
        }
        fill(form.identity, packed, flat.pointee.imagesPerTask &* flat.pointee.imageExtent)
        // Rows of padding are left out of sums elsewhere. Adding minus zero is the same, adding zero is not.
        guard form.identity == 0, let minusZero = form.scalar.minusZero else { return }
        for i in 0..<flat.pointee.imagesPerTask {
            for r in 0..<flat.pointee.imageExtent / flat.pointee.rowExtent
            where r < row.padding || r >= row.padding &+ row.inExtent {
                fill(
                    minusZero, packed + i &* image + r &* line + column.padding &* form.elementBytes, column.inExtent)
            }
        }
    }

    func run(task: Int) {
        let first = task &* flat.pointee.imagesPerTask
        let images = min(flat.pointee.imagesPerTask, flat.pointee.imageCount &- first)
        let (row, column, form) = (plan.pointee.row, plan.pointee.column, plan.pointee.form)
        var count = images &* flat.pointee.imageExtent
        var line = laidOut(plan.pointee.input + first &* row.inExtent &* row.inStride, images)
        if row.taps > 1 {
            let tap = row.dilation &* flat.pointee.rowExtent
            count = count &- (row.taps &- 1) &* tap
            line = reduce(line, row.taps, tap, count, to: scratch + flat.pointee.scratch.vertical)
        }
        if column.taps > 1 {
            count = count &- (column.taps &- 1) &* column.dilation
            line = reduce(line, column.taps, column.dilation, count, to: scratch + flat.pointee.scratch.horizontal)
        }
        let output = plan.pointee.output + first &* row.outExtent &* row.outStride
        let outputs = images &* flat.pointee.outputsPerImage
        let results = form.writer.isPlain ? output : scratch + flat.pointee.scratch.results
        pick(line, images, to: results)
        finish(results, outputs)
        if !form.writer.isPlain { write(results, outputs, to: output) }
    }

    /// The samples as they are reduced: where they lie, if nothing is to be done to them.
    private func laidOut(_ input: UnsafeRawPointer, _ images: Int) -> UnsafeRawPointer {
        let (row, column, form) = (plan.pointee.row, plan.pointee.column, plan.pointee.form)
        let (elementBytes, rowExtent) = (form.elementBytes, flat.pointee.rowExtent)
        var source = input
        if !form.reader.isPlain {
            let converted = scratch + flat.pointee.scratch.converted
            readRun(
                form.reader, input, stride: column.inStride, count: images &* row.inExtent &* column.inExtent,
                to: converted,
                stage: scratch + flat.pointee.scratch.stage)
            source = UnsafeRawPointer(converted)
        }
        if !flat.pointee.packs { return source }
        let packed = scratch + flat.pointee.scratch.packed
        let interior = packed + (row.padding &* rowExtent &+ column.padding) &* elementBytes
        for i in 0..<images {
            copyRows(
                source + i &* row.inExtent &* column.inExtent &* elementBytes,
                strideBytes: column.inExtent &* elementBytes,
                to: interior + i &* flat.pointee.imageExtent &* elementBytes, strideBytes: rowExtent &* elementBytes,
                rows: row.inExtent, byteCount: column.inExtent &* elementBytes)
        }
        return UnsafeRawPointer(packed)
    }

    private func reduce(
        _ line: UnsafeRawPointer, _ taps: Int, _ distance: Int, _ count: Int, to out: UnsafeMutableRawPointer
    ) -> UnsafeRawPointer {
        let form = plan.pointee.form
        var lines = sc_window_lines()
        lines.source = line.assumingMemoryBound(to: UInt8.self)
        lines.tap_stride = Int64(distance &* form.elementBytes)
        lines.taps = Int64(taps)
        lines.out = out.assumingMemoryBound(to: UInt8.self)
        lines.rows = 1
        lines.count = Int64(count &* form.parts)
        form.kernels.lines(&lines)
        return UnsafeRawPointer(out)
    }

    /// The outputs among what was reduced at every sample.
    private func pick(_ line: UnsafeRawPointer, _ images: Int, to results: UnsafeMutableRawPointer) {
        let (row, column) = (plan.pointee.row, plan.pointee.column)
        let elementBytes = plan.pointee.form.elementBytes
        let (image, outputs) = (
            flat.pointee.imageExtent &* elementBytes, flat.pointee.outputsPerImage &* elementBytes
        )
        if column.step > 1 {
            gatherIndexedRows(
                line, rowStride: image, offsets, to: results, rowStride: outputs, rows: images,
                count: flat.pointee.outputsPerImage, elementBytes: elementBytes)
            return
        }
        for i in 0..<images {
            copyRows(
                line + i &* image, strideBytes: row.step &* flat.pointee.rowExtent &* elementBytes,
                to: results + i &* outputs, strideBytes: column.outExtent &* elementBytes, rows: row.outExtent,
                byteCount: column.outExtent &* elementBytes)
        }
    }

    private func finish(_ results: UnsafeMutableRawPointer, _ count: Int) {
        let (problem, form) = (plan.pointee.problem, plan.pointee.form)
        if form.isBoolean {
            normaliseBooleans(results, count: count)
        } else if case .average = problem.pooling {
            let window = plan.pointee.row.taps &* plan.pointee.column.taps
            let divisor = problem.divisor != 0 ? problem.divisor : window
            divide(results, count: count &* form.parts, by: Double(divisor), form.scalar)
        }
    }

    private func write(_ results: UnsafeMutableRawPointer, _ count: Int, to output: UnsafeMutableRawPointer) {
        let form = plan.pointee.form
        let bytes = plan.pointee.problem.outputType.byteCount
        let stages = scratch + flat.pointee.scratch.stages
        for first in stride(from: 0, to: count, by: stageElements) {
            form.writer.write(
                results + first &* form.elementBytes, count: min(stageElements, count &- first),
                to: output + first &* bytes, stride: bytes, stages: stages, stages + 16 &* stageElements)
        }
    }
}
