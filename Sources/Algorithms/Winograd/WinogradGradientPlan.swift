import Foundations
import Kernels

/// The gradient of 3 x 3 filters at unit steps, as Winograd's algorithm sees it: sums over all outputs of all samples.
struct WinogradGradientShape {
    /// An axis of the input; `taps` lie `filterStride` apart in the result, `extent` outputs `outputStride` in the gradient.
    var y = WinogradShape.Axis()
    var x = WinogradShape.Axis()
    var sample = ContractionIndex()
    var channel = ContractionIndex()
    var row = ContractionIndex()
    var isDouble = false

    /// Nil where the problem is of another kind.
    init?(_ problem: ContractionProblem) {
        switch problem.arithmetic {
        case .float32: isDouble = false
        case .float64: isDouble = true
        default: return nil
        }
        if !problem.sumsOverOutputs || problem.windowCount != 2 || problem.rows.count > 1 { return nil }
        if problem.epilogue.bias != nil { return nil }
        if problem.rows.count == 1 { row = problem.rows[0] }
        var axes = InlineArray<2, WinogradShape.Axis>(repeating: WinogradShape.Axis())
        for w in 0..<2 { axes[w].window = problem.windows[w] }
        var (channels, samples) = (0, 0)
        for i in 0..<problem.columns.count {
            let index = problem.columns[i]
            if index.window < 0 {
                channel = index
                channels &+= 1
            } else if index.step == 1 && index.extent == 3 {
                axes[index.window].taps = 3
                axes[index.window].filterStride = index.outputStride
            } else {
                return nil
            }
        }
        for i in 0..<problem.depth.count {
            let index = problem.depth[i]
            if index.window < 0 {
                sample = index
                samples &+= 1
            } else if index.step == 1 {
                axes[index.window].extent = index.extent
                axes[index.window].outputStride = index.filterStride
            } else {
                return nil
            }
        }
        (y, x) = (axes[0], axes[1])
        if channels > 1 || samples > 1 || y.taps != 3 || x.taps != 3 { return nil }
    }
}

/// How such a gradient runs: by F(3 x 3, 4 x 4), in which a tile of 4 x 4 outputs' gradients meets the 6 x 6 samples under
/// their windows. For each of the 36 points, output channels by input channels are a matrix product over the tiles of all
/// samples; in the end the points of each pair of channels become its 3 x 3 taps.
///
/// A block is some output channels by some input channels, whose sums a thread holds while all tiles pass, a *chunk* of them
/// at a time. Chunks are part of the order of summation and depend on the shape alone; blocks may depend on the threads.
struct WinogradGradientPlan {
    let problem: ContractionProblem
    let shape: WinogradGradientShape
    let kernels: WinogradKernels
    let element: Int
    let lanes: Int
    /// Lanes of a panel of input channels.
    let panelWidth: Int
    let tilesX: Int
    let tilesY: Int
    /// A chunk: so many rows of tiles of so many images, or a part of one row.
    let chunkColumns: Int
    let chunkRows: Int
    let chunkImages: Int
    let blockRows: Int
    let blockChannels: Int

    var points: Int { kernels.points &* kernels.points }
    var vectorBytes: Int { lanes &* element }

    init(_ problem: ContractionProblem, _ shape: WinogradGradientShape, threads: Int) {
        self.problem = problem
        self.shape = shape
        kernels = WinogradKernels(outputs: 4, isDouble: shape.isDouble)
        element = problem.arithmetic.byteCount
        lanes = vectorLanes(problem.arithmetic)
        panelWidth = contractionTileVectors(problem.arithmetic) &* lanes
        tilesX = max(1, ceilingDivide(shape.x.extent, 4))
        tilesY = max(1, ceilingDivide(shape.y.extent, 4))
        var rows = evenPart(max(1, shape.row.extent), most: largestBlock / element, unit: lanes)
        var channels = evenPart(max(1, shape.channel.extent), most: largestBlock / element, unit: lanes)
        let tiles = min(largestChunk, chunkBytes / ((rows &+ channels) &* element))
        chunkColumns = evenPart(tilesX, most: tiles)
        chunkRows = evenPart(tilesY, most: tiles / tilesX)
        chunkImages = min(max(1, tiles / saturatingMultiply(tilesX, tilesY)), max(1, shape.sample.extent))
        func blocks() -> Int {
            saturatingMultiply(
                problem.batch.extent,
                saturatingMultiply(
                    ceilingDivide(shape.row.extent, rows), ceilingDivide(shape.channel.extent, channels)))
        }
        // Threads that blocks are too few for have parts of them.
        while blocks() < threads && max(rows, channels) > lanes {
            if rows >= channels {
                rows = half(rows, unit: lanes)
            } else {
                channels = half(channels, unit: lanes)
            }
        }
        (blockRows, blockChannels) = (rows, channels)
    }

    var rowBlocks: Int { ceilingDivide(shape.row.extent, blockRows) }
    var channelBlocks: Int { ceilingDivide(shape.channel.extent, blockChannels) }
    var blockCount: Int { saturatingMultiply(problem.batch.extent, saturatingMultiply(rowBlocks, channelBlocks)) }

    var columnChunks: Int { ceilingDivide(tilesX, chunkColumns) }
    var rowChunks: Int { ceilingDivide(tilesY, chunkRows) }
    var chunkCount: Int {
        saturatingMultiply(
            ceilingDivide(shape.sample.extent, chunkImages), saturatingMultiply(rowChunks, columnChunks))
    }
    var chunkTiles: Int { chunkImages &* chunkRows &* chunkColumns }

    var panels: Int { ceilingDivide(blockChannels, panelWidth) }
    /// Vectors of a panel of a block of so many channels, and bytes from one of its tiles, or of its sums' rows, to the next.
    func vectors(_ panel: Int, channels: Int) -> Int {
        ceilingDivide(min(panelWidth, channels &- panel &* panelWidth), lanes)
    }
    var panelPitch: Int { min(panelWidth, ceilingDivide(blockChannels, lanes) &* lanes) &* element }
    var gradientPitch: Int { ceilingDivide(blockRows, lanes) &* vectorBytes }

    /// From point to point.
    var samplesPitch: Int { WinogradPlan.pointPitch(chunkTiles &* panelPitch) }
    var gradientsPitch: Int { WinogradPlan.pointPitch(chunkTiles &* gradientPitch) }
    var sumsPitch: Int { WinogradPlan.pointPitch(blockRows &* panelPitch) }
    /// A block's sums: [panel][point][row][lane].
    var sumsBytes: Int { panels &* points &* sumsPitch }
}

/// Half of it, rounded up to whole units.
private func half(_ extent: Int, unit: Int) -> Int { ceilingDivide(ceilingDivide(extent, unit), 2) &* unit }

/// Bytes of a block's channels each way: 36 points of 128 x 128 float32 sums take 2.25 MiB. Blocks of half as many channels
/// one way transform the other side's tiles twice as often, which takes a tenth longer.
private let largestBlock = 512
/// Tiles of a chunk, and bytes of one point of a chunk: half as many tiles as a small block's 64 move its sums twice as often.
private let largestChunk = 64
private let chunkBytes = 32 << 10

/// Where a thread's scratch has what.
struct WinogradGradientScratch {
    var samples = 0
    var gradients = 0
    var patch = 0
    var patchPitch = 0
    var columns = 0
    var runs = 0
    var taps = 0
    var stages = 0
    var byteCount = 0

    init(_ plan: WinogradGradientPlan) {
        let vector = plan.vectorBytes
        var places = WorkspaceLayout()
        samples = places.take(plan.panels &* plan.points &* plan.samplesPitch)
        gradients = places.take(plan.points &* plan.gradientsPitch)
        patchPitch = (4 &* plan.chunkColumns &+ 2) &* vector
        patch = places.take((4 &* plan.chunkRows &+ 2) &* patchPitch)
        columns = places.take(plan.points &* vector)
        runs = places.take(patchPitch)
        taps = places.take(9 &* vector)
        stages = places.take(2 &* 16 &* stageElements)
        byteCount = places.byteCount
    }
}
