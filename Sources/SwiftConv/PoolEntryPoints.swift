import Algorithms
import CSwiftConv
import Foundations
import Planning

// Pools: decode, validate, call, map failures to statuses; nothing else.

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
        let control = decode(control)
        let finished = try withPoolAxes(rank: input.rank) { (axes) throws(Failure) in
            let problem = try validate(input, out: out, indices: indices, options, into: axes)
            return try Pool.run(problem, threads: options.threads, control: control)
        }
        return sc_status(finished ? SC_OK : SC_INTERRUPTED)
    }
}
