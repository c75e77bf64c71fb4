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
        let first = problem.rows.offset(unit &* width, .filter)
        for block in 0..<blocks.count {
            let place = target + blocks.groupsBefore(block, size: operands.depths) &* width &* element
            if suppliesRows {
                packRowWords(problem, source + first, block: block, to: place, stage: stage)
            } else {
                packLaneWords(problem, source, firstRow: unit &* width, block: block, to: place, stage: stage)
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
        readDepths(problem, source, span, to: target, stage: stage)
    }

    /// Reads depths of one row, contiguous in the target.
    private func readDepths(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, _ span: (first: Int, count: Int),
        to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
    ) {
        let list = problem.depth
        let run = list.count == 0 ? 1 : list[list.count &- 1].extent
        let stride = list.count == 0 ? 0 : list[list.count &- 1].filterStride
        var done = 0
        while done < span.count {
            let number = span.first &+ done
            let count = min(run &- number % run, span.count &- done)
            reader.read(
                source + list.offset(number, .filter), stride: stride, count: count,
                to: target + done &* operands.elementBytes, stage: stage)
            done &+= count
        }
    }

    /// Lanes are rows of the filter: read where they lie if they are held as they are there, else converted before.
    private func packLaneWords(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, firstRow: Int, block: Int,
        to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
    ) {
        let layout = WordStage(self)
        let bytes = operands.elementBytes
        let span = blocks.span(block)
        let count = min(panelWidth, rows &- firstRow)
        let lanes = (stage + layout.lanes).assumingMemoryBound(to: Int.self)
        let depths = (stage + layout.depths).assumingMemoryBound(to: Int.self)
        let runs = (stage + layout.runs).assumingMemoryBound(to: Int.self)
        var from = UnsafeRawPointer(stage + layout.converted)
        if reader.isPlain {
            from = source
            for lane in 0..<count { lanes[lane] = problem.rows.offset(firstRow &+ lane, .filter) }
            from += writeDepthOffsets(problem, block: block, to: depths, boxes: stage + layout.boxes)
        } else {
            let pitch = span.count &* bytes
            for lane in 0..<count {
                lanes[lane] = lane &* pitch
                readDepths(
                    problem, source + problem.rows.offset(firstRow &+ lane, .filter), span,
                    to: stage + (layout.converted &+ lane &* pitch), stage: stage + layout.words)
            }
            for d in 0..<span.count { depths[d] = d &* bytes }
        }
        var panel = PanelSource(
            source: from, laneOffsets: lanes, lanes: count, depthOffsets: depths, depth: span.count, depthRuns: runs,
            depthRunCount: writeRuns(depths, count: span.count, distance: bytes, to: runs), elementBytes: bytes)
        Kernels.packWords(
            &panel, width: panelWidth, to: target, pitch: panelWidth &* element, stage: stage + layout.words)
    }

    /// Writes the offset of each depth of a block from its first; returns that of the first.
    private func writeDepthOffsets(
        _ problem: ContractionProblem, block: Int, to offsets: UnsafeMutablePointer<Int>,
        boxes: UnsafeMutableRawPointer
    ) -> Int {
        let starts = boxes.assumingMemoryBound(to: Int.self)
        let (counts, strides) = (starts + maximumRank, starts + 2 &* maximumRank)
        let box = IndexBox(list: problem.depth, starts: starts, counts: counts)
        blocks.ranges(block, starts, counts)
        for i in 0..<box.list.count { strides[i] = box.list[i].filterStride }
        writeOffsets(counts, strides, indices: box.list.count, to: offsets)
        return box.start(.filter)
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

/// Where the scratch for packing a filter's words has what.
struct WordStage {
    private(set) var words = 0
    private(set) var lanes = 0
    private(set) var depths = 0
    private(set) var runs = 0
    private(set) var boxes = 0
    private(set) var converted = 0
    private(set) var byteCount = 0

    init(_ filter: GemmFilter) {
        var next = 0
        func take(_ bytes: Int) -> Int {
            defer { next = roundToCacheLine(saturatingAdd(next, bytes)) }
            return next
        }
        words = take(max(wordStageBytes, 16 &* stageElements))
        if !filter.suppliesRows {
            let depth = filter.blocks.largest
            lanes = take(8 &* filter.panelWidth)
            depths = take(8 &* (depth &+ 1))
            runs = take(8 &* (depth &+ 1))
            boxes = take(3 &* maximumRank &* 8)
            let isConverted = !filter.reader.isPlain
            converted = take(isConverted ? filter.panelWidth &* depth &* filter.operands.elementBytes : 0)
        }
        byteCount = next
    }
}
