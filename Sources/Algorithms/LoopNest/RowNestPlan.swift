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
    /// The output's other indices.
    let tiles: RowTiles
    /// The summed index that parts cut, how much of it one takes, and their number.
    let cut: Int
    let perPart: Int
    let parts: Int
    /// Whether tiles are so few that parts are tasks of their own, whose sums wait until all are there.
    let partsAreTasks: Bool
    /// Whether one call of a kernel reads all of a tile's rows where they lie: of two factors at most.
    let readsInPlace: Bool
    /// Whether rows of sums lie where the output is from the first on.
    let writesInPlace: Bool
    /// The innermost of the summed indices beside the line; -1 where there is none.
    let inner: Int
    /// The innermost of the output's indices beside the line; -1 where there is none.
    private let innerRow: Int
    /// Values of the innermost summed index that pass by in a kernel at a time.
    let steps: Int
    /// Which lines that are columns of memory are read side by side, and how many at a time.
    let turning: Turning
    let turnedLines: Int
    let readers: UnsafeMutablePointer<ElementReader>
    let writer: ElementWriter

    var tileCount: Int { saturatingMultiply(tiles.count, pieces) }
    /// Sums of one tile, and their bytes in scratch.
    var tileSums: Int { totals ? tiles.rows : tiles.rows &* piece }
    /// From one row's sums, or sum, to the next one's in scratch.
    var sumPitch: Int { totals ? element : piece &* element }
    var tileBytes: Int { roundToCacheLine(tileSums &* element) }

    /// Neighbouring columns are lines of neighbouring values of an index.
    enum Turning { case none, rows, steps }

    /// Whether a factor's lines are columns of memory, which are turned side by side.
    func isTurned(_ f: Int) -> Bool {
        if turning == .none || !readers[f].isPlain { return false }
        let strides = nest.factors[f].strides
        if strides[line] == 0 || strides[line] == element { return false }
        return strides[turning == .steps ? inner : innerRow] == element
    }

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
        let extent = max(1, line < 0 ? 1 : nest.extents[line])
        var inPlace = nest.factorCount <= 2
        for f in 0..<nest.factorCount {
            let stride = line < 0 ? 0 : nest.factors[f].strides[line]
            if !readers[f].isPlain || (stride != 0 && stride != element) { inPlace = false }
        }
        piece = max(1, min(extent, totals && inPlace ? totalElements : pieceElements))
        pieces = totals ? 1 : ceilingDivide(extent, piece)
        readsInPlace = inPlace
        inner = nest.last(nest.outputCount..<nest.indexCount, but: line)
        innerRow = nest.last(0..<nest.outputCount, but: line)
        turning = element > 8 ? .none : RowNestPlan.turning(nest, line, inner, innerRow, readers, element)
        turnedLines = turning == .none ? 1 : 64 / element
        tiles = RowTiles(
            nest, line: line,
            most: totals
                ? max(leastTotalRows, min(totalElements / extent, maximumTileRows))
                : max(turnedLines, min(tileElements / piece, maximumTileRows)))
        let cut = RowNestPlan.cut(nest, line)
        self.cut = cut
        let depth = nest.depth
        let each = cut < 0 ? 1 : max(1, depth / max(nest.extents[cut], 1))
        perPart = cut < 0 ? 1 : max(1, min(nest.extents[cut], partProducts / each))
        parts = cut < 0 ? 1 : max(1, ceilingDivide(nest.extents[cut], perPart))
        writesInPlace =
            !totals && parts == 1 && depth > 0 && writer.isPlain && (line < 0 || nest.output.strides[line] == element)
        if inPlace {
            steps = totals ? 1 : RowNestPlan.steps(nest, inner)
        } else {
            steps = turning == .steps ? min(turnedLines, nest.extents[inner]) : 1
        }
        let tileCount = saturatingMultiply(tiles.count, pieces)
        let sums = saturatingMultiply(saturatingMultiply(tileCount, totals ? tiles.rows : tiles.rows &* piece), parts)
        partsAreTasks = parts > 1 && tileCount < 4 &* threads && sums <= keptSums
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
                cost += 0.5 + 12 / Double(max(nest.extents[i], 1))
            } else {
                let isUnit = nest.output.strides[i] == nest.output.type.byteCount
                cost += (isUnit ? 1 : 4.5) / Double(max(nest.depth, 1)) + (nest.depth > 1 ? 2 : 0)
            }
            // Among the output's own the longest of equals.
            if !isSummed { cost -= 0.001 * min(Double(nest.extents[i]), 100) / 100 }
            if cost < bestCost { (best, bestCost) = (i, cost) }
        }
        return best
    }

    /// Steps come first: rows may be those of a batch.
    private static func turning(
        _ nest: LoopNest, _ line: Int, _ inner: Int, _ innerRow: Int, _ readers: UnsafePointer<ElementReader>,
        _ element: Int
    ) -> Turning {
        if line < 0 { return .none }
        func turns(_ index: Int) -> Bool {
            if index < 0 { return false }
            for f in 0..<nest.factorCount where readers[f].isPlain && nest.factors[f].strides[index] == element {
                let stride = nest.factors[f].strides[line]
                if stride != 0 && stride != element { return true }
            }
            return false
        }
        return turns(inner) ? .steps : turns(innerRow) ? .rows : .none
    }

    /// The longest of the summed indices, but not the line where another one will do.
    private static func cut(_ nest: LoopNest, _ line: Int) -> Int {
        var cut = -1
        for i in nest.outputCount..<nest.indexCount where i != line {
            if cut < 0 || nest.extents[i] > nest.extents[cut] { cut = i }
        }
        let isSummed = line >= nest.outputCount
        if !isSummed || (cut >= 0 && nest.depth / max(nest.extents[cut], 1) <= partProducts) { return cut }
        return cut < 0 || nest.extents[line] > nest.extents[cut] ? line : cut
    }

    /// Sums stay in registers while steps pass by. Many of them may where the lines are neighbours in memory; else few, that
    /// memory is read in long runs still.
    private static func steps(_ nest: LoopNest, _ inner: Int) -> Int {
        if inner < 0 { return 1 }
        var stride = 1
        for f in 0..<nest.factorCount { stride = max(stride, abs(nest.factors[f].strides[inner])) }
        return min(nest.extents[inner], max(farSteps, min(nearBytes / stride, nearSteps)))
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

/// Steps that pass by at a time where they are far apart, and where so many bytes hold more.
private let farSteps = 8
private let nearBytes = 4096
private let nearSteps = 64
/// Elements of a row that are computed at a time.
private let pieceElements = 1024
/// Sums of a tile: in float32 half a first-level cache.
private let tileElements = 4096
/// Elements of a row that are added up in one go, and of a tile of such rows; its fewest rows, and the most of any.
private let totalElements = 8192
private let leastTotalRows = 64
private let maximumTileRows = 256
/// Products of a sum that are added up before the next ones begin another.
private let partProducts = 1 << 16
/// Sums of all parts that are kept at a time.
private let keptSums = 1 << 18

extension LoopNest {
    /// The last of some indices that is not this one; -1 where there is none.
    fileprivate func last(_ indices: Range<Int>, but index: Int) -> Int {
        for i in indices.reversed() where i != index { return i }
        return -1
    }
}
