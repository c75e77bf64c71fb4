import Algorithms
import CSwiftConv
import Foundations

/// Which algorithm runs a simplified loop nest: a pure function of its indices, strides and dtypes, and of the method asked
/// for. What decides the order of a sum looks at the rows, columns and depth of a product, never at a batch.
package enum NestAlgorithm: Sendable, Equatable {
    /// Rows of products.
    case rows
    /// A contraction whose filter is this factor; a sliding one goes where convolutions go.
    case contraction(filter: Int, ConvolutionOptions.Method)
    case reference
}

/// Runs a loop nest; returns false if it was interrupted.
package func run(_ nest: LoopNest, method: NestMethod, threads: Int, control: Control) throws(Failure) -> Bool {
    if nest.outputExtent == 0 { return true }
    if method == .reference { return try LoopNestReference.run(nest, control: control) }
    var nest = nest
    nest.simplify()
    switch try selectAlgorithm(nest, method) {
    case .reference: return try LoopNestReference.run(nest, control: control)
    case .rows: return try RowNest.run(nest, threads: threads, control: control)
    case .contraction(let filter, .gemm):
        return try runProduct(nest, filter: filter, threads: threads, control: control)
    case .contraction(let filter, let method):
        return try nest.withContractionStorage { (storage) throws(Failure) in
            let problem = nest.contraction(filter: filter, storage)
            var finished: Bool?
            if method == .auto {
                try problem.withCorrelation { (sliding) throws(Failure) in
                    finished = try run(sliding, method: .auto, threads: threads, control: control)
                }
            }
            if let finished { return finished }
            return try run(problem, method: method, threads: threads, control: control, store: nil)
        }
    }
}

/// A matrix product, in parts where its sums are long, in pieces where those or its packed filter would be many.
private func runProduct(
    _ nest: LoopNest, filter: Int, threads: Int, control: Control
) throws(Failure) -> Bool {
    func run(_ piece: LoopNest) throws(Failure) -> Bool {
        try runProduct(piece, filter: filter, threads: threads, control: control)
    }
    if nest.windowCount == 0, let parts = SumParts(nest) {
        if let pieces = batchPieces(nest, parts) { return try pieces.run(nest, run) }
        return try runInParts(nest, parts, threads: threads, control: control) { (part) throws(Failure) in
            var part = part
            part.simplify()
            return try run(part)
        }
    }
    return try nest.withContractionStorage { (storage) throws(Failure) in
        let problem = nest.contraction(filter: filter, storage)
        let packedBytes = ImplicitGemm.packedFilterBytes(problem)
        if let pieces = filterPieces(nest, filter: filter, packedBytes: packedBytes) {
            return try pieces.run(nest, run)
        }
        return try ImplicitGemm.run(problem, threads: threads, control: control)
    }
}

extension ContractionProblem {
    /// Calls `body` with the sliding problem that this is, if one filter slides over every image by itself, as in
    /// `correlate`.
    fileprivate func withCorrelation(_ body: (SlidingProblem) throws(Failure) -> Void) throws(Failure) {
        if batch.count > 0 || rows.count > 0 || windowCount == 0 { return }
        for i in 0..<depth.count where depth[i].window < 0 { return }
        _ = try withAxes(rank: maximumRank) { (axes) throws(Failure) in
            if let sliding = sliding(into: axes) { try body(sliding) }
            return true
        }
    }
}

/// What would run.
package func explain(_ nest: LoopNest, method: NestMethod, threads: Int) throws(Failure) -> Explanation {
    var found = Explanation()
    if method != .reference {
        var nest = nest
        nest.simplify()
        if nest.outputExtent == 0 { return try RowNest.explain(nest, threads: threads) }
        switch try selectAlgorithm(nest, method) {
        case .reference: break
        case .rows: return try RowNest.explain(nest, threads: threads)
        case .contraction(let filter, let method):
            _ = try nest.withContractionStorage { (storage) throws(Failure) in
                let problem = nest.contraction(filter: filter, storage)
                var described: Explanation?
                if method == .auto {
                    try problem.withCorrelation { (sliding) throws(Failure) in
                        described = try explain(sliding, method: .auto, threads: threads)
                    }
                }
                if let described {
                    found = described
                } else {
                    found = try explain(problem, method: method, threads: threads)
                }
                return true
            }
            return found
        }
    }
    found.algorithm = "reference"
    found.kernel = "one product at a time"
    found.input = "direct"
    found.output = "direct"
    found.tasks = nest.outputExtent
    return found
}

package func selectAlgorithm(_ nest: LoopNest, _ method: NestMethod) throws(Failure) -> NestAlgorithm {
    let refusal = Failure(SC_METHOD, argument: SC_ARG_METHOD)
    let fits = nest.factorCount == 2 && nest.depth > 0 && nest.indexCount <= maximumRank
    switch method {
    case .reference: return .reference
    case .nest:
        if nest.windowCount > 0 { throw refusal }
        return .rows
    case .gemm:
        if !fits { throw refusal }
        guard let filter = windowFilter(nest) ?? (nest.windowCount == 0 ? plainFilter(nest) : nil) else {
            throw refusal
        }
        return .contraction(filter: filter, .gemm)
    case .direct:
        guard fits, let filter = windowFilter(nest) else { throw refusal }
        return .contraction(filter: filter, .direct)
    case .auto:
        if !fits { return nest.windowCount > 0 ? .reference : .rows }
        if let filter = windowFilter(nest) { return .contraction(filter: filter, .auto) }
        if nest.windowCount > 0 { return .reference }
        return suitsGemm(nest) ? .contraction(filter: plainFilter(nest), .gemm) : .rows
    }
}

/// The factor that slides over the other, nil where none does.
private func windowFilter(_ nest: LoopNest) -> Int? {
    if nest.windowCount > 0 {
        let input = nest.windows[0].factor
        for w in 0..<nest.windowCount where nest.windows[w].factor != input { return nil }
        // An output that the filter moves with too is no column.
        for i in 0..<nest.outputCount where nest.isWindowed(i) && nest.has(1 - input, i) { return nil }
        return 1 - input
    }
    return slides(nest, filter: 1) ? 1 : slides(nest, filter: 0) ? 0 : nil
}

private func slides(_ nest: LoopNest, filter: Int) -> Bool {
    let found = try? nest.withContractionStorage { (storage) throws(Failure) in
        nest.contraction(filter: filter, storage).windowCount > 0
    }
    return found ?? false
}

/// The input is the factor along which the output is contiguous: its elements fill the vectors.
private func plainFilter(_ nest: LoopNest) -> Int {
    for i in (0..<nest.outputCount).reversed() where nest.has(0, i) != nest.has(1, i) {
        return nest.has(0, i) ? 1 : 0
    }
    return 0
}

/// Whether packing pays: sums of some length for some rows and columns each. The summed indices alone, and what the factors
/// have beside them, decide; a batch does not.
private func suitsGemm(_ nest: LoopNest) -> Bool {
    var (rows, columns) = (1, 1)
    for i in 0..<nest.outputCount where nest.has(0, i) != nest.has(1, i) {
        if nest.has(0, i) {
            rows = saturatingMultiply(rows, nest.extents[i])
        } else {
            columns = saturatingMultiply(columns, nest.extents[i])
        }
    }
    for i in nest.outputCount..<nest.indexCount where !nest.has(0, i) || !nest.has(1, i) { return false }
    return min(rows, columns) >= 4 && nest.depth >= 4 && saturatingMultiply(rows, columns) >= 64
}
