import Foundations
import Kernels

extension GemmFilter {
    /// Packs one row or one panel of words, block of depths by block, and what its sums are corrected by.
    func packWords(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, unit: Int, to packed: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        let width = suppliesRows ? 1 : panelWidth
        let target = packed + unit &* width &* words &* element
        let layout = WordStage(self, problem)
        if layout.turnsRows { turnRows(problem, source, firstRow: unit &* width, layout, stage) }
        for block in 0..<blocks.count {
            let place = target + blocks.groupsBefore(block, size: operands.depths) &* width &* element
            if suppliesRows {
                let row = source + problem.rows.offset(unit, .filter)
                packRowWords(problem, row, block: block, to: place, stage: stage)
            } else {
                packLaneWords(problem, source, firstRow: unit &* width, block: block, to: place, layout, stage)
            }
        }
        if !operands.raisesSamples { return }
        let correction = packed + (corrections &+ unit &* width &* element)
        if suppliesRows {
            correction.storeBytes(of: quadCorrection(ofRow: target, count: words), as: UInt32.self)
        } else {
            quadCorrections(ofLanes: target, count: words, width: width, to: correction)
        }
    }

    private func packRowWords(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, block: Int, to target: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        let span = blocks.span(block)
        if span.count == 0 { return }
        // What the last word lacks: zeros, whatever samples they meet.
        (target + (operands.words(span.count) &- 1) &* element).storeBytes(of: 0, as: UInt32.self)
        readDepths(problem, source, span.first..<span.first &+ span.count, to: target, stage: stage)
    }

    /// Rows whose elements are contiguous, but in another order than that of depths, become columns: lanes side by side
    /// for each element, converted. One depth after the other, their elements would be gathered a byte at a time.
    private func turnRows(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, firstRow: Int, _ layout: WordStage,
        _ stage: UnsafeMutableRawPointer
    ) {
        let bytes = operands.elementBytes
        let size = problem.filterType.byteCount
        let count = min(panelWidth, rows &- firstRow)
        let offsets = (stage + layout.lanes).assumingMemoryBound(to: Int64.self)
        let piece = wordStageBytes / (panelWidth &* bytes)
        var tile = TransposedTiles(
            rows: count, columns: 0, sourceRow: 0, destinationColumn: panelWidth &* bytes, tiles: 1, sourceTile: 0,
            destinationTile: 0, elementBytes: bytes)
        var place = 0
        while place < depth {
            tile.columns = min(piece, depth &- place)
            var from = source
            for lane in 0..<count {
                let row = problem.rows.offset(firstRow &+ lane, .filter) &+ place &* size
                offsets[lane] = Int64(row)
                if reader.isPlain { continue }
                from = UnsafeRawPointer(stage + layout.words)
                offsets[lane] = Int64(lane &* piece &* bytes)
                reader.read(
                    source + row, stride: size, count: tile.columns,
                    to: stage + (layout.words &+ lane &* piece &* bytes), stage: stage + layout.read)
            }
            transpose(
                from, to: stage + (layout.converted &+ place &* panelWidth &* bytes), offsets: offsets, &tile)
            place &+= tile.columns
        }
    }

    /// Lanes are rows of the filter: read where they lie if they are held as they are there, else converted before.
    private func packLaneWords(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, firstRow: Int, block: Int,
        to target: UnsafeMutableRawPointer, _ layout: WordStage, _ stage: UnsafeMutableRawPointer
    ) {
        let bytes = operands.elementBytes
        let span = blocks.span(block)
        let count = min(panelWidth, rows &- firstRow)
        let lanes = (stage + layout.lanes).assumingMemoryBound(to: Int.self)
        let depths = (stage + layout.depths).assumingMemoryBound(to: Int.self)
        let runs = (stage + layout.runs).assumingMemoryBound(to: Int.self)
        var from = UnsafeRawPointer(stage + layout.converted)
        if layout.turnsRows {
            let scale = panelWidth &* bytes / problem.filterType.byteCount
            for lane in 0..<count { lanes[lane] = lane &* bytes }
            from += writeDepthOffsets(problem, block: block, scale: scale, to: depths, boxes: stage + layout.boxes)
        } else if reader.isPlain {
            from = source
            for lane in 0..<count { lanes[lane] = problem.rows.offset(firstRow &+ lane, .filter) }
            from += writeDepthOffsets(problem, block: block, scale: 1, to: depths, boxes: stage + layout.boxes)
        } else {
            let pitch = span.count &* bytes
            for lane in 0..<count {
                lanes[lane] = lane &* pitch
                readDepths(
                    problem, source + problem.rows.offset(firstRow &+ lane, .filter),
                    span.first..<span.first &+ span.count,
                    to: stage + (layout.converted &+ lane &* pitch), stage: stage + layout.read)
            }
            for d in 0..<span.count { depths[d] = d &* bytes }
        }
        var panel = PanelSource(
            source: from, laneOffsets: lanes, lanes: count, depthOffsets: depths, depth: span.count, depthRuns: runs,
            depthRunCount: writeRuns(depths, count: span.count, distance: bytes, to: runs), elementBytes: bytes)
        Kernels.packWords(
            &panel, width: panelWidth, to: target, pitch: panelWidth &* element, stage: stage + layout.words)
    }

    /// Writes the offset of each depth of a block from its first, `scale` times that in the filter; returns that of the
    /// first.
    private func writeDepthOffsets(
        _ problem: ContractionProblem, block: Int, scale: Int, to offsets: UnsafeMutablePointer<Int>,
        boxes: UnsafeMutableRawPointer
    ) -> Int {
        let starts = boxes.assumingMemoryBound(to: Int.self)
        let (counts, strides) = (starts + maximumRank, starts + 2 &* maximumRank)
        let box = IndexBox(list: problem.depth, starts: starts, counts: counts)
        blocks.ranges(block, starts, counts)
        for i in 0..<box.list.count { strides[i] = scale &* box.list[i].filterStride }
        writeOffsets(counts, strides, indices: box.list.count, to: offsets)
        return scale &* box.start(.filter)
    }
}

/// Writes the lengths of runs of offsets that are one `distance` apart; returns how many there are.
func writeRuns(
    _ offsets: UnsafePointer<Int>, count: Int, distance: Int, to runs: UnsafeMutablePointer<Int>
) -> Int {
    var last = 0
    runs[0] = min(count, 1)
    for i in 1..<max(count, 1) {
        if offsets[i] &- offsets[i &- 1] == distance {
            runs[last] &+= 1
        } else {
            last &+= 1
            runs[last] = 1
        }
    }
    return last &+ 1
}

extension IndexList {
    /// How many of the innermost combinations one stride walks in the filter, and that stride.
    var filterRun: (count: Int, stride: Int) {
        if count == 0 { return (1, 0) }
        let stride = self[count &- 1].filterStride
        var run = self[count &- 1].extent
        var i = count &- 2
        while i >= 0 && self[i].filterStride == saturatingMultiply(run, stride) {
            run = saturatingMultiply(run, self[i].extent)
            i &-= 1
        }
        return (run, stride)
    }

    /// Whether the elements of a row of the filter are contiguous in memory, in whatever order of depths.
    fileprivate func areDense(_ element: Int) -> Bool {
        var last = 0
        for i in 0..<count {
            if self[i].filterStride <= 0 { return false }
            last = saturatingAdd(last, saturatingMultiply(self[i].filterStride, self[i].extent &- 1))
        }
        return last == saturatingMultiply(extent &- 1, element)
    }
}

/// Where the scratch for packing a filter's words has what.
struct WordStage {
    private(set) var words = 0
    private(set) var read = 0
    private(set) var lanes = 0
    private(set) var depths = 0
    private(set) var runs = 0
    private(set) var boxes = 0
    private(set) var converted = 0
    private(set) var byteCount = 0
    /// Whether rows are turned before their depths are looked for.
    private(set) var turnsRows = false

    init(_ filter: GemmFilter, _ problem: ContractionProblem) {
        var places = WorkspaceLayout()
        words = places.take(wordStageBytes)
        read = places.take(16 &* stageElements)
        if !filter.suppliesRows {
            let size = problem.filterType.byteCount
            let row = filter.panelWidth &* filter.operands.elementBytes
            let (run, stride) = problem.depth.filterRun
            let areInOrder = run >= filter.depth && stride == size
            let haveLanes = problem.rows.count == 1 && problem.rows[0].filterStride == size
            turnsRows =
                !areInOrder && !haveLanes && filter.depth <= turnedBytes / row && problem.depth.areDense(size)
            let depth = filter.blocks.largest
            lanes = places.take(8 &* filter.panelWidth)
            depths = places.take(8 &* (depth &+ 1))
            runs = places.take(8 &* (depth &+ 1))
            boxes = places.take(3 &* maximumRank &* 8)
            converted = places.take(turnsRows ? filter.depth &* row : filter.reader.isPlain ? 0 : depth &* row)
        }
        byteCount = places.byteCount
    }
}

/// Bytes of a panel's turned rows, at most: a quarter of a second-level cache of 2 MiB.
private let turnedBytes = 512 << 10
