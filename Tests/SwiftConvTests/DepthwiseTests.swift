import Algorithms
import CSwiftConv
import Foundations
import Planning
import Testing

/// Channels with filters of their own, along the vectors: against the reference, bit for bit where sums are exact.
struct DepthwiseTests {
    /// What the algorithm itself makes of a call, whether it would be chosen or not; nil if it cannot run it.
    private func output(_ call: ConvolutionCall, _ type: ElementType, _ layout: Layout, threads: Int) -> TestArray? {
        let out = TestArray(type, call.outShape().shape, layout)
        var ran = false
        let failure = call.withConvolution(out: out) { (convolution) throws(Failure) in
            _ = try withAxes(rank: 32) { (axes) throws(Failure) in
                guard let sliding = convolution.phase(0).sliding(into: axes), Depthwise.canRun(sliding) else {
                    return true
                }
                ran = try Depthwise.run(sliding, threads: threads, control: Control(interrupted: nil, context: nil))
                return ran
            }
        }
        #expect(failure == nil, "\(call)")
        #expect(out.canariesAreAlive, "written outside: \(call)")
        return ran ? out : nil
    }

    private func random(_ type: ElementType, _ generator: inout SeededGenerator) -> ConvolutionCall {
        let rank = 1 + generator.below(3)
        let channels = generator.pick([1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 64, 65, 130])
        let multiplier = generator.once(in: 4) ? 1 + generator.below(3) : 1
        let taps = (0..<rank).map { _ in 1 + generator.below(rank == 3 ? 3 : 5) }
        let dilation = (0..<rank).map { _ in generator.once(in: 3) ? 1 + generator.below(3) : 1 }
        let low = taps.map { _ in generator.below(4) }
        let high = taps.map { _ in generator.below(4) }
        let extents = (0..<rank).map { i in
            max(dilation[i] * (taps[i] - 1) + 1 - low[i] - high[i], 1) + generator.below(rank == 3 ? 4 : 20)
        }
        let samples = 1 + generator.below(3)
        let perSample = generator.once(in: 5)
        var weight = [channels * multiplier, 1] + taps
        if perSample { weight.insert(samples, at: 0) }
        let values = type.isFloating ? Values.small : .exact
        var call = ConvolutionCall(
            TestArray(type, [samples, channels] + extents, generator.pick(Layout.allCases)).filled(values, &generator),
            TestArray(type, weight, generator.pick(Layout.allCases)).filled(values, &generator))
        if generator.once(in: 2) {
            let shape = (perSample ? [samples] : []) + [channels * multiplier]
            call.bias = TestArray(type, shape, generator.pick([.c, .reversed])).filled(.small, &generator)
        }
        (call.groups, call.perSample, call.dilation) = (channels, perSample, dilation)
        (call.paddingLow, call.paddingHigh) = (low, high)
        call.stride = taps.map { _ in generator.once(in: 2) ? 1 : 1 + generator.below(3) }
        if !type.isComplex && type != .bool && generator.once(in: 3) { call.clamp = -3...5 }
        return call
    }

    @Test(arguments: ElementType.allCases)
    func everyProblem(type: ElementType) {
        var generator = SeededGenerator(4000 + Int(type.rawValue))
        var ran = 0
        for _ in 0..<120 {
            let call = random(type, &generator)
            let layout = generator.pick(Layout.writable)
            let expected = call.output(SC_CONV_REFERENCE)
            for threads in [1, 3] {
                guard let actual = output(call, type, layout, threads: threads) else { continue }
                #expect(sameBits(actual, expected), "\(call), out \(layout), \(threads) threads")
                ran += 1
            }
            let chosen = call.output(SC_CONV_AUTO, layout)
            #expect(sameBits(chosen, expected), "\(call), out \(layout), chosen")
        }
        #expect(ran > 150, "most of them can be run: \(ran)")
    }

    /// The weight's gradient: as many sums as taps, each over all outputs of all samples.
    @Test(arguments: ElementType.allCases)
    func gradients(type: ElementType) {
        var generator = SeededGenerator(4050 + Int(type.rawValue))
        var chosen = 0
        for _ in 0..<60 {
            let forward = random(type, &generator)
            let outputs = forward.outShape().shape
            if forward.perSample || outputs.contains(0) { continue }
            let values = type.isFloating ? Values.small : .exact
            var call = ConvolutionCall(
                forward.a, TestArray(type, outputs, generator.pick(Layout.allCases)).filled(values, &generator))
            (call.operation, call.weightShape, call.groups) = (SC_CONV_WEIGHT, forward.b.shape, forward.groups)
            (call.stride, call.dilation) = (forward.stride, forward.dilation)
            (call.paddingLow, call.paddingHigh) = (forward.paddingLow, forward.paddingHigh)
            let expected = call.output(SC_CONV_REFERENCE)
            let layout = generator.pick(Layout.writable)
            for threads in [1, 3] {
                let actual = call.output(SC_CONV_AUTO, threads: threads, layout)
                #expect(sameBits(actual, expected), "\(call), out \(layout), \(threads) threads")
            }
            let out = TestArray(type, forward.b.shape)
            _ = call.withConvolution(out: out) { (convolution) throws(Failure) in
                if selectAlgorithm(convolution.phase(0), .auto) == .depthwiseGradient { chosen += 1 }
            }
        }
        #expect(chosen > 4 || type == .bool || type.isComplex, "\(chosen) were of this kind")
    }

    /// Gradients over images of several blocks.
    @Test(arguments: [Layout.c, .channelsLast])
    func gradientsOfLargeImages(layout: Layout) {
        var generator = SeededGenerator(4060)
        for (extents, taps, pad) in [([90, 150], [3, 3], 1), ([700], [9], 4), ([4, 40, 50], [2, 3, 5], 2)] {
            let outputs = zip(extents, taps).map { $0 + 2 * pad - $1 + 1 }
            var call = ConvolutionCall(
                TestArray(.float32, [2, 33] + extents, layout).filled(.small, &generator),
                TestArray(.float32, [2, 33] + outputs, layout).filled(.small, &generator))
            (call.operation, call.weightShape, call.groups) = (SC_CONV_WEIGHT, [33, 1] + taps, 33)
            call.pad(pad)
            #expect(sameBits(call.output(SC_CONV_AUTO), call.output(SC_CONV_REFERENCE)), "\(call)")
        }
    }

    /// Images wider and higher than a block, in place and packed.
    @Test(arguments: [Layout.c, .channelsLast], [ElementType.float32, .float16, .complex128])
    func severalBlocks(layout: Layout, type: ElementType) throws {
        var generator = SeededGenerator(4100)
        for (extents, channels, stride) in [([40, 300], 70, 1), ([300, 17], 200, 2), ([3, 40, 50], 33, 1)] {
            let taps = [Int](repeating: 3, count: extents.count)
            var call = ConvolutionCall(
                TestArray(type, [1, channels] + extents, layout).filled(.small, &generator),
                TestArray(type, [channels, 1] + taps).filled(.small, &generator))
            call.groups = channels
            call.pad(1)
            call.stride = taps.map { _ in stride }
            let expected = call.output(SC_CONV_REFERENCE)
            for out in [Layout.c, .channelsLast] {
                let actual = try #require(output(call, type, out, threads: 2))
                #expect(sameBits(actual, expected), "\(call), out \(out)")
            }
        }
    }

    /// Taps outside the input are left out, so that an infinite weight makes no NaN of the padding.
    @Test func infiniteWeights() throws {
        var generator = SeededGenerator(4200)
        for layout in [Layout.c, .channelsLast] {
            var call = ConvolutionCall(
                TestArray(.float32, [1, 32, 6, 6], layout).filled(.small, &generator),
                TestArray(.float32, [32, 1, 3, 3]).filled(.small, &generator))
            call.b.data.storeBytes(of: Float.infinity, as: Float.self)
            call.groups = 32
            call.pad(1)
            let actual = try #require(output(call, .float32, layout, threads: 1))
            #expect(sameBits(actual, call.output(SC_CONV_REFERENCE)))
            #expect(!actual.numbers[0].isNaN)
        }
    }
}
