import Algorithms
import CSwiftConv
import Foundations
import Planning

// Plans of convolutions: decode, validate, call, map failures to statuses; nothing else.

@_cdecl("sc_conv_plan_create")
public func sc_conv_plan_create(
    _ weight: UnsafePointer<sc_tensor>, _ bias: UnsafePointer<sc_tensor>?, _ options: UnsafePointer<sc_conv>,
    _ plan: UnsafeMutablePointer<OpaquePointer?>, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let options = try decode(options.pointee)
        if case .weight = options.operation { throw Failure(SC_BAD_ENUM, argument: SC_ARG_OPERATION) }
        let weight = try decode(weight.pointee, argument: SC_ARG_WEIGHT, needsData: true)
        let bias = try bias.map { (bias) throws(Failure) in
            try decode(bias.pointee, argument: SC_ARG_BIAS, needsData: true)
        }
        plan.pointee = OpaquePointer(try ConvolutionPlan.create(weight: weight, bias: bias, options))
        return sc_status(SC_OK)
    }
}

@_cdecl("sc_conv_plan_destroy")
public func sc_conv_plan_destroy(_ plan: OpaquePointer?) {
    if let plan { ConvolutionPlan.destroy(UnsafeMutablePointer(plan)) }
}

@_cdecl("sc_conv_plan_shape")
public func sc_conv_plan_shape(
    _ plan: OpaquePointer, _ a: UnsafePointer<sc_tensor>, _ outShape: UnsafeMutablePointer<Int64>,
    _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        try withValidated(plan, a, out: nil, needsData: false) { (_, convolution, storage) throws(Failure) in
            for i in 0..<convolution.rank { outShape[i] = Int64(storage.outExtents[i]) }
            return true
        }
    }
}

@_cdecl("sc_conv_plan_run")
public func sc_conv_plan_run(
    _ plan: OpaquePointer, _ a: UnsafePointer<sc_tensor>, _ out: UnsafePointer<sc_tensor>, _ threads: Int32,
    _ control: UnsafePointer<sc_control>?, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let control = decode(control)
        return try withValidated(plan, a, out: out, needsData: true) { (plan, convolution, _) throws(Failure) in
            let threads = threads == 0 ? plan.pointee.threads : try decodeThreads(threads)
            return try ConvolutionPlan.run(plan, convolution, threads: threads, control: control, onlyPacks: false)
        }
    }
}

@_cdecl("sc_conv_plan_explain")
public func sc_conv_plan_explain(
    _ plan: OpaquePointer, _ a: UnsafePointer<sc_tensor>, _ out: UnsafePointer<sc_tensor>?,
    _ explanation: UnsafeMutablePointer<sc_explanation>, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        try withValidated(plan, a, out: out, needsData: false) { (plan, convolution, _) throws(Failure) in
            let options = plan.pointee.options
            explanation.pointee = encode(
                try explain(convolution, method: options.method, threads: plan.pointee.threads))
            return true
        }
    }
}

@_cdecl("sc_conv_plan_prepare")
public func sc_conv_plan_prepare(
    _ plan: OpaquePointer, _ a: UnsafePointer<sc_tensor>, _ out: UnsafePointer<sc_tensor>,
    _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        try withValidated(plan, a, out: out, needsData: false) { (plan, convolution, _) throws(Failure) in
            try ConvolutionPlan.run(
                plan, convolution, threads: plan.pointee.threads, control: .none, onlyPacks: true)
        }
    }
}

@_cdecl("sc_conv_plan_bytes")
public func sc_conv_plan_bytes(_ plan: OpaquePointer) -> Int64 {
    Int64(ConvolutionPlan.byteCount(UnsafeMutablePointer(plan)))
}

private func withValidated(
    _ plan: OpaquePointer, _ a: UnsafePointer<sc_tensor>, out: UnsafePointer<sc_tensor>?, needsData: Bool,
    _ body: (UnsafeMutablePointer<ConvolutionPlan>, Convolution, ConvolutionStorage) throws(Failure) -> Bool
) throws(Failure) -> sc_status {
    let plan = UnsafeMutablePointer<ConvolutionPlan>(plan)
    let options = plan.pointee.options
    let a = try decode(a.pointee, argument: operands(options.operation).0, needsData: needsData)
    let out = try out.map { (out) throws(Failure) in
        try decode(out.pointee, argument: SC_ARG_OUT, needsData: needsData)
    }
    let finished = try withConvolutionStorage(spatialRank: options.spatialRank) { (storage) throws(Failure) in
        try body(plan, try plan.pointee.validated(a, out: out, storage), storage)
    }
    return sc_status(finished ? SC_OK : SC_INTERRUPTED)
}
