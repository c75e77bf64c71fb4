import CMachine
import CSwiftConv
import Foundations
import Testing

/// Convolutions with codes, sizes and memory that nobody should pass: refused or computed, never a trap.
struct ConvolutionHostileTests {
    /// One element seen many times.
    private func broadcast(_ shape: [Int], _ type: ElementType = .float32) -> TestArray {
        let one = TestArray(type, [1])
        one.set([1])
        return TestArray(one, data: one.data, shape: shape, strides: shape.map { _ in 0 })
    }

    /// Every combination of extreme numbers, through the shape and the plan.
    @Test(arguments: ConvolutionReferenceTests.operations)
    func extremeNumbersNeverTrap(operation: Int) {
        let extents = [1, 3, 1 << 31, 1 << 61, Int.max]
        let steps = [1, 2, 1 << 31, 1 << 60, (1 << 60) + 1, 1 << 62, Int.max, 0, -1, Int.min]
        let paddings = [0, 1, -1, 1 << 60, -1 << 60, 1 << 62, Int.max, Int.min]
        var answers: Set<Int> = []
        for n in extents {
            for k in extents {
                var call = ConvolutionCall(broadcast([1, 1, n]), broadcast([1, 1, k]))
                call.operation = operation
                for stride in steps {
                    for dilation in steps {
                        for padding in paddings {
                            (call.stride, call.dilation) = ([stride], [dilation])
                            (call.paddingLow, call.paddingHigh) = ([padding], [1])
                            call.inputDilation = operation == SC_CONV_FORWARD ? [dilation] : nil
                            call.outputPadding = operation == SC_CONV_TRANSPOSED ? [max(padding, 0)] : nil
                            let shape = call.outShape()
                            answers.insert(shape.status)
                            #expect(shape.status != SC_OK || shape.shape[2] >= 0, "\(call)")
                            for method in [SC_CONV_AUTO, SC_CONV_GEMM, SC_CONV_WINOGRAD] where k <= 3 {
                                call.method = method
                                let explained = call.explain().status
                                #expect(
                                    explained == shape.status || shape.status == SC_OK, "\(call): \(explained)")
                            }
                        }
                    }
                }
            }
        }
        #expect(answers.isSuperset(of: [SC_NOT_POSITIVE, SC_SIZE_OVERFLOW]) || operation == SC_CONV_WEIGHT)
    }

    /// Channels, groups and batches whose products do not fit.
    @Test func extremeChannelsNeverTrap() {
        let numbers = [1, 2, 3, 1 << 31, 1 << 32, 1 << 62, Int.max, 0, -1, Int.min]
        let extents = numbers.filter { $0 >= 0 }
        for operation in ConvolutionReferenceTests.operations {
            for channels in extents {
                for outChannels in extents {
                    for samples in [0, 1, 1 << 62, Int.max] {
                        for groups in numbers {
                            var call = ConvolutionCall(
                                broadcast([samples, channels, 3]),
                                broadcast([outChannels, groups > 0 ? channels / groups : channels, 3]))
                            (call.operation, call.groups) = (operation, groups)
                            let shape = call.outShape()
                            for method in [SC_CONV_AUTO, SC_CONV_GEMM, SC_CONV_REFERENCE] {
                                call.method = method
                                let status = call.explain().status
                                #expect(status == shape.status, "\(call): \(status) and \(shape.status)")
                            }
                            (call.groups, call.batchGroups) = (1, groups)
                            _ = (call.outShape(), call.explain())
                        }
                    }
                }
            }
        }
    }

    /// Few outputs of an enormous axis: the index arithmetic of a run at its limits.
    @Test(arguments: [SC_CONV_GEMM, SC_CONV_DIRECT, SC_CONV_AUTO])
    func runsOnEnormousAxes(method: Int) {
        for n in [1 << 40, 1 << 59] {
            for boundary in StencilTests.boundaries {
                for (stride, dilation, padding) in [
                    (n - 1, 1, 0), (n / 3, 1, 1), (n / 4, n / 9, n / 5), (n / 2, n / 8, 3),
                ] {
                    let b = TestArray(.int32, [1, 1, 3])
                    b.set([1, 10, 100])
                    var call = ConvolutionCall(broadcast([1, 1, n], .int32), b)
                    (call.boundary, call.stride, call.dilation) = (boundary, [stride], [dilation])
                    call.pad(padding)
                    call.method = method
                    let expected = call.output(SC_CONV_REFERENCE)
                    let out = TestArray(.int32, expected.shape)
                    let status = call.run(into: out).status
                    // A matrix product copies all that a window spans where a part of it lies outside.
                    if method == SC_CONV_GEMM && status == SC_NO_MEMORY {
                        #expect(out.memory.bytes.allSatisfy { $0 == GuardedMemory.canary }, "out is untouched")
                    } else {
                        #expect(status == SC_OK && sameBits(out, expected), "\(call)")
                    }
                }
            }
        }
    }

    @Test(arguments: [SC_CONV_GEMM, SC_CONV_AUTO])
    func memoryThatCannotBeHad(method: Int) {
        let n = 1 << 58
        for operation in [SC_CONV_FORWARD, SC_CONV_TRANSPOSED] {
            // A filter that must be packed: no depth is contiguous in it.
            var call = ConvolutionCall(
                broadcast([1, n, 1, 1]), broadcast([operation == SC_CONV_FORWARD ? 1 : n, n, 1, 1]))
            if operation == SC_CONV_TRANSPOSED { call.b = broadcast([n, 1, 1, 1]) }
            (call.operation, call.method) = (operation, method)
            let out = TestArray(.float32, [1, 1, 1, 1])
            let (status, error) = call.run(into: out)
            #expect(status == SC_NO_MEMORY && error.argument == SC_ARG_NONE && error.value >= Int64(n), "\(call)")
            #expect(out.memory.bytes.allSatisfy { $0 == GuardedMemory.canary }, "out is untouched")
        }
    }

    // MARK: Codes and descriptors

    private func small() -> ConvolutionCall {
        let (a, b) = (TestArray(.float32, [1, 2, 4, 6]), TestArray(.float32, [3, 2, 2, 3]))
        a.set((0..<48).map(Double.init))
        b.set((0..<36).map(Double.init))
        return ConvolutionCall(a, b)
    }

    /// All functions with one descriptor or option changed; none writes a thing.
    private func expectRefused(
        _ status: Int, argument: Int, axis: Int = -1, value: Int? = nil, expected: Int = 0, shapeToo: Bool = true,
        at location: SourceLocation = #_sourceLocation,
        _ change: (inout sc_tensor, inout sc_tensor, inout sc_tensor, inout sc_conv) -> Void
    ) {
        let call = small()
        let result = TestArray(.float32, [1, 3, 3, 4])
        var (a, b, out) = (call.a.descriptor, call.b.descriptor, result.descriptor)
        call.withOptions { options in
            var options = options
            change(&a, &b, &out, &options)
            func check(_ found: sc_status, _ error: sc_error) {
                #expect(Int(found) == status, sourceLocation: location)
                #expect(Int(error.argument) == argument && Int(error.axis) == axis, sourceLocation: location)
                if let value { #expect(Int(error.value) == value, sourceLocation: location) }
                #expect(Int(error.expected) == expected, sourceLocation: location)
            }
            var error = sc_error()
            check(CSwiftConv.sc_conv_run(&a, &b, nil, &out, &options, nil, &error), error)
            #expect(CSwiftConv.sc_conv_run(&a, &b, nil, &out, &options, nil, nil) == status, "error may be NULL")
            if !shapeToo { return }
            var explanation = sc_explanation()
            explanation.tasks = -7
            check(CSwiftConv.sc_conv_explain(&a, &b, nil, &out, &options, &explanation, &error), error)
            #expect(explanation.tasks == -7, sourceLocation: location)
            if argument == SC_ARG_OUT { return }
            var shape: [Int64] = [-7, -7, -7, -7]
            check(CSwiftConv.sc_conv_shape(&a, &b, &options, &shape, &error), error)
            #expect(shape == [-7, -7, -7, -7], sourceLocation: location)
        }
        #expect(result.memory.bytes.allSatisfy { $0 == GuardedMemory.canary }, sourceLocation: location)
    }

    @Test func unknownCodes() {
        for bad in [-1, 1000, Int32.min, Int32.max] as [Int32] {
            let value = Int(bad)
            expectRefused(SC_BAD_ENUM, argument: SC_ARG_OPERATION, value: value) { $3.operation = bad }
            expectRefused(SC_BAD_ENUM, argument: SC_ARG_BOUNDARY, value: value) { $3.boundary = bad }
            expectRefused(SC_BAD_ENUM, argument: SC_ARG_METHOD, value: value) { $3.method = bad }
            expectRefused(SC_BAD_ENUM, argument: SC_ARG_DTYPE, value: value) { $3.result_dtype = bad }
            expectRefused(SC_BAD_ENUM, argument: SC_ARG_ACTIVATION, value: value) { $3.activation = bad }
            expectRefused(SC_DTYPE, argument: SC_ARG_INPUT, value: value) { a, _, _, _ in a.dtype = bad }
            expectRefused(SC_DTYPE, argument: SC_ARG_WEIGHT, value: value) { _, b, _, _ in b.dtype = bad }
            expectRefused(SC_DTYPE, argument: SC_ARG_OUT, value: value) { _, _, out, _ in out.dtype = bad }
        }
        for bad in [-1, Int32.min] as [Int32] {
            expectRefused(SC_NOT_POSITIVE, argument: SC_ARG_THREADS, value: Int(bad)) { $3.threads = bad }
        }
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_ACTIVATION, value: SC_ACTIVATION_CLAMP) {
            ($3.activation, $3.lowest) = (Int32(SC_ACTIVATION_CLAMP), .nan)
        }
    }

    @Test func dimensions() {
        for bad in [-1, 33, Int32.min, Int32.max] as [Int32] {
            let (value, most) = (Int(bad), Int(SC_MAX_DIMS))
            expectRefused(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_INPUT, value: value, expected: most) { a, _, _, _ in
                a.ndim = bad
            }
            expectRefused(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_WEIGHT, value: value, expected: most) { _, b, _, _ in
                b.ndim = bad
            }
            expectRefused(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_OUT, value: value, expected: most) { _, _, o, _ in
                o.ndim = bad
            }
        }
        for bad in [-1, 30, 1000] as [Int32] {
            expectRefused(
                SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_INPUT, value: Int(bad) + 2, expected: Int(SC_MAX_DIMS) - 1
            ) { $3.spatial_ndim = bad }
        }
    }

    /// As many axes as a descriptor holds, less those of samples.
    @Test(arguments: [SC_CONV_GEMM, SC_CONV_AUTO])
    func manyDimensions(method: Int) {
        var generator = SeededGenerator(800)
        var extents = [Int](repeating: 1, count: 29)
        for i in stride(from: 0, to: 29, by: 7) { extents[i] = 3 }
        let a = TestArray(.float64, [2, 3] + extents).filled(.small, &generator)
        let b = TestArray(.float64, [4, 3] + extents.map { $0 - $0 / 2 }).filled(.small, &generator)
        var call = ConvolutionCall(a, b)
        let expected = call.output(SC_CONV_REFERENCE)
        #expect(sameBits(call.output(method), expected))
        call.pad(1)
        (call.paddingLow![1], call.paddingHigh![2]) = (0, 0)
        for i in 3..<29 { (call.paddingLow![i], call.paddingHigh![i]) = (0, 0) }
        #expect(sameBits(call.output(method), call.output(SC_CONV_REFERENCE)))
    }

    @Test func missingMemory() {
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_INPUT, shapeToo: false) { a, _, _, _ in a.data = nil }
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_WEIGHT, shapeToo: false) { _, b, _, _ in b.data = nil }
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_OUT, shapeToo: false) { _, _, out, _ in out.data = nil }
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_INPUT) { a, _, _, _ in a.shape = nil }
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_WEIGHT) { _, b, _, _ in b.strides = nil }
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_OUT) { _, _, out, _ in out.strides = nil }
    }

    @Test func negativeExtents() {
        let shape: [Int64] = [1, 2, 4, -6]
        shape.withUnsafeBufferPointer { shape in
            expectRefused(SC_BAD_ENUM, argument: SC_ARG_INPUT, axis: 3, value: -6) { a, _, _, _ in
                a.shape = shape.baseAddress
            }
        }
    }

    /// Neither the shape nor the plan reads data.
    @Test func explainsWithoutData() async {
        await #expect(processExitsWith: .success) {
            var call = ConvolutionCall(TestArray(.float32, [2, 20, 15, 15]), TestArray(.float32, [20, 20, 3, 3]))
            for (method, name) in [
                (SC_CONV_AUTO, "winograd"), (SC_CONV_GEMM, "implicit gemm"), (SC_CONV_WINOGRAD, "winograd"),
                (SC_CONV_REFERENCE, "reference"),
            ] {
                call.method = method
                call.withOptions { options in
                    var (a, b, options, explanation) = (call.a.descriptor, call.b.descriptor, options, sc_explanation())
                    (a.data, b.data) = (nil, nil)
                    let status = CSwiftConv.sc_conv_explain(&a, &b, nil, nil, &options, &explanation, nil)
                    precondition(status == SC_OK && String(cString: explanation.algorithm) == name)
                }
            }
        }
    }

    /// Bounded memory: independent of the batch and of the image.
    @Test func explains() {
        for type in ElementType.allCases {
            for layout in [Layout.c, .channelsLast, .everySecond] {
                for method in [SC_CONV_AUTO, SC_CONV_DIRECT, SC_CONV_GEMM] {
                    for (input, weight) in [([3, 4, 20, 21], [5, 4, 3, 3]), ([2, 64, 60, 61], [70, 64, 3, 3])] {
                        var call = ConvolutionCall(TestArray(type, input, layout), TestArray(type, weight))
                        call.method = method
                        let (status, _, found) = call.explain()
                        #expect(status == SC_OK, "\(call)")
                        for text in [found.algorithm, found.kernel, found.input, found.output] {
                            #expect(!String(cString: text!).isEmpty, "\(call)")
                        }
                        #expect(found.tasks > 0 && found.threads == 1 && found.vector_lanes >= 1, "\(call)")
                        #expect(found.workspace_bytes >= 0 && found.workspace_bytes < 4 << 20, "\(call)")
                    }
                }
            }
        }
    }

    // MARK: Interrupted runs

    @Test(
        arguments: [SC_CONV_GEMM, SC_CONV_WINOGRAD, SC_CONV_DIRECT, SC_CONV_AUTO, SC_CONV_REFERENCE],
        [1, 3])
    func interrupted(method: Int, threads: Int) {
        // So many outputs would take minutes.
        let a = broadcast([2000, 64, 66, 66])
        let b = broadcast([64, 64, 3, 3])
        let out = broadcast([2000, 64, 64, 64])
        var call = ConvolutionCall(a, b)
        (call.method, call.threads) = (method, threads)
        var polls: Int64 = 0
        let status = withUnsafeMutablePointer(to: &polls) { polls in
            call.run(
                into: out,
                control: sc_control(
                    interrupted: { context in
                        sc_atomic_fetch_add(context!.assumingMemoryBound(to: Int64.self), 1) < 1 ? 0 : 1
                    }, context: polls)
            ).status
        }
        #expect(status == SC_INTERRUPTED && polls == 2)
    }

    /// A sum that takes minutes is no single task.
    @Test(arguments: [1, 3])
    func interruptedGradient(threads: Int) {
        var call = ConvolutionCall(broadcast([1 << 20, 64, 66, 66]), broadcast([1 << 20, 64, 64, 64]))
        (call.operation, call.weightShape) = (SC_CONV_WEIGHT, [64, 64, 3, 3])
        (call.method, call.threads) = (SC_CONV_WINOGRAD, threads)
        let out = TestArray(.float32, [64, 64, 3, 3])
        let status = call.run(into: out, control: sc_control(interrupted: { _ in 1 }, context: nil)).status
        #expect(status == SC_INTERRUPTED)
    }

    /// Between the phases too.
    @Test func interruptedPhases() {
        var call = ConvolutionCall(broadcast([1, 1, 1 << 40]), broadcast([1, 1, 3]))
        (call.operation, call.stride) = (SC_CONV_TRANSPOSED, [3])
        let out = broadcast([1, 1, 3 << 40])
        #expect(
            call.run(into: out, control: sc_control(interrupted: { _ in 1 }, context: nil)).status == SC_INTERRUPTED)
    }
}
