import Foundations

/// Where a thread stands in its range of tasks: task = (batch indices, column block, outer window indices, row phase, row
/// block), the last fastest, so that neighbouring tasks share input rows and planes.
struct StencilWalk {
    private let plan: UnsafePointer<StencilPlan>
    /// Output indices along the plan's outer axes.
    private(set) var outer = AxisInts(repeating: 0)
    private(set) var columnBlock = 0
    private(set) var phase = 0
    private(set) var rowBlock = 0

    init(_ plan: UnsafePointer<StencilPlan>, task: Int) {
        self.plan = plan
        var rest = task
        func take(_ extent: Int) -> Int {
            let index = rest % extent
            rest /= extent
            return index
        }
        rowBlock = take(plan.pointee.rowTasks)
        phase = take(phases)
        for i in (plan.pointee.batchCount..<plan.pointee.outerCount).reversed() {
            outer[i] = take(plan.pointee.outer[i].outExtent)
        }
        columnBlock = take(plan.pointee.columnTasks)
        for i in (0..<plan.pointee.batchCount).reversed() { outer[i] = take(plan.pointee.outer[i].outExtent) }
    }

    private var phases: Int { min(plan.pointee.rowPhases, plan.pointee.row.outExtent) }

    mutating func advance() {
        rowBlock &+= 1
        if rowBlock < plan.pointee.rowTasks { return }
        rowBlock = 0
        phase &+= 1
        if phase < phases { return }
        phase = 0
        if advanceOuter(plan.pointee.batchCount, plan.pointee.outerCount) { return }
        columnBlock &+= 1
        if columnBlock < plan.pointee.columnTasks { return }
        columnBlock = 0
        _ = advanceOuter(0, plan.pointee.batchCount)
    }

    /// Places from this one on along the last batch axis, where each is a task.
    var batchLeft: Int {
        plan.pointee.outer[plan.pointee.batchCount &- 1].outExtent &- outer[plan.pointee.batchCount &- 1]
    }

    /// So many places further, at most as many as are left.
    mutating func advanceBatch(_ count: Int) {
        outer[plan.pointee.batchCount &- 1] &+= count &- 1
        advance()
    }

    private mutating func advanceOuter(_ first: Int, _ end: Int) -> Bool {
        var i = end &- 1
        while i >= first {
            outer[i] &+= 1
            if outer[i] < plan.pointee.outer[i].outExtent { return true }
            outer[i] = 0
            i &-= 1
        }
        return false
    }
}

/// A task's place in input and output: all axes but rows and columns fixed.
struct Place {
    /// Outer window axes stand at their first tap (perhaps outside), rows and columns at input index 0.
    let input: UnsafeRawPointer
    /// Output row 0 of the phase, column 0.
    let output: UnsafeMutableRawPointer
    /// Input row of output row 0 and tap 0 of the phase.
    let firstInputRow: Int
    /// The windows lie inside along all outer axes.
    let isInterior: Bool
    /// The place's filter among several, the first of those that are repeated, and its bias.
    let filter: Int
    let biasOffset: Int
    private let plan: UnsafePointer<StencilPlan>
    private let walk: UnsafePointer<StencilWalk>

    /// The pointers outlive this.
    init(_ plan: UnsafePointer<StencilPlan>, _ walk: UnsafePointer<StencilWalk>) {
        self.plan = plan
        self.walk = walk
        var inOffset = 0
        var outOffset = walk.pointee.phase &* plan.pointee.row.outStride
        var isInterior = true
        var (filter, biasOffset) = (0, 0)
        for i in 0..<plan.pointee.outerCount {
            let axis = plan.pointee.outer[i]
            let output = walk.pointee.outer[i]
            outOffset &+= output &* axis.outStride
            let index = axis.step &* output &- axis.padding
            inOffset &+= index &* axis.inStride
            if axis.filterStride != 0 && !axis.isWindow { filter = filter &* axis.outExtent &+ output }
            biasOffset &+= output &* axis.biasStride
            if i >= plan.pointee.batchCount {
                let last = index &+ axis.dilation &* (axis.filterExtent &- 1)
                if index < 0 || last >= axis.inExtent { isInterior = false }
            }
        }
        self.isInterior = isInterior
        self.filter = filter &* plan.pointee.repeated.outExtent
        self.biasOffset = biasOffset
        input = plan.pointee.problem.input + inOffset
        output = plan.pointee.problem.output + outOffset
        firstInputRow = walk.pointee.phase &- plan.pointee.row.padding
    }

    var phase: Int { walk.pointee.phase }

    /// The first tap's index along an outer window axis.
    func firstIndex(_ i: Int) -> Int {
        let axis = plan.pointee.outer[i]
        return axis.step &* walk.pointee.outer[i] &- axis.padding
    }

    /// The input at a plane's taps along the outer axes, or nil where one of them is filled.
    func plane(_ taps: AxisInts) -> UnsafeRawPointer? {
        var offset = 0
        for i in plan.pointee.batchCount..<plan.pointee.outerCount {
            let axis = plan.pointee.outer[i]
            let first = firstIndex(i)
            let mapped = plan.pointee.problem.boundary.map(first &+ axis.dilation &* taps[i], extent: axis.inExtent)
            if mapped < 0 { return nil }
            offset &+= (mapped &- first) &* axis.inStride
        }
        return input + offset
    }

    /// The place's packed filter, the `number`th of those that are repeated.
    func weights(_ tables: UnsafeRawPointer, _ number: Int = 0) -> UnsafeRawPointer {
        tables + (plan.pointee.tables.weights &+ (filter &+ number) &* plan.pointee.tables.filterPitch)
    }
}

extension StencilPlan {
    /// From each of many filters of one plane, which need no conversion, to the next; nil where they are of another kind.
    var filterDistance: Int? {
        if filters == 1 || planes > 1
            || !ElementReader(
                type: problem.filterType, swapUnit: problem.filterSwapUnit, arithmetic
            ).isPlain
        {
            return nil
        }
        var distance = repeated.outExtent > 1 ? repeated.filterStride : 0
        for i in 0..<batchCount where outer[i].filterStride != 0 && outer[i].outExtent > 1 {
            if distance != 0 { return nil }
            distance = outer[i].filterStride
        }
        return distance
    }

    /// Where the filter with a number lies, counted as `Place` counts.
    func filterOffset(_ number: Int) -> Int {
        var rest = number / repeated.outExtent
        var offset = number % repeated.outExtent &* repeated.filterStride
        for i in (0..<batchCount).reversed() where outer[i].filterStride != 0 {
            offset &+= rest % outer[i].outExtent &* outer[i].filterStride
            rest /= outer[i].outExtent
        }
        return offset
    }
}
