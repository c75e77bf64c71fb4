import Foundations
import Kernels

/// How a convolution whose channels each have a filter of their own is cut up, with the channels along the vectors.
///
/// Input that lies so is read in place; any other is packed, block by block, into a slab [plane][row][column][channel].
/// Nothing is padded: taps outside the input are left out. Sums add filter rows from the outermost axis inward and the taps
/// of a row in order, so none of what is chosen here changes their bits.
struct DepthwisePlan {
    let problem: SlidingProblem
    let reader: ElementReader
    let writer: ElementWriter
    let arithmetic: ArithmeticKind
    let element: Int
    let lanes: Int

    /// The axis along the vectors.
    let channel: SlidingAxis
    /// The innermost window axis in memory, and the next (one of a single sample if there is none).
    let column: SlidingAxis
    let row: SlidingAxis
    /// All other axes: `batchCount` batch axes, then window axes from the outermost in memory.
    let outer: AxisList
    private(set) var outerCount = 0
    private(set) var batchCount = 0

    let readsInPlace: Bool
    let writesInPlace: Bool
    /// Output columns whose windows are whole.
    let columnInterior: Range<Int>
    /// Taps along the outer axes, and along rows and columns too.
    private(set) var planes = 1

    /// Vectors of all channels and of a block of them, and a block's output rows.
    let vectors: Int
    let blockVectors: Int
    let channelBlocks: Int
    let blockRows: Int
    let rowBlocks: Int
    let taskCount: Int

    let filter: DepthwiseFilter
    let scratch: DepthwiseScratch

    /// From one pixel of a slab, or of a block of results, to the next.
    var pixelPitch: Int { blockVectors &* lanes &* element }
    /// From one row of results in scratch to the next.
    var resultPitch: Int { column.outExtent &* pixelPitch }

    /// Of a problem that `Depthwise` can run and that has outputs.
    init(_ problem: SlidingProblem) {
        let windows = WindowOrder(problem)
        let channelIndex = DepthwisePlan.channelAxis(problem)
        self.problem = problem
        arithmetic = problem.arithmetic
        element = arithmetic.byteCount
        lanes = vectorLanes(arithmetic)
        reader = ElementReader(type: problem.inputType, swapUnit: problem.inputSwapUnit, arithmetic)
        writer = ElementWriter(result: problem.resultType, output: problem.outputType, swapUnit: problem.outputSwapUnit)
        channel = problem.axes[channelIndex]
        column = problem.axes[windows.innermost]
        columnInterior = column.interior
        let rowIndex = windows.count > 1 ? windows[windows.count &- 2] : -1
        row = rowIndex >= 0 ? problem.axes[rowIndex] : SlidingAxis()

        outer = problem.axes + problem.rank
        var count = 0
        for i in 0..<problem.rank where i != channelIndex && !problem.axes[i].isWindow {
            outer[count] = problem.axes[i]
            count &+= 1
        }
        batchCount = count
        for w in 0..<max(windows.count &- 2, 0) {
            outer[count] = problem.axes[windows[w]]
            planes = saturatingMultiply(planes, problem.axes[windows[w]].filterExtent)
            count &+= 1
        }
        outerCount = count

        // Whole vectors are read and written: of fewer channels there is none in place.
        let fills = channel.outExtent >= lanes
        readsInPlace = fills && reader.isPlain && channel.inStride == element
        writesInPlace = fills && writer.isPlain && channel.outStride == element
        vectors = ceilingDivide(channel.outExtent, lanes)
        let vectorBytes = lanes &* element
        if readsInPlace {
            // The rows under a filter stay in a second-level cache; the longer the runs of channels, the better they are
            // read ahead. (Blocks for a first-level cache took 1.3 times as long with 128 channels.)
            let rows = saturatingMultiply(saturatingMultiply(planes, row.filterExtent), column.inExtent)
            blockVectors = min(vectors, max(2, rowBytes / max(1, saturatingMultiply(rows, vectorBytes))))
        } else {
            blockVectors = min(vectors, packedVectors)
        }
        channelBlocks = ceilingDivide(vectors, blockVectors)
        blockRows = DepthwisePlan.rows(
            row, column, planes: planes, pixelBytes: blockVectors &* vectorBytes,
            needsSlab: !readsInPlace, needsBlock: !writesInPlace, tapCount: problem.tapCount)
        rowBlocks = ceilingDivide(row.outExtent, blockRows)
        var tasks = saturatingMultiply(channelBlocks, rowBlocks)
        for i in 0..<outerCount { tasks = saturatingMultiply(tasks, outer[i].outExtent) }
        taskCount = tasks
        filter = DepthwiseFilter(problem, channel, vectors: vectors, outer: outer, batchCount: batchCount)
        scratch = DepthwiseScratch(
            readsInPlace: readsInPlace, writesInPlace: writesInPlace,
            slabRows: DepthwisePlan.slabRows(row, outputs: blockRows), inColumns: column.inExtent, planes: planes,
            outputs: saturatingMultiply(blockRows, column.outExtent), filterRows: row.filterExtent,
            channels: blockVectors &* lanes, element: element)
    }

    /// The batch axis with filters of its own whose samples lie closest together, -1 for none.
    static func channelAxis(_ problem: SlidingProblem) -> Int {
        var found = -1
        for i in 0..<problem.rank where !problem.axes[i].isWindow {
            let axis = problem.axes[i]
            if axis.filterStride == 0 || axis.inStride == 0 { continue }
            if found < 0 || axis.inStride.magnitude < problem.axes[found].inStride.magnitude { found = i }
        }
        return found
    }

    /// Output rows of a block: those whose slab and results stay in a second-level cache, and about a millisecond's work.
    private static func rows(
        _ row: SlidingAxis, _ column: SlidingAxis, planes: Int, pixelBytes: Int, needsSlab: Bool, needsBlock: Bool,
        tapCount: Int
    ) -> Int {
        let inBytes = needsSlab ? saturatingMultiply(saturatingMultiply(planes, column.inExtent), pixelBytes) : 0
        let outBytes = needsBlock ? saturatingMultiply(column.outExtent, pixelBytes) : 0
        let work = saturatingMultiply(saturatingMultiply(column.outExtent, tapCount), pixelBytes)
        var rows = max(1, min(row.outExtent, taskWork / max(work, 1)))
        while rows > 1 {
            let bytes = saturatingAdd(
                saturatingMultiply(slabRows(row, outputs: rows), inBytes), saturatingMultiply(rows, outBytes))
            if bytes <= blockBytes { break }
            rows = (rows &+ 1) / 2
        }
        return rows
    }

    /// Input rows under so many output rows.
    private static func slabRows(_ row: SlidingAxis, outputs: Int) -> Int {
        let span = saturatingAdd(
            saturatingMultiply(outputs &- 1, row.step), saturatingMultiply(row.filterExtent &- 1, row.dilation))
        return min(row.inExtent, saturatingAdd(span, 1))
    }

    /// The input rows that output rows need, as far as they exist.
    func inputRows(_ rows: Range<Int>) -> Range<Int> {
        let first = rows.lowerBound &* row.step &- row.padding
        let last = (rows.upperBound &- 1) &* row.step &- row.padding &+ (row.filterExtent &- 1) &* row.dilation
        let start = min(max(first, 0), row.inExtent)
        return start..<max(start, min(last &+ 1, row.inExtent))
    }
}

extension DepthwisePlan {
    /// Where a tap lies in a filter, counted as packed filters count them.
    func tapOffset(_ tap: Int) -> Int {
        var rest = tap / column.filterExtent
        var offset = tap % column.filterExtent &* column.filterStride
        offset &+= rest % row.filterExtent &* row.filterStride
        rest /= row.filterExtent
        for i in (batchCount..<outerCount).reversed() {
            offset &+= rest % outer[i].filterExtent &* outer[i].filterStride
            rest /= outer[i].filterExtent
        }
        return offset
    }

    /// Multiply-adds of a task.
    var workPerTask: Double {
        Double(problem.tapCount) * Double(blockRows) * Double(column.outExtent) * Double(blockVectors &* lanes)
    }
}

extension SlidingAxis {
    /// The taps under output `o` that lie inside the input.
    func taps(_ o: Int) -> Range<Int> {
        let start = step &* o &- padding
        let first = start >= 0 ? 0 : min(ceilingDivide(0 &- start, dilation), filterExtent)
        let end = start >= inExtent ? 0 : (inExtent &- 1 &- start) / dilation &+ 1
        return first..<max(first, min(end, filterExtent))
    }
}

/// Bytes of input rows under a filter.
private let rowBytes = 256 << 10
/// Vectors of a block that is packed.
private let packedVectors = 2
/// Bytes of a slab and of what is computed from it: half of a small second-level cache.
private let blockBytes = 256 << 10
/// Output bytes times taps of a task.
private let taskWork = 64 << 20
