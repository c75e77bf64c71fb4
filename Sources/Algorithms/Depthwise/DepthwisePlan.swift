import Foundations
import Kernels

/// How a convolution whose channels each have a filter of their own is cut up, with the channels along the vectors.
///
/// Input that lies so is read in place; any other is packed, block by block, into a slab [plane][row][column][channel].
/// Nothing is padded: taps outside the input are left out. Sums add filter rows from the outermost axis inward and the taps
/// of a row in order, so none of what is chosen here changes their bits.
struct DepthwisePlan {
    let axes: DepthwiseAxes
    let reader: ElementReader
    let writer: ElementWriter
    let arithmetic: ArithmeticKind
    let element: Int
    let lanes: Int

    let readsInPlace: Bool
    let writesInPlace: Bool
    /// Output columns whose windows are whole.
    let columnInterior: Range<Int>

    /// Vectors of all channels and of a block of them, and a block's output rows.
    let vectors: Int
    let blockVectors: Int
    let channelBlocks: Int
    let blockRows: Int
    let rowBlocks: Int
    let taskCount: Int

    let filter: DepthwiseFilter
    let scratch: DepthwiseScratch

    var problem: SlidingProblem { axes.problem }
    /// From one pixel of a slab, or of a block of results, to the next.
    var pixelPitch: Int { blockVectors &* lanes &* element }
    /// From one row of results in scratch to the next.
    var resultPitch: Int { axes.column.outExtent &* pixelPitch }

    /// Of a problem that `Depthwise` can run and that has outputs.
    init(_ problem: SlidingProblem) {
        let axes = DepthwiseAxes(problem)
        let (channel, column, row) = (axes.channel, axes.column, axes.row)
        self.axes = axes
        arithmetic = problem.arithmetic
        element = arithmetic.byteCount
        lanes = vectorLanes(arithmetic)
        reader = ElementReader(type: problem.inputType, swapUnit: problem.inputSwapUnit, arithmetic)
        writer = ElementWriter(result: problem.resultType, output: problem.outputType, swapUnit: problem.outputSwapUnit)
        columnInterior = column.interior

        // Whole vectors are read and written: of fewer channels there is none in place.
        let fills = channel.outExtent >= lanes
        readsInPlace = fills && reader.isPlain && channel.inStride == element
        writesInPlace = fills && writer.isPlain && channel.outStride == element
        vectors = ceilingDivide(channel.outExtent, lanes)
        var most = packedVectors
        if readsInPlace {
            // The rows under a filter stay in a second-level cache; the longer the runs of channels, the better they are
            // read ahead. (Blocks for a first-level cache took 1.3 times as long with 128 channels.)
            let rows = saturatingMultiply(saturatingMultiply(axes.planes, row.filterExtent), column.inExtent)
            most = max(packedVectors, rowBytes / max(1, saturatingMultiply(rows, lanes &* element)))
        }
        // A last vector that overlaps its predecessor lies in the same block: no two tasks write the same output.
        if channel.outExtent % lanes != 0 {
            while most < vectors && vectors % most == 1 { most &+= 1 }
        }
        blockVectors = min(vectors, most)
        channelBlocks = ceilingDivide(vectors, blockVectors)
        blockRows = DepthwisePlan.rows(
            axes, pixelBytes: blockVectors &* lanes &* element, needsSlab: !readsInPlace, needsBlock: !writesInPlace)
        rowBlocks = ceilingDivide(row.outExtent, blockRows)
        taskCount = saturatingMultiply(saturatingMultiply(channelBlocks, rowBlocks), axes.outerOutputs)
        filter = DepthwiseFilter(axes, vectors: vectors)
        scratch = DepthwiseScratch(
            axes, readsInPlace: readsInPlace, writesInPlace: writesInPlace, outputRows: blockRows,
            channels: blockVectors &* lanes, element: element)
    }

    /// Output rows of a block: those whose slab and results stay in a second-level cache, and so much work.
    private static func rows(_ axes: DepthwiseAxes, pixelBytes: Int, needsSlab: Bool, needsBlock: Bool) -> Int {
        let (row, column) = (axes.row, axes.column)
        let inBytes = needsSlab ? saturatingMultiply(saturatingMultiply(axes.planes, column.inExtent), pixelBytes) : 0
        let outBytes = needsBlock ? saturatingMultiply(column.outExtent, pixelBytes) : 0
        let work = saturatingMultiply(saturatingMultiply(column.outExtent, axes.problem.tapCount), pixelBytes)
        // Rows read in place are read once however they are cut.
        var rows = max(1, min(row.outExtent, (needsSlab ? packedWork : taskWork) / max(work, 1)))
        while rows > 1 {
            let bytes = saturatingAdd(
                saturatingMultiply(slabRows(row, outputs: rows), inBytes), saturatingMultiply(rows, outBytes))
            if bytes <= blockBytes { break }
            rows = (rows &+ 1) / 2
        }
        return rows
    }

    /// Input rows under so many output rows.
    static func slabRows(_ row: SlidingAxis, outputs: Int) -> Int {
        min(row.inExtent, row.span(outputs: outputs, taps: row.filterExtent))
    }

    /// Multiply-adds of a task.
    var workPerTask: Double {
        Double(problem.tapCount) * Double(blockRows) * Double(axes.column.outExtent) * Double(blockVectors &* lanes)
    }
}

/// Bytes of input rows under a filter.
private let rowBytes = 256 << 10
/// Vectors of a block that is packed.
private let packedVectors = 2
/// Bytes of a slab and of what is computed from it: half of a small second-level cache.
private let blockBytes = 256 << 10
/// Output bytes times taps of a task: some 20 us, or, where blocks share packed rows, a millisecond.
private let taskWork = 1 << 20
private let packedWork = 64 << 20

/// Where a thread's scratch has what.
struct DepthwiseScratch {
    /// Addresses of input rows and of their weights.
    let rows: Int
    let weights: Int
    let stages: Int
    let lines: Int
    let slab: Int
    let slabRows: Int
    let results: Int
    let byteCount: Int

    init(
        _ axes: DepthwiseAxes, readsInPlace: Bool, writesInPlace: Bool, outputRows: Int, channels: Int, element: Int
    ) {
        var places = WorkspaceLayout()
        let pixelBytes = channels &* element
        let list = saturatingMultiply(saturatingMultiply(axes.planes, axes.row.filterExtent), 8)
        rows = places.take(list)
        weights = places.take(list)
        stages = places.take(2 &* 16 &* stageElements)
        let isPacked = !readsInPlace || !writesInPlace
        lines = places.take(isPacked ? PixelPacking.lineBytes(channels: channels, element: element) : 0)
        slabRows = DepthwisePlan.slabRows(axes.row, outputs: outputRows)
        let slabPixels = saturatingMultiply(saturatingMultiply(axes.planes, slabRows), axes.column.inExtent)
        slab = places.take(readsInPlace ? 0 : saturatingMultiply(slabPixels, pixelBytes))
        let outputs = saturatingMultiply(outputRows, axes.column.outExtent)
        results = places.take(writesInPlace ? 0 : saturatingMultiply(outputs, pixelBytes))
        byteCount = places.byteCount
    }
}
