import Algorithms
import CSwiftConv
import Foundations
import Planning

/// C descriptors to Swift values. Unknown codes are refused here; sizes and types are validated in Planning.

func decode(_ tensor: sc_tensor, argument: Int, needsData: Bool = false) throws(Failure) -> Tensor {
    let rank = Int(tensor.ndim)
    if rank < 0 || rank > maximumRank {
        throw Failure(SC_TOO_MANY_DIMENSIONS, argument: argument, value: rank, expected: maximumRank)
    }
    guard let type = ElementType(rawValue: tensor.dtype) else {
        throw Failure(SC_DTYPE, argument: argument, value: Int(tensor.dtype))
    }
    if rank > 0 && (tensor.shape == nil || tensor.strides == nil) { throw Failure(SC_BAD_ENUM, argument: argument) }
    var isEmpty = false
    for i in 0..<rank {
        let extent = Int(tensor.shape[i])
        if extent < 0 { throw Failure(SC_BAD_ENUM, argument: argument, axis: i, value: extent) }
        if extent == 0 { isEmpty = true }
    }
    // Shapes alone are asked about without data; a call that touches elements refuses what is missing.
    if tensor.data == nil && needsData && !isEmpty { throw Failure(SC_BAD_ENUM, argument: argument) }
    let data = tensor.data ?? UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped
    return Tensor(
        data: data, type: type, byteswapped: tensor.byteswapped != 0, rank: rank, extents: tensor.shape,
        strides: tensor.strides)
}

func decode(_ options: sc_sliding) throws(Failure) -> SlidingOptions {
    var decoded = SlidingOptions()
    guard let operation = SlidingOptions.Operation(rawValue: options.operation) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_OPERATION, value: Int(options.operation))
    }
    guard let mode = SlidingOptions.Mode(rawValue: options.mode) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_MODE, value: Int(options.mode))
    }
    guard let boundary = Boundary(rawValue: options.boundary) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_BOUNDARY, value: Int(options.boundary))
    }
    guard let method = SlidingOptions.Method(rawValue: options.method) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_METHOD, value: Int(options.method))
    }
    guard let resultType = ElementType(rawValue: options.result_dtype) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_DTYPE, value: Int(options.result_dtype))
    }
    let rank = Int(options.window_ndim)
    if rank < 0 || rank > maximumRank {
        throw Failure(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_V, value: rank, expected: maximumRank)
    }
    decoded.operation = operation
    decoded.mode = mode
    decoded.boundary = boundary
    decoded.method = method
    decoded.resultType = resultType
    decoded.windowRank = rank
    decoded.threads = try decodeThreads(options.threads)
    decoded.axes = PerWindow(options.axes)
    decoded.stride = PerWindow(options.stride)
    decoded.dilation = PerWindow(options.dilation)
    decoded.origin = PerWindow(options.origin)
    decoded.fillInteger = options.fill_integer
    decoded.fillReal = options.fill_real
    decoded.fillImaginary = options.fill_imaginary
    return decoded
}

func decode(_ options: sc_conv) throws(Failure) -> ConvolutionOptions {
    var decoded = ConvolutionOptions()
    guard let operation = ConvolutionOptions.Operation(rawValue: options.operation) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_OPERATION, value: Int(options.operation))
    }
    guard let boundary = Boundary(rawValue: options.boundary) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_BOUNDARY, value: Int(options.boundary))
    }
    guard let method = ConvolutionOptions.Method(rawValue: options.method) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_METHOD, value: Int(options.method))
    }
    guard let resultType = ElementType(rawValue: options.result_dtype) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_DTYPE, value: Int(options.result_dtype))
    }
    let rank = Int(options.spatial_ndim)
    if rank < 0 || rank > maximumRank - 3 {
        throw Failure(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_INPUT, value: rank + 2, expected: maximumRank - 1)
    }
    if options.activation == SC_ACTIVATION_CLAMP && !options.lowest.isNaN && !options.highest.isNaN {
        decoded.clamp = Clamp(lowest: options.lowest, highest: options.highest)
    } else if options.activation != SC_ACTIVATION_NONE {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_ACTIVATION, value: Int(options.activation))
    }
    decoded.operation = operation
    decoded.spatialRank = rank
    decoded.boundary = boundary
    decoded.method = method
    decoded.resultType = resultType
    decoded.threads = try decodeThreads(options.threads)
    decoded.followsThreadCount = options.threads == 0
    decoded.perSample = options.per_sample != 0
    decoded.groups = Int(options.groups)
    decoded.batchGroups = Int(options.batch_groups)
    decoded.stride = PerWindow(options.stride)
    decoded.dilation = PerWindow(options.dilation)
    decoded.paddingLow = PerWindow(options.padding_low)
    decoded.paddingHigh = PerWindow(options.padding_high)
    decoded.inputDilation = PerWindow(options.input_dilation)
    decoded.outputPadding = PerWindow(options.output_padding)
    return decoded
}

func decode(_ options: sc_patches) throws(Failure) -> PatchesOptions {
    var decoded = PatchesOptions()
    guard let boundary = Boundary(rawValue: options.boundary) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_BOUNDARY, value: Int(options.boundary))
    }
    guard let reduction = PatchesProblem.Reduction(rawValue: options.reduction) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_OPERATION, value: Int(options.reduction))
    }
    let rank = Int(options.window_ndim)
    if rank < 0 || rank > maximumRank {
        throw Failure(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_KERNEL_SIZE, value: rank, expected: maximumRank)
    }
    if rank > 0 && options.window == nil { throw Failure(SC_BAD_ENUM, argument: SC_ARG_KERNEL_SIZE) }
    decoded.boundary = boundary
    decoded.reduction = reduction
    decoded.threads = try decodeThreads(options.threads)
    decoded.isFresh = options.fresh != 0
    decoded.windowRank = rank
    decoded.axes = PerWindow(options.axes)
    decoded.window = PerWindow(options.window)
    decoded.stride = PerWindow(options.stride)
    decoded.dilation = PerWindow(options.dilation)
    decoded.paddingLow = PerWindow(options.padding_low)
    decoded.paddingHigh = PerWindow(options.padding_high)
    decoded.fill = options.fill
    decoded.weights = options.weights
    return decoded
}

func decode(_ options: sc_pool) throws(Failure) -> PoolOptions {
    var decoded = PoolOptions()
    guard let pooling = Pooling(rawValue: options.operation) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_OPERATION, value: Int(options.operation))
    }
    let rank = Int(options.window_ndim)
    if rank < 0 || rank > maximumRank {
        throw Failure(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_KERNEL_SIZE, value: rank, expected: maximumRank)
    }
    if rank > 0 && options.kernel_size == nil { throw Failure(SC_BAD_ENUM, argument: SC_ARG_KERNEL_SIZE) }
    decoded.pooling = pooling
    decoded.windowRank = rank
    decoded.threads = try decodeThreads(options.threads)
    decoded.ceilMode = options.ceil_mode != 0
    decoded.countsPadding = options.count_include_pad != 0
    decoded.signedPowers = options.signed_powers != 0
    decoded.divisor = Int(options.divisor_override)
    decoded.power = options.norm_type
    decoded.axes = PerWindow(options.axes)
    decoded.kernel = PerWindow(options.kernel_size)
    decoded.stride = PerWindow(options.stride)
    decoded.dilation = PerWindow(options.dilation)
    decoded.paddingLow = PerWindow(options.padding_low)
    decoded.paddingHigh = PerWindow(options.padding_high)
    return decoded
}

func decodeThreads(_ threads: Int32) throws(Failure) -> Int {
    if threads < 0 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_THREADS, value: Int(threads)) }
    return threads > 0 ? min(Int(threads), ThreadCount.limit) : ThreadCount.current
}
