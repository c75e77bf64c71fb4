import Algorithms
import CSwiftConv
import Foundations

/// Which algorithm runs a contraction: a pure function of its shape, strides and dtypes, and of the method asked for. It
/// looks neither at the batch nor at the threads, so that the same window of the same call always has the same bits.
package enum ConvolutionAlgorithm: Sendable, Equatable {
    case stencil, gemm, winograd, reference
}

func selectAlgorithm(_ problem: ContractionProblem, _ method: ConvolutionOptions.Method) -> ConvolutionAlgorithm {
    switch method {
    case .reference: return .reference
    case .direct: return .stencil
    case .gemm: return .gemm
    case .winograd: return .winograd
    case .auto: return fewChannels(problem) ? .stencil : .gemm
    }
}

/// Channels of the input that one output channel sees, up to which sliding over each is faster than a matrix product.
private let stencilChannels = 1

private func fewChannels(_ problem: ContractionProblem) -> Bool {
    var channels = 1
    var taps = 1
    for i in 0..<problem.depth.count {
        if problem.depth[i].window < 0 {
            channels = saturatingMultiply(channels, problem.depth[i].extent)
        } else {
            taps = saturatingMultiply(taps, problem.depth[i].extent)
        }
    }
    return channels <= stencilChannels && taps > 1
}

/// Runs a convolution, phase by phase; returns false if it was interrupted.
package func run(
    _ convolution: Convolution, method: ConvolutionOptions.Method, threads: Int, control: Control
) throws(Failure) -> Bool {
    for number in 0..<convolution.phaseCount {
        if !(try run(convolution.phase(number), method: method, threads: threads, control: control)) { return false }
    }
    return true
}

private func run(
    _ problem: ContractionProblem, method: ConvolutionOptions.Method, threads: Int, control: Control
) throws(Failure) -> Bool {
    switch selectAlgorithm(problem, method) {
    case .reference: return try ContractionReference.run(problem, control: control)
    case .gemm: return try ImplicitGemm.run(problem, threads: threads, control: control)
    case .winograd:
        guard let finished = try Winograd.run(problem, outputs: 4, threads: threads, control: control) else {
            throw Failure(SC_METHOD, argument: SC_ARG_METHOD)
        }
        return finished
    case .stencil:
        return try withAxes(rank: maximumRank) { (axes) throws(Failure) in
            guard let sliding = problem.sliding(into: axes) else {
                if case .direct = method { throw Failure(SC_METHOD, argument: SC_ARG_METHOD) }
                return try ImplicitGemm.run(problem, threads: threads, control: control)
            }
            return try Stencil.run(sliding, factoring: .never, threads: threads, control: control)
        }
    }
}

package func explain(
    _ convolution: Convolution, method: ConvolutionOptions.Method, threads: Int
) throws(Failure) -> Explanation {
    var explanation = Explanation()
    explanation.algorithm = "reference"
    explanation.kernel = "one product at a time"
    explanation.input = "direct"
    explanation.output = "direct"
    explanation.tasks = convolution.phase(0).outputCount
    return explanation
}
