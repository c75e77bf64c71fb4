import CSwiftConv
import Foundations
import Planning
import Testing

/// One convolution with channels, and ways to make it.
struct ConvolutionCall: @unchecked Sendable {
    /// The operands in the order of sc_conv's operations.
    var a: TestArray
    var b: TestArray
    var bias: TestArray?
    var operation = SC_CONV_FORWARD
    var boundary = SC_BOUNDARY_FILL
    var method = SC_CONV_AUTO
    var result: ElementType
    var threads = 1
    var perSample = false
    var clamp: ClosedRange<Double>?
    var groups = 1
    var batchGroups = 1
    var stride: [Int]?
    var dilation: [Int]?
    var paddingLow: [Int]?
    var paddingHigh: [Int]?
    var inputDilation: [Int]?
    var outputPadding: [Int]?
    /// The weight's extents, which its gradient's operands do not tell.
    var weightShape: [Int]?
    var spatialRank: Int

    init(_ a: TestArray, _ b: TestArray, result: ElementType? = nil) {
        self.a = a
        self.b = b
        self.result = result ?? a.type
        spatialRank = a.shape.count - 2
    }

    /// The same padding on all sides.
    mutating func pad(_ padding: Int) {
        paddingLow = [Int](repeating: padding, count: spatialRank)
        paddingHigh = paddingLow
    }

    /// sc_conv as the caller of the C library fills it.
    func withOptions<R>(_ body: (sc_conv) -> R) -> R {
        let lists = [stride, dilation, paddingLow, paddingHigh, inputDilation, outputPadding]
        return lists.flatMap { ($0 ?? []).map { Int64($0) } }.withUnsafeBufferPointer { numbers in
            var next = 0
            func list(_ list: [Int]?) -> UnsafePointer<Int64>? {
                guard let list, let base = numbers.baseAddress else { return nil }
                defer { next += list.count }
                return base + next
            }
            let pointers = lists.map(list)
            return body(
                sc_conv(
                    operation: Int32(operation), spatial_ndim: Int32(spatialRank), boundary: Int32(boundary),
                    method: Int32(method), result_dtype: result.rawValue, threads: Int32(threads),
                    per_sample: perSample ? 1 : 0,
                    activation: Int32(clamp == nil ? SC_ACTIVATION_NONE : SC_ACTIVATION_CLAMP),
                    lowest: clamp?.lowerBound ?? 0, highest: clamp?.upperBound ?? 0, groups: Int64(groups),
                    batch_groups: Int64(batchGroups), stride: pointers[0], dilation: pointers[1],
                    padding_low: pointers[2], padding_high: pointers[3], input_dilation: pointers[4],
                    output_padding: pointers[5]))
        }
    }

    /// The result's shape as the library tells it, or why there is none.
    func outShape() -> (status: Int, error: sc_error, shape: [Int]) {
        var (a, b, error) = (a.descriptor, b.descriptor, sc_error())
        var shape = [Int64](repeating: -1, count: max(spatialRank, 0) + 2)
        let status = withOptions { options in
            var options = options
            return CSwiftConv.sc_conv_shape(&a, &b, &options, &shape, &error)
        }
        return (Int(status), error, shape.map { Int($0) })
    }

    func run(into out: TestArray, control: sc_control? = nil) -> (status: Int, error: sc_error) {
        var (a, b, o, error) = (a.descriptor, b.descriptor, out.descriptor, sc_error())
        var (bias, control) = (bias?.descriptor, control)
        let status = withOptions { options in
            var options = options
            return withPointer(to: &bias) { bias in
                withPointer(to: &control) { CSwiftConv.sc_conv_run(&a, &b, bias, &o, &options, $0, &error) }
            }
        }
        return (Int(status), error)
    }

    func explain(out: TestArray? = nil) -> (status: Int, error: sc_error, explanation: sc_explanation) {
        var (a, b, error, explanation) = (a.descriptor, b.descriptor, sc_error(), sc_explanation())
        var (bias, out) = (bias?.descriptor, out?.descriptor)
        let status = withOptions { options in
            var options = options
            return withPointer(to: &bias) { bias in
                withPointer(to: &out) {
                    CSwiftConv.sc_conv_explain(&a, &b, bias, $0, &options, &explanation, &error)
                }
            }
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
        var shape = weightShape ?? []
        if operation != SC_CONV_WEIGHT {
            let found = call.outShape()
            #expect(found.status == SC_OK, "\(call)", sourceLocation: location)
            shape = found.status == SC_OK ? found.shape : [0]
        }
        let out = TestArray(type ?? result, shape, layout, guarding: guarding)
        let ran = call.run(into: out)
        #expect(ran.status == SC_OK, "\(call)", sourceLocation: location)
        if !out.canariesAreAlive { Issue.record("written outside: \(call)", sourceLocation: location) }
        return out
    }

    /// The options as Planning takes them; lists live during `body`.
    func withPlanningOptions<R>(_ body: (ConvolutionOptions) -> R) -> R {
        withOptions { codes in
            var options = ConvolutionOptions()
            options.operation = .init(rawValue: codes.operation)!
            options.boundary = .init(rawValue: codes.boundary)!
            options.method = .init(rawValue: codes.method)!
            options.spatialRank = spatialRank
            options.resultType = result
            options.perSample = perSample
            if let clamp { options.clamp = .init(lowest: clamp.lowerBound, highest: clamp.upperBound) }
            options.groups = groups
            options.batchGroups = batchGroups
            options.stride = PerWindow(codes.stride)
            options.dilation = PerWindow(codes.dilation)
            options.paddingLow = PerWindow(codes.padding_low)
            options.paddingHigh = PerWindow(codes.padding_high)
            options.inputDilation = PerWindow(codes.input_dilation)
            options.outputPadding = PerWindow(codes.output_padding)
            return body(options)
        }
    }

    /// The validated convolution, or why there is none.
    func withConvolution(out: TestArray?, _ body: (Convolution) throws(Failure) -> Void) -> Failure? {
        withPlanningOptions { (options) -> Failure? in
            do throws(Failure) {
                _ = try withConvolutionStorage(spatialRank: spatialRank) { (storage) throws(Failure) in
                    try body(
                        try validate(a.tensor, b.tensor, bias: bias?.tensor, out: out?.tensor, options, storage))
                    return true
                }
                return nil
            } catch { return error }
        }
    }
}

/// A pointer to an optional's value, nil for none.
private func withPointer<T, R>(to value: inout T?, _ body: (UnsafePointer<T>?) -> R) -> R {
    guard var some = value else { return body(nil) }
    return withUnsafePointer(to: &some) { body($0) }
}

extension ConvolutionCall: CustomStringConvertible {
    var description: String {
        func list(_ name: String, _ list: [Int]?) -> String { list.map { " \(name)=\($0)" } ?? "" }
        return "a=\(a) b=\(b)" + (bias.map { " bias=\($0)" } ?? "")
            + " op=\(operation) boundary=\(boundary) method=\(method) result=\(result) groups=\(groups)"
            + " batchGroups=\(batchGroups) perSample=\(perSample)" + list("stride", stride) + list("dilation", dilation)
            + list("low", paddingLow) + list("high", paddingHigh) + list("inputDilation", inputDilation)
            + list("outputPadding", outputPadding) + list("weight", weightShape)
            + (clamp.map { " clamp=\($0)" } ?? "") + " threads=\(threads)"
    }
}
