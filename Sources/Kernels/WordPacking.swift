import CMachine

/// Bytes of the stage that `packWords` needs.
package var wordStageBytes: Int { 16 << 10 }

/// Packs rows of lanes as `packPanel` does, but of 32-bit words that hold two depths of 2 bytes or four of 1. Rows are `pitch`
/// bytes apart. What the last word lacks of depths is zero, and lanes beyond the source's up to `width`, whole vectors.
package func packWords(
    _ source: UnsafePointer<PanelSource>, width: Int, to panel: UnsafeMutableRawPointer, pitch: Int,
    stage: UnsafeMutableRawPointer
) {
    let pointee = source.pointee
    if pointee.prefersDepth {
        packWordsByDepth(source, width: width, to: panel, pitch: pitch, stage: stage)
    } else if pointee.lanes == width && pointee.isOneRun {
        join(
            pointee.source + pointee.laneOffsets[0], pointee.depthOffsets, rows: pointee.depth, width: width,
            elementBytes: pointee.elementBytes, to: panel, pitch: pitch)
    } else {
        packWordsByLanes(source, width: width, to: panel, pitch: pitch, stage: stage)
    }
}

extension PanelSource {
    /// Whether all lanes are one contiguous run.
    fileprivate var isOneRun: Bool {
        for j in 1..<max(lanes, 1) where laneOffsets[j] &- laneOffsets[j &- 1] != elementBytes { return false }
        return true
    }
}

/// Lanes are gathered to rows in the stage, some depths at a time, and rows joined to words.
private func packWordsByLanes(
    _ source: UnsafePointer<PanelSource>, width: Int, to panel: UnsafeMutableRawPointer, pitch: Int,
    stage: UnsafeMutableRawPointer
) {
    let element = source.pointee.elementBytes
    let depths = 4 / element
    let row = width &* element
    let most = min(stagedRows, wordStageBytes / row & ~3)
    var part = source.pointee
    var d = 0
    withUnsafeTemporaryAllocation(of: Int.self, capacity: stagedRows) { offsets in
        let offsets = offsets.baseAddress.unsafelyUnwrapped
        for i in 0..<most { offsets[i] = i &* row }
        while d < source.pointee.depth {
            part.depth = min(most, source.pointee.depth &- d)
            part.depthOffsets = source.pointee.depthOffsets + d
            packPanelByLanes(&part, width: width, to: stage, pitch: row)
            join(
                UnsafeRawPointer(stage), offsets, rows: part.depth, width: width, elementBytes: element,
                to: panel + d / depths &* pitch, pitch: pitch)
            d &+= most
        }
    }
}

/// Depths of a stage of lanes: so few that it stays in the first cache beside the panel.
private let stagedRows = 64

/// Each lane's depths are copied to a row of the stage, some at a time, and rows of words transposed.
private func packWordsByDepth(
    _ source: UnsafePointer<PanelSource>, width: Int, to panel: UnsafeMutableRawPointer, pitch: Int,
    stage: UnsafeMutableRawPointer
) {
    let pointee = source.pointee
    let element = pointee.elementBytes
    let depths = 4 / element
    if pointee.lanes < width {
        for word in 0..<(pointee.depth &+ depths &- 1) / depths {
            (panel + (word &* pitch &+ 4 &* pointee.lanes)).initializeMemory(
                as: UInt8.self, repeating: 0, count: 4 &* (width &- pointee.lanes))
        }
    }
    let row = wordStageBytes / pointee.lanes & ~3
    var tile = TransposedTiles(
        rows: pointee.lanes, columns: 0, sourceRow: row, destinationColumn: pitch, tiles: 1, sourceTile: 0,
        destinationTile: 0, elementBytes: 4)
    var (d, run, taken) = (0, 0, 0)
    while d < pointee.depth {
        let end = min(d &+ row / element, pointee.depth)
        let first = d
        // What the last word lacks.
        let words = (end &- first &+ depths &- 1) / depths
        for lane in 0..<pointee.lanes {
            (stage + (lane &* row &+ 4 &* (words &- 1))).storeBytes(of: 0, as: UInt32.self)
        }
        while d < end {
            let count = min(pointee.depthRuns[run] &- taken, end &- d)
            sc_copy_indexed_rows(
                (stage + (d &- first) &* element).assumingMemoryBound(to: UInt8.self), Int64(row),
                (pointee.source + pointee.depthOffsets[d]).assumingMemoryBound(to: UInt8.self), pointee.laneOffsets,
                Int64(pointee.lanes), Int64(count &* element))
            d &+= count
            taken &+= count
            if taken == pointee.depthRuns[run] { (run, taken) = (run &+ 1, 0) }
        }
        tile.columns = words
        transpose(stage, to: panel + first / depths &* pitch, offsets: nil, &tile)
    }
}

private func join(
    _ source: UnsafeRawPointer, _ offsets: UnsafePointer<Int>, rows: Int, width: Int, elementBytes: Int,
    to panel: UnsafeMutableRawPointer, pitch: Int
) {
    let from = source.assumingMemoryBound(to: UInt8.self)
    let to = panel.assumingMemoryBound(to: UInt8.self)
    if elementBytes == 1 {
        sc_join_quads(to, Int64(pitch), from, offsets, Int64(rows), Int64(width))
    } else {
        sc_join_pairs(to, Int64(pitch), from, offsets, Int64(rows), Int64(width))
    }
}
