import Algorithms
import Foundations

/// One spatial axis: output o and tap k meet at coordinate `stride * o + dilation * k - padding`, where the input's samples
/// lie `inputDilation` apart and zeros between them.
struct ConvolutionAxis {
    var inExtent = 1
    var outExtent = 1
    var taps = 1
    var stride = 1
    var dilation = 1
    var padding = 0
    var inputDilation = 1
    /// Memory strides: of the input, of what is indexed by o, and of what is indexed by k.
    var inputStride = 0
    var outStride = 0
    var tapStride = 0

    /// Outputs that are `phases` apart see the samples through the same taps, `samplesPerPhase` further on; others see
    /// others.
    var phases: Int { inputDilation / greatestCommonDivisor(stride, inputDilation) }
    var samplesPerPhase: Int { stride / greatestCommonDivisor(stride, inputDilation) }
    /// Taps that see samples, and not the zeros between, are `tapStep` apart and see samples `samplesPerTap` apart.
    var tapStep: Int { inputDilation / greatestCommonDivisor(dilation, inputDilation) }
    var samplesPerTap: Int { dilation / greatestCommonDivisor(dilation, inputDilation) }
}

/// Where validation puts what a convolution consists of.
package struct ConvolutionStorage {
    let axes: UnsafeMutablePointer<ConvolutionAxis>
    let windows: UnsafeMutablePointer<ContractionWindow>
    let indices: UnsafeMutablePointer<ContractionIndex>
    /// The result's extents and memory strides, in the order of its axes.
    package let outExtents: UnsafeMutablePointer<Int>
    let outStrides: UnsafeMutablePointer<Int>
}

/// Storage for so many spatial axes during `body`.
package func withConvolutionStorage(
    spatialRank: Int, _ body: (ConvolutionStorage) throws(Failure) -> Bool
) throws(Failure) -> Bool {
    // Batch indices: sample and group. One row index; sample or channel, and the spatial ones, for columns and for depth.
    let indices = 2 &* spatialRank &+ 6
    let windows = spatialRank &+ 1
    return try withUnsafeTemporaryAllocation(of: ContractionIndex.self, capacity: indices) {
        (indices) throws(Failure) -> Bool in
        try withUnsafeTemporaryAllocation(of: ContractionWindow.self, capacity: windows) {
            (windows) throws(Failure) -> Bool in
            try withUnsafeTemporaryAllocation(of: ConvolutionAxis.self, capacity: spatialRank &+ 1) {
                (axes) throws(Failure) -> Bool in
                try withUnsafeTemporaryAllocation(of: Int.self, capacity: 2 &* (spatialRank &+ 3)) {
                    (numbers) throws(Failure) -> Bool in
                    // None is empty.
                    let numbers = numbers.baseAddress.unsafelyUnwrapped
                    return try body(
                        ConvolutionStorage(
                            axes: axes.baseAddress.unsafelyUnwrapped, windows: windows.baseAddress.unsafelyUnwrapped,
                            indices: indices.baseAddress.unsafelyUnwrapped, outExtents: numbers,
                            outStrides: numbers + (spatialRank &+ 3)))
                }
            }
        }
    }
}

/// A validated convolution: as many contractions as there are phases, one after the other. With zeros between the input's
/// samples (a transposed convolution's stride), each phase is the dense convolution of every so-manieth output by every
/// so-manieth tap: no zero is stored or multiplied.
package struct Convolution {
    /// The contraction but for its spatial indices, which `phase` sets.
    var base: ContractionProblem
    let axes: UnsafePointer<ConvolutionAxis>
    let spatialRank: Int

    /// Axes of the input, and of the result but for a weight's gradient.
    package var rank: Int { spatialRank + 2 }

    package var phaseCount: Int {
        var count = 1
        for i in 0..<spatialRank { count = saturatingMultiply(count, min(axes[i].phases, axes[i].outExtent)) }
        return count
    }

    /// The contraction of one phase. Its indices are overwritten by the next one's.
    package func phase(_ number: Int) -> ContractionProblem {
        var problem = base
        var rest = number
        for i in (0..<spatialRank).reversed() {
            let axis = axes[i]
            let phases = min(axis.phases, axis.outExtent)
            let (residue, tap) = (rest % phases, firstTap(axis, residue: rest % phases))
            rest /= phases
            problem.windows[i].extent = axis.inExtent
            problem.windows[i].inputStride = axis.inputStride
            problem.windows[i].padding =
                0 &- floorDivide(axis.stride &* residue &+ axis.dilation &* tap &- axis.padding, axis.inputDilation)
            let outputs = problem.columns.base + (problem.columns.count &- spatialRank &+ i)
            let taps = problem.depth.base + (problem.depth.count &- spatialRank &+ i)
            let (byOutput, byTap) = base.sumsOverOutputs ? (taps, outputs) : (outputs, taps)
            byOutput.pointee.extent = ceilingDivide(axis.outExtent &- residue, axis.phases)
            byTap.pointee.extent = tap < axis.taps ? ceilingDivide(axis.taps &- tap, axis.tapStep) : 0
            set(byOutput, window: i, step: axis.samplesPerPhase, axis)
            set(byTap, window: i, step: axis.samplesPerTap, axis)
            if base.sumsOverOutputs {
                byOutput.pointee.filterStride = axis.outStride
                byTap.pointee.outputStride = axis.tapStride
            } else {
                byOutput.pointee.outputStride = axis.outStride &* axis.phases
                byTap.pointee.filterStride = axis.tapStride &* axis.tapStep
                problem.output += residue &* axis.outStride
                problem.filter += tap &* axis.tapStride
            }
        }
        return problem
    }

    private func set(_ index: UnsafeMutablePointer<ContractionIndex>, window: Int, step: Int, _ axis: ConvolutionAxis) {
        index.pointee.window = window
        index.pointee.step = step
        index.pointee.inputStride = step &* axis.inputStride
        index.pointee.filterStride = 0
        index.pointee.outputStride = 0
        index.pointee.biasStride = 0
    }

    /// The first tap k with stride * residue + dilation * k - padding divisible by the input's dilation; `taps` for none.
    private func firstTap(_ axis: ConvolutionAxis, residue: Int) -> Int {
        for k in 0..<min(axis.tapStep, axis.taps)
        where (axis.stride &* residue &+ axis.dilation &* k &- axis.padding) % axis.inputDilation == 0 {
            return k
        }
        return axis.taps
    }
}
