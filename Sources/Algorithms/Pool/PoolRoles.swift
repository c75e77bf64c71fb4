import Foundations

/// A problem's axes, made as few as possible, from which a plan takes those with a role; the rest are its outer axes.
struct PoolRoles {
    private(set) var axes: PoolAxisList
    private(set) var count = 0
    private(set) var input: UnsafeRawPointer
    private(set) var output: UnsafeMutableRawPointer
    private(set) var indices: UnsafeMutableRawPointer?
    /// Largest flat distance between two taps of a window.
    private(set) var reach = 0

    init(_ problem: PoolProblem) {
        axes = problem.axes + problem.rank
        input = problem.input
        output = problem.output
        indices = problem.indices
        for i in 0..<problem.rank {
            let axis = problem.axes[i]
            reach = saturatingAdd(
                reach, saturatingMultiply(saturatingMultiply(axis.dilation, axis.taps &- 1), axis.flatStride))
            append(axis)
        }
        if indices == nil { while mergeWholeWindows() {} }
        while mergeBatchAxes() {}
    }

    private mutating func append(_ given: PoolAxis) {
        var axis = given
        if axis.isWindow && axis.taps == 1 && axis.isInterior {
            // Every step-th element: a batch axis.
            if axis.outExtent == 1 { return }
            axis.inStride = axis.inStride &* axis.step
            axis.flatStride = axis.flatStride &* axis.step
            axis.inExtent = axis.outExtent
            axis.step = 1
            axis.isWindow = false
        }
        if !axis.isWindow && axis.outExtent == 1 { return }
        if !axis.isWindow && axis.inStride < 0 && axis.flatStride == 0 { flip(&axis) }
        axes[count] = axis
        count &+= 1
    }

    /// Walks a batch axis from its other end.
    private mutating func flip(_ axis: inout PoolAxis) {
        let last = axis.outExtent &- 1
        input += last &* axis.inStride
        output += last &* axis.outStride
        if let start = indices { indices = start + last &* axis.indexStride }
        axis.inStride = 0 &- axis.inStride
        axis.outStride = 0 &- axis.outStride
        axis.indexStride = 0 &- axis.indexStride
    }

    /// Two axes that one window covers whole, one memory stride through both: global pools are one long window.
    private mutating func mergeWholeWindows() -> Bool {
        for i in 0..<count where axes[i].isWholeWindow {
            for j in 0..<count where j != i && axes[j].isWholeWindow {
                if axes[i].inStride != axes[j].inStride &* axes[j].inExtent { continue }
                axes[j].inExtent = axes[j].inExtent &* axes[i].inExtent
                axes[j].taps = axes[j].inExtent
                remove(i)
                return true
            }
        }
        return false
    }

    private mutating func mergeBatchAxes() -> Bool {
        for i in 0..<count where !axes[i].isWindow {
            for j in 0..<count where j != i && !axes[j].isWindow {
                let extent = axes[j].outExtent
                if axes[i].inStride != axes[j].inStride &* extent || axes[i].outStride != axes[j].outStride &* extent {
                    continue
                }
                if indices != nil
                    && (axes[i].indexStride != axes[j].indexStride &* extent || axes[i].flatStride != 0
                        || axes[j].flatStride != 0)
                {
                    continue
                }
                axes[j].outExtent = extent &* axes[i].outExtent
                axes[j].inExtent = axes[j].outExtent
                remove(i)
                return true
            }
        }
        return false
    }

    private mutating func remove(_ index: Int) {
        count &-= 1
        for i in index..<count { axes[i] = axes[i &+ 1] }
    }

    private mutating func take(_ index: Int?) -> PoolAxis {
        guard let index else { return PoolAxis() }
        let axis = axes[index]
        remove(index)
        return axis
    }

    /// The window axis along which memory is densest.
    mutating func takeColumn() -> PoolAxis { take(densestWindow()) }

    /// The densest batch axis inside the columns. Of maxima with indices that have a column or two, any will do: their
    /// taps are gathered, of one output as slowly as of many.
    mutating func takeUnit(inside column: PoolAxis) -> PoolAxis {
        let takesAny = indices != nil && column.outExtent <= 2
        var best: Int?
        for i in 0..<count where !axes[i].isWindow && axes[i].inStride > 0 {
            if indices != nil && axes[i].flatStride != 0 { continue }
            if column.isWindow && !takesAny && axes[i].distance >= column.distance { continue }
            if let found = best, axes[i].inStride >= axes[found].inStride { continue }
            best = i
        }
        return take(best)
    }

    /// A window axis, whose neighbouring outputs share input; else the batch axis whose outputs are closest.
    mutating func takeRow() -> PoolAxis {
        if let window = densestWindow() { return take(window) }
        var best: Int?
        for i in 0..<count {
            if let found = best, axes[i].outStride.magnitude >= axes[found].outStride.magnitude { continue }
            best = i
        }
        return take(best)
    }

    private func densestWindow() -> Int? {
        var best: Int?
        for i in 0..<count where axes[i].isWindow {
            if let found = best, axes[i].distance > axes[found].distance { continue }
            best = i
        }
        return best
    }
}

extension PoolAxis {
    /// Bytes between neighbours; those of an axis without neighbours are furthest apart.
    fileprivate var distance: UInt { inExtent == 1 || inStride == 0 ? UInt.max : inStride.magnitude }

    /// One output, whose window is the axis.
    fileprivate var isWholeWindow: Bool {
        isWindow && outExtent == 1 && padding == 0 && taps == inExtent && dilation == 1
    }
}
