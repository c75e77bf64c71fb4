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
    /// F(outputs x outputs, 3 x 3): 4, or 2 where so many channels would pass the bounds of the workspace.
    var outputs = 4

    /// Nil where the problem is of another kind, or of more channels than even the smaller tile can hold.
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
        let arithmetic = problem.arithmetic
        if fits(arithmetic) { return }
        outputs = 2
        if !fits(arithmetic) { return nil }
    }
}

extension WinogradShape {
    /// Bytes of a tile's transformed channels.
    private func tileBytes(_ arithmetic: ArithmeticKind) -> Int {
        saturatingMultiply((outputs &+ 2) &* (outputs &+ 2) &* arithmetic.byteCount, channel.extent)
    }

    /// Whether a block may hold a vector of tiles.
    private func fits(_ arithmetic: ArithmeticKind) -> Bool {
        saturatingMultiply(vectorLanes(arithmetic), tileBytes(arithmetic)) <= largestTransformedBytes
    }

    /// Tiles that a block holds at most.
    func mostTiles(_ arithmetic: ArithmeticKind) -> Int {
        let (lanes, bytes) = (vectorLanes(arithmetic), max(tileBytes(arithmetic), 1))
        let least = saturatingMultiply(2 &* lanes, bytes) <= largestTransformedBytes ? 2 &* lanes : lanes
        return min(12 &* lanes, max(least, transformedBytes / bytes))
    }

    /// Columns of outputs in a strip: blocks take whole rows of tiles, so wide images are cut from top to bottom. Whole
    /// tiles, whose sums do not depend on the cut.
    func stripColumns(_ arithmetic: ArithmeticKind) -> Int {
        let (most, lanes) = (mostTiles(arithmetic), vectorLanes(arithmetic))
        let tiles = ceilingDivide(x.extent, outputs)
        if tiles <= most { return x.extent }
        let even = ceilingDivide(tiles, ceilingDivide(tiles, most))
        return min(most, ceilingDivide(even, lanes) &* lanes) &* outputs
    }

    /// The strip from a column on, and how far its outputs lie from the first.
    func strip(from column: Int, columns: Int) -> (WinogradShape, Int) {
        var strip = self
        strip.x.extent = min(columns, x.extent &- column)
        strip.x.window.padding = x.window.padding &- column
        return (strip, column &* x.outputStride)
    }
}

/// How such a convolution runs: tiles of outputs are transformed, multiplied point by point (a matrix product over channels
/// for each point), and transformed back, a block of tiles at a time, so that nothing as large as an image is ever stored.
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
    /// A block: so many rows of tiles of so many images, and its tiles as whole vectors.
    let blockRows: Int
    let blockImages: Int
    let rowBlocks: Int
    let imageBlocks: Int
    let blockTiles: Int
    /// Output channels whose sums are held at a time, and input channels that a panel holds.
    let blockChannels: Int
    let panelDepth: Int

    var points: Int { kernels.points &* kernels.points }
    var channels: Int { shape.channel.extent }
    var rows: Int { shape.row.extent }

    init(_ problem: ContractionProblem, _ shape: WinogradShape) {
        self.problem = problem
        self.shape = shape
        let outputs = shape.outputs
        kernels = WinogradKernels(outputs: outputs, isDouble: shape.isDouble)
        let arithmetic = problem.arithmetic
        element = arithmetic.byteCount
        lanes = vectorLanes(arithmetic)
        reader = ElementReader(type: problem.inputType, swapUnit: problem.inputSwapUnit, arithmetic)
        writer = ElementWriter(
            result: problem.resultType, output: problem.outputType, swapUnit: problem.outputSwapUnit)
        tilesX = ceilingDivide(shape.x.extent, outputs)
        tilesY = ceilingDivide(shape.y.extent, outputs)
        let pointCount = (outputs &+ 2) &* (outputs &+ 2)
        let most = shape.mostTiles(arithmetic)
        let perImage = saturatingMultiply(tilesX, tilesY)
        if perImage <= most {
            blockRows = tilesY
            rowBlocks = 1
            blockImages = max(1, min(shape.sample.extent, most / max(perImage, 1)))
        } else {
            blockImages = 1
            blockRows = WinogradPlan.evenRows(tilesX, tilesY, most: most, lanes: lanes)
            rowBlocks = ceilingDivide(tilesY, blockRows)
        }
        imageBlocks = ceilingDivide(shape.sample.extent, blockImages)
        blockTiles = ceilingDivide(blockImages &* blockRows &* tilesX, lanes) &* lanes
        blockChannels = max(
            contractionTileRows,
            min(shape.row.extent, sumsBytes / (pointCount &* element &* blockTiles)) / contractionTileRows
                &* contractionTileRows)
        panelDepth = min(256, (40 << 10) / (contractionTileVectors(arithmetic) &* lanes &* element))
    }

    /// Rows of tiles for a block: those that leave the fewest lanes empty.
    private static func evenRows(_ tilesX: Int, _ tilesY: Int, most: Int, lanes: Int) -> Int {
        var best = 1
        var fewest = Int.max
        for rows in 1...max(1, most / tilesX) {
            let blocks = ceilingDivide(tilesY, rows)
            // Each block also reads all the transformed filters: worth about a vector.
            let cost = blocks &* (ceilingDivide(rows &* tilesX, lanes) &+ 1)
            if cost <= fewest { (best, fewest) = (rows, cost) }
        }
        return best
    }

    var taskCount: Int {
        saturatingMultiply(problem.batch.extent, saturatingMultiply(imageBlocks, rowBlocks))
    }

    /// Distance between points, of which vectors are read and written at once: not a multiple of a page, or they would
    /// meet in the same cache sets.
    private func pointPitch(_ count: Int) -> Int {
        // The last vector of a channel's last image reaches up to a vector beyond.
        let bytes = roundToCacheLine(
            saturatingAdd(saturatingMultiply(count, saturatingMultiply(blockTiles, element)), lanes &* element))
        return bytes / 64 % 2 == 0 ? bytes &+ 64 : bytes
    }

    var transformedPitch: Int { pointPitch(channels) }
    var sumsPitch: Int { pointPitch(blockChannels) }
    /// Bytes of one channel's tiles.
    var tilesBytes: Int { blockTiles &* element }

    /// The transformed filter: [batch][point][row][channel].
    var filterPointBytes: Int { roundToCacheLine(saturatingMultiply(saturatingMultiply(rows, channels), element)) }
    var filterBytes: Int {
        saturatingMultiply(saturatingMultiply(filterPointBytes, points), problem.batch.extent)
    }
}

/// Bytes of a block's transformed input, and of its sums: together they stay in a second-level cache, or nearly.
private let transformedBytes = 1200 << 10
private let sumsBytes = 400 << 10
/// Bytes of transformed input that no block passes: what a thread's workspace may hold beside its sums.
private let largestTransformedBytes = 3 << 20
