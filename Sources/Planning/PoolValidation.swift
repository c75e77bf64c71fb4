import Algorithms
import CSwiftConv
import Foundations

/// The one place where a pool is checked. What leaves it cannot overflow, index outside or divide by zero.
///
/// Extents follow torch: windows that start in the padding past the input are dropped, with `ceilMode` too.
package func validate(
    _ input: Tensor, out: Tensor?, indices: Tensor?, _ options: PoolOptions, into axes: PoolAxisList
) throws(Failure) -> PoolProblem {
    if input.rank < options.windowRank {
        throw Failure(SC_RANK_TOO_SMALL, argument: SC_ARG_INPUT, value: input.rank, expected: options.windowRank)
    }
    for i in 0..<input.rank {
        axes[i] = PoolAxis()
        axes[i].inExtent = input.extent(i)
        axes[i].outExtent = input.extent(i)
        axes[i].inStride = input.stride(i)
    }
    for w in 0..<options.windowRank {
        let i = try options.axes.axis(w, windowRank: options.windowRank, rank: input.rank)
        if axes[i].isWindow {
            throw Failure(SC_AXIS_REPEATED, argument: SC_ARG_AXES, axis: w, value: options.axes(w, default: 0))
        }
        try setWindow(&axes[i], axis: i, window: w, options)
    }
    try checkPower(options)
    if indices != nil { try setFlatStrides(axes, input, options) }
    if let out { try setOutput(axes, input, out, indices, options) }
    return PoolProblem(
        pooling: options.pooling, input: input, output: out ?? input, indices: indices,
        countsPadding: options.countsPadding, divisor: options.divisor, power: options.power,
        signedPowers: options.signedPowers, axes: axes)
}

private func setWindow(
    _ axis: inout PoolAxis, axis i: Int, window w: Int, _ options: PoolOptions
) throws(Failure) {
    let n = axis.inExtent
    let kernel = options.kernel(w, default: 1)
    let stride = options.stride(w, default: kernel)
    let dilation = options.dilation(w, default: 1)
    let (low, high) = (options.paddingLow(w, default: 0), options.paddingHigh(w, default: 0))
    if kernel < 1 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_KERNEL_SIZE, axis: w, value: kernel) }
    if stride < 1 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_STRIDE, axis: w, value: stride) }
    if dilation < 1 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_DILATION, axis: w, value: dilation) }
    if low < 0 || high < 0 {
        throw Failure(SC_NEGATIVE, argument: SC_ARG_PADDING, axis: w, value: low < 0 ? low : high)
    }
    if n < 1 { throw Failure(SC_EMPTY_AXIS, argument: SC_ARG_INPUT, axis: i) }

    func overflow(_ argument: Int, _ value: Int) -> Failure {
        Failure(SC_SIZE_OVERFLOW, argument: argument, axis: w, value: value, expected: n)
    }
    let tooDilated = overflow(dilation > 1 ? SC_ARG_DILATION : SC_ARG_KERNEL_SIZE, dilation > 1 ? dilation : kernel)
    let window = try Checked.add(try Checked.multiply(dilation, kernel - 1, or: tooDilated), 1, or: tooDilated)
    let tooPadded = overflow(SC_ARG_PADDING, max(low, high))
    let padded = try Checked.add(try Checked.add(n, low, or: tooPadded), high, or: tooPadded)
    // The furthest position that anything below forms: a window and a step past the padded input.
    _ = try Checked.add(
        try Checked.add(padded, window, or: tooDilated), stride, or: overflow(SC_ARG_STRIDE, stride))

    let beyond = padded - window + (options.ceilMode ? stride - 1 : 0)
    var outputs = floorDivide(beyond, stride) + 1
    if options.ceilMode && (outputs - 1) * stride >= n + low { outputs -= 1 }
    if outputs < 1 { throw Failure(SC_WINDOW_BEYOND, argument: SC_ARG_INPUT, axis: i, value: window, expected: padded) }
    axis.outExtent = outputs
    axis.taps = kernel
    axis.step = stride
    axis.dilation = dilation
    axis.padding = low
    axis.paddingHigh = high
    axis.isWindow = true
}

private func checkPower(_ options: PoolOptions) throws(Failure) {
    if options.pooling == .lp && (options.power == 0 || options.power.isNaN) {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_NORM_TYPE)
    }
}

/// A maximum's index counts the window axes as if they lay in C order in the order in which they are named.
private func setFlatStrides(_ axes: PoolAxisList, _ input: Tensor, _ options: PoolOptions) throws(Failure) {
    var stride = 1
    for w in (0..<options.windowRank).reversed() {
        let i = try options.axes.axis(w, windowRank: options.windowRank, rank: input.rank)
        axes[i].flatStride = stride
        let padded = axes[i].inExtent + axes[i].padding + axes[i].paddingHigh  // fits: setWindow has formed it
        let overflow = Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_INDICES, axis: w, expected: axes[i].inExtent)
        _ = try Checked.multiply(stride, padded, or: overflow)
        stride = try Checked.multiply(stride, axes[i].inExtent, or: overflow)
    }
}

private func setOutput(
    _ axes: PoolAxisList, _ input: Tensor, _ out: Tensor, _ indices: Tensor?, _ options: PoolOptions
) throws(Failure) {
    try checkTypes(input, out, options)
    try checkShape(axes, input, out, argument: SC_ARG_OUT)
    for i in 0..<input.rank { axes[i].outStride = out.stride(i) }
    guard let indices else { return }
    if options.pooling != .max { throw Failure(SC_BAD_ENUM, argument: SC_ARG_INDICES) }
    if indices.type != .int64 {
        throw Failure(SC_DTYPE, argument: SC_ARG_INDICES, value: Int(indices.type.rawValue))
    }
    try checkShape(axes, input, indices, argument: SC_ARG_INDICES)
    for i in 0..<input.rank { axes[i].indexStride = indices.stride(i) }
}

private func checkShape(
    _ axes: PoolAxisList, _ input: Tensor, _ out: Tensor, argument: Int
) throws(Failure) {
    if out.rank != input.rank {
        throw Failure(SC_OUT_RANK, argument: argument, value: out.rank, expected: input.rank)
    }
    for i in 0..<input.rank where out.extent(i) != axes[i].outExtent {
        throw Failure(SC_OUT_SHAPE, argument: argument, axis: i, value: out.extent(i), expected: axes[i].outExtent)
    }
}

/// Maxima keep the dtype, and complex numbers have none; averages and norms are fractions; sums go from bool to integer
/// to float to complex, never back (NumPy's same_kind).
private func checkTypes(_ input: Tensor, _ out: Tensor, _ options: PoolOptions) throws(Failure) {
    func kind(_ type: ElementType) -> Int { type == .bool ? 0 : type.isComplex ? 3 : type.isFloating ? 2 : 1 }
    let takesComplex = options.pooling == .sum || options.pooling == .average
    if input.type.isComplex && !takesComplex {
        throw Failure(SC_DTYPE, argument: SC_ARG_INPUT, value: Int(input.type.rawValue))
    }
    let fits: Bool
    switch options.pooling {
    case .max: fits = out.type == input.type
    case .sum: fits = kind(out.type) >= kind(input.type)
    case .average: fits = out.type.isFloating && kind(out.type) >= kind(input.type)
    case .lp: fits = out.type.isFloating && !out.type.isComplex
    }
    if !fits { throw Failure(SC_DTYPE, argument: SC_ARG_OUT, value: Int(out.type.rawValue)) }
}
