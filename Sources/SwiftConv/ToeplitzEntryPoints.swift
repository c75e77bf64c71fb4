import Algorithms
import CSwiftConv
import Foundations
import Planning

// The C function of swiftconv.h's section on Toeplitz systems.

@_cdecl("sc_toeplitz_solve")
public func sc_toeplitz_solve(
    _ column: UnsafePointer<sc_tensor>, _ row: UnsafePointer<sc_tensor>, _ b: UnsafePointer<sc_tensor>,
    _ x: UnsafePointer<sc_tensor>, _ threads: Int32, _ control: UnsafePointer<sc_control>?,
    _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let column = try decode(column.pointee, argument: SC_ARG_A, needsData: true)
        let row = try decode(row.pointee, argument: SC_ARG_V, needsData: true)
        let b = try decode(b.pointee, argument: SC_ARG_INPUT, needsData: true)
        let x = try decode(x.pointee, argument: SC_ARG_OUT, needsData: true)
        let problem = try validateToeplitz(column: column, row: row, b: b, x: x)
        let finished = try Levinson.solve(problem, threads: try decodeThreads(threads), control: decode(control))
        return sc_status(finished ? SC_OK : SC_INTERRUPTED)
    }
}
