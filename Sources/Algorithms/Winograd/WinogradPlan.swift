import Foundations
import Kernels

/// A convolution by 3 x 3 filters at unit steps, as Winograd's algorithm sees it.
struct WinogradShape {
    struct Axis {
        var window = ContractionWindow()
        var extent = 1
        var outputStride = 0
        var filterStride = 0
    }

    var y = Axis()
    var x = Axis()
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
        if problem.windowCount != 2 || problem.rows.count > 1 { return nil }
        if problem.rows.count == 1 { row = problem.rows[0] }
        var axes: [2 of Axis] = [Axis(), Axis()]
        for w in 0..<2 { axes[w].window = problem.windows[w] }
        var samples = 0
        for i in 0..<problem.columns.count {
            let index = problem.columns[i]
            if index.window < 0 {
                sample = index
                samples &+= 1
            } else if index.step == 1 {
                axes[index.window].extent = index.extent
                axes[index.window].outputStride = index.outputStride
            } else {
                return nil
            }
        }
        var taps = 0
        var channels = 0
        for i in 0..<problem.depth.count {
            let index = problem.depth[i]
            if index.window < 0 {
                channel = index
                channels &+= 1
            } else if index.step == 1 && index.extent == 3 {
                axes[index.window].filterStride = index.filterStride
                taps &+= 1
            } else {
                return nil
            }
        }
        if taps != 2 || samples > 1 || channels > 1 { return nil }
        (y, x) = (axes[0], axes[1])
    }

    /// Tiles of a sample.
    func tiles(outputs: Int) -> Int {
        saturatingMultiply(ceilingDivide(y.extent, outputs), ceilingDivide(x.extent, outputs))
    }
}

/// How such a convolution runs: tiles of outputs are transformed, multiplied point by point (a matrix product over channels
/// for each point), and transformed back, a block of tiles at a time, so that nothing as large as an image is ever stored.
///
/// Channels lie along the vectors throughout: samples' for the transform of inputs, outputs' for the products, in which
/// tiles are the rows, and for the transform of outputs. So neither needs many tiles.
struct WinogradPlan {
    let problem: ContractionProblem
    let shape: WinogradShape
    let kernels: WinogradKernels
    let element: Int
    let lanes: Int
    let reader: ElementReader
    let writer: ElementWriter
    /// Tiles along an image's rows and columns.
    let tilesX: Int
    let tilesY: Int
    /// A block: so many rows of tiles of so many images, or a part of one row.
    let blockColumns: Int
    let blockRows: Int
    let blockImages: Int
    let columnBlocks: Int
    let rowBlocks: Int
    let imageBlocks: Int
    /// Input channels that are held transformed, whole panels' or all of them.
    let passChannels: Int
    let filter: WinogradFilter
    /// Panels of output channels, whose sums are held one at a time, that are a task.
    let taskPanels: Int
    /// Whether tasks transform the filter, piece by piece as they need it: where few do, this takes less time than moving
    /// what is several times larger to memory and back.
    let transformsFilter: Bool

    var points: Int { kernels.points &* kernels.points }
    var channels: Int { shape.channel.extent }
    var rows: Int { shape.row.extent }
    var vectorBytes: Int { lanes &* element }
    var blockTiles: Int { blockImages &* blockRows &* blockColumns }

    init(_ problem: ContractionProblem, _ shape: WinogradShape, outputs: Int, threads: Int, keepsFilter: Bool) {
        self.problem = problem
        self.shape = shape
        kernels = WinogradKernels(outputs: outputs, isDouble: shape.isDouble)
        let arithmetic = problem.arithmetic
        element = arithmetic.byteCount
        lanes = vectorLanes(arithmetic)
        reader = ElementReader(type: problem.inputType, swapUnit: problem.inputSwapUnit, arithmetic)
        writer = ElementWriter(
            result: problem.resultType, output: problem.outputType, swapUnit: problem.outputSwapUnit)
        tilesX = max(1, ceilingDivide(shape.x.extent, outputs))
        tilesY = max(1, ceilingDivide(shape.y.extent, outputs))
        let pointBytes = (outputs &+ 2) &* (outputs &+ 2) &* element
        let widest = contractionTileVectors(arithmetic) &* lanes
        let channels = max(1, shape.channel.extent)
        let panelDepth = ceilingDivide(channels, ceilingDivide(channels, deepestPanel))
        passChannels = min(
            channels, max(1, blockBytes / (pointBytes &* contractionTileRows &* panelDepth)) &* panelDepth)
        let filterBytes = saturatingMultiply(saturatingMultiply(channels, shape.row.extent), pointBytes)
        let held = min(max(filterBytes, smallBlockBytes), blockBytes)
        let perImage = saturatingMultiply(tilesX, tilesY)
        // Threads that panels are too few for have tiles of their own.
        let shares = ceilingDivide(threads, max(1, ceilingDivide(shape.row.extent, widest)))
        let share = ceilingDivide(saturatingMultiply(perImage, max(1, shape.sample.extent)), shares)
        let most = max(1, min(share, held / (pointBytes &* (passChannels &+ widest))))
        var (columns, rows, images) = (tilesX, tilesY, 1)
        if perImage <= most {
            images = WinogradPlan.evenPart(shape.sample.extent, most: most / max(perImage, 1))
        } else if tilesX <= most {
            rows = WinogradPlan.evenPart(tilesY, most: most / tilesX)
        } else {
            rows = 1
            columns = WinogradPlan.evenPart(tilesX, most: most)
        }
        (blockColumns, blockRows, blockImages) = (columns, rows, images)
        columnBlocks = ceilingDivide(tilesX, columns)
        rowBlocks = ceilingDivide(tilesY, rows)
        imageBlocks = ceilingDivide(shape.sample.extent, images)

        let blocks = saturatingMultiply(imageBlocks, saturatingMultiply(rowBlocks, columnBlocks))
        transformsFilter = !keepsFilter && blocks <= fewBlocks
        filter = WinogradFilter(
            problem, shape, kernels,
            panelWidth: transformsFilter ? min(widest, 2 &* lanes) : widest, panelDepth: panelDepth)
        taskPanels = ceilingDivide(
            filter.panels,
            WinogradPlan.parts(
                filter, blocks: saturatingMultiply(problem.batch.extent, blocks), threads: max(threads, 1)))
    }

    /// Parts of the output channels that are a task each, all of which transform the input: as many as keep the threads
    /// busy, and for even shares some more, if that is little work beside the products.
    private static func parts(_ filter: WinogradFilter, blocks: Int, threads: Int) -> Int {
        if threads == 1 { return 1 }
        let needed = ceilingDivide(threads, max(blocks, 1))
        let even = min(ceilingDivide(saturatingMultiply(threads, 4), max(blocks, 1)), filter.rows / 128)
        return max(1, min(filter.panels, max(needed, even)))
    }

    /// The largest extent of as few parts as can be, up to `most` each.
    private static func evenPart(_ extent: Int, most: Int) -> Int {
        ceilingDivide(max(extent, 1), ceilingDivide(max(extent, 1), max(most, 1)))
    }

    var channelParts: Int { ceilingDivide(filter.panels, max(taskPanels, 1)) }

    var taskCount: Int {
        saturatingMultiply(
            saturatingMultiply(problem.batch.extent, channelParts),
            saturatingMultiply(imageBlocks, saturatingMultiply(rowBlocks, columnBlocks)))
    }

    /// From a tile's channels, transformed or summed, to the next one's, and from point to point: of these, vectors are
    /// written and read at once, so it is not a multiple of a page, or they would meet in the same cache sets.
    var transformedTilePitch: Int { ceilingDivide(passChannels, lanes) &* vectorBytes }
    var transformedPitch: Int { WinogradPlan.pointPitch(saturatingMultiply(blockTiles, transformedTilePitch)) }
    var sumsTilePitch: Int { filter.channelPitch(0) }
    var sumsPitch: Int { WinogradPlan.pointPitch(saturatingMultiply(blockTiles, sumsTilePitch)) }

    static func pointPitch(_ byteCount: Int) -> Int {
        let bytes = roundToCacheLine(byteCount)
        return bytes / 64 % 2 == 0 ? saturatingAdd(bytes, 64) : bytes
    }
}

/// Blocks for each of which the filter is rather transformed anew.
private let fewBlocks = 2
/// Input channels of a panel of the filter: by the widest register tiles 40 KiB, which stay in a first-level cache while
/// tiles walk by; half of them lose up to a tenth.
private let deepestPanel = 160
/// Bytes of a block's transformed input and sums: many tiles for filters that come from memory anew for each block, fewer
/// for those that stay in a second-level cache beside them.
private let blockBytes = 3 << 20
private let smallBlockBytes = 768 << 10
