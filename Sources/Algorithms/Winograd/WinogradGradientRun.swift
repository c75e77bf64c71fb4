import Foundations
import Kernels

/// One thread's part in a block of a weight's gradient.
struct WinogradGradientRun {
    let plan: UnsafePointer<WinogradGradientPlan>
    let layout: UnsafePointer<WinogradGradientScratch>
    let scratch: UnsafeMutableRawPointer
    let sums: UnsafeMutableRawPointer
    private let batch: Int
    private let rows: Range<Int>
    private let channels: Range<Int>

    init(
        _ plan: UnsafePointer<WinogradGradientPlan>, _ layout: UnsafePointer<WinogradGradientScratch>, block: Int,
        scratch: UnsafeMutableRawPointer, sums: UnsafeMutableRawPointer
    ) {
        (self.plan, self.layout, self.scratch, self.sums) = (plan, layout, scratch, sums)
        let pointee = plan.pointee
        let firstChannel = block % pointee.channelBlocks &* pointee.blockChannels
        let firstRow = block / pointee.channelBlocks % pointee.rowBlocks &* pointee.blockRows
        batch = block / pointee.channelBlocks / pointee.rowBlocks
        channels = firstChannel..<min(firstChannel &+ pointee.blockChannels, pointee.shape.channel.extent)
        rows = firstRow..<min(firstRow &+ pointee.blockRows, pointee.shape.row.extent)
    }

    /// Adds a chunk's products to the sums, or begins them with chunk 0.
    func add(chunk number: Int) {
        let pointee = plan.pointee
        let chunk = WinogradChunk(pointee, number)
        transformSamples(chunk)
        transformGradients(chunk)
        for panel in 0..<pointee.panels where panel &* pointee.panelWidth < channels.count {
            let samples = scratch + (layout.pointee.samples &+ panel &* pointee.points &* pointee.samplesPitch)
            let vectors = pointee.vectors(panel, channels: channels.count)
            let pitch = vectors &* pointee.vectorBytes
            var products = WinogradProducts(
                rows: scratch + layout.pointee.gradients, rowPitch: pointee.element, rowCount: rows.count,
                depths: chunk.tiles, depthPitch: pointee.gradientPitch, lanes: samples, vectors: vectors,
                sums: sums + panel &* pointee.points &* pointee.sumsPitch, sumsPitch: pitch,
                startsFromZero: number == 0)
            for _ in 0..<pointee.points {
                products.nextLanes = products.lanes + pointee.samplesPitch
                runWinogradProducts(&products, isDouble: pointee.shape.isDouble)
                products.lanes = products.nextLanes
                products.rows += pointee.gradientsPitch
                products.sums += pointee.sumsPitch
            }
        }
    }

    /// The chunk's 6 x 6 samples of each tile, [panel][point][tile][lane].
    private func transformSamples(_ chunk: WinogradChunk) {
        let pointee = plan.pointee
        let (problem, shape) = (pointee.problem, pointee.shape)
        let operand = Operand(
            base: problem.input + problem.batch.offset(batch, .input), channels: channels,
            channelStride: shape.channel.inputStride, sampleStride: shape.sample.inputStride, halo: 2)
        let packing = packing(
            chunk, operand, shape.y.window, shape.x.window, problem.boundary,
            ElementReader(type: problem.inputType, swapUnit: problem.inputSwapUnit, problem.arithmetic))
        forEachRow(of: chunk, operand, packing) { source, first, tile in
            let (panel, lane) = (first / pointee.panelWidth, first % pointee.panelWidth)
            let pitch = pointee.vectors(panel, channels: channels.count) &* pointee.vectorBytes
            let target =
                scratch
                + (layout.pointee.samples &+ panel &* pointee.points &* pointee.samplesPitch
                    &+ lane &* pointee.element &+ tile &* pitch)
            pointee.kernels.transformInputs(
                source, rowPitch: packing.pitch, samplePitch: pointee.vectorBytes, tiles: chunk.columns, to: target,
                pointPitch: pointee.samplesPitch, tilePitch: pitch, scratch: scratch + layout.pointee.columns)
        }
    }

    /// The chunk's 4 x 4 gradients of each tile, [point][tile][row].
    private func transformGradients(_ chunk: WinogradChunk) {
        let pointee = plan.pointee
        let (problem, shape) = (pointee.problem, pointee.shape)
        let operand = Operand(
            base: problem.filter + problem.batch.offset(batch, .filter), channels: rows,
            channelStride: shape.row.filterStride, sampleStride: shape.sample.filterStride, halo: 0)
        var (y, x) = (ContractionWindow(), ContractionWindow())
        (y.extent, y.inputStride) = (shape.y.extent, shape.y.outputStride)
        (x.extent, x.inputStride) = (shape.x.extent, shape.x.outputStride)
        let packing = packing(
            chunk, operand, y, x, .fill,
            ElementReader(type: problem.filterType, swapUnit: problem.filterSwapUnit, problem.arithmetic))
        forEachRow(of: chunk, operand, packing) { source, first, tile in
            let target =
                scratch
                + (layout.pointee.gradients &+ first &* pointee.element &+ tile &* pointee.gradientPitch)
            pointee.kernels.transformGradients(
                source, rowPitch: packing.pitch, samplePitch: pointee.vectorBytes, tiles: chunk.columns, to: target,
                pointPitch: pointee.gradientsPitch, tilePitch: pointee.gradientPitch)
        }
    }

    /// The samples, or the outputs' gradients: its channels of the block, and how many lines of a tile reach beyond its outputs.
    private struct Operand {
        let base: UnsafeRawPointer
        let channels: Range<Int>
        let channelStride: Int
        let sampleStride: Int
        let halo: Int
    }

    /// Packs an operand's channels, a vector of them and an image after the other, and calls `body` for each row of tiles:
    /// where it lies packed, the number of its first channel in the block, and of its first tile in the chunk.
    private func forEachRow(
        of chunk: WinogradChunk, _ operand: Operand, _ packing: WinogradPacking,
        _ body: (_ source: UnsafeRawPointer, _ first: Int, _ tile: Int) -> Void
    ) {
        let lines = 4 &* chunk.rows &+ operand.halo
        var first = 0
        while first < operand.channels.count {
            let count = min(packing.lanes, operand.channels.count &- first)
            // Lanes beyond the channels are transformed and summed too.
            if count < packing.lanes { packing.clear(lines: lines) }
            let channel = operand.base + (operand.channels.lowerBound &+ first) &* operand.channelStride
            for n in 0..<chunk.images {
                packing.pack(
                    0..<lines, of: channel + (chunk.firstImage &+ n) &* operand.sampleStride, channels: count,
                    hasMore: first &+ count < operand.channels.count)
                for r in 0..<chunk.rows {
                    body(
                        UnsafeRawPointer(packing.patch) + 4 &* r &* packing.pitch, first,
                        (n &* chunk.rows &+ r) &* chunk.columns)
                }
            }
            first &+= count
        }
    }

    private func packing(
        _ chunk: WinogradChunk, _ operand: Operand, _ y: ContractionWindow, _ x: ContractionWindow,
        _ boundary: Boundary, _ reader: ElementReader
    ) -> WinogradPacking {
        let shape = plan.pointee.shape
        return WinogradPacking(
            reader: reader, boundary: boundary, y: y, x: x, channelStride: operand.channelStride,
            lanes: plan.pointee.lanes, firstY: 4 &* chunk.firstRow, firstX: 4 &* chunk.firstColumn,
            columns: 4 &* chunk.columns &+ operand.halo, endY: shape.y.extent &+ operand.halo,
            endX: shape.x.extent &+ operand.halo, patch: scratch + layout.pointee.patch,
            pitch: layout.pointee.patchPitch, runs: scratch + layout.pointee.runs,
            stages: scratch + layout.pointee.stages)
    }

    /// Writes the block's taps; returns false as soon as some are not finite.
    func finish() -> Bool {
        let pointee = plan.pointee
        let (channel, row) = (pointee.shape.channel, pointee.shape.row)
        let problem = pointee.problem
        let writer = ElementWriter(
            result: problem.resultType, output: problem.outputType, swapUnit: problem.outputSwapUnit)
        let taps = scratch + layout.pointee.taps
        let output = problem.output + problem.batch.offset(batch, .output)
        for r in rows {
            var first = channels.lowerBound
            while first < channels.upperBound {
                let count = min(pointee.lanes, channels.upperBound &- first)
                let (panel, lane) = (
                    (first &- channels.lowerBound) / pointee.panelWidth,
                    (first &- channels.lowerBound) % pointee.panelWidth
                )
                let pitch = pointee.vectors(panel, channels: channels.count) &* pointee.vectorBytes
                let place =
                    panel &* pointee.points &* pointee.sumsPitch &+ (r &- rows.lowerBound) &* pitch
                    &+ lane &* pointee.element
                let isFinite = pointee.kernels.transformTaps(
                    UnsafeRawPointer(sums + place), pointPitch: pointee.sumsPitch, to: taps,
                    tapPitch: pointee.vectorBytes)
                if !isFinite { return false }
                problem.epilogue.limit(taps, count: 9 &* pointee.lanes, problem.resultType)
                write(
                    taps, channels: count, to: output + (r &* row.outputStride &+ first &* channel.outputStride), writer
                )
                first &+= count
            }
        }
        return true
    }

    /// The 3 x 3 taps of a vector of channels.
    private func write(
        _ taps: UnsafeMutableRawPointer, channels: Int, to target: UnsafeMutableRawPointer, _ writer: ElementWriter
    ) {
        let pointee = plan.pointee
        let size = pointee.problem.outputType.byteCount
        let (y, x) = (pointee.shape.y.filterStride, pointee.shape.x.filterStride)
        let channel = pointee.shape.channel.outputStride
        if writer.isPlain && y == 3 &* x && channel == size {
            copyRows(
                UnsafeRawPointer(taps), strideBytes: pointee.vectorBytes, to: target, strideBytes: x, rows: 9,
                byteCount: channels &* size)
        } else if writer.isPlain && y == 3 &* x && x == size {
            var tile = TransposedTiles(
                rows: 9, columns: channels, sourceRow: pointee.vectorBytes, destinationColumn: channel, tiles: 1,
                sourceTile: 0, destinationTile: 0, elementBytes: size)
            transpose(UnsafeRawPointer(taps), to: target, offsets: nil, &tile)
        } else {
            for tap in 0..<9 {
                writeRun(
                    writer, taps + tap &* pointee.vectorBytes, count: channels,
                    to: target + (tap / 3 &* y &+ tap % 3 &* x), stride: channel,
                    stages: scratch + layout.pointee.stages)
            }
        }
    }
}

/// Some rows of tiles of some images, or a part of one row.
struct WinogradChunk {
    let firstImage: Int
    let images: Int
    let firstRow: Int
    let rows: Int
    let firstColumn: Int
    let columns: Int

    var tiles: Int { images &* rows &* columns }

    init(_ plan: WinogradGradientPlan, _ number: Int) {
        firstColumn = number % plan.columnChunks &* plan.chunkColumns
        columns = min(plan.chunkColumns, plan.tilesX &- firstColumn)
        let rest = number / plan.columnChunks
        firstRow = rest % plan.rowChunks &* plan.chunkRows
        rows = min(plan.chunkRows, plan.tilesY &- firstRow)
        firstImage = rest / plan.rowChunks &* plan.chunkImages
        images = min(plan.chunkImages, plan.shape.sample.extent &- firstImage)
    }
}
