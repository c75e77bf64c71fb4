import CSwiftConv
import Foundations
import Testing

/// The oracle of convolutions with channels, and with it all conventions of sizes, placement, groups and adjoints, against
/// their definition written out anew, in Double.
struct ConvolutionReferenceTests {
    static let operations = [SC_CONV_FORWARD, SC_CONV_TRANSPOSED, SC_CONV_WEIGHT]

    @Test(arguments: operations, [ElementType.float64, .int64, .bool])
    func equalsTheDefinition(operation: Int, type: ElementType) {
        var generator = SeededGenerator(300 + operation)
        for _ in 0..<150 {
            let geometry = ConvolutionCall.Geometry.random(operation, &generator)
            let call = ConvolutionCall(operation, geometry, type, .small, &generator)
            let actual = call.output(SC_CONV_REFERENCE)
            #expect(actual.shape == geometry.shape(ofResult: operation), "\(call)")
            #expect(actual.numbers == geometry.result(call), "\(call)")
        }
    }

    /// Every operation is linear in the same products, so that <forward(x, w), g> = <x, transposed(g, w)> = <w, weight(x, g)>.
    @Test func operationsAreAdjoint() {
        var generator = SeededGenerator(310)
        func inner(_ a: TestArray, _ b: TestArray) -> Double {
            zip(a.numbers, b.numbers).reduce(0) { $0 + $1.0 * $1.1 }
        }
        for _ in 0..<60 {
            // What all three have: neither zeros between samples nor batch groups nor other boundaries.
            let geometry = ConvolutionCall.Geometry.random(SC_CONV_TRANSPOSED, &generator)
            var forward = ConvolutionCall(SC_CONV_FORWARD, geometry, .int64, .small, &generator)
            (forward.bias, forward.clamp) = (nil, nil)
            let gradient = TestArray(.int64, geometry.outputShape).filled(.small, &generator)
            var transposed = forward
            (transposed.operation, transposed.a) = (SC_CONV_TRANSPOSED, gradient)
            transposed.outputPadding = geometry.extents.indices.map { geometry.rest($0) }
            var weight = forward
            (weight.operation, weight.b, weight.weightShape) = (SC_CONV_WEIGHT, gradient, geometry.weightShape)
            let expected = inner(forward.output(), gradient)
            #expect(inner(forward.a, transposed.output()) == expected, "\(transposed)")
            #expect(inner(forward.b, weight.output()) == expected, "\(weight)")
        }
    }
}

extension ConvolutionCall.Geometry {
    fileprivate func shape(ofResult operation: Int) -> [Int] {
        operation == SC_CONV_FORWARD ? outputShape : operation == SC_CONV_TRANSPOSED ? inputShape : weightShape
    }

    /// The call's result by the definition.
    fileprivate func result(_ call: ConvolutionCall) -> [Double] {
        let (a, b) = (call.a.numbers, call.b.numbers)
        let shape = shape(ofResult: call.operation)
        var sums = [Double](repeating: 0, count: shape.reduce(1, *))
        forEachProduct { input, weight, output in
            switch call.operation {
            case SC_CONV_FORWARD: sums[output] += a[input] * b[weight]
            case SC_CONV_TRANSPOSED: sums[input] += a[output] * b[weight]
            default: sums[weight] += a[input] * b[output]
            }
        }
        if let bias = call.bias?.numbers {
            let perChannel = shape.dropFirst(2).reduce(1, *)
            for i in sums.indices {
                let (channel, sample) = (i / perChannel % shape[1], i / perChannel / shape[1])
                sums[i] += bias[perSample ? sample * shape[1] + channel : channel]
            }
        }
        if call.result == .bool { return sums.map { min($0, 1) } }
        guard let clamp = call.clamp else { return sums }
        let isWhole = !call.result.isFloating
        let lowest = isWhole ? clamp.lowerBound.rounded(.up) : clamp.lowerBound
        let highest = isWhole ? clamp.upperBound.rounded(.down) : clamp.upperBound
        return sums.map { min(max($0, lowest), highest) }
    }

    /// All products of one sample and one weight, and the output that they belong to.
    private func forEachProduct(_ body: (_ input: Int, _ weight: Int, _ output: Int) -> Void) {
        let parts = groups * batchGroups
        let samplesPerPart = samples / batchGroups
        for part in 0..<parts {
            for n in 0..<samplesPerPart {
                let sample = batchGroups > 1 ? part * samplesPerPart + n : n
                for o in 0..<outChannels {
                    let outChannel = part * outChannels + o
                    let filter = (perSample ? sample * parts * outChannels : 0) + outChannel
                    for c in 0..<inChannels {
                        let inChannel = batchGroups > 1 ? c : part * inChannels + c
                        forEachTap(
                            input: sample * groups * inChannels + inChannel, weight: filter * inChannels + c,
                            output: n * parts * outChannels + outChannel, axis: 0, body)
                    }
                }
            }
        }
    }

    private func forEachTap(input: Int, weight: Int, output: Int, axis i: Int, _ body: (Int, Int, Int) -> Void) {
        if i == extents.count {
            body(input, weight, output)
            return
        }
        for o in 0...reach(i) {
            for k in 0..<taps[i] {
                let place = stride[i] * o + dilation[i] * k - low[i]
                if place % inputDilation[i] != 0 { continue }
                let sample = Boundary(rawValue: Int32(boundary))!.map(place / inputDilation[i], extent: extents[i])
                if sample < 0 { continue }
                forEachTap(
                    input: input * extents[i] + sample, weight: weight * taps[i] + k,
                    output: output * (reach(i) + 1) + o,
                    axis: i + 1, body)
            }
        }
    }
}
