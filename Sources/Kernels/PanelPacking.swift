import CMachine

/// What a panel of a contraction is packed from: lane j of depth d is at `source + laneOffsets[j] + depthOffsets[d]`.
/// Offsets and pitch are in bytes, elements of 1, 2, 4, 8 or 16.
package struct PanelSource {
    package var source: UnsafeRawPointer
    package var laneOffsets: UnsafePointer<Int>
    package var lanes: Int
    package var depthOffsets: UnsafePointer<Int>
    package var depth: Int
    /// Depths of runs that are contiguous, which together are all.
    package var depthRuns: UnsafePointer<Int>
    package var depthRunCount: Int
    package var elementBytes: Int

    package init(
        source: UnsafeRawPointer, laneOffsets: UnsafePointer<Int>, lanes: Int, depthOffsets: UnsafePointer<Int>,
        depth: Int, depthRuns: UnsafePointer<Int>, depthRunCount: Int, elementBytes: Int
    ) {
        self.source = source
        self.laneOffsets = laneOffsets
        self.lanes = lanes
        self.depthOffsets = depthOffsets
        self.depth = depth
        self.depthRuns = depthRuns
        self.depthRunCount = depthRunCount
        self.elementBytes = elementBytes
    }

    /// Whether runs of depths are long, and those of lanes short.
    var prefersDepth: Bool {
        if depthRunCount &* 4 > depth { return false }
        var runs = 1
        for j in 1..<max(lanes, 1) where laneOffsets[j] &- laneOffsets[j &- 1] != elementBytes { runs &+= 1 }
        return runs &* 6 > lanes
    }
}

/// Packs rows of lanes, one for each depth, `pitch` apart; lanes beyond the source's up to `width` are zero.
package func packPanel(
    _ source: UnsafePointer<PanelSource>, width: Int, to panel: UnsafeMutableRawPointer, pitch: Int
) {
    clearLanes(source, width: width, panel, pitch: pitch)
    if source.pointee.elementBytes <= 8 && source.pointee.prefersDepth {
        packByDepth(source, to: panel, pitch: pitch)
    } else {
        packByLanes(source, to: panel, pitch: pitch)
    }
}

/// The same, lane run by lane run.
func packPanelByLanes(
    _ source: UnsafePointer<PanelSource>, width: Int, to panel: UnsafeMutableRawPointer, pitch: Int
) {
    clearLanes(source, width: width, panel, pitch: pitch)
    packByLanes(source, to: panel, pitch: pitch)
}

private func clearLanes(
    _ source: UnsafePointer<PanelSource>, width: Int, _ panel: UnsafeMutableRawPointer, pitch: Int
) {
    let (lanes, element) = (source.pointee.lanes, source.pointee.elementBytes)
    if lanes == width { return }
    for d in 0..<source.pointee.depth {
        (panel + (d &* pitch &+ lanes &* element)).initializeMemory(
            as: UInt8.self, repeating: 0, count: (width &- lanes) &* element)
    }
}

/// What is contiguous along depth is transposed.
private func packByDepth(_ source: UnsafePointer<PanelSource>, to panel: UnsafeMutableRawPointer, pitch: Int) {
    let pointee = source.pointee
    var tile = TransposedTiles(
        rows: pointee.lanes, columns: 0, sourceRow: 0, destinationColumn: pitch, tiles: 1, sourceTile: 0,
        destinationTile: 0, elementBytes: pointee.elementBytes)
    let offsets = UnsafeRawPointer(pointee.laneOffsets).assumingMemoryBound(to: Int64.self)
    var d = 0
    for run in 0..<pointee.depthRunCount {
        tile.columns = pointee.depthRuns[run]
        transpose(pointee.source + pointee.depthOffsets[d], to: panel + d &* pitch, offsets: offsets, &tile)
        d &+= tile.columns
    }
}

private func packByLanes(_ source: UnsafePointer<PanelSource>, to panel: UnsafeMutableRawPointer, pitch: Int) {
    let pointee = source.pointee
    let element = pointee.elementBytes
    var lane = 0
    while lane < pointee.lanes {
        let first = pointee.laneOffsets[lane]
        let step = lane &+ 1 < pointee.lanes ? pointee.laneOffsets[lane &+ 1] &- first : element
        var end = lane &+ 1
        while end < pointee.lanes && pointee.laneOffsets[end] &- pointee.laneOffsets[end &- 1] == step { end &+= 1 }
        packRun(
            pointee.source + first, step: step, count: end &- lane, depthOffsets: pointee.depthOffsets,
            depth: pointee.depth, to: panel + lane &* element, pitch: pitch, elementBytes: element)
        lane = end
    }
}

/// Lanes that are `step` bytes apart.
private func packRun(
    _ source: UnsafeRawPointer, step: Int, count: Int, depthOffsets: UnsafePointer<Int>, depth: Int,
    to panel: UnsafeMutableRawPointer, pitch: Int, elementBytes: Int
) {
    if step == elementBytes {
        sc_copy_indexed_rows(
            panel.assumingMemoryBound(to: UInt8.self), Int64(pitch), source.assumingMemoryBound(to: UInt8.self),
            depthOffsets, Int64(depth), Int64(count &* elementBytes))
        return
    }
    for d in 0..<depth {
        gather(
            source + depthOffsets[d], strideBytes: step, to: panel + d &* pitch, count: count,
            elementBytes: elementBytes, swapUnit: 1)
    }
}
