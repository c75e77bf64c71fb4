import Algorithms
import CSwiftConv
import Foundations
import Planning
import Testing

/// What `validate` refuses, and what it says: argument, axis, value, lowest, expected.
struct ValidationTests {
    /// Why a call is refused, from Planning; nil if it is not.
    private func refusal(_ call: SlidingCall, out: TestArray? = nil, windowRank: Int? = nil) -> Failure? {
        var options = SlidingOptions()
        options.operation = .init(rawValue: Int32(call.operation))!
        options.mode = .init(rawValue: Int32(call.mode))!
        options.boundary = .init(rawValue: Int32(call.boundary))!
        options.resultType = call.result
        options.windowRank = windowRank ?? call.v.shape.count
        return call.withOptions { (lists) -> Failure? in
            options.axes = PerWindow(lists.axes)
            options.stride = PerWindow(lists.stride)
            options.dilation = PerWindow(lists.dilation)
            options.origin = PerWindow(lists.origin)
            do throws(Failure) {
                _ = try withAxes(rank: call.a.shape.count) { (axes) throws(Failure) in
                    _ = try validate(call.a.tensor, call.v.tensor, out: out?.tensor, options, into: axes)
                    return true
                }
                return nil
            } catch { return error }
        }
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

    private func call(_ a: [Int], _ v: [Int], _ change: (inout SlidingCall) -> Void = { _ in }) -> SlidingCall {
        var call = SlidingCall(TestArray(.float32, a), TestArray(.float32, v))
        change(&call)
        return call
    }

    @Test func ranks() {
        expect(refusal(call([5], [2, 2])), SC_RANK_TOO_SMALL, argument: SC_ARG_A, value: 1, expected: 2)
        expect(refusal(call([], [2])), SC_RANK_TOO_SMALL, argument: SC_ARG_A, value: 0, expected: 1)
        expect(refusal(call([5, 5], [2]), windowRank: 2), SC_WINDOW_RANK, argument: SC_ARG_V, value: 1, expected: 2)
        #expect(refusal(call([], [])) == nil && refusal(call([3], [])) == nil)
    }

    @Test func emptyAxes() {
        for mode in [SC_MODE_VALID, SC_MODE_SAME, SC_MODE_FULL] {
            expect(refusal(call([3, 0, 4], [1, 1]) { $0.mode = mode }), SC_EMPTY_AXIS, argument: SC_ARG_A, axis: 1)
            expect(refusal(call([3, 5, 4], [1, 0]) { $0.mode = mode }), SC_EMPTY_AXIS, argument: SC_ARG_V, axis: 1)
            #expect(refusal(call([0, 5, 4], [1, 1]) { $0.mode = mode }) == nil, "an empty batch is no mistake")
        }
    }

    @Test func axes() {
        for bad in [2, 3, -3, Int.max, Int.min] {
            expect(
                refusal(call([5, 5], [2, 2]) { $0.axes = [0, bad] }), SC_AXIS_OUT_OF_RANGE, argument: SC_ARG_AXES,
                axis: 1,
                value: bad, expected: 2)
        }
        expect(
            refusal(call([5, 5], [2, 2]) { $0.axes = [1, 1] }), SC_AXIS_REPEATED, argument: SC_ARG_AXES, axis: 1,
            value: 1)
        expect(
            refusal(call([5, 5], [2, 2]) { $0.axes = [1, -1] }), SC_AXIS_REPEATED, argument: SC_ARG_AXES, axis: 1,
            value: -1)
        #expect(refusal(call([5, 5], [2, 2]) { $0.axes = [-1, -2] }) == nil)
    }

    @Test func steps() {
        for bad in [0, -1, Int.min] {
            expect(
                refusal(call([5, 5], [2, 2]) { $0.stride = [1, bad] }), SC_NOT_POSITIVE, argument: SC_ARG_STRIDE,
                axis: 1,
                value: bad)
            expect(
                refusal(call([5, 5], [2, 2]) { $0.dilation = [bad, 1] }), SC_NOT_POSITIVE, argument: SC_ARG_DILATION,
                axis: 0, value: bad)
        }
    }

    @Test func windows() {
        expect(
            refusal(call([2, 5, 5], [3, 6])), SC_WINDOW_TOO_LARGE, argument: SC_ARG_V, axis: 2, value: 6, expected: 5)
        expect(
            refusal(call([2, 5, 5], [3, 3]) { $0.dilation = [3, 1] }), SC_WINDOW_TOO_LARGE, argument: SC_ARG_V, axis: 1,
            value: 7, expected: 5)
        #expect(refusal(call([5], [3]) { $0.dilation = [2] }) == nil)
        #expect(refusal(call([5], [6]) { $0.mode = SC_MODE_SAME }) == nil)
    }

    @Test func origins() {
        // Of 4 samples the window's centre is the third (correlate) or second (convolve); origin keeps it inside.
        for (operation, lowest, highest) in [(SC_CORRELATE, -2, 1), (SC_CONVOLVE, -1, 2)] {
            for origin in [lowest - 1, highest + 1, Int.min, Int.max] {
                expect(
                    refusal(
                        call([7, 5], [4]) { ($0.mode, $0.operation, $0.origin) = (SC_MODE_SAME, operation, [origin]) }),
                    SC_ORIGIN_OUT_OF_RANGE, argument: SC_ARG_ORIGIN, axis: 1, value: origin, lowest: lowest,
                    expected: highest)
            }
            for origin in lowest...highest {
                #expect(
                    refusal(call([5], [4]) { ($0.mode, $0.operation, $0.origin) = (SC_MODE_SAME, operation, [origin]) })
                        == nil)
            }
        }
        for mode in [SC_MODE_VALID, SC_MODE_FULL] {
            expect(
                refusal(call([7, 5], [3]) { ($0.mode, $0.origin) = (mode, [1]) }), SC_ORIGIN_NEEDS_SAME,
                argument: SC_ARG_ORIGIN, axis: 1, value: 1)
            #expect(refusal(call([5], [3]) { ($0.mode, $0.origin) = (mode, [0]) }) == nil)
        }
    }

    @Test func outputs() {
        let good = call([4, 9, 8], [2, 3])
        expect(
            refusal(good, out: TestArray(.float32, [8, 6])), SC_OUT_RANK, argument: SC_ARG_OUT, value: 2, expected: 3)
        expect(
            refusal(good, out: TestArray(.float32, [4, 8, 7])), SC_OUT_SHAPE, argument: SC_ARG_OUT, axis: 2, value: 7,
            expected: 6)
        expect(
            refusal(good, out: TestArray(.float32, [1, 8, 6])), SC_OUT_SHAPE, argument: SC_ARG_OUT, axis: 0, value: 1,
            expected: 4)
        #expect(refusal(good, out: TestArray(.float32, [4, 8, 6])) == nil)
    }

    /// From bool to integer to float to complex and never back, for all triples of dtypes.
    @Test func casting() {
        func kind(_ type: ElementType) -> Int { type == .bool ? 0 : type.isComplex ? 3 : type.isFloating ? 2 : 1 }
        for result in ElementType.allCases {
            for other in ElementType.allCases {
                let (plain, odd) = (TestArray(result, [5]), TestArray(other, [5]))
                let tooWide = kind(other) > kind(result)
                let a = refusal(SlidingCall(odd, plain, result: result))
                let v = refusal(SlidingCall(plain, odd, result: result))
                let out = refusal(SlidingCall(plain, plain, result: result), out: TestArray(other, [1]))
                #expect((a != nil) == tooWide && (v != nil) == tooWide)
                if tooWide {
                    expect(a, SC_DTYPE, argument: SC_ARG_A, value: Int(other.rawValue))
                    expect(v, SC_DTYPE, argument: SC_ARG_V, value: Int(other.rawValue))
                }
                if kind(other) < kind(result) {
                    expect(out, SC_DTYPE, argument: SC_ARG_OUT, value: Int(other.rawValue))
                } else {
                    #expect(out == nil)
                }
            }
        }
    }
}
