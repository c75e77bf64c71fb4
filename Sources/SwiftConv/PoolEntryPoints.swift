import Algorithms
import CSwiftConv
import Foundations
import Planning

@_cdecl("sc_pool_shape")
public func sc_pool_shape(
    _ input: UnsafePointer<sc_tensor>, _ options: UnsafePointer<sc_pool>, _ outShape: UnsafeMutablePointer<Int64>,
    _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let options = try decode(options.pointee)
        let input = try decode(input.pointee, argument: SC_ARG_INPUT)
        _ = try withPoolAxes(rank: input.rank) { (axes) throws(Failure) in
            _ = try validate(input, out: nil, indices: nil, options, into: axes)
            for i in 0..<input.rank { outShape[i] = Int64(axes[i].outExtent) }
            return true
        }
        return sc_status(SC_OK)
    }
}

@_cdecl("sc_pool_run")
public func sc_pool_run(
    _ input: UnsafePointer<sc_tensor>, _ out: UnsafePointer<sc_tensor>, _ indices: UnsafePointer<sc_tensor>?,
    _ options: UnsafePointer<sc_pool>, _ control: UnsafePointer<sc_control>?, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let options = try decode(options.pointee)
        let input = try decode(input.pointee, argument: SC_ARG_INPUT, needsData: true)
        let out = try decode(out.pointee, argument: SC_ARG_OUT, needsData: true)
        let indices = try indices.map { (tensor) throws(Failure) in
            try decode(tensor.pointee, argument: SC_ARG_INDICES, needsData: true)
        }
        let control = control.map { Control(interrupted: $0.pointee.interrupted, context: $0.pointee.context) }
        let finished = try withPoolAxes(rank: input.rank) { (axes) throws(Failure) in
            let problem = try validate(input, out: out, indices: indices, options, into: axes)
            return try Pool.run(problem, threads: options.threads, control: control ?? .none)
        }
        return sc_status(finished ? SC_OK : SC_INTERRUPTED)
    }
}

private func decode(_ options: sc_pool) throws(Failure) -> PoolOptions {
    var decoded = PoolOptions()
    guard let pooling = Pooling(rawValue: options.operation) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_OPERATION, value: Int(options.operation))
    }
    let rank = Int(options.window_ndim)
    if rank < 0 || rank > maximumRank {
        throw Failure(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_KERNEL_SIZE, value: rank, expected: maximumRank)
    }
    if rank > 0 && options.kernel_size == nil { throw Failure(SC_BAD_ENUM, argument: SC_ARG_KERNEL_SIZE) }
    if options.threads < 0 { throw Failure(SC_NOT_POSITIVE, argument: SC_ARG_THREADS, value: Int(options.threads)) }
    decoded.pooling = pooling
    decoded.windowRank = rank
    decoded.threads = options.threads > 0 ? min(Int(options.threads), ThreadCount.limit) : ThreadCount.current
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
