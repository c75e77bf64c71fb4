import CMachine
import Foundations
import Kernels

/// Adds up all windows.
func runSums(_ problem: PatchesProblem, threads: Int, control: Control) throws(Failure) -> Bool {
    let axisBytes = roundToCacheLine((problem.rank &+ 1) &* MemoryLayout<SumAxis>.stride)
    let loops = SumPlan.loopCapacity(rank: problem.rank)
    return try withWorkspace(byteCount: axisBytes &+ loops &* MemoryLayout<SumLoop>.stride) {
        (memory) throws(Failure) in
        var plan = SumPlan(
            problem, axes: memory.bindMemory(to: SumAxis.self, capacity: problem.rank &+ 1),
            loops: (memory + axisBytes).bindMemory(to: SumLoop.self, capacity: loops))
        let used = plan.threads(threads)
        let weightBytes = roundToCacheLine(plan.weightTableBytes)
        var scratch = SumScratch(plan)
        let byteCount = saturatingAdd(weightBytes, saturatingMultiply(scratch.byteCount, used))
        return try withWorkspace(byteCount: byteCount) { (memory) throws(Failure) in
            if plan.averages { plan.writeWeights(to: memory) }
            return withUnsafePointer(to: &plan) { plan in
                withUnsafePointer(to: &scratch) { scratch in
                    var context = SumContext(
                        plan: plan, places: scratch, weights: UnsafeRawPointer(memory), scratch: memory + weightBytes)
                    return ThreadPool.run(
                        tasks: plan.pointee.taskCount, grain: plan.pointee.grain(threads: used), threads: used,
                        control: control, context: &context, sumTasks)
                }
            }
        }
    }
}

/// Bytes between the patches that are added and those that are asked for meanwhile. Measured on Sapphire Rapids (3x3
/// from memory): 3 KiB gain 25 %, 6 KiB 30 %.
private let askingDistance = 6 << 10

/// Rows of a transposition between two requests.
private let transposedRows = 16

private struct SumContext {
    let plan: UnsafePointer<SumPlan>
    let places: UnsafePointer<SumScratch>
    let weights: UnsafeRawPointer
    let scratch: UnsafeMutableRawPointer
}

private func sumTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: SumContext.self).pointee
    let run = SumRun(
        context.plan, context.places, weights: context.weights,
        scratch: context.scratch + slot &* context.places.pointee.byteCount)
    for task in first..<end { run.run(task, isFirst: task == first) }
}

/// What a thread needs to add up blocks of a plan.
struct SumRun {
    let plan: UnsafePointer<SumPlan>
    private let weights: UnsafeRawPointer
    /// The block: its first element and its extent along each axis, and the position that loops outside have reached.
    let firsts: UnsafeMutablePointer<Int>
    let counts: UnsafeMutablePointer<Int>
    private let positions: UnsafeMutablePointer<Int>
    /// The block's extent along the run's axis when divisors were computed.
    private let divisorWidth: UnsafeMutablePointer<Int>
    let sums: UnsafeMutableRawPointer
    let divisors: UnsafeMutableRawPointer
    let stages: UnsafeMutableRawPointer
    private let transposed: UnsafeMutableRawPointer
    let writeLoops: UnsafeMutablePointer<CopyLoop>
    let boxScratch: UnsafeMutableRawPointer

    init(
        _ plan: UnsafePointer<SumPlan>, _ places: UnsafePointer<SumScratch>, weights: UnsafeRawPointer,
        scratch: UnsafeMutableRawPointer
    ) {
        self.plan = plan
        self.weights = weights
        let axisCount = plan.pointee.axisCount
        firsts = (scratch + places.pointee.lists).bindMemory(to: Int.self, capacity: 3 &* axisCount &+ 1)
        counts = firsts + axisCount
        positions = counts + axisCount
        divisorWidth = positions + axisCount
        sums = scratch + places.pointee.sums
        divisors = scratch + places.pointee.divisors
        stages = scratch + places.pointee.stages
        transposed = scratch + places.pointee.transposed
        writeLoops = (scratch + places.pointee.loops).bindMemory(to: CopyLoop.self, capacity: axisCount &+ 1)
        boxScratch = scratch + places.pointee.box
    }

    /// `isFirst`: the task is not the one after that before.
    func run(_ task: Int, isFirst: Bool) {
        setBlock(task)
        let element = plan.pointee.element
        sums.initializeMemory(as: UInt8.self, repeating: 0, count: plan.pointee.blockElements &* element)
        addUp(0, UnsafeRawPointer(plan.pointee.problem.patches), origin(sums), weights, .sums)
        if plan.pointee.averages {
            // Along a run over a batch axis divisors are held for as many elements as a block had.
            let width = counts[plan.pointee.run.axis]
            if isFirst || task % plan.pointee.batchTasks == 0 || width > divisorWidth.pointee {
                divisorWidth.pointee = width
                divisors.initializeMemory(as: UInt8.self, repeating: 0, count: plan.pointee.divisorCount &* element)
                addUp(0, weights, origin(divisors), weights, .divisors)
                if plan.pointee.problem.weights == nil {
                    invert(
                        divisors, to: inverses, count: plan.pointee.divisorCount &* plan.pointee.parts,
                        plan.pointee.scalar)
                }
            }
            average()
        }
        write()
    }

    /// Batch axes fastest: their tasks share divisors.
    private func setBlock(_ task: Int) {
        var rest = task
        for batch in [true, false] {
            for i in (0..<plan.pointee.axisCount).reversed() where plan.pointee.axes[i].isBatch == batch {
                let axis = plan.pointee.axes + i
                let index = rest % axis.pointee.blocks
                rest /= axis.pointee.blocks
                firsts[i] = index &* axis.pointee.block
                counts[i] = min(axis.pointee.block, axis.pointee.axis.extent &- firsts[i])
                positions[i] = 0 &- axis.pointee.axis.padding
            }
        }
    }

    /// Where the sum of the element would be at which every loop begins.
    private func origin(_ memory: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        var offset = 0
        for i in 0..<plan.pointee.axisCount {
            offset &+= plan.pointee.axes[i].place(positions[i], first: firsts[i])
        }
        return memory + offset
    }

    // MARK: - Adding

    private enum Quantity { case sums, stagedSums, divisors }

    /// Adds what the loops from `level` on contribute to the block.
    private func addUp(
        _ level: Int, _ source: UnsafeRawPointer, _ sum: UnsafeMutableRawPointer, _ weight: UnsafeRawPointer,
        _ quantity: Quantity
    ) {
        if level == plan.pointee.stagedLevel, case .sums = quantity {
            addTransposed(source, sum, weight)
            return
        }
        if level == plan.pointee.tileLevel {
            addTile(source, sum, weight, quantity)
            return
        }
        let loop = plan.pointee.loops + level
        let axis = loop.pointee.axis
        let position = positions[axis]
        let range = indices(loop, quantity)
        let sumAxis = plan.pointee.axes + axis
        let origin = sumAxis.pointee.place(position, first: firsts[axis])
        let sourceStride = stride(loop, quantity)
        let weightStride = weightStride(loop)
        for n in 0..<range.count {
            // Taps rise along an axis, so windows fall where they come first.
            let falls = loop.pointee.isFirstOfTwo && loop.pointee.isWindows
            let i = falls ? range.upperBound &- 1 &- n : range.lowerBound &+ n
            positions[axis] = position &+ i &* loop.pointee.advance
            let offset = sumAxis.pointee.place(positions[axis], first: firsts[axis]) &- origin
            addUp(level &+ 1, source + i &* sourceStride, sum + offset, weight + i &* weightStride, quantity)
        }
        positions[axis] = position
    }

    /// Indices of a loop that reach into the block.
    @inline(__always)
    private func indices(_ loop: UnsafePointer<SumLoop>, _ quantity: Quantity) -> Range<Int> {
        let axis = loop.pointee.axis
        let low = firsts[axis] &- positions[axis]
        // Divisors are the same all along a batch axis, but in a run they are held for each element.
        var count = counts[axis]
        if case .divisors = quantity, plan.pointee.axes[axis].isBatch, axis != plan.pointee.run.axis { count = 1 }
        return indices(loop, low: low &- loop.pointee.reach, high: low &+ count &- 1)
    }

    /// Indices of a loop whose advance is from `low` to `high`.
    @inline(__always)
    private func indices(_ loop: UnsafePointer<SumLoop>, low: Int, high: Int) -> Range<Int> {
        if high < 0 { return 0..<0 }
        let step = loop.pointee.advance
        let first = low <= 0 ? 0 : step == 1 ? low : ceilingDivide(low, step)
        let end = min(loop.pointee.extent, (step == 1 ? high : high / step) &+ 1)
        return first..<max(first, end)
    }

    @inline(__always)
    private func stride(_ loop: UnsafePointer<SumLoop>, _ quantity: Quantity) -> Int {
        switch quantity {
        case .sums: loop.pointee.source
        case .stagedSums: loop.pointee.staged
        case .divisors: weightStride(loop)
        }
    }

    @inline(__always)
    private func weightStride(_ loop: UnsafePointer<SumLoop>) -> Int {
        loop.pointee.weight &* plan.pointee.weightRepeats &* plan.pointee.scalar.byteCount
    }

    /// The two innermost loops, or one: rows of a run.
    private func addTile(
        _ source: UnsafeRawPointer, _ sum: UnsafeMutableRawPointer, _ weight: UnsafeRawPointer, _ quantity: Quantity
    ) {
        let plan = plan
        let run = plan.pointee.loops + (plan.pointee.loopCount &- 1)
        let range = indices(run, quantity)
        if range.isEmpty { return }
        let runAxis = plan.pointee.axes + run.pointee.axis
        let count = range.count &* plan.pointee.runUnit
        var rows = sc_added_rows()
        rows.rows = 1
        rows.count = Int64(count &* plan.pointee.parts)
        let stride = stride(run, quantity)
        var from = source + range.lowerBound &* stride
        var to = sum + range.lowerBound &* runAxis.pointee.sumStride
        var weight = weight + range.lowerBound &* weightStride(run)
        if plan.pointee.tileLevel < plan.pointee.loopCount &- 1 {
            let row = plan.pointee.loops + plan.pointee.tileLevel
            let range = indices(row, quantity)
            if range.isEmpty { return }
            let sumStride = row.pointee.advance &* plan.pointee.axes[row.pointee.axis].sumStride
            rows.rows = Int64(range.count)
            rows.source_row_stride = Int64(self.stride(row, quantity))
            rows.sum_row_stride = Int64(sumStride)
            rows.weight_row_stride = Int64(weightStride(row))
            from += range.lowerBound &* self.stride(row, quantity)
            to += range.lowerBound &* sumStride
            weight += range.lowerBound &* weightStride(row)
        }
        rows.sums = to.assumingMemoryBound(to: UInt8.self)
        rows.source = from.assumingMemoryBound(to: UInt8.self)
        rows.weights = weight.assumingMemoryBound(to: UInt8.self)
        var addend = Addend.elements
        if case .divisors = quantity {
            addend = run.pointee.weight == 0 ? .weight : .elements
        } else {
            if plan.pointee.problem.weights != nil { addend = run.pointee.weight == 0 ? .scaled : .weighted }
            if case .sums = quantity { rows.ahead = Int64(askingDistance) }
            let size = plan.pointee.problem.patchesType.byteCount
            if !plan.pointee.reader.isPlain || stride != size &* plan.pointee.runUnit {
                addConverted(&rows, addend, from, stride: plan.pointee.runUnit == 1 ? stride : size, count)
                return
            }
        }
        addRows(&rows, addend, plan.pointee.scalar)
    }

    /// Rows that are gathered or converted first, in pieces.
    private func addConverted(
        _ rows: inout sc_added_rows, _ addend: Addend, _ source: UnsafeRawPointer, stride: Int, _ count: Int
    ) {
        let reader = plan.pointee.reader
        let (rowCount, sums, weights) = (Int(rows.rows), rows.sums, rows.weights)
        rows.rows = 1
        rows.ahead = 0
        rows.source = UnsafePointer(stages.assumingMemoryBound(to: UInt8.self))
        for r in 0..<rowCount {
            let row = source + r &* Int(rows.source_row_stride)
            var first = 0
            while first < count {
                let part = min(SumScratch.stageElements, count &- first)
                reader.read(
                    row + first &* stride, stride: stride, count: part, to: stages,
                    stage: stages + SumScratch.stageBytes)
                let offset = first &* plan.pointee.element
                rows.sums = sums.map { $0 + (r &* Int(rows.sum_row_stride) &+ offset) }
                let weightOffset = if case .weighted = addend { offset } else { 0 }
                rows.weights = weights.map { $0 + (r &* Int(rows.weight_row_stride) &+ weightOffset) }
                rows.count = Int64(part &* plan.pointee.parts)
                addRows(&rows, addend, plan.pointee.scalar)
                first &+= part
            }
        }
    }

    /// Adds what the loops from the staged level on contribute: the part of the patches that they walk is transposed,
    /// so that it is contiguous along the run.
    private func addTransposed(
        _ source: UnsafeRawPointer, _ sum: UnsafeMutableRawPointer, _ weight: UnsafeRawPointer
    ) {
        let run = plan.pointee.loops + (plan.pointee.loopCount &- 1)
        let axis = run.pointee.axis
        let low = firsts[axis] &- positions[axis]
        let range = indices(run, low: low &- plan.pointee.stagedReach, high: low &+ counts[axis] &- 1)
        if range.isEmpty { return }
        let size = plan.pointee.problem.patchesType.byteCount
        assert(range.count <= plan.pointee.stagedRows)
        let part = stagedPart()
        let stride = run.pointee.source
        var tile = TransposedTiles(
            rows: 0, columns: part.columns, sourceRow: stride,
            destinationColumn: plan.pointee.stagedRows &* size, tiles: 1, sourceTile: 0, destinationTile: 0,
            elementBytes: size)
        var row = 0
        while row < range.count {
            tile.rows = min(transposedRows, range.count &- row)
            let rows = source + part.offset + (range.lowerBound &+ row) &* stride
            askForNext(rows, tile)
            transpose(rows, to: transposed + row &* size, offsets: nil, &tile)
            row &+= tile.rows
        }
        let origin = UnsafeRawPointer(transposed) - (part.stagedOffset &+ range.lowerBound &* size)
        addUp(plan.pointee.stagedLevel, origin, sum, weight, .stagedSums)
    }

    /// Asks for as many rows as are transposed meanwhile.
    private func askForNext(_ rows: UnsafeRawPointer, _ tile: TransposedTiles) {
        if tile.sourceRow > 0 && tile.sourceRow <= 256 {
            askFor(rows + askingDistance, byteCount: tile.rows &* tile.sourceRow)
            return
        }
        let next = rows + transposedRows &* tile.sourceRow
        for r in 0..<tile.rows {
            askFor(next + r &* tile.sourceRow, byteCount: tile.columns &* tile.elementBytes)
        }
    }

    /// The staged loops hold a whole patch beside the run, or some elements of a batch axis.
    private func stagedPart() -> (offset: Int, stagedOffset: Int, columns: Int) {
        var columns = 1
        var (offset, stagedOffset) = (0, 0)
        for l in plan.pointee.stagedLevel..<plan.pointee.loopCount &- 1 {
            let loop = plan.pointee.loops + l
            var count = loop.pointee.extent
            if plan.pointee.axes[loop.pointee.axis].isBatch {
                let first = firsts[loop.pointee.axis]
                count = counts[loop.pointee.axis]
                offset &+= first &* loop.pointee.source
                stagedOffset &+= first &* loop.pointee.staged
            }
            columns = columns &* count
        }
        return (offset, stagedOffset, columns)
    }
}
