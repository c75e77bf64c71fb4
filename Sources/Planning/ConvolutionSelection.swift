import Algorithms
import CSwiftConv
import Foundations

/// Runs a convolution, phase by phase; returns false if it was interrupted.
package func run(
    _ convolution: Convolution, method: ConvolutionOptions.Method, threads: Int, control: Control
) throws(Failure) -> Bool {
    for number in 0..<convolution.phaseCount {
        let problem = convolution.phase(number)
        let finished: Bool
        switch method {
        case .reference: finished = try ContractionReference.run(problem, control: control)
        default: finished = try ImplicitGemm.run(problem, threads: threads, control: control)
        }
        if !finished { return false }
    }
    return true
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
