import Algorithms
import CSwiftConv
import Foundations

/// The one place where a cut into patches is checked. What leaves it cannot overflow, index outside or divide by zero.

/// Numbers of windows and taps along the axes of `x`.
package func validate(_ x: Tensor, _ options: PatchesOptions, into axes: PatchAxisList) throws(Failure) {
    if x.rank < options.windowRank {
        throw Failure(SC_RANK, argument: SC_ARG_INPUT, value: x.rank, expected: options.windowRank)
    }
    if x.rank + options.windowRank > maximumRank {
        throw Failure(
            SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_PATCHES, value: x.rank + options.windowRank,
            expected: maximumRank)
    }
    for i in 0..<x.rank {
        axes[i].extent = x.extent(i)
        axes[i].windows = x.extent(i)
        axes[i].stride = x.stride(i)
    }
    for w in 0..<options.windowRank {
        let i = try windowAxis(w, x, options)
        if axes[i].isWindow {
            throw Failure(SC_AXIS_REPEATED, argument: SC_ARG_AXES, axis: w, value: options.axes(w, default: 0))
        }
        try setWindow(&axes[i], axis: i, window: w, options)
    }
}

package func validate(
    gather x: Tensor, into patches: Tensor, _ options: PatchesOptions, _ axes: PatchAxisList
) throws(Failure) -> PatchesProblem {
    try validate(x, options, into: axes)
    if patches.type != x.type { throw Failure(SC_DTYPE, argument: SC_ARG_OUT, value: Int(patches.type.rawValue)) }
    try setPatches(patches, x, options, axes) { (axis, value, expected) in
        axis < 0
            ? Failure(SC_OUT_RANK, argument: SC_ARG_OUT, value: value, expected: expected)
            : Failure(SC_OUT_SHAPE, argument: SC_ARG_OUT, axis: axis, value: value, expected: expected)
    }
    return problem(x, patches, options, axes)
}

package func validate(
    scatter patches: Tensor, into x: Tensor, _ options: PatchesOptions, _ axes: PatchAxisList
) throws(Failure) -> PatchesProblem {
    try validate(x, options, into: axes)
    let averages = options.weights != nil || options.reduction == .mean
    let expected: ElementType = averages && !patches.type.isFloating ? .float64 : patches.type
    if x.type != expected { throw Failure(SC_DTYPE, argument: SC_ARG_OUT, value: Int(x.type.rawValue)) }
    try setPatches(patches, x, options, axes) { (axis, value, expected) in
        Failure(
            axis < 0 ? SC_RANK : SC_EXTENT, argument: SC_ARG_PATCHES, axis: axis, value: value, expected: expected)
    }
    return problem(x, patches, options, axes)
}

private func problem(
    _ x: Tensor, _ patches: Tensor, _ options: PatchesOptions, _ axes: PatchAxisList
) -> PatchesProblem {
    var fill = SIMD2<UInt64>.zero
    if let given = options.fill {
        withUnsafeMutableBytes(of: &fill) { $0.copyMemory(from: .init(start: given, count: x.type.byteCount)) }
    }
    var problem = PatchesProblem(
        array: x.data, arrayType: x.type, arraySwapUnit: x.swapUnit, patches: patches.data, patchesType: patches.type,
        patchesSwapUnit: patches.swapUnit, boundary: options.boundary, fill: fill, reduction: options.reduction,
        weights: options.weights, rank: x.rank, axes: axes)
    problem.isFresh = options.isFresh
    return problem
}

private func windowAxis(_ w: Int, _ x: Tensor, _ options: PatchesOptions) throws(Failure) -> Int {
    let axis = options.axes(w, default: w - options.windowRank)
    if axis < -x.rank || axis >= x.rank {
        throw Failure(SC_AXIS_OUT_OF_RANGE, argument: SC_ARG_AXES, axis: w, value: axis, expected: x.rank)
    }
    return axis < 0 ? axis + x.rank : axis
}

private func setWindow(
    _ axis: inout PatchAxis, axis i: Int, window w: Int, _ options: PatchesOptions
) throws(Failure) {
    let taps = options.window(w, default: 1)
    let stride = options.stride(w, default: 1)
    let dilation = options.dilation(w, default: 1)
    let low = options.paddingLow(w, default: 0)
    let high = options.paddingHigh(w, default: 0)
    if taps < 1 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_KERNEL_SIZE, axis: w, value: taps) }
    if stride < 1 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_STRIDE, axis: w, value: stride) }
    if dilation < 1 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_DILATION, axis: w, value: dilation) }
    if min(low, high) < 0 {
        throw Failure(SC_NEGATIVE, argument: SC_ARG_PADDING, axis: w, value: min(low, high))
    }
    if axis.extent == 0 && options.boundary != .fill {
        throw Failure(SC_EMPTY_AXIS, argument: SC_ARG_INPUT, axis: i)
    }

    let tooWide = Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_DILATION, axis: w, value: dilation)
    let reach = try Checked.multiply(dilation, taps - 1, or: tooWide)
    let window = try Checked.add(reach, 1, or: tooWide)
    let tooMuch = Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_PADDING, axis: w, value: max(low, high))
    let padded = try Checked.add(try Checked.add(axis.extent, low, or: tooMuch), high, or: tooMuch)
    // The longest index that anything below forms: a position one window and one step beyond.
    let tooFar = Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_STRIDE, axis: w, value: stride)
    _ = try Checked.add(try Checked.add(padded, window, or: tooMuch), stride, or: tooFar)
    if window > padded {
        throw Failure(SC_WINDOW_BEYOND, argument: SC_ARG_KERNEL_SIZE, axis: w, value: window, expected: padded)
    }
    axis.windows = (padded - window) / stride + 1
    axis.taps = taps
    axis.step = stride
    axis.dilation = dilation
    axis.padding = low
    axis.isWindow = true
}

/// Takes the strides of a tensor of patches that has the right shape. `mismatch` words a wrong one: axis -1 for its
/// rank.
private func setPatches(
    _ patches: Tensor, _ x: Tensor, _ options: PatchesOptions, _ axes: PatchAxisList,
    _ mismatch: (_ axis: Int, _ value: Int, _ expected: Int) -> Failure
) throws(Failure) {
    if patches.rank != x.rank + options.windowRank {
        throw mismatch(-1, patches.rank, x.rank + options.windowRank)
    }
    for i in 0..<x.rank {
        if patches.extent(i) != axes[i].windows { throw mismatch(i, patches.extent(i), axes[i].windows) }
        axes[i].windowStride = patches.stride(i)
    }
    var weightStride = 1
    for w in (0..<options.windowRank).reversed() {
        let i = try windowAxis(w, x, options)
        axes[i].weightStride = weightStride
        weightStride = saturatingMultiply(weightStride, axes[i].taps)
        let taps = patches.extent(x.rank + w)
        if taps != axes[i].taps { throw mismatch(x.rank + w, taps, axes[i].taps) }
        axes[i].tapStride = patches.stride(x.rank + w)
    }
}
