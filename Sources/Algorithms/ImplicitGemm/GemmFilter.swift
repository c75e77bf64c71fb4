import Foundations
import Kernels

/// How the filter lies for the tiles: where it is, if it supplies rows, their depths are contiguous and few columns use them;
/// else packed, for each batch combination [group][depth][row] where it supplies rows, a group being a tile's, and
/// [panel][depth][lane] where it supplies lanes. Depths are words where words hold several (`GemmFilter+Words.swift`); rows of
/// words, and of elements of 16 bytes, have no groups: [row][depth].
struct GemmFilter {
    let isInPlace: Bool
    /// Not 0 where a tile's rows lie side by side, in place or packed in groups: from one depth to the next, in bytes. Tiles
    /// then read one run of memory (packed groups: 1.03-1.14x on large products).
    let rowPitch: Int
    /// Whether a block packs its rows itself, one block of depths after the other: a packed filter would be large, and nobody
    /// keeps it.
    let isPackedByBlock: Bool
    /// From one packed group of rows to the next. No multiple of a few cache lines: groups are written side by side.
    let groupPitch: Int
    let panelWidth: Int
    let suppliesRows: Bool
    let depth: Int
    /// Words of all depths, whole ones in each block: depths, where a word is one.
    let words: Int
    let rows: Int
    /// Bytes of a word.
    let element: Int
    /// Packed bytes of one batch combination, and of all that differ.
    let batchBytes: Int
    let byteCount: Int
    /// From where one batch combination's packed rows begin to what each row's sums are corrected by.
    let corrections: Int
    let operands: GemmOperands
    let blocks: IndexBlocks
    let reader: OperandReader

    init(
        _ problem: ContractionProblem, _ operands: GemmOperands, _ depthBlocks: IndexBlocks, lanesAreColumns: Bool,
        panelWidth: Int, isKept: Bool
    ) {
        self.panelWidth = panelWidth
        self.operands = operands
        blocks = depthBlocks
        suppliesRows = lanesAreColumns
        depth = problem.depth.extent
        words = blocks.groupsBefore(blocks.count, size: operands.depths)
        rows = problem.rows.extent
        element = operands.sums.byteCount
        reader = operands.reader(problem.filterType, swapUnit: problem.filterSwapUnit, operands.sums)
        let isReadable = lanesAreColumns && operands.areElements && reader.isPlain && !GemmFilter.isBoolean(problem)
        let hasFewColumns = problem.columns.extent < manyColumns
        let hasContiguousDepth =
            GemmFilter.isContiguous(problem.depth, element)
            && (hasFewColumns || saturatingMultiply(depth, element) <= shortRow)
        let hasContiguousRows =
            problem.rows.filterRun(element) >= rows && problem.depth.count == 1 && hasFewColumns
            && problem.depth[0].filterStride != 0
        isInPlace = isReadable && (hasContiguousDepth || hasContiguousRows)
        if !lanesAreColumns || !operands.areElements || (isInPlace && hasContiguousDepth) {
            rowPitch = 0
        } else if isInPlace {
            rowPitch = problem.depth[0].filterStride
        } else {
            rowPitch = element <= 8 ? contractionTileRows &* element : 0
        }
        let whole = GemmFilter.groupPitch(depths: words, element)
        let isLarge =
            saturatingMultiply(ceilingDivide(min(rows, gemmBlockRows), contractionTileRows), whole)
            > largestPackedFilter
        isPackedByBlock = !isInPlace && rowPitch != 0 && isLarge && !isKept
        groupPitch = isPackedByBlock ? GemmFilter.groupPitch(depths: blocks.largest, element) : whole
        let padded = suppliesRows ? rows : saturatingMultiply(ceilingDivide(rows, panelWidth), panelWidth)
        corrections =
            rowPitch != 0
            ? saturatingMultiply(ceilingDivide(rows, contractionTileRows), groupPitch)
            : roundToCacheLine(saturatingMultiply(saturatingMultiply(padded, words), element))
        let correctionBytes = operands.raisesSamples ? roundToCacheLine(saturatingMultiply(padded, element)) : 0
        batchBytes = saturatingAdd(corrections, correctionBytes)
        byteCount = isInPlace || isPackedByBlock ? 0 : saturatingMultiply(batchBytes, problem.batch.extent)
    }

    private static func groupPitch(depths: Int, _ element: Int) -> Int {
        let bytes = roundToCacheLine(saturatingMultiply(saturatingMultiply(contractionTileRows, depths), element))
        return bytes / 64 % 8 == 0 ? saturatingAdd(bytes, 64) : bytes
    }

    private static func isBoolean(_ problem: ContractionProblem) -> Bool {
        if case .boolean = problem.arithmetic { true } else { false }
    }

    private static func isContiguous(_ depth: IndexList, _ element: Int) -> Bool {
        var expected = element
        for i in (0..<depth.count).reversed() {
            if depth[i].filterStride != expected { return false }
            expected = saturatingMultiply(expected, depth[i].extent)
        }
        return true
    }

    /// A number for the packed form.
    var form: Int {
        let layout = suppliesRows ? (rowPitch != 0 ? -1 : 0) : panelWidth
        let elements = Int(unsafeBitCast(operands.sums, to: UInt8.self))
        return (layout &* 16 &+ elements) &* 16 &+ operands.depths &* 2 &+ (operands.raisesSamples ? 1 : 0)
    }

    /// Rows of what is packed at a time: a row, some groups or a panel.
    private var unitRows: Int { suppliesRows ? (rowPitch != 0 ? groupsPacked &* contractionTileRows : 1) : panelWidth }

    /// Rows, units of groups or panels to pack.
    var units: Int { ceilingDivide(rows, unitRows) }

    /// Where a packed row begins.
    func rowOffset(_ row: Int) -> Int {
        if rowPitch == 0 { return row &* words &* element }
        return row / contractionTileRows &* groupPitch &+ row % contractionTileRows &* element
    }

    /// From one word of a row to the next.
    var rowStep: Int { rowPitch != 0 ? rowPitch : element }

    /// Packs one row, some groups or a panel. `stage` holds `stageBytes` bytes.
    func pack(
        _ problem: ContractionProblem, batch: Int, unit: Int, to packed: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        let source = problem.filter + problem.batch.offset(batch, .filter)
        let target = packed + batch &* batchBytes
        if !operands.areElements {
            packWords(problem, source, unit: unit, to: target, stage: stage)
        } else if rowPitch != 0 {
            let first = unit &* unitRows
            packGroups(
                problem, source, first..<min(first &+ unitRows, rows), depths: 0..<depth, to: target + rowOffset(first),
                stage: stage)
        } else if suppliesRows {
            packRow(
                problem, source + problem.rows.offset(unit, .filter), to: target + unit &* depth &* element,
                stage: stage)
        } else {
            packLanes(
                problem, source, first: unit &* panelWidth, to: target + unit &* panelWidth &* depth &* element,
                stage: stage)
        }
    }

    /// Bytes of scratch for packing: runs in the filter's dtype, or transposed lanes, and the offsets of lanes.
    func stageBytes(_ problem: ContractionProblem) -> Int {
        if !operands.areElements { return WordStage(self, problem).byteCount }
        return elementStageBytes
    }

    private var elementStageBytes: Int {
        let tables = 8 &* (max(panelWidth, contractionTileRows) &+ 2 &* panelDepths)
        if rowPitch != 0 {
            let line = saturatingMultiply(isPackedByBlock ? blocks.largest : depth, element)
            return max(tables, saturatingAdd(16 &* stageElements, saturatingMultiply(line, contractionTileRows)))
        }
        let turned = max(tables, 16 &* stageElements, transposedDepths &* panelWidth &* element)
        return roundToCacheLine(turned) &+ 8 &* panelWidth
    }

    /// Packs some depths of whole groups of rows. Those side by side in the filter are read a run at a time, others each by
    /// itself.
    func packGroups(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, _ range: Range<Int>, depths: Range<Int>,
        to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
    ) {
        let run = isCopied(problem) ? problem.rows.filterRun(element) : 1
        var first = range.lowerBound
        var target = target
        while first < range.upperBound {
            let left = min(range.upperBound &- first, run &- first % run)
            let groups = max(1, left / contractionTileRows)
            if left < contractionTileRows {
                packGroup(problem, source, first: first, depths: depths, to: target, stage: stage)
            } else {
                packRun(
                    problem, source + problem.rows.offset(first, .filter), groups: groups, depths: depths, to: target,
                    stage: stage)
            }
            first &+= groups &* contractionTileRows
            target += groups &* groupPitch
        }
    }

    private func packRun(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, groups: Int, depths: Range<Int>,
        to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
    ) {
        let offsets = stage.assumingMemoryBound(to: Int.self)
        var number = depths.lowerBound
        while number < depths.upperBound {
            let part = number..<min(number &+ panelDepths, depths.upperBound)
            problem.depth.writeOffsets(part, .filter, to: offsets)
            copyGroups(
                source + problem.depth.offset(number, .filter), offsets: offsets, rows: part.count,
                to: target + (number &- depths.lowerBound) &* rowStep, groups: groups, pitch: groupPitch,
                elementBytes: element)
            number = part.upperBound
        }
    }

    /// A group of rows, packed as a panel as wide, or each packed and then all transposed.
    private func packGroup(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, first: Int, depths: Range<Int>,
        to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
    ) {
        let count = min(contractionTileRows, rows &- first)
        if isCopied(problem) {
            packPanel(
                problem, source, first: first, count: count, depths: depths, width: contractionTileRows, to: target,
                stage: stage)
            return
        }
        let line = depths.count &* element
        var tile = TransposedTiles(
            rows: count, columns: depths.count, sourceRow: line, destinationColumn: rowStep, tiles: 1, sourceTile: 0,
            destinationTile: 0, elementBytes: element)
        if count < contractionTileRows {
            target.initializeMemory(as: UInt8.self, repeating: 0, count: contractionTileRows &* line)
        }
        let lines = stage + 16 &* stageElements
        for row in 0..<count {
            readDepths(
                problem, source + problem.rows.offset(first &+ row, .filter), depths, to: lines + row &* line,
                stage: stage)
        }
        transpose(UnsafeRawPointer(lines), to: target, offsets: nil, &tile)
    }

    /// Rows of the filter as the lanes of a panel, whatever their strides.
    private func packPanel(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, first: Int, count: Int, depths whole: Range<Int>,
        width: Int, to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
    ) {
        let lanes = stage.assumingMemoryBound(to: Int.self)
        let (depths, runs) = (lanes + width, lanes + (width &+ panelDepths))
        let pitch = width &* element
        problem.rows.writeOffsets(first..<first &+ count, .filter, to: lanes)
        let source = source + problem.rows.offset(first, .filter)
        var number = whole.lowerBound
        while number < whole.upperBound {
            let range = number..<min(number &+ panelDepths, whole.upperBound)
            problem.depth.writeOffsets(range, .filter, to: depths)
            var panel = PanelSource(
                source: source + problem.depth.offset(number, .filter), laneOffsets: lanes, lanes: count,
                depthOffsets: depths, depth: range.count, depthRuns: runs,
                depthRunCount: writeRuns(depths, count: range.count, distance: element, to: runs), elementBytes: element
            )
            Kernels.packPanel(
                &panel, width: width, to: target + (number &- whole.lowerBound) &* pitch, pitch: pitch)
            number = range.upperBound
        }
    }

    private func packRow(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        let list = problem.depth
        if list.count > 1 && list[list.count &- 1].extent <= shortRun && isCopied(problem) {
            packShortRuns(list, source, to: target)
            return
        }
        readDepths(problem, source, 0..<depth, to: target, stage: stage)
    }

    /// Reads depths of one row, contiguous in the target.
    func readDepths(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, _ depths: Range<Int>,
        to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
    ) {
        let (run, stride) = problem.depth.filterRun
        var number = depths.lowerBound
        while number < depths.upperBound {
            let count = min(run &- number % run, depths.upperBound &- number)
            read(
                source + problem.depth.offset(number, .filter), stride: stride, count: count,
                to: target + (number &- depths.lowerBound) &* operands.elementBytes, stage: stage)
            number &+= count
        }
    }

    /// Bools are not copied as they are: see `read`.
    private func isCopied(_ problem: ContractionProblem) -> Bool { reader.isPlain && !GemmFilter.isBoolean(problem) }

    /// Runs of few depths, as of a phase's taps: those along the longest index in one call.
    private func packShortRuns(
        _ list: IndexList, _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer
    ) {
        let inner = list[list.count &- 1]
        var longest = 0
        for i in 0..<list.count &- 1 where list[i].extent > list[longest].extent { longest = i }
        // Depths from one value of the longest index to the next.
        var between = inner.extent
        for i in longest &+ 1..<max(list.count &- 1, longest &+ 1) { between &*= list[i].extent }
        let (rows, rowStride) = (list[longest].extent, list[longest].filterStride)
        var first = 0
        while first < depth {
            for number in stride(from: first, to: first &+ between, by: inner.extent) {
                copyStrided(
                    source + list.offset(number, .filter), rowStride: rowStride, stride: inner.filterStride,
                    to: target + number &* element, rowStride: between &* element, stride: element, rows: rows,
                    count: inner.extent, elementBytes: element, swapping: false)
            }
            first &+= between &* rows
        }
    }

    private func packLanes(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, first: Int, to target: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        let count = min(panelWidth, rows &- first)
        if isCopied(problem) && element <= 8, var order = MemoryOrder(problem.depth, element) {
            packTransposed(problem, &order, source, first: first, count: count, to: target, stage: stage)
            return
        }
        if isCopied(problem) {
            packPanel(
                problem, source, first: first, count: count, depths: 0..<depth, width: panelWidth, to: target,
                stage: stage)
            return
        }
        let pitch = panelWidth &* element
        let list = problem.depth
        let inner = list.count == 0 ? 1 : list[list.count &- 1].extent
        let stride = list.count == 0 ? 0 : list[list.count &- 1].filterStride
        let rowOffset = problem.rows.offset(first, .filter)
        let rowStride = problem.rows.count == 0 ? 0 : problem.rows[problem.rows.count &- 1].filterStride
        let isLine = problem.rows.count <= 1
        var target = target
        var number = 0
        while number < depth {
            let from = source + list.offset(number, .filter)
            for d in 0..<inner {
                if isLine {
                    read(from + (d &* stride &+ rowOffset), stride: rowStride, count: count, to: target, stage: stage)
                } else {
                    for lane in 0..<count {
                        read(
                            from + (d &* stride &+ problem.rows.offset(first &+ lane, .filter)),
                            stride: element, count: 1, to: target + lane &* element, stage: stage)
                    }
                }
                (target + count &* element).initializeMemory(
                    as: UInt8.self, repeating: 0, count: (panelWidth &- count) &* element)
                target += pitch
            }
            number &+= inner
        }
    }

    /// Where each row's elements are contiguous, in whatever order of depths: pieces of them are transposed to rows of lanes,
    /// and these copied to their depths.
    private func packTransposed(
        _ problem: ContractionProblem, _ order: inout MemoryOrder, _ source: UnsafeRawPointer, first: Int, count: Int,
        to target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
    ) {
        let pitch = panelWidth &* element
        let offsets = (stage + (elementStageBytes &- 8 &* panelWidth)).assumingMemoryBound(to: Int64.self)
        for lane in 0..<count { offsets[lane] = Int64(problem.rows.offset(first &+ lane, .filter)) }
        if count < panelWidth {
            target.initializeMemory(as: UInt8.self, repeating: 0, count: depth &* pitch)
        }
        var tile = TransposedTiles(
            rows: count, columns: 0, sourceRow: 0, destinationColumn: pitch, tiles: 1, sourceTile: 0,
            destinationTile: 0, elementBytes: element)
        var place = 0
        while place < depth {
            tile.columns = min(transposedDepths, depth &- place)
            let isInOrder = order.isDepthOrder
            transpose(
                source + place &* element, to: isInOrder ? target + place &* pitch : stage, offsets: offsets, &tile)
            for column in 0..<(isInOrder ? 0 : tile.columns) {
                copyRows(
                    stage + column &* pitch, strideBytes: 0, to: target + order.depth &* pitch, strideBytes: 0, rows: 1,
                    byteCount: count &* element)
                order.advance()
            }
            place &+= tile.columns
        }
    }

    private func read(
        _ source: UnsafeRawPointer, stride: Int, count: Int, to target: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        reader.read(source, stride: stride, count: count, to: target, stage: stage)
        // Any byte but 0 is true, and kernels AND: of two such bytes one has all bits.
        if case .elements(.boolean) = operands.products {
            let bytes = target.assumingMemoryBound(to: UInt8.self)
            for i in 0..<count { bytes[i] = bytes[i] == 0 ? 0 : 0xFF }
        }
    }
}

/// Columns from which packing rows pays that could be read where they lie, and bytes up to which rows are as good there.
private let manyColumns = 1024
private let shortRow = 2048
/// Depths of a run up to which a call for each takes longer than the run.
private let shortRun = 8
/// Bytes of a block of packed rows, all depths of them, beyond which blocks pack their rows one block of depths after the
/// other: rows of 16,000 floats. It costs 5 to 12 % of 2048 x 2048 products, once for each block of columns.
private let largestPackedFilter = 32 << 20
/// Groups of a unit of packing: a few cache lines of rows side by side.
private let groupsPacked = 16
/// Depths whose places are listed at a time.
private let panelDepths = 256
/// Depths transposed at a time: of a panel's lanes, what a first-level cache holds.
private let transposedDepths = 96

extension IndexList {
    /// How many of the innermost combinations lie side by side in the filter; 1 where none do.
    fileprivate func filterRun(_ element: Int) -> Int {
        var run = 1
        for i in (0..<count).reversed() {
            if self[i].filterStride != saturatingMultiply(run, element) { break }
            run = saturatingMultiply(run, self[i].extent)
        }
        return run
    }
}

/// A walk over the depths of a filter whose elements are contiguous, in the order of memory.
private struct MemoryOrder {
    private let list: IndexList
    /// Indices from the innermost in memory, and how many depths a step of each moves.
    private var indices = InlineArray<32, Int>(repeating: 0)
    private var radices = InlineArray<32, Int>(repeating: 0)
    private var values = InlineArray<32, Int>(repeating: 0)
    private(set) var isDepthOrder = true
    /// The depth where the walk stands.
    private(set) var depth = 0

    /// Nil where the elements are not contiguous.
    init?(_ list: IndexList, _ element: Int) {
        self.list = list
        var radix = 1
        for i in (0..<list.count).reversed() {
            radices[i] = radix
            radix = saturatingMultiply(radix, list[i].extent)
        }
        var expected = element
        for place in 0..<list.count {
            var found = -1
            for i in 0..<list.count where list[i].filterStride == expected { found = i }
            if found < 0 { return nil }
            indices[place] = found
            if found != list.count &- 1 &- place { isDepthOrder = false }
            expected = saturatingMultiply(expected, list[found].extent)
        }
    }

    mutating func advance() {
        for place in 0..<list.count {
            let index = indices[place]
            values[place] &+= 1
            depth &+= radices[index]
            if values[place] < list[index].extent { return }
            depth &-= values[place] &* radices[index]
            values[place] = 0
        }
    }
}
