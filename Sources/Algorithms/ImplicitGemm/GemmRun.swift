import Foundations
import Kernels

/// One thread's part in a contraction: its tasks, block by block.
struct GemmRun {
    let plan: UnsafePointer<GemmPlan>
    let filter: UnsafeRawPointer
    let layout: UnsafePointer<GemmScratch>
    let scratch: UnsafeMutableRawPointer
    let slot: Int
    let interruption: UnsafeMutablePointer<Interruption>

    func run(tasks: Range<Int>) {
        if !plan.pointee.repeatsBlock {
            for task in tasks { run(task: task) }
            return
        }
        var block = GemmBlock(plan: plan, layout: layout.pointee, scratch: scratch)
        block.enter(batch: tasks.lowerBound, columns: 0, rows: 0, filter: filter)
        block.enter(depth: 0)
        block.run(batches: tasks, filter: filter)
    }

    /// Tasks are numbered with the row block fastest: neighbours share the columns' input.
    private func run(task: Int) {
        let plan = plan.pointee
        let rowBlock = task % plan.rowBlocks.count
        let rest = task / plan.rowBlocks.count
        let batch = rest / plan.columnBlocks.count
        var block = GemmBlock(plan: self.plan, layout: layout.pointee, scratch: scratch)
        block.enter(batch: batch, columns: rest % plan.columnBlocks.count, rows: rowBlock, filter: filter)
        for number in 0..<plan.depthBlocks.count {
            if interruption.isRaised(slot: slot) { return }
            block.enter(depth: number)
            block.run(isFirst: number == 0, isLast: number == plan.depthBlocks.count &- 1)
        }
        block.writeOut()
    }
}

/// Where a thread's scratch has what.
struct GemmScratch {
    var columnsIn = 0
    var lanesOut = 0
    var rowsOut = 0
    var rowsSums = 0
    var rowsFilter = 0
    var depthIn = 0
    var depthRuns = 0
    var segmentLengths = 0
    var segments = 0
    var segmentCapacity = 0
    var boxes = 0
    var patchLists = 0
    var start = 0
    var stages = 0
    var panel = 0
    var rowWords = 0
    var rowWordsPitch = 0
    /// Rows of the filter that a block packs itself, and tables for it.
    var rowGroups = 0
    var rowTables = 0
    var patch = 0
    var sums = 0
    var byteCount = 0

    init(_ plan: GemmPlan) {
        let columns = plan.columnBlocks.largest
        let rows = plan.rowBlocks.largest
        let depth = plan.depthBlocks.largest
        let (laneCount, rowCount) = plan.lanesAreColumns ? (columns, rows) : (rows, columns)
        let panels = ceilingDivide(max(laneCount, 1), plan.panelWidth)
        var places = WorkspaceLayout()
        columnsIn = places.take(saturatingMultiply(columns &+ 1, 8))
        lanesOut = places.take(saturatingMultiply(panels, 8 &* plan.panelWidth))
        rowsOut = places.take(saturatingMultiply(rowCount &+ 1, 8))
        rowsSums = places.take(saturatingMultiply(rowCount &+ 1, 8))
        rowsFilter = places.take(saturatingMultiply(rows &+ 1, 8))
        depthIn = places.take(saturatingMultiply(depth &+ 1, 8))
        depthRuns = places.take(saturatingMultiply(depth &+ 1, 8))
        segmentLengths = places.take(saturatingMultiply(depth &+ 1, 8))
        segmentCapacity = plan.lanesAreColumns ? 1 : depth &+ 1
        segments = places.take(saturatingMultiply(segmentCapacity, 8 &* max(rowCount, 1)))
        boxes = places.take(4 &* maximumRank &* 8)
        patchLists = places.take(GemmPatch.storageBytes(plan.problem))
        let startVectors = plan.lanesAreColumns ? max(rowCount, 1) : panels &* plan.panelVectors
        start = places.take(saturatingMultiply(startVectors, plan.lanes &* plan.element))
        stages = places.take(2 &* 16 &* stageElements)
        let words = plan.operands.words(depth)
        panel = places.take(plan.lanesAreColumns ? saturatingMultiply(words, plan.panelPitch) : 0)
        rowWordsPitch = 4 &* words
        let copiesRows = !plan.lanesAreColumns && !plan.operands.areElements
        rowWords = places.take(copiesRows ? saturatingMultiply(rowCount, rowWordsPitch) : 0)
        let filter = plan.filter
        let groups = filter.isPackedByBlock ? ceilingDivide(rows, contractionTileRows) : 0
        rowGroups = places.take(saturatingMultiply(groups, filter.groupPitch))
        rowTables = places.take(filter.isPackedByBlock ? filter.stageBytes(plan.problem) : 0)
        let patchBytes = GemmPatch.byteCount(
            plan.problem, plan.columnBlocks, plan.depthBlocks, element: plan.operands.elementBytes)
        patch = places.take(saturatingAdd(patchBytes, 64))
        sums = places.take(saturatingMultiply(saturatingMultiply(panels, plan.panelPitch), rowCount))
        byteCount = places.byteCount
    }
}
