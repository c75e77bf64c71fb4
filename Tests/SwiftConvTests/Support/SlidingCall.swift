import Algorithms
import CSwiftConv
import Foundations
import Planning
import Testing

/// One call of correlate or convolve, and ways to make it.
struct SlidingCall: @unchecked Sendable {
    var a: TestArray
    var v: TestArray
    var operation = SC_CORRELATE
    var mode = SC_MODE_VALID
    var boundary = SC_BOUNDARY_FILL
    var method = SC_METHOD_DIRECT
    var result: ElementType
    var threads = 1
    var axes: [Int]?
    var stride: [Int]?
    var dilation: [Int]?
    var origin: [Int]?
    /// The fill value, for any dtype.
    var fill = 0

    init(_ a: TestArray, _ v: TestArray, result: ElementType? = nil) {
        self.a = a
        self.v = v
        self.result = result ?? a.type
    }

    /// sc_sliding as the caller of the C library fills it.
    func withOptions<R>(_ body: (sc_sliding) -> R) -> R {
        withList(axes) { axes in
            withList(stride) { stride in
                withList(dilation) { dilation in
                    withList(origin) { origin in
                        body(
                            sc_sliding(
                                operation: Int32(operation), mode: Int32(mode), boundary: Int32(boundary),
                                method: Int32(method), result_dtype: result.rawValue, threads: Int32(threads),
                                window_ndim: Int32(v.shape.count), reserved: 0, axes: axes, stride: stride,
                                dilation: dilation, origin: origin, fill_integer: Int64(fill),
                                fill_real: Double(fill), fill_imaginary: 0))
                    }
                }
            }
        }
    }

    private func withList<R>(_ list: [Int]?, _ body: (UnsafePointer<Int64>?) -> R) -> R {
        guard let list else { return body(nil) }
        return list.map { Int64($0) }.withUnsafeBufferPointer { body($0.baseAddress) }
    }

    /// The result's shape as the library tells it, or why there is none.
    func outShape() -> (status: Int, error: sc_error, shape: [Int]) {
        var (a, v, error) = (a.descriptor, v.descriptor, sc_error())
        var shape = [Int64](repeating: -1, count: self.a.shape.count)
        let status = withOptions { options in
            var options = options
            return CSwiftConv.sc_sliding_shape(&a, &v, &options, &shape, &error)
        }
        return (Int(status), error, shape.map { Int($0) })
    }

    func run(into out: TestArray, control: sc_control? = nil) -> (status: Int, error: sc_error) {
        var (a, v, o, error) = (a.descriptor, v.descriptor, out.descriptor, sc_error())
        let status = withOptions { options in
            var options = options
            if var control { return CSwiftConv.sc_sliding_run(&a, &v, &o, &options, &control, &error) }
            return CSwiftConv.sc_sliding_run(&a, &v, &o, &options, nil, &error)
        }
        return (Int(status), error)
    }

    func explain(out: TestArray? = nil) -> (status: Int, error: sc_error, explanation: sc_explanation) {
        var (a, v, error, explanation) = (a.descriptor, v.descriptor, sc_error(), sc_explanation())
        let status = withOptions { options in
            var options = options
            if var o = out?.descriptor {
                return CSwiftConv.sc_sliding_explain(&a, &v, &o, &options, &explanation, &error)
            }
            return CSwiftConv.sc_sliding_explain(&a, &v, nil, &options, &explanation, &error)
        }
        return (Int(status), error, explanation)
    }

    /// Runs into a new array and checks that nothing else was written.
    func output(
        _ method: Int? = nil, threads: Int? = nil, type: ElementType? = nil, _ layout: Layout = .c,
        guarding: GuardedMemory.Guard = .end, at location: SourceLocation = #_sourceLocation
    ) -> TestArray {
        var call = self
        call.method = method ?? self.method
        call.threads = threads ?? self.threads
        let found = call.outShape()
        #expect(found.status == SC_OK, "\(self)", sourceLocation: location)
        let out = TestArray(type ?? result, found.status == SC_OK ? found.shape : [0], layout, guarding: guarding)
        let ran = call.run(into: out)
        #expect(ran.status == SC_OK, "\(self)", sourceLocation: location)
        if !out.canariesAreAlive { Issue.record("written outside: \(self)", sourceLocation: location) }
        return out
    }
}

extension SlidingCall: CustomStringConvertible {
    var description: String {
        func list(_ name: String, _ list: [Int]?) -> String { list.map { " \(name)=\($0)" } ?? "" }
        return "a=\(a) v=\(v) op=\(operation) mode=\(mode) boundary=\(boundary) method=\(method) result=\(result)"
            + list("axes", axes) + list("stride", stride) + list("dilation", dilation) + list("origin", origin)
            + " fill=\(fill) threads=\(threads)"
    }
}

extension TestArray: CustomStringConvertible {
    var description: String { "\(type)\(shape)/\(strides)\(byteswapped ? " swapped" : "")" }
}

/// Whether two arrays hold the same bits; of NaN any.
func sameBits(_ a: TestArray, _ b: TestArray) -> Bool {
    let (x, y) = (a.contents, b.contents)
    if x == y { return true }
    if a.shape != b.shape || a.type != b.type || !a.type.isFloating { return false }
    let part = x.count / max(a.numbers.count, 1)
    return zip(a.numbers, b.numbers).enumerated().allSatisfy { i, pair in
        let bytes = i * part..<(i + 1) * part
        return x[bytes] == y[bytes] || (pair.0.isNaN && pair.1.isNaN)
    }
}
