import Algorithms
import CSwiftConv
import Foundations

/// Which algorithm runs a contraction: a pure function of its shape, strides and dtypes, and of the method asked for. It
/// looks neither at the batch, but where sums run over it, nor at the threads, so that the same window of the same call
/// always has the same bits.
package enum ConvolutionAlgorithm: Sendable, Equatable {
    case stencil, gemm, winograd, winogradGradient, depthwiseGradient, reference
}

package func selectAlgorithm(
    _ problem: ContractionProblem, _ method: ConvolutionOptions.Method
) -> ConvolutionAlgorithm {
    switch method {
    case .reference: return .reference
    case .direct: return .stencil
    case .gemm: return .gemm
    case .winograd: return WinogradGradient.canRun(problem) && !Winograd.canRun(problem) ? .winogradGradient : .winograd
    case .auto:
        if WinogradGradient.gains(problem) { return .winogradGradient }
        let extents = Extents(problem)
        let isFast = ImplicitGemm.multipliesWords(problem) && extents.suitWords
        if extents.slides && !isFast && (extents.channels == 1 || extents.suitStencil) { return .stencil }
        if problem.rows.extent == 1 && problem.batch.extent > 1 && isDepthwiseGradient(problem) {
            return .depthwiseGradient
        }
        return Winograd.gains(problem) && extents.isWideEnoughForWinograd ? .winograd : .gemm
    }
}

private func isDepthwiseGradient(_ problem: ContractionProblem) -> Bool {
    (try? withAxes(rank: maximumRank) { problem.sliding(into: $0).map(DepthwiseGradient.suits) ?? false }) ?? false
}

/// What decides: channels that one output sees, taps, output channels, and outputs of one sample.
private struct Extents {
    var channels = 1
    var taps = 1
    var rows = 1
    var outputs = 1
    /// Outputs side by side.
    var width = 1
    var isContiguous = false
    var hasUnitSteps = true

    init(_ problem: ContractionProblem) {
        for i in 0..<problem.depth.count {
            let extent = problem.depth[i].extent
            if problem.depth[i].window < 0 {
                channels = saturatingMultiply(channels, extent)
            } else {
                taps = saturatingMultiply(taps, extent)
            }
        }
        rows = problem.rows.extent
        for i in 0..<problem.columns.count where problem.columns[i].window >= 0 {
            outputs = saturatingMultiply(outputs, problem.columns[i].extent)
            if problem.columns[i].step != 1 { hasUnitSteps = false }
            if problem.columns[i].inputStride == problem.inputType.byteCount {
                isContiguous = true
                width = max(width, problem.columns[i].extent)
            }
        }
    }

    /// A filter smaller than what it slides over, as it is not in a weight's gradient.
    var slides: Bool { taps > 1 && taps / 4 <= outputs }

    /// Few channels each way, or few output channels, at unit steps and with the rows of the image contiguous: packing patches
    /// for so few products would take longer than they do. Measured on Sapphire Rapids, float32 and float64, 3 x 3 to 7 x 7, as
    /// many times as fast as a matrix product: 4 channels to 4 2.4, 3 to 16 1.7, 8 to 8 1.1 to 1.5; any number of channels
    /// to one 2 to 8, to two 1.5 to 5, to four 1 to 3, to five 0.4 to 2; with fewer outputs, or narrower ones, 0.3 to 1.3.
    var suitStencil: Bool {
        if !isContiguous || !hasUnitSteps { return false }
        if channels <= 4 { return rows <= 16 }
        if rows <= 4 { return width >= 4 && outputs >= 40 &* rows }
        return channels <= 8 && rows <= 6 && outputs >= 512
    }

    /// Transforming samples pays for output channels, transforming results for input channels; and with fewer channels than 16
    /// Winograd's error would pass the promise, but for sums as long as 32 channels', by taps of a third axis. Measured on
    /// Sapphire Rapids, float32: 16 channels each way, 7 x 7 outputs and more, run 2 times as fast as by a matrix product,
    /// 32 channels to 8 2.7 times; 3 x 3 x 3 taps of 12 channels to 16 2.7 to 3 times, of 16 to 16 2 to 3.5 times.
    var isWideEnoughForWinograd: Bool {
        let hasLongSums = channels >= 16 || channels >= 8 && saturatingMultiply(channels, taps) >= 32 &* 9
        return hasLongSums && rows >= 8 && outputs >= 16
    }

    /// Products enough for matrix products of small integers, of which one instruction takes several. Measured on
    /// Sapphire Rapids: 1 channel to 32, 3 x 3, break even, 3 channels to 16 are 1.7 times as fast as a stencil (1.25
    /// with AVX2), 3 to 4 0.9 (0.65), one to one 0.2.
    var suitWords: Bool { rows >= 4 && saturatingMultiply(saturatingMultiply(rows, channels), taps) > 288 }
}

/// Runs a convolution, phase by phase; returns false if it was interrupted. A plan gives the store of its packed filters.
package func run(
    _ convolution: Convolution, method: ConvolutionOptions.Method, threads: Int, control: Control,
    store: FilterStore? = nil
) throws(Failure) -> Bool {
    try requireRuns(convolution, method, phases: convolution.phaseCount)
    for number in 0..<convolution.phaseCount {
        let finished = try run(
            convolution.phase(number), method: method, threads: threads, control: control, store: store)
        if !finished { return false }
    }
    return true
}

/// Refuses a named algorithm that cannot run every phase, before the first has written anything.
private func requireRuns(
    _ convolution: Convolution, _ method: ConvolutionOptions.Method, phases: Int
) throws(Failure) {
    switch method {
    case .auto, .gemm, .reference: return
    case .direct, .winograd: break
    }
    let canRun = try withAxes(rank: maximumRank) { (axes) throws(Failure) in
        for number in 0..<phases {
            let problem = convolution.phase(number)
            if case .winograd = method {
                if !Winograd.canRun(problem) && !WinogradGradient.canRun(problem) { return false }
            } else if problem.depth.extent > 0 && problem.sliding(into: axes) == nil {
                return false
            }
        }
        return true
    }
    if !canRun { throw Failure(SC_METHOD, argument: SC_ARG_METHOD) }
}

/// Runs one contraction; returns false if it was interrupted.
func run(
    _ problem: ContractionProblem, method: ConvolutionOptions.Method, threads: Int, control: Control,
    store: FilterStore?
) throws(Failure) -> Bool {
    switch selectAlgorithm(problem, method) {
    case .reference:
        if store?.onlyPacks ?? false { return true }  // it packs nothing
        return try ContractionReference.run(problem, control: control)
    case .gemm: return try ImplicitGemm.run(problem, threads: threads, control: control, store: store)
    case .depthwiseGradient:
        if store?.onlyPacks ?? false { return true }  // its filter is packed with the run
        return try withAxes(rank: maximumRank) { (axes) throws(Failure) in
            guard let sliding = problem.sliding(into: axes) else {
                return try ImplicitGemm.run(problem, threads: threads, control: control, store: store)
            }
            return try DepthwiseGradient.run(sliding, threads: threads, control: control)
        }
    case .winogradGradient:
        if store?.onlyPacks ?? false { return true }  // it packs nothing
        let finished = try WinogradGradient.run(problem, threads: threads, control: control)
        if let finished { return finished }
        return try ImplicitGemm.run(problem, threads: threads, control: control, store: store)
    case .winograd:
        let finished = try Winograd.run(
            problem, outputs: Winograd.outputs(problem), threads: threads, control: control, store: store)
        if let finished { return finished }
        return try ImplicitGemm.run(problem, threads: threads, control: control, store: store)
    case .stencil:
        return try withAxes(rank: maximumRank) { (axes) throws(Failure) in
            // Outputs that no tap reaches slide over nothing.
            guard let sliding = problem.sliding(into: axes) else {
                return try ImplicitGemm.run(problem, threads: threads, control: control, store: store)
            }
            if store?.onlyPacks ?? false { return true }  // its filter is packed with the run
            if Depthwise.suits(sliding) {
                return try Depthwise.run(sliding, threads: threads, control: control)
            }
            return try Stencil.run(sliding, factoring: .never, threads: threads, control: control)
        }
    }
}

/// What would run, for the first phase.
package func explain(
    _ convolution: Convolution, method: ConvolutionOptions.Method, threads: Int
) throws(Failure) -> Explanation {
    if convolution.phaseCount == 0 { return Explanation() }
    try requireRuns(convolution, method, phases: 1)
    var found = try explain(convolution.phase(0), method: method, threads: threads)
    found.tasks = saturatingMultiply(found.tasks, convolution.phaseCount)
    return found
}

/// What would run one contraction.
func explain(
    _ problem: ContractionProblem, method: ConvolutionOptions.Method, threads: Int
) throws(Failure) -> Explanation {
    var found = Explanation()
    switch selectAlgorithm(problem, method) {
    case .winograd where Winograd.canRun(problem): found = Winograd.explain(problem, threads: threads)
    case .winogradGradient: found = WinogradGradient.explain(problem, threads: threads)
    case .winograd, .gemm: found = ImplicitGemm.explain(problem, threads: threads)
    case .depthwiseGradient:
        _ = try withAxes(rank: maximumRank) { (axes) throws(Failure) in
            if let sliding = problem.sliding(into: axes) {
                found = DepthwiseGradient.explain(sliding, threads: threads)
            }
            return true
        }
    case .stencil:
        _ = try withAxes(rank: maximumRank) { (axes) throws(Failure) in
            if let sliding = problem.sliding(into: axes) {
                found =
                    Depthwise.suits(sliding)
                    ? Depthwise.explain(sliding, threads: threads)
                    : try Stencil.explain(sliding, factoring: .never, threads: threads)
            } else {
                found = ImplicitGemm.explain(problem, threads: threads)
            }
            return true
        }
    case .reference:
        found.algorithm = "reference"
        found.kernel = "one product at a time"
        found.input = "direct"
        found.output = "direct"
        found.tasks = problem.outputCount
    }
    return found
}
