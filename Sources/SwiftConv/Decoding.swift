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
    var shape = AxisInts(repeating: 0)
    var strides = AxisInts(repeating: 0)
    var isEmpty = false
    if rank > 0 {
        guard let extents = tensor.shape, let steps = tensor.strides else {
            throw Failure(SC_BAD_ENUM, argument: argument)
        }
        for i in 0..<rank {
            shape[i] = Int(extents[i])
            strides[i] = Int(steps[i])
            if shape[i] < 0 { throw Failure(SC_BAD_ENUM, argument: argument, axis: i, value: shape[i]) }
            if shape[i] == 0 { isEmpty = true }
            if shape[i] <= 1 { strides[i] = 0 }  // never taken, and NumPy leaves anything there
        }
    }
    // Shapes alone are asked about without data; a call that touches elements refuses what is missing.
    if tensor.data == nil && needsData && !isEmpty { throw Failure(SC_BAD_ENUM, argument: argument) }
    let data = tensor.data ?? UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped
    return Tensor(
        data: data, type: type, byteswapped: tensor.byteswapped != 0, rank: rank, shape: shape, strides: strides)
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
    if options.threads < 0 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_THREADS, value: Int(options.threads)) }
    decoded.operation = operation
    decoded.mode = mode
    decoded.boundary = boundary
    decoded.method = method
    decoded.resultType = resultType
    decoded.windowRank = rank
    decoded.threads =
        options.threads > 0 ? min(Int(options.threads), ThreadCount.limit) : ThreadCount.current
    for w in 0..<rank {
        decoded.axes[w] = options.axes.map { Int($0[w]) } ?? w - rank
        decoded.stride[w] = options.stride.map { Int($0[w]) } ?? 1
        decoded.dilation[w] = options.dilation.map { Int($0[w]) } ?? 1
        decoded.origin[w] = options.origin.map { Int($0[w]) } ?? 0
    }
    decoded.fillInteger = options.fill_integer
    decoded.fillReal = options.fill_real
    decoded.fillImaginary = options.fill_imaginary
    return decoded
}
