import Foundations
import Kernels

/// One loop of a sum over patches: windows or taps of an axis. Strides are in bytes.
struct SumLoop {
    var axis: Int
    var extent: Int
    var source: Int
    /// Positions an index moves along the axis.
    var advance: Int
    /// Elements an index moves along the weights.
    var weight: Int
    var isWindows: Bool
    /// The axis's other loop is inside this one: positions that it covers beyond each of this one's.
    var reach = 0
    var isFirstOfTwo = false
    /// Stride among staged patches.
    var staged = 0
}

/// One axis of the array as the sums see it.
struct SumAxis {
    var axis = PatchAxis()
    /// Elements of a block along the axis, and blocks.
    var block = 1
    var blocks = 1
    /// Memory stride of a block's sums.
    var sumStride = 0
    var isBatch: Bool { axis.taps == 1 && axis.step == 1 && axis.padding == 0 }
}

/// Bytes of sums that a block has, so that they stay in L1; and the most that it may have where windows reach far
/// beyond.
private let blockBytes = 24 << 10
private let largestBlockBytes = 192 << 10
/// Blocks are this many times as large as what windows reach beyond them, where that is possible.
private let blockWindows = 8
/// Bytes of patches that are transposed at once.
private let stagedBytes = 32 << 10
/// Fewer patches than this take longer to transpose than to add from where they lie.
private let fewestStaged = 256
/// A contiguous innermost run worth a call of its own.
private let shortestRunBytes = 32
/// Bytes of patches worth waking a thread for, and worth handing out at a time.
private let bytesPerThread = 64 << 10
private let bytesPerGrain = 512 << 10

/// Sums of overlapping windows, block by block of the array: each block is one task, which adds up all that belongs
/// there in scratch and writes it once.
///
/// An element's contributions are added in one order: the loops follow the memory of the patches, and along each axis
/// the taps rise. Loops over batch axes and the choice of the innermost loop change nothing about that, so neither the
/// batch nor the blocks nor the threads change a bit.
struct SumPlan {
    let problem: PatchesProblem
    let arithmetic: ArithmeticKind
    let reader: ElementReader
    let writer: ElementWriter
    let averages: Bool
    /// Bytes of one sum, and of one weight.
    let element: Int
    let weightBytes: Int
    let weightCount: Int

    let axes: UnsafeMutablePointer<SumAxis>
    let loops: UnsafeMutablePointer<SumLoop>
    var loopCount = 0
    /// The axis along which a block's sums are contiguous.
    var rowAxis = 0
    var blockElements = 1
    var taskCount = 1
    /// Where the innermost loop is not contiguous in the patches and the loops from this level on are: what they hold
    /// is transposed into scratch first. The number of loops if there is no such level.
    var stagedLevel = 0
    /// Patches that are contiguous for each index of the innermost loop, and indices that scratch has room for.
    var stagedColumns = 1
    var stagedRows = 0
    /// Positions that staged loops of the innermost loop's axis cover.
    var stagedReach = 0

    init(_ problem: PatchesProblem, axes: UnsafeMutablePointer<SumAxis>, loops: UnsafeMutablePointer<SumLoop>) {
        self.problem = problem
        self.axes = axes
        self.loops = loops
        averages = problem.weights != nil || problem.reduction == .mean
        arithmetic = averages ? problem.arrayType.arithmetic : problem.patchesType.arithmetic
        reader = ElementReader(type: problem.patchesType, swapUnit: problem.patchesSwapUnit, arithmetic)
        writer = ElementWriter(
            result: problem.arrayType, output: problem.arrayType, swapUnit: problem.arraySwapUnit)
        element = arithmetic.byteCount
        weightBytes = arithmetic.partByteCount
        var taps = 1
        for i in 0..<problem.rank {
            axes[i] = SumAxis(axis: problem.axes[i])
            taps = saturatingMultiply(taps, problem.axes[i].taps)
        }
        weightCount = averages && problem.weights != nil ? taps : 1
        cutBlocks()
        placeSums()
        for i in 0..<problem.rank { addLoops(i) }
        sortLoops()
        chooseInnermost()
        pairLoops()
        stageTransposed()
    }

    // MARK: - Blocks

    /// Whole axes from the innermost in the patches' memory outwards, then a part of one.
    private mutating func cutBlocks() {
        var rest = blockBytes / element
        for i in 0..<problem.rank { axes[i].block = 0 }
        for _ in 0..<problem.rank {
            let i = innermostAxisLeft()
            let extent = axes[i].axis.extent
            if rest >= extent {
                axes[i].block = extent
            } else if rest > 1 {
                // Windows that reach over a block's end are read for two blocks.
                let reach = axes[i].axis.dilation &* (axes[i].axis.taps &- 1)
                let limit = saturatingMultiply(rest, largestBlockBytes / blockBytes)
                axes[i].block = min(extent, max(rest, min(limit, saturatingMultiply(blockWindows, reach))))
            } else {
                axes[i].block = 1
            }
            rest = rest / axes[i].block
            axes[i].blocks = ceilingDivide(extent, axes[i].block)
            taskCount = saturatingMultiply(taskCount, axes[i].blocks)
            blockElements = blockElements &* axes[i].block
        }
    }

    private func innermostAxisLeft() -> Int {
        func stride(_ i: Int) -> UInt {
            (axes[i].axis.windows > 1 ? axes[i].axis.windowStride : axes[i].axis.tapStride).magnitude
        }
        var best = -1
        for i in (0..<problem.rank).reversed() where axes[i].block == 0 {
            if best < 0 || stride(i) < stride(best) { best = i }
        }
        return best
    }

    /// A block's sums lie as the array does.
    private mutating func placeSums() {
        var stride = element
        var isFirst = true
        for i in 0..<problem.rank { axes[i].sumStride = 0 }
        for _ in 0..<problem.rank {
            var best = -1
            for i in (0..<problem.rank).reversed() where axes[i].sumStride == 0 {
                if best < 0 || memoryStride(i) < memoryStride(best) { best = i }
            }
            if isFirst { rowAxis = best }
            isFirst = false
            axes[best].sumStride = stride
            stride = stride &* axes[best].block
        }
    }

    /// Axes of one element come last.
    private func memoryStride(_ i: Int) -> UInt {
        axes[i].axis.extent == 1 ? UInt.max : axes[i].axis.stride.magnitude
    }

    // MARK: - Loops

    private mutating func addLoops(_ i: Int) {
        let axis = axes[i].axis
        if axes[i].isBatch && axis.windows == 1 { return }
        func append(_ loop: SumLoop) {
            loops[loopCount] = loop
        }
        append(
            SumLoop(
                axis: i, extent: axis.windows, source: axis.windowStride, advance: axis.step, weight: 0, isWindows: true
            ))
        loopCount &+= 1
        if axis.taps == 1 { return }
        append(
            SumLoop(
                axis: i, extent: axis.taps, source: axis.tapStride, advance: axis.dilation, weight: axis.weightStride,
                isWindows: false))
        loopCount &+= 1
    }

    /// By memory stride of the patches, largest first; loops of equal strides stay as they are.
    private func sortLoops() {
        for i in 1..<max(loopCount, 1) {
            let loop = loops[i]
            var j = i
            while j > 0 && loop.source.magnitude > loops[j &- 1].source.magnitude {
                loops[j] = loops[j &- 1]
                j &-= 1
            }
            loops[j] = loop
        }
    }

    /// Moves a long loop to the innermost place if the one there is short or not contiguous: a loop over a batch axis,
    /// over the windows that are closest together, or over taps inside their axis's windows. (Any other would change
    /// the order of summation.)
    private func chooseInnermost() {
        if loopCount < 2 || score(loops[loopCount &- 1]) >= shortestRunBytes { return }
        var best = loopCount &- 1
        var windowsSeen = false
        for l in (0..<loopCount).reversed() {
            let isBatch = axes[loops[l].axis].isBatch
            if !isBatch && (loops[l].isWindows ? windowsSeen : !isInsideWindows(l)) { continue }
            if !isBatch && loops[l].isWindows { windowsSeen = true }
            if score(loops[l]) > score(loops[best]) { best = l }
        }
        let loop = loops[best]
        for l in best..<loopCount &- 1 { loops[l] = loops[l &+ 1] }
        loops[loopCount &- 1] = loop
    }

    private func isInsideWindows(_ l: Int) -> Bool {
        for outer in 0..<l where loops[outer].axis == loops[l].axis { return true }
        return false
    }

    /// Bytes that a loop adds in one call; strided sums count for little, whether or not their source is contiguous.
    private func score(_ loop: SumLoop) -> Int {
        let within = ceilingDivide(axes[loop.axis].block, loop.advance)
        let byteCount = saturatingMultiply(min(loop.extent, within), element)
        if loop.advance &* axes[loop.axis].sumStride != element { return byteCount / 8 }
        return loop.source == problem.patchesType.byteCount ? byteCount : byteCount / 2
    }

    private func pairLoops() {
        for l in 0..<loopCount {
            for later in l &+ 1..<max(loopCount, l &+ 1) where loops[later].axis == loops[l].axis {
                loops[l].isFirstOfTwo = true
                loops[l].reach = loops[later].advance &* (loops[later].extent &- 1)
            }
        }
    }

    private mutating func stageTransposed() {
        stagedLevel = loopCount
        let size = problem.patchesType.byteCount
        guard loopCount > 1, size <= 8 else { return }
        let inner = loops[loopCount &- 1]
        let within = stagedRange(inner)
        stagedRows = min(inner.extent, within)
        if inner.source == size || stagedRows < 4 { return }
        var level = loopCount &- 1
        while level > 0 {
            let loop = loops[level &- 1]
            let isWhole = !axes[loop.axis].isBatch || axes[loop.axis].block == loop.extent
            let columns = saturatingMultiply(stagedColumns, loop.extent)
            let bytes = saturatingMultiply(saturatingMultiply(columns, stagedRows), size)
            if loop.source != stagedColumns &* size || !isWhole || bytes > stagedBytes { break }
            level &-= 1
            loops[level].staged = stagedColumns &* stagedRows &* size
            stagedColumns = columns
        }
        if stagedColumns &* stagedRows < fewestStaged {
            stagedColumns = 1
            return
        }
        loops[loopCount &- 1].staged = size
        stagedLevel = level
        stagedReach = reachOfStaged()
    }

    /// Indices of the innermost loop at which any tap of its axis may lie in one block.
    private func stagedRange(_ inner: SumLoop) -> Int {
        let axis = axes[inner.axis]
        let other =
            inner.isWindows ? axis.axis.dilation &* (axis.axis.taps &- 1) : axis.axis.step &* (axis.axis.windows &- 1)
        return saturatingAdd(axis.block, other) / inner.advance &+ 1
    }

    /// What the innermost loop's range grows by where its axis's other loop is staged too.
    private func reachOfStaged() -> Int {
        let inner = loops[loopCount &- 1]
        for l in stagedLevel..<loopCount &- 1 where loops[l].axis == inner.axis {
            return loops[l].advance &* (loops[l].extent &- 1)
        }
        return 0
    }

    // MARK: - Scratch and threads

    /// Elements that are converted at once.
    static let stageElements = 256

    var sumBytes: Int { roundToCacheLine(blockElements &* element) }
    var scratchBytes: Int {
        let lists = roundToCacheLine(3 &* problem.rank &* MemoryLayout<Int>.stride)
        return lists &+ sumBytes &* (averages ? 2 : 1) &+ 2 &* 16 &* SumPlan.stageElements &+ transposedBytes
    }

    private var transposedBytes: Int {
        stagedLevel == loopCount ? 0 : roundToCacheLine(stagedColumns &* stagedRows &* problem.patchesType.byteCount)
    }

    private var bytesPerTask: Int {
        var count = saturatingMultiply(blockElements, element)
        for i in 0..<problem.rank {
            let axis = axes[i].axis
            count = saturatingMultiply(count, max(1, axis.taps / axis.step))
        }
        return max(count, 1)
    }

    func threads(_ wanted: Int) -> Int {
        max(1, min(wanted, taskCount, saturatingMultiply(bytesPerTask, taskCount) / bytesPerThread))
    }

    func grain(threads: Int) -> Int {
        let bySize = max(1, bytesPerGrain / bytesPerTask)
        return threads == 1 ? bySize : max(1, min(bySize, taskCount / (4 &* threads)))
    }

    /// The weights in the arithmetic's precision; one of 1 where none are given.
    func writeWeights(to memory: UnsafeMutableRawPointer) {
        for i in 0..<weightCount {
            let weight = problem.weights?[i] ?? 1
            if weightBytes == 4 {
                memory.storeBytes(of: Float(weight), toByteOffset: 4 &* i, as: Float.self)
            } else {
                memory.storeBytes(of: weight, toByteOffset: 8 &* i, as: Double.self)
            }
        }
    }
}

extension ArithmeticKind {
    /// Bytes of a real number, or of a complex one's part.
    var partByteCount: Int {
        switch self {
        case .complex64, .complex128: byteCount / 2
        default: byteCount
        }
    }
}
