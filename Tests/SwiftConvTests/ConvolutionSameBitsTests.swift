import CSwiftConv
import Foundations
import Testing

/// A convolution's sums have the same bits whatever the number of threads and whatever else is in the batch.
struct ConvolutionSameBitsTests {
    static let methods = [SC_CONV_DIRECT, SC_CONV_GEMM, SC_CONV_WINOGRAD, SC_CONV_AUTO]

    private func call(
        _ type: ElementType, _ input: [Int], _ weight: [Int], _ layout: Layout, _ generator: inout SeededGenerator,
        _ change: (inout ConvolutionCall) -> Void = { _ in }
    ) -> ConvolutionCall {
        var call = ConvolutionCall(
            TestArray(type, input, layout).filled(.rounding, &generator),
            TestArray(type, weight).filled(.rounding, &generator))
        call.pad(1)
        change(&call)
        return call
    }

    @Test(arguments: [ElementType.float32, .float64, .float16], methods)
    func forAnyNumberOfThreads(type: ElementType, method: Int) {
        var generator = SeededGenerator(600)
        var used: Int64 = 0
        for layout in [Layout.c, .channelsLast, .byteswapped] {
            for (input, weight) in [
                ([6, 17, 24, 25], [20, 17, 3, 3]), ([9, 3, 31, 30], [40, 3, 3, 3]),
                ([2, 17, 9, 14, 13], [20, 17, 3, 3, 3]),
            ] {
                let call = call(type, input, weight, layout, &generator) {
                    $0.method = method
                    $0.threads = 7
                }
                let one = call.output(threads: 1, layout == .channelsLast ? layout : .c)
                for threads in [2, 3, 7] {
                    let several = call.output(threads: threads, layout == .channelsLast ? layout : .c)
                    #expect(sameBits(several, one), "\(call), \(threads) threads")
                }
                used = max(used, call.explain().explanation.threads)
            }
        }
        #expect(used > 2, "no call was large enough to be shared")
    }

    /// Gradients and phases too.
    @Test(arguments: [ElementType.float32, .complex64], [SC_CONV_TRANSPOSED, SC_CONV_WEIGHT])
    func gradientsForAnyNumberOfThreads(type: ElementType, operation: Int) {
        var generator = SeededGenerator(610)
        for layout in [Layout.c, .channelsLast] {
            var call = call(type, [12, 16, 20, 21], [16, 24, 4, 4], layout, &generator) {
                $0.stride = [2, 2]
                $0.operation = operation
            }
            if operation == SC_CONV_WEIGHT {
                call.weightShape = [24, 16, 4, 4]
                call.b = TestArray(type, [12, 24, 10, 10], layout).filled(.rounding, &generator)
            }
            for method in [SC_CONV_GEMM, SC_CONV_AUTO] {
                let one = call.output(method, threads: 1)
                for threads in [2, 3, 7] {
                    #expect(sameBits(call.output(method, threads: threads), one), "\(call), \(threads) threads")
                }
            }
        }
    }

    @Test(arguments: [ElementType.float32, .float64, .bfloat16], methods)
    func forAnyBatchNeighbourhood(type: ElementType, method: Int) {
        var generator = SeededGenerator(620)
        for (round, layout) in [Layout.c, .channelsLast, .fortran, .firstAxisInnermost, .misaligned].enumerated() {
            for (batch, channels, outChannels) in [(2, 18, 17), (5, 3, 5), (40, 16, 16)] {
                let call = call(type, [batch, channels, 12, 13], [outChannels, channels, 3, 3], layout, &generator) {
                    $0.method = method
                    if method != SC_CONV_WINOGRAD && round == 0 { ($0.stride, $0.dilation) = ([2, 1], [1, 2]) }
                }
                let outLayout: Layout = round % 2 == 0 ? .c : .channelsLast
                let whole = call.output(nil, outLayout)
                for image in Set([0, batch / 2, batch - 1]) {
                    for range in [image..<image + 1, max(0, image - 1)..<image + 1] {
                        var alone = call
                        alone.a = call.a.slice(axis: 0, range)
                        #expect(
                            sameBits(alone.output(nil, outLayout), whole.slice(axis: 0, range)),
                            "\(call), images \(range)")
                    }
                }
            }
        }
    }

    /// A third axis, whose planes blocks share.
    @Test(arguments: [SC_CONV_GEMM, SC_CONV_AUTO, SC_CONV_WINOGRAD])
    func ofVolumesForAnyBatchNeighbourhood(method: Int) {
        var generator = SeededGenerator(625)
        for (shape, layout) in [
            ([6, 18, 5, 8, 9], Layout.c), ([3, 20, 9, 30, 21], .channelsLast), ([9, 40, 3, 6, 5], .c),
        ] {
            let call = call(.float32, shape, [17, shape[1], 3, 3, 3], layout, &generator) { $0.method = method }
            let whole = call.output()
            for image in [0, shape[0] - 1] {
                var alone = call
                alone.a = call.a.slice(axis: 0, image..<image + 1)
                for threads in [1, 3] {
                    #expect(
                        sameBits(alone.output(threads: threads), whole.slice(axis: 0, image..<image + 1)), "\(call)")
                }
            }
        }
    }

    /// Grouped and with filters of their own for samples.
    @Test(arguments: [SC_CONV_GEMM, SC_CONV_AUTO, SC_CONV_WINOGRAD])
    func forGroupsAndSamplesOfTheirOwn(method: Int) {
        var generator = SeededGenerator(630)
        for groups in [1, 4] {
            for perSample in [false, true] {
                let weight = (perSample ? [5] : []) + [32, 32 / groups, 3, 3]
                let call = call(.float32, [5, 32, 12, 13], weight, .c, &generator) {
                    ($0.method, $0.groups, $0.perSample) = (method, groups, perSample)
                }
                let whole = call.output()
                for threads in [2, 3, 7] { #expect(sameBits(call.output(threads: threads), whole), "\(call)") }
                for image in [0, 4] {
                    var alone = call
                    alone.a = call.a.slice(axis: 0, image..<image + 1)
                    if perSample { alone.b = call.b.slice(axis: 0, image..<image + 1) }
                    #expect(sameBits(alone.output(), whole.slice(axis: 0, image..<image + 1)), "\(call)")
                }
            }
        }
    }

    /// What several system threads compute at once, each with several of its own.
    @Test func forCallsAtOnce() {
        var generator = SeededGenerator(640)
        for method in [SC_CONV_GEMM, SC_CONV_WINOGRAD] {
            let call = call(.float32, [8, 24, 20, 21], [24, 24, 3, 3], .c, &generator) { $0.method = method }
            let expected = call.output(threads: 1)
            onThreads(6) { i in
                for round in 0..<4 {
                    let out = TestArray(.float32, expected.shape)
                    var call = call
                    call.threads = 1 + (i + round) % 4
                    #expect(call.run(into: out).status == SC_OK)
                    #expect(sameBits(out, expected))
                }
            }
        }
    }
}
