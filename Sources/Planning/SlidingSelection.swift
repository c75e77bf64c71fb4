import Algorithms
import Foundations

/// Which algorithm runs a problem: a pure function of the problem and the method asked for. It looks neither at the batch
/// nor at the threads, so that the same window of the same call always has the same bits.
package func selectAlgorithm(_ problem: SlidingProblem, _ method: SlidingOptions.Method) -> Algorithm {
    switch method {
    case .reference: return .reference
    case .direct: return .stencil(.never)
    case .separable: return .stencil(.required)
    case .auto: return .stencil(gainsFromFactors(problem) ? .ifPossible : .never)
    }
}

package enum Algorithm: Sendable, Equatable {
    /// Direct or in two passes: which, the filter's values decide where factoring may be tried.
    case stencil(Factoring)
    case reference
}

/// Taps from which on two passes beat one, at unit steps and with the image's rows contiguous: measured on Sapphire
/// Rapids (float32, 128 x 128): 5x5 0.8x, 7x7 1.1x, 15x15 2x, 31x31 5.8x.
private let separableTaps = 49

/// Window geometry and memory strides alone decide, never the batch.
private func gainsFromFactors(_ problem: SlidingProblem) -> Bool {
    var contiguous = false
    var windows = 0
    for i in 0..<problem.rank where problem.axes[i].isWindow {
        let axis = problem.axes[i]
        if axis.filterExtent == 1 { continue }
        if axis.step > 1 || axis.dilation > 1 || axis.filterExtent < 5 { return false }
        windows += 1
        contiguous = contiguous || axis.inStride == problem.inputType.byteCount
    }
    return windows == 2 && contiguous && problem.tapCount >= separableTaps
}

/// Runs a problem; returns false if it was interrupted.
package func run(
    _ problem: SlidingProblem, method: SlidingOptions.Method, threads: Int, control: Control
) throws(Failure) -> Bool {
    switch selectAlgorithm(problem, method) {
    case .stencil(let factoring):
        return try Stencil.run(problem, factoring: factoring, threads: threads, control: control)
    case .reference: return try Reference.run(problem, control: control)
    }
}

package func explain(
    _ problem: SlidingProblem, method: SlidingOptions.Method, threads: Int
) throws(Failure) -> Explanation {
    switch selectAlgorithm(problem, method) {
    case .stencil(let factoring): return try Stencil.explain(problem, factoring: factoring, threads: threads)
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
