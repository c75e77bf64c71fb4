import CMachine
import CSwiftConv
import Foundations
import Testing

/// The C functions: codes and descriptors that nobody should pass, and what they leave alone.
struct EntryPointTests {
    private func small() -> SlidingCall {
        let (a, v) = (TestArray(.float32, [4, 6]), TestArray(.float32, [2, 3]))
        a.set((0..<24).map(Double.init))
        v.set([1, 0, -1, 2, 1, 0])
        return SlidingCall(a, v)
    }

    @Test func versionAndISA() {
        #expect(CSwiftConv.sc_abi_version() == SC_ABI_VERSION)
        #expect(String(cString: CSwiftConv.sc_isa()) == String(cString: sc_vector_isa_name()))
    }

    @Test func shapeAndRun() {
        let call = small()
        #expect(call.outShape().shape == [3, 4])
        // a[r][c] = 6r + c: the filter's first row gives -2, its second a[r + 1][c] * 3 + 1
        let expected = (0..<12).map { (i: Int) -> Double in
            let below = 6 * (i / 4 + 1) + i % 4
            return Double(3 * below + 1 - 2)
        }
        for method in [SC_METHOD_AUTO, SC_METHOD_DIRECT, SC_METHOD_REFERENCE] {
            #expect(call.output(method).numbers == expected)
        }
    }

    /// All three functions, with one descriptor or option changed; none writes a thing.
    private func expectRefused(
        _ status: Int, argument: Int, axis: Int = -1, value: Int? = nil, expected: Int = 0, shapeToo: Bool = true,
        at location: SourceLocation = #_sourceLocation,
        _ change: (inout sc_tensor, inout sc_tensor, inout sc_tensor, inout sc_sliding) -> Void
    ) {
        let call = small()
        let result = TestArray(.float32, [3, 4])
        var (a, v, out) = (call.a.descriptor, call.v.descriptor, result.descriptor)
        call.withOptions { options in
            var options = options
            change(&a, &v, &out, &options)
            let unset = sc_error(argument: -7, axis: -7, value: -7, lowest: -7, expected: -7)
            func check(_ found: sc_status, _ error: sc_error) {
                #expect(Int(found) == status, sourceLocation: location)
                #expect(Int(error.argument) == argument && Int(error.axis) == axis, sourceLocation: location)
                if let value { #expect(Int(error.value) == value, sourceLocation: location) }
                #expect(Int(error.expected) == expected, sourceLocation: location)
            }
            var error = unset
            check(CSwiftConv.sc_sliding_run(&a, &v, &out, &options, nil, &error), error)
            #expect(CSwiftConv.sc_sliding_run(&a, &v, &out, &options, nil, nil) == status, "error may be NULL")
            if !shapeToo { return }
            var explanation = sc_explanation()
            explanation.tasks = -7
            error = unset
            check(CSwiftConv.sc_sliding_explain(&a, &v, &out, &options, &explanation, &error), error)
            #expect(explanation.tasks == -7, sourceLocation: location)
            if argument == SC_ARG_OUT { return }
            var shape: [Int64] = [-7, -7]
            error = unset
            check(CSwiftConv.sc_sliding_shape(&a, &v, &options, &shape, &error), error)
            #expect(shape == [-7, -7], sourceLocation: location)
        }
        #expect(result.memory.bytes.allSatisfy { $0 == GuardedMemory.canary }, sourceLocation: location)
    }

    @Test func unknownCodes() {
        for bad in [-1, 1000, Int32.min, Int32.max] as [Int32] {
            let value = Int(bad)
            expectRefused(SC_BAD_ENUM, argument: SC_ARG_OPERATION, value: value) { $3.operation = bad }
            expectRefused(SC_BAD_ENUM, argument: SC_ARG_MODE, value: value) { $3.mode = bad }
            expectRefused(SC_BAD_ENUM, argument: SC_ARG_BOUNDARY, value: value) { $3.boundary = bad }
            expectRefused(SC_BAD_ENUM, argument: SC_ARG_METHOD, value: value) { $3.method = bad }
            expectRefused(SC_BAD_ENUM, argument: SC_ARG_DTYPE, value: value) { $3.result_dtype = bad }
            expectRefused(SC_DTYPE, argument: SC_ARG_A, value: value) { a, _, _, _ in a.dtype = bad }
            expectRefused(SC_DTYPE, argument: SC_ARG_V, value: value) { _, v, _, _ in v.dtype = bad }
            expectRefused(SC_DTYPE, argument: SC_ARG_OUT, value: value) { _, _, out, _ in out.dtype = bad }
        }
        for bad in [-1, Int32.min] as [Int32] {
            expectRefused(SC_NOT_POSITIVE, argument: SC_ARG_THREADS, value: Int(bad)) { $3.threads = bad }
        }
    }

    @Test func dimensions() {
        for bad in [-1, 33, Int32.min, Int32.max] as [Int32] {
            let (value, most) = (Int(bad), Int(SC_MAX_DIMS))
            expectRefused(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_A, value: value, expected: most) { a, _, _, _ in
                a.ndim = bad
            }
            expectRefused(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_V, value: value, expected: most) { _, v, _, _ in
                v.ndim = bad
            }
            expectRefused(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_OUT, value: value, expected: most) { _, _, o, _ in
                o.ndim = bad
            }
            expectRefused(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_V, value: value, expected: most) {
                $3.window_ndim = bad
            }
        }
        expectRefused(SC_WINDOW_RANK, argument: SC_ARG_V, value: 2, expected: 1) { $3.window_ndim = 1 }
        expectRefused(SC_OUT_RANK, argument: SC_ARG_OUT, value: 1, expected: 2) { _, _, out, _ in out.ndim = 1 }
    }

    @Test func missingMemory() {
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_A, shapeToo: false) { a, _, _, _ in a.data = nil }
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_V, shapeToo: false) { _, v, _, _ in v.data = nil }
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_OUT, shapeToo: false) { _, _, out, _ in out.data = nil }
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_A) { a, _, _, _ in a.shape = nil }
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_V) { _, v, _, _ in v.strides = nil }
        expectRefused(SC_BAD_ENUM, argument: SC_ARG_OUT) { _, _, out, _ in out.strides = nil }
    }

    @Test func negativeExtents() {
        let shape: [Int64] = [4, -6]
        shape.withUnsafeBufferPointer { shape in
            expectRefused(SC_BAD_ENUM, argument: SC_ARG_A, axis: 1, value: -6) { a, _, _, _ in
                a.shape = shape.baseAddress
            }
        }
    }

    @Test func emptyArraysNeedNoMemory() {
        let call = SlidingCall(TestArray(.float32, [0, 6]), TestArray(.float32, [3]))
        var (a, v, out) = (call.a.descriptor, call.v.descriptor, TestArray(.float32, [0, 4]).descriptor)
        (a.data, out.data) = (nil, nil)
        let (shape, strides): ([Int64], [Int64]) = ([0, 4], [16, 4])
        shape.withUnsafeBufferPointer { shape in
            strides.withUnsafeBufferPointer { strides in
                (out.shape, out.strides) = (shape.baseAddress, strides.baseAddress)
                call.withOptions { options in
                    for method in [SC_METHOD_AUTO, SC_METHOD_DIRECT, SC_METHOD_REFERENCE] {
                        var options = options
                        options.method = Int32(method)
                        #expect(CSwiftConv.sc_sliding_run(&a, &v, &out, &options, nil, nil) == SC_OK)
                    }
                }
            }
        }
    }

    @Test func shapeReadsNothing() {
        let call = small()
        var (a, v) = (call.a.descriptor, call.v.descriptor)
        (a.data, v.data) = (nil, nil)
        call.withOptions { options in
            var options = options
            var shape: [Int64] = [0, 0]
            #expect(CSwiftConv.sc_sliding_shape(&a, &v, &options, &shape, nil) == SC_OK && shape == [3, 4])
        }
    }

    /// A plan may depend on the filter's values, never on the input's; and what is missing is no reason to crash.
    @Test func explainReadsTheFilterAtMost() async {
        await #expect(processExitsWith: .success) {
            let call = SlidingCall(TestArray(.float32, [9, 20]), TestArray(.float32, [7, 7]))
            for (needsFilter, method) in [
                (true, SC_METHOD_AUTO), (true, SC_METHOD_SEPARABLE), (true, SC_METHOD_DIRECT),
                (false, SC_METHOD_REFERENCE),
            ] {
                call.withOptions { options in
                    var (a, v, options, explanation) = (call.a.descriptor, call.v.descriptor, options, sc_explanation())
                    options.method = Int32(method)
                    a.data = nil
                    let status = CSwiftConv.sc_sliding_explain(&a, &v, nil, &options, &explanation, nil)
                    precondition(status == SC_OK || status == SC_METHOD)
                    v.data = nil
                    let missing = CSwiftConv.sc_sliding_explain(&a, &v, nil, &options, &explanation, nil)
                    precondition(missing == SC_BAD_ENUM || (missing == SC_OK && !needsFilter))
                }
            }
        }
    }

    @Test func explains() {
        var generator = SeededGenerator(16)
        for type in ElementType.allCases {
            for layout in Layout.allCases {
                let a = TestArray(type, [3, 20, 21], layout).filled(&generator)
                let v = TestArray(type, [3, 2]).filled(&generator)
                for (method, name) in [(SC_METHOD_DIRECT, "stencil"), (SC_METHOD_REFERENCE, "reference")] {
                    var call = SlidingCall(a, v)
                    call.method = method
                    let (status, _, found) = call.explain()
                    #expect(status == SC_OK && String(cString: found.algorithm) == name, "\(call)")
                    for text in [found.kernel, found.input, found.output] { #expect(!String(cString: text!).isEmpty) }
                    #expect(found.tasks > 0 && found.threads == 1, "\(call)")
                    #expect(found.workspace_bytes >= 0 && found.workspace_bytes < 2 << 20, "\(call)")
                    #expect(found.vector_lanes >= 1 && found.tile_rows >= 1 && found.tile_columns >= 1, "\(call)")
                    #expect((-1..<3).contains(found.vector_axis), "\(call)")
                }
            }
        }
    }

    @Test(arguments: [SC_METHOD_DIRECT, SC_METHOD_REFERENCE], [1, 3])
    func interrupted(method: Int, threads: Int) {
        var generator = SeededGenerator(17)
        let n = 600
        let a = TestArray(.complex128, [n, n], .broadcastFirst).filled(&generator)
        let v = TestArray(.complex128, [151, 151]).filled(&generator)
        let out = TestArray(.complex128, [n, n])
        var call = SlidingCall(a, v)
        (call.mode, call.method, call.threads) = (SC_MODE_SAME, method, threads)
        let (status, polls) = interruptedAtSecondPoll { call.run(into: out, control: $0).status }
        #expect(status == SC_INTERRUPTED && polls == 2)
    }
}
