import Foundations
import Kernels

/// Two passes for a filter that is the outer product of a column and a row.
package enum Separable {
    package static func isWorthTrying(_ problem: SlidingProblem) -> Bool { false }
    package static func factors(_ problem: SlidingProblem) -> Bool { false }
    package static func run(_ problem: SlidingProblem, threads: Int, control: Control) throws(Failure) -> Bool {
        try Stencil.run(problem, threads: threads, control: control)
    }
    package static func explain(_ problem: SlidingProblem, threads: Int) -> Explanation {
        Stencil.explain(problem, threads: threads)
    }
}
