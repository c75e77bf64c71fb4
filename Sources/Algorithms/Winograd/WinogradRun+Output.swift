import Foundations
import Kernels

/// Sums to outputs: some tiles of a vector of output channels are transformed back, bounded, and written.
extension WinogradRun {
    func transformOutput(_ block: WinogradBlock, _ panel: Int) {
        let pointee = plan.pointee
        let width = pointee.filter.panelWidth
        let rows = panel &* width..<min((panel &+ 1) &* width, pointee.rows)
        var first = rows.lowerBound
        while first < rows.upperBound {
            let count = min(pointee.lanes, rows.upperBound &- first)
            readBias(block, first, count: count)
            let sums =
                UnsafeRawPointer(scratch) + (layout.pointee.sums &+ (first &- rows.lowerBound) &* pointee.element)
            for number in 0..<block.images &* block.planes {
                for r in 0..<block.rows {
                    var column = 0
                    while column < block.columns {
                        let tile = number &* block.tilesPerPlane &+ r &* block.columns &+ column
                        let corner = WinogradCorner(
                            image: number / block.planes, plane: block.firstPlane &+ number % block.planes,
                            row: block.firstRow &+ r, column: block.firstColumn &+ column,
                            tiles: min(WinogradRun.cornerTiles, block.columns &- column),
                            channels: first..<first &+ count)
                        askForOutputs(block, corner)
                        transform(block, corner, sums + tile &* pointee.sumsTilePitch)
                        write(block, corner)
                        column &+= corner.tiles
                    }
                }
            }
            first &+= count
        }
    }

    /// Asks for the lines that will be written, where a channel's are apart.
    private func askForOutputs(_ block: WinogradBlock, _ corner: WinogradCorner) {
        let pointee = plan.pointee
        let (y, x, channel) = (pointee.shape.y, pointee.shape.x, pointee.shape.row)
        let outputs = pointee.kernels.outputs
        let size = pointee.problem.outputType.byteCount
        if x.outputStride != size { return }
        let (firstY, firstX) = (corner.row &* outputs, corner.column &* outputs)
        let byteCount = min(corner.tiles &* outputs, x.extent &- firstX) &* size
        let plane = plane(block, corner)
        for c in corner.channels {
            for line in firstY..<min(firstY &+ outputs, y.extent) {
                let offset = line &* y.outputStride &+ firstX &* x.outputStride &+ c &* channel.outputStride
                askToWrite(plane + offset, byteCount: byteCount)
            }
        }
    }

    /// Where the corner's plane of outputs begins.
    private func plane(_ block: WinogradBlock, _ corner: WinogradCorner) -> UnsafeMutableRawPointer {
        let shape = plan.pointee.shape
        return block.output + (corner.image &* shape.sample.outputStride &+ corner.plane &* shape.z.outputStride)
    }

    private func readBias(_ block: WinogradBlock, _ row: Int, count: Int) {
        let problem = plan.pointee.problem
        let bias = scratch + layout.pointee.bias
        bias.initializeMemory(as: UInt8.self, repeating: 0, count: plan.pointee.vectorBytes)
        let stride = plan.pointee.shape.row.biasStride
        problem.epilogue.readBias(
            problem.batch.offset(block.batch, .bias) &+ row &* stride, stride: stride, count: count, problem.arithmetic,
            to: bias, stage: scratch + layout.pointee.stages)
    }

    private func transform(_ block: WinogradBlock, _ corner: WinogradCorner, _ sums: UnsafeRawPointer) {
        let pointee = plan.pointee
        let target = scratch + layout.pointee.corner
        let rowPitch = corner.tiles &* pointee.kernels.outputs &* pointee.vectorBytes
        let isFinite = pointee.kernels.transformOutputs(
            sums, pointPitch: pointee.sumsPitch, tilePitch: pointee.sumsTilePitch, tiles: corner.tiles,
            bias: UnsafeRawPointer(scratch + layout.pointee.bias), to: target, rowPitch: rowPitch,
            samplePitch: pointee.vectorBytes)
        if !isFinite { repair(block, corner, sums) }
        pointee.problem.epilogue.limit(
            target, count: pointee.kernels.outputs &* rowPitch / pointee.element, pointee.problem.resultType)
    }

    private func write(_ block: WinogradBlock, _ corner: WinogradCorner) {
        let pointee = plan.pointee
        let (y, x, channel) = (pointee.shape.y, pointee.shape.x, pointee.shape.row)
        let outputs = pointee.kernels.outputs
        let (firstY, firstX) = (corner.row &* outputs, corner.column &* outputs)
        let width = min(corner.tiles &* outputs, x.extent &- firstX)
        let rowPitch = corner.tiles &* outputs &* pointee.vectorBytes
        let plane = plane(block, corner)
        for a in 0..<min(outputs, y.extent &- firstY) {
            let offset =
                (firstY &+ a) &* y.outputStride &+ firstX &* x.outputStride
                &+ corner.channels.lowerBound &* channel.outputStride
            write(
                scratch + (layout.pointee.corner &+ a &* rowPitch), samples: width, channels: corner.channels.count,
                to: plane + offset)
        }
    }

    /// A row of samples, their channels along the lanes.
    private func write(
        _ source: UnsafeMutableRawPointer, samples: Int, channels: Int, to target: UnsafeMutableRawPointer
    ) {
        let pointee = plan.pointee
        let (x, channel) = (pointee.shape.x.outputStride, pointee.shape.row.outputStride)
        let size = pointee.problem.outputType.byteCount
        let stages = scratch + layout.pointee.stages
        if pointee.writer.isPlain && channel == size {
            copyRows(
                UnsafeRawPointer(source), strideBytes: pointee.vectorBytes, to: target, strideBytes: x, rows: samples,
                byteCount: channels &* size)
        } else if x == size {
            var tile = TransposedTiles(
                rows: samples, columns: channels, sourceRow: pointee.vectorBytes, destinationColumn: channel, tiles: 1,
                sourceTile: 0, destinationTile: 0, elementBytes: pointee.element)
            if pointee.writer.isPlain {
                transpose(UnsafeRawPointer(source), to: target, offsets: nil, &tile)
                return
            }
            let runs = scratch + layout.pointee.runs
            tile.destinationColumn = samples &* pointee.element
            transpose(UnsafeRawPointer(source), to: runs, offsets: nil, &tile)
            for c in 0..<channels {
                writeRun(
                    pointee.writer, runs + c &* tile.destinationColumn, count: samples, to: target + c &* channel,
                    stride: x, stages: stages)
            }
        } else {
            for i in 0..<samples {
                writeRun(
                    pointee.writer, source + i &* pointee.vectorBytes, count: channels, to: target + i &* x,
                    stride: channel, stages: stages)
            }
        }
    }

    // MARK: Infinity and NaN

    /// A sample or a sum that is not finite reaches all outputs of its tile here, where only those are due whose windows
    /// hold it: such tiles are computed anew, product by product.
    private func repair(_ block: WinogradBlock, _ corner: WinogradCorner, _ sums: UnsafeRawPointer) {
        let pointee = plan.pointee
        let outputs = pointee.kernels.outputs
        let rowPitch = corner.tiles &* outputs &* pointee.vectorBytes
        for tile in 0..<corner.tiles {
            let place = scratch + (layout.pointee.corner &+ tile &* outputs &* pointee.vectorBytes)
            transformAlone(sums + tile &* pointee.sumsTilePitch)
            for lane in 0..<corner.channels.count where !isFinite(lane: lane) {
                let row = corner.channels.lowerBound &+ lane
                for a in 0..<outputs {
                    for b in 0..<outputs {
                        let sum = sumDirectly(
                            block, corner, row, y: corner.row &* outputs &+ a,
                            x: (corner.column &+ tile) &* outputs &+ b)
                        let target = place + (a &* rowPitch &+ b &* pointee.vectorBytes)
                        store(sum, to: target, lane: lane)
                    }
                }
            }
        }
    }

    /// One tile's outputs without the bias, to `runs`.
    private func transformAlone(_ sums: UnsafeRawPointer) {
        let pointee = plan.pointee
        _ = pointee.kernels.transformOutputs(
            sums, pointPitch: pointee.sumsPitch, tilePitch: 0, tiles: 1,
            bias: UnsafeRawPointer(scratch + layout.pointee.zeros), to: scratch + layout.pointee.runs,
            rowPitch: pointee.kernels.outputs &* pointee.vectorBytes, samplePitch: pointee.vectorBytes)
    }

    /// Whether all outputs of the tile in `runs` are.
    private func isFinite(lane: Int) -> Bool {
        let pointee = plan.pointee
        for output in 0..<pointee.kernels.outputs &* pointee.kernels.outputs {
            let value =
                scratch + (layout.pointee.runs &+ output &* pointee.vectorBytes &+ lane &* pointee.element)
            let finite =
                pointee.shape.isDouble ? value.load(as: Double.self).isFinite : value.load(as: Float.self).isFinite
            if !finite { return false }
        }
        return true
    }

    /// A sum plus its channel's bias.
    private func store(_ sum: SIMD2<UInt64>, to target: UnsafeMutableRawPointer, lane: Int) {
        let element = plan.pointee.element
        let target = target + lane &* element
        target.copyMemory(from: scratch + (layout.pointee.bias &+ lane &* element), byteCount: element)
        addToRows(plan.pointee.problem.arithmetic, sum, target, rowStride: 0, rows: 1, count: 1)
    }

    private func sumDirectly(
        _ block: WinogradBlock, _ corner: WinogradCorner, _ row: Int, y: Int, x: Int
    ) -> SIMD2<UInt64> {
        let pointee = plan.pointee
        let (axisZ, axisY, axisX) = (pointee.shape.z, pointee.shape.y, pointee.shape.x)
        let image = block.input + corner.image &* pointee.shape.sample.inputStride
        let boundary = pointee.problem.boundary
        var sum = SumOfProducts(pointee.problem.arithmetic)
        let reader = ElementReader(
            type: pointee.problem.filterType, swapUnit: pointee.problem.filterSwapUnit, pointee.problem.arithmetic)
        let weights =
            pointee.problem.filter
            + (pointee.problem.batch.offset(block.batch, .filter) &+ row &* pointee.shape.row.filterStride)
        for c in 0..<pointee.channels {
            for tap in 0..<9 &* axisZ.taps {
                let (k, i, j) = (tap / 9, tap / 3 % 3, tap % 3)
                let mappedZ = boundary.map(
                    corner.plane &+ k &- axisZ.window.padding, extent: axisZ.window.extent)
                let mappedY = boundary.map(y &+ i &- axisY.window.padding, extent: axisY.window.extent)
                let mappedX = boundary.map(x &+ j &- axisX.window.padding, extent: axisX.window.extent)
                var value = SIMD2<UInt64>.zero
                if mappedZ >= 0 && mappedY >= 0 && mappedX >= 0 {
                    let sample =
                        image
                        + (c &* pointee.shape.channel.inputStride &+ mappedZ &* axisZ.window.inputStride
                            &+ mappedY &* axisY.window.inputStride &+ mappedX &* axisX.window.inputStride)
                    value = one(sample, pointee.reader)
                }
                let weight =
                    weights
                    + (c &* pointee.shape.channel.filterStride &+ k &* axisZ.filterStride &+ i &* axisY.filterStride
                        &+ j &* axisX.filterStride)
                sum.add(value, one(weight, reader))
            }
        }
        return sum.result
    }

    private func one(_ source: UnsafeRawPointer, _ reader: ElementReader) -> SIMD2<UInt64> {
        var value = SIMD2<UInt64>.zero
        withUnsafeMutableBytes(of: &value) {
            readRun(
                reader, source, stride: 0, count: 1, to: $0.baseAddress.unsafelyUnwrapped,
                stage: scratch + layout.pointee.stages)
        }
        return value
    }
}

/// Some tiles of a row of one plane, and as many output channels as a vector has lanes, or fewer.
struct WinogradCorner {
    let image: Int
    let plane: Int
    let row: Int
    let column: Int
    let tiles: Int
    let channels: Range<Int>
}
