import Foundations
import Kernels

/// Samples to points: what a block's tiles of one plane need is packed with its channels along the lanes, then transformed.
extension WinogradRun {
    func transformInput(_ block: WinogradBlock, _ channels: Range<Int>) {
        let pointee = plan.pointee
        let kernels = pointee.kernels
        let patch = UnsafeRawPointer(scratch + layout.pointee.patch)
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
                packPatch(block, source, 0..<2, channels: count, hasMore: hasMore)
                for r in 0..<block.rows {
                    let line = r &* kernels.outputs &+ 2
                    packPatch(block, source, line..<line &+ kernels.outputs, channels: count, hasMore: hasMore)
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

    /// Some lines of the samples of a block's tiles, boundary settled: [line][column][lane]. Lanes beyond the channels hold anything.
    private func packPatch(
        _ block: WinogradBlock, _ plane: UnsafeRawPointer, _ lines: Range<Int>, channels: Int, hasMore: Bool
    ) {
        let pointee = plan.pointee
        let outputs = pointee.kernels.outputs
        let (windowY, windowX) = (pointee.shape.y.window, pointee.shape.x.window)
        let count = block.columns &* outputs &+ 2
        let firstX = block.firstColumn &* outputs &- windowX.padding
        let firstY = block.firstRow &* outputs &- windowY.padding
        let low = min(max(0 &- firstX, 0), count)
        let high = max(low, min(count, windowX.extent &- firstX))
        // Beyond the last output's window, to which tiles may reach, nothing matters.
        let needed = pointee.shape.x.extent &+ 2 &- block.firstColumn &* outputs
        for r in lines {
            let target = scratch + (layout.pointee.patch &+ r &* layout.pointee.patchPitch)
            let y = pointee.problem.boundary.map(firstY &+ r, extent: windowY.extent)
            if y < 0 || block.firstRow &* outputs &+ r >= pointee.shape.y.extent &+ 2 {
                target.initializeMemory(as: UInt8.self, repeating: 0, count: count &* pointee.vectorBytes)
                continue
            }
            let row = plane + y &* windowY.inputStride
            if high > low && hasMore {
                askForNextChannels(row + (firstX &+ low) &* windowX.inputStride, count: high &- low)
            }
            if low > 0 { packOutside(row, target, 0..<low, firstX, needed: needed, channels: channels) }
            if high > low {
                packInside(
                    row + (firstX &+ low) &* windowX.inputStride, to: target + low &* pointee.vectorBytes,
                    count: high &- low, channels: channels)
            }
            if count > high { packOutside(row, target, high..<count, firstX, needed: needed, channels: channels) }
        }
    }

    /// Asks for the same samples of the next channels, whose lines are too many and too short for the machine to foresee.
    private func askForNextChannels(_ source: UnsafeRawPointer, count: Int) {
        let pointee = plan.pointee
        let channel = pointee.shape.channel.inputStride
        if pointee.shape.x.window.inputStride != pointee.problem.inputType.byteCount { return }
        for c in pointee.lanes..<2 &* pointee.lanes {
            askFor(source + c &* channel, byteCount: count &* pointee.problem.inputType.byteCount)
        }
    }

    private func packInside(
        _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, channels: Int
    ) {
        let pointee = plan.pointee
        let size = pointee.problem.inputType.byteCount
        let (x, channel) = (pointee.shape.x.window.inputStride, pointee.shape.channel.inputStride)
        if pointee.reader.isPlain && channel == size {
            copyRows(
                source, strideBytes: x, to: target, strideBytes: pointee.vectorBytes, rows: count,
                byteCount: channels &* size)
        } else if x == size {
            transposeRows(source, to: target, count: count, channels: channels)
        } else {
            for i in 0..<count {
                readRun(
                    pointee.reader, source + i &* x, stride: channel, count: channels,
                    to: target + i &* pointee.vectorBytes, stage: scratch + layout.pointee.stages)
            }
        }
    }

    private func transposeRows(
        _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, channels: Int
    ) {
        let pointee = plan.pointee
        let (element, channel) = (pointee.element, pointee.shape.channel.inputStride)
        var tile = TransposedTiles(
            rows: channels, columns: count, sourceRow: channel, destinationColumn: pointee.vectorBytes, tiles: 1,
            sourceTile: 0, destinationTile: 0, elementBytes: element)
        if pointee.reader.isPlain {
            transpose(source, to: target, offsets: nil, &tile)
            return
        }
        let runs = scratch + layout.pointee.runs
        tile.sourceRow = count &* element
        for c in 0..<channels {
            readRun(
                pointee.reader, source + c &* channel, stride: pointee.problem.inputType.byteCount, count: count,
                to: runs + c &* tile.sourceRow, stage: scratch + layout.pointee.stages)
        }
        transpose(UnsafeRawPointer(runs), to: target, offsets: nil, &tile)
    }

    private func packOutside(
        _ row: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ places: Range<Int>, _ firstX: Int, needed: Int,
        channels: Int
    ) {
        let pointee = plan.pointee
        let window = pointee.shape.x.window
        for i in places {
            let place = target + i &* pointee.vectorBytes
            let mapped = i < needed ? pointee.problem.boundary.map(firstX &+ i, extent: window.extent) : -1
            if mapped < 0 {
                place.initializeMemory(as: UInt8.self, repeating: 0, count: pointee.vectorBytes)
            } else {
                readRun(
                    pointee.reader, row + mapped &* window.inputStride, stride: pointee.shape.channel.inputStride,
                    count: channels, to: place, stage: scratch + layout.pointee.stages)
            }
        }
    }
}
