import Foundations
import Kernels

/// How a pool runs.
///
/// Windows are reduced along one axis after the other. First *rows* are reduced onto each other, element by element,
/// into a line in the L1 cache (vertical pass); then windows along the line, the *column* axis (horizontal pass). A batch
/// axis inside the columns, channels-last or batch-last, is the *unit*: the line is longer, its taps further apart.
/// Every other axis is *outer*; the taps of outer window axes are planes of rows.
///
/// So a sum adds planes, then rows, then columns, whatever the block, the unit or the thread; column axis and kernel
/// follow from window geometry and the window axes' memory strides alone.
struct PoolPlan {
    enum Horizontal {
        /// Neighbouring windows one element apart, or a single one: taps are shifted lines.
        case lines
        case pairs, strided, runs
        /// Any step over units: a line for each output.
        case pixels
    }

    let problem: PoolProblem
    let form: PoolForm
    let outer: PoolAxisList
    let outerCount: Int
    let column: PoolAxis
    let unit: PoolAxis
    let row: PoolAxis
    let input: UnsafeRawPointer
    let output: UnsafeMutableRawPointer
    let indices: UnsafeMutableRawPointer?

    let horizontal: Horizontal
    /// The unit's elements are neighbours, and so are the units of a line.
    let unitIsDense: Bool
    let lineIsDense: Bool
    /// Rows are combined where they lie.
    let readsInPlace: Bool
    /// There is no vertical pass to make: windows are read where they lie, unless they reach into the padding.
    let isDirect: Bool
    /// Rows and columns of a window are combined in registers, in the same order.
    let fuses: Bool
    let writesInPlace: Bool
    /// Maxima with indices are looked for where elements lie, but for those at the border.
    let takesInPlace: Bool

    let unitBlock: Int
    let columnBlock: Int
    let rowBlock: Int
    let tapChunk: Int
    /// Maxima with indices: rows that are looked at together.
    let rowGroup: Int
    /// Rows that are gathered or converted side by side, all that a block needs where `stagesBlocks`.
    let stagedRows: Int
    let stagesBlocks: Bool
    /// Maxima with indices: places in `PoolRun.taps`, that whose taps follow each other last along the flat index first.
    let tapOrder: AxisInts
    /// Whether positions within a window need 64 bits.
    let wideIndices: Bool
    private(set) var scratch = PoolScratch()

    var chunks: Int { ceilingDivide(column.taps, tapChunk) }
    var rowBlocks: Int { ceilingDivide(row.outExtent, rowBlock) }
    var columnBlocks: Int { ceilingDivide(column.outExtent, columnBlock) }
    var unitBlocks: Int { ceilingDivide(unit.outExtent, unitBlock) }

    /// `problem` has outputs.
    init(_ problem: PoolProblem) {
        self.problem = problem
        var roles = PoolRoles(problem)
        let column = roles.takeColumn()
        let unit = roles.takeUnit(inside: column)
        let row = roles.takeRow()
        (self.column, self.unit, self.row) = (column, unit, row)
        (outer, outerCount) = (roles.axes, roles.count)
        (input, output, indices) = (roles.input, roles.output, roles.indices)
        let form = PoolForm(problem)
        self.form = form

        let inputBytes = problem.inputType.byteCount
        let raisesPowers = problem.pooling == .lp
        unitIsDense = unit.outExtent == 1 || unit.inStride == inputBytes
        lineIsDense = unitIsDense && column.inStride == unit.outExtent &* inputBytes
        let isPlain = form.reader.isPlain && !raisesPowers && unitIsDense
        readsInPlace = isPlain && (lineIsDense || unit.outExtent > 1 || column.outExtent &+ column.taps == 2)
        horizontal = PoolPlan.horizontal(column, unit, form, inputBytes)
        tapChunk = max(1, longestChunk / column.dilation)
        takesInPlace =
            isPlain && !form.isBoolean && (unit.outExtent > 1 || (lineIsDense && column.isInterior && column.step == 1))
        var hasPlanes = false
        for i in 0..<outerCount where outer[i].isWindow { hasPlanes = true }
        isDirect =
            isPlain && row.taps == 1 && row.isInterior && !hasPlanes
            && PoolPlan.reads(horizontal, column, lineIsDense: lineIsDense, hasUnits: unit.outExtent > 1)
        fuses =
            readsInPlace && unit.outExtent > 1 && indices == nil && !hasPlanes && !isDirect && column.taps <= tapChunk
            && PoolPlan.gainsByFusing(row, column)
        tapOrder = PoolPlan.tapOrder(roles, row, column)
        wideIndices = roles.reach > Int(Int32.max)
        let chunkTaps = min(column.taps, tapChunk)
        let outBytes = problem.outputType.byteCount
        let isDenseOutput =
            unit.outExtent > 1 ? unit.outStride == outBytes : column.outExtent == 1 || column.outStride == outBytes
        writesInPlace = form.writer.isPlain && isDenseOutput && column.taps <= tapChunk

        // Blocks: a line of at most `lineElements`, as many rows as stay in the cache with it.
        let lineElements = min(longestLine, lineBytes / form.elementBytes) &* (fuses ? fusedLines : 1)
        // What is always read where it lies has no lines.
        let window = isDirect && column.isInterior ? 1 : column.dilation &* (chunkTaps &- 1) &+ 1
        unitBlock = PoolPlan.unitBlock(unit.outExtent, lineElements, window &+ column.step, form.elementBytes)
        let columnsInLine = max(lineElements / unitBlock &- window, 0) / column.step &+ 1
        columnBlock = min(column.outExtent, columnsInLine)
        let span = column.step &* (columnBlock &- 1) &+ window
        let pitch = roundToCacheLine(span &* unitBlock &* form.elementBytes) &+ 64
        rowBlock = min(row.outExtent, max(1, lineBytes / pitch))
        rowGroup = max(1, min(rowBlock, groupElements / (columnBlock &* unitBlock)))
        let blockRows = row.step &* (rowBlock &- 1) &+ row.dilation &* (row.taps &- 1) &+ 1
        stagesBlocks =
            !readsInPlace && indices == nil && row.sharesTaps && blockRows <= mostStagedBytes / pitch
        stagedRows = stagesBlocks ? blockRows : 8
        scratch = PoolScratch(self, span: span, pitch: pitch)
    }

    /// Loads of an output's window against those and the stores of two passes, which neighbouring outputs share.
    private static func gainsByFusing(_ row: PoolAxis, _ column: PoolAxis) -> Bool {
        saturatingMultiply(row.taps, column.taps)
            <= saturatingAdd(saturatingMultiply(column.step, saturatingAdd(row.taps, 1)), column.taps)
    }

    /// Whether the horizontal pass can read input where it lies.
    private static func reads(
        _ horizontal: Horizontal, _ column: PoolAxis, lineIsDense: Bool, hasUnits: Bool
    ) -> Bool {
        switch horizontal {
        case .pairs: lineIsDense && column.taps % 2 == 0
        case .runs: lineIsDense
        case .lines, .pixels: lineIsDense || hasUnits || column.outExtent == 1
        case .strided: true
        }
    }

    private static func tapOrder(_ roles: PoolRoles, _ row: PoolAxis, _ column: PoolAxis) -> AxisInts {
        var order = AxisInts(repeating: 0)
        if roles.indices == nil { return order }
        func flat(_ i: Int) -> Int {
            i < roles.count ? roles.axes[i].flatStride : i == roles.count ? row.flatStride : column.flatStride
        }
        for i in 0..<roles.count &+ 2 {
            var place = i
            while place > 0 && flat(order[place &- 1]) < flat(i) {
                order[place] = order[place &- 1]
                place &-= 1
            }
            order[place] = i
        }
        return order
    }

    private static func horizontal(
        _ column: PoolAxis, _ unit: PoolAxis, _ form: PoolForm, _ inputBytes: Int
    ) -> Horizontal {
        let few = column.outExtent < fewOutputs
        if column.inStride == inputBytes && column.dilation == 1 && form.parts == 1 && unit.outExtent == 1
            && column.taps >= longRun && (few || column.step >= 3)
        {
            return .runs
        }
        if column.step == 1 || column.outExtent == 1 { return .lines }
        if unit.outExtent &* form.parts > 1 { return .pixels }
        return column.step == 2 && column.dilation == 1 ? .pairs : .strided
    }

    /// All units, or as many whole vectors of them as leave room for a few columns.
    private static func unitBlock(_ units: Int, _ lineElements: Int, _ columns: Int, _ elementBytes: Int) -> Int {
        if saturatingMultiply(units, columns) <= 2 &* lineElements { return units }
        let lanes = max(64 / elementBytes, 1)
        return min(units, max(lineElements / saturatingMultiply(2, columns) / lanes, 1) &* lanes)
    }

    var taskCount: Int {
        var count = saturatingMultiply(saturatingMultiply(rowBlocks, columnBlocks), unitBlocks)
        for i in 0..<outerCount { count = saturatingMultiply(count, outer[i].outExtent) }
        return count
    }

    /// A task's work, roughly, in nanoseconds.
    var workPerTask: Double {
        var rowTaps = Double(row.taps)
        for i in 0..<outerCount { rowTaps *= Double(outer[i].taps) }
        let line = Double(rowBlock) * Double(columnBlock) * Double(unitBlock)
        let taps = rowTaps * Double(column.step) + Double(column.taps)
        let perTap = problem.indices != nil ? 1 : readsInPlace || isDirect ? 0.03 : 0.3
        return 100 + line * taps * perTap * Double(form.elementBytes) / 4
    }
}

extension PoolAxis {
    /// Neighbouring outputs read the same elements, and between their taps there are none that no output reads.
    fileprivate var sharesTaps: Bool { taps > 1 && (step == 1 || (dilation == 1 && step < taps)) }
}

/// Elements and bytes of a line: with the rows that it is made from it stays in the L1 cache.
private let longestLine = 4096
private let lineBytes = 16384
/// Where the lines are needed at borders alone, blocks have so many times as much.
private let fusedLines = 4
/// Elements of rows with indices that are looked at together.
private let groupElements = 1024
/// Bytes of a block's input that is gathered or converted before it is combined: it stays in the L2 cache.
private let mostStagedBytes = 65536
/// Taps whose sum is made at a time, so that scratch memory does not grow with the window. Sums of chunks are added.
private let longestChunk = 512
/// Windows that are reduced one by one: few of them, or far apart, and this long.
private let fewOutputs = 4
private let longRun = 8

/// What one thread works in: byte offsets of its parts.
struct PoolScratch {
    /// Lines of the vertical pass and their distance.
    private(set) var pitch = 0
    private(set) var lines = 0
    private(set) var otherLines = 0
    /// Rows of input that were gathered or converted, and what conversion itself needs.
    private(set) var staged = 0
    private(set) var stagedPitch = 0
    private(set) var raw = 0
    /// Results that the output cannot take as they are.
    private(set) var outPitch = 0
    private(set) var results = 0
    private(set) var otherResults = 0
    private(set) var chunk = 0
    private(set) var firstStage = 0
    private(set) var secondStage = 0
    private(set) var taps = 0
    /// Of maxima with indices: a row's indices as they are found.
    private(set) var positions = 0
    private(set) var tapList = 0
    private(set) var byteCount = 0

    static let listedTaps = 64

    init() {}

    init(_ plan: PoolPlan, span: Int, pitch: Int) {
        self.pitch = pitch
        let elements = span &* plan.unitBlock
        let outElements = plan.columnBlock &* plan.unitBlock
        outPitch = roundToCacheLine(outElements &* plan.form.elementBytes)
        lines = take(pitch &* plan.rowBlock)
        otherLines = take(pitch &* plan.rowBlock)
        if !plan.readsInPlace || plan.indices != nil {
            stagedPitch =
                plan.indices == nil ? pitch : roundToCacheLine(plan.rowGroup &* outElements &* plan.form.elementBytes)
            staged = take(stagedPitch &* plan.stagedRows)
            raw = take(elements &* plan.problem.inputType.byteCount)
        }
        if !plan.writesInPlace || plan.indices != nil {
            results = take(outPitch &* plan.rowBlock)
            firstStage = take(16 &* outElements)
            secondStage = take(16 &* outElements)
        }
        if plan.chunks > 1 {
            otherResults = take(outPitch &* plan.rowBlock)
            chunk = take(outPitch &* plan.rowBlock)
        }
        if plan.indices != nil {
            positions = take(8 &* plan.rowGroup &* outElements)
            tapList = take(16 &* PoolScratch.listedTaps)
        }
        taps = take(MemoryLayout<PoolTaps>.stride &* (plan.outerCount &+ 2))
    }

    private mutating func take(_ count: Int) -> Int {
        let start = byteCount
        byteCount = saturatingAdd(byteCount, roundToCacheLine(count))
        return start
    }
}
