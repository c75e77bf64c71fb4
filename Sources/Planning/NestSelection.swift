import Algorithms
import CSwiftConv
import Foundations

/// Runs a loop nest; returns false if it was interrupted.
package func run(_ nest: LoopNest, method: NestMethod, threads: Int, control: Control) throws(Failure) -> Bool {
    if nest.outputExtent == 0 { return true }
    if method == .reference { return try LoopNestReference.run(nest, control: control) }
    var nest = nest
    nest.simplify()
    return try RowNest.run(nest, threads: threads, control: control)
}

/// What would run.
package func explain(_ nest: LoopNest, method: NestMethod, threads: Int) throws(Failure) -> Explanation {
    if method != .reference {
        var nest = nest
        nest.simplify()
        return try RowNest.explain(nest, threads: threads)
    }
    var found = Explanation()
    found.algorithm = "reference"
    found.kernel = "one product at a time"
    found.input = "direct"
    found.output = "direct"
    found.tasks = nest.outputExtent
    return found
}
