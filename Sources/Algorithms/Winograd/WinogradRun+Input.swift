import Foundations
import Kernels

/// Samples to points: what a block's tiles of one plane need is packed, then transformed.
extension WinogradRun {
    func transformInput(_ block: WinogradBlock, _ channels: Range<Int>) {
        let pointee = plan.pointee
        let kernels = pointee.kernels
        let patch = UnsafeRawPointer(scratch + layout.pointee.patch)
        let packing = packing(block)
        var first = channels.lowerBound
        while first < channels.upperBound {
            let count = min(pointee.lanes, channels.upperBound &- first)
            let target = scratch + (layout.pointee.transformed &+ (first &- channels.lowerBound) &* pointee.element)
            let hasMore = first &+ count < channels.upperBound
            for number in 0..<block.images &* block.heldPlanes {
                let tile = number &* block.tilesPerPlane
                guard let plane = plane(block, number) else {
                    clear(target + tile &* pointee.transformedTilePitch, tiles: block.tilesPerPlane)
                    continue
                }
                let source = plane + first &* pointee.shape.channel.inputStride
                // Row of tiles by row of tiles, each transformed from a first-level cache; two lines serve two of them.
                packing.pack(0..<2, of: source, channels: count, hasMore: hasMore)
                for r in 0..<block.rows {
                    let line = r &* kernels.outputs &+ 2
                    packing.pack(line..<line &+ kernels.outputs, of: source, channels: count, hasMore: hasMore)
                    kernels.transformInputs(
                        patch + r &* kernels.outputs &* layout.pointee.patchPitch, rowPitch: layout.pointee.patchPitch,
                        samplePitch: pointee.vectorBytes, tiles: block.columns,
                        to: target + (tile &+ r &* block.columns) &* pointee.transformedTilePitch,
                        pointPitch: pointee.transformedPitch, tilePitch: pointee.transformedTilePitch,
                        scratch: scratch + layout.pointee.columns)
                }
            }
            first &+= count
        }
    }

    private func packing(_ block: WinogradBlock) -> WinogradPacking {
        let pointee = plan.pointee
        let outputs = pointee.kernels.outputs
        let (y, x) = (pointee.shape.y, pointee.shape.x)
        return WinogradPacking(
            reader: pointee.reader, boundary: pointee.problem.boundary, y: y.window, x: x.window,
            channelStride: pointee.shape.channel.inputStride, lanes: pointee.lanes,
            firstY: block.firstRow &* outputs, firstX: block.firstColumn &* outputs,
            columns: block.columns &* outputs &+ 2, endY: y.extent &+ 2, endX: x.extent &+ 2,
            patch: scratch + layout.pointee.patch, pitch: layout.pointee.patchPitch,
            runs: scratch + layout.pointee.runs,
            stages: scratch + layout.pointee.stages)
    }

    /// Where a plane of a block's samples, those of one image after the other, begins; nil for one of zeros.
    private func plane(_ block: WinogradBlock, _ number: Int) -> UnsafeRawPointer? {
        let shape = plan.pointee.shape
        let (image, plane) = (number / block.heldPlanes, number % block.heldPlanes)
        let z = plan.pointee.problem.boundary.map(
            block.firstPlane &+ plane &- shape.z.window.padding, extent: shape.z.window.extent)
        if z < 0 { return nil }
        return block.input + (image &* shape.sample.inputStride &+ z &* shape.z.window.inputStride)
    }

    /// Zeros for a vector of channels of some tiles.
    private func clear(_ target: UnsafeMutableRawPointer, tiles: Int) {
        let pointee = plan.pointee
        for point in 0..<pointee.points {
            for tile in 0..<tiles {
                let place = target + (point &* pointee.transformedPitch &+ tile &* pointee.transformedTilePitch)
                place.initializeMemory(as: UInt8.self, repeating: 0, count: pointee.vectorBytes)
            }
        }
    }
}
