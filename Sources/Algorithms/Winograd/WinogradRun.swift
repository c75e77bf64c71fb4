import Foundations
import Kernels

/// Where a thread's scratch has what.
struct WinogradScratch {
    var transformed = 0
    var sums = 0
    var patch = 0
    var patchPitch = 0
    var columns = 0
    var corner = 0
    var cornerPitch = 0
    var runs = 0
    var bias = 0
    var zeros = 0
    var piece = 0
    var taps = 0
    var stages = 0
    var byteCount = 0

    init(_ plan: WinogradPlan) {
        let vector = plan.vectorBytes
        let outputs = plan.kernels.outputs
        var places = WorkspaceLayout()
        transformed = places.take(saturatingMultiply(plan.transformedPitch, plan.points))
        sums = places.take(saturatingMultiply(plan.sumsPitch, plan.points))
        let (rows, columns) = (outputs &* plan.tiling.blockRows, outputs &* plan.tiling.blockColumns)
        patchPitch = saturatingMultiply(columns &+ 2, vector)
        patch = places.take(saturatingMultiply(patchPitch, rows &+ 2))
        self.columns = places.take(plan.points &* vector)
        let cornerTiles = min(plan.tiling.blockColumns, WinogradRun.cornerTiles)
        cornerPitch = cornerTiles &* outputs &* vector
        corner = places.take(outputs &* cornerPitch)
        let longestRun = max(columns &+ 2, outputs &* outputs)
        runs = places.take(saturatingMultiply(longestRun, vector))
        bias = places.take(vector)
        zeros = places.take(vector)
        piece = places.take(plan.transformsFilter ? plan.filter.pieceBytes : 0)
        taps = places.take(plan.filter.scratchBytes)
        stages = places.take(2 &* 16 &* stageElements)
        byteCount = places.byteCount
    }
}

/// One thread's part in a Winograd convolution.
struct WinogradRun {
    let plan: UnsafePointer<WinogradPlan>
    let layout: UnsafePointer<WinogradScratch>
    /// The transformed filter; nil where tasks transform it.
    let packed: UnsafeRawPointer?
    let scratch: UnsafeMutableRawPointer

    /// Tiles whose outputs are held at a time before they are written: as many as stay in a first-level cache.
    static var cornerTiles: Int { 8 }

    /// Returns false as soon as it meets a filter that is not finite.
    func run(tasks: Range<Int>) -> Bool {
        (scratch + layout.pointee.zeros).initializeMemory(
            as: UInt8.self, repeating: 0, count: plan.pointee.vectorBytes)
        for task in tasks where !run(task: task) { return false }
        return true
    }

    private func run(task: Int) -> Bool {
        let block = WinogradBlock(plan.pointee, task: task)
        let channels = plan.pointee.channels
        let pass = plan.pointee.passChannels
        for panel in block.panels {
            var channel = 0
            while channel < channels {
                let part = channel..<min(channel &+ pass, channels)
                // Where all channels are held at once, they are transformed once.
                if panel == block.panels.lowerBound || pass < channels { transformInput(block, part) }
                while channel < part.upperBound {
                    let count = min(plan.pointee.filter.panelDepth, part.upperBound &- channel)
                    guard let piece = piece(block, panel, channel) else { return false }
                    multiply(block, panel, piece, channel..<channel &+ count, from: part.lowerBound)
                    channel &+= count
                }
            }
            transformOutput(block, panel)
        }
        return true
    }

    /// The piece of the filter for a panel that begins with a channel; nil if it is not finite.
    private func piece(_ block: WinogradBlock, _ panel: Int, _ channel: Int) -> UnsafeRawPointer? {
        let filter = plan.pointee.filter
        let offset = filter.offset(batch: block.batch, panel: panel, channel: channel)
        if let packed { return packed + offset }
        let piece = scratch + layout.pointee.piece
        let isFinite = filter.transform(
            plan, batch: block.batch, piece: offset / filter.pieceBytes % filter.pieces, to: piece,
            scratch: scratch + layout.pointee.taps)
        return isFinite ? UnsafeRawPointer(piece) : nil
    }

    /// For every point, the sums of a panel of output channels over a piece's input channels, added to those over the ones
    /// before. The transformed input begins with channel `held`.
    private func multiply(
        _ block: WinogradBlock, _ panel: Int, _ piece: UnsafeRawPointer, _ channels: Range<Int>, from held: Int
    ) {
        let pointee = plan.pointee
        let filter = pointee.filter
        let samples = scratch + (layout.pointee.transformed &+ (channels.lowerBound &- held) &* pointee.element)
        let taps = pointee.shape.z.taps
        // Without planes beside theirs, images are more of the same tiles.
        let calls = taps == 1 ? 1 : block.images
        let tiles = block.images / calls &* block.planes &* block.tilesPerPlane
        var products = WinogradProducts(
            rows: UnsafeRawPointer(samples), rowPitch: pointee.transformedTilePitch, rowCount: tiles,
            depths: channels.count, depthPitch: pointee.element, lanes: piece, vectors: filter.vectors(panel),
            sums: scratch + layout.pointee.sums, sumsPitch: pointee.sumsTilePitch,
            startsFromZero: channels.lowerBound == 0)
        products.taps = taps
        products.tapPitch = block.tilesPerPlane &* products.rowPitch
        products.askingCalls = calls
        let imagePitch = block.heldPlanes &* products.tapPitch
        let pointBytes = filter.channelPitch(panel) &* channels.count &* taps
        for point in 0..<pointee.points {
            products.lanes = piece + point &* filter.pointPitch
            for call in 0..<calls {
                products.rows = UnsafeRawPointer(samples) + (point &* pointee.transformedPitch &+ call &* imagePitch)
                products.sums =
                    scratch
                    + (layout.pointee.sums &+ point &* pointee.sumsPitch &+ call &* tiles &* products.sumsPitch)
                products.nextLanes = products.lanes + (filter.pointPitch &+ call &* pointBytes / calls)
                runWinogradProducts(&products, isDouble: pointee.shape.isDouble)
            }
        }
    }
}

/// One task: some rows of tiles of some planes of some images, of one batch combination, and some panels of output
/// channels.
struct WinogradBlock {
    let input: UnsafeRawPointer
    let output: UnsafeMutableRawPointer
    let batch: Int
    let panels: Range<Int>
    let firstRow: Int
    let rows: Int
    let firstColumn: Int
    let columns: Int
    let firstPlane: Int
    let planes: Int
    /// Planes of samples.
    let heldPlanes: Int
    let images: Int
    let tilesPerPlane: Int

    init(_ plan: WinogradPlan, task: Int) {
        let problem = plan.problem
        var rest = task
        func take(_ extent: Int) -> Int {
            let index = rest % extent
            rest /= extent
            return index
        }
        let tiling = plan.tiling
        let (columnBlock, rowBlock) = (take(tiling.columnBlocks), take(tiling.rowBlocks))
        let (planeBlock, imageBlock) = (take(tiling.planeBlocks), take(tiling.imageBlocks))
        let part = take(plan.channelParts)
        batch = rest
        let firstImage = imageBlock &* tiling.blockImages
        input =
            problem.input
            + (problem.batch.offset(batch, .input) &+ firstImage &* plan.shape.sample.inputStride)
        output =
            problem.output
            + (problem.batch.offset(batch, .output) &+ firstImage &* plan.shape.sample.outputStride)
        let firstPanel = part &* plan.taskPanels
        panels = firstPanel..<min(firstPanel &+ plan.taskPanels, plan.filter.panels)
        images = min(tiling.blockImages, tiling.images &- firstImage)
        firstPlane = planeBlock &* tiling.blockPlanes
        planes = min(tiling.blockPlanes, tiling.planes &- firstPlane)
        heldPlanes = planes &+ tiling.halo
        firstRow = rowBlock &* tiling.blockRows
        rows = min(tiling.blockRows, tiling.tilesY &- firstRow)
        firstColumn = columnBlock &* tiling.blockColumns
        columns = min(tiling.blockColumns, tiling.tilesX &- firstColumn)
        tilesPerPlane = rows &* columns
    }
}
