import Foundations
import Kernels

/// A block of outputs: some columns by some rows of one batch combination, over one block of depths after the other.
struct GemmBlock {
    private let plan: UnsafePointer<GemmPlan>
    private let layout: GemmScratch
    private let scratch: UnsafeMutableRawPointer
    private let columns: IndexBox
    private let depth: IndexBox
    private var patch: GemmPatch
    private var input: UnsafeRawPointer
    private var output: UnsafeMutableRawPointer
    private var filter: UnsafeRawPointer
    private var firstRow = 0
    private var rowCount = 0
    private var columnCount = 0
    private var depthCount = 0
    private var firstDepth = 0
    /// Where the first column meets the first depth, and whether that is in the patch.
    private var source: UnsafeRawPointer
    private var segmentCount = 0
    private var depthRunCount = 0

    init(plan: UnsafePointer<GemmPlan>, layout: GemmScratch, scratch: UnsafeMutableRawPointer) {
        self.plan = plan
        self.layout = layout
        self.scratch = scratch
        let boxes = (scratch + layout.boxes).assumingMemoryBound(to: Int.self)
        let problem = plan.pointee.problem
        columns = IndexBox(list: problem.columns, starts: boxes, counts: boxes + maximumRank)
        depth = IndexBox(
            list: problem.depth, starts: boxes + 2 &* maximumRank, counts: boxes + 3 &* maximumRank)
        patch = GemmPatch(problem, storage: scratch + layout.patchLists)
        input = problem.input
        output = problem.output
        filter = problem.filter
        source = problem.input
    }

    private func ints(_ place: Int) -> UnsafeMutablePointer<Int> {
        (scratch + place).assumingMemoryBound(to: Int.self)
    }

    private var laneCount: Int { plan.pointee.lanesAreColumns ? columnCount : rowCount }
    private var tileRowCount: Int { plan.pointee.lanesAreColumns ? rowCount : columnCount }

    // MARK: Entering

    /// Takes up a block: its tables of offsets, and what its sums start from.
    mutating func enter(batch: Int, columns block: Int, rows rowBlock: Int, filter packed: UnsafeRawPointer) {
        let plan = plan.pointee
        let problem = plan.problem
        plan.columnBlocks.ranges(block, columns.starts, columns.counts)
        columnCount = columns.extent
        let rowBox = IndexBox(list: problem.rows, starts: depth.starts, counts: depth.counts)
        plan.rowBlocks.ranges(rowBlock, rowBox.starts, rowBox.counts)
        rowCount = rowBox.extent
        firstRow = problem.rows.count == 0 ? 0 : rowBox.starts.pointee
        input = problem.input + problem.batch.offset(batch, .input)
        output =
            problem.output
            + (problem.batch.offset(batch, .output) &+ columns.start(.output)
                &+ rowBox.start(.output))
        let (columnsOut, rowsOut) =
            plan.lanesAreColumns ? (layout.lanesOut, layout.rowsOut) : (layout.rowsOut, layout.lanesOut)
        write(columns, .output, to: columnsOut)
        write(rowBox, .output, to: rowsOut)
        if plan.filter.isInPlace {
            filter =
                problem.filter + (problem.batch.offset(batch, .filter) &+ rowBox.start(.filter))
            write(rowBox, .filter, to: layout.rowsFilter)
        } else {
            let rowBytes = plan.filter.depth &* plan.element
            filter = packed + (batch &* plan.filter.batchBytes &+ firstRow &* rowBytes)
            for row in 0..<rowCount { ints(layout.rowsFilter)[row] = row &* rowBytes }
        }
        for row in 0..<tileRowCount { ints(layout.rowsSums)[row] = row &* layout.sumsPitch }
        writeStart(batch, rowBox)
    }

    @inline(__always)
    private func write(_ box: IndexBox, _ operand: ContractionIndex.Operand, to place: Int) {
        var strides = InlineArray<32, Int>(repeating: 0)
        for i in 0..<box.list.count { strides[i] = box.list[i].stride(operand) }
        withUnsafePointer(to: &strides) { strides in
            let strides = UnsafeRawPointer(strides).assumingMemoryBound(to: Int.self)
            _ = writeOffsets(box.counts, strides, indices: box.list.count, to: ints(place))
        }
    }

    /// The bias as sums start from it: on all lanes of a vector for each row, or on the lanes that are rows. Else zeros.
    private func writeStart(_ batch: Int, _ rows: IndexBox) {
        let plan = plan.pointee
        let problem = plan.problem
        let vector = plan.lanes &* plan.element
        let target = scratch + layout.start
        if problem.epilogue.bias == nil {
            target.initializeMemory(as: UInt8.self, repeating: 0, count: vector)
            return
        }
        let first = problem.batch.offset(batch, .bias) &+ rows.start(.bias)
        let stage = scratch + layout.stages
        // One index of rows, or a cut at the outermost: the distance is the same.
        let stride = problem.rows.count == 0 ? 0 : problem.rows[problem.rows.count &- 1].biasStride
        let (copies, pitch) = plan.lanesAreColumns ? (plan.lanes, vector) : (1, plan.element)
        for r in 0..<rowCount {
            problem.epilogue.readBias(
                first &+ r &* stride, count: copies, problem.arithmetic, to: target + r &* pitch, stage: stage)
        }
        if !plan.lanesAreColumns {
            let width = plan.panelWidth
            let padded = ceilingDivide(rowCount, width) &* width
            (target + rowCount &* plan.element).initializeMemory(
                as: UInt8.self, repeating: 0, count: (padded &- rowCount) &* plan.element)
        }
    }

    /// Takes up a block of depths: its samples, in the input or copied into a patch, and their offsets.
    mutating func enter(depth number: Int) {
        let plan = plan.pointee
        let problem = plan.problem
        plan.depthBlocks.ranges(number, depth.starts, depth.counts)
        depthCount = depth.extent
        firstDepth = 0
        for i in 0..<problem.depth.count {
            firstDepth = firstDepth &* problem.depth[i].extent &+ depth.starts[i]
        }
        if columnCount == 0 || depthCount == 0 {
            segmentCount = 0
            return
        }
        patch.describe(problem, columns, depth, element: plan.element)
        if plan.reader.isPlain && isInside {
            source =
                input + (columns.start(.input) &+ depth.start(.input) &- paddingOffset(problem))
            write(columns, .input, to: layout.columnsIn)
            write(depth, .input, to: layout.depthIn)
        } else {
            patch.fill(
                scratch + layout.patch, from: input, plan.reader, problem.boundary, element: plan.element,
                stage: scratch + layout.stages)
            source = UnsafeRawPointer(scratch + layout.patch) + patch.origin(problem, columns, depth)
            writePatchOffsets(columns, patch.columnAxis, to: layout.columnsIn)
            writePatchOffsets(depth, patch.depthAxis, to: layout.depthIn)
        }
        findSegments()
        writeSegments()
    }

    private var isInside: Bool {
        for i in 0..<patch.axisCount where patch.axes[i].extent >= 0 {
            if patch.axes[i].first < 0 || patch.axes[i].first &+ patch.axes[i].count > patch.axes[i].extent {
                return false
            }
        }
        return true
    }

    private func paddingOffset(_ problem: ContractionProblem) -> Int {
        var offset = 0
        for w in 0..<problem.windowCount {
            offset &+= problem.windows[w].padding &* problem.windows[w].inputStride
        }
        return offset
    }

    private func writePatchOffsets(_ box: IndexBox, _ axisOf: UnsafePointer<Int>, to place: Int) {
        var strides = InlineArray<32, Int>(repeating: 0)
        for i in 0..<box.list.count { strides[i] = patch.stride(box.list[i], axis: axisOf[i]) }
        withUnsafePointer(to: &strides) { strides in
            let strides = UnsafeRawPointer(strides).assumingMemoryBound(to: Int.self)
            _ = writeOffsets(box.counts, strides, indices: box.list.count, to: ints(place))
        }
    }

    /// Runs of contiguous depths, and the segments of rows: those runs, where rows are read where they lie.
    private mutating func findSegments() {
        let runs = ints(layout.depthRuns)
        let depthIn = ints(layout.depthIn)
        let element = plan.pointee.element
        for d in 0..<depthCount { ints(layout.panelDepth)[d] = d &* plan.pointee.panelPitch }
        depthRunCount = 1
        runs[0] = 1
        for d in 1..<max(depthCount, 1) {
            if depthIn[d] &- depthIn[d &- 1] == element {
                runs[depthRunCount &- 1] &+= 1
            } else {
                runs[depthRunCount] = 1
                depthRunCount &+= 1
            }
        }
        segmentCount = plan.pointee.lanesAreColumns ? 1 : depthRunCount
        let lengths = ints(layout.segmentLengths)
        if plan.pointee.lanesAreColumns {
            lengths[0] = depthCount
        } else {
            for s in 0..<segmentCount { lengths[s] = runs[s] }
        }
    }

    // MARK: Running

    mutating func run(isFirst: Bool, isLast: Bool) {
        let width = plan.pointee.panelWidth
        var lane = 0
        while lane < laneCount {
            let count = min(width, laneCount &- lane)
            run(panel: lane, count: count, isFirst: isFirst, isLast: isLast)
            lane &+= width
        }
    }

    private func run(panel lane: Int, count: Int, isFirst: Bool, isLast: Bool) {
        let plan = plan.pointee
        let lanes: UnsafeRawPointer
        if plan.lanesAreColumns {
            lanes = packedLanes(lane, count)
        } else {
            // [panel][depth][lane], of all depths.
            lanes = filter + (lane &* plan.filter.depth &+ firstDepth &* plan.panelWidth) &* plan.element
        }
        let isDirect = isDirect(lane, count)
        var panel = ContractionPanel(
            rowSegments: UnsafePointer(segments), segmentCapacity: layout.segmentCapacity, segments: segmentCount,
            segmentLengths: ints(layout.segmentLengths), lanes: lanes, laneOffsets: ints(layout.panelDepth),
            output: isDirect ? output + ints(layout.lanesOut)[lane] : scratch + (layout.sums &+ lane &* plan.element),
            outputOffsets: ints(isDirect ? layout.rowsOut : layout.rowsSums))
        panel.vectors = ceilingDivide(count, plan.lanes)
        panel.rows = tileRowCount
        if isFirst { (panel.start, panel.startRowStride, panel.startStride) = start(lane) }
        runContractionPanel(plan.problem.arithmetic, &panel)
        if isLast && plan.problem.epilogue.clamp != nil {
            for row in 0..<tileRowCount {
                plan.problem.epilogue.limit(
                    panel.output + panel.outputOffsets[row], count: count, plan.problem.resultType)
            }
        }
    }

    /// Where a panel's sums start from: the first row's, and how far to the next row's and to the next vector's.
    private func start(_ lane: Int) -> (UnsafeRawPointer, Int, Int) {
        let plan = plan.pointee
        let start = UnsafeRawPointer(scratch + layout.start)
        let vector = plan.lanes &* plan.element
        if plan.problem.epilogue.bias == nil { return (start, 0, 0) }
        return plan.lanesAreColumns ? (start, vector, 0) : (start + lane &* plan.element, 0, vector)
    }

    private func packedLanes(_ lane: Int, _ count: Int) -> UnsafeRawPointer {
        let lanes = plan.pointee.lanes
        let panel = scratch + layout.panel
        var from = PanelSource(
            source: source, laneOffsets: ints(layout.columnsIn) + lane, lanes: count,
            depthOffsets: ints(layout.depthIn), depth: depthCount, depthRuns: ints(layout.depthRuns),
            depthRunCount: depthRunCount, elementBytes: plan.pointee.element)
        packPanel(&from, width: ceilingDivide(count, lanes) &* lanes, to: panel, pitch: plan.pointee.panelPitch)
        return UnsafeRawPointer(panel)
    }

    private var segments: UnsafeMutablePointer<UnsafeRawPointer> {
        (scratch + layout.segments).assumingMemoryBound(to: UnsafeRawPointer.self)
    }

    /// Where the rows' segments begin.
    private func writeSegments() {
        let plan = plan.pointee
        let segments = segments
        let capacity = layout.segmentCapacity
        if plan.lanesAreColumns {
            let offsets = ints(layout.rowsFilter)
            let first = filter + firstDepth &* plan.element
            for row in 0..<rowCount { segments[row &* capacity] = first + offsets[row] }
            return
        }
        let columnsIn = ints(layout.columnsIn)
        let depthIn = ints(layout.depthIn)
        let lengths = ints(layout.segmentLengths)
        var d = 0
        for s in 0..<segmentCount {
            let first = source + depthIn[d]
            for row in 0..<columnCount { segments[row &* capacity &+ s] = first + columnsIn[row] }
            d &+= lengths[s]
        }
    }

    // MARK: Outputs

    /// Whether a panel's sums may be kept in the output itself: whole vectors of what the arithmetic computes with.
    private func isDirect(_ lane: Int, _ count: Int) -> Bool {
        let plan = plan.pointee
        if !plan.writer.isPlain || count % plan.lanes != 0 { return false }
        let lanesOut = ints(layout.lanesOut) + lane
        for j in 1..<max(count, 1) where lanesOut[j] &- lanesOut[j &- 1] != plan.element { return false }
        return true
    }

    private func sums(_ row: Int, _ lane: Int) -> UnsafeMutableRawPointer {
        scratch + (layout.sums &+ row &* layout.sumsPitch &+ lane &* plan.pointee.element)
    }

    /// Writes what was kept in scratch.
    func writeOut() {
        let width = plan.pointee.panelWidth
        var lane = 0
        while lane < laneCount {
            let count = min(width, laneCount &- lane)
            if !isDirect(lane, count) { writeOut(lane: lane, count: count) }
            lane &+= width
        }
    }

    /// A panel's lanes, run by run of those that lie at one distance.
    private func writeOut(lane: Int, count: Int) {
        let writer = plan.pointee.writer
        let lanesOut = ints(layout.lanesOut) + lane
        let rowsOut = ints(layout.rowsOut)
        let (stages, second) = (scratch + layout.stages, scratch + (layout.stages &+ 16 &* stageElements))
        var first = 0
        while first < count {
            let step = first &+ 1 < count ? lanesOut[first &+ 1] &- lanesOut[first] : writer.output.byteCount
            var end = first &+ 1
            while end < count && lanesOut[end] &- lanesOut[end &- 1] == step { end &+= 1 }
            let target = output + lanesOut[first]
            for row in 0..<tileRowCount {
                writer.write(
                    sums(row, lane &+ first), count: end &- first, to: target + rowsOut[row], stride: step,
                    stages: stages, second)
            }
            first = end
        }
    }
}
