import Foundations
import Kernels

/// Where a thread's scratch has what.
struct WinogradScratch {
    var transformed = 0
    var sums = 0
    var patch = 0
    var patchPitch = 0
    var corner = 0
    var cornerPitch = 0
    var runs = 0
    var bias = 0
    var zeros = 0
    var stages = 0
    var byteCount = 0

    init(_ plan: WinogradPlan) {
        let vector = plan.vectorBytes
        let outputs = plan.kernels.outputs
        var next = 0
        func take(_ bytes: Int) -> Int {
            defer { next = roundToCacheLine(saturatingAdd(next, bytes)) }
            return next
        }
        transformed = take(saturatingMultiply(plan.transformedPitch, plan.points))
        sums = take(saturatingMultiply(plan.sumsPitch, plan.points))
        patchPitch = saturatingMultiply(outputs &* plan.blockColumns &+ 2, vector)
        patch = take(saturatingMultiply(patchPitch, outputs &* plan.blockRows &+ 2))
        let cornerTiles = min(plan.blockColumns, WinogradRun.cornerTiles)
        cornerPitch = cornerTiles &* outputs &* vector
        corner = take(outputs &* cornerPitch)
        let longestRun = max(outputs &* plan.blockColumns &+ 2, outputs &* outputs)
        runs = take(saturatingMultiply(longestRun, vector))
        bias = take(vector)
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

    /// Tiles whose outputs are held at a time before they are written: as many as stay in a first-level cache.
    static var cornerTiles: Int { 8 }

    func run(tasks: Range<Int>) {
        (scratch + layout.pointee.zeros).initializeMemory(
            as: UInt8.self, repeating: 0, count: plan.pointee.vectorBytes)
        for task in tasks { run(task: task) }
    }

    private func run(task: Int) {
        let block = WinogradBlock(plan.pointee, task: task)
        let channels = plan.pointee.channels
        let pass = plan.pointee.passChannels
        for panel in block.panels {
            var channel = 0
            while channel < channels {
                let part = channel..<min(channel &+ pass, channels)
                // Where all channels are held at once, they are transformed once.
                if panel == block.panels.lowerBound || pass < channels { transformInput(block, part) }
                multiply(block, panel, part)
                channel = part.upperBound
            }
            transformOutput(block, panel)
        }
    }

    /// For every point, the sums of a panel of output channels over some input channels, added to those over the ones
    /// before.
    private func multiply(_ block: WinogradBlock, _ panel: Int, _ channels: Range<Int>) {
        let pointee = plan.pointee
        let pitch = pointee.filter.channelPitch(panel)
        let points = filter + pointee.filter.offset(batch: block.batch, panel: panel)
        var products = WinogradProducts(
            samples: UnsafeRawPointer(scratch), tilePitch: pointee.transformedTilePitch, tiles: block.tiles, channels: 0,
            filter: points, vectors: pointee.filter.vectors(panel), sums: scratch, sumsPitch: pointee.sumsTilePitch,
            startsFromZero: true, nextFilter: points)
        for p in 0..<pointee.points {
            let transformed = UnsafeRawPointer(scratch) + (layout.pointee.transformed &+ p &* pointee.transformedPitch)
            products.sums = scratch + (layout.pointee.sums &+ p &* pointee.sumsPitch)
            var channel = channels.lowerBound
            while channel < channels.upperBound {
                let count = min(pointee.panelDepth, channels.upperBound &- channel)
                products.channels = count
                products.samples = transformed + (channel &- channels.lowerBound) &* pointee.element
                products.filter = points + (p &* pointee.filter.pointPitch(panel) &+ channel &* pitch)
                products.nextFilter = products.filter + count &* pitch
                products.startsFromZero = channel == 0
                runWinogradProducts(&products, isDouble: pointee.shape.isDouble)
                channel &+= count
            }
        }
    }
}

/// One task: some rows of tiles of some images, of one batch combination, and some panels of output channels.
struct WinogradBlock {
    let input: UnsafeRawPointer
    let output: UnsafeMutableRawPointer
    let batch: Int
    let panels: Range<Int>
    let firstRow: Int
    let rows: Int
    let firstColumn: Int
    let columns: Int
    let images: Int
    let tilesPerImage: Int
    let tiles: Int

    init(_ plan: WinogradPlan, task: Int) {
        let problem = plan.problem
        var rest = task
        func take(_ extent: Int) -> Int {
            let index = rest % extent
            rest /= extent
            return index
        }
        let (columnBlock, rowBlock) = (take(plan.columnBlocks), take(plan.rowBlocks))
        let (imageBlock, part) = (take(plan.imageBlocks), take(plan.channelParts))
        batch = rest
        let firstImage = imageBlock &* plan.blockImages
        input =
            problem.input
            + (problem.batch.offset(batch, .input) &+ firstImage &* plan.shape.sample.inputStride)
        output =
            problem.output
            + (problem.batch.offset(batch, .output) &+ firstImage &* plan.shape.sample.outputStride)
        let firstPanel = part &* plan.taskPanels
        panels = firstPanel..<min(firstPanel &+ plan.taskPanels, plan.filter.panels)
        firstRow = rowBlock &* plan.blockRows
        rows = min(plan.blockRows, plan.tilesY &- firstRow)
        images = min(plan.blockImages, plan.shape.sample.extent &- firstImage)
        firstColumn = columnBlock &* plan.blockColumns
        columns = min(plan.blockColumns, plan.tilesX &- firstColumn)
        tilesPerImage = rows &* columns
        tiles = images &* tilesPerImage
    }
}
