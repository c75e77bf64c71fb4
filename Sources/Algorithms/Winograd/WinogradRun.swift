import Foundations
import Kernels

/// Where a thread's scratch has what.
struct WinogradScratch {
    var line = 0
    var phases = 0
    var phasePitch = 0
    var columns = 0
    var columnsPitch = 0
    var transformed = 0
    var sums = 0
    var lines = 0
    var linePitch = 0
    var laneOffsets = 0
    var rowOffsets = 0
    var segments = 0
    var zeros = 0
    var stages = 0
    var byteCount = 0

    init(_ plan: WinogradPlan) {
        let vector = plan.lanes &* plan.element
        let outputs = plan.kernels.outputs
        var next = 0
        func take(_ bytes: Int) -> Int {
            defer { next = roundToCacheLine(saturatingAdd(next, bytes)) }
            return next
        }
        // Phases are read and written by whole vectors, from lines as much longer.
        let padded = saturatingAdd(plan.blockColumns &+ 1, plan.lanes)
        line = take(saturatingMultiply(padded, outputs &* plan.element) &+ 2 &* vector)
        phasePitch = roundToCacheLine(saturatingMultiply(padded, plan.element)) &+ vector
        phases = take(saturatingMultiply(phasePitch, outputs))
        columnsPitch =
            roundToCacheLine(saturatingMultiply((plan.blockRows &+ 1) &* plan.blockColumns, plan.element)) &+ 2
            &* vector
        columns = take(saturatingMultiply(columnsPitch, outputs &* plan.kernels.points))
        transformed = take(saturatingMultiply(plan.transformedPitch, plan.points) &+ vector)
        sums = take(saturatingMultiply(plan.sumsPitch, plan.points))
        linePitch = saturatingMultiply(plan.tilesBytes, outputs)
        lines = take(saturatingMultiply(linePitch, outputs))
        laneOffsets = take(8 &* plan.panelDepth)
        rowOffsets = take(8 &* plan.blockChannels)
        segments = take(8 &* plan.blockChannels)
        zeros = take(vector)
        stages = take(2 &* 16 &* stageElements)
        byteCount = next
    }
}

/// One thread's part in a Winograd convolution.
struct WinogradRun {
    let plan: UnsafePointer<WinogradPlan>
    let layout: UnsafePointer<WinogradScratch>
    let filter: UnsafeRawPointer
    let scratch: UnsafeMutableRawPointer

    func run(tasks: Range<Int>) {
        let pitch = plan.pointee.tilesBytes
        for d in 0..<plan.pointee.panelDepth { ints(layout.pointee.laneOffsets)[d] = d &* pitch }
        for r in 0..<plan.pointee.blockChannels { ints(layout.pointee.rowOffsets)[r] = r &* pitch }
        let vector = plan.pointee.lanes &* plan.pointee.element
        (scratch + layout.pointee.zeros).initializeMemory(as: UInt8.self, repeating: 0, count: vector)
        for task in tasks { run(task: task) }
    }

    private func run(task: Int) {
        let block = WinogradBlock(plan.pointee, task: task)
        let (rows, channels) = (plan.pointee.rows, plan.pointee.channels)
        let pass = plan.pointee.passChannels
        var first = 0
        while first < rows {
            let count = min(plan.pointee.blockChannels, rows &- first)
            var channel = 0
            while channel < channels {
                let end = min(channel &+ pass, channels)
                // Where all channels are held at once, they are transformed once.
                if first == 0 || pass < channels { transformInput(block, channel..<end) }
                multiply(block, first, count, channel..<end)
                channel = end
            }
            for r in 0..<count { transformOutput(block, first &+ r, sums: r) }
            first &+= count
        }
    }

    // MARK: Input

    private func transformInput(_ block: WinogradBlock, _ channels: Range<Int>) {
        let pointee = plan.pointee
        for c in channels {
            let channel = block.input + c &* pointee.shape.channel.inputStride
            let place = (c &- channels.lowerBound) &* pointee.tilesBytes
            let target = scratch + (layout.pointee.transformed &+ place)
            for n in 0..<block.images {
                transform(
                    block, channel + n &* pointee.shape.sample.inputStride,
                    to: target + n &* block.tilesPerImage &* pointee.element)
            }
        }
    }

    /// One channel of one image.
    private func transform(_ block: WinogradBlock, _ image: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        let pointee = plan.pointee
        let kernels = pointee.kernels
        let pitch = layout.pointee.columnsPitch
        let columns = scratch + layout.pointee.columns
        let firstY = block.firstRow &* kernels.outputs &- pointee.shape.y.window.padding
        for r in 0..<block.rows &* kernels.outputs &+ 2 {
            let line = fillLine(block, image, y: firstY &+ r)
            let place = r % kernels.outputs &* kernels.points &* pitch
            kernels.transformColumns(
                line, tiles: block.columns, phases: scratch + layout.pointee.phases,
                phasePitch: layout.pointee.phasePitch,
                to: columns + (place &+ r / kernels.outputs &* block.columns &* pointee.element), pitch: pitch)
        }
        kernels.transformRows(
            UnsafeRawPointer(columns), pitch: pitch, tiles: block.tilesPerImage, tilesPerRow: block.columns,
            to: target, pointPitch: pointee.transformedPitch)
    }

    /// An input row from the first tile's first sample on, boundary settled.
    private func fillLine(_ block: WinogradBlock, _ image: UnsafeRawPointer, y: Int) -> UnsafeRawPointer {
        let pointee = plan.pointee
        let line = scratch + layout.pointee.line
        let stage = scratch + layout.pointee.stages
        let element = pointee.element
        let count = block.columns &* pointee.kernels.outputs &+ 2
        let (windowY, windowX) = (pointee.shape.y.window, pointee.shape.x.window)
        let mappedY = pointee.problem.boundary.map(y, extent: windowY.extent)
        if mappedY < 0 {
            line.initializeMemory(as: UInt8.self, repeating: 0, count: count &* element)
            return UnsafeRawPointer(line)
        }
        let row = image + mappedY &* windowY.inputStride
        let firstOutput = block.firstColumn &* pointee.kernels.outputs
        let first = firstOutput &- windowX.padding
        // Beyond the last output's window, to which tiles may reach, nothing matters.
        let needed = pointee.shape.x.extent &+ 2
        let low = min(max(0 &- first, 0), count)
        let high = max(low, min(count, windowX.extent &- first))
        for i in 0..<low { fillOutside(row, line, i, first &+ i, isNeeded: firstOutput &+ i < needed) }
        if high > low {
            readRun(
                pointee.reader, row + (first &+ low) &* windowX.inputStride, stride: windowX.inputStride,
                count: high &- low, to: line + low &* element, stage: stage)
        }
        for i in high..<count { fillOutside(row, line, i, first &+ i, isNeeded: firstOutput &+ i < needed) }
        return UnsafeRawPointer(line)
    }

    private func fillOutside(
        _ row: UnsafeRawPointer, _ line: UnsafeMutableRawPointer, _ i: Int, _ x: Int, isNeeded: Bool
    ) {
        let pointee = plan.pointee
        let window = pointee.shape.x.window
        let mapped = isNeeded ? pointee.problem.boundary.map(x, extent: window.extent) : -1
        let target = line + i &* pointee.element
        if mapped < 0 {
            target.initializeMemory(as: UInt8.self, repeating: 0, count: pointee.element)
        } else {
            readRun(
                pointee.reader, row + mapped &* window.inputStride, stride: 0, count: 1, to: target,
                stage: scratch + layout.pointee.stages)
        }
    }

    // MARK: Products

    /// For every point, the sums of `count` output channels over some input channels, added to those over the ones before.
    private func multiply(_ block: WinogradBlock, _ first: Int, _ count: Int, _ channels: Range<Int>) {
        let pointee = plan.pointee
        let width = contractionTileVectors(pointee.problem.arithmetic) &* pointee.lanes
        for p in 0..<pointee.points {
            let filter = filter + (block.filter &+ p &* pointee.filterPointBytes)
            let transformed = UnsafeRawPointer(scratch) + (layout.pointee.transformed &+ p &* pointee.transformedPitch)
            let sums = scratch + (layout.pointee.sums &+ p &* pointee.sumsPitch)
            var depth = channels.lowerBound
            while depth < channels.upperBound {
                let depths = min(pointee.panelDepth, channels.upperBound &- depth)
                let panel = transformed + (depth &- channels.lowerBound) &* pointee.tilesBytes
                var tile = 0
                while tile < block.paddedTiles {
                    multiply(
                        filter + (first &* pointee.channels &+ depth) &* pointee.element, rows: count,
                        panel + tile &* pointee.element, depths: depths,
                        vectors: min(width, block.paddedTiles &- tile) / pointee.lanes,
                        to: sums + tile &* pointee.element, isFirst: depth == 0)
                    tile &+= width
                }
                depth &+= depths
            }
        }
    }

    private func multiply(
        _ filter: UnsafeRawPointer, rows: Int, _ panel: UnsafeRawPointer, depths: Int, vectors: Int,
        to sums: UnsafeMutableRawPointer, isFirst: Bool
    ) {
        let pointee = plan.pointee
        let segments = (scratch + layout.pointee.segments).assumingMemoryBound(to: UnsafeRawPointer.self)
        for row in 0..<rows { segments[row] = filter + row &* pointee.channels &* pointee.element }
        var length = depths
        withUnsafePointer(to: &length) { length in
            var panel = ContractionPanel(
                rowSegments: UnsafePointer(segments), segmentCapacity: 1, segments: 1, segmentLengths: length,
                lanes: panel, laneOffsets: ints(layout.pointee.laneOffsets), output: sums,
                outputOffsets: ints(layout.pointee.rowOffsets))
            panel.vectors = vectors
            panel.rows = rows
            if isFirst { panel.start = UnsafeRawPointer(scratch + layout.pointee.zeros) }
            runContractionPanel(.elements(pointee.problem.arithmetic), &panel)
        }
    }

    private func ints(_ place: Int) -> UnsafeMutablePointer<Int> {
        (scratch + place).assumingMemoryBound(to: Int.self)
    }

    // MARK: Output

    private func transformOutput(_ block: WinogradBlock, _ row: Int, sums number: Int) {
        let pointee = plan.pointee
        let kernels = pointee.kernels
        let lines = scratch + layout.pointee.lines
        let sums = scratch + (layout.pointee.sums &+ number &* pointee.tilesBytes)
        let isFinite = kernels.transformOutputs(
            UnsafeRawPointer(sums), pointPitch: pointee.sumsPitch, tiles: block.tiles, to: lines,
            linePitch: layout.pointee.linePitch)
        if !isFinite { repairLines(block, row) }
        let problem = pointee.problem
        if !problem.epilogue.isEmpty {
            let bias = problem.epilogue.bias(
                at: block.bias &+ row &* pointee.shape.row.biasStride, problem.arithmetic)
            for a in 0..<kernels.outputs {
                let line = lines + a &* layout.pointee.linePitch
                let count = block.tiles &* kernels.outputs
                if problem.epilogue.bias != nil { addToRow(problem.arithmetic, bias, line, count: count) }
                problem.epilogue.limit(line, count: count, problem.resultType)
            }
        }
        writeLines(block, block.output + row &* pointee.shape.row.outputStride)
    }

    private func writeLines(_ block: WinogradBlock, _ output: UnsafeMutableRawPointer) {
        let pointee = plan.pointee
        let (y, x) = (pointee.shape.y, pointee.shape.x)
        let outputs = pointee.kernels.outputs
        let lineBytes = block.columns &* outputs &* pointee.element
        let firstX = block.firstColumn &* outputs
        let width = min(block.columns &* outputs, x.extent &- firstX)
        for n in 0..<block.images {
            let image = output + n &* pointee.shape.sample.outputStride
            for r in 0..<block.rows {
                let line = scratch + (layout.pointee.lines &+ (n &* block.rows &+ r) &* lineBytes)
                let firstY = (block.firstRow &+ r) &* outputs
                let height = min(outputs, y.extent &- firstY)
                let target = image + (firstY &* y.outputStride &+ firstX &* x.outputStride)
                if pointee.writer.isPlain && x.outputStride == pointee.element {
                    copyRows(
                        UnsafeRawPointer(line), strideBytes: layout.pointee.linePitch, to: target,
                        strideBytes: y.outputStride, rows: height, byteCount: width &* pointee.element)
                    continue
                }
                for a in 0..<height {
                    writeRun(
                        pointee.writer, line + a &* layout.pointee.linePitch, count: width,
                        to: target + a &* y.outputStride, stride: x.outputStride,
                        stages: scratch + layout.pointee.stages)
                }
            }
        }
    }

    /// A sample or a sum that is not finite reaches all outputs of its tile here, where only those are due whose windows
    /// hold it: such tiles are computed anew, product by product.
    private func repairLines(_ block: WinogradBlock, _ row: Int) {
        let outputs = plan.pointee.kernels.outputs
        for tile in 0..<block.tiles where !isFinite(tile: tile) {
            let image = tile / block.tilesPerImage
            let inImage = tile % block.tilesPerImage
            let y = (block.firstRow &+ inImage / block.columns) &* outputs
            let x = (block.firstColumn &+ inImage % block.columns) &* outputs
            for a in 0..<outputs {
                for b in 0..<outputs {
                    let sum = sumDirectly(block, row, image: image, y: y &+ a, x: x &+ b)
                    let target = line(a, tile &* outputs &+ b)
                    withUnsafeBytes(of: sum) {
                        target.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: plan.pointee.element)
                    }
                }
            }
        }
    }

    private func line(_ a: Int, _ sample: Int) -> UnsafeMutableRawPointer {
        scratch + (layout.pointee.lines &+ a &* layout.pointee.linePitch &+ sample &* plan.pointee.element)
    }

    private func isFinite(tile: Int) -> Bool {
        let outputs = plan.pointee.kernels.outputs
        for a in 0..<outputs {
            for b in 0..<outputs {
                let value = line(a, tile &* outputs &+ b)
                let finite =
                    plan.pointee.shape.isDouble
                    ? value.load(as: Double.self).isFinite : value.load(as: Float.self).isFinite
                if !finite { return false }
            }
        }
        return true
    }

    private func sumDirectly(_ block: WinogradBlock, _ row: Int, image: Int, y: Int, x: Int) -> SIMD2<UInt64> {
        let pointee = plan.pointee
        let (axisY, axisX) = (pointee.shape.y, pointee.shape.x)
        var sum = SumOfProducts(pointee.problem.arithmetic)
        let reader = ElementReader(
            type: pointee.problem.filterType, swapUnit: pointee.problem.filterSwapUnit, pointee.problem.arithmetic)
        let weights =
            pointee.problem.filter + (block.filterOffset &+ row &* pointee.shape.row.filterStride)
        for c in 0..<pointee.channels {
            for tap in 0..<9 {
                let (i, j) = (tap / 3, tap % 3)
                let mappedY = pointee.problem.boundary.map(y &+ i &- axisY.window.padding, extent: axisY.window.extent)
                let mappedX = pointee.problem.boundary.map(x &+ j &- axisX.window.padding, extent: axisX.window.extent)
                var value = SIMD2<UInt64>.zero
                if mappedY >= 0 && mappedX >= 0 {
                    let sample =
                        block.input + image &* pointee.shape.sample.inputStride
                        + (c &* pointee.shape.channel.inputStride &+ mappedY &* axisY.window.inputStride
                            &+ mappedX &* axisX.window.inputStride)
                    value = one(sample, pointee.reader)
                }
                let weight =
                    weights
                    + (c &* pointee.shape.channel.filterStride &+ i &* axisY.filterStride &+ j &* axisX.filterStride)
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

/// One task: some rows of tiles of some images, of one batch combination.
struct WinogradBlock {
    let input: UnsafeRawPointer
    let output: UnsafeMutableRawPointer
    /// Offsets of its transformed filter, its filter, its bias.
    let filter: Int
    let filterOffset: Int
    let bias: Int
    let firstRow: Int
    let rows: Int
    let firstColumn: Int
    let columns: Int
    let images: Int
    let tilesPerImage: Int
    let tiles: Int
    let paddedTiles: Int

    init(_ plan: WinogradPlan, task: Int) {
        let problem = plan.problem
        var rest = task
        func take(_ extent: Int) -> Int {
            let index = rest % extent
            rest /= extent
            return index
        }
        let (columnBlock, rowBlock) = (take(plan.columnBlocks), take(plan.rowBlocks))
        let (imageBlock, batch) = (take(plan.imageBlocks), rest)
        let firstImage = imageBlock &* plan.blockImages
        input =
            problem.input
            + (problem.batch.offset(batch, .input) &+ firstImage &* plan.shape.sample.inputStride)
        output =
            problem.output
            + (problem.batch.offset(batch, .output) &+ firstImage &* plan.shape.sample.outputStride)
        filter = batch &* plan.points &* plan.filterPointBytes
        filterOffset = problem.batch.offset(batch, .filter)
        bias = problem.batch.offset(batch, .bias)
        firstRow = rowBlock &* plan.blockRows
        rows = min(plan.blockRows, plan.tilesY &- firstRow)
        images = min(plan.blockImages, plan.shape.sample.extent &- firstImage)
        firstColumn = columnBlock &* plan.blockColumns
        columns = min(plan.blockColumns, plan.tilesX &- firstColumn)
        tilesPerImage = rows &* columns
        tiles = images &* tilesPerImage
        paddedTiles = ceilingDivide(tiles, plan.lanes) &* plan.lanes
    }
}
