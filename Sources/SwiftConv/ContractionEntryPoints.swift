import Algorithms
import CSwiftConv
import Foundations
import Planning

// Contractions over named indices: decode, validate, call, map failures to statuses; nothing else.

@_cdecl("sc_contract_run")
public func sc_contract_run(
    _ contraction: UnsafePointer<sc_contraction>, _ out: UnsafePointer<sc_factor>,
    _ control: UnsafePointer<sc_control>?, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let method = try decodeMethod(contraction.pointee)
        let threads = try decodeThreads(contraction.pointee.threads)
        let control = decode(control)
        let finished = try withLoopNest(contraction.pointee, out: out.pointee) { (nest) throws(Failure) in
            try run(nest, method: method, threads: threads, control: control)
        }
        return sc_status(finished ? SC_OK : SC_INTERRUPTED)
    }
}

@_cdecl("sc_contract_explain")
public func sc_contract_explain(
    _ contraction: UnsafePointer<sc_contraction>, _ out: UnsafePointer<sc_factor>?,
    _ explanation: UnsafeMutablePointer<sc_explanation>, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let method = try decodeMethod(contraction.pointee)
        let threads = try decodeThreads(contraction.pointee.threads)
        var found = Explanation()
        _ = try withLoopNest(contraction.pointee, out: out?.pointee) { (nest) throws(Failure) in
            found = try explain(nest, method: method, threads: threads)
            return true
        }
        explanation.pointee = encode(found)
        return sc_status(SC_OK)
    }
}

private func decodeMethod(_ contraction: sc_contraction) throws(Failure) -> NestMethod {
    guard let method = NestMethod(rawValue: contraction.method) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_METHOD, value: Int(contraction.method))
    }
    return method
}
