import CMachine

/// Packs `depth` rows of lanes for contraction tiles: lane j of row d comes from `source + laneOffsets[j] + depthOffsets[d]`.
/// Lanes beyond `count` up to a whole panel are zero. Elements of 1, 2, 4, 8 or 16 bytes; offsets and the pitch of the packed
/// rows are in bytes.
package func packPanel(
    _ source: UnsafeRawPointer, laneOffsets: UnsafePointer<Int>, count: Int, width: Int,
    depthOffsets: UnsafePointer<Int>, depth: Int, to panel: UnsafeMutableRawPointer, pitch: Int, elementBytes: Int
) {
    if count < width {
        for d in 0..<depth {
            (panel + (d &* pitch &+ count &* elementBytes)).initializeMemory(
                as: UInt8.self, repeating: 0, count: (width &- count) &* elementBytes)
        }
    }
    var lane = 0
    while lane < count {
        let first = laneOffsets[lane]
        let step = lane &+ 1 < count ? laneOffsets[lane &+ 1] &- first : elementBytes
        var end = lane &+ 1
        while end < count && laneOffsets[end] &- laneOffsets[end &- 1] == step { end &+= 1 }
        packRun(
            source + first, step: step, count: end &- lane, depthOffsets: depthOffsets, depth: depth,
            to: panel + lane &* elementBytes, pitch: pitch, elementBytes: elementBytes)
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
