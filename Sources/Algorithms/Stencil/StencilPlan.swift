import Foundations
import Kernels

/// How a sliding problem is cut into strips: which axis lies along the vectors, which one along the tile's rows, what is
/// read in place and what by packed patches, and the tasks that threads take.
///
/// Sums are always added in one order: with the window axes from the outermost in memory to the innermost, the last but
/// one runs fastest, the others follow. That depends on memory strides alone, so neither the batch nor the threads nor the
/// tiling changes a bit.
struct StencilPlan {
    var problem: SlidingProblem
    var reader: ElementReader
    var writer: ElementWriter
    var arithmetic: ArithmeticKind
    /// Bytes of one element as the arithmetic holds it.
    var element: Int
    var lanes: Int

    /// The axis along the vectors. Where it is fused with a batch axis inside it (channels-last), extents, dilation and
    /// padding count elements of the fused axis, `fusedExtent` of which make one sample.
    var column = SlidingAxis()
    var columnAxis = -1
    var fusedExtent = 1
    /// The axis along a tile's rows.
    var row = SlidingAxis()
    /// All other axes: `batchCount` batch axes, then window axes, each in their order.
    var outer: AxisList
    var outerCount = 0
    var batchCount = 0
    /// Filters that run over the same input, one after the other while it is at hand: a batch axis along which the input
    /// does not move. (Packed anew for each, 4 channels to a group took twice as long.)
    var repeated = SlidingAxis()
    /// Filters: as many as the batch axes with one each have elements.
    var filters = 1
    /// Taps over the outer axes.
    var planes = 1
    /// Taps over all axes but the rows.
    var taps: Int { planes &* column.filterExtent }

    /// Output rows `phase + rowPhases * m` are walked together: with a dilation d, every d-th output row shares input
    /// rows. Row m, tap k then read input row `rowStep * m + rowTap * k + phase - padding`.
    var rowPhases = 1
    var rowStep = 1
    var rowTap = 1

    /// The input is read where it lies wherever windows are whole; otherwise every block is packed.
    var readsInPlace = false
    var writesInPlace = false
    /// Rows shorter than a vector are computed as whole vectors wherever they are packed, and what is beyond them dropped:
    /// 14 columns took three times as long in overlapping halves of a vector.
    var widensRows = false
    /// Results go through a small block and past the caches.
    var streamsOutput = false
    /// The filter is not finite and padding is zero: taps outside must be left out, not multiplied by zero.
    var skipsAbsentTaps = false

    /// The filter may be factored; and, once it was packed, whether it was. Then a strip is computed in two passes, along
    /// the columns into scratch and from there along the rows.
    var mayFactor = false
    var isSeparable = false

    /// Some window reaches outside the input.
    var touchesBorder = false
    /// Outputs along rows (of the only phase) and columns whose windows are whole.
    var rowInterior = 0..<0
    var columnInterior = 0..<0
    /// Windows that reach outside are masked, nothing is packed: see StencilMasked.
    var masked = MaskedGeometry()
    /// One patch holds a whole image and the zeros around it, which stay from one image to the next.
    var packsWholeImages = false
    /// Narrow images are computed as one line of samples: see StencilFlat.
    var flat = FlatGeometry()

    var patch = PatchGeometry()
    /// Output rows and columns of a packed or scratch block.
    var blockRows = 1
    var blockColumns = 1
    /// Output rows and columns of a task.
    var taskRows = 1
    var taskColumns = 1
    var rowTasks = 1
    var columnTasks = 1
    var taskCount = 0

    /// Columns in the widest register tile.
    var widestColumns: Int { widestTile(arithmetic) &* lanes }

    /// Shared, read-only while running: offsets first, packed weights behind them.
    var tables = StencilTables()
    var scratch = ScratchLayout()

    init(_ problem: SlidingProblem, factoring: Factoring) {
        self.problem = problem
        outer = problem.axes + problem.rank
        arithmetic = problem.arithmetic
        element = arithmetic.byteCount
        lanes = vectorLanes(arithmetic)
        reader = ElementReader(type: problem.inputType, swapUnit: problem.inputSwapUnit, arithmetic)
        writer = ElementWriter(
            result: problem.resultType, output: problem.outputType, swapUnit: problem.outputSwapUnit)
        assignAxes(factoring)
        mayFactor = filters == 1 && planes == 1 && row.filterExtent > 1 && column.filterExtent > 1
        if factoring == .never { mayFactor = false }
        readsInPlace = reader.isPlain && column.inStride == element && column.step == 1
        walkRows()
        findInterior()
        masked = MaskedGeometry(self)
        widensRows = !masked.isUsed && column.outExtent < lanes && !mayFactor && (!readsInPlace || touchesBorder)
        writesInPlace = writer.isPlain && column.outStride == element && !widensRows
        streamsOutput =
            writesInPlace && !mayFactor && problem.epilogue.isEmpty && repeated.outExtent == 1
            && (!readsInPlace || problem.tapCount <= streamingTaps)
            && problem.outputCount >= streamingBytes / element
        flat = FlatGeometry(self)
        if flat.isUsed || streamsOutput { masked = MaskedGeometry() }
        chooseBlocks()
        packsWholeImages =
            widensRows && readsInPlace && hasOneInnerPlane && problem.fillsWithZero && rowPhases == 1
            && !patch.rowPerTap && patch.rowUnit == 1 && patch.slots == 1 && blockRows == row.outExtent
            && columnInterior.count < column.outExtent
        chooseTasks()
        tables = StencilTables(self)
        scratch = ScratchLayout(self)
    }
}

// MARK: - Axes

extension StencilPlan {
    private mutating func assignAxes(_ factoring: Factoring) {
        let rank = problem.rank
        let windows = WindowOrder(problem)
        let columnIndex = chooseColumn(windows, factoring)
        columnAxis = columnIndex
        if columnIndex >= 0 { column = problem.axes[columnIndex] } else { column = unitAxis() }
        let fused = columnIndex >= 0 ? fusableBatchAxis(columnIndex) : -1
        if fused >= 0 { fuse(problem.axes[fused]) }

        // The last window axis but one, whether the last lies along the vectors or is left to the planes: the order of
        // summation is then the same.
        var rowIndex = windows.count > 1 ? windows[windows.count &- 2] : windows.innermost
        if rowIndex == columnIndex { rowIndex = -1 }
        if rowIndex < 0 {
            // One window axis: signals of the batch are the rows. The longest batch axis fills tiles best.
            for i in 0..<rank where i != columnIndex && i != fused && !problem.axes[i].hasOwnFilter {
                if rowIndex < 0 || problem.axes[i].outExtent > problem.axes[rowIndex].outExtent { rowIndex = i }
            }
        }
        row = rowIndex >= 0 ? problem.axes[rowIndex] : unitAxis()
        for i in 0..<rank where i != columnIndex && i != fused && i != rowIndex && !problem.axes[i].isWindow {
            if problem.axes[i].inStride == 0 && problem.axes[i].filterStride != 0 && repeated.outExtent == 1 {
                repeated = problem.axes[i]
            } else {
                appendBatch(problem.axes[i])
            }
        }
        batchCount = outerCount
        filters = repeated.outExtent
        for i in 0..<batchCount where outer[i].filterStride != 0 {
            filters = saturatingMultiply(filters, outer[i].outExtent)
        }
        for w in 0..<windows.count where windows[w] != columnIndex && windows[w] != rowIndex {
            outer[outerCount] = problem.axes[windows[w]]
            outerCount &+= 1
            planes = saturatingMultiply(planes, problem.axes[windows[w]].filterExtent)
        }
    }

    private func unitAxis() -> SlidingAxis {
        var axis = SlidingAxis()
        axis.inStride = problem.inputType.byteCount
        axis.outStride = problem.outputType.byteCount
        return axis
    }

    /// Neighbouring batch axes that one stride walks are one axis, those of one element none.
    private mutating func appendBatch(_ axis: SlidingAxis) {
        if axis.outExtent == 1 { return }
        if outerCount > 0 {
            let previous = outer[outerCount &- 1]
            if previous.inStride == axis.inStride &* axis.outExtent
                && previous.outStride == axis.outStride &* axis.outExtent
                && previous.filterStride == axis.filterStride &* axis.outExtent
                && previous.biasStride == axis.biasStride &* axis.outExtent
            {
                outer[outerCount &- 1].inStride = axis.inStride
                outer[outerCount &- 1].outStride = axis.outStride
                outer[outerCount &- 1].filterStride = axis.filterStride
                outer[outerCount &- 1].biasStride = axis.biasStride
                outer[outerCount &- 1].inExtent &*= axis.inExtent
                outer[outerCount &- 1].outExtent &*= axis.outExtent
                return
            }
        }
        outer[outerCount] = axis
        outerCount &+= 1
    }

    /// The axis for the vectors: a window axis that is contiguous in the input, else a contiguous batch axis that fills
    /// a vector, else the innermost window axis (read by packing). Only the second choice looks at a batch extent, and it
    /// keeps the order of summation of the third.
    private func chooseColumn(_ windows: WindowOrder, _ factoring: Factoring) -> Int {
        let unit = problem.inputType.byteCount
        let innermost = windows.innermost
        if innermost >= 0 && (problem.axes[innermost].inStride == unit || factoring == .required) { return innermost }
        for i in 0..<problem.rank where !problem.axes[i].isWindow {
            let axis = problem.axes[i]
            if axis.inStride != unit || axis.outExtent < lanes || axis.hasOwnFilter { continue }
            // Rows fused with what lies inside them are one long line: the hardware reads ahead in it.
            if innermost < 0 || !isFusable(i, innermost) { return i }
        }
        return innermost
    }

    private func isFusable(_ batch: Int, _ window: Int) -> Bool {
        let inner = problem.axes[batch]
        let axis = problem.axes[window]
        // Bounds that keep the fused axis's distances within Int, whatever the dilation.
        let fits = inner.outExtent < 1 << 20 && axis.filterExtent < 1 << 20 && axis.dilation < 1 << 20
        return fits && !inner.isWindow && !inner.hasOwnFilter && inner.outExtent > 1 && axis.step == 1
            && inner.inStride == problem.inputType.byteCount && inner.outStride == problem.outputType.byteCount
            && axis.inStride == inner.inStride &* inner.outExtent
            && axis.outStride == inner.outStride &* inner.outExtent
    }

    private func fusableBatchAxis(_ window: Int) -> Int {
        if !problem.axes[window].isWindow { return -1 }
        for i in 0..<problem.rank where i != window && isFusable(i, window) { return i }
        return -1
    }

    private mutating func fuse(_ inner: SlidingAxis) {
        fusedExtent = inner.outExtent
        column.inExtent &*= fusedExtent
        column.outExtent &*= fusedExtent
        column.dilation &*= fusedExtent
        column.padding &*= fusedExtent
        column.inStride = inner.inStride
        column.outStride = inner.outStride
    }

    private mutating func walkRows() {
        rowStep = row.step
        rowTap = row.dilation
        if row.filterExtent == 1 {
            rowTap = rowStep
        } else if row.step == 1 && row.dilation > 1
            && row.outExtent / row.dilation >= sharedRowsHeight
        {
            rowPhases = row.dilation
            rowStep = row.dilation
        }
    }

    private mutating func findInterior() {
        rowInterior = row.interior(step: rowStep, start: 0 &- row.padding, count: row.outExtent)
        columnInterior = column.interior
        touchesBorder = rowPhases > 1 ? row.interior.count < row.outExtent : rowInterior.count < row.outExtent
        if columnInterior.count < column.outExtent { touchesBorder = true }
        for i in batchCount..<outerCount where outer[i].interior.count < outer[i].outExtent { touchesBorder = true }
    }

    /// One tap along the outer axes, and that inside the input.
    var hasOneInnerPlane: Bool {
        for i in batchCount..<outerCount where outer[i].interior.count < outer[i].outExtent { return false }
        return planes == 1
    }

    var fillsOutside: Bool { if case .fill = problem.boundary { true } else { false } }

    /// Whether anything is ever packed or passes through a block.
    var usesBlocks: Bool { !readsInPlace || !writesInPlace || touchesBorder || mayFactor }

    /// Output rows of one phase.
    func rowCount(phase: Int) -> Int { (row.outExtent &- phase &+ rowPhases &- 1) / rowPhases }
}

// MARK: - Blocks and tasks

/// Bytes of a packed patch and its results, which stay in a second-level cache beside what streams through it. Measured on
/// Sapphire Rapids: 32 KiB, for the first level, is no faster.
private let patchBudget = 128 << 10
/// Bytes that stay in a second-level cache beside the output: half of 512 KiB (Zen 3; 2 MiB on Sapphire Rapids).
private let planesBudget = 256 << 10
/// Multiply-adds after which a thread looks for another task and for an interrupt: about a millisecond.
private let taskWork = 16_000_000.0
/// Output bytes from which on stores past the caches pay, if memory binds at all, as it does up to some 3x3 taps and
/// wherever input is packed: more than a second-level cache and one process's share of a third-level one. Measured on
/// Sapphire Rapids with 63 MB of output: 3x3 gains 20 % by them, 5x5 loses 10 %, 5x5 over every second row and column
/// gains 10 %.
private let streamingBytes = 32 << 20
private let streamingTaps = 12

/// Rows of full register tiles only, if there are as many.
private func wholeTiles(_ rows: Int) -> Int {
    rows < sharedRowsHeight ? rows : rows / sharedRowsHeight &* sharedRowsHeight
}

extension StencilPlan {
    private mutating func chooseBlocks() {
        if flat.isUsed { return }
        let rows = rowCount(phase: 0)
        blockColumns = widensRows ? lanes : min(column.outExtent, 2048)
        blockRows = rows
        if !usesBlocks { return }
        while true {
            patch = PatchGeometry(self, rows: blockRows, columns: blockColumns)
            let results = saturatingMultiply(blockRows, blockColumns &* element)
            let bytes = saturatingAdd(patch.byteCount, mayFactor ? saturatingMultiply(2, results) : results)
            if bytes <= patchBudget { return }
            // Halo rows are moved for every block: blocks lose columns before they get lower than their halo.
            let lowest = wholeTiles(max(2 &* sharedRowsHeight, min(row.filterExtent, 64)))
            if blockRows > lowest {
                blockRows = max(lowest, wholeTiles((blockRows &+ 1) / 2))
            } else if blockColumns > 8 &* lanes {
                blockColumns = max(8 &* lanes, blockColumns / 2)
            } else if blockRows > 1 {
                blockRows = (blockRows &+ 1) / 2
            } else if blockColumns > lanes {
                blockColumns = max(lanes, blockColumns / 2)
            } else {
                return
            }
        }
    }

    /// Taps for one output of each repeated filter.
    private var tapsPerOutput: Double {
        Double(planes) * Double(row.filterExtent) * Double(column.filterExtent) * Double(max(repeated.outExtent, 1))
    }

    private mutating func chooseTasks() {
        if flat.isUsed {
            taskCount = flat.taskCount
            return
        }
        let rows = rowCount(phase: 0)
        let direct = readsInPlace && writesInPlace
        taskColumns = direct ? min(column.outExtent, 8192) : blockColumns
        if direct && !column.isWindow && planes > 1 {
            // Vectors along the batch: the rows and planes of a narrow block of it are still in the second-level cache
            // for the next output.
            let fits = planesBudget / max(1, saturatingMultiply(saturatingMultiply(planes, row.inExtent), element))
            taskColumns = min(taskColumns, max(1, fits / widestColumns) &* widestColumns)
        }
        // Large filters: fewer columns, so that a strip is not a task too long.
        let columnsPerTask = Int(min(taskWork / (tapsPerOutput * Double(sharedRowsHeight)), 1e9))
        taskColumns = min(taskColumns, max(widestColumns, columnsPerTask / widestColumns &* widestColumns))
        if masked.isUsed { taskColumns = column.outExtent }
        let perRow = tapsPerOutput * Double(taskColumns)
        taskRows = rows
        if perRow * Double(rows) > taskWork {
            taskRows = min(rows, max(sharedRowsHeight, Int(min(taskWork / perRow, 1e9))))
            taskRows = wholeTiles(taskRows)
        }
        if taskRows > blockRows && !direct && !masked.isUsed {
            taskRows = max(blockRows, taskRows / blockRows &* blockRows)
        }
        rowTasks = rows == 0 ? 0 : ceilingDivide(rows, taskRows)
        columnTasks = column.outExtent == 0 ? 0 : ceilingDivide(column.outExtent, taskColumns)
        var count = saturatingMultiply(rowTasks, columnTasks)
        count = saturatingMultiply(count, min(rowPhases, max(row.outExtent, 1)))
        for i in 0..<outerCount { count = saturatingMultiply(count, outer[i].outExtent) }
        taskCount = count
    }

    /// Masked images of one task each, with one plane, which lie along a batch axis.
    var tasksAreMaskedImages: Bool {
        if !masked.isUsed || rowTasks != 1 || columnTasks != 1 || batchCount == 0 || !hasOneInnerPlane { return false }
        for i in batchCount..<outerCount where outer[i].outExtent != 1 { return false }
        return true
    }

    /// The next plane's taps along the outer window axes, the last fastest.
    func advance(_ planeTaps: inout AxisInts) {
        var i = outerCount &- 1
        while i >= batchCount {
            planeTaps[i] &+= 1
            if planeTaps[i] < outer[i].filterExtent { return }
            planeTaps[i] = 0
            i &-= 1
        }
    }

    /// Patch rows of a block of output rows; also what the first of two passes computes for it.
    func patchRows(_ rows: Int) -> Int {
        patch.rowPerTap
            ? saturatingMultiply(rows, row.filterExtent)
            : (rows &- 1) &* patch.outputRowSteps &+ (row.filterExtent &- 1) &* patch.filterRowSteps &+ 1
    }

    /// Multiply-adds of one task, for deciding how many of them a thread takes at once.
    var workPerTask: Double {
        if flat.isUsed { return flat.workPerTask }
        return tapsPerOutput * Double(taskRows) * Double(taskColumns)
    }
}
