import CSwiftConv
import Foundations

extension ConvolutionCall {
    /// Extents and options of a convolution as its forward pass has them, without data.
    struct Geometry {
        var samples = 1
        var groups = 1
        var batchGroups = 1
        var perSample = false
        /// Channels of a group.
        var inChannels = 1
        var outChannels = 1
        var boundary = SC_BOUNDARY_FILL
        var extents: [Int] = []
        var taps: [Int] = []
        var stride: [Int] = []
        var dilation: [Int] = []
        var low: [Int] = []
        var high: [Int] = []
        var inputDilation: [Int] = []

        var inputShape: [Int] { [samples, groups * inChannels] + extents }
        var weightShape: [Int] {
            (perSample ? [samples] : []) + [groups * batchGroups * outChannels, inChannels] + taps
        }
        var outputShape: [Int] {
            [samples / batchGroups, groups * batchGroups * outChannels] + extents.indices.map { reach($0) + 1 }
        }

        /// Steps from the first output to the last.
        func reach(_ i: Int) -> Int {
            let padded = inputDilation[i] * (extents[i] - 1) + 1 + low[i] + high[i]
            return (padded - dilation[i] * (taps[i] - 1) - 1) / stride[i]
        }

        /// Samples beyond the last window.
        func rest(_ i: Int) -> Int {
            extents[i] - 1 + low[i] + high[i] - dilation[i] * (taps[i] - 1) - stride[i] * reach(i)
        }
    }
}

extension ConvolutionCall.Geometry {
    /// Of any rank up to 3, with every option that the operation has.
    static func random(_ operation: Int, _ generator: inout SeededGenerator) -> Self {
        var geometry = Self()
        let rank = generator.pick([0, 1, 1, 2, 2, 2, 3])
        geometry.samples = generator.pick([0, 1, 1, 2, 3])
        geometry.perSample = generator.once(in: 5)
        geometry.groups = generator.pick([1, 1, 1, 2, 3])
        if operation == SC_CONV_FORWARD && !geometry.perSample && generator.once(in: 6) {
            geometry.groups = 1
            geometry.batchGroups = generator.pick([2, 3])
            geometry.samples *= geometry.batchGroups
        }
        geometry.inChannels = generator.pick([1, 1, 2, 3, 5, 8])
        geometry.outChannels = generator.pick([1, 1, 2, 3, 4, 7, 13, 17])
        if operation == SC_CONV_FORWARD && generator.once(in: 3) {
            geometry.boundary = generator.pick(StencilTests.boundaries)
        }
        for i in 0..<rank { geometry.appendAxis(operation, longest: i == rank - 1, &generator) }
        return geometry
    }

    private mutating func appendAxis(_ operation: Int, longest: Bool, _ generator: inout SeededGenerator) {
        taps.append(generator.pick([1, 2, 3, 3, 4]))
        stride.append(generator.pick([1, 1, 1, 2, 3]))
        dilation.append(generator.pick([1, 1, 1, 2, 3]))
        let mayDilate = operation == SC_CONV_FORWARD && boundary == SC_BOUNDARY_FILL && generator.once(in: 3)
        inputDilation.append(mayDilate ? generator.pick([2, 3, 4]) : 1)
        low.append(generator.pick([0, 0, 1, 2, 3, -1]))
        high.append(generator.pick([0, 0, 1, 2, 3, -1]))
        extents.append(Int.random(in: 1...(longest ? 21 : 6), using: &generator))
        let i = extents.count - 1
        if boundary != SC_BOUNDARY_FILL {
            let most = boundary == SC_BOUNDARY_REFLECT ? extents[i] - 1 : boundary == SC_BOUNDARY_WRAP ? extents[i] : 3
            (low[i], high[i]) = (min(max(low[i], 0), most), min(max(high[i], 0), most))
        }
        // At least one window fits.
        while inputDilation[i] * (extents[i] - 1) + low[i] + high[i] < dilation[i] * (taps[i] - 1) { extents[i] += 1 }
    }
}

extension ConvolutionCall {
    /// A call of any operation, dtypes and layouts; sums in the result's dtype are exact in any order.
    static func random(
        _ operation: Int, _ result: ElementType, _ generator: inout SeededGenerator
    ) -> ConvolutionCall {
        let values = result.isFloating ? Values.small : .exact
        return ConvolutionCall(operation, .random(operation, &generator), result, values, &generator)
    }

    /// Operands of dtypes that cast to the result's, in any layout; half of the calls have a bias, a third a clamp.
    init(
        _ operation: Int, _ geometry: Geometry, _ result: ElementType, _ values: Values,
        _ generator: inout SeededGenerator
    ) {
        func operand(_ shape: [Int]) -> TestArray {
            let narrower = ElementType.allCases.filter {
                StencilTests.kind($0) <= StencilTests.kind(result) && ($0.isFloating || $0.rawValue <= 8)
            }
            let type = generator.once(in: 2) ? result : generator.pick(narrower)
            let guarding: GuardedMemory.Guard = generator.once(in: 2) ? .start : .end
            return TestArray(type, shape, generator.pick(Layout.allCases), guarding: guarding)
                .filled(values, &generator)
        }
        let (first, second) = (
            operation == SC_CONV_TRANSPOSED ? geometry.outputShape : geometry.inputShape,
            operation == SC_CONV_WEIGHT ? geometry.outputShape : geometry.weightShape
        )
        self.init(operand(first), operand(second), result: result)
        self.operation = operation
        (groups, batchGroups, perSample) = (geometry.groups, geometry.batchGroups, geometry.perSample)
        (stride, dilation, inputDilation) = (geometry.stride, geometry.dilation, geometry.inputDilation)
        (paddingLow, paddingHigh, boundary) = (geometry.low, geometry.high, geometry.boundary)
        if operation == SC_CONV_TRANSPOSED { outputPadding = geometry.extents.indices.map { geometry.rest($0) } }
        if operation == SC_CONV_WEIGHT {
            weightShape = geometry.weightShape
        } else if generator.once(in: 2) {
            let channels =
                operation == SC_CONV_FORWARD ? geometry.outputShape[1] : geometry.groups * geometry.inChannels
            bias = operand((perSample ? [geometry.samples] : []) + [channels])
        }
        if generator.once(in: 3) && result != .bool && !result.isComplex {
            clamp = generator.pick([0...Double.infinity, -3.5...2.25, 1...6, -Double.infinity...0])
        }
    }
}
