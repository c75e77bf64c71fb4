import Foundations
import Kernels

/// The oracle: one output at a time, one tap at a time, straight from the definition. Nobody optimises this.
package enum Reference {
    package static func run(_ problem: SlidingProblem, control: Control) throws(Failure) -> Bool {
        if problem.outputCount == 0 { return true }
        let element = problem.arithmetic.byteCount
        let filter = try Workspace(byteCount: saturatingMultiply(problem.tapCount, element))
        packFilter(
            problem, outer: problem.axes, outerCount: problem.rank, row: SlidingAxis(), column: SlidingAxis(),
            to: filter.base)
        var walk = ReferenceWalk(problem: problem, filter: filter.base)
        return withUnsafeMutablePointer(to: &walk) { walk in
            ThreadPool.run(
                tasks: problem.outputCount, grain: 64, threads: 1, control: control, context: walk
            ) { context, _, first, end in
                let walk = context.assumingMemoryBound(to: ReferenceWalk.self)
                for index in first..<end { walk.pointee.computeOutput(index) }
            }
        }
    }
}

private struct ReferenceWalk {
    let problem: SlidingProblem
    let filter: UnsafeRawPointer

    func computeOutput(_ index: Int) {
        let output = unravel(index) { $0.outExtent }
        var sum = SumOfProducts(problem.arithmetic)
        for tap in 0..<problem.tapCount {
            let taps = unravel(tap) { $0.filterExtent }
            guard let x = read(output, taps) else { continue }
            sum.add(x, filter + tap &* problem.arithmetic.byteCount)
        }
        write(sum.result, at: output)
    }

    /// The input under a tap, the fill value, or nil where nothing is there: zero padding contributes nothing.
    private func read(_ output: AxisInts, _ taps: AxisInts) -> SIMD2<UInt64>? {
        var offset = 0
        for i in 0..<problem.rank {
            let axis = problem.axes[i]
            let index = axis.step * output[i] + axis.dilation * taps[i] - axis.padding
            let mapped = problem.boundary.map(index, extent: axis.inExtent)
            if mapped < 0 { return problem.fillsWithZero ? nil : problem.fill }
            offset += mapped * axis.inStride
        }
        return ElementReader(type: problem.inputType, swapUnit: problem.inputSwapUnit, problem.arithmetic)
            .element(at: problem.input + offset)
    }

    private func write(_ value: SIMD2<UInt64>, at output: AxisInts) {
        var offset = 0
        for i in 0..<problem.rank { offset += output[i] * problem.axes[i].outStride }
        ElementWriter(result: problem.resultType, output: problem.outputType, swapUnit: problem.outputSwapUnit)
            .write(element: value, to: problem.output + offset)
    }

    private func unravel(_ index: Int, _ extent: (SlidingAxis) -> Int) -> AxisInts {
        var rest = index
        var indices = AxisInts(repeating: 0)
        for i in (0..<problem.rank).reversed() {
            let n = extent(problem.axes[i])
            indices[i] = rest % n
            rest /= n
        }
        return indices
    }
}
