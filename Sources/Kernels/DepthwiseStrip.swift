import CMachine
import Foundations

/// The operands of outputs that follow each other along one axis, every lane with a filter of its own:
///
///     output[i][lane] = start[lane] + sum over r, k of
///         rows[r][inputOffset + i * inputStep + k * tapStride][lane] * weights[r][weightOffset + k][lane]
///
/// added in that order, what sums start from last. All strides and offsets are in bytes, lanes contiguous; nothing is
/// aligned. Whole vectors are read and written.
@frozen
package struct DepthwiseStrip {
    /// Input under each row of the filter, and that row's packed weights, both of the first vector.
    package var rows: UnsafePointer<UnsafeRawPointer>
    package var weights: UnsafePointer<UnsafeRawPointer>
    package var rowCount = 0
    package var inputOffset = 0
    package var weightOffset = 0
    /// Taps of a row.
    package var taps = 0
    package var tapStride: Int
    package var inputStep: Int
    package var output: UnsafeMutableRawPointer
    package var outputStep: Int
    package var outputs = 0
    package var vectors = 1
    /// Where the last vector begins: it may overlap the one before it.
    package var lastVector = 0
    /// From the weights of one vector to those of the next.
    package var vectorWeights: Int
    /// What sums start from, one vector after the other; nil for zeros.
    package var start: UnsafeRawPointer?

    @inlinable
    package init(
        rows: UnsafePointer<UnsafeRawPointer>, weights: UnsafePointer<UnsafeRawPointer>, tapStride: Int, inputStep: Int,
        output: UnsafeMutableRawPointer, outputStep: Int, vectorWeights: Int
    ) {
        self.rows = rows
        self.weights = weights
        self.tapStride = tapStride
        self.inputStep = inputStep
        self.output = output
        self.outputStep = outputStep
        self.vectorWeights = vectorWeights
    }
}

/// Computes a strip of any number of outputs. It is read only; `inout` because Swift would pass a copy otherwise.
package func runDepthwiseStrip(_ arithmetic: ArithmeticKind, _ strip: inout DepthwiseStrip) {
    switch arithmetic {
    case .boolean: cover(BooleanFamily.Full.self, &strip)
    case .word16: cover(Word16Family.Full.self, &strip)
    case .word32: cover(Word32Family.Full.self, &strip)
    case .word64: cover(Word64Family.Full.self, &strip)
    case .float32: cover(Float32Family.Full.self, &strip)
    case .float64: cover(Float64Family.Full.self, &strip)
    case .complex64: cover(Complex64Family.Full.self, &strip)
    case .complex128: cover(Complex128Family.Full.self, &strip)
    }
}

/// Bytes of one vector's packed weights: a complex weight's parts lie in a vector each.
package func laneWeightBytes(_ arithmetic: ArithmeticKind) -> Int {
    vectorLanes(arithmetic) &* arithmetic.byteCount &* (arithmetic.isComplex ? 2 : 1)
}

/// Tiles of 8 outputs, whose sums hide the latency of the multiply-add, and lower ones for the rest. Where taps are as far
/// apart as outputs, and registers enough, three taps at a time share what they read: 10 vectors for 24 products.
@inline(__always)
private func cover<A: LaneArithmetic>(_: A.Type, _ strip: inout DepthwiseStrip) {
    typealias None = InlineArray<0, Never>
    var first = 0
    if SC_VECTOR_REGISTERS == 32 && strip.taps >= 3 && strip.inputStep == strip.tapStride {
        typealias Three = InlineArray<3, Never>
        first = outputs(
            A.self, InlineArray<8, Never>.self, taps: Three.self, InlineArray<10, Never>.self, from: first, &strip)
        first = outputs(
            A.self, InlineArray<4, Never>.self, taps: Three.self, InlineArray<6, Never>.self, from: first, &strip)
    } else {
        first = outputs(A.self, InlineArray<8, Never>.self, taps: None.self, None.self, from: first, &strip)
        first = outputs(A.self, InlineArray<4, Never>.self, taps: None.self, None.self, from: first, &strip)
    }
    first = outputs(A.self, InlineArray<2, Never>.self, taps: None.self, None.self, from: first, &strip)
    _ = outputs(A.self, InlineArray<1, Never>.self, taps: None.self, None.self, from: first, &strip)
}

/// Outputs from `first` on, tile after tile, as long as there are MR; returns the first that is left. Taps go TAPS at a time,
/// which share the vectors under MR outputs, SPAN = MR + TAPS - 1, as long as there are so many, and one at a time.
@inline(never)
private func outputs<A: LaneArithmetic, let MR: Int, let TAPS: Int, let SPAN: Int>(
    _: A.Type, _: InlineArray<MR, Never>.Type, taps _: InlineArray<TAPS, Never>.Type,
    _: InlineArray<SPAN, Never>.Type, from first: Int, _ strip: inout DepthwiseStrip
) -> Int {
    assert(TAPS == 0 || (SPAN == MR &+ TAPS &- 1 && strip.inputStep == strip.tapStride))
    let step = strip.inputStep
    let taps = strip.taps
    var i = first
    while i &+ MR <= strip.outputs {
        var vector = 0
        while vector < strip.vectors {
            let lane = vector &+ 1 == strip.vectors ? strip.lastVector : vector &* A.vectorBytes
            let base = strip.inputOffset &+ i &* step &+ lane
            let weightBase = strip.weightOffset &+ vector &* strip.vectorWeights
            var sums = InlineArray<MR, A.Accumulator>(repeating: A.zero)
            var row = 0
            while row < strip.rowCount {
                var x = loadAddress(strip.rows + row) + base
                var w = loadAddress(strip.weights + row) + weightBase
                var k = 0
                if TAPS > 0 {
                    while k &+ TAPS <= taps {
                        let vectors = InlineArray<SPAN, A.Vector> { A.load(x + $0 &* step) }
                        for t in 0..<TAPS {
                            let weight = A.laneWeight(w + t &* A.laneWeightBytes)
                            for j in 0..<MR { A.multiplyAdd(&sums[j], vectors[j &+ t], weight) }
                        }
                        x += TAPS &* step
                        w += TAPS &* A.laneWeightBytes
                        k &+= TAPS
                    }
                }
                while k < taps {
                    let weight = A.laneWeight(w)
                    for j in 0..<MR { A.multiplyAdd(&sums[j], A.load(x + j &* step), weight) }
                    x += strip.tapStride
                    w += A.laneWeightBytes
                    k &+= 1
                }
                row &+= 1
            }
            let output = strip.output + (i &* strip.outputStep &+ lane)
            if let start = strip.start {
                let start = A.load(start + vector &* A.vectorBytes)
                for j in 0..<MR { A.add(&sums[j], start) }
            }
            for j in 0..<MR { A.store(sums[j], output + j &* strip.outputStep) }
            vector &+= 1
        }
        i &+= MR
    }
    return i
}
