import Foundations

/// One axis of a sliding problem. A batch axis is the case of a filter of one tap: stride 1, no padding.
///
/// Output index `o` and tap `k` read input index `step * o + dilation * k - padding`, mapped by the boundary when that
/// lies outside. Extents in elements, memory strides in bytes.
@frozen
package struct SlidingAxis {
    package var inExtent = 1
    package var outExtent = 1
    package var inStride = 0
    package var outStride = 0
    package var filterExtent = 1
    /// Memory stride of the filter; negative for a convolution, whose filter is read backwards. Of a batch axis it is other
    /// than 0 where each of the axis's elements has its own filter.
    package var filterStride = 0
    /// Memory stride of the bias, along batch axes.
    package var biasStride = 0
    package var step = 1
    package var dilation = 1
    package var padding = 0
    package var isWindow = false

    @inlinable
    package init() {}

    /// A batch axis whose elements have a filter or a bias each.
    var hasOwnFilter: Bool { !isWindow && (filterStride != 0 || biasStride != 0) }

    /// Makes this a batch axis without touching what it was. (Number by number: what is copied as a whole waits for the
    /// stores that made it.)
    @inlinable
    package mutating func setBatch(extent: Int, inStride: Int) {
        inExtent = extent
        outExtent = extent
        self.inStride = inStride
        outStride = 0
        filterExtent = 1
        filterStride = 0
        biasStride = 0
        step = 1
        dilation = 1
        padding = 0
        isWindow = false
    }

    /// Outputs whose whole window lies inside the input.
    package var interior: Range<Int> { interior(step: step, start: 0 &- padding, count: outExtent) }

    /// The same for outputs `0..<count` that begin at input index `start` and advance by `step`.
    package func interior(step: Int, start: Int, count: Int) -> Range<Int> {
        let last = inExtent &- 1 &- dilation &* (filterExtent &- 1) &- start  // largest step * o
        let first = start >= 0 ? 0 : ceilingDivide(0 &- start, step)
        let end = last < 0 ? 0 : last / step &+ 1
        let lower = min(first, count)
        return lower..<max(lower, min(end, count))
    }
}

/// The axes of a problem or plan, in memory that outlives it: a reference, so that problems and plans are small to pass
/// around, and a bare pointer, so that reading one number does not copy the axis. (With 32 axes inside each, copying them
/// took longer than a small call's work.)
package typealias AxisList = UnsafeMutablePointer<SlidingAxis>

/// Memory for twice `rank` axes, a problem's and then those of the plan made from it, during `body`.
package func withAxes(rank: Int, _ body: (AxisList) throws(Failure) -> Bool) throws(Failure) -> Bool {
    try withUnsafeTemporaryAllocation(of: SlidingAxis.self, capacity: 2 &* rank &+ 1) {
        (storage) throws(Failure) -> Bool in
        // Never empty: capacity is at least 1.
        try body(storage.baseAddress.unsafelyUnwrapped)
    }
}

/// A correlation ready to run: sizes agree, nothing overflows, every pointer and stride names real elements.
package struct SlidingProblem {
    package var input: UnsafeRawPointer
    package var inputType: ElementType
    package var inputSwapUnit: Int
    package var output: UnsafeMutableRawPointer
    package var outputType: ElementType
    package var outputSwapUnit: Int
    /// First tap in summation order (the filter's last element when it is flipped).
    package var filter: UnsafeRawPointer
    package var filterType: ElementType
    package var filterSwapUnit: Int
    package var conjugatesFilter: Bool
    /// What sums are rounded to before they become the output's dtype.
    package var resultType: ElementType
    package var boundary: Boundary
    /// The fill value as the arithmetic holds it, in the first bytes.
    package var fill: SIMD2<UInt64>
    /// Absent taps contribute nothing: `fill` with a zero fill value (false for bool).
    package let fillsWithZero: Bool
    package var epilogue = Epilogue()
    package var rank: Int
    package var axes: AxisList

    package init(
        input: UnsafeRawPointer, inputType: ElementType, inputSwapUnit: Int, output: UnsafeMutableRawPointer,
        outputType: ElementType, outputSwapUnit: Int, filter: UnsafeRawPointer, filterType: ElementType,
        filterSwapUnit: Int, conjugatesFilter: Bool, resultType: ElementType, boundary: Boundary, fill: SIMD2<UInt64>,
        rank: Int, axes: AxisList, epilogue: Epilogue = Epilogue()
    ) {
        self.input = input
        self.inputType = inputType
        self.inputSwapUnit = inputSwapUnit
        self.output = output
        self.outputType = outputType
        self.outputSwapUnit = outputSwapUnit
        self.filter = filter
        self.filterType = filterType
        self.filterSwapUnit = filterSwapUnit
        self.conjugatesFilter = conjugatesFilter
        self.resultType = resultType
        self.boundary = boundary
        self.fill = fill
        fillsWithZero = boundary == .fill && fill[0] == 0 && fill[1] == 0
        self.epilogue = epilogue
        self.rank = rank
        self.axes = axes
    }

    package var arithmetic: ArithmeticKind { resultType.arithmetic }

    /// Number of filter taps; Int.max when it does not fit (no memory can hold such a packed filter).
    package var tapCount: Int {
        var count = 1
        for i in 0..<rank { count = saturatingMultiply(count, axes[i].filterExtent) }
        return count
    }

    /// Number of outputs; 0 when any axis is empty.
    package var outputCount: Int {
        var count = 1
        for i in 0..<rank { count = saturatingMultiply(count, axes[i].outExtent) }
        return count
    }
}
