import Foundations
import Kernels

/// One loop of a sum over patches: windows or taps of an axis. Strides are in bytes.
struct SumLoop {
    var axis: Int
    var extent: Int
    var source: Int
    /// Positions an index moves along the axis.
    var advance: Int
    /// Places an index moves along the table of weights.
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
    /// Every so-manieth element's sums are neighbours: those to which the run adds.
    var phases = 1
    /// Memory strides of a block's sums: from one element of a phase to the next, and from phase to phase.
    var sumStride = 0
    var phaseStride = 0

    var isBatch: Bool { axis.taps == 1 && axis.step == 1 && axis.padding == 0 }
    var columns: Int { ceilingDivide(block, phases) }

    /// Where in a block that begins at `first` the sum at `position` is, which may lie outside.
    func place(_ position: Int, first: Int) -> Int {
        if phases == 1 { return (position &- first) &* sumStride }
        let column = floorDivide(position, phases)
        return (position &- column &* phases) &* phaseStride &+ (column &- first / phases) &* sumStride
    }
}

/// Sums of overlapping windows, block by block of the array: each block is one task, which adds up all that belongs
/// there in scratch and writes it once.
///
/// An element's contributions are added in one order: the loops follow the memory of the patches, and along each axis
/// the taps rise. Loops over batch axes and the choice of the two innermost loops change nothing about that, so neither
/// the batch nor the blocks nor the threads change a bit.
///
/// The innermost loop is the *run*, the one outside it the *rows*: one call of a kernel adds all rows. A block's sums lie
/// so that those of a run are contiguous.
struct SumPlan {
    let problem: PatchesProblem
    let reader: ElementReader
    let writer: ElementWriter
    let averages: Bool
    /// What sums are added up in; a complex element has two of them.
    let scalar: SumScalar
    let parts: Int
    /// Bytes of one sum.
    let element: Int

    /// The array's, and one more of one element.
    let axes: UnsafeMutablePointer<SumAxis>
    let axisCount: Int
    let loops: UnsafeMutablePointer<SumLoop>
    var loopCount = 0
    /// Elements of a batch axis that lie inside each index of the run, and that axis.
    var runUnit = 1
    var unitAxis = -1
    /// The loop at which a kernel is called: the rows' if there is one.
    var tileLevel = 0
    var blockElements = 1
    /// Sums that divisors are different for; so many elements of batch axes use the same.
    var divisorCount = 1
    var taskCount = 1
    /// Tasks that differ in batch axes alone follow each other: so many.
    var batchTasks = 1
    /// Where the run is not contiguous in the patches and the loops from this level on are: what they hold is transposed
    /// into scratch first. The number of loops if there is no such level.
    var stagedLevel = 0
    /// Patches that are contiguous for each index of the run, and indices that scratch has room for.
    var stagedColumns = 1
    var stagedRows = 0
    /// Positions that staged loops of the run's axis cover.
    var stagedReach = 0
    /// The table of weights has each so many times.
    var weightRepeats = 1
    var weightCount = 1

    /// Memory that `init` wants.
    static func loopCapacity(rank: Int) -> Int { 2 &* rank &+ 1 }

    init(_ problem: PatchesProblem, axes: UnsafeMutablePointer<SumAxis>, loops: UnsafeMutablePointer<SumLoop>) {
        self.problem = problem
        self.axes = axes
        self.loops = loops
        axisCount = problem.rank &+ 1
        averages = problem.weights != nil || problem.reduction == .mean
        let type = averages ? problem.arrayType : problem.patchesType
        // Integers are added as they lie, by their size alone.
        let isRaw = !averages && !type.isFloating
        let carrier = isRaw ? ElementType.ofBytes(type.byteCount) : type
        reader = ElementReader(
            type: isRaw ? carrier : problem.patchesType, swapUnit: problem.patchesSwapUnit, carrier.arithmetic)
        writer = ElementWriter(result: carrier, output: carrier, swapUnit: problem.arraySwapUnit)
        scalar = type == .bool ? .bool : SumScalar(carrier.arithmetic)
        parts = type.isComplex ? 2 : 1
        element = parts &* scalar.byteCount
        for i in 0..<problem.rank { axes[i] = SumAxis(axis: problem.axes[i]) }
        axes[problem.rank] = SumAxis()
        for i in 0..<problem.rank { addLoops(i) }
        sortLoops()
        chooseRun()
        cutBlocks()
        placeSums()
        stageTransposed()
        chooseRows()
        pairLoops()
        stagedReach = reachOfStaged()
        placeWeights()
    }

    var run: SumLoop { loops[loopCount &- 1] }

    // MARK: - Loops

    private mutating func addLoops(_ i: Int) {
        let axis = axes[i].axis
        if axes[i].isBatch && axis.windows == 1 { return }
        append(
            SumLoop(
                axis: i, extent: axis.windows, source: axis.windowStride, advance: axis.step, weight: 0, isWindows: true
            ))
        if axis.taps == 1 { return }
        append(
            SumLoop(
                axis: i, extent: axis.taps, source: axis.tapStride, advance: axis.dilation, weight: 0, isWindows: false)
        )
    }

    private mutating func append(_ loop: SumLoop) {
        loops[loopCount] = loop
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

    /// Moves loop `l` inwards to `place`.
    private func move(_ l: Int, to place: Int) {
        let loop = loops[l]
        for i in l..<place { loops[i] = loops[i &+ 1] }
        loops[place] = loop
    }

    private mutating func remove(_ l: Int) {
        loopCount &-= 1
        for i in l..<loopCount { loops[i] = loops[i &+ 1] }
    }

    /// Moves the loop of which a kernel makes the most to the innermost place, together with a batch loop inside it if
    /// one stride walks both.
    private mutating func chooseRun() {
        var best = -1
        var windowsSeen = false
        for l in (0..<loopCount).reversed() {
            // Over a batch axis, over the windows that are closest together, or over taps inside their axis's windows: any
            // other would change the order of summation.
            let isBatch = axes[loops[l].axis].isBatch
            let isFree = isBatch || (loops[l].isWindows ? !windowsSeen : isInsideWindows(l))
            if loops[l].isWindows && !isBatch { windowsSeen = true }
            if !isFree && l < loopCount &- 1 || loops[l].advance > mostPhases { continue }
            if best < 0 || worth(l) > worth(best) { best = l }
        }
        if best < 0 {
            append(SumLoop(axis: problem.rank, extent: 1, source: 0, advance: 1, weight: 0, isWindows: true))
            return
        }
        let unit = unitLoop(of: best)
        move(best, to: loopCount &- 1)
        if unit >= 0 {
            let l = unit > best ? unit &- 1 : unit
            unitAxis = loops[l].axis
            runUnit = loops[l].extent
            remove(l)
        }
    }

    private func isInsideWindows(_ l: Int) -> Bool {
        for outer in 0..<l where loops[outer].axis == loops[l].axis { return true }
        return false
    }

    /// Bytes that a loop adds in one row, up to those that make calls cheap; runs to be transposed first are worth less.
    private func worth(_ l: Int) -> Int {
        let size = problem.patchesType.byteCount
        let unit = unitLoop(of: l)
        let elements = saturatingMultiply(loops[l].extent, unit < 0 ? 1 : loops[unit].extent)
        let byteCount = min(saturatingMultiply(elements, size), 512)
        return unit >= 0 || loops[l].source == size ? 8 &* min(byteCount, 64) : byteCount
    }

    /// A short contiguous batch loop that lies inside each index of loop `l`, -1 if none.
    private func unitLoop(of l: Int) -> Int {
        let size = problem.patchesType.byteCount
        if axes[loops[l].axis].isBatch || loops[l].advance != 1 { return -1 }
        for b in 0..<loopCount where axes[loops[b].axis].isBatch && loops[b].source == size {
            let sumBytes = saturatingMultiply(loops[b].extent, element)
            if loops[l].source != saturatingMultiply(loops[b].extent, size) || sumBytes > longestUnitBytes { continue }
            if loops[b].extent != axes[loops[b].axis].axis.extent { continue }  // windows in padding after the array
            let taps = problem.weights == nil ? 0 : saturatingMultiply(tapCount, sumBytes)
            return taps <= longestTableBytes ? b : -1
        }
        return -1
    }

    private var tapCount: Int {
        var taps = 1
        for i in 0..<problem.rank { taps = saturatingMultiply(taps, problem.axes[i].taps) }
        return taps
    }

    /// Moves a long loop next to the run, unless that one there is long enough: a batch loop or the second of an axis,
    /// which leave the order of summation as it is.
    private mutating func chooseRows() {
        let last = loopCount &- 1
        tileLevel = last
        if last == 0 || stagedLevel == last { return }
        func rows(_ l: Int) -> Int {
            let loop = loops[l]
            let isFree = l == last &- 1 || axes[loop.axis].isBatch || isInsideOther(l)
            if !isFree || loop.axis == run.axis { return 0 }
            return min(loop.extent, ceilingDivide(axes[loop.axis].block, loop.advance))
        }
        var best = last &- 1
        if rows(best) < fewestRows {
            for l in (stagedLevel == loopCount ? 0 : stagedLevel)..<last where rows(l) > rows(best) { best = l }
        }
        if rows(best) == 0 { return }
        move(best, to: last &- 1)
        tileLevel = last &- 1
    }

    private func isInsideOther(_ l: Int) -> Bool {
        for outer in 0..<l where loops[outer].axis == loops[l].axis { return true }
        return false
    }

    private func pairLoops() {
        for l in 0..<loopCount {
            for later in l &+ 1..<max(loopCount, l &+ 1) where loops[later].axis == loops[l].axis {
                loops[l].isFirstOfTwo = true
                loops[l].reach = loops[later].advance &* (loops[later].extent &- 1)
            }
        }
    }

    // MARK: - Blocks

    /// The run's axis, then whole axes from the innermost in the patches' memory outwards, then a part of one.
    private mutating func cutBlocks() {
        for i in 0..<axisCount { axes[i].block = 0 }
        axes[run.axis].phases = run.advance
        if unitAxis >= 0 { cut(unitAxis, atMost: .max) }
        let stages = willStage
        cut(run.axis, atMost: stages ? mostStaged / contiguousTaps &* run.advance : .max)
        let batch = stages ? max(1, mostStaged / (contiguousTaps &* stagedRange)) : .max
        while true {
            let i = innermostAxisLeft()
            if i < 0 { break }
            cut(i, atMost: axes[i].isBatch ? batch : .max)
        }
    }

    private mutating func cut(_ i: Int, atMost limit: Int) {
        let extent = axes[i].axis.extent
        // Windows that reach over a block's end are read for two blocks.
        let reach = axes[i].axis.dilation &* (axes[i].axis.taps &- 1)
        let room = blockBytes / element / blockElements
        let mostRoom = largestBlockBytes / element / blockElements
        var block = max(room, min(mostRoom, saturatingMultiply(blockWindows, reach)))
        block = max(1, min(extent, block, limit))
        if block < extent { block = max(1, block / axes[i].phases) &* axes[i].phases }
        axes[i].block = block
        axes[i].blocks = ceilingDivide(extent, block)
        taskCount = saturatingMultiply(taskCount, axes[i].blocks)
        if axes[i].isBatch { batchTasks = saturatingMultiply(batchTasks, axes[i].blocks) }
        blockElements = blockElements &* axes[i].phases &* axes[i].columns
        if !axes[i].isBatch || i == run.axis || i == unitAxis {
            divisorCount = divisorCount &* axes[i].phases &* axes[i].columns
        }
    }

    private func innermostAxisLeft() -> Int {
        func stride(_ i: Int) -> UInt {
            (axes[i].axis.windows > 1 ? axes[i].axis.windowStride : axes[i].axis.tapStride).magnitude
        }
        var best = -1
        for i in (0..<axisCount).reversed() where axes[i].block == 0 {
            if best < 0 || stride(i) < stride(best) { best = i }
        }
        return best
    }

    /// A run's sums side by side, then those of the other window axes, then of batch axes; each as the array has them.
    private mutating func placeSums() {
        var stride = element
        func place(_ i: Int) {
            axes[i].sumStride = stride
            axes[i].phaseStride = stride &* axes[i].columns
            stride = stride &* axes[i].columns &* axes[i].phases
        }
        if unitAxis >= 0 { place(unitAxis) }
        place(run.axis)
        for batch in [false, true] {
            while true {
                var best = -1
                for i in (0..<axisCount).reversed() where axes[i].sumStride == 0 && axes[i].isBatch == batch {
                    if best < 0 || memoryStride(i) < memoryStride(best) { best = i }
                }
                if best < 0 { break }
                place(best)
            }
        }
    }

    /// Axes of one element come last.
    private func memoryStride(_ i: Int) -> UInt {
        axes[i].axis.extent == 1 ? UInt.max : axes[i].axis.stride.magnitude
    }

    // MARK: - Weights

    /// The run's taps are neighbours in the table of weights.
    private mutating func placeWeights() {
        guard averages, problem.weights != nil else { return }
        weightRepeats = runUnit &* parts
        let last = run.isWindows ? -1 : run.axis
        if last >= 0 { placeWeights(last) }
        for i in (0..<problem.rank).reversed() where i != last { placeWeights(i) }
    }

    private mutating func placeWeights(_ axis: Int) {
        for l in 0..<loopCount where loops[l].axis == axis && !loops[l].isWindows { loops[l].weight = weightCount }
        weightCount = saturatingMultiply(weightCount, axes[axis].axis.taps)
    }

    var weightTableBytes: Int {
        saturatingMultiply(saturatingMultiply(weightCount, weightRepeats), scalar.byteCount)
    }

    /// Each weight as often as the table has it; a single 1 where none are given.
    func writeWeights(to memory: UnsafeMutableRawPointer) {
        for tap in 0..<weightCount {
            var place = 0
            for l in 0..<loopCount where !loops[l].isWindows {
                let axis = axes[loops[l].axis].axis
                if problem.weights != nil {
                    place &+= tap / max(axis.weightStride, 1) % axis.taps &* loops[l].weight
                }
            }
            let weight = problem.weights?[tap] ?? 1
            for i in place &* weightRepeats..<(place &+ 1) &* weightRepeats {
                if scalar.byteCount == 4 {
                    memory.storeBytes(of: Float(weight), toByteOffset: 4 &* i, as: Float.self)
                } else {
                    memory.storeBytes(of: weight, toByteOffset: 8 &* i, as: Double.self)
                }
            }
        }
    }
}

/// Bytes of sums that a block has, so that they stay in L1; and the most that it may have where windows reach far
/// beyond.
private let blockBytes = 24 << 10
private let largestBlockBytes = 192 << 10
/// Blocks are this many times as large as what windows reach beyond them, where that is possible.
private let blockWindows = 8
/// Fewer rows in a call of a kernel are worth looking for others.
private let fewestRows = 8
/// Steps up to which every so-manieth sum is laid beside the other.
private let mostPhases = 64
/// Channels that a run may have inside each of its elements, and weights repeated for them.
private let longestUnitBytes = 4 << 10
private let longestTableBytes = 64 << 10

extension SumScalar {
    fileprivate init(_ arithmetic: ArithmeticKind) {
        switch arithmetic {
        case .boolean: self = .word8
        case .word16: self = .word16
        case .word32: self = .word32
        case .word64: self = .word64
        case .float32, .complex64: self = .float32
        case .float64, .complex128: self = .float64
        }
    }
}
