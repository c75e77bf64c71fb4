import CSwiftConv
import Foundations
import Testing

/// Direct summation in tiles against the reference, bit for bit.
struct StencilTests {
    static func kind(_ type: ElementType) -> Int {
        type == .bool ? 0 : type.isComplex ? 3 : type.isFloating ? 2 : 1
    }

    static let modes = [SC_MODE_VALID, SC_MODE_SAME, SC_MODE_FULL]
    static let boundaries = [
        SC_BOUNDARY_FILL, SC_BOUNDARY_WRAP, SC_BOUNDARY_SYMMETRIC, SC_BOUNDARY_REFLECT, SC_BOUNDARY_EDGE,
    ]

    private func check(_ call: SlidingCall, type: ElementType? = nil, _ layout: Layout = .c) {
        let expected = call.output(SC_METHOD_REFERENCE, type: type)
        for guarding in GuardedMemory.Guard.allCases {
            let actual = call.output(SC_METHOD_DIRECT, type: type, layout, guarding: guarding)
            #expect(sameBits(actual, expected), "\(call), out \(layout)")
        }
    }

    /// All products of mode, boundary, stride, dilation and the input's layout.
    @Test(arguments: [ElementType.float32, .uint8, .int16, .bool], modes)
    func everyGeometry(type: ElementType, mode: Int) {
        var generator = SeededGenerator(6)
        let v = TestArray(type, [3, 4]).filled(&generator)
        for (i, layout) in Layout.allCases.enumerated() {
            let a = TestArray(type, [2, 13, 37], layout, guarding: i % 2 == 0 ? .start : .end).filled(&generator)
            for boundary in Self.boundaries where mode != SC_MODE_VALID || boundary == SC_BOUNDARY_FILL {
                for (stride, dilation) in [
                    ([1, 1], [1, 1]), ([2, 1], [1, 1]), ([1, 3], [1, 2]), ([1, 1], [2, 3]), ([3, 2], [2, 2]),
                ] {
                    var call = SlidingCall(a, v)
                    (call.mode, call.boundary, call.stride, call.dilation) = (mode, boundary, stride, dilation)
                    call.operation = i % 3 == 0 ? SC_CONVOLVE : SC_CORRELATE
                    call.fill = boundary == SC_BOUNDARY_FILL && i % 2 == 0 ? 1 : 0
                    check(call, Layout.writable[(i + stride[0]) % Layout.writable.count])
                }
            }
        }
    }

    /// Problems at random over ranks, axes, dtypes of each operand, layouts of each, origins and extents.
    @Test(arguments: ElementType.allCases)
    func everyDtype(result: ElementType) {
        var generator = SeededGenerator(100 + Int(result.rawValue))
        for _ in 0..<200 {
            let (call, type, layout) = randomCall(result, &generator)
            check(call, type: type, layout)
        }
    }

    private func randomCall(
        _ result: ElementType, _ generator: inout SeededGenerator
    ) -> (SlidingCall, ElementType, Layout) {
        let kind = Self.kind(result)
        let values = result.isFloating ? Values.small : .exact
        let narrower = ElementType.allCases.filter { Self.kind($0) <= kind && ($0.isFloating || $0.rawValue <= 8) }
        let wider = ElementType.allCases.filter { Self.kind($0) >= kind }
        let windowRank = Int.random(in: 0...3, using: &generator)
        let rank = max(1, windowRank + Int.random(in: 0...2, using: &generator))
        let mode = generator.pick(Self.modes)
        let axes = Array((0..<rank).shuffled(using: &generator).prefix(windowRank))
        let k = axes.map { _ in Int.random(in: 1...(windowRank == 1 ? 9 : 4), using: &generator) }
        let dilation = axes.map { _ in generator.pick([1, 1, 1, 2, 3]) }
        var extents = (0..<rank).map { _ in generator.pick([0, 1, 2, 3, 3, 5, 5, 7, 9]) }
        for (w, axis) in axes.enumerated() {
            let lowest = mode == SC_MODE_VALID ? dilation[w] * (k[w] - 1) + 1 : 1
            extents[axis] = lowest + Int.random(in: 0...(w == 0 ? 40 : 8), using: &generator)
        }
        let a = TestArray(
            generator.once(in: 2) ? result : generator.pick(narrower), extents, generator.pick(Layout.allCases)
        )
        .filled(values, &generator)
        let v = TestArray(generator.once(in: 2) ? result : generator.pick(narrower), k, generator.pick(Layout.allCases))
            .filled(values, &generator)
        var call = SlidingCall(a, v, result: result)
        call.mode = mode
        call.operation = generator.pick([SC_CORRELATE, SC_CONVOLVE])
        call.boundary = generator.pick(Self.boundaries)
        call.axes = axes.map { generator.once(in: 2) ? $0 : $0 - rank }
        call.dilation = dilation
        call.stride = axes.map { _ in generator.pick([1, 1, 1, 2, 3, 50]) }
        call.fill = generator.pick([0, 0, 2])
        if mode == SC_MODE_SAME {
            call.origin = (0..<windowRank).map { w in
                let extent = dilation[w] * (k[w] - 1) + 1
                let centre = call.operation == SC_CORRELATE ? extent / 2 : (extent - 1) / 2
                return Int.random(in: -centre...extent - 1 - centre, using: &generator)
            }
        }
        return (call, generator.once(in: 2) ? result : generator.pick(wider), generator.pick(Layout.writable))
    }

    /// Sums that round: the order is the reference's with the rows of a window innermost, that is of the transposed
    /// problem.
    @Test(arguments: [ElementType.float16, .bfloat16, .float32, .float64, .complex64, .complex128], modes)
    func roundsAsTheReference(type: ElementType, mode: Int) {
        var generator = SeededGenerator(7)
        for (k, columns) in [
            ([1, 1], 40), ([3, 3], 70), ([5, 2], 13), ([6, 4], 33), ([7, 7], 16), ([2, 9], 35), ([13, 3], 17),
        ] {
            let a = TestArray(type, [2, 19, columns], .gappedRows).filled(.rounding, &generator)
            let v = TestArray(type, k).filled(.rounding, &generator)
            for (stride, dilation) in [([1, 1], [1, 1]), ([2, 3], [1, 1]), ([1, 1], [3, 1])] {
                if mode == SC_MODE_VALID && dilation[0] * (k[0] - 1) >= 19 { continue }
                var call = SlidingCall(a, v)
                (call.mode, call.stride, call.dilation) = (mode, stride, dilation)
                let actual = call.output()
                (call.a, call.v) = (a.transposed, v.transposed)
                (call.stride, call.dilation) = (stride.reversed(), dilation.reversed())
                let expected = call.output(SC_METHOD_REFERENCE).transposed
                #expect(sameBits(actual, expected), "\(call)")
            }
        }
    }

    @Test(arguments: [ElementType.float32, .float64, .uint8])
    func volumes(type: ElementType) {
        var generator = SeededGenerator(8)
        let a = TestArray(type, [2, 5, 9, 35]).filled(&generator)
        for k in [[2, 3, 3], [3, 1, 5], [1, 6, 2]] {
            let v = TestArray(type, k).filled(&generator)
            for mode in Self.modes {
                for boundary in [SC_BOUNDARY_FILL, SC_BOUNDARY_REFLECT] {
                    var call = SlidingCall(a, v)
                    (call.mode, call.boundary, call.dilation) = (mode, boundary, [1, 1, 2])
                    check(call)
                }
            }
        }
    }

    /// Outputs so large that they go past the caches are those of the same rows in small outputs.
    @Test(arguments: [ElementType.float32, .int16, .complex128])
    func largeOutputs(type: ElementType) {
        var generator = SeededGenerator(9)
        let columns = 1500
        let rows = (40 << 20) / columns / type.byteCount
        let a = TestArray(type, [rows, columns])
        // Random bits would be slow to make and NaN at times.
        let row = TestArray(type, [1, columns + 7]).filled(&generator).contents
        for y in 0..<rows {
            let target = UnsafeMutableRawBufferPointer(
                start: a.data + y * a.strides[0], count: columns * type.byteCount)
            target.copyBytes(from: row[(y % 7 * type.byteCount)...].prefix(target.count))
        }
        let v = TestArray(type, [3, 3]).filled(&generator)
        var call = SlidingCall(a, v)
        let shape = call.outShape().shape
        let out = TestArray(type, shape)
        for threads in [1, 3] {
            call.threads = threads
            out.memory.bytes.initializeMemory(as: UInt8.self, repeating: 0)
            #expect(call.run(into: out).status == SC_OK)
            for first in stride(from: 0, to: shape[0], by: 997) {
                let part = first..<min(first + 40, shape[0])
                let small = SlidingCall(a.slice(axis: 0, part.lowerBound..<part.upperBound + 2), v).output(
                    SC_METHOD_DIRECT)
                #expect(sameBits(small, out.slice(axis: 0, part)), "rows \(part)")
            }
        }
    }
}
