import Algorithms
import CSwiftConv
import Foundations
import Kernels
import Testing

/// Windows that reach outside, by masks: against the reference, bit for bit, beside guard pages.
struct MaskedTests {
    /// Channels with filters of their own, or filters over the same image.
    private func random(_ type: ElementType, _ generator: inout SeededGenerator) -> ConvolutionCall {
        let taps = generator.pick([3, 5, 7])
        let step = 1 + generator.below(2)
        let (low, high) = ([generator.below(9), generator.below(taps)], [generator.below(9), generator.below(taps)])
        let dilation = [1, generator.once(in: 3) ? 2 : 1]
        let extents = (0..<2).map { i in
            max(dilation[i] * (taps - 1) + 1 - low[i] - high[i], 1) + generator.below(i == 0 ? 22 : 75)
        }
        let samples = 1 + generator.below(3)
        let channels = generator.pick([1, 1, 2, 3, 17, 70])
        let multiplier = 1 + generator.below(channels > 3 ? 2 : 6)
        let layouts: [Layout] = [.c, .c, .gappedRows, .firstAxisInnermost, .broadcastFirst]
        var call = ConvolutionCall(
            TestArray(type, [samples, channels] + extents, generator.pick(layouts)).filled(.small, &generator),
            TestArray(type, [channels * multiplier, 1, taps, taps], generator.pick([.c, .c, .fortran, .reversed]))
                .filled(.small, &generator))
        if generator.once(in: 2) {
            call.bias = TestArray(type, [channels * multiplier], generator.pick([.c, .reversed]))
                .filled(.small, &generator)
        }
        (call.groups, call.dilation, call.stride) = (channels, dilation, [step, step])
        (call.paddingLow, call.paddingHigh) = (low, high)
        if generator.once(in: 3) { call.clamp = -3...5 }
        return call
    }

    @Test(arguments: [ElementType.float32, .float64], GuardedMemory.Guard.allCases)
    func everyWidth(type: ElementType, guarding: GuardedMemory.Guard) {
        var generator = SeededGenerator(8000 + Int(type.rawValue))
        var masked = 0
        for _ in 0..<250 {
            let call = random(type, &generator)
            let layout = generator.pick([Layout.c, .gappedRows])
            let expected = call.output(SC_CONV_REFERENCE)
            for threads in [1, 3] {
                let actual = call.output(SC_CONV_DIRECT, threads: threads, layout, guarding: guarding)
                #expect(sameBits(actual, expected), "\(call), out \(layout), \(threads) threads")
            }
            var direct = call
            direct.method = SC_CONV_DIRECT
            if String(cString: direct.explain().explanation.kernel) == "masked rows" { masked += 1 }
        }
        #expect(masked > 60 || !runsMaskedStrips(type.arithmetic, filterRows: 3), "\(masked) were of this kind")
    }

    /// Weights that are not finite meet samples that are there, and no others.
    @Test(arguments: [1, 2])
    func infiniteWeights(step: Int) {
        var generator = SeededGenerator(8100)
        for value in [Float.infinity, .nan] {
            var call = ConvolutionCall(
                TestArray(.float32, [2, 20, 9, 11]).filled(.small, &generator),
                TestArray(.float32, [20, 1, 3, 3]).filled(.small, &generator))
            call.b.data.storeBytes(of: value, toByteOffset: 4 * 9, as: Float.self)
            (call.groups, call.stride) = (20, [step, step])
            call.pad(1)
            #expect(sameBits(call.output(SC_CONV_DIRECT), call.output(SC_CONV_REFERENCE)))
        }
    }

    /// Samples that are not finite reach the outputs whose windows hold them, and no others.
    @Test(arguments: [1, 2])
    func infiniteSamples(step: Int) {
        var generator = SeededGenerator(8200)
        for place in [0, 10, 54, 98] {
            var call = ConvolutionCall(
                TestArray(.float32, [1, 20, 9, 11]).filled(.small, &generator),
                TestArray(.float32, [20, 1, 3, 3]).filled(.small, &generator))
            call.a.data.storeBytes(of: Float.nan, toByteOffset: 4 * place, as: Float.self)
            (call.groups, call.stride) = (20, [step, step])
            call.pad(1)
            #expect(sameBits(call.output(SC_CONV_DIRECT), call.output(SC_CONV_REFERENCE)))
        }
    }

    /// Narrow images of many channels are read by masks where there are some, rather than turned.
    @Test(arguments: [1, 2])
    func isChosen(step: Int) {
        var call = ConvolutionCall(TestArray(.float32, [1, 32, 14, 14]), TestArray(.float32, [32, 1, 3, 3]))
        (call.groups, call.stride) = (32, [step, step])
        call.pad(1)
        let hasMasks = runsMaskedStrips(.float32, filterRows: 3)
        #expect((String(cString: call.explain().explanation.kernel) == "masked rows") == hasMasks)
    }

    /// Planes of the padding of a third axis, which hold nothing.
    @Test func outerPadding() {
        var generator = SeededGenerator(8300)
        for (depth, taps) in [(1, 1), (3, 1), (3, 2), (2, 3)] {
            var call = ConvolutionCall(
                TestArray(.float32, [2, 20, depth, 14, 14]).filled(.small, &generator),
                TestArray(.float32, [20, 1, taps, 3, 3]).filled(.small, &generator))
            call.groups = 20
            call.pad(1)
            #expect(sameBits(call.output(SC_CONV_DIRECT), call.output(SC_CONV_REFERENCE)), "\(call)")
        }
    }
}
