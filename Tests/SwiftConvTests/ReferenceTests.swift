import CSwiftConv
import Foundations
import Testing

/// The oracle itself, and with it the conventions of sizes and placement, against formulas written out anew, in Double.
struct ReferenceTests {
    /// One axis by its definition: the input index under output `o` and tap `k`.
    struct Axis {
        let n, k, stride, dilation, origin: Int
        let mode: Int
        let convolves: Bool
        var reach: Int { dilation * (k - 1) }
        /// Extent before striding, and where output 0 reads its first sample.
        var size: Int { mode == SC_MODE_VALID ? n - reach : mode == SC_MODE_SAME ? n : n + reach }
        var start: Int {
            switch mode {
            case SC_MODE_VALID: 0
            case SC_MODE_FULL: -reach
            // NumPy's and SciPy's placement for even extents; origin shifts as in scipy.ndimage.
            default: convolves ? (reach + 1 - 1) / 2 - reach + origin : -((reach + 1) / 2) - origin
            }
        }
        var outputs: Int { size <= 0 ? 0 : (size + stride - 1) / stride }
        func input(_ o: Int, _ tap: Int) -> Int { start + stride * o + dilation * tap }
        /// A convolution's filter is read backwards.
        func filter(_ tap: Int) -> Int { convolves ? k - 1 - tap : tap }
    }

    private func expected(_ a: [Double], _ v: [Double], _ axes: [Axis], _ boundary: Boundary, fill: Double) -> [Double]
    {
        var out: [Double] = []
        for y in 0..<axes[0].outputs {
            for x in 0..<axes[1].outputs {
                var sum = 0.0
                for i in 0..<axes[0].k {
                    for j in 0..<axes[1].k {
                        let r = boundary.map(axes[0].input(y, i), extent: axes[0].n)
                        let c = boundary.map(axes[1].input(x, j), extent: axes[1].n)
                        let sample = r < 0 || c < 0 ? fill : a[r * axes[1].n + c]
                        sum += sample * v[axes[0].filter(i) * axes[1].k + axes[1].filter(j)]
                    }
                }
                out.append(sum)
            }
        }
        return out
    }

    @Test(arguments: [SC_MODE_VALID, SC_MODE_SAME, SC_MODE_FULL], [SC_CORRELATE, SC_CONVOLVE])
    func equalsTheDefinition(mode: Int, operation: Int) {
        var generator = SeededGenerator(5)
        for _ in 0..<400 {
            let n = (0..<2).map { _ in Int.random(in: 1...7, using: &generator) }
            let k = (0..<2).map { _ in Int.random(in: 1...5, using: &generator) }
            let type = generator.pick([ElementType.float64, .int64])
            let (a, v) = (TestArray(type, n), TestArray(type, k))
            for array in [a, v] {
                array.set((0..<array.count).map { _ in Double(Int.random(in: -9...9, using: &generator)) })
            }
            var call = SlidingCall(a, v)
            (call.mode, call.operation) = (mode, operation)
            call.boundary = Int.random(in: 0...4, using: &generator)
            call.fill = generator.pick([0, 0, 3])
            let stride = (0..<2).map { _ in Int.random(in: 1...3, using: &generator) }
            let dilation = (0..<2).map { _ in Int.random(in: 1...3, using: &generator) }
            var origin = [0, 0]
            if mode == SC_MODE_SAME {
                for w in 0..<2 {
                    let extent = dilation[w] * (k[w] - 1) + 1
                    let centre = operation == SC_CORRELATE ? extent / 2 : (extent - 1) / 2
                    origin[w] = Int.random(in: -centre...extent - 1 - centre, using: &generator)
                }
            }
            let axes = (0..<2).map {
                Axis(
                    n: n[$0], k: k[$0], stride: stride[$0], dilation: dilation[$0], origin: origin[$0], mode: mode,
                    convolves: operation == SC_CONVOLVE)
            }
            if mode == SC_MODE_VALID && axes.contains(where: { $0.size < 1 }) { continue }
            (call.stride, call.dilation, call.origin) = (stride, dilation, origin)
            let out = call.output(SC_METHOD_REFERENCE)
            let boundary = Boundary(rawValue: Int32(call.boundary))!
            #expect(out.shape == axes.map(\.outputs), "\(call)")
            #expect(out.numbers == expected(a.numbers, v.numbers, axes, boundary, fill: Double(call.fill)), "\(call)")
        }
    }

    @Test func correlateConjugatesAndConvolveDoesNot() {
        for type in [ElementType.complex64, .complex128] {
            let part: ElementType = type == .complex64 ? .float32 : .float64
            func complex(_ parts: [Double]) -> TestArray {
                let array = TestArray(type, [parts.count / 2])
                var bytes: [UInt8] = []
                for x in parts { part.append(x, to: &bytes) }
                array.contents = bytes
                return array
            }
            let a = complex([1, 2, 3, -4, 5, 6])
            let v = complex([0, 1, 2, -1])
            for method in [SC_METHOD_REFERENCE, SC_METHOD_DIRECT] {
                var call = SlidingCall(a, v)
                // (1+2i)(-i) + (3-4i)(2+i) = 12-6i, (3-4i)(-i) + (5+6i)(2+i) = 14i
                #expect(call.output(method).numbers == [12, -6, 0, 14] as [Double])
                call.operation = SC_CONVOLVE
                // (1+2i)(2-i) + (3-4i)i = 8+6i, (3-4i)(2-i) + (5+6i)i = -4-6i
                #expect(call.output(method).numbers == [8, 6, -4, -6] as [Double])
            }
        }
    }
}
