import Algorithms
import CSwiftConv
import Foundations
import Planning
import Testing

/// Two passes against one, for filters that are outer products.
struct SeparableTests {
    /// An outer product of small integers, or of random fractions.
    private func rankOne(
        _ type: ElementType, _ p: Int, _ q: Int, _ values: Values, _ generator: inout SeededGenerator
    ) -> TestArray {
        func factor(_ n: Int) -> [Double] {
            (0..<n).map { _ in
                if type == .bool { return generator.once(in: 3) ? 0 : 1 }
                if !type.isFloating { return Double(Int.random(in: 1...3, using: &generator)) }
                return values == .rounding
                    ? Double.random(in: 0.5..<1, using: &generator) : generator.pick([-2, -1, -0.5, 0.5, 1, 2])
            }
        }
        let (column, row) = (factor(p), factor(q))
        let v = TestArray(type, [p, q])
        v.set(column.flatMap { y in row.map { y * $0 } })
        return v
    }

    static let exactTypes: [ElementType] = [
        .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float32, .float64, .complex64,
        .complex128, .float16, .bfloat16,
    ]

    /// Integers, and fractions whose sums are exact, agree to the last bit whatever the geometry.
    @Test(arguments: exactTypes)
    func agreesExactly(type: ElementType) {
        var generator = SeededGenerator(200 + Int(type.rawValue))
        for (i, layout) in Layout.allCases.enumerated() {
            let a = TestArray(type, [3, 29, 45], layout).filled(type.isFloating ? .small : .exact, &generator)
            for (p, q) in [(3, 3), (2, 5), (7, 7), (9, 1), (1, 6)] {
                let v = rankOne(type, p, q, .exact, &generator)
                for (mode, boundary) in [
                    (SC_MODE_VALID, SC_BOUNDARY_FILL), (SC_MODE_SAME, SC_BOUNDARY_FILL),
                    (SC_MODE_FULL, SC_BOUNDARY_REFLECT),
                    (SC_MODE_SAME, SC_BOUNDARY_WRAP),
                ] {
                    for (stride, dilation) in [([1, 1], [1, 1]), ([2, 1], [1, 2]), ([1, 3], [3, 1])] {
                        var call = SlidingCall(a, v)
                        (call.mode, call.boundary, call.operation) = (mode, boundary, i % 2)
                        (call.stride, call.dilation) = (stride, dilation)
                        call.fill = i % 3 == 0 ? 1 : 0
                        let separable = call.output(SC_METHOD_SEPARABLE, Layout.writable[i % Layout.writable.count])
                        #expect(sameBits(separable, call.output(SC_METHOD_DIRECT)), "\(call)")
                    }
                }
            }
        }
    }

    /// Within the promise: the error is at most 4 times direct summation's bound.
    @Test(arguments: [ElementType.float32, .float64])
    func agreesWithinTolerance(type: ElementType) {
        var generator = SeededGenerator(18)
        let a = TestArray(type, [2, 40, 70]).filled(.rounding, &generator)
        for (p, q) in [(3, 3), (7, 7), (15, 9), (5, 31)] {
            let v = rankOne(type, p, q, .rounding, &generator)
            var call = SlidingCall(a, v)
            call.mode = SC_MODE_SAME
            let (separable, direct) = (call.output(SC_METHOD_SEPARABLE).numbers, call.output(SC_METHOD_DIRECT).numbers)
            let epsilon = type == .float32 ? Double(Float.ulpOfOne) : Double.ulpOfOne
            // Samples and weights are below 1.
            let bound = 4 * epsilon * Double(p * q)
            #expect(zip(separable, direct).allSatisfy { abs($0 - $1) <= bound }, "\(call)")
        }
    }

    @Test(arguments: [ElementType.float32, .int32, .uint8, .complex128])
    func refusesOtherFilters(type: ElementType) {
        let a = TestArray(type, [9, 20])
        a.set([Double](repeating: 1, count: 180))
        let v = TestArray(type, [2, 2])
        v.set([1, 2, 3, 5])
        var call = SlidingCall(a, v)
        call.method = SC_METHOD_SEPARABLE
        let out = TestArray(type, [8, 19])
        let (status, error) = call.run(into: out)
        #expect(status == SC_METHOD && error.argument == SC_ARG_METHOD)
        #expect(out.memory.bytes.allSatisfy { $0 == GuardedMemory.canary })
        #expect(call.explain().status == SC_METHOD)
        call.method = SC_METHOD_AUTO
        #expect(String(cString: call.explain().explanation.algorithm) == "stencil")
    }

    /// A filter that is not finite is no product: infinity times zero would appear where neither factor had it.
    @Test func refusesFiltersThatAreNotFinite() {
        for bad in [Double.infinity, -.infinity, .nan] {
            let (a, v) = (TestArray(.float64, [9, 20]), TestArray(.float64, [3, 3]))
            a.set((0..<180).map(Double.init))
            v.set([1, 2, 1, 2, bad, 2, 1, 2, 1])
            var call = SlidingCall(a, v)
            call.method = SC_METHOD_SEPARABLE
            #expect(call.run(into: TestArray(.float64, [7, 18])).status == SC_METHOD)
        }
    }

    @Test(arguments: [ElementType.float32, .float64, .complex64])
    func sameBitsForAnyNumberOfThreadsAndBatch(type: ElementType) {
        var generator = SeededGenerator(19)
        for layout in [Layout.c, .fortran, .firstAxisInnermost, .everySecond] {
            let a = TestArray(type, [30, 40, 50], layout).filled(.rounding, &generator)
            let v = rankOne(type, 7, 9, .rounding, &generator)
            for method in [SC_METHOD_SEPARABLE, SC_METHOD_AUTO] {
                var call = SlidingCall(a, v)
                (call.mode, call.method) = (SC_MODE_SAME, method)
                let one = call.output()
                for threads in [2, 3, 7] { #expect(sameBits(call.output(threads: threads), one), "\(call)") }
                for image in [0, 17, 29] {
                    call.a = a.slice(axis: 0, image..<image + 1)
                    #expect(sameBits(call.output(), one.slice(axis: 0, image..<image + 1)), "\(call)")
                }
            }
        }
    }

    @Test func nonfiniteInputsReachTheirWindows() {
        var generator = SeededGenerator(20)
        let a = TestArray(.float32, [31, 60]).filled(&generator)
        var numbers = a.numbers
        (numbers[0], numbers[17 * 60 + 33], numbers[31 * 60 - 1]) = (.nan, .infinity, -.infinity)
        a.set(numbers)
        let v = rankOne(.float32, 7, 7, .exact, &generator)
        for mode in [SC_MODE_VALID, SC_MODE_SAME, SC_MODE_FULL] {
            var call = SlidingCall(a, v)
            call.mode = mode
            let direct = call.output(SC_METHOD_DIRECT)
            #expect(sameBits(call.output(SC_METHOD_SEPARABLE), direct), "\(call)")
            #expect(sameBits(call.output(SC_METHOD_AUTO), direct), "\(call)")
        }
    }

    /// Selection looks at window geometry and method alone.
    @Test func selection() throws {
        func select(_ a: TestArray, _ v: TestArray, _ method: SlidingOptions.Method) throws(Failure) -> Algorithm? {
            var options = SlidingOptions()
            options.resultType = a.type
            options.windowRank = v.shape.count
            var found: Algorithm?
            _ = try withAxes(rank: a.shape.count) { (axes) throws(Failure) in
                found = selectAlgorithm(try validate(a.tensor, v.tensor, out: nil, options, into: axes), method)
                return true
            }
            return found
        }
        for batch in [1, 2, 500] {
            let a = TestArray(.float32, [batch, 40, 41])
            for n in [3, 5, 7, 15, 31] {
                let v = TestArray(.float32, [n, n])
                let automatic = try select(a, v, .auto)
                #expect(automatic == .stencil(n >= 7 ? .ifPossible : .never), "\(n)")
                #expect(try select(a, v, .direct) == .stencil(.never))
                #expect(try select(a, v, .separable) == .stencil(.required))
                #expect(try select(a, v, .reference) == .reference)
            }
        }
    }
}
