import CMachine
import Foundations

/// The operands of sums that share their weights, every lane with its own:
///
///     sums[i][lane] += sum over k of inputs[i][k * tapStride][lane] * weights[k][lane]
///
/// with the products added up in order before they are added to what the sums hold. Strides are in bytes; a vector of lanes
/// is read and written at a time; nothing is aligned.
@frozen
package struct DepthwiseSums {
    package var inputs: UnsafePointer<UnsafeRawPointer>
    package var count: Int
    package var taps: Int
    package var tapStride: Int
    package var weights: UnsafeRawPointer
    package var sums: UnsafeMutableRawPointer

    @inlinable
    package init(
        inputs: UnsafePointer<UnsafeRawPointer>, count: Int, taps: Int, tapStride: Int, weights: UnsafeRawPointer,
        sums: UnsafeMutableRawPointer
    ) {
        self.inputs = inputs
        self.count = count
        self.taps = taps
        self.tapStride = tapStride
        self.weights = weights
        self.sums = sums
    }
}

/// Of numbers whose packed weights are as they are: neither bools nor complex ones.
package func runDepthwiseSums(_ arithmetic: ArithmeticKind, _ operands: inout DepthwiseSums) {
    switch arithmetic {
    case .word16: cover(Word16Family.Full.self, &operands)
    case .word32: cover(Word32Family.Full.self, &operands)
    case .word64: cover(Word64Family.Full.self, &operands)
    case .float32: cover(Float32Family.Full.self, &operands)
    case .float64: cover(Float64Family.Full.self, &operands)
    case .boolean, .complex64, .complex128: assertionFailure("not packed for \(arithmetic)")
    }
}

/// Nine sums at a time, those of a filter of 3 x 3: they hide the latency of the multiply-add, and a weight is read once.
@inline(__always)
private func cover<A: LaneArithmetic>(_: A.Type, _ operands: inout DepthwiseSums) {
    var first = add(A.self, InlineArray<9, Never>.self, from: 0, &operands)
    first = add(A.self, InlineArray<5, Never>.self, from: first, &operands)
    first = add(A.self, InlineArray<2, Never>.self, from: first, &operands)
    _ = add(A.self, InlineArray<1, Never>.self, from: first, &operands)
}

/// Sums from `first` on, MR at a time, as long as there are so many; returns the first that is left.
@inline(never)
private func add<A: LaneArithmetic, let MR: Int>(
    _: A.Type, _: InlineArray<MR, Never>.Type, from first: Int, _ operands: inout DepthwiseSums
) -> Int {
    var i = first
    while i &+ MR <= operands.count {
        var sums = InlineArray<MR, A.Accumulator>(repeating: A.zero)
        let inputs = InlineArray<MR, UnsafeRawPointer> { loadAddress(operands.inputs + (i &+ $0)) }
        var w = operands.weights
        var offset = 0
        var k = 0
        while k < operands.taps {
            let weight = A.laneWeight(w)
            for j in 0..<MR { A.multiplyAdd(&sums[j], A.load(inputs[j] + offset), weight) }
            w += A.laneWeightBytes
            offset &+= operands.tapStride
            k &+= 1
        }
        for j in 0..<MR {
            let place = operands.sums + (i &+ j) &* A.vectorBytes
            A.add(&sums[j], A.load(place))
            A.store(sums[j], place)
        }
        i &+= MR
    }
    return i
}
