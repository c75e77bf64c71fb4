import Foundations
import Kernels

/// How a loop nest runs over rows of products: one index lies along the rows, the *line*. If the output has it, a tile is
/// some rows of sums, which stay in a first-level cache while the summed indices pass by; if it is summed, a row of products
/// becomes one sum.
///
/// Long sums are cut into parts that are summed up each by itself, and then in order. The parts, like the line, depend on the
/// summed indices alone, so that no bit depends on the rest of the output or on the threads.
struct RowNestPlan {
    let nest: LoopNest
    let arithmetic: RowArithmetic
    /// Bytes of a sum.
    let element: Int
    /// -1 where there is no index at all.
    let line: Int
    let totals: Bool
    /// Elements of a line that are computed at a time, and how many such pieces the output has along it.
    let piece: Int
    let pieces: Int
    /// Combinations of the output's other indices, and how many make a tile.
    let rows: Int
    let tileRows: Int
    /// The summed index that parts cut, how much of it one takes, and their number.
    let cut: Int
    let perPart: Int
    let parts: Int
    /// Whether tiles are so few that parts are tasks of their own, whose sums wait until all are there.
    let partsAreTasks: Bool
    /// Whether one call of a kernel reads all of a tile's rows where they lie: of two factors at most.
    let readsInPlace: Bool
    /// Whether there is nothing to sum, and products are written where the output is.
    let writesProducts: Bool
    let readers: UnsafeMutablePointer<ElementReader>
    let writer: ElementWriter

    var tileCount: Int { saturatingMultiply(ceilingDivide(rows, tileRows), pieces) }
    /// Sums of one tile, and their bytes in scratch.
    var tileSums: Int { totals ? tileRows : tileRows &* piece }
    var tileBytes: Int { roundToCacheLine(tileSums &* element) }

    /// `readers` has room for one of each factor.
    init(_ nest: LoopNest, readers: UnsafeMutablePointer<ElementReader>, threads: Int) {
        self.nest = nest
        self.readers = readers
        let isOfBytes = RowNestPlan.isOfBytes(nest)
        arithmetic = isOfBytes ? .bytes : .elements(nest.arithmetic)
        element = arithmetic.byteCount
        for f in 0..<nest.factorCount {
            // Bytes are moved as bools are, as they stand.
            (readers + f).initialize(
                to: isOfBytes
                    ? ElementReader(type: .bool, swapUnit: 1, .boolean)
                    : ElementReader(type: nest.factors[f].type, swapUnit: nest.factors[f].swapUnit, nest.arithmetic))
        }
        writer =
            isOfBytes
            ? ElementWriter(result: .bool, output: .bool, swapUnit: 1)
            : ElementWriter(result: nest.resultType, output: nest.output.type, swapUnit: nest.output.swapUnit)
        line = RowNestPlan.line(nest)
        totals = line >= nest.outputCount
        let extent = line < 0 ? 1 : nest.extents[line]
        piece = max(1, min(extent, pieceElements))
        pieces = totals ? 1 : ceilingDivide(extent, piece)
        var inPlace = nest.factorCount <= 2
        for f in 0..<nest.factorCount {
            let stride = line < 0 ? 0 : nest.factors[f].strides[line]
            if !readers[f].isPlain || (stride != 0 && stride != element) { inPlace = false }
        }
        readsInPlace = inPlace
        writesProducts =
            nest.indexCount == nest.outputCount && writer.isPlain
            && (line < 0 || nest.output.strides[line] == element)
        var rows = 1
        for i in 0..<nest.outputCount where i != line { rows = saturatingMultiply(rows, nest.extents[i]) }
        self.rows = rows
        tileRows = max(1, min(rows, totals ? totalRows : tileElements / piece, maximumTileRows))
        // The longest of the summed indices is cut.
        var cut = -1
        for i in nest.outputCount..<nest.indexCount where cut < 0 || nest.extents[i] > nest.extents[cut] { cut = i }
        self.cut = cut
        let depth = nest.depth
        let each = cut < 0 ? 1 : max(1, depth / max(nest.extents[cut], 1))
        perPart = cut < 0 ? 1 : max(1, min(nest.extents[cut], partProducts / each))
        parts = cut < 0 ? 1 : max(1, ceilingDivide(nest.extents[cut], perPart))
        let tiles = saturatingMultiply(ceilingDivide(rows, tileRows), pieces)
        let sums = saturatingMultiply(saturatingMultiply(rows, pieces &* piece), parts)
        partsAreTasks = parts > 1 && tiles < 4 &* threads && sums <= keptSums
    }

    /// Whether everything is an integer of one byte: no dtype is wider than the result.
    private static func isOfBytes(_ nest: LoopNest) -> Bool {
        func isByte(_ type: ElementType) -> Bool { type == .int8 || type == .uint8 }
        for f in 0..<nest.factorCount where !isByte(nest.factors[f].type) { return false }
        return isByte(nest.resultType) && isByte(nest.output.type)
    }

    /// The index along which rows lie: the one along which the factors and the output are read and written most cheaply. The
    /// output's extents play no part in whether it is one of the output's, so that no sum's order depends on them.
    private static func line(_ nest: LoopNest) -> Int {
        var (best, bestCost) = (-1, Double.infinity)
        for i in 0..<nest.indexCount {
            let isSummed = i >= nest.outputCount
            var cost = 0.0
            for f in 0..<nest.factorCount { cost += readingCost(nest.factors[f], i) }
            if isSummed {
                cost += 0.5 + 16 / Double(max(nest.extents[i], 1))
            } else {
                let isUnit = nest.output.strides[i] == nest.output.type.byteCount
                cost += (isUnit ? 1 : 4) / Double(max(nest.depth, 1)) + (nest.depth > 1 ? 2 : 0)
            }
            // Among the output's own the longest of equals.
            if !isSummed { cost -= 0.001 * min(Double(nest.extents[i]), 100) / 100 }
            if cost < bestCost { (best, bestCost) = (i, cost) }
        }
        return best
    }

    private static func readingCost(_ factor: NestFactor, _ index: Int) -> Double {
        let stride = factor.strides[index]
        if stride == 0 { return 0 }
        return stride == factor.type.byteCount ? 1 : 4
    }

    var taskCount: Int { partsAreTasks ? saturatingMultiply(tileCount, parts) : tileCount }
    /// Products of the whole nest.
    var work: Double {
        Double(nest.outputExtent) * Double(max(nest.depth, 1)) * Double(max(nest.factorCount, 1))
    }
    func threads(_ wanted: Int) -> Int { max(1, min(rowNestSharing.threads(wanted, work: work), taskCount)) }
}

/// Products: about 20 us and 60 us of one core.
var rowNestSharing: WorkSharing { WorkSharing(perThread: 40_000, perGrain: 120_000) }

/// Elements of a row that are computed at a time.
private let pieceElements = 1024
/// Sums of a tile: in float32 half a first-level cache.
private let tileElements = 4096
/// Rows whose totals are a tile, and the most rows of any.
private let totalRows = 64
private let maximumTileRows = 256
/// Products of a sum that are added up before the next ones begin another.
private let partProducts = 1 << 16
/// Sums of all parts that are kept at a time.
private let keptSums = 1 << 18
