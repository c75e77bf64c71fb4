import CSwiftConv
import Foundations
import Planning
import Testing

/// What is refused of a convolution with channels, and what is said: argument, axis, value, lowest, expected.
struct ConvolutionValidationTests {
    private func refusal(_ call: ConvolutionCall, out: TestArray? = nil) -> Failure? {
        call.withConvolution(out: out) { (_) throws(Failure) in }
    }

    private func expect(
        _ failure: Failure?, _ status: Int, argument: Int, axis: Int = -1, value: Int = 0, lowest: Int = 0,
        expected: Int = 0, at location: SourceLocation = #_sourceLocation
    ) {
        guard let failure else {
            Issue.record("not refused", sourceLocation: location)
            return
        }
        let found = [
            Int(failure.status), Int(failure.argument), failure.axis, failure.value, failure.lowest, failure.expected,
        ]
        #expect(found == [status, argument, axis, value, lowest, expected], sourceLocation: location)
    }

    private func call(
        _ a: [Int], _ b: [Int], _ operation: Int = SC_CONV_FORWARD, _ change: (inout ConvolutionCall) -> Void = { _ in }
    ) -> ConvolutionCall {
        var call = ConvolutionCall(TestArray(.float32, a), TestArray(.float32, b))
        call.operation = operation
        change(&call)
        return call
    }

    /// The arguments that an operation's operands are.
    private func arguments(_ operation: Int) -> (Int, Int) {
        switch operation {
        case SC_CONV_FORWARD: (SC_ARG_INPUT, SC_ARG_WEIGHT)
        case SC_CONV_TRANSPOSED: (SC_ARG_GRAD_OUTPUT, SC_ARG_WEIGHT)
        default: (SC_ARG_INPUT, SC_ARG_GRAD_OUTPUT)
        }
    }

    @Test(arguments: ConvolutionReferenceTests.operations)
    func ranks(operation: Int) {
        let (first, second) = arguments(operation)
        for rank in [1, 3, 5] {
            let odd = [Int](repeating: 2, count: rank)
            expect(
                refusal(call(odd, [2, 2, 2, 2], operation) { $0.spatialRank = 2 }), SC_RANK, argument: first,
                value: rank, expected: 4)
            expect(
                refusal(call([2, 2, 2, 2], odd, operation) { $0.spatialRank = 2 }), SC_RANK, argument: second,
                value: rank, expected: 4)
            expect(
                refusal(call([2, 2, 2, 2], [2, 2, 2, 2], operation), out: TestArray(.float32, odd)), SC_RANK,
                argument: SC_ARG_OUT, value: rank, expected: 4)
        }
        expect(
            refusal(call([2, 2, 2], [2, 2, 2], SC_CONV_FORWARD) { $0.perSample = true }), SC_RANK,
            argument: SC_ARG_WEIGHT, value: 3, expected: 4)
        expect(
            refusal(call([2, 2, 2], [2, 2, 2]) { $0.bias = TestArray(.float32, [1, 2]) }), SC_RANK,
            argument: SC_ARG_BIAS, value: 2, expected: 1)
        #expect(refusal(call([2, 3], [4, 3])) == nil, "no spatial axis: a matrix product")
    }

    @Test(arguments: ConvolutionReferenceTests.operations)
    func emptyAxes(operation: Int) {
        let (first, second) = arguments(operation)
        let out = operation == SC_CONV_WEIGHT ? TestArray(.float32, [2, 2, 2, 2]) : nil
        for axis in 1..<4 {
            var shape = [2, 2, 2, 2]
            shape[axis] = 0
            expect(refusal(call(shape, [2, 2, 2, 2], operation), out: out), SC_EMPTY_AXIS, argument: first, axis: axis)
            expect(
                refusal(call([2, 2, 2, 2], shape, operation), out: out), SC_EMPTY_AXIS, argument: second, axis: axis)
        }
        if operation != SC_CONV_WEIGHT {
            expect(
                refusal(call([2, 2, 2, 2], [0, 2, 2, 2], operation)), SC_EMPTY_AXIS, argument: SC_ARG_WEIGHT, axis: 0)
            #expect(refusal(call([0, 2, 2, 2], [2, 2, 2, 2], operation)) == nil, "an empty batch is no mistake")
        } else {
            expect(
                refusal(call([2, 2, 4, 4], [2, 2, 3, 3], operation), out: TestArray(.float32, [2, 2, 0, 2])),
                SC_EMPTY_AXIS, argument: SC_ARG_WEIGHT, axis: 2)
        }
    }

    @Test func channelsAndGroups() {
        expect(
            refusal(call([1, 5, 4], [2, 3, 2])), SC_CHANNELS, argument: SC_ARG_WEIGHT, axis: 1, value: 3, lowest: 1,
            expected: 5)
        expect(
            refusal(call([1, 6, 4], [2, 2, 2]) { $0.groups = 2 }), SC_CHANNELS, argument: SC_ARG_WEIGHT, axis: 1,
            value: 2, lowest: 2, expected: 3)
        expect(
            refusal(call([1, 5, 4], [2, 5, 2]) { $0.groups = 2 }), SC_INDIVISIBLE, argument: SC_ARG_INPUT, axis: 1,
            value: 5, expected: 2)
        expect(
            refusal(call([1, 6, 4], [5, 3, 2]) { $0.groups = 2 }), SC_INDIVISIBLE, argument: SC_ARG_WEIGHT, axis: 0,
            value: 5, expected: 2)
        expect(
            refusal(call([1, 5, 4], [6, 3, 2], SC_CONV_TRANSPOSED)), SC_CHANNELS, argument: SC_ARG_WEIGHT, axis: 0,
            value: 6, lowest: 1, expected: 5)
        expect(
            refusal(call([1, 5, 4], [5, 3, 2], SC_CONV_TRANSPOSED) { $0.groups = 2 }), SC_INDIVISIBLE,
            argument: SC_ARG_GRAD_OUTPUT, axis: 1, value: 5, expected: 2)
        for bad in [0, -1, Int.min] {
            for operation in ConvolutionReferenceTests.operations {
                expect(
                    refusal(call([1, 2, 4], [2, 2, 2], operation) { $0.groups = bad }), SC_NOT_POSITIVE,
                    argument: SC_ARG_GROUPS, value: bad)
                expect(
                    refusal(call([1, 2, 4], [2, 2, 2], operation) { $0.batchGroups = bad }), SC_NOT_POSITIVE,
                    argument: SC_ARG_BATCH_GROUPS, value: bad)
            }
        }
    }

    @Test func batchGroups() {
        expect(
            refusal(call([3, 2, 4], [2, 2, 2]) { $0.batchGroups = 2 }), SC_INDIVISIBLE, argument: SC_ARG_INPUT, axis: 0,
            value: 3, expected: 2)
        expect(
            refusal(call([4, 2, 4], [3, 2, 2]) { $0.batchGroups = 2 }), SC_INDIVISIBLE, argument: SC_ARG_WEIGHT,
            axis: 0, value: 3, expected: 2)
        for operation in [SC_CONV_TRANSPOSED, SC_CONV_WEIGHT] {
            expect(
                refusal(call([4, 2, 4], [2, 2, 2], operation) { $0.batchGroups = 2 }), SC_BAD_ENUM,
                argument: SC_ARG_BATCH_GROUPS, value: 2)
        }
        expect(
            refusal(call([4, 2, 4], [2, 1, 2]) { ($0.batchGroups, $0.groups) = (2, 2) }), SC_BAD_ENUM,
            argument: SC_ARG_BATCH_GROUPS, value: 2)
    }

    @Test func perSample() {
        expect(
            refusal(call([3, 2, 4], [2, 2, 2, 2]) { $0.perSample = true }), SC_EXTENT, argument: SC_ARG_WEIGHT,
            axis: 0, value: 2, expected: 3)
        expect(
            refusal(
                call([3, 2, 4], [3, 2, 2, 2]) { ($0.perSample, $0.bias) = (true, TestArray(.float32, [1, 2])) }),
            SC_EXTENT, argument: SC_ARG_BIAS, axis: 0, value: 1, expected: 3)
        expect(
            refusal(call([3, 2, 4], [2, 2, 2]) { $0.bias = TestArray(.float32, [3]) }), SC_EXTENT,
            argument: SC_ARG_BIAS, axis: 0, value: 3, expected: 2)
    }

    @Test func windows() {
        expect(
            refusal(call([1, 2, 5, 5], [2, 2, 3, 6])), SC_WINDOW_BEYOND, argument: SC_ARG_WEIGHT, axis: 1, value: 6,
            expected: 5)
        expect(
            refusal(call([1, 2, 5, 5], [2, 2, 3, 3]) { ($0.dilation, $0.paddingLow) = ([3, 1], [1, 0]) }),
            SC_WINDOW_BEYOND, argument: SC_ARG_WEIGHT, axis: 0, value: 7, expected: 6)
        expect(
            refusal(call([1, 2, 5], [2, 2, 1]) { ($0.paddingLow, $0.paddingHigh) = ([-3], [-3]) }), SC_WINDOW_BEYOND,
            argument: SC_ARG_WEIGHT, axis: 0, value: 1, expected: -1)
        #expect(refusal(call([1, 2, 5], [2, 2, 5])) == nil)
    }

    @Test(arguments: ConvolutionReferenceTests.operations)
    func steps(operation: Int) {
        let out = operation == SC_CONV_WEIGHT ? TestArray(.float32, [2, 2, 2, 2]) : nil
        let second = operation == SC_CONV_WEIGHT ? [1, 2, 4, 4] : [2, 2, 2, 2]
        for bad in [0, -1, Int.min] {
            for (argument, change) in [
                (SC_ARG_STRIDE, { (call: inout ConvolutionCall) in call.stride = [1, bad] }),
                (SC_ARG_DILATION, { call in call.dilation = [1, bad] }),
                (SC_ARG_INPUT_DILATION, { call in call.inputDilation = [1, bad] }),
            ] {
                expect(
                    refusal(call([1, 2, 5, 5], second, operation, change), out: out), SC_NOT_POSITIVE,
                    argument: argument, axis: 1, value: bad)
            }
        }
        if operation != SC_CONV_FORWARD {
            expect(
                refusal(call([1, 2, 5, 5], second, operation) { $0.inputDilation = [1, 2] }, out: out), SC_BAD_ENUM,
                argument: SC_ARG_INPUT_DILATION, axis: 1, value: 2)
        }
    }

    @Test func paddingOfOtherBoundaries() {
        for (boundary, most) in [(SC_BOUNDARY_REFLECT, 4), (SC_BOUNDARY_WRAP, 5)] {
            for side in [\ConvolutionCall.paddingLow, \.paddingHigh] {
                expect(
                    refusal(call([1, 2, 5], [2, 2, 2]) { ($0.boundary, $0[keyPath: side]) = (boundary, [most + 1]) }),
                    SC_PADDING_TOO_LARGE, argument: SC_ARG_PADDING, axis: 0, value: most + 1, expected: most)
                expect(
                    refusal(call([1, 2, 5], [2, 2, 2]) { ($0.boundary, $0[keyPath: side]) = (boundary, [-1]) }),
                    SC_NEGATIVE, argument: SC_ARG_PADDING, axis: 0, value: -1)
                #expect(
                    refusal(call([1, 2, 5], [2, 2, 2]) { ($0.boundary, $0[keyPath: side]) = (boundary, [most]) }) == nil
                )
            }
        }
        expect(
            refusal(call([1, 2, 5], [2, 2, 2], SC_CONV_TRANSPOSED) { $0.boundary = SC_BOUNDARY_EDGE }), SC_BAD_ENUM,
            argument: SC_ARG_BOUNDARY, value: SC_BOUNDARY_EDGE)
        expect(
            refusal(call([1, 2, 5], [2, 2, 2]) { ($0.boundary, $0.inputDilation) = (SC_BOUNDARY_EDGE, [2]) }),
            SC_BAD_ENUM, argument: SC_ARG_INPUT_DILATION, axis: 0)
    }

    @Test func outputPadding() {
        func transposed(_ padding: Int, stride: Int = 3, dilation: Int = 1) -> ConvolutionCall {
            call([1, 2, 5], [2, 2, 2], SC_CONV_TRANSPOSED) {
                ($0.stride, $0.dilation, $0.outputPadding) = ([stride], [dilation], [padding])
            }
        }
        expect(refusal(transposed(-1)), SC_NEGATIVE, argument: SC_ARG_OUTPUT_PADDING, axis: 0, value: -1)
        expect(
            refusal(transposed(3)), SC_PADDING_TOO_LARGE, argument: SC_ARG_OUTPUT_PADDING, axis: 0, value: 3,
            expected: 2)
        #expect(refusal(transposed(2)) == nil && refusal(transposed(3, dilation: 4)) == nil)
        // Of an output that is there, the extent decides.
        for (extent, isRight) in [(13, false), (14, true), (16, true), (17, false)] {
            let failure = refusal(transposed(0), out: TestArray(.float32, [1, 2, extent]))
            if isRight {
                #expect(failure == nil)
            } else {
                expect(failure, SC_EXTENT, argument: SC_ARG_OUT, axis: 2, value: extent, expected: 14)
            }
        }
        // Padding may take away all of the output, as in torch, and no more.
        #expect(refusal(call([1, 2, 1], [2, 2, 2], SC_CONV_TRANSPOSED) { $0.pad(1) }) == nil)
        expect(
            refusal(call([1, 2, 1], [2, 2, 2], SC_CONV_TRANSPOSED) { $0.pad(2) }), SC_WINDOW_BEYOND,
            argument: SC_ARG_PADDING, axis: 0, value: 2, expected: -2)
    }

    @Test func outputs() {
        for axis in 0..<4 {
            var shape = [2, 3, 4, 5]
            let right = shape[axis]
            shape[axis] = 9
            expect(
                refusal(call([2, 2, 6, 7], [3, 2, 3, 3]), out: TestArray(.float32, shape)), SC_EXTENT,
                argument: SC_ARG_OUT, axis: axis, value: 9, expected: right)
        }
        expect(refusal(call([2, 2, 6], [2, 2, 4], SC_CONV_WEIGHT)), SC_BAD_ENUM, argument: SC_ARG_OUT)
        expect(
            refusal(call([2, 2, 6], [2, 2, 5], SC_CONV_WEIGHT), out: TestArray(.float32, [2, 2, 3])), SC_EXTENT,
            argument: SC_ARG_GRAD_OUTPUT, axis: 2, value: 5, expected: 4)
        expect(
            refusal(call([2, 2, 6], [3, 2, 4], SC_CONV_WEIGHT), out: TestArray(.float32, [2, 2, 3])), SC_EXTENT,
            argument: SC_ARG_GRAD_OUTPUT, axis: 0, value: 3, expected: 2)
        expect(
            refusal(
                call([2, 2, 6], [2, 2, 4], SC_CONV_WEIGHT) { $0.bias = TestArray(.float32, [2]) },
                out: TestArray(.float32, [2, 2, 3])), SC_BAD_ENUM, argument: SC_ARG_BIAS)
    }

    /// From bool to integer to float to complex and never back.
    @Test func casting() {
        for result in ElementType.allCases {
            for other in ElementType.allCases {
                let (plain, odd) = (TestArray(result, [1, 1, 2]), TestArray(other, [1, 1, 2]))
                let tooWide = StencilTests.kind(other) > StencilTests.kind(result)
                var biased = ConvolutionCall(plain, plain)
                biased.bias = TestArray(other, [1])
                let found = [
                    refusal(ConvolutionCall(odd, plain, result: result)),
                    refusal(ConvolutionCall(plain, odd, result: result)), refusal(biased),
                ]
                for (failure, argument) in zip(found, [SC_ARG_INPUT, SC_ARG_WEIGHT, SC_ARG_BIAS]) {
                    #expect((failure != nil) == tooWide)
                    if tooWide { expect(failure, SC_DTYPE, argument: argument, value: Int(other.rawValue)) }
                }
                let out = refusal(ConvolutionCall(plain, plain), out: TestArray(other, [1, 1, 1]))
                #expect((out != nil) == (StencilTests.kind(other) < StencilTests.kind(result)))
            }
            let clamped = refusal(call([1, 1, 2], [1, 1, 2]) { ($0.result, $0.clamp) = (result, 0...1) })
            if StencilTests.kind(result) >= 2 { #expect((clamped != nil) == result.isComplex) }
        }
    }
}
