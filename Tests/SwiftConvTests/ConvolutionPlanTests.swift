import CMachine
import CSwiftConv
import Foundations
import Testing

/// Plans: the same results as the functions', whose filters are packed once for each way in which they are needed.
struct ConvolutionPlanTests {
    /// A plan of a call's weight, bias and options, destroyed with the object.
    private final class Plan: @unchecked Sendable {
        let pointer: OpaquePointer
        let call: ConvolutionCall

        init?(_ call: ConvolutionCall) {
            self.call = call
            guard let pointer = Plan.create(call).pointer else { return nil }
            self.pointer = pointer
        }

        static func create(_ call: ConvolutionCall) -> (status: Int, error: sc_error, pointer: OpaquePointer?) {
            var (error, pointer) = (sc_error(), OpaquePointer?.none)
            var (weight, bias) = (call.b.descriptor, call.bias?.descriptor)
            let status = call.withOptions { options in
                var options = options
                if bias != nil {
                    return CSwiftConv.sc_conv_plan_create(&weight, &bias!, &options, &pointer, &error)
                }
                return CSwiftConv.sc_conv_plan_create(&weight, nil, &options, &pointer, &error)
            }
            return (Int(status), error, pointer)
        }

        deinit { CSwiftConv.sc_conv_plan_destroy(pointer) }

        var bytes: Int { Int(CSwiftConv.sc_conv_plan_bytes(pointer)) }

        func shape(_ a: TestArray) -> [Int] {
            var (a, shape) = (a.descriptor, [Int64](repeating: -1, count: a.shape.count))
            #expect(CSwiftConv.sc_conv_plan_shape(pointer, &a, &shape, nil) == SC_OK)
            return shape.map { Int($0) }
        }

        func run(_ a: TestArray, into out: TestArray, threads: Int = 0, control: sc_control? = nil) -> Int {
            var (a, o) = (a.descriptor, out.descriptor)
            if var control {
                return Int(CSwiftConv.sc_conv_plan_run(pointer, &a, &o, Int32(threads), &control, nil))
            }
            return Int(CSwiftConv.sc_conv_plan_run(pointer, &a, &o, Int32(threads), nil, nil))
        }

        func output(_ a: TestArray, threads: Int = 0, _ layout: Layout = .c) -> TestArray {
            let out = TestArray(call.result, shape(a), layout)
            #expect(run(a, into: out, threads: threads) == SC_OK, "\(call)")
            if !out.canariesAreAlive { Issue.record("written outside: \(call)") }
            return out
        }

        func prepare(_ a: TestArray, _ out: TestArray) -> Int {
            var (a, o) = (a.descriptor, out.descriptor)
            (a.data, o.data) = (nil, nil)
            return Int(CSwiftConv.sc_conv_plan_prepare(pointer, &a, &o, nil))
        }
    }

    private func small(
        _ method: Int, _ generator: inout SeededGenerator, _ type: ElementType = .float32
    ) -> ConvolutionCall {
        var call = ConvolutionCall(
            TestArray(type, [2, 20, 13, 14]).filled(.rounding, &generator),
            TestArray(type, [17, 20, 3, 3]).filled(.rounding, &generator))
        call.bias = TestArray(type, [17]).filled(.rounding, &generator)
        call.method = method
        call.pad(1)
        return call
    }

    /// Any problem, run twice, then with an input of another batch and size.
    @Test(
        arguments: [ElementType.float32, .uint8, .float16, .complex128, .bool], [SC_CONV_FORWARD, SC_CONV_TRANSPOSED])
    func sameResultsAsTheFunctions(type: ElementType, operation: Int) throws {
        var generator = SeededGenerator(700 + operation)
        for _ in 0..<20 {
            var call = ConvolutionCall.random(operation, type, &generator)
            call.method = generator.pick([SC_CONV_AUTO, SC_CONV_GEMM, SC_CONV_DIRECT, SC_CONV_REFERENCE])
            let plan = try #require(Plan(call))
            let layout = generator.pick(Layout.writable)
            let expected = call.output(nil, layout)
            for _ in 0..<2 { #expect(sameBits(plan.output(call.a, layout), expected), "\(call)") }
            if call.perSample || call.a.shape[0] == 0 { continue }
            call.a = TestArray(
                type, [call.a.shape[0] * 2, call.a.shape[1]] + call.a.shape.dropFirst(2).map { $0 + 3 },
                generator.pick(Layout.allCases)
            ).filled(type.isFloating ? .small : .exact, &generator)
            #expect(sameBits(plan.output(call.a), call.output()), "\(call)")
        }
    }

    /// A filter of bytes is packed in another way for each dtype of samples.
    @Test(arguments: [ElementType.int8, .uint8, .int16])
    func samplesOfSeveralDtypes(weight: ElementType) throws {
        var generator = SeededGenerator(705)
        for layout in [Layout.c, .channelsLast] {
            var call = ConvolutionCall(
                TestArray(.int8, [1, 30, 9, 8]), TestArray(weight, [40, 30, 3, 3]).filled(&generator), result: .int32)
            call.method = SC_CONV_GEMM
            let plan = try #require(Plan(call))
            for type in [ElementType.int8, .uint8, .int16, .int32, .bool, .int8, .uint8] {
                call.a = TestArray(type, [1, 30, 9, 8], layout).filled(&generator)
                #expect(sameBits(plan.output(call.a, layout), call.output(SC_CONV_REFERENCE)), "\(call)")
            }
        }
    }

    /// Preparing packs what runs need, and runs with other images add nothing.
    @Test(arguments: [SC_CONV_GEMM, SC_CONV_WINOGRAD])
    func packsOnce(method: Int) throws {
        var generator = SeededGenerator(710)
        for layout in [Layout.c, .channelsLast] {
            var call = small(method, &generator)
            call.b = TestArray(.float32, call.b.shape, .reversed).filled(.rounding, &generator)
            call.a = TestArray(.float32, call.a.shape, layout).filled(.rounding, &generator)
            let plan = try #require(Plan(call))
            #expect(plan.bytes == 0)
            #expect(plan.prepare(call.a, TestArray(.float32, plan.shape(call.a), layout)) == SC_OK)
            let packed = plan.bytes
            #expect(packed > call.b.count * 4, "at least the filter itself")
            for shape in [call.a.shape, [1, 20, 13, 14], [3, 20, 30, 31], [2, 20, 13, 14]] {
                call.a = TestArray(.float32, shape, layout).filled(.rounding, &generator)
                #expect(sameBits(plan.output(call.a, threads: 2, layout), call.output(nil, layout)), "\(call)")
                #expect(plan.bytes == packed, "\(call)")
            }
        }
    }

    /// Inputs that lie in two ways need two packed forms, each of which stays.
    @Test func packsForEachWay() throws {
        var generator = SeededGenerator(720)
        let call = small(SC_CONV_GEMM, &generator)
        let plan = try #require(Plan(call))
        let last = TestArray(.float32, call.a.shape, .channelsLast).filled(.rounding, &generator)
        var other = call
        other.a = last
        for _ in 0..<3 {
            #expect(sameBits(plan.output(call.a), call.output()))
            #expect(sameBits(plan.output(last, .channelsLast), other.output(nil, .channelsLast)))
        }
        let both = plan.bytes
        _ = (plan.output(call.a), plan.output(last, .channelsLast))
        #expect(plan.bytes == both)
    }

    /// Phases of a transposed convolution see parts of the filter, more parts than a key holds words for.
    @Test func packsEveryPhase() throws {
        var generator = SeededGenerator(730)
        var call = ConvolutionCall(
            TestArray(.float32, [2, 6, 3, 4, 5]).filled(.small, &generator),
            TestArray(.float32, [6, 4, 4, 3, 5], .fortran).filled(.small, &generator))
        (call.operation, call.groups, call.stride) = (SC_CONV_TRANSPOSED, 2, [2, 3, 2])
        let plan = try #require(Plan(call))
        let expected = call.output(SC_CONV_REFERENCE)
        for _ in 0..<2 { #expect(sameBits(plan.output(call.a), expected)) }
        let bytes = plan.bytes
        #expect(sameBits(plan.output(call.a), expected) && plan.bytes == bytes)
    }

    /// Many threads meet a plan that has packed nothing yet.
    @Test(arguments: [SC_CONV_GEMM, SC_CONV_WINOGRAD, SC_CONV_AUTO])
    func forThreadsAtOnce(method: Int) throws {
        var generator = SeededGenerator(740)
        for _ in 0..<5 {
            var call = small(method, &generator)
            call.b = TestArray(.float32, call.b.shape, .fortran).filled(.rounding, &generator)
            let expected = call.output()
            let plan = try #require(Plan(call))
            let input = call.a
            onThreads(8) { i in
                for round in 0..<3 {
                    let out = TestArray(.float32, expected.shape)
                    #expect(plan.run(input, into: out, threads: 1 + (i + round) % 3) == SC_OK)
                    #expect(sameBits(out, expected))
                }
            }
            let bytes = plan.bytes
            #expect(sameBits(plan.output(input), expected) && plan.bytes == bytes)
        }
    }

    /// Descriptors and lists are the plan's own: the caller's may go.
    @Test func keepsItsDescriptors() throws {
        var generator = SeededGenerator(750)
        let call = small(SC_CONV_GEMM, &generator)
        let (weight, bias) = (call.b, try #require(call.bias))
        func garbled(_ array: TestArray) -> TestArray {
            TestArray(array, data: array.data, shape: array.shape, strides: array.strides)
        }
        var pointer: OpaquePointer?
        do {
            var temporary = call
            (temporary.b, temporary.bias) = (garbled(weight), garbled(bias))
            pointer = Plan.create(temporary).pointer
            let lists = temporary.b.descriptor
            for i in 0..<4 {
                UnsafeMutablePointer(mutating: lists.shape!)[i] = -1
                UnsafeMutablePointer(mutating: lists.strides!)[i] = -1
            }
        }
        let plan = try #require(pointer)
        defer { CSwiftConv.sc_conv_plan_destroy(plan) }
        let expected = call.output()
        let out = TestArray(.float32, expected.shape)
        var (a, o) = (call.a.descriptor, out.descriptor)
        #expect(CSwiftConv.sc_conv_plan_run(plan, &a, &o, 0, nil, nil) == SC_OK)
        #expect(sameBits(out, expected))
    }

    /// What is wrong with an input is found when it comes, and harms nothing.
    @Test func refusals() throws {
        var generator = SeededGenerator(760)
        var call = small(SC_CONV_AUTO, &generator)
        let plan = try #require(Plan(call))
        let out = TestArray(.float32, [2, 17, 13, 14])
        for shape in [[2, 20, 13], [2, 19, 13, 14], [2, 20, 0, 14], [2, 20, 12, 14]] {
            #expect(plan.run(TestArray(.float32, shape), into: out) != SC_OK, "\(shape)")
        }
        #expect(plan.run(TestArray(.complex64, call.a.shape), into: out) == SC_DTYPE)
        #expect(plan.run(call.a, into: out, threads: -1) == SC_NOT_POSITIVE)
        #expect(out.memory.bytes.allSatisfy { $0 == GuardedMemory.canary })
        #expect(sameBits(plan.output(call.a), call.output()))
        call.operation = SC_CONV_WEIGHT
        let refused = Plan.create(call)
        #expect(refused.status == SC_BAD_ENUM && refused.error.argument == SC_ARG_OPERATION && refused.pointer == nil)
        CSwiftConv.sc_conv_plan_destroy(nil)
    }

    /// An interrupted run leaves no half-packed filter behind.
    @Test(arguments: [SC_CONV_GEMM, SC_CONV_WINOGRAD])
    func interrupted(method: Int) throws {
        var generator = SeededGenerator(770)
        var call = ConvolutionCall(
            TestArray(.float64, [1, 250, 9, 9], .broadcastFirst).filled(.small, &generator),
            TestArray(.float64, [1, 250, 3, 3]).filled(.small, &generator))
        // The same filter for very many output channels: more than a few of the intervals between two questions.
        let channels = method == SC_CONV_GEMM ? 60_000 : 6000
        call.b = TestArray(
            call.b, data: call.b.data, shape: [channels, 250, 3, 3], strides: [0] + call.b.strides.dropFirst())
        call.method = method
        let plan = try #require(Plan(call))
        let out = TestArray(.float64, [1, channels, 7, 7])
        let stops = sc_control(interrupted: { _ in 1 }, context: nil)
        #expect(plan.run(call.a, into: out, control: stops) == SC_INTERRUPTED)
        #expect(plan.bytes == 0)
        let small = TestArray(.float64, [1, 250, 3, 3]).filled(.small, &generator)
        call.a = small
        let whole = plan.output(small).numbers
        call.b = call.b.slice(axis: 0, 0..<1)
        let first = call.output(SC_CONV_REFERENCE).numbers[0]
        #expect(whole.allSatisfy { abs($0 - first) < 1e-9 })
    }
}
