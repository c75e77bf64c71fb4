import CSwiftConv
import Foundations
import Testing

/// Every way to compute a convolution with channels against the reference, bit for bit where sums are exact.
struct ConvolutionTests {
    private func check(
        _ call: ConvolutionCall, _ methods: [Int], type: ElementType? = nil, _ layout: Layout = .c,
        at location: SourceLocation = #_sourceLocation
    ) {
        let expected = call.output(SC_CONV_REFERENCE, type: type, at: location)
        for method in methods {
            for guarding in GuardedMemory.Guard.allCases {
                let actual = call.output(method, type: type, layout, guarding: guarding, at: location)
                #expect(
                    sameBits(actual, expected), "\(call) by method \(method), out \(layout)", sourceLocation: location)
            }
        }
    }

    /// Problems at random over ranks, options, dtypes of each operand and layouts of each.
    @Test(arguments: ElementType.allCases, ConvolutionReferenceTests.operations)
    func everyProblem(result: ElementType, operation: Int) {
        var generator = SeededGenerator(1000 * operation + Int(result.rawValue))
        let wider = ElementType.allCases.filter { StencilTests.kind($0) >= StencilTests.kind(result) }
        for _ in 0..<100 {
            let call = ConvolutionCall.random(operation, result, &generator)
            let type = generator.once(in: 2) ? result : generator.pick(wider)
            check(call, [SC_CONV_GEMM, SC_CONV_DIRECT, SC_CONV_AUTO], type: type, generator.pick(Layout.writable))
        }
    }

    private func problem(
        _ type: ElementType, _ input: [Int], _ weight: [Int], _ layout: Layout = .c,
        _ generator: inout SeededGenerator
    ) -> ConvolutionCall {
        let values = type.isFloating ? Values.small : .exact
        return ConvolutionCall(
            TestArray(type, input, layout).filled(values, &generator),
            TestArray(type, weight).filled(values, &generator))
    }

    /// Output channels and pixels around a tile's rows, vectors and panels, in both orders of the output.
    @Test(arguments: [ElementType.float32, .uint8, .int16, .complex64])
    func edgesOfTiles(type: ElementType) {
        var generator = SeededGenerator(320)
        for outChannels in 1...13 {
            for pixels in [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129] {
                var call = problem(type, [1, 3, pixels], [outChannels, 3, 1], .c, &generator)
                call.bias = TestArray(type, [outChannels]).filled(.small, &generator)
                let expected = call.output(SC_CONV_REFERENCE)
                for layout in [Layout.c, .channelsLast] {
                    #expect(sameBits(call.output(SC_CONV_GEMM, layout), expected), "\(call), out \(layout)")
                }
            }
        }
        for outChannels in [16, 17, 31, 32, 33, 48, 63, 64, 65, 129] {
            for pixels in [1, 2, 3, 4, 5, 6, 7, 11, 13] {
                let call = problem(type, [1, 2, pixels], [outChannels, 2, 1], .channelsLast, &generator)
                let expected = call.output(SC_CONV_REFERENCE)
                for layout in [Layout.c, .channelsLast] {
                    #expect(sameBits(call.output(SC_CONV_GEMM, layout), expected), "\(call), out \(layout)")
                }
            }
        }
    }

    /// Channels and taps around a block of depths, and several of them.
    @Test(arguments: [ElementType.float32, .float64, .int32, .uint8, .bool, .complex128])
    func edgesOfDepthBlocks(type: ElementType) {
        var generator = SeededGenerator(330)
        for channels in [79, 80, 81, 159, 160, 161, 255, 256, 257, 320, 513] {
            for (taps, layout) in [(1, Layout.c), (3, .c), (1, .channelsLast), (3, .channelsLast)] {
                var call = problem(type, [1, channels, 9], [3, channels, taps], layout, &generator)
                call.pad(taps / 2)
                let expected = call.output(SC_CONV_REFERENCE)
                for out in [Layout.c, .channelsLast] {
                    #expect(sameBits(call.output(SC_CONV_GEMM, out), expected), "\(call), out \(out)")
                }
            }
        }
    }

    /// Several blocks of rows and of columns.
    @Test func manyBlocks() {
        var generator = SeededGenerator(340)
        for (input, weight) in [
            ([2, 3, 30, 41], [5, 3, 3, 3]), ([3, 2, 2000], [7, 2, 2]), ([1, 4, 5, 6], [1100, 4, 1, 1]),
            ([1, 2, 5, 6], [530, 2, 3, 2]), ([600, 2, 2, 2], [3, 2, 2, 2]),
        ] {
            for layout in [Layout.c, .channelsLast, .fortran] {
                let call = problem(.float32, input, weight, layout, &generator)
                let expected = call.output(SC_CONV_REFERENCE)
                for out in [Layout.c, .channelsLast, .fortran] {
                    for method in [SC_CONV_GEMM, SC_CONV_DIRECT, SC_CONV_AUTO] {
                        #expect(sameBits(call.output(method, out), expected), "\(call) by method \(method), out \(out)")
                    }
                }
            }
        }
    }

    /// All boundaries with all layouts of a channels-last or channels-first input, at unit steps and others.
    @Test(arguments: [ElementType.float32, .float16, .int8])
    func boundaries(type: ElementType) {
        var generator = SeededGenerator(350)
        for boundary in StencilTests.boundaries {
            for layout in Layout.allCases {
                for (stride, dilation) in [([1, 1], [1, 1]), ([2, 3], [1, 1]), ([1, 1], [2, 2])] {
                    var call = problem(type, [2, 3, 7, 8], [4, 3, 3, 3], layout, &generator)
                    (call.boundary, call.stride, call.dilation) = (boundary, stride, dilation)
                    (call.paddingLow, call.paddingHigh) = ([1, 4], [3, 2])
                    check(call, [SC_CONV_GEMM, SC_CONV_DIRECT], Layout.writable[stride[1] + dilation[0]])
                }
            }
        }
    }

    /// Extents of zero where there may be any, and of one.
    @Test(arguments: [SC_CONV_AUTO, SC_CONV_DIRECT, SC_CONV_GEMM, SC_CONV_WINOGRAD, SC_CONV_REFERENCE])
    func emptyBatches(method: Int) {
        var generator = SeededGenerator(360)
        let call = problem(.float32, [0, 3, 5, 5], [4, 3, 3, 3], .c, &generator)
        #expect(call.output(method).shape == [0, 4, 3, 3])
        var weight = ConvolutionCall(
            TestArray(.float32, [0, 3, 5, 5]), TestArray(.float32, [0, 4, 3, 3]))
        (weight.operation, weight.weightShape) = (SC_CONV_WEIGHT, [4, 3, 3, 3])
        if method != SC_CONV_DIRECT {
            #expect(weight.output(method).numbers.allSatisfy { $0 == 0 }, "a sum over no samples")
        }
        let one = problem(.float32, [1, 1, 1, 1], [1, 1, 1, 1], .c, &generator)
        if method != SC_CONV_WINOGRAD {
            #expect(one.output(method).numbers == [one.a.numbers[0] * one.b.numbers[0]])
        }
    }

    /// Of a transposed convolution's outputs, those that no tap reaches hold the bias, clamped.
    @Test(arguments: [SC_CONV_AUTO, SC_CONV_GEMM, SC_CONV_REFERENCE])
    func outputsWithoutTaps(method: Int) {
        let (a, b, bias) = (TestArray(.float32, [1, 1, 4]), TestArray(.float32, [1, 1, 1]), TestArray(.float32, [1]))
        a.set([1, 2, 3, 4])
        b.set([10])
        bias.set([7])
        var call = ConvolutionCall(a, b)
        (call.operation, call.bias, call.stride, call.outputPadding) = (SC_CONV_TRANSPOSED, bias, [3], [2])
        #expect(call.output(method).numbers == [17, 7, 7, 27, 7, 7, 37, 7, 7, 47, 7, 7])
        call.clamp = 8...30
        #expect(call.output(method).numbers == [17, 8, 8, 27, 8, 8, 30, 8, 8, 30, 8, 8])
    }
}
