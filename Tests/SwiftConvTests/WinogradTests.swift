import Algorithms
import CSwiftConv
import Foundations
import Planning
import Testing

/// Convolutions by filters of 3 x 3 taps, and of planes of them, with fewer products: that they are right, and how much they round.
struct WinogradTests {
    /// By F(outputs x outputs, 3 x 3), phase by phase.
    private func output(
        _ call: ConvolutionCall, outputs: Int, threads: Int = 1, type: ElementType? = nil, _ layout: Layout = .c,
        guarding: GuardedMemory.Guard = .end
    ) -> TestArray {
        let shape = call.operation == SC_CONV_WEIGHT ? call.weightShape! : call.outShape().shape
        let out = TestArray(type ?? call.result, shape, layout, guarding: guarding)
        let failure = call.withConvolution(out: out) { (convolution) throws(Failure) in
            for number in 0..<convolution.phaseCount {
                let ran = try Winograd.run(
                    convolution.phase(number), outputs: outputs, threads: threads, control: .none)
                #expect(ran == true, "\(call)")
            }
        }
        #expect(failure == nil, "\(call)")
        if !out.canariesAreAlive { Issue.record("written outside: \(call)") }
        return out
    }

    /// At unit steps, or a transposed convolution whose phases are.
    private func randomCall(
        _ operation: Int, _ type: ElementType, _ generator: inout SeededGenerator
    ) -> ConvolutionCall {
        var geometry = ConvolutionCall.Geometry.random(operation, &generator)
        let step = operation == SC_CONV_TRANSPOSED && generator.once(in: 3) ? 2 : 1
        geometry.extents = [Int.random(in: 3...14, using: &generator), Int.random(in: 3...40, using: &generator)]
        geometry.taps = [3 * step, 3 * step]
        geometry.stride = [step, step]
        (geometry.dilation, geometry.inputDilation) = ([1, 1], [1, 1])
        geometry.low = (0..<2).map { _ in Int.random(in: 0...2, using: &generator) }
        geometry.high = (0..<2).map { _ in Int.random(in: 0...2, using: &generator) }
        if operation == SC_CONV_TRANSPOSED { geometry.extents = geometry.extents.map { $0 + 3 } }
        if operation == SC_CONV_WEIGHT {
            // What is slid over the input is the output's gradient.
            geometry.extents = [Int.random(in: 3...6, using: &generator), Int.random(in: 3...20, using: &generator)]
            for i in 0..<2 { geometry.taps[i] = geometry.extents[i] + geometry.low[i] + geometry.high[i] - 2 }
            geometry.samples = max(geometry.samples, 1)
        }
        geometry.samples *= generator.pick([1, 1, 4])
        return ConvolutionCall(operation, geometry, type, .small, &generator)
    }

    /// With the points 0, 1 and -1, sums of small fractions are exact.
    @Test(arguments: [ElementType.float32, .float64, .float16, .bfloat16], ConvolutionReferenceTests.operations)
    func smallTilesAreExact(type: ElementType, operation: Int) {
        var generator = SeededGenerator(400 + operation)
        for round in 0..<40 {
            let call = randomCall(operation, type, &generator)
            let expected = call.output(SC_CONV_GEMM)
            let actual = output(
                call, outputs: 2, generator.pick(Layout.writable), guarding: round % 2 == 0 ? .start : .end)
            #expect(sameBits(actual, expected), "\(call)")
        }
    }

    /// With a third axis of any number of taps, which is any of the three.
    private func randomVolume(
        _ operation: Int, _ type: ElementType, _ generator: inout SeededGenerator
    ) -> ConvolutionCall {
        var geometry = ConvolutionCall.Geometry.random(operation, &generator)
        let step = operation == SC_CONV_TRANSPOSED && generator.once(in: 3) ? 2 : 1
        let planes = generator.pick([0, 0, 1, 2])
        geometry.extents = (0..<3).map { _ in Int.random(in: 3...13, using: &generator) }
        geometry.taps = [3 * step, 3 * step, 3 * step]
        geometry.taps[planes] = step * generator.pick([1, 2, 3, 3, 4, 7])
        geometry.stride = [step, step, step]
        (geometry.dilation, geometry.inputDilation) = ([1, 1, 1], [1, 1, 1])
        geometry.low = (0..<3).map { _ in Int.random(in: 0...2, using: &generator) }
        geometry.high = (0..<3).map { _ in Int.random(in: 0...2, using: &generator) }
        geometry.extents[planes] = max(geometry.extents[planes], geometry.taps[planes])
        if operation == SC_CONV_TRANSPOSED { geometry.extents = geometry.extents.map { $0 + 3 } }
        if operation == SC_CONV_WEIGHT {
            geometry.extents = (0..<3).map { _ in Int.random(in: 3...6, using: &generator) }
            for i in 0..<3 { geometry.taps[i] = geometry.extents[i] + geometry.low[i] + geometry.high[i] - 2 }
            geometry.samples = max(geometry.samples, 1)
        }
        return ConvolutionCall(operation, geometry, type, .small, &generator)
    }

    @Test(arguments: [ElementType.float32, .float64, .float16], ConvolutionReferenceTests.operations)
    func smallTilesOfVolumesAreExact(type: ElementType, operation: Int) {
        var generator = SeededGenerator(402 + operation)
        for round in 0..<60 {
            let call = randomVolume(operation, type, &generator)
            let expected = call.output(SC_CONV_GEMM)
            let actual = output(
                call, outputs: 2, threads: 1 + round % 3, generator.pick(Layout.writable),
                guarding: round % 2 == 0 ? .start : .end)
            #expect(sameBits(actual, expected), "\(call)")
        }
    }

    /// Volumes around whole blocks: many planes of few tiles, several of them in a block, blocks of some planes and of parts
    /// of a row, and more planes under one output than a block has.
    @Test func volumesOfEverySize() {
        var generator = SeededGenerator(406)
        for (planes, height, width, taps, channels) in [
            (1, 8, 8, 3, 5), (2, 4, 4, 3, 5), (40, 4, 5, 3, 40), (9, 33, 30, 3, 33), (3, 5, 900, 2, 40),
            (7, 65, 66, 5, 17),
            (200, 5, 4, 160, 2), (30, 6, 6, 1, 40), (12, 12, 12, 3, 170), (4, 7, 7, 3, 200),
        ] {
            for samples in [1, 5] {
                let a = TestArray(.float32, [samples, channels, planes, height, width]).filled(.small, &generator)
                var call = ConvolutionCall(
                    a, TestArray(.float32, [5, channels, taps, 3, 3]).filled(.small, &generator))
                (call.paddingLow, call.paddingHigh) = ([taps / 2, 1, 1], [taps / 2, 1, 1])
                let expected = call.output(SC_CONV_GEMM)
                #expect(sameBits(output(call, outputs: 2), expected), "\(call)")
                #expect(sameBits(output(call, outputs: 2, threads: 3), expected), "\(call)")
                let large = output(call, outputs: 4).numbers
                #expect(zip(large, expected.numbers).allSatisfy { abs($0 - $1) <= 2e-3 }, "\(call)")
                call.method = SC_CONV_WINOGRAD
                #expect(call.explain().explanation.workspace_bytes < 4 << 20, "\(call)")
            }
        }
    }

    /// Dilated along one axis or both, part by part: every residue of outputs and of samples, padding of any size.
    @Test func dilated() {
        var generator = SeededGenerator(405)
        for round in 0..<90 {
            let dilation = generator.pick([
                [2, 2], [3, 1], [1, 2], [2, 5], [3, 3], [2, 1, 1], [1, 2, 1], [2, 1, 3],
            ])
            let rank = dilation.count
            let padding = (0..<2 * rank).map { _ in generator.below(rank == 2 ? 8 : 4) }
            let extents = dilation.map { 2 * $0 + 1 + $0 + generator.below(rank == 2 ? 20 : 6) }
            var call = ConvolutionCall(
                TestArray(.float32, [1 + generator.below(2), 3] + extents, generator.pick(Layout.allCases))
                    .filled(.small, &generator),
                TestArray(.float32, [5, 3] + dilation.map { _ in 3 }, generator.pick(Layout.allCases))
                    .filled(.small, &generator))
            call.dilation = dilation
            (call.paddingLow, call.paddingHigh) = (Array(padding[..<rank]), Array(padding[rank...]))
            if generator.once(in: 2) { call.bias = TestArray(.float32, [5]).filled(.small, &generator) }
            let expected = call.output(SC_CONV_REFERENCE)
            let layout = generator.pick(Layout.writable)
            let actual = output(call, outputs: 2, threads: 1 + round % 2, layout)
            #expect(sameBits(actual, expected), "\(call), out \(layout)")
        }
    }

    @Test(arguments: [ElementType.float32, .float64], ConvolutionReferenceTests.operations)
    func largeTilesAreClose(type: ElementType, operation: Int) {
        var generator = SeededGenerator(410 + operation)
        let epsilon = type == .float32 ? Double(Float.ulpOfOne) : Double.ulpOfOne
        for round in 0..<40 {
            let call = randomCall(operation, type, &generator)
            let expected = call.output(SC_CONV_GEMM)
            let out = generator.pick([type, .float64])
            let actual = output(
                call, outputs: 4, type: out, generator.pick(Layout.writable), guarding: round % 2 == 0 ? .start : .end)
            // Operands are up to 4, and 9 of a channel's products are summed.
            let channels = call.operation == SC_CONV_WEIGHT ? call.a.shape[0] : call.a.shape[1]
            let bound = 16 * 9 * Double(channels) * 8 * epsilon
            #expect(zip(actual.numbers, expected.numbers).allSatisfy { abs($0 - $1) <= bound }, "\(call)")
        }
    }

    /// Images around whole tiles, several of them in a block and an image in several blocks.
    @Test func imagesOfEverySize() {
        var generator = SeededGenerator(420)
        let b = TestArray(.float32, [7, 5, 3, 3]).filled(.small, &generator)
        for height in [1, 2, 3, 4, 5, 8, 13] {
            for width in [1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 65, 130] {
                for samples in [1, 3, 30] {
                    let a = TestArray(.float32, [samples, 5, height, width]).filled(.small, &generator)
                    var call = ConvolutionCall(a, b)
                    call.pad(1)
                    let expected = call.output(SC_CONV_GEMM)
                    #expect(sameBits(output(call, outputs: 2), expected), "\(call)")
                    let large = output(call, outputs: 4).numbers
                    #expect(zip(large, expected.numbers).allSatisfy { abs($0 - $1) <= 2e-4 }, "\(call)")
                }
            }
        }
    }

    /// Filters whose transforms are made in several passes, and channels beyond a panel's depth.
    @Test(arguments: [(ElementType.float64, 250, 230), (.float32, 530, 7), (.float32, 3, 700), (.float64, 40, 170)])
    func manyChannels(type: ElementType, channels: Int, outChannels: Int) {
        var generator = SeededGenerator(430)
        let a = TestArray(type, [2, channels, 6, 5]).filled(.small, &generator)
        let b = TestArray(type, [outChannels, channels, 3, 3]).filled(.small, &generator)
        var call = ConvolutionCall(a, b)
        call.bias = TestArray(type, [outChannels]).filled(.small, &generator)
        call.pad(1)
        let expected = call.output(SC_CONV_GEMM)
        for threads in [1, 2] {
            #expect(sameBits(output(call, outputs: 2, threads: threads), expected))
            let large = output(call, outputs: 4, threads: threads).numbers
            let bound = type == .float32 ? 5e-3 : 1e-11
            #expect(zip(large, expected.numbers).allSatisfy { abs($0 - $1) <= bound })
        }
    }

    // MARK: Rounding

    /// Root of the mean square, and largest.
    private func errors(_ actual: TestArray, _ exact: [Double]) -> (mean: Double, largest: Double) {
        let errors = zip(actual.numbers, exact).map { abs($0 - $1) }
        return ((errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot(), errors.max()!)
    }

    /// The promise of what is chosen automatically, from 16 channels on: within 4 times the error of direct summation, one
    /// product after the other. Measured, times that error, root of mean square and largest, on normal weights and
    ///
    ///                   normal samples               rectified ones
    ///     channels      F(2, 3)      F(4, 3)         F(2, 3)      F(4, 3)
    ///     16            0.77 0.29    3.00 1.46       0.93 0.62    3.34 2.05
    ///     64            0.64 0.21    2.49 1.01       0.81 0.59    3.12 3.00
    ///     256           0.41 0.19    1.65 0.88       0.54 0.45    2.06 1.59
    ///
    /// and channels of 3 planes of taps much as thrice as many.
    @Test(arguments: [(16, 1), (64, 1), (256, 1), (11, 3), (64, 3)], [false, true])
    func roundsWithinThePromise(sums: (channels: Int, planes: Int), rectifies: Bool) {
        var generator = SeededGenerator(440)
        let (channels, planes) = sums
        let a = TestArray(.float32, [1, channels, planes, 24, 24]).filled(.normal, &generator)
        if rectifies { a.set(a.numbers.map { max($0, 0) }) }
        let b = TestArray(.float32, [6, channels, planes, 3, 3]).filled(.normal, &generator)
        var call = ConvolutionCall(a, b)
        (call.paddingLow, call.paddingHigh) = ([0, 1, 1], [0, 1, 1])
        let direct = call.output(SC_CONV_REFERENCE)
        let (small, large) = (output(call, outputs: 2), output(call, outputs: 4))
        call.result = .float64
        let exact = call.output(SC_CONV_GEMM).numbers
        let base = errors(direct, exact)
        for (outputs, found) in [(2, errors(small, exact)), (4, errors(large, exact))] {
            #expect(found.mean <= 4 * base.mean && found.largest <= 4 * base.largest, "F(\(outputs), 3)")
        }
    }

    // MARK: Infinity and NaN

    @Test(arguments: [ElementType.float32, .float64], [Double.infinity, -.infinity, .nan])
    func oneBadSampleTouchesItsWindowsAlone(type: ElementType, bad: Double) {
        var generator = SeededGenerator(450)
        let b = TestArray(type, [3, 4, 3, 3]).filled(.small, &generator)
        let (height, width) = (11, 22)
        let clean = TestArray(type, [2, 4, height, width]).filled(.small, &generator)
        // The right and lower edges are cropped: tiles read there what no window holds.
        for (low, high) in [(0, 0), (1, 1), (2, 0), (1, -3)] {
            for place in [0, width - 1, 5 * width + 7, 6 * width + 19, height * width - 1, 5 * height * width - 2] {
                let a = TestArray(type, clean.shape)
                var numbers = clean.numbers
                numbers[place] = bad
                a.set(numbers)
                var call = ConvolutionCall(a, b)
                (call.paddingLow, call.paddingHigh) = ([low, low], [high, high])
                let expected = call.output(SC_CONV_REFERENCE).numbers
                #expect(same(output(call, outputs: 2).numbers, expected, within: 0), "\(call), \(place)")
                #expect(same(output(call, outputs: 4).numbers, expected, within: 1e-3), "\(call), \(place)")
                #expect(same(call.output(SC_CONV_GEMM).numbers, expected, within: 0), "\(call), \(place)")
            }
        }
    }

    private func same(_ a: [Double], _ b: [Double], within bound: Double) -> Bool {
        zip(a, b).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) || abs($0 - $1) <= bound }
    }

    @Test(arguments: [Double.infinity, .nan])
    func oneBadSampleOfAVolumeTouchesItsWindowsAlone(bad: Double) {
        var generator = SeededGenerator(455)
        let clean = TestArray(.float32, [2, 3, 5, 6, 9]).filled(.small, &generator)
        for (taps, boundary) in [
            ([3, 3, 3], SC_BOUNDARY_FILL), ([3, 3, 2], SC_BOUNDARY_FILL), ([3, 3, 3], SC_BOUNDARY_WRAP),
            ([2, 3, 3], SC_BOUNDARY_SYMMETRIC),
        ] {
            let b = TestArray(.float32, [3, 3] + taps).filled(.small, &generator)
            for place in [0, 53, 54 * 4 + 20, 270 * 4 + 54 * 2 + 33, clean.count - 1] {
                let a = TestArray(.float32, clean.shape)
                var numbers = clean.numbers
                numbers[place] = bad
                a.set(numbers)
                var call = ConvolutionCall(a, b)
                call.pad(1)
                call.boundary = boundary
                let expected = call.output(SC_CONV_REFERENCE).numbers
                #expect(same(output(call, outputs: 2).numbers, expected, within: 0), "\(call), \(place)")
                #expect(same(output(call, outputs: 4).numbers, expected, within: 1e-3), "\(call), \(place)")
            }
        }
    }

    /// Transforms of large samples overflow where the sums do not.
    @Test func largeSamplesDoNotOverflow() {
        var generator = SeededGenerator(460)
        let (a, b) = (TestArray(.float32, [1, 2, 9, 13]), TestArray(.float32, [2, 2, 3, 3]))
        a.set((0..<a.count).map { _ in generator.pick([1, -1, 0.5]) * 3e38 })
        b.set((0..<b.count).map { _ in Double.random(in: -0.05...0.05, using: &generator) })
        let call = ConvolutionCall(a, b)
        let expected = call.output(SC_CONV_REFERENCE).numbers
        #expect(expected.allSatisfy { $0.isFinite })
        #expect(same(call.output(SC_CONV_WINOGRAD).numbers, expected, within: 1e33))
    }

    /// Such filters are left to the matrix product, also where only the transform overflows.
    @Test(arguments: [Double.infinity, -.infinity, .nan, 3.4e38])
    func filtersThatAreNotFinite(bad: Double) {
        var generator = SeededGenerator(470)
        let a = TestArray(.float32, [2, 20, 9, 10]).filled(.small, &generator)
        let b = TestArray(.float32, [18, 20, 3, 3]).filled(.small, &generator)
        var weights = b.numbers
        weights[20 * 9 * 5] = bad
        b.set(weights)
        let call = ConvolutionCall(a, b)
        let expected = call.output(SC_CONV_REFERENCE)
        for method in [SC_CONV_WINOGRAD, SC_CONV_GEMM, SC_CONV_AUTO, SC_CONV_DIRECT] {
            #expect(same(call.output(method).numbers, expected.numbers, within: 0), "method \(method)")
        }
    }

    // MARK: Selection

    /// What the named method takes, and what it refuses before it writes a thing.
    @Test func takesThreeByThreeAtUnitSteps() {
        func status(_ type: ElementType, _ weight: [Int], _ change: (inout ConvolutionCall) -> Void) -> Int {
            let a = TestArray(type, [1, 2] + weight.dropFirst(2).map { _ in 12 })
            a.set([Double](repeating: 1, count: a.count))
            let b = TestArray(type, weight)
            b.set([Double](repeating: 1, count: b.count))
            var call = ConvolutionCall(a, b)
            call.method = SC_CONV_WINOGRAD
            change(&call)
            let out = TestArray(type, call.outShape().shape)
            let ran = call.run(into: out)
            if ran.status != SC_OK {
                #expect(ran.error.argument == SC_ARG_METHOD)
                #expect(out.memory.bytes.allSatisfy { $0 == GuardedMemory.canary }, "out is untouched")
            }
            #expect(call.explain().status == ran.status || call.operation == SC_CONV_TRANSPOSED)
            return ran.status
        }
        for type in [ElementType.float16, .float32, .float64] { #expect(status(type, [2, 2, 3, 3]) { _ in } == SC_OK) }
        for type in [ElementType.int32, .complex64] { #expect(status(type, [2, 2, 3, 3]) { _ in } == SC_METHOD) }
        for weight in [[2, 2, 3], [2, 2, 2, 3], [2, 2, 5, 5], [2, 2, 2, 2, 3], [2, 2, 1, 3, 3, 3]] {
            #expect(status(.float32, weight) { _ in } == SC_METHOD)
        }
        for weight in [[2, 2, 3, 3, 3], [2, 2, 7, 3, 3], [2, 2, 3, 2, 3], [2, 2, 3, 3, 1]] {
            #expect(status(.float32, weight) { _ in } == SC_OK)
            #expect(status(.float32, weight) { $0.stride = [2, 1, 1] } == SC_METHOD)
            #expect(status(.float32, weight) { $0.stride = [1, 1, 2] } == SC_METHOD)
            #expect(status(.float32, weight) { $0.paddingLow = [170, 0, 0] } == SC_OK)
        }
        #expect(status(.float32, [2, 2, 3, 3, 3]) { $0.dilation = [2, 1, 3] } == SC_OK)
        func long(_ taps: Int) -> Int { status(.float32, [2, 2, taps, 3, 3]) { $0.paddingLow = [170, 0, 0] } }
        #expect(long(160) == SC_OK && long(161) == SC_METHOD, "a panel holds the taps along z")
        #expect(status(.float32, [2, 2, 3, 3]) { $0.stride = [1, 2] } == SC_METHOD)
        #expect(status(.float32, [2, 2, 3, 3]) { $0.dilation = [2, 1] } == SC_OK)
        func wrapped(_ call: inout ConvolutionCall) { (call.dilation, call.boundary) = ([2, 1], SC_BOUNDARY_WRAP) }
        #expect(status(.float32, [2, 2, 3, 3], wrapped) == SC_METHOD, "residues meet")
        func transposed(_ call: inout ConvolutionCall) { (call.operation, call.stride) = (SC_CONV_TRANSPOSED, [2, 2]) }
        #expect(status(.float32, [2, 2, 6, 6], transposed) == SC_OK)
        #expect(status(.float32, [2, 2, 5, 5], transposed) == SC_METHOD, "of its phases one is 3 x 3")
    }
}
