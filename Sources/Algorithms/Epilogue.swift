import Foundations
import Kernels

/// What becomes of sums on the way out: a bias is added, then they are limited.
package struct Epilogue {
    /// The bias of the first output; problems say how far apart the others' lie.
    package var bias: UnsafeRawPointer?
    private var biasType = ElementType.float32
    private var biasSwapUnit = 1
    package var clamp: Clamp?

    package init() {}

    package init(bias: Tensor?, clamp: Clamp?) {
        if let bias {
            self.bias = UnsafeRawPointer(bias.data)
            biasType = bias.type
            biasSwapUnit = bias.swapUnit
        }
        self.clamp = clamp
    }

    var isEmpty: Bool { bias == nil && clamp == nil }

    /// Reads `count` biases from `offset` bytes on, `stride` apart, as the arithmetic holds them; a stride of zero repeats the
    /// first. `stage` serves `readRun`.
    func readBias(
        _ offset: Int, stride: Int = 0, count: Int, _ arithmetic: ArithmeticKind, to target: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        guard let bias else { return }
        readRun(
            ElementReader(type: biasType, swapUnit: biasSwapUnit, arithmetic), bias + offset, stride: stride,
            count: count, to: target, stage: stage)
    }

    /// The bias at `offset` bytes as the arithmetic holds it, in the first bytes.
    func bias(at offset: Int, _ arithmetic: ArithmeticKind) -> SIMD2<UInt64> {
        var value = SIMD2<UInt64>.zero
        var stage = SIMD2<UInt64>.zero
        withUnsafeMutableBytes(of: &value) { value in
            withUnsafeMutableBytes(of: &stage) { stage in
                readBias(
                    offset, count: 1, arithmetic, to: value.baseAddress.unsafelyUnwrapped,
                    stage: stage.baseAddress.unsafelyUnwrapped)
            }
        }
        return value
    }

    /// Limits contiguous results of an arithmetic that `result` names the dtype of.
    func limit(_ values: UnsafeMutableRawPointer, count: Int, _ result: ElementType) {
        if let clamp { applyClamp(clamp.lowest, clamp.highest, result, values, count: count) }
    }
}

/// Bounds on results.
package struct Clamp {
    package var lowest: Double
    package var highest: Double

    package init(lowest: Double, highest: Double) {
        self.lowest = lowest
        self.highest = highest
    }
}
