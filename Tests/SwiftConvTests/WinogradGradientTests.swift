import Algorithms
import CSwiftConv
import Foundations
import Planning
import Testing

/// Weights' gradients by F(3 x 3, 4 x 4): that they are right, and how much they round.
struct WinogradGradientTests {
    /// Nil if the algorithm left the problem to others.
    private func output(
        _ call: ConvolutionCall, threads: Int = 1, type: ElementType? = nil, _ layout: Layout = .c,
        guarding: GuardedMemory.Guard = .end
    ) -> TestArray? {
        let out = TestArray(type ?? call.result, call.weightShape!, layout, guarding: guarding)
        var ran: Bool?
        let failure = call.withConvolution(out: out) { (convolution) throws(Failure) in
            ran = try WinogradGradient.run(convolution.phase(0), threads: threads, control: .none)
        }
        #expect(failure == nil, "\(call)")
        if !out.canariesAreAlive { Issue.record("written outside: \(call)") }
        return ran == true ? out : nil
    }

    /// `samples` of `extents`, `channels` to `outChannels`, padded by `padding` on all sides.
    private func call(
        _ type: ElementType, samples: Int, channels: Int, outChannels: Int, _ extents: [Int], padding: Int = 1,
        groups: Int = 1, layout: Layout = .c, values: Values = .small,
        _ generator: inout SeededGenerator
    ) -> ConvolutionCall {
        let outputs = extents.map { $0 + 2 * padding - 2 }
        var call = ConvolutionCall(
            TestArray(type, [samples, groups * channels] + extents, layout).filled(values, &generator),
            TestArray(type, [samples, groups * outChannels] + outputs, layout).filled(values, &generator))
        (call.operation, call.weightShape) = (SC_CONV_WEIGHT, [groups * outChannels, channels, 3, 3])
        call.groups = groups
        call.pad(padding)
        return call
    }

    private func expectClose(_ actual: TestArray?, _ call: ConvolutionCall, _ epsilon: Double) {
        guard let actual else {
            Issue.record("left to others: \(call)")
            return
        }
        let expected = call.output(SC_CONV_GEMM).numbers
        // Operands are up to 4, and a product is summed for each output.
        let outputs = call.b.shape[0] * call.b.shape[2] * call.b.shape[3]
        let bound = 16 * Double(outputs + 16) * 8 * epsilon
        #expect(zip(actual.numbers, expected).allSatisfy { abs($0 - $1) <= bound }, "\(call)")
    }

    @Test(arguments: [ElementType.float32, .float64, .float16])
    func everyOption(type: ElementType) {
        var generator = SeededGenerator(800)
        let epsilon = type == .float64 ? Double.ulpOfOne : type == .float32 ? Double(Float.ulpOfOne) : 1e-3
        for round in 0..<60 {
            var geometry = ConvolutionCall.Geometry.random(SC_CONV_WEIGHT, &generator)
            geometry.samples = 1 + generator.below(4)
            geometry.extents = [5 + generator.below(12), 5 + generator.below(30)]
            (geometry.taps, geometry.stride, geometry.dilation) = ([3, 3], [1, 1], [1, 1])
            geometry.inputDilation = [1, 1]
            geometry.low = (0..<2).map { _ in generator.below(4) - 1 }
            geometry.high = (0..<2).map { _ in generator.below(4) - 1 }
            geometry.inChannels = generator.pick([1, 2, 5, 16, 17, 40])
            let call = ConvolutionCall(SC_CONV_WEIGHT, geometry, type, .small, &generator)
            let actual = output(
                call, threads: 1 + round % 3, generator.pick(Layout.writable), guarding: round % 2 == 0 ? .start : .end)
            expectClose(actual, call, epsilon)
        }
    }

    /// Around whole tiles, chunks of some images, rows or parts of a row, vectors, panels and blocks of channels.
    @Test func everySize() {
        var generator = SeededGenerator(810)
        for (samples, height, width) in [
            (1, 1, 1), (3, 2, 3), (1, 4, 4), (2, 5, 5), (40, 4, 4), (70, 7, 7), (2, 33, 40), (1, 3, 300), (5, 13, 61),
        ] {
            for (channels, outChannels) in [(1, 1), (15, 17), (16, 16), (33, 5), (3, 70)] {
                let call = call(
                    .float32, samples: samples, channels: channels, outChannels: outChannels, [height, width],
                    &generator)
                expectClose(output(call), call, Double(Float.ulpOfOne))
            }
        }
        for (channels, outChannels) in [(129, 7), (7, 129), (130, 150), (300, 2)] {
            for layout in [Layout.c, .channelsLast] {
                let call = call(
                    .float32, samples: 2, channels: channels, outChannels: outChannels, [6, 9], layout: layout,
                    &generator)
                expectClose(output(call, layout), call, Double(Float.ulpOfOne))
            }
        }
    }

    @Test(arguments: [ElementType.float32, .float64])
    func sameBitsForAnyNumberOfThreads(type: ElementType) {
        var generator = SeededGenerator(820)
        for (samples, channels, outChannels, extent, groups) in [
            (9, 40, 24, 20, 1), (2, 130, 70, 14, 1), (70, 17, 16, 7, 3),
        ] {
            for layout in [Layout.c, .channelsLast] {
                let call = call(
                    type, samples: samples, channels: channels, outChannels: outChannels, [extent, extent],
                    groups: groups, layout: layout, values: .rounding, &generator)
                guard let one = output(call) else {
                    Issue.record("left to others")
                    continue
                }
                for threads in [2, 3, 7, 40] {
                    #expect(output(call, threads: threads).map { sameBits($0, one) } == true, "\(threads) threads")
                }
            }
        }
    }

    /// From the shortest sums on that are chosen automatically, within 4 times the error of direct summation.
    @Test(arguments: [(6, 8), (2, 14), (1, 20), (8, 7), (4, 40)], [false, true])
    func roundsWithinThePromise(images: (samples: Int, extent: Int), rectifies: Bool) {
        var generator = SeededGenerator(830)
        var call = call(
            .float32, samples: images.samples, channels: 40, outChannels: 40, [images.extent, images.extent],
            values: .normal, &generator)
        if rectifies { call.a.set(call.a.numbers.map { max($0, 0) }) }
        let (direct, found) = (call.output(SC_CONV_REFERENCE).numbers, output(call)?.numbers)
        call.result = .float64
        let exact = call.output(SC_CONV_GEMM).numbers
        func errors(_ actual: [Double]) -> (mean: Double, largest: Double) {
            let errors = zip(actual, exact).map { abs($0 - $1) }
            return ((errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot(), errors.max()!)
        }
        let (base, actual) = (errors(direct), errors(found ?? []))
        #expect(found != nil && actual.mean <= 4 * base.mean && actual.largest <= 4 * base.largest)
    }

    /// NaN and infinity, of operands or of sums on the way, are left to the matrix product.
    @Test(arguments: [Double.infinity, -.infinity, .nan, 3e38])
    func leavesWhatIsNotFinite(bad: Double) {
        var generator = SeededGenerator(840)
        for inGradient in [false, true] {
            for place in [0, 7, 500, 2047] {
                var call = call(
                    .float32, samples: 2, channels: 16, outChannels: 16, [8, 8], &generator)
                var numbers = (inGradient ? call.b : call.a).numbers
                numbers[place] = bad
                (inGradient ? call.b : call.a).set(numbers)
                #expect(output(call) == nil)
                call.method = SC_CONV_WINOGRAD
                let (actual, expected) = (call.output(nil), call.output(SC_CONV_GEMM))
                #expect(sameBits(actual, expected), "\(place)")
                #expect(actual.numbers.contains { $0.isFinite } || bad.isFinite, "other taps or channels are untouched")
            }
        }
    }

    @Test func boundedWorkspace() {
        var generator = SeededGenerator(850)
        for type in [ElementType.float32, .float64] {
            for (samples, channels, extents) in [
                (1, 512, [7, 7]), (64, 512, [7, 7]), (2, 200, [30, 30]), (1, 16, [3, 4000]), (1, 64, [300, 9]),
            ] {
                var call = call(
                    type, samples: samples, channels: channels, outChannels: channels > 100 ? 150 : channels, extents,
                    &generator)
                call.method = SC_CONV_WINOGRAD
                let out = TestArray(type, call.weightShape!)
                let found = call.explain(out: out).explanation
                #expect(found.workspace_bytes > 0 && found.workspace_bytes < 4 << 20, "\(call)")
            }
        }
    }

    @Test func selection() {
        func select(
            _ input: [Int], _ rows: Int, layout: Layout = .c, _ change: (inout ConvolutionCall) -> Void = { _ in }
        )
            -> ConvolutionAlgorithm?
        {
            let outputs = [input[0], rows] + input.dropFirst(2)
            var call = ConvolutionCall(TestArray(.float32, input, layout), TestArray(.float32, outputs, layout))
            (call.operation, call.weightShape) = (SC_CONV_WEIGHT, [rows, input[1], 3, 3])
            call.pad(1)
            change(&call)
            var found: ConvolutionAlgorithm?
            let failure = call.withConvolution(out: TestArray(.float32, call.weightShape!)) {
                (convolution) throws(Failure) in found = selectAlgorithm(convolution.phase(0), .auto)
            }
            return failure == nil ? found : nil
        }
        for layout in [Layout.c, .channelsLast] {
            #expect(select([2, 64, 14, 14], 64, layout: layout) == .winogradGradient)
            #expect(select([1, 16, 20, 20], 8, layout: layout) == .winogradGradient)
            #expect(select([1, 64, 14, 14], 64, layout: layout) == .gemm, "short sums")
            #expect(select([1, 15, 60, 60], 64, layout: layout) == .gemm, "few channels")
            #expect(select([1, 64, 1, 600], 64, layout: layout) == .gemm, "most of a tile is cut off")
        }
        #expect(select([2, 64, 14, 14], 64, layout: .fortran) == .gemm, "neither rows nor channels are contiguous")
        #expect(
            select([2, 64, 16, 16], 64) {
                $0.dilation = [2, 2]
                $0.b = TestArray(.float32, [2, 64, 14, 14])
            } == .gemm)
    }
}
