import CSwiftConv
import Foundations
import Testing

/// One pool, and ways to make it.
private struct PoolCall: @unchecked Sendable {
    var input: TestArray
    var kernel: [Int]
    var operation = SC_POOL_MAX
    var stride: [Int]?
    var dilation: [Int]?
    var low: [Int]?
    var high: [Int]?
    var axes: [Int]?
    var ceilMode = false
    var countsPadding = true
    var threads = 1

    init(_ input: TestArray, _ kernel: [Int], _ operation: Int = SC_POOL_MAX) {
        self.input = input
        self.kernel = kernel
        self.operation = operation
    }

    func withOptions<R>(_ body: (inout sc_pool) -> R) -> R {
        withList(axes) { axes in
            withList(kernel) { kernel in
                withList(stride) { stride in
                    withList(dilation) { dilation in
                        withList(low) { low in
                            withList(high) { high in
                                var options = sc_pool(
                                    operation: Int32(operation), window_ndim: Int32(self.kernel.count),
                                    threads: Int32(threads), ceil_mode: ceilMode ? 1 : 0,
                                    count_include_pad: countsPadding ? 1 : 0, signed_powers: 0, divisor_override: 0,
                                    norm_type: 2, axes: axes, kernel_size: kernel, stride: stride,
                                    dilation: dilation, padding_low: low, padding_high: high)
                                return body(&options)
                            }
                        }
                    }
                }
            }
        }
    }

    private func withList<R>(_ list: [Int]?, _ body: (UnsafePointer<Int64>?) -> R) -> R {
        guard let list else { return body(nil) }
        return list.map { Int64($0) }.withUnsafeBufferPointer { body($0.baseAddress) }
    }

    func outShape() -> (status: Int, error: sc_error, shape: [Int]) {
        var (input, error) = (input.descriptor, sc_error())
        var shape = [Int64](repeating: -1, count: self.input.shape.count)
        let status = withOptions { CSwiftConv.sc_pool_shape(&input, &$0, &shape, &error) }
        return (Int(status), error, shape.map { Int($0) })
    }

    func run(
        into out: TestArray, indices: TestArray? = nil, control: sc_control? = nil
    ) -> (status: Int, error: sc_error) {
        var (input, o, error) = (input.descriptor, out.descriptor, sc_error())
        let status = withOptions { options in
            var i = indices?.descriptor ?? sc_tensor()
            return withUnsafePointer(to: &i) { i in
                let i = indices == nil ? nil : i
                if var control { return CSwiftConv.sc_pool_run(&input, &o, i, &options, &control, &error) }
                return CSwiftConv.sc_pool_run(&input, &o, i, &options, nil, &error)
            }
        }
        return (Int(status), error)
    }

    /// Runs into a new array and checks that nothing else was written.
    func output(
        _ type: ElementType? = nil, _ layout: Layout = .c, guarding: GuardedMemory.Guard = .end,
        at location: SourceLocation = #_sourceLocation
    ) -> TestArray {
        let found = outShape()
        #expect(found.status == SC_OK, sourceLocation: location)
        let out = TestArray(type ?? input.type, found.shape, layout, guarding: guarding)
        #expect(run(into: out).status == SC_OK, sourceLocation: location)
        #expect(out.canariesAreAlive, "\(input) \(kernel)", sourceLocation: location)
        return out
    }
}

/// Pools: the kernels' reach in memory, results over layouts and dtypes, and what is refused.
struct PoolTests {
    /// The largest element and the sum of each window, window axes last, by the definition.
    private func expected(_ call: PoolCall, _ shape: [Int]) -> (largest: [Double], sums: [Double]) {
        let x = call.input.numbers
        let inputShape = call.input.shape
        let d = call.kernel.count
        var (largest, sums): ([Double], [Double]) = ([], [])
        for output in 0..<shape.reduce(1, *) {
            var places = [0]
            var rest = output
            var perAxis = [[Int]](repeating: [], count: shape.count)
            for axis in shape.indices.reversed() {
                let o = rest % shape[axis]
                rest /= shape[axis]
                let w = axis - (shape.count - d)
                if w < 0 {
                    perAxis[axis] = [o]
                    continue
                }
                let start = o * (call.stride?[w] ?? call.kernel[w]) - (call.low?[w] ?? 0)
                perAxis[axis] = (0..<call.kernel[w]).map { start + $0 * (call.dilation?[w] ?? 1) }
                    .filter { (0..<inputShape[axis]).contains($0) }
            }
            for (axis, positions) in perAxis.enumerated() {
                places = places.flatMap { place in positions.map { place * inputShape[axis] + $0 } }
            }
            let window = places.map { x[$0] }
            largest.append(window.max() ?? -.infinity)
            sums.append(window.reduce(0, +))
        }
        return (largest, sums)
    }

    private static let windows: [(shape: [Int], kernel: [Int], stride: [Int]?, low: [Int]?, dilation: [Int]?)] = [
        ([2, 3, 9, 37], [2, 2], nil, nil, nil), ([2, 3, 9, 38], [3, 3], [2, 2], [1, 1], nil),
        ([1, 2, 8, 19], [3, 3], [1, 1], [1, 1], nil), ([3, 5, 7, 7], [7, 7], nil, nil, nil),
        ([2, 2, 11, 23], [2, 5], [3, 2], [1, 2], [2, 1]), ([4, 70], [3], [1], nil, nil),
        ([3, 130], [9], [4], [2], nil), ([2, 33, 6], [1, 2], [1, 3], nil, [1, 3]),
        ([2, 5, 6, 9], [2, 3, 2], [1, 2, 2], [1, 0, 1], nil), ([5, 4, 1, 1], [1, 1], nil, nil, nil),
    ]

    @Test(arguments: ElementType.allCases)
    func everyLayout(_ type: ElementType) {
        var generator = SeededGenerator(41)
        for (n, window) in PoolTests.windows.enumerated() {
            for (m, layout) in Layout.allCases.enumerated() {
                let input = TestArray(type, window.shape, layout, guarding: n % 2 == 0 ? .end : .start)
                    .filled(.small, &generator)
                var call = PoolCall(input, window.kernel)
                (call.stride, call.low, call.high, call.dilation) = (
                    window.stride, window.low, window.low, window.dilation
                )
                let outLayout = Layout.writable[(n + m) % Layout.writable.count]
                if !type.isComplex && type != .bool {
                    let out = call.output(nil, outLayout, guarding: m % 2 == 0 ? .end : .start)
                    #expect(out.numbers == expected(call, out.shape).largest, "\(input) \(window)")
                }
                call.operation = SC_POOL_SUM
                let wide: ElementType =
                    type.isComplex ? .complex128 : type.isFloating ? .float64 : type == .bool ? .int32 : .int64
                let out = call.output(wide, outLayout)
                if type != .bool && !type.isComplex {
                    #expect(out.numbers == expected(call, out.shape).sums, "\(input) \(window)")
                }
            }
        }
    }

    @Test func indicesAreThoseOfTheFirstLargest() {
        let input = TestArray(.float32, [1, 3, 4])
        input.set([1, 5, 5, 0, 5, 2, 2, 0, -.infinity, -.infinity, 7, 7])
        var call = PoolCall(input, [2, 2])
        call.stride = [1, 1]
        let out = TestArray(.float32, [1, 2, 3])
        let indices = TestArray(.int64, [1, 2, 3], .everySecond)
        #expect(call.run(into: out, indices: indices).status == SC_OK)
        #expect(out.numbers == [5, 5, 5, 5, 7, 7])
        #expect(indices.numbers == [1, 1, 2, 4, 10, 10])
        #expect(indices.canariesAreAlive)
    }

    @Test func theSameBitsWithAnyNumberOfThreads() {
        var generator = SeededGenerator(43)
        for layout in [Layout.c, .fortran, .firstAxisInnermost] {
            let input = TestArray(.float32, [6, 40, 30, 31], layout).filled(.rounding, &generator)
            for (kernel, stride) in [([3, 3], [1, 1]), ([2, 2], [2, 2]), ([30, 31], [1, 1])] {
                var call = PoolCall(input, kernel, SC_POOL_AVERAGE)
                call.stride = stride
                let alone = call.output()
                for threads in [2, 3, 8] {
                    call.threads = threads
                    #expect(sameBits(call.output(), alone))
                }
            }
        }
    }

    private func expectRefused(
        _ status: Int, argument: Int, axis: Int = -1, value: Int? = nil, at location: SourceLocation = #_sourceLocation,
        _ change: (inout PoolCall) -> Void
    ) {
        var call = PoolCall(TestArray(.float32, [2, 8, 9]), [2, 2])
        change(&call)
        let (found, error, shape) = call.outShape()
        #expect(found == status, sourceLocation: location)
        #expect(error.argument == argument && error.axis == axis, sourceLocation: location)
        if let value { #expect(error.value == value, sourceLocation: location) }
        #expect(shape.allSatisfy { $0 == -1 }, sourceLocation: location)
    }

    @Test func refusals() {
        for bad in [0, -1, Int.min] {
            expectRefused(SC_NOT_POSITIVE, argument: SC_ARG_KERNEL_SIZE, axis: 1, value: bad) { $0.kernel = [1, bad] }
            expectRefused(SC_NOT_POSITIVE, argument: SC_ARG_STRIDE, axis: 0, value: bad) { $0.stride = [bad, 1] }
            expectRefused(SC_NOT_POSITIVE, argument: SC_ARG_DILATION, axis: 0, value: bad) { $0.dilation = [bad, 1] }
        }
        expectRefused(SC_NEGATIVE, argument: SC_ARG_PADDING, axis: 1, value: -3) { $0.low = [0, -3] }
        expectRefused(SC_NEGATIVE, argument: SC_ARG_PADDING, axis: 0, value: -1) { $0.high = [-1, 0] }
        expectRefused(SC_WINDOW_BEYOND, argument: SC_ARG_INPUT, axis: 1, value: 9) { $0.kernel = [9, 1] }
        expectRefused(SC_EMPTY_AXIS, argument: SC_ARG_INPUT, axis: 1) { $0.input = TestArray(.float32, [2, 0, 9]) }
        expectRefused(SC_RANK_TOO_SMALL, argument: SC_ARG_INPUT, value: 1) { $0.input = TestArray(.float32, [9]) }
        expectRefused(SC_AXIS_OUT_OF_RANGE, argument: SC_ARG_AXES, axis: 1, value: 3) { $0.axes = [0, 3] }
        expectRefused(SC_AXIS_REPEATED, argument: SC_ARG_AXES, axis: 1, value: -2) { $0.axes = [1, -2] }
        for huge in [Int.max, Int.max / 2 + 1] {
            expectRefused(SC_SIZE_OVERFLOW, argument: SC_ARG_DILATION, axis: 0, value: huge) {
                ($0.kernel, $0.dilation) = ([3, 1], [huge, 1])
            }
            expectRefused(SC_SIZE_OVERFLOW, argument: SC_ARG_PADDING, axis: 0, value: huge) {
                ($0.low, $0.high) = ([huge, 0], [huge, 0])
            }
        }
        expectRefused(SC_SIZE_OVERFLOW, argument: SC_ARG_STRIDE, axis: 0, value: Int.max) { $0.stride = [Int.max, 1] }
    }

    @Test func outputsThatDoNotFit() {
        let call = PoolCall(TestArray(.float32, [2, 8, 9]), [2, 2])
        let float = TestArray(.float32, [2, 4, 4])
        #expect(call.run(into: TestArray(.float32, [2, 4, 5])).status == SC_OUT_SHAPE)
        #expect(call.run(into: TestArray(.float32, [4, 4])).status == SC_OUT_RANK)
        #expect(call.run(into: TestArray(.float64, [2, 4, 4])).status == SC_DTYPE)
        #expect(call.run(into: float, indices: TestArray(.int32, [2, 4, 4])).status == SC_DTYPE)
        #expect(call.run(into: float, indices: TestArray(.int64, [2, 4, 5])).status == SC_OUT_SHAPE)
        var average = PoolCall(TestArray(.int32, [2, 8, 9]), [2, 2], SC_POOL_AVERAGE)
        #expect(average.run(into: TestArray(.int32, [2, 4, 4])).status == SC_DTYPE)
        average.operation = 99
        #expect(average.run(into: TestArray(.float64, [2, 4, 4])).status == SC_BAD_ENUM)
        #expect(float.memory.bytes.allSatisfy { $0 == GuardedMemory.canary })
    }

    @Test(arguments: [1, 3])
    func interrupted(threads: Int) {
        let input = TestArray(.float32, [4000, 3000], .broadcastFirst)
        var call = PoolCall(input, [400, 400])
        (call.stride, call.threads) = ([1, 1], threads)
        let out = TestArray(.float32, call.outShape().shape)
        let (status, polls) = interruptedAtSecondPoll { call.run(into: out, control: $0).status }
        #expect(status == SC_INTERRUPTED && polls == 2)
    }
}
