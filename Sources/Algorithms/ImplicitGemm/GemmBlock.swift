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
    /// Words (depths, where a word is one) of the block, and of those before it.
    private var wordCount = 0
    private var firstWord = 0
    /// Where the first column meets the first depth, and whether that is in the patch.
    private var source: UnsafeRawPointer
    private var segmentCount = 0
    private var depthRunCount = 0
    /// Whether rows are read from copies: words that are whole.
    private var copiesRows = false
    /// From one depth of the input to the next, where that is the same for all and lanes may be read where they lie; else 0.
    private var depthPitch = 0

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
        let rows = plan.rowBlocks.range(rowBlock)
        (firstRow, rowCount) = (rows.lowerBound, rows.count)
        input = problem.input + problem.batch.offset(batch, .input)
        output =
            problem.output
            + (problem.batch.offset(batch, .output) &+ columns.start(.output)
                &+ problem.rows.offset(firstRow, .output))
        let (columnsOut, rowsOut) =
            plan.lanesAreColumns ? (layout.lanesOut, layout.rowsOut) : (layout.rowsOut, layout.lanesOut)
        write(columns, .output, to: columnsOut)
        problem.rows.writeOffsets(rows, .output, to: ints(rowsOut))
        if plan.filter.isInPlace {
            filter =
                problem.filter
                + (problem.batch.offset(batch, .filter) &+ problem.rows.offset(firstRow, .filter))
            problem.rows.writeOffsets(rows, .filter, to: ints(layout.rowsFilter))
        } else if plan.filter.isPackedByBlock {
            filter = problem.filter + problem.batch.offset(batch, .filter)
            for row in 0..<rowCount { ints(layout.rowsFilter)[row] = plan.filter.rowOffset(row) }
        } else {
            let first = plan.filter.rowOffset(firstRow)
            filter = packed + (batch &* plan.filter.batchBytes &+ first)
            for row in 0..<rowCount { ints(layout.rowsFilter)[row] = plan.filter.rowOffset(firstRow &+ row) &- first }
        }
        for row in 0..<tileRowCount { ints(layout.rowsSums)[row] = row &* plan.panelPitch }
        writeStart(batch, packed + (batch &* plan.filter.batchBytes &+ plan.filter.corrections))
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

    /// Whether rows differ in what their sums start from.
    private var hasStarts: Bool {
        plan.pointee.problem.epilogue.bias != nil || plan.pointee.operands.raisesSamples
    }

    /// The bias, and the filter's correction, as sums start from them: on all lanes of a vector for each row, or on the lanes
    /// that are rows. Else zeros.
    private func writeStart(_ batch: Int, _ corrections: UnsafeRawPointer) {
        let plan = plan.pointee
        let problem = plan.problem
        let vector = plan.lanes &* plan.element
        let target = scratch + layout.start
        if !hasStarts {
            target.initializeMemory(as: UInt8.self, repeating: 0, count: vector)
            return
        }
        let first = problem.batch.offset(batch, .bias)
        let stage = scratch + layout.stages
        let (copies, pitch) = plan.lanesAreColumns ? (plan.lanes, vector) : (1, plan.element)
        let padded = plan.lanesAreColumns ? rowCount : ceilingDivide(rowCount, plan.panelWidth) &* plan.panelWidth
        target.initializeMemory(as: UInt8.self, repeating: 0, count: padded &* pitch)
        for r in 0..<rowCount {
            problem.epilogue.readBias(
                first &+ problem.rows.offset(firstRow &+ r, .bias), count: copies, plan.operands.sums,
                to: target + r &* pitch, stage: stage)
        }
        if plan.operands.raisesSamples {
            for r in 0..<rowCount {
                let correction = corrections.load(fromByteOffset: 4 &* (firstRow &+ r), as: UInt32.self)
                let sums = (target + r &* pitch).assumingMemoryBound(to: UInt32.self)
                for lane in 0..<copies { sums[lane] &+= correction }
            }
        }
    }

    /// Takes up the next batch combination, where `GemmPlan.repeatsBlock`: the same offsets from other places.
    private mutating func move(toBatch batch: Int, filter packed: UnsafeRawPointer) {
        let plan = plan.pointee
        let problem = plan.problem
        source = problem.input + (problem.batch.offset(batch, .input) &+ (source - input))
        input = problem.input + problem.batch.offset(batch, .input)
        output = problem.output + problem.batch.offset(batch, .output)
        filter =
            plan.filter.isInPlace
            ? problem.filter + problem.batch.offset(batch, .filter) : packed + batch &* plan.filter.batchBytes
    }

    /// Takes up a block of depths: its samples, in the input or copied into a patch, and their offsets.
    mutating func enter(depth number: Int) {
        let plan = plan.pointee
        let problem = plan.problem
        plan.depthBlocks.ranges(number, depth.starts, depth.counts)
        depthCount = depth.extent
        wordCount = plan.operands.words(depthCount)
        firstWord = plan.depthBlocks.groupsBefore(number, size: plan.operands.depths)
        if plan.filter.isPackedByBlock { packRows(plan.depthBlocks.span(number)) }
        if columnCount == 0 || depthCount == 0 {
            segmentCount = 0
            return
        }
        patch.describe(problem, columns, depth, element: plan.operands.elementBytes)
        if plan.reader.isPlain && isInside {
            source =
                input + (columns.start(.input) &+ depth.start(.input) &- paddingOffset(problem))
            write(columns, .input, to: layout.columnsIn)
            write(depth, .input, to: layout.depthIn)
        } else {
            patch.fill(
                scratch + layout.patch, from: input, plan.reader, problem.boundary, element: plan.operands.elementBytes,
                stage: scratch + layout.stages)
            source = UnsafeRawPointer(scratch + layout.patch) + patch.origin(problem, columns, depth)
            writePatchOffsets(columns, patch.columnAxis, to: layout.columnsIn)
            writePatchOffsets(depth, patch.depthAxis, to: layout.depthIn)
        }
        findSegments()
        writeSegments()
    }

    /// The rows of the block, for a block of depths.
    private func packRows(_ span: (first: Int, count: Int)) {
        plan.pointee.filter.packGroups(
            plan.pointee.problem, filter, firstRow..<firstRow &+ rowCount,
            depths: span.first..<span.first &+ span.count,
            to: scratch + layout.rowGroups, stage: scratch + layout.rowTables)
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

    /// Runs of contiguous depths, and the segments of rows: those runs, where rows are read where they lie, else one.
    private mutating func findSegments() {
        let runs = ints(layout.depthRuns)
        let depthIn = ints(layout.depthIn)
        let element = plan.pointee.operands.elementBytes
        depthRunCount = writeRuns(depthIn, count: depthCount, distance: element, to: runs)
        depthPitch = lanesInPlacePitch()
        let depths = plan.pointee.operands.depths
        let lengths = ints(layout.segmentLengths)
        copiesRows = false
        if !plan.pointee.lanesAreColumns {
            for s in 0..<depthRunCount {
                lengths[s] = runs[s] / depths
                if lengths[s] &* depths != runs[s] { copiesRows = true }
            }
        }
        if plan.pointee.lanesAreColumns || copiesRows {
            segmentCount = 1
            lengths[0] = wordCount
        } else {
            segmentCount = depthRunCount
        }
    }

    /// Packing pays for itself by many rows only.
    private func lanesInPlacePitch() -> Int {
        let plan = plan.pointee
        if !plan.lanesAreColumns || !plan.operands.areElements || rowCount > someRows { return 0 }
        let depthIn = ints(layout.depthIn)
        let pitch = depthCount > 1 ? depthIn[1] &- depthIn[0] : plan.element
        if rowCount > fewRows && pitch.magnitude > shortPitch { return 0 }
        for d in 1..<depthCount where depthIn[d] &- depthIn[d &- 1] != pitch { return 0 }
        return pitch
    }

    /// Copies rows of columns whose runs of depths are no whole words, each to words side by side.
    private func copyRowWords() {
        let element = plan.pointee.operands.elementBytes
        let (runs, depthIn) = (ints(layout.depthRuns), ints(layout.depthIn))
        let rows = scratch + layout.rowWords
        let pitch = layout.rowWordsPitch
        // What the last word lacks.
        for row in 0..<columnCount {
            (rows + (row &* pitch &+ 4 &* (wordCount &- 1))).storeBytes(of: 0, as: UInt32.self)
        }
        var d = 0
        for run in 0..<depthRunCount {
            copyIndexedRows(
                source + depthIn[d], offsets: ints(layout.columnsIn), to: rows + d &* element, strideBytes: pitch,
                rows: columnCount, byteCount: runs[run] &* element)
            d &+= runs[run]
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
        var panel = panel(lane, count: count, isFirst: isFirst, isLast: isLast)
        runContractionPanel(plan.operands.products, &panel)
        if isLast && plan.problem.epilogue.clamp != nil {
            for row in 0..<tileRowCount {
                plan.problem.epilogue.limit(
                    panel.output + panel.outputOffsets[row], count: count, plan.problem.resultType)
            }
        }
    }

    /// Some lanes, packed where they have to be, and all that meets them.
    private func panel(_ lane: Int, count: Int, isFirst: Bool, isLast: Bool) -> ContractionPanel {
        let plan = plan.pointee
        let lanes: UnsafeRawPointer
        var lanePitch = plan.panelPitch
        if !plan.lanesAreColumns {
            // [panel][depth][lane], of all depths.
            lanes = filter + (lane &* plan.filter.words &+ firstWord &* plan.panelWidth) &* plan.element
        } else if readsLanesInPlace(lane, count) {
            lanes = source + ints(layout.columnsIn)[lane]
            lanePitch = depthPitch
        } else {
            lanes = packedLanes(lane, count)
        }
        // Between blocks of depths sums stay in scratch, where they lie as tiles pass by them: rows of the output, often a power
        // of two apart, would push each other from the caches (2048 x 2048 floats 1.2x).
        let sums = sums(panel: lane)
        let isDirect = isLast && isDirect(lane, count)
        var panel = ContractionPanel(
            rowBase: rowBase, rowSegments: segments, segmentCapacity: layout.segmentCapacity, segments: segmentCount,
            segmentLengths: ints(layout.segmentLengths), lanes: lanes, lanePitch: lanePitch,
            output: isDirect ? output + ints(layout.lanesOut)[lane] : sums,
            outputOffsets: ints(isDirect ? layout.rowsOut : layout.rowsSums))
        panel.vectors = ceilingDivide(count, plan.lanes)
        panel.rows = tileRowCount
        panel.rowPitch = plan.filter.rowPitch
        panel.rowsAreGrouped = !plan.filter.isInPlace
        panel.fetches = !isFirst
        if isFirst {
            (panel.start, panel.startRowStride, panel.startStride) = start(lane)
        } else if isDirect {
            (panel.start, panel.startRowStride, panel.startStride) = (
                UnsafeRawPointer(sums), plan.panelPitch, plan.lanes &* plan.element
            )
        }
        return panel
    }

    private func readsLanesInPlace(_ lane: Int, _ count: Int) -> Bool {
        depthPitch != 0 && areContiguous(layout.columnsIn, lane, count)
    }

    /// Runs batch combinations that `GemmPlan.repeatsBlock`, the first of which was entered.
    mutating func run(batches: Range<Int>, filter packed: UnsafeRawPointer) {
        let plan = plan.pointee
        let isInOnePlace = isDirect(0, laneCount) && (!plan.lanesAreColumns || readsLanesInPlace(0, laneCount))
        if laneCount > plan.panelWidth || !isInOnePlace {
            for batch in batches {
                if batch > batches.lowerBound { move(toBatch: batch, filter: packed) }
                run(isFirst: true, isLast: true)
                writeOut()
            }
            return
        }
        var panel = panel(0, count: laneCount, isFirst: true, isLast: true)
        let (firstSource, firstFilter, firstOutput) = (source, filter, output)
        let (firstLanes, firstRows, firstSums) = (panel.lanes, panel.rowBase, panel.output)
        for batch in batches {
            if batch > batches.lowerBound { move(toBatch: batch, filter: packed) }
            let (movedInput, movedFilter) = (source - firstSource, filter - firstFilter)
            panel.lanes = firstLanes + (plan.lanesAreColumns ? movedInput : movedFilter)
            panel.rowBase = firstRows + (plan.lanesAreColumns ? movedFilter : movedInput)
            panel.output = firstSums + (output - firstOutput)
            runContractionPanel(plan.operands.products, &panel)
        }
    }

    /// Where a panel's sums start from: the first row's, and how far to the next row's and to the next vector's.
    private func start(_ lane: Int) -> (UnsafeRawPointer, Int, Int) {
        let plan = plan.pointee
        let start = UnsafeRawPointer(scratch + layout.start)
        let vector = plan.lanes &* plan.element
        if !hasStarts { return (start, 0, 0) }
        return plan.lanesAreColumns ? (start, vector, 0) : (start + lane &* plan.element, 0, vector)
    }

    private func packedLanes(_ lane: Int, _ count: Int) -> UnsafeRawPointer {
        let lanes = plan.pointee.lanes
        let panel = scratch + layout.panel
        var from = PanelSource(
            source: source, laneOffsets: ints(layout.columnsIn) + lane, lanes: count,
            depthOffsets: ints(layout.depthIn), depth: depthCount, depthRuns: ints(layout.depthRuns),
            depthRunCount: depthRunCount, elementBytes: plan.pointee.operands.elementBytes)
        let (width, pitch) = (ceilingDivide(count, lanes) &* lanes, plan.pointee.panelPitch)
        if plan.pointee.operands.areElements {
            packPanel(&from, width: width, to: panel, pitch: pitch)
        } else {
            packWords(&from, width: width, to: panel, pitch: pitch, stage: scratch + layout.stages)
        }
        return UnsafeRawPointer(panel)
    }

    /// The rows' segments, from `rowBase` on.
    private var segments: UnsafeMutablePointer<Int> {
        ints(plan.pointee.lanesAreColumns ? layout.rowsFilter : layout.segments)
    }

    private var rowBase: UnsafeRawPointer {
        if plan.pointee.filter.isPackedByBlock { return UnsafeRawPointer(scratch + layout.rowGroups) }
        if plan.pointee.lanesAreColumns { return filter + firstWord &* plan.pointee.filter.rowStep }
        return copiesRows ? UnsafeRawPointer(scratch + layout.rowWords) : source
    }

    /// Where the rows' segments begin, where rows are columns.
    private func writeSegments() {
        if plan.pointee.lanesAreColumns { return }
        let segments = segments
        let capacity = layout.segmentCapacity
        if copiesRows {
            copyRowWords()
            for row in 0..<columnCount { segments[row &* capacity] = row &* layout.rowWordsPitch }
            return
        }
        let columnsIn = ints(layout.columnsIn)
        let depthIn = ints(layout.depthIn)
        let runs = ints(layout.depthRuns)
        var d = 0
        for s in 0..<segmentCount {
            let first = depthIn[d]
            for row in 0..<columnCount { segments[row &* capacity &+ s] = first &+ columnsIn[row] }
            d &+= runs[s]
        }
    }

    // MARK: Outputs

    /// Whether a panel's sums may be kept in the output itself: whole vectors of what the arithmetic computes with.
    private func isDirect(_ lane: Int, _ count: Int) -> Bool {
        let plan = plan.pointee
        return plan.writer.isPlain && areContiguous(layout.lanesOut, lane, count)
    }

    /// Whether some lanes are whole vectors of what the arithmetic computes with, side by side.
    private func areContiguous(_ places: Int, _ lane: Int, _ count: Int) -> Bool {
        if count % plan.pointee.lanes != 0 { return false }
        let offsets = ints(places) + lane
        let element = plan.pointee.element
        for j in 1..<max(count, 1) where offsets[j] &- offsets[j &- 1] != element { return false }
        return true
    }

    /// A panel's sums in scratch: [panel][row][lane].
    private func sums(panel lane: Int) -> UnsafeMutableRawPointer {
        scratch + (layout.sums &+ lane &* tileRowCount &* plan.pointee.element)
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
        let (writer, element) = (plan.pointee.writer, plan.pointee.element)
        let lanesOut = ints(layout.lanesOut) + lane
        let rowsOut = ints(layout.rowsOut)
        let sums = sums(panel: lane)
        let pitch = plan.pointee.panelPitch
        let (stages, second) = (scratch + layout.stages, scratch + (layout.stages &+ 16 &* stageElements))
        var first = 0
        while first < count {
            let step = first &+ 1 < count ? lanesOut[first &+ 1] &- lanesOut[first] : writer.output.byteCount
            var end = first &+ 1
            while end < count && lanesOut[end] &- lanesOut[end &- 1] == step { end &+= 1 }
            let target = output + lanesOut[first]
            for row in 0..<tileRowCount {
                writer.write(
                    sums + (row &* pitch &+ first &* element), count: end &- first, to: target + rowsOut[row],
                    stride: step,
                    stages: stages, second)
            }
            first = end
        }
    }
}

/// Rows up to which lanes are read where they lie; and those up to which they are if depths lie near each other, in bytes.
private let fewRows = 32
private let someRows = 128
private let shortPitch: UInt = 256
