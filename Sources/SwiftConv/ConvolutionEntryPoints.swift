import Algorithms
import CSwiftConv
import Foundations
import Planning

// Convolutions with channels: decode, validate, call, map failures to statuses; nothing else.

@_cdecl("sc_conv_shape")
public func sc_conv_shape(
    _ a: UnsafePointer<sc_tensor>, _ b: UnsafePointer<sc_tensor>, _ options: UnsafePointer<sc_conv>,
    _ outShape: UnsafeMutablePointer<Int64>, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let options = try decode(options.pointee)
        let (first, second) = operands(options.operation)
        let a = try decode(a.pointee, argument: first)
        let b = try decode(b.pointee, argument: second)
        _ = try withConvolutionStorage(spatialRank: options.spatialRank) { (storage) throws(Failure) in
            _ = try validate(a, b, bias: nil, out: nil, options, storage)
            for i in 0..<options.spatialRank + 2 { outShape[i] = Int64(storage.outExtents[i]) }
            return true
        }
        return sc_status(SC_OK)
    }
}

@_cdecl("sc_conv_run")
public func sc_conv_run(
    _ a: UnsafePointer<sc_tensor>, _ b: UnsafePointer<sc_tensor>, _ bias: UnsafePointer<sc_tensor>?,
    _ out: UnsafePointer<sc_tensor>, _ options: UnsafePointer<sc_conv>, _ control: UnsafePointer<sc_control>?,
    _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let options = try decode(options.pointee)
        let (first, second) = operands(options.operation)
        let a = try decode(a.pointee, argument: first, needsData: true)
        let b = try decode(b.pointee, argument: second, needsData: true)
        let bias = try bias.map { (bias) throws(Failure) in
            try decode(bias.pointee, argument: SC_ARG_BIAS, needsData: true)
        }
        let out = try decode(out.pointee, argument: SC_ARG_OUT, needsData: true)
        let control = decode(control)
        let finished = try withConvolutionStorage(spatialRank: options.spatialRank) { (storage) throws(Failure) in
            let convolution = try validate(a, b, bias: bias, out: out, options, storage)
            return try run(convolution, method: options.method, threads: options.threads, control: control)
        }
        return sc_status(finished ? SC_OK : SC_INTERRUPTED)
    }
}

@_cdecl("sc_conv_explain")
public func sc_conv_explain(
    _ a: UnsafePointer<sc_tensor>, _ b: UnsafePointer<sc_tensor>, _ bias: UnsafePointer<sc_tensor>?,
    _ out: UnsafePointer<sc_tensor>?, _ options: UnsafePointer<sc_conv>,
    _ explanation: UnsafeMutablePointer<sc_explanation>, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let options = try decode(options.pointee)
        let (first, second) = operands(options.operation)
        let a = try decode(a.pointee, argument: first)
        let b = try decode(b.pointee, argument: second)
        let bias = try bias.map { (bias) throws(Failure) in try decode(bias.pointee, argument: SC_ARG_BIAS) }
        let out = try out.map { (out) throws(Failure) in try decode(out.pointee, argument: SC_ARG_OUT) }
        var found = Explanation()
        _ = try withConvolutionStorage(spatialRank: options.spatialRank) { (storage) throws(Failure) in
            let convolution = try validate(a, b, bias: bias, out: out, options, storage)
            found = try explain(convolution, method: options.method, threads: options.threads)
            return true
        }
        explanation.pointee = encode(found)
        return sc_status(SC_OK)
    }
}

/// The arguments that an operation's operands are.
func operands(_ operation: ConvolutionOptions.Operation) -> (Int, Int) {
    switch operation {
    case .forward: (SC_ARG_INPUT, SC_ARG_WEIGHT)
    case .transposed: (SC_ARG_GRAD_OUTPUT, SC_ARG_WEIGHT)
    case .weight: (SC_ARG_INPUT, SC_ARG_GRAD_OUTPUT)
    }
}
