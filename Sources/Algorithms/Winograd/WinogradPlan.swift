import Foundations
import Kernels

/// How a convolution by Winograd's algorithm runs: tiles of samples are transformed, multiplied point by point (a matrix
/// product over channels, and taps along z, for each point), and transformed back, a block of tiles at a time, so that
/// nothing as large as an image is ever stored.
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
    let tiling: WinogradTiling
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
        let pointBytes = (outputs &+ 2) &* (outputs &+ 2) &* element
        let widest = contractionTileVectors(arithmetic) &* lanes
        let channels = max(1, shape.channel.extent)
        let panelDepth = ceilingDivide(
            channels, ceilingDivide(channels, max(1, deepestWinogradPanel / shape.z.taps)))
        let leastTiles = contractionTileRows &+ shape.z.taps &- 1
        passChannels = min(channels, max(1, blockBytes / (pointBytes &* leastTiles &* panelDepth)) &* panelDepth)
        // Threads that panels are too few for have tiles of their own.
        let shares = ceilingDivide(threads, max(1, ceilingDivide(shape.row.extent, widest)))
        let tiles = saturatingMultiply(
            saturatingMultiply(shape.tiles(outputs: outputs), shape.z.extent), shape.sample.extent)
        let filterBytes = saturatingMultiply(shape.filters, pointBytes)
        let isDeep = shape.z.taps > 1
        let width = isDeep ? min(widest, ceilingDivide(max(shape.row.extent, 1), lanes) &* lanes) : widest
        let least = isDeep ? deepBlockBytes : smallBlockBytes
        tiling = WinogradTiling(
            shape, outputs: outputs,
            WinogradTiling.Limits(
                transformedBytes: pointBytes &* ceilingDivide(passChannels, lanes) &* lanes,
                sumBytes: pointBytes &* width,
                blockBytes: min(max(filterBytes, least), blockBytes),
                tiles: ceilingDivide(max(tiles, 1), shares)))
        transformsFilter = !keepsFilter && tiling.blocks <= fewBlocks
        filter = WinogradFilter(
            problem, shape, kernels,
            panelWidth: transformsFilter ? min(widest, 2 &* lanes) : widest, panelDepth: panelDepth)
        taskPanels = ceilingDivide(
            filter.panels,
            WinogradPlan.parts(
                filter, blocks: saturatingMultiply(problem.batch.extent, tiling.blocks), threads: max(threads, 1)))
    }

    /// Parts of the output channels that are a task each, all of which transform the input: as many as keep the threads
    /// busy, and for even shares some more, if that is little work beside the products.
    private static func parts(_ filter: WinogradFilter, blocks: Int, threads: Int) -> Int {
        if threads == 1 { return 1 }
        let needed = ceilingDivide(threads, max(blocks, 1))
        let even = min(ceilingDivide(saturatingMultiply(threads, 4), max(blocks, 1)), filter.rows / 128)
        return max(1, min(filter.panels, max(needed, even)))
    }

    var channelParts: Int { ceilingDivide(filter.panels, max(taskPanels, 1)) }

    var taskCount: Int {
        saturatingMultiply(saturatingMultiply(problem.batch.extent, channelParts), tiling.blocks)
    }

    /// From a tile's channels, transformed or summed, to the next one's, and from point to point: of these, vectors are
    /// written and read at once, so it is not a multiple of a page, or they would meet in the same cache sets.
    var transformedTilePitch: Int { ceilingDivide(passChannels, lanes) &* vectorBytes }
    var transformedPitch: Int { WinogradPlan.pointPitch(saturatingMultiply(tiling.heldTiles, transformedTilePitch)) }
    var sumsTilePitch: Int { filter.channelPitch(0) }
    var sumsPitch: Int { WinogradPlan.pointPitch(saturatingMultiply(tiling.blockTiles, sumsTilePitch)) }

    static func pointPitch(_ byteCount: Int) -> Int {
        let bytes = roundToCacheLine(byteCount)
        return bytes / 64 % 2 == 0 ? saturatingAdd(bytes, 64) : bytes
    }
}

/// Blocks for each of which the filter is rather transformed anew.
private let fewBlocks = 2
/// Bytes of a block's transformed input and sums: many tiles for filters that come from memory anew for each block, fewer
/// for those that stay in a second-level cache beside them. Planes that outputs of several blocks need are transformed for
/// each, so that blocks with taps along z gain from some more, and from a count of the sums as they are.
private let blockBytes = 3 << 20
private let smallBlockBytes = 768 << 10
private let deepBlockBytes = 1280 << 10
