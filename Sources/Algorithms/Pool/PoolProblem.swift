import Foundations
import Kernels

/// What a pool makes of a window; raw values as in swiftconv.h.
package enum Pooling: Int32, Sendable { case max = 0, sum = 1, average = 2, lp = 3 }

/// One axis of a pool. A batch axis is the case of a window of one tap.
///
/// Output `o` and tap `k` read input `step * o + dilation * k - padding`. Extents in elements, memory strides in bytes.
package struct PoolAxis {
    package var inExtent = 1
    package var outExtent = 1
    package var inStride = 0
    package var outStride = 0
    package var indexStride = 0
    /// What one step along the input adds to the flat index; 0 on batch axes.
    package var flatStride = 0
    package var taps = 1
    package var step = 1
    package var dilation = 1
    package var padding = 0
    package var paddingHigh = 0
    package var isWindow = false

    package init() {}

    /// Taps of output `o` that read `[low, high)`.
    func taps(of o: Int, low: Int, high: Int) -> Range<Int> {
        let start = step &* o &- padding
        let end = start >= high ? 0 : min(taps, (high &- 1 &- start) / dilation &+ 1)
        let first = start >= low ? 0 : ceilingDivide(low &- start, dilation)
        return min(first, end)..<end
    }

    /// Taps of output `o` that read an element.
    @inline(__always)
    func taps(of o: Int) -> Range<Int> { taps(of: o, low: 0, high: inExtent) }

    /// Outputs whose whole window lies in `[low, high)`.
    func outputs(low: Int, high: Int) -> Range<Int> {
        let last = high &- 1 &- dilation &* (taps &- 1) &+ padding  // largest step * o
        let first = low &+ padding <= 0 ? 0 : ceilingDivide(low &+ padding, step)
        let end = last < 0 ? 0 : min(outExtent, last / step &+ 1)
        return min(first, end)..<end
    }

    /// Outputs whose whole window lies inside the input.
    var interior: Range<Int> { outputs(low: 0, high: inExtent) }
    /// Whether every output's whole window does.
    var isInterior: Bool { padding == 0 && step &* (outExtent &- 1) &+ dilation &* (taps &- 1) < inExtent }
}

/// In memory that outlives problem and plan, as `AxisList`.
package typealias PoolAxisList = UnsafeMutablePointer<PoolAxis>

/// Memory for twice `rank` axes, a problem's and then those of the plan made from it, during `body`.
package func withPoolAxes(rank: Int, _ body: (PoolAxisList) throws(Failure) -> Bool) throws(Failure) -> Bool {
    try withUnsafeTemporaryAllocation(of: PoolAxis.self, capacity: 2 &* rank &+ 1) {
        (storage) throws(Failure) -> Bool in
        // Never empty: capacity is at least 1.
        try body(storage.baseAddress.unsafelyUnwrapped)
    }
}

/// A pool ready to run: sizes agree, nothing overflows, every pointer and stride names real elements.
package struct PoolProblem {
    package var pooling: Pooling
    package var input: UnsafeRawPointer
    package var inputType: ElementType
    package var inputSwapUnit: Int
    package var output: UnsafeMutableRawPointer
    package var outputType: ElementType
    package var outputSwapUnit: Int
    /// Where a maximum's indices go, 64-bit integers.
    package var indices: UnsafeMutableRawPointer?
    package var indicesSwapUnit: Int
    package var countsPadding: Bool
    /// 0: the number of elements in the window.
    package var divisor: Int
    package var power: Double
    package var signedPowers: Bool
    package var rank: Int
    package var axes: PoolAxisList

    package init(
        pooling: Pooling, input: Tensor, output: Tensor, indices: Tensor?, countsPadding: Bool, divisor: Int,
        power: Double, signedPowers: Bool, axes: PoolAxisList
    ) {
        self.pooling = pooling
        self.input = UnsafeRawPointer(input.data)
        inputType = input.type
        inputSwapUnit = input.swapUnit
        self.output = output.data
        outputType = output.type
        outputSwapUnit = output.swapUnit
        self.indices = indices?.data
        indicesSwapUnit = indices?.swapUnit ?? 1
        self.countsPadding = countsPadding
        self.divisor = divisor
        self.power = power
        self.signedPowers = signedPowers
        rank = input.rank
        self.axes = axes
    }

    /// Number of outputs; 0 when any axis is empty.
    package var outputCount: Int {
        var count = 1
        for i in 0..<rank { count = saturatingMultiply(count, axes[i].outExtent) }
        return count
    }
}
