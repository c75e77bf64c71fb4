import Algorithms
import CSwiftConv
import Foundations

/// Which algorithm runs a problem: a pure function of the problem and the method asked for. It looks neither at the batch
/// nor at the threads, so that the same window of the same call always has the same bits.
package func selectAlgorithm(_ problem: SlidingProblem, _ method: SlidingOptions.Method) throws(Failure) -> Algorithm {
    switch method {
    case .reference: return .reference
    case .direct: return .stencil
    case .separable:
        if Separable.factors(problem) { return .separable }
        throw Failure(SC_METHOD, argument: SC_ARG_METHOD)
    case .auto:
        return Separable.isWorthTrying(problem) && Separable.factors(problem) ? .separable : .stencil
    }
}

package enum Algorithm: Sendable { case stencil, separable, reference }

/// Runs a problem; returns false if it was interrupted.
package func run(
    _ problem: SlidingProblem, method: SlidingOptions.Method, threads: Int, control: Control
) throws(Failure) -> Bool {
    switch try selectAlgorithm(problem, method) {
    case .stencil: return try Stencil.run(problem, threads: threads, control: control)
    case .separable: return try Separable.run(problem, threads: threads, control: control)
    case .reference: return try Reference.run(problem, control: control)
    }
}

package func explain(
    _ problem: SlidingProblem, method: SlidingOptions.Method, threads: Int
) throws(Failure) -> Explanation {
    switch try selectAlgorithm(problem, method) {
    case .stencil: return Stencil.explain(problem, threads: threads)
    case .separable: return Separable.explain(problem, threads: threads)
    case .reference:
        var explanation = Explanation()
        explanation.algorithm = "reference"
        explanation.kernel = "one product at a time"
        explanation.input = "direct"
        explanation.output = "direct"
        explanation.tasks = problem.outputCount
        explanation.workspaceBytes = saturatingMultiply(problem.tapCount, problem.arithmetic.byteCount)
        return explanation
    }
}
