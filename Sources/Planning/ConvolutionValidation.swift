import Algorithms
import CSwiftConv
import Foundations

/// The one place where a convolution with channels is checked. Sizes follow torch (`conv2d`, `conv_transpose2d`) and, for
/// zeros between samples, jax (`conv_general_dilated`).
///
/// `a` and `b` are the operands in the order of sc_conv's operations; without `out`, a C-ordered result is assumed that
/// does not exist yet.
package func validate(
    _ a: Tensor, _ b: Tensor, bias: Tensor?, out: Tensor?, _ options: ConvolutionOptions, _ storage: ConvolutionStorage
) throws(Failure) -> Convolution {
    let check = ConvolutionCheck(a: a, b: b, bias: bias, out: out, options: options, storage: storage)
    try check.ranksAndTypes()
    switch options.operation {
    case .forward: return try check.forward()
    case .transposed: return try check.transposed()
    case .weight: return try check.weightGradient()
    }
}

private struct ConvolutionCheck {
    let a: Tensor
    let b: Tensor
    let bias: Tensor?
    let out: Tensor?
    let options: ConvolutionOptions
    let storage: ConvolutionStorage

    var spatial: Int { options.spatialRank }
    /// Axes before the weight's own: the sample's.
    var weightOffset: Int { options.perSample ? 1 : 0 }

    // MARK: Ranks, types, groups

    func ranksAndTypes() throws(Failure) {
        let isWeight = options.operation == .weight
        let (first, second) = (
            options.operation == .transposed ? SC_ARG_GRAD_OUTPUT : SC_ARG_INPUT,
            isWeight ? SC_ARG_GRAD_OUTPUT : SC_ARG_WEIGHT
        )
        let outOffset = isWeight ? weightOffset : 0
        try requireRank(a, spatial + 2, argument: first)
        try requireRank(b, spatial + 2 + (isWeight ? 0 : weightOffset), argument: second)
        try requireCast(a.type, to: options.resultType, argument: first)
        try requireCast(b.type, to: options.resultType, argument: second)
        if let out {
            try requireRank(out, spatial + 2 + outOffset, argument: SC_ARG_OUT)
            try requireOutput(out.type, holds: options.resultType)
        }
        if let bias {
            try requireRank(bias, 1 + weightOffset, argument: SC_ARG_BIAS)
            try requireCast(bias.type, to: options.resultType, argument: SC_ARG_BIAS)
        }
        if options.clamp != nil && (options.resultType.isComplex || options.resultType == .bool) {
            throw Failure(SC_DTYPE, argument: SC_ARG_ACTIVATION, value: Int(options.resultType.rawValue))
        }
        if options.groups < 1 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_GROUPS, value: options.groups) }
        if options.batchGroups < 1 {
            throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_BATCH_GROUPS, value: options.batchGroups)
        }
        let combines = options.groups > 1 || options.perSample || options.operation != .forward
        if options.batchGroups > 1 && combines {
            throw Failure(SC_BAD_ENUM, argument: SC_ARG_BATCH_GROUPS, value: options.batchGroups)
        }
        if options.boundary != .fill && options.operation != .forward {
            throw Failure(SC_BAD_ENUM, argument: SC_ARG_BOUNDARY, value: Int(options.boundary.rawValue))
        }
    }

    private func requireRank(_ tensor: Tensor, _ expected: Int, argument: Int) throws(Failure) {
        if tensor.rank != expected {
            throw Failure(SC_RANK, argument: argument, value: tensor.rank, expected: expected)
        }
    }

    private func requireDivides(_ groups: Int, _ extent: Int, argument: Int, axis: Int) throws(Failure) {
        if extent % groups != 0 {
            throw Failure(SC_INDIVISIBLE, argument: argument, axis: axis, value: extent, expected: groups)
        }
    }

    private func requireExtent(_ tensor: Tensor, _ axis: Int, _ expected: Int, argument: Int) throws(Failure) {
        if tensor.extent(axis) != expected {
            throw Failure(
                SC_EXTENT, argument: argument, axis: axis, value: tensor.extent(axis), expected: expected)
        }
    }

    private func requireSome(_ tensor: Tensor, from axis: Int, argument: Int) throws(Failure) {
        for i in axis..<max(axis, tensor.rank) where tensor.extent(i) == 0 {
            throw Failure(SC_EMPTY_AXIS, argument: argument, axis: i)
        }
    }

    /// The weight's channels against those of what is convolved, `channels` on axis 1 of `a`.
    private func requireChannels(_ channels: Int, perGroup weight: Int, axis: Int) throws(Failure) {
        if channels / options.groups != weight {
            throw Failure(
                SC_CHANNELS, argument: SC_ARG_WEIGHT, axis: axis, value: weight, lowest: options.groups,
                expected: channels / options.groups)
        }
    }

    // MARK: Operations

    func forward() throws(Failure) -> Convolution {
        let w = weightOffset
        let outChannels = b.extent(w)
        try requireSome(a, from: 1, argument: SC_ARG_INPUT)
        try requireSome(b, from: w, argument: SC_ARG_WEIGHT)
        try requireDivides(options.groups, a.extent(1), argument: SC_ARG_INPUT, axis: 1)
        try requireChannels(a.extent(1), perGroup: b.extent(w + 1), axis: w + 1)
        try requireDivides(options.groups, outChannels, argument: SC_ARG_WEIGHT, axis: w)
        try requireDivides(options.batchGroups, a.extent(0), argument: SC_ARG_INPUT, axis: 0)
        try requireDivides(options.batchGroups, outChannels, argument: SC_ARG_WEIGHT, axis: w)
        if options.perSample { try requireExtent(b, 0, a.extent(0), argument: SC_ARG_WEIGHT) }
        for i in 0..<spatial {
            let axis = try spatialAxis(i, inExtent: a.extent(i + 2), taps: b.extent(w + 2 + i))
            storage.axes[i] = axis
            storage.axes[i].inputStride = a.stride(i + 2)
            storage.axes[i].tapStride = b.stride(w + 2 + i)
            storage.outExtents[i + 2] = axis.outExtent
        }
        storage.outExtents[0] = a.extent(0) / options.batchGroups
        storage.outExtents[1] = outChannels
        try setOutput(rank: spatial + 2)
        try checkBias(channels: outChannels)
        return contraction(
            filter: b, outChannels: outChannels, inChannels: a.extent(1),
            rowStride: b.stride(w), depthStride: b.stride(w + 1))
    }

    /// The adjoint of forward is forward with zeros between the samples, the taps reversed, and the channels' roles swapped.
    func transposed() throws(Failure) -> Convolution {
        let w = weightOffset
        let channels = try Checked.multiply(
            b.extent(w + 1), options.groups,
            or: Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_GROUPS, value: options.groups))
        try requireSome(a, from: 1, argument: SC_ARG_GRAD_OUTPUT)
        try requireSome(b, from: w, argument: SC_ARG_WEIGHT)
        try requireDivides(options.groups, a.extent(1), argument: SC_ARG_GRAD_OUTPUT, axis: 1)
        if b.extent(w) != a.extent(1) {
            throw Failure(
                SC_CHANNELS, argument: SC_ARG_WEIGHT, axis: w, value: b.extent(w), lowest: options.groups,
                expected: a.extent(1))
        }
        if options.perSample { try requireExtent(b, 0, a.extent(0), argument: SC_ARG_WEIGHT) }
        var filter = b
        for i in 0..<spatial {
            let taps = b.extent(w + 2 + i)
            let axis = try transposedAxis(i, inExtent: a.extent(i + 2), taps: taps)
            storage.axes[i] = axis
            storage.axes[i].inputStride = a.stride(i + 2)
            storage.axes[i].tapStride = 0 &- b.stride(w + 2 + i)
            storage.outExtents[i + 2] = axis.outExtent
            filter.data += (taps - 1) &* b.stride(w + 2 + i)  // within b, whose elements the caller vouches for
        }
        storage.outExtents[0] = a.extent(0)
        storage.outExtents[1] = channels
        try setOutput(rank: spatial + 2)
        try checkBias(channels: channels)
        return contraction(
            filter: filter, outChannels: channels, inChannels: a.extent(1),
            rowStride: b.stride(w + 1), depthStride: b.stride(w))
    }

    func weightGradient() throws(Failure) -> Convolution {
        let w = weightOffset
        try requireSome(a, from: 1, argument: SC_ARG_INPUT)
        try requireSome(b, from: 1, argument: SC_ARG_GRAD_OUTPUT)
        try requireExtent(b, 0, a.extent(0), argument: SC_ARG_GRAD_OUTPUT)
        try requireDivides(options.groups, a.extent(1), argument: SC_ARG_INPUT, axis: 1)
        try requireDivides(options.groups, b.extent(1), argument: SC_ARG_GRAD_OUTPUT, axis: 1)
        // The result's extents are the caller's: grad_output's do not tell the taps.
        guard let out else { throw Failure(SC_BAD_ENUM, argument: SC_ARG_OUT) }
        if bias != nil { throw Failure(SC_BAD_ENUM, argument: SC_ARG_BIAS) }
        for i in 0..<spatial {
            let taps = out.extent(w + 2 + i)
            if taps == 0 { throw Failure(SC_EMPTY_AXIS, argument: SC_ARG_WEIGHT, axis: w + 2 + i) }
            let axis = try spatialAxis(i, inExtent: a.extent(i + 2), taps: taps)
            try requireNoInputDilation(axis, i)
            try requireExtent(b, i + 2, axis.outExtent, argument: SC_ARG_GRAD_OUTPUT)
            storage.axes[i] = axis
            storage.axes[i].inputStride = a.stride(i + 2)
            storage.axes[i].outStride = b.stride(i + 2)
            storage.axes[i].tapStride = out.stride(w + 2 + i)
            storage.outExtents[w + 2 + i] = taps
        }
        if w == 1 { storage.outExtents[0] = a.extent(0) }
        storage.outExtents[w] = b.extent(1)
        storage.outExtents[w + 1] = a.extent(1) / options.groups
        try setOutput(rank: spatial + 2 + w)
        return weightContraction()
    }

    // MARK: Sizes

    private func spatialAxis(_ i: Int, inExtent: Int, taps: Int) throws(Failure) -> ConvolutionAxis {
        var axis = try axisOptions(i, inExtent: inExtent, taps: taps)
        let high = options.paddingHigh(i, default: 0)
        try checkPadding(i, axis.padding, high, extent: inExtent)
        let overflow = Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_PADDING, axis: i, value: axis.padding)
        let padded = try Checked.add(
            try Checked.add(try dilatedExtent(i, inExtent, axis.inputDilation), axis.padding, or: overflow), high,
            or: overflow)
        let window = axis.dilation &* (taps - 1) &+ 1  // checked by axisOptions
        if window > padded {
            throw Failure(SC_WINDOW_BEYOND, argument: SC_ARG_WEIGHT, axis: i, value: window, expected: padded)
        }
        axis.outExtent = (padded - window) / axis.stride + 1
        return axis
    }

    private func transposedAxis(_ i: Int, inExtent: Int, taps: Int) throws(Failure) -> ConvolutionAxis {
        var axis = try axisOptions(i, inExtent: inExtent, taps: taps)
        try requireNoInputDilation(axis, i)
        let (low, high) = (axis.padding, options.paddingHigh(i, default: 0))
        let overflow = Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_PADDING, axis: i, value: low)
        let reach = axis.dilation &* (taps - 1)
        var extent = try Checked.add(try dilatedExtent(i, inExtent, axis.stride), reach, or: overflow)
        extent = try Checked.add(
            extent, try Checked.multiply(try Checked.add(low, high, or: overflow), -1, or: overflow), or: overflow)
        let most = max(axis.stride, axis.dilation) - 1
        var extra = options.outputPadding(i, default: 0)
        if extra < 0 { throw Failure(SC_NEGATIVE, argument: SC_ARG_OUTPUT_PADDING, axis: i, value: extra) }
        if let out { extra = out.extent(i + 2) &- extent }
        if extra < 0 || extra > most {
            if let out {
                throw Failure(
                    SC_EXTENT, argument: SC_ARG_OUT, axis: i + 2, value: out.extent(i + 2), expected: extent)
            }
            throw Failure(
                SC_PADDING_TOO_LARGE, argument: SC_ARG_OUTPUT_PADDING, axis: i, value: extra, expected: most)
        }
        axis.outExtent = extent + extra
        if axis.outExtent < 0 {
            throw Failure(SC_WINDOW_BEYOND, argument: SC_ARG_PADDING, axis: i, value: low, expected: extent)
        }
        axis.inputDilation = axis.stride
        axis.stride = 1
        axis.padding = reach &- low
        return axis
    }

    /// Zeros between samples are forward's.
    private func requireNoInputDilation(_ axis: ConvolutionAxis, _ i: Int) throws(Failure) {
        if axis.inputDilation != 1 {
            throw Failure(SC_BAD_ENUM, argument: SC_ARG_INPUT_DILATION, axis: i, value: axis.inputDilation)
        }
    }

    /// Stride, dilations and low padding, checked so that no coordinate and no span overflows.
    private func axisOptions(_ i: Int, inExtent: Int, taps: Int) throws(Failure) -> ConvolutionAxis {
        var axis = ConvolutionAxis()
        axis.inExtent = inExtent
        axis.taps = taps
        axis.stride = options.stride(i, default: 1)
        axis.dilation = options.dilation(i, default: 1)
        axis.inputDilation = options.inputDilation(i, default: 1)
        axis.padding = options.paddingLow(i, default: 0)
        if axis.stride < 1 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_STRIDE, axis: i, value: axis.stride) }
        if axis.dilation < 1 {
            throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_DILATION, axis: i, value: axis.dilation)
        }
        if axis.inputDilation < 1 {
            throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_INPUT_DILATION, axis: i, value: axis.inputDilation)
        }
        try requireModest(axis.stride, SC_ARG_STRIDE, i)
        try requireModest(axis.dilation, SC_ARG_DILATION, i)
        try requireModest(axis.inputDilation, SC_ARG_INPUT_DILATION, i)
        try requireModest(axis.padding, SC_ARG_PADDING, i)
        try requireModest(options.paddingHigh(i, default: 0), SC_ARG_PADDING, i)
        let overflow = Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_DILATION, axis: i, value: axis.dilation)
        let reach = try Checked.multiply(axis.dilation, taps - 1, or: overflow)
        if reach > modest { throw overflow }
        _ = try dilatedExtent(i, inExtent, axis.inputDilation)
        return axis
    }

    private func dilatedExtent(_ i: Int, _ extent: Int, _ dilation: Int) throws(Failure) -> Int {
        let overflow = Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_INPUT_DILATION, axis: i, value: dilation)
        let reach = try Checked.multiply(extent - 1, dilation, or: overflow)
        if reach > modest { throw overflow }
        return reach + 1
    }

    private func requireModest(_ value: Int, _ argument: Int, _ i: Int) throws(Failure) {
        if value > modest || value < 0 - modest {
            throw Failure(SC_SIZE_OVERFLOW, argument: argument, axis: i, value: value)
        }
    }

    /// torch's limits: a reflection does not reach beyond the far edge, nor a circular padding around twice.
    private func checkPadding(_ i: Int, _ low: Int, _ high: Int, extent: Int) throws(Failure) {
        let most: Int
        switch options.boundary {
        case .fill: return
        case .reflect: most = extent - 1
        case .wrap: most = extent
        case .symmetric, .edge: most = modest
        }
        if options.inputDilation(i, default: 1) != 1 {
            throw Failure(SC_BAD_ENUM, argument: SC_ARG_INPUT_DILATION, axis: i)
        }
        for padding in [low, high] {
            if padding < 0 { throw Failure(SC_NEGATIVE, argument: SC_ARG_PADDING, axis: i, value: padding) }
            if padding > most {
                throw Failure(SC_PADDING_TOO_LARGE, argument: SC_ARG_PADDING, axis: i, value: padding, expected: most)
            }
        }
    }

    private func checkBias(channels: Int) throws(Failure) {
        guard let bias else { return }
        try requireExtent(bias, weightOffset, channels, argument: SC_ARG_BIAS)
        if options.perSample { try requireExtent(bias, 0, a.extent(0), argument: SC_ARG_BIAS) }
    }

    private func setOutput(rank: Int) throws(Failure) {
        if let out {
            for i in 0..<rank {
                try requireExtent(out, i, storage.outExtents[i], argument: SC_ARG_OUT)
                storage.outStrides[i] = out.stride(i)
            }
            return
        }
        var stride = options.resultType.byteCount
        for i in (0..<rank).reversed() {
            storage.outStrides[i] = stride
            stride = saturatingMultiply(stride, max(storage.outExtents[i], 1))
        }
    }

    // MARK: Indices

    /// Forward and transposed: rows are output channels of a group, columns samples and outputs, depth channels and taps.
    private func contraction(
        filter: Tensor, outChannels: Int, inChannels: Int, rowStride: Int, depthStride: Int
    ) -> Convolution {
        var problem = emptyProblem(filter: filter)
        let out = storage.outStrides
        let parts = max(options.groups, options.batchGroups)
        let rows = outChannels / parts
        let depth = inChannels / options.groups
        let samples = a.extent(0) / options.batchGroups
        let biasStride = bias?.stride(weightOffset) ?? 0

        var group = ContractionIndex()
        group.extent = parts
        group.inputStride = options.batchGroups > 1 ? samples &* a.stride(0) : depth &* a.stride(1)
        // A convolution's groups divide the output channels; its adjoint's, the weight's first axis.
        group.filterStride = options.operation == .forward ? rows &* rowStride : depth &* depthStride
        group.outputStride = rows &* out[1]
        group.biasStride = rows &* biasStride
        var sample = ContractionIndex()
        sample.extent = samples
        sample.inputStride = a.stride(0)
        sample.outputStride = out[0]
        if options.perSample {
            sample.filterStride = filter.stride(0)
            sample.biasStride = bias?.stride(0) ?? 0
        }
        var row = ContractionIndex()
        row.extent = rows
        row.filterStride = rowStride
        row.outputStride = out[1]
        row.biasStride = biasStride
        var channel = ContractionIndex()
        channel.extent = depth
        channel.inputStride = a.stride(1)
        channel.filterStride = depthStride

        for i in 0..<spatial { storage.axes[i].outStride = out[i + 2] }
        assemble(&problem, sample: sample, group: group, row: row, column: nil, depth: channel)
        return Convolution(base: problem, axes: storage.axes, spatialRank: spatial)
    }

    /// The weight's gradient: rows are output channels, columns channels and taps, depth samples and outputs.
    private func weightContraction() -> Convolution {
        var problem = emptyProblem(filter: b)
        let w = weightOffset
        let out = storage.outStrides
        let rows = b.extent(1) / options.groups
        let channels = a.extent(1) / options.groups

        var group = ContractionIndex()
        group.extent = options.groups
        group.inputStride = channels &* a.stride(1)
        group.filterStride = rows &* b.stride(1)
        group.outputStride = rows &* out[w]
        var sample = ContractionIndex()
        sample.extent = a.extent(0)
        sample.inputStride = a.stride(0)
        sample.filterStride = b.stride(0)
        sample.outputStride = options.perSample ? out[0] : 0
        var row = ContractionIndex()
        row.extent = rows
        row.filterStride = b.stride(1)
        row.outputStride = out[w]
        var channel = ContractionIndex()
        channel.extent = channels
        channel.inputStride = a.stride(1)
        channel.outputStride = out[w + 1]
        assemble(&problem, sample: sample, group: group, row: row, column: channel, depth: nil)
        problem.sumsOverOutputs = true
        return Convolution(base: problem, axes: storage.axes, spatialRank: spatial)
    }

    private func emptyProblem(filter: Tensor) -> ContractionProblem {
        let none = IndexList(base: storage.indices, count: 0)
        return ContractionProblem(
            input: a, filter: filter, output: out?.data ?? a.data, outputType: out?.type ?? options.resultType,
            outputSwapUnit: out?.swapUnit ?? 1, bias: bias, resultType: options.resultType, boundary: options.boundary,
            clamp: options.clamp, batch: none, rows: none, columns: none, depth: none, windows: storage.windows,
            windowCount: spatial)
    }

    /// Puts the indices in their order; the spatial ones' places are left to `Convolution.phase`. The sample is a batch
    /// index where each has its own filter, and else a column or, where sums run over outputs, a depth.
    private func assemble(
        _ problem: inout ContractionProblem, sample: ContractionIndex, group: ContractionIndex, row: ContractionIndex,
        column: ContractionIndex?, depth: ContractionIndex?
    ) {
        var next = storage.indices
        func list(_ first: ContractionIndex?, _ second: ContractionIndex?, spatial: Int) -> IndexList {
            let base = next
            if let first {
                next.initialize(to: first)
                next += 1
            }
            if let second {
                next.initialize(to: second)
                next += 1
            }
            next.initialize(repeating: ContractionIndex(), count: spatial)
            next += spatial
            return IndexList(base: base, count: next - base)
        }
        let shared = options.perSample ? nil : sample
        problem.batch = list(group, options.perSample ? sample : nil, spatial: 0)
        problem.rows = list(row, nil, spatial: 0)
        problem.columns = list(column == nil ? shared : nil, column, spatial: spatial)
        problem.depth = list(depth == nil ? shared : nil, depth, spatial: spatial)
        storage.windows.initialize(repeating: ContractionWindow(), count: spatial)
    }
}

/// Steps, paddings and reaches beyond this are refused: products of two of them, and sums of a few products, fit.
private let modest = 1 << 60
