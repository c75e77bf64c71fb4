import Algorithms
import CMachine
import CSwiftConv
import Foundations
import Planning

// correlate and convolve: decode, validate, call, map failures to statuses; nothing else.

@_cdecl("sc_sliding_shape")
public func sc_sliding_shape(
    _ a: UnsafePointer<sc_tensor>, _ v: UnsafePointer<sc_tensor>, _ options: UnsafePointer<sc_sliding>,
    _ outShape: UnsafeMutablePointer<Int64>, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let a = try decode(a.pointee, argument: SC_ARG_A)
        let v = try decode(v.pointee, argument: SC_ARG_V)
        let options = try decode(options.pointee)
        _ = try withAxes(rank: a.rank) { (axes) throws(Failure) in
            _ = try validate(a, v, out: nil, options, into: axes)
            for i in 0..<a.rank { outShape[i] = Int64(axes[i].outExtent) }
            return true
        }
        return sc_status(SC_OK)
    }
}

@_cdecl("sc_sliding_run")
public func sc_sliding_run(
    _ a: UnsafePointer<sc_tensor>, _ v: UnsafePointer<sc_tensor>, _ out: UnsafePointer<sc_tensor>,
    _ options: UnsafePointer<sc_sliding>, _ control: UnsafePointer<sc_control>?,
    _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let options = try decode(options.pointee)
        let a = try decode(a.pointee, argument: SC_ARG_A, needsData: true)
        let v = try decode(v.pointee, argument: SC_ARG_V, needsData: true)
        let out = try decode(out.pointee, argument: SC_ARG_OUT, needsData: true)
        let control = decode(control)
        let finished = try withAxes(rank: a.rank) { (axes) throws(Failure) in
            let problem = try validate(a, v, out: out, options, into: axes)
            return try run(
                problem, method: options.method, threads: options.threads, control: control)
        }
        return sc_status(finished ? SC_OK : SC_INTERRUPTED)
    }
}

@_cdecl("sc_sliding_explain")
public func sc_sliding_explain(
    _ a: UnsafePointer<sc_tensor>, _ v: UnsafePointer<sc_tensor>, _ out: UnsafePointer<sc_tensor>?,
    _ options: UnsafePointer<sc_sliding>, _ explanation: UnsafeMutablePointer<sc_explanation>,
    _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let options = try decode(options.pointee)
        let output = try out.map { (out) throws(Failure) in try decode(out.pointee, argument: SC_ARG_OUT) }
        let a = try decode(a.pointee, argument: SC_ARG_A)
        let v = try decode(v.pointee, argument: SC_ARG_V, needsData: true)
        var found = Explanation()
        _ = try withAxes(rank: a.rank) { (axes) throws(Failure) in
            let problem = try validate(a, v, out: output, options, into: axes)
            found = try explain(problem, method: options.method, threads: options.threads)
            return true
        }
        explanation.pointee = encode(found)
        return sc_status(SC_OK)
    }
}
