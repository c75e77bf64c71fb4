import CSwiftConv
import Foundations
import Testing

/// A window's sum has the same bits whatever the number of threads and whatever else is in the batch.
struct SameBitsTests {
    static let types: [ElementType] = [.float16, .float32, .float64, .complex64, .complex128, .uint8, .int64, .bool]

    @Test(arguments: types)
    func forAnyNumberOfThreads(type: ElementType) {
        var generator = SeededGenerator(12)
        var used: Set<Int64> = []
        for layout in [Layout.c, .fortran, .firstAxisInnermost, .everySecond, .byteswapped] {
            let a = TestArray(type, [40, 45, 50], layout).filled(.rounding, &generator)
            for (k, axes, dilation) in [
                ([5, 5], [1, 2], [1, 1]), ([3, 7], [1, 2], [3, 1]), ([9, 3], [0, 2], [1, 2]),
                ([4, 3, 3], [0, 1, 2], [1, 1, 1]),
            ] {
                let v = TestArray(type, k).filled(.rounding, &generator)
                for (mode, boundary) in [(SC_MODE_VALID, SC_BOUNDARY_FILL), (SC_MODE_SAME, SC_BOUNDARY_WRAP)] {
                    var call = SlidingCall(a, v)
                    (call.axes, call.dilation, call.mode, call.boundary) = (axes, dilation, mode, boundary)
                    let one = call.output(threads: 1)
                    for threads in [2, 3, 7] {
                        #expect(sameBits(call.output(threads: threads), one), "\(call) threads=\(threads)")
                    }
                    call.threads = 7
                    used.insert(call.explain().explanation.threads)
                }
            }
        }
        #expect(used.max() == 7, "no call was large enough to be shared")
    }

    @Test(arguments: types)
    func forAnyBatchNeighbourhood(type: ElementType) {
        var generator = SeededGenerator(13)
        for layout in Layout.allCases {
            for batch in [1, 2, 5, 70] {
                let a = TestArray(type, [batch, 12, 19], layout).filled(.rounding, &generator)
                for (k, stride, dilation) in [
                    ([3, 3], [1, 1], [1, 1]), ([6, 2], [2, 1], [1, 3]), ([2, 4], [1, 2], [2, 1]),
                ] {
                    let v = TestArray(type, k).filled(.rounding, &generator)
                    var call = SlidingCall(a, v)
                    (call.mode, call.stride, call.dilation) = (SC_MODE_SAME, stride, dilation)
                    let whole = call.output()
                    for image in Set([0, batch / 2, batch - 1]) {
                        for range in [image..<image + 1, max(0, image - 1)..<image + 1] {
                            var alone = call
                            alone.a = a.slice(axis: 0, range)
                            let part = alone.output()
                            #expect(sameBits(part, whole.slice(axis: 0, range)), "\(call), images \(range)")
                        }
                    }
                }
            }
        }
    }

    /// What several system threads compute at once, each with several of its own.
    @Test func forCallsAtOnce() {
        var generator = SeededGenerator(14)
        let a = TestArray(.float32, [60, 40, 41]).filled(.rounding, &generator)
        let v = TestArray(.float32, [5, 5]).filled(.rounding, &generator)
        let call = SlidingCall(a, v)
        let expected = call.output(threads: 1)
        onThreads(8) { i in
            for round in 0..<8 {
                let out = TestArray(.float32, expected.shape)
                var call = call
                call.threads = 1 + (i + round) % 4
                #expect(call.run(into: out).status == SC_OK)
                #expect(sameBits(out, expected))
            }
        }
    }
}
