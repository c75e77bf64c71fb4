import CSwiftConv
import Foundations
import Testing

/// Sizes near the end of Int: refused or computed, never a trap. Arrays of such extents exist, as broadcast views.
struct OverflowTests {
    /// One element seen many times.
    private func broadcast(_ shape: [Int], _ type: ElementType = .float32) -> TestArray {
        let one = TestArray(type, [1])
        return TestArray(one, data: one.data, shape: shape, strides: shape.map { _ in 0 })
    }

    @Test func dilationsAndStrides() {
        let (a, v) = (broadcast([5, 9]), broadcast([2, 3]))
        var call = SlidingCall(a, v)
        for mode in [SC_MODE_VALID, SC_MODE_SAME, SC_MODE_FULL] {
            call.mode = mode
            for dilation in [1 << 62, Int.max, Int.max / 2] {
                call.dilation = [1, dilation]
                let found = call.outShape()
                #expect(found.status == SC_SIZE_OVERFLOW)
                #expect(found.error.argument == SC_ARG_DILATION && found.error.axis == 1)
                #expect(found.error.value == Int64(dilation))
            }
            call.dilation = nil
            call.stride = [Int.max, 1]
            let found = call.outShape()
            #expect(found.status == SC_SIZE_OVERFLOW)
            #expect(found.error.argument == SC_ARG_STRIDE && found.error.axis == 0 && found.error.value == Int64.max)
            call.stride = [1, 1 << 61]
            #expect(call.outShape().status == SC_OK && call.outShape().shape[1] == 1)
            call.stride = nil
        }
    }

    @Test func largestSizesThatFit() {
        var call = SlidingCall(broadcast([1 << 61]), broadcast([1 << 60]))
        #expect(call.outShape().shape == [(1 << 61) - (1 << 60) + 1])
        call.mode = SC_MODE_FULL
        #expect(call.outShape().shape == [(1 << 61) + (1 << 60) - 1])
        call.mode = SC_MODE_SAME
        call.stride = [1 << 60]
        #expect(call.outShape().shape == [2])
        call = SlidingCall(broadcast([Int.max]), broadcast([1]))
        #expect(call.outShape().status == SC_SIZE_OVERFLOW)
    }

    /// Every combination of extreme numbers, through the shape and the plan.
    @Test func extremeNumbersNeverTrap() {
        let extents = [1, 3, 1 << 31, 1 << 40, 1 << 61, Int.max - 1, Int.max]
        let steps = [1, 2, 1 << 31, 1 << 61, 1 << 62, Int.max, 0, -1, Int.min]
        let origins = [0, -1, 1 << 30, Int.min, Int.max]
        var answers: Set<Int> = []
        for n in extents {
            let a = broadcast([3, n])
            for k in extents {
                let v = broadcast([k])
                var call = SlidingCall(a, v)
                for stride in steps {
                    for dilation in steps {
                        for (mode, origin) in [(SC_MODE_VALID, 0), (SC_MODE_FULL, 0)]
                            + origins.map({ (SC_MODE_SAME, $0) })
                        {
                            (call.mode, call.stride, call.dilation, call.origin) = (
                                mode, [stride], [dilation], [origin]
                            )
                            let shape = call.outShape()
                            // Explaining packs the filter, so not one that memory might just hold.
                            if k <= 3 || k >= 1 << 58 {
                                let explained = call.explain().status
                                let isSame = explained == shape.status
                                #expect(isSame || (shape.status, explained) == (SC_OK, SC_NO_MEMORY), "\(call)")
                            }
                            #expect(shape.status != SC_OK || shape.shape[1] >= 1)
                            answers.insert(shape.status)
                        }
                    }
                }
            }
        }
        #expect(
            answers == [
                SC_OK, SC_NOT_POSITIVE, SC_SIZE_OVERFLOW, SC_WINDOW_TOO_LARGE, SC_ORIGIN_OUT_OF_RANGE,
            ])
    }

    /// Few outputs of an enormous axis: the index arithmetic of a run at its limits.
    @Test(arguments: [
        SC_BOUNDARY_FILL, SC_BOUNDARY_WRAP, SC_BOUNDARY_SYMMETRIC, SC_BOUNDARY_REFLECT, SC_BOUNDARY_EDGE,
    ])
    func runsOnEnormousAxes(boundary: Int) {
        for n in [1 << 40, 1 << 60, (1 << 61) + 5] {
            let a = broadcast([n], .int32)
            a.set(numbers: 3)
            let v = TestArray(.int32, [3])
            v.set([1, 10, 100])
            for (mode, stride, dilation) in [
                (SC_MODE_VALID, n - 1, 1), (SC_MODE_SAME, n / 3, 1), (SC_MODE_FULL, n / 4, 1),
                (SC_MODE_SAME, n / 2, n / 8),
                (SC_MODE_FULL, n / 2, n / 5),
            ] {
                var call = SlidingCall(a, v)
                (call.mode, call.boundary, call.stride, call.dilation) = (mode, boundary, [stride], [dilation])
                let direct = call.output(SC_METHOD_DIRECT).numbers
                #expect(direct == call.output(SC_METHOD_REFERENCE).numbers, "\(call)")
                if boundary != SC_BOUNDARY_FILL { #expect(direct.allSatisfy { $0 == 333 }, "\(call)") }
            }
        }
    }

    @Test func memoryThatCannotBeHad() {
        let n = 1 << 58
        for method in [SC_METHOD_DIRECT, SC_METHOD_REFERENCE, SC_METHOD_AUTO] {
            var call = SlidingCall(broadcast([n + 1]), broadcast([n]))
            call.method = method
            let out = TestArray(.float32, [2])
            let (status, error) = call.run(into: out)
            #expect(status == SC_NO_MEMORY && error.argument == SC_ARG_NONE && error.value > Int64(n))
            #expect(out.memory.bytes.allSatisfy { $0 == GuardedMemory.canary }, "out is untouched")
        }
    }
}

extension TestArray {
    /// Sets the one element of a broadcast array.
    fileprivate func set(numbers x: Double) {
        var bytes: [UInt8] = []
        type.append(x, to: &bytes)
        UnsafeMutableRawBufferPointer(start: data, count: bytes.count).copyBytes(from: bytes)
    }
}
