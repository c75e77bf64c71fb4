import Foundations
import Kernels

/// What tiles of one plane of an operand need, packed with its channels along the lanes, boundary settled:
/// [line][column][lane]. Lanes beyond the channels keep what they held.
struct WinogradPacking {
    let reader: ElementReader
    let boundary: Boundary
    let y: ContractionWindow
    let x: ContractionWindow
    let channelStride: Int
    let lanes: Int
    /// The first line and column of the patch, the padding's being 0, and how many columns it has.
    let firstY: Int
    let firstX: Int
    let columns: Int
    /// Lines and columns from here on, to which tiles may reach, nothing depends on.
    let endY: Int
    let endX: Int
    let patch: UnsafeMutableRawPointer
    let pitch: Int
    /// Room for a patch's line, and for `readRun`.
    let runs: UnsafeMutableRawPointer
    let stages: UnsafeMutableRawPointer

    private var element: Int { reader.arithmetic.byteCount }
    private var vectorBytes: Int { lanes &* element }
    private var size: Int { reader.type.byteCount }

    /// Zeros for the lanes beyond the channels of so many lines.
    func clear(lines: Int) {
        patch.initializeMemory(as: UInt8.self, repeating: 0, count: lines &* pitch)
    }

    /// Some lines of a plane; `hasMore` where as many of its next channels will be packed next.
    func pack(_ lines: Range<Int>, of plane: UnsafeRawPointer, channels: Int, hasMore: Bool) {
        let first = firstX &- x.padding
        let low = min(max(0 &- first, 0), columns)
        let high = max(low, min(columns, x.extent &- first))
        for r in lines {
            let target = patch + r &* pitch
            let mapped = firstY &+ r < endY ? boundary.map(firstY &+ r &- y.padding, extent: y.extent) : -1
            if mapped < 0 {
                target.initializeMemory(as: UInt8.self, repeating: 0, count: columns &* vectorBytes)
                continue
            }
            let row = plane + mapped &* y.inputStride
            let inside = row + (first &+ low) &* x.inputStride
            if high > low && hasMore { askForNextChannels(inside, count: high &- low) }
            if low > 0 { packOutside(row, target, 0..<low, channels: channels) }
            if high > low {
                packInside(inside, to: target + low &* vectorBytes, count: high &- low, channels: channels)
            }
            if columns > high { packOutside(row, target, high..<columns, channels: channels) }
        }
    }

    /// Asks for the same samples of the next channels, whose lines are too many and too short for the machine to foresee.
    private func askForNextChannels(_ source: UnsafeRawPointer, count: Int) {
        if x.inputStride != size { return }
        for c in lanes..<2 &* lanes { askFor(source + c &* channelStride, byteCount: count &* size) }
    }

    private func packInside(
        _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, channels: Int
    ) {
        if reader.isPlain && channelStride == size {
            copyRows(
                source, strideBytes: x.inputStride, to: target, strideBytes: vectorBytes, rows: count,
                byteCount: channels &* size)
        } else if x.inputStride == size {
            transposeRows(source, to: target, count: count, channels: channels)
        } else {
            for i in 0..<count {
                readRun(
                    reader, source + i &* x.inputStride, stride: channelStride, count: channels,
                    to: target + i &* vectorBytes, stage: stages)
            }
        }
    }

    private func transposeRows(
        _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, channels: Int
    ) {
        var tile = TransposedTiles(
            rows: channels, columns: count, sourceRow: channelStride, destinationColumn: vectorBytes, tiles: 1,
            sourceTile: 0, destinationTile: 0, elementBytes: element)
        if reader.isPlain {
            transpose(source, to: target, offsets: nil, &tile)
            return
        }
        tile.sourceRow = count &* element
        for c in 0..<channels {
            readRun(
                reader, source + c &* channelStride, stride: size, count: count, to: runs + c &* tile.sourceRow,
                stage: stages)
        }
        transpose(UnsafeRawPointer(runs), to: target, offsets: nil, &tile)
    }

    private func packOutside(
        _ row: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ places: Range<Int>, channels: Int
    ) {
        for i in places {
            let place = target + i &* vectorBytes
            let mapped = firstX &+ i < endX ? boundary.map(firstX &+ i &- x.padding, extent: x.extent) : -1
            if mapped < 0 {
                place.initializeMemory(as: UInt8.self, repeating: 0, count: vectorBytes)
            } else {
                readRun(
                    reader, row + mapped &* x.inputStride, stride: channelStride, count: channels, to: place,
                    stage: stages)
            }
        }
    }
}
