import Foundations
import Kernels

/// How a contraction runs as a matrix product whose operands are packed, block by block, from where they lie (GotoBLAS's
/// loops; with windows, the patch matrix is virtual).
///
/// One side's elements are broadcast, a tile's *rows*; the other side's fill the vectors, its *lanes*. Lanes lie along
/// what is contiguous in the output: pixels of NCHW, channels of NHWC. A sum has one accumulator and adds in the order of
/// depth, so none of what is chosen here changes its bits.
struct GemmPlan {
    let problem: ContractionProblem
    /// Whether lanes are columns (and rows rows), or the other way round.
    let lanesAreColumns: Bool
    /// Bytes of a sum.
    let element: Int
    let lanes: Int
    let operands: GemmOperands
    /// Vectors in a panel of lanes.
    let panelVectors: Int
    let columnBlocks: IndexBlocks
    let rowBlocks: IndexRanges
    let depthBlocks: IndexBlocks
    let reader: OperandReader
    let writer: ElementWriter
    let filter: GemmFilter
    /// Multiply-adds, of words.
    let work: Double

    /// Lanes of a panel, and its bytes for one depth, or for one word of several.
    var panelWidth: Int { panelVectors &* lanes }
    var panelPitch: Int { panelWidth &* element }

    /// `isKept`: the packed filter serves other calls. `sums`: what sums are held as, if not as `GemmOperands` would.
    init(_ problem: ContractionProblem, threads: Int, isKept: Bool = false, sums: ArithmeticKind? = nil) {
        self.problem = problem
        let arithmetic = sums ?? GemmOperands.sums(problem)
        element = arithmetic.byteCount
        lanes = vectorLanes(arithmetic)
        lanesAreColumns = !GemmPlan.prefersRowLanes(problem, lanes: lanes)
        operands = GemmOperands(problem, sums: arithmetic, lanesAreColumns: lanesAreColumns)
        let laneExtent = lanesAreColumns ? problem.columns.extent : problem.rows.extent
        panelVectors = min(contractionTileVectors(arithmetic), max(1, ceilingDivide(laneExtent, lanes)))
        let width = panelVectors &* lanes
        // A packed panel of columns stays in the first cache while all rows pass by it; the filter's gain more by fewer blocks
        // of depths (to 1.19x). Each block's sum is added to those before: the blocks are part of the order of summation, and
        // so the same for narrow panels and few columns.
        let widest = contractionTileVectors(arithmetic) &* lanes &* element
        let depths = operands.depths
        var depthTarget = depths &* min(384, (lanesAreColumns ? packedPanelBytes : filterPanelBytes) / widest)
        var columnTarget = lanesAreColumns ? max(width, columnBytes / element) : 192
        let columnUnit = lanesAreColumns ? width : contractionTileRows
        let (problem, patchElement) = (problem, operands.elementBytes)
        func blocks() -> (depth: IndexBlocks, columns: IndexBlocks) {
            (
                IndexBlocks(problem.depth, target: depthTarget, unit: depths),
                IndexBlocks(problem.columns, target: columnTarget, unit: columnUnit)
            )
        }
        var cut = blocks()
        // What lies between taps or outputs that are far apart is in the patch too.
        while problem.hasLongSteps && (depthTarget > depths || columnTarget > columnUnit)
            && GemmPatch.byteCount(problem, cut.columns, cut.depth, element: patchElement) > patchBytes
        {
            if depthTarget > depths {
                depthTarget = max(depths, depthTarget / 2)
            } else {
                columnTarget = max(columnUnit, columnTarget / 2)
            }
            cut = blocks()
        }
        depthBlocks = cut.depth
        work = Double(problem.outputCount) * Double(max(operands.words(problem.depth.extent), 1))
        (rowBlocks, columnBlocks) = GemmPlan.shared(
            IndexRanges(
                problem.rows, target: lanesAreColumns ? gemmBlockRows : 1024,
                unit: lanesAreColumns ? contractionTileRows : width),
            rowUnit: lanesAreColumns ? contractionTileRows : width, cut.columns, target: columnTarget, unit: columnUnit,
            batch: problem.batch.extent, threads: gemmSharing.threads(threads, work: work))
        reader = operands.reader(
            problem.inputType, swapUnit: problem.inputSwapUnit, arithmetic, raises: operands.raisesSamples)
        writer = ElementWriter(
            result: problem.resultType, output: problem.outputType, swapUnit: problem.outputSwapUnit, sums: arithmetic)
        filter = GemmFilter(
            problem, operands, depthBlocks, lanesAreColumns: lanesAreColumns, panelWidth: width, isKept: isKept)
    }

    /// Blocks that threads can share more evenly, where tasks are few: of columns, down to half as large (7 blocks of
    /// 56 x 56 pixels keep two threads busy for 7 / 8 of the time), and, where that leaves threads idle, of rows. Blocks of
    /// either change no sum.
    private static func shared(
        _ rows: IndexRanges, rowUnit: Int, _ columns: IndexBlocks, target: Int, unit: Int, batch: Int, threads: Int
    ) -> (rows: IndexRanges, columns: IndexBlocks) {
        func tasks(_ rows: IndexRanges, _ columns: IndexBlocks) -> Int {
            saturatingMultiply(saturatingMultiply(batch, rows.count), columns.count)
        }
        func busy(_ rows: IndexRanges, _ columns: IndexBlocks) -> Double {
            let tasks = Double(tasks(rows, columns))
            return tasks / ((tasks / Double(threads)).rounded(.up) * Double(threads))
        }
        if threads == 1 || tasks(rows, columns) >= 8 &* threads { return (rows, columns) }
        var best = (rows: rows, columns: columns)
        for eighths in 1...4 {
            let smaller = IndexBlocks(columns.list, target: target &- target / 8 &* eighths, unit: unit)
            if busy(rows, smaller) > busy(rows, best.columns) + 0.02 { best.columns = smaller }
        }
        let share = ceilingDivide(ceilingDivide(rows.extent, threads), rowUnit) &* rowUnit
        let fewer = IndexRanges(rows.list, target: share, unit: rowUnit)
        if busy(rows, best.columns) < 0.8 && busy(fewer, columns) > busy(rows, best.columns) {
            best = (fewer, columns)
        }
        return best
    }

    /// Whether the output is contiguous along rows, and there are enough of them to fill vectors.
    private static func prefersRowLanes(_ problem: ContractionProblem, lanes: Int) -> Bool {
        func isUnit(_ list: IndexList) -> Bool {
            list.count > 0 && list[list.count &- 1].outputStride == problem.outputType.byteCount
        }
        if problem.columns.count == 0 { return true }
        if isUnit(problem.columns) || problem.readsAlongColumns { return false }
        return isUnit(problem.rows) && problem.rows.extent > lanes / 2
    }

    /// Whether one batch combination is one block that is read where it lies: all of them then have the same offsets.
    var repeatsBlock: Bool {
        rowBlocks.count == 1 && columnBlocks.count == 1 && depthBlocks.count == 1 && problem.windowCount == 0
            && !filter.isPackedByBlock && reader.isPlain && operands.areElements && problem.epilogue.isEmpty
            && problem.batch.count > 0
    }

    var taskCount: Int {
        saturatingMultiply(
            saturatingMultiply(problem.batch.extent, columnBlocks.count), rowBlocks.count)
    }

    /// Threads that are of use.
    func threads(_ wanted: Int) -> Int { max(1, min(gemmSharing.threads(wanted, work: work), taskCount)) }
}

/// Rows of the filter that a block takes, whole tiles of them.
package var gemmBlockRows: Int { 516 }

/// Multiply-adds, of words: about 20 us and 100 us of one core.
var gemmSharing: WorkSharing { WorkSharing(perThread: 800_000, perGrain: 4_000_000) }

extension ContractionProblem {
    /// Whether windows have taps or outputs further apart than any usual filter.
    fileprivate var hasLongSteps: Bool {
        for list in [columns, depth] {
            for i in 0..<list.count where list[i].window >= 0 && list[i].step.magnitude > 16 { return true }
        }
        return false
    }
}

/// Bytes of a patch: a second-level cache.
private let patchBytes = 1 << 20
/// Bytes of a panel of packed columns: a first-level cache.
private let packedPanelBytes = 48 << 10
/// Bytes of a panel of the filter: the second-level cache gives it as fast as it is used.
private let filterPanelBytes = 96 << 10
/// Bytes of a block's columns, for one row.
private let columnBytes = 2048
