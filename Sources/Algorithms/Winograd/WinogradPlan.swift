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
    /// A block: so many rows of tiles of so many images, or a part of one row; and its tiles as whole vectors.
    let blockColumns: Int
    let blockRows: Int
    let blockImages: Int
    let columnBlocks: Int
    let rowBlocks: Int
    let imageBlocks: Int
    let blockTiles: Int
    /// Input channels that are held transformed.
    let passChannels: Int
    /// Output channels whose sums are held at a time, and input channels that a panel holds.
    let blockChannels: Int
    let panelDepth: Int

    var points: Int { kernels.points &* kernels.points }
    var channels: Int { shape.channel.extent }
    var rows: Int { shape.row.extent }

    init(_ problem: ContractionProblem, _ shape: WinogradShape, outputs: Int) {
        self.problem = problem
        self.shape = shape
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
        let perChannel = pointCount &* element &* lanes
        passChannels = min(shape.channel.extent, max(1, 2 &* transformedBytes / perChannel))
        let most = min(12, max(1, transformedBytes / (perChannel &* passChannels))) &* lanes
        let perImage = saturatingMultiply(tilesX, tilesY)
        var (columns, rows, images) = (tilesX, tilesY, 1)
        if perImage <= most {
            images = max(1, min(shape.sample.extent, most / max(perImage, 1)))
        } else if tilesX <= most {
            rows = WinogradPlan.evenRows(tilesX, tilesY, most: most, lanes: lanes)
        } else {
            rows = 1
            columns = ceilingDivide(ceilingDivide(tilesX, ceilingDivide(tilesX, most)), lanes) &* lanes
        }
        (blockColumns, blockRows, blockImages) = (columns, rows, images)
        columnBlocks = ceilingDivide(tilesX, columns)
        rowBlocks = ceilingDivide(tilesY, rows)
        imageBlocks = ceilingDivide(shape.sample.extent, images)
        blockTiles = ceilingDivide(images &* rows &* columns, lanes) &* lanes
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
        saturatingMultiply(
            problem.batch.extent, saturatingMultiply(imageBlocks, saturatingMultiply(rowBlocks, columnBlocks)))
    }

    /// Distance between points, of which vectors are read and written at once: not a multiple of a page, or they would
    /// meet in the same cache sets.
    private func pointPitch(_ count: Int) -> Int {
        // The last vector of a channel's last image reaches up to a vector beyond.
        let bytes = roundToCacheLine(
            saturatingAdd(saturatingMultiply(count, saturatingMultiply(blockTiles, element)), lanes &* element))
        return bytes / 64 % 2 == 0 ? bytes &+ 64 : bytes
    }

    var transformedPitch: Int { pointPitch(passChannels) }
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
