import Algorithms
import CSwiftConv
import Foundations

/// The one place where a sliding problem is checked. What leaves it cannot overflow, index outside or divide by zero.
///
/// Sizes and placement follow NumPy and SciPy's signal module (docs/architecture.md lists the conventions): with k the
/// dilated filter extent, correlation `same` reads from `o - k / 2`, convolution `same` from `o - k + 1 + (k - 1) / 2`.
package func validate(
    _ a: Tensor, _ v: Tensor, out: Tensor?, _ options: SlidingOptions, into axes: AxisList
) throws(Failure) -> SlidingProblem {
    try checkRanks(a, v, options)
    try requireCast(a.type, to: options.resultType, argument: SC_ARG_A)
    try requireCast(v.type, to: options.resultType, argument: SC_ARG_V)
    if let out { try requireOutput(out.type, holds: options.resultType) }
    for i in 0..<a.rank {
        axes[i].setBatch(extent: a.extent(i), inStride: a.stride(i))
    }
    var filter = UnsafeRawPointer(v.data)
    for w in 0..<options.windowRank {
        let i = try options.axes.axis(w, windowRank: options.windowRank, rank: a.rank)
        if axes[i].isWindow {
            throw Failure(SC_AXIS_REPEATED, argument: SC_ARG_AXES, axis: w, value: options.axes(w, default: 0))
        }
        try setWindow(&axes[i], axis: i, window: w, v, options)
        if options.operation == .convolve {
            filter += (v.extent(w) - 1) &* v.stride(w)  // within v, whose elements the caller vouches for
            axes[i].filterStride = 0 &- v.stride(w)
        }
    }
    if let out { try setOutput(axes, a, out) } else { setNewOutput(axes, a, options) }
    return SlidingProblem(
        input: UnsafeRawPointer(a.data), inputType: a.type, inputSwapUnit: a.swapUnit, output: out?.data ?? a.data,
        outputType: out?.type ?? options.resultType, outputSwapUnit: out?.swapUnit ?? 1, filter: filter,
        filterType: v.type, filterSwapUnit: v.swapUnit, conjugatesFilter: options.operation == .correlate,
        resultType: options.resultType, boundary: options.boundary, fill: options.fill, rank: a.rank, axes: axes)
}

private func checkRanks(_ a: Tensor, _ v: Tensor, _ options: SlidingOptions) throws(Failure) {
    if v.rank != options.windowRank {
        throw Failure(SC_WINDOW_RANK, argument: SC_ARG_V, value: v.rank, expected: options.windowRank)
    }
    if a.rank < options.windowRank {
        throw Failure(SC_RANK_TOO_SMALL, argument: SC_ARG_A, value: a.rank, expected: options.windowRank)
    }
}

private func setWindow(
    _ axis: inout SlidingAxis, axis i: Int, window w: Int, _ v: Tensor, _ options: SlidingOptions
) throws(Failure) {
    let n = axis.inExtent
    let k = v.extent(w)
    let stride = options.stride(w, default: 1)
    let dilation = options.dilation(w, default: 1)
    if stride < 1 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_STRIDE, axis: w, value: stride) }
    if dilation < 1 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_DILATION, axis: w, value: dilation) }
    if n < 1 { throw Failure(SC_EMPTY_AXIS, argument: SC_ARG_A, axis: i) }
    if k < 1 { throw Failure(SC_EMPTY_AXIS, argument: SC_ARG_V, axis: w) }

    let overflow = Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_DILATION, axis: w, value: dilation)
    let reach = try Checked.multiply(dilation, k - 1, or: overflow)
    let extent = try Checked.add(reach, 1, or: overflow)
    // The longest index that anything below forms: a full output's window, one step beyond.
    let span = try Checked.add(try Checked.add(n, extent, or: overflow), extent, or: overflow)
    _ = try Checked.add(
        span, stride, or: Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_STRIDE, axis: w, value: stride))

    let origin = options.origin(w, default: 0)
    if origin != 0 && options.mode != .same {
        throw Failure(SC_ORIGIN_NEEDS_SAME, argument: SC_ARG_ORIGIN, axis: i, value: origin)
    }
    let unstrided: Int
    switch options.mode {
    case .valid:
        if extent > n { throw Failure(SC_WINDOW_TOO_LARGE, argument: SC_ARG_V, axis: i, value: extent, expected: n) }
        unstrided = n - extent + 1
        axis.padding = 0
    case .same:
        unstrided = n
        axis.padding = try samePadding(extent, origin, axis: i, options)
    case .full:
        unstrided = n + reach
        axis.padding = reach
    }
    axis.outExtent = (unstrided - 1) / stride + 1
    axis.filterExtent = k
    axis.filterStride = v.stride(w)
    axis.step = stride
    axis.dilation = dilation
    axis.isWindow = true
}

/// Samples before the input that output 0's window reaches. `origin` moves the window as scipy.ndimage's does.
private func samePadding(
    _ extent: Int, _ origin: Int, axis: Int, _ options: SlidingOptions
) throws(Failure) -> Int {
    let centre = options.operation == .correlate ? extent / 2 : (extent - 1) / 2
    let lowest = -centre
    let highest = extent - 1 - centre
    if origin < lowest || origin > highest {
        throw Failure(
            SC_ORIGIN_OUT_OF_RANGE, argument: SC_ARG_ORIGIN, axis: axis, value: origin, lowest: lowest,
            expected: highest)
    }
    return options.operation == .correlate ? centre + origin : extent - 1 - centre - origin
}

private func setOutput(_ axes: AxisList, _ a: Tensor, _ out: Tensor) throws(Failure) {
    if out.rank != a.rank { throw Failure(SC_OUT_RANK, argument: SC_ARG_OUT, value: out.rank, expected: a.rank) }
    for i in 0..<a.rank {
        if out.extent(i) != axes[i].outExtent {
            throw Failure(
                SC_OUT_SHAPE, argument: SC_ARG_OUT, axis: i, value: out.extent(i), expected: axes[i].outExtent)
        }
        axes[i].outStride = out.stride(i)
    }
}

/// A C-ordered result that does not exist yet.
private func setNewOutput(_ axes: AxisList, _ a: Tensor, _ options: SlidingOptions) {
    var stride = options.resultType.byteCount
    for i in (0..<a.rank).reversed() {
        axes[i].outStride = stride
        stride = saturatingMultiply(stride, max(axes[i].outExtent, 1))
    }
}
