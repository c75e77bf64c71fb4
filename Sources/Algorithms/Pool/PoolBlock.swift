import Foundations

/// A task: some rows, columns and units of one output of every outer axis.
struct PoolBlock {
    var rows: Range<Int>
    var columns: Range<Int>
    var units: Int
    /// Where the block's units stand at index 0 of row and column axis and at the first plane.
    var input: UnsafeRawPointer
    /// The block's first output.
    var output: UnsafeMutableRawPointer
    var indices: UnsafeMutableRawPointer?
    /// The flat index at tap 0 of every outer axis.
    var flat = 0
    /// The product of what averages count along the outer axes.
    var counted = 1
    /// Taps of outer window axes that read an element; 0 where one has none.
    var planes = 1

    init(_ task: Int, _ run: PoolRun) {
        let plan = run.plan
        let outerCount = plan.pointee.outerCount
        let (rowIndex, columnIndex, unitIndex, rest) = plan.pointee.blockIndices(task)
        let (row, column, unit) = (
            rowIndex &* plan.pointee.rowBlock, columnIndex &* plan.pointee.columnBlock, unitIndex
        )
        rows = row..<min(row &+ plan.pointee.rowBlock, plan.pointee.row.outExtent)
        columns = column..<min(column &+ plan.pointee.columnBlock, plan.pointee.column.outExtent)
        let firstUnit = unit &* plan.pointee.unitBlock
        units = min(plan.pointee.unitBlock, plan.pointee.unit.outExtent &- firstUnit)
        input = plan.pointee.input + firstUnit &* plan.pointee.unit.inStride
        output =
            plan.pointee.output + firstUnit &* plan.pointee.unit.outStride + row &* plan.pointee.row.outStride
            + column &* plan.pointee.column.outStride
        indices = plan.pointee.indices.map {
            $0 + firstUnit &* plan.pointee.unit.indexStride + row &* plan.pointee.row.indexStride + column
                &* plan.pointee.column.indexStride
        }
        var left = rest
        for i in (0..<outerCount).reversed() {
            let extent = plan.pointee.outer[i].outExtent
            place(plan.pointee.outer + i, at: left % extent, run.taps + i, plan.pointee.problem)
            left /= extent
        }
    }

    private mutating func place(
        _ axis: UnsafePointer<PoolAxis>, at o: Int, _ taps: UnsafeMutablePointer<PoolTaps>, _ problem: PoolProblem
    ) {
        output += o &* axis.pointee.outStride
        if let start = indices { indices = start + o &* axis.pointee.indexStride }
        let start = o &* axis.pointee.step &- axis.pointee.padding
        flat = flat &+ start &* axis.pointee.flatStride
        let range = axis.pointee.isWindow ? axis.pointee.taps(of: o) : 0..<1
        taps.pointee = PoolTaps(axis.pointee, range)
        planes = planes &* range.count
        counted = counted &* axis.pointee.counted(o, padding: problem.countsPadding)
        if !range.isEmpty {
            input += (start &+ range.lowerBound &* axis.pointee.dilation) &* axis.pointee.inStride
        }
    }
}

extension PoolPlan {
    /// Which block of rows, columns and units a task is, and its place along the outer axes.
    fileprivate func blockIndices(_ task: Int) -> (row: Int, column: Int, unit: Int, rest: Int) {
        // Units and columns go first: rows that share input still find it in the cache, and memory is read as it lies.
        let (rowBlocks, columnBlocks, unitBlocks) = (rowBlocks, columnBlocks, unitBlocks)
        if columnBlocks == 1 && unitBlocks == 1 {
            let (rest, row) = task.quotientAndRemainder(dividingBy: rowBlocks)
            return (row, 0, 0, rest)
        }
        let (afterUnit, unit) = task.quotientAndRemainder(dividingBy: unitBlocks)
        let (afterColumn, column) = afterUnit.quotientAndRemainder(dividingBy: columnBlocks)
        let (rest, row) = afterColumn.quotientAndRemainder(dividingBy: rowBlocks)
        return (row, column, unit, rest)
    }
}

extension PoolAxis {
    /// Elements of output `o`'s window that an average divides by.
    func counted(_ o: Int, padding countsPadding: Bool) -> Int {
        if !isWindow { return 1 }
        return countsPadding
            ? taps(of: o, low: 0 &- padding, high: inExtent &+ paddingHigh).count : taps(of: o).count
    }
}

/// The taps of an axis that read an element for the current output, and which of them is current.
struct PoolTaps {
    let range: Range<Int>
    private(set) var current: Int
    let bytes: Int
    let flat: Int

    init(_ axis: PoolAxis, _ range: Range<Int>) {
        self.range = range
        current = range.lowerBound
        bytes = axis.dilation &* axis.inStride
        flat = axis.dilation &* axis.flatStride
    }

    /// Goes to the next tap, after the last one back to the first, and adds the way. Returns false after the last.
    @inline(__always)
    mutating func advance(_ wayInBytes: inout Int, _ wayInFlat: inout Int) -> Bool {
        current &+= 1
        if current < range.upperBound {
            wayInBytes = wayInBytes &+ bytes
            wayInFlat = wayInFlat &+ flat
            return true
        }
        let back = range.count &- 1
        current = range.lowerBound
        wayInBytes = wayInBytes &- back &* bytes
        wayInFlat = wayInFlat &- back &* flat
        return false
    }
}

extension PoolRun {
    /// Those of the outer axes; then, for maxima with indices, of row and column.
    var taps: UnsafeMutablePointer<PoolTaps> {
        (scratch + plan.pointee.scratch.taps).assumingMemoryBound(to: PoolTaps.self)
    }

    /// Goes from one plane to the next and returns how far it lies from it; after the last plane back to the first.
    func advancePlane() -> Int {
        var (bytes, flat) = (0, 0)
        for i in (0..<plan.pointee.outerCount).reversed() {
            if taps[i].advance(&bytes, &flat) { break }
        }
        return bytes
    }
}
