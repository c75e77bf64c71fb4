import Algorithms
import CMachine
import CSwiftConv
import Foundations
import Planning

// The C functions of swiftconv.h: decode, validate, call, map failures to statuses; nothing else.

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
        let control = control.map { Control(interrupted: $0.pointee.interrupted, context: $0.pointee.context) }
        let finished = try withAxes(rank: a.rank) { (axes) throws(Failure) in
            let problem = try validate(a, v, out: out, options, into: axes)
            return try run(
                problem, method: options.method, threads: options.threads, control: control ?? .none)
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
        func text(_ string: StaticString) -> UnsafePointer<CChar> {
            UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
        }
        explanation.pointee = sc_explanation(
            algorithm: text(found.algorithm), kernel: text(found.kernel), input: text(found.input),
            output: text(found.output), vector_axis: Int64(found.vectorAxis), vector_lanes: Int64(found.vectorLanes),
            tile_rows: Int64(found.tileRows), tile_columns: Int64(found.tileColumns),
            block_rows: Int64(found.blockRows), block_columns: Int64(found.blockColumns),
            workspace_bytes: Int64(found.workspaceBytes), tasks: Int64(found.tasks), threads: Int64(found.threads))
        return sc_status(SC_OK)
    }
}

@_cdecl("sc_abi_version")
public func sc_abi_version() -> Int32 { SC_ABI_VERSION }

@_cdecl("sc_isa")
public func sc_isa() -> UnsafePointer<CChar>? { sc_vector_isa_name() }

@_cdecl("sc_get_num_threads")
public func sc_get_num_threads() -> Int32 { Int32(truncatingIfNeeded: ThreadCount.current) }

@_cdecl("sc_set_num_threads")
public func sc_set_num_threads(_ count: Int32) -> Int32 {
    let old = ThreadCount.current
    if count >= 0 { ThreadCount.set(Int(count)) }
    return Int32(truncatingIfNeeded: old)
}

func report(
    to error: UnsafeMutablePointer<sc_error>?, _ body: () throws(Failure) -> sc_status
) -> sc_status {
    do throws(Failure) {
        return try body()
    } catch let failure {
        error?.pointee = sc_error(
            argument: failure.argument, axis: Int32(truncatingIfNeeded: failure.axis), value: Int64(failure.value),
            lowest: Int64(failure.lowest), expected: Int64(failure.expected))
        return failure.status
    }
}
