import CSwiftConv
import Foundations
import Testing

/// Infinity and NaN reach the outputs whose windows hold them, and padding makes no new ones.
struct NonfiniteTests {
    @Test(arguments: [ElementType.float16, .float32, .float64, .complex64], [Double.infinity, .nan])
    func absentTapsOfAFilterAreAbsent(type: ElementType, bad: Double) {
        var generator = SeededGenerator(10)
        for (n, layout) in Layout.allCases.enumerated() {
            let a = TestArray(type, [2, 11, 41], layout).filled(&generator)
            for tap in 0..<12 where (tap + n) % 6 == 0 {
                let v = TestArray(type, [3, 4]).filled(&generator)
                var bytes = v.contents
                var element: [UInt8] = []
                type.append(bad, to: &element)
                bytes.replaceSubrange(tap * type.byteCount..<(tap + 1) * type.byteCount, with: element)
                v.contents = bytes
                for (mode, stride, dilation) in [
                    (SC_MODE_SAME, 1, 1), (SC_MODE_FULL, 1, 1), (SC_MODE_FULL, 2, 1), (SC_MODE_SAME, 1, 2),
                ] {
                    for fill in [0, 2] {
                        var call = SlidingCall(a, v)
                        (call.mode, call.stride, call.dilation) = (mode, [stride, 1], [1, dilation])
                        (call.operation, call.fill) = (tap % 2, fill)
                        #expect(sameBits(call.output(SC_METHOD_DIRECT), call.output(SC_METHOD_REFERENCE)), "\(call)")
                    }
                }
            }
        }
    }

    @Test func infinityBesidePaddingIsInfinity() {
        let (a, v) = (TestArray(.float64, [5, 40]), TestArray(.float64, [3, 3]))
        a.set([Double](repeating: 1, count: 200))
        v.set([Double](repeating: .infinity, count: 9))
        var call = SlidingCall(a, v)
        call.mode = SC_MODE_FULL
        #expect(call.output().numbers.allSatisfy { $0 == .infinity })
    }

    @Test(arguments: [ElementType.float32, .float64], [Double.infinity, -.infinity, .nan])
    func oneBadElementTouchesItsWindowsAlone(type: ElementType, bad: Double) {
        var generator = SeededGenerator(11)
        let v = TestArray(type, [3, 5])
        v.set((0..<15).map { Double($0 % 4) })  // with zeros: a window holds its zero taps too
        let clean = TestArray(type, [2, 15, 37]).filled(&generator)
        let before = SlidingCall(clean, v).output().numbers
        for place in [0, 36, 15 * 37 - 1, 15 * 37, 7 * 37 + 20, 2 * 15 * 37 - 1] {
            let a = TestArray(type, clean.shape)
            var numbers = clean.numbers
            numbers[place] = bad
            a.set(numbers)
            let after = SlidingCall(a, v).output().numbers
            let (image, row, column) = (place / (15 * 37), place / 37 % 15, place % 37)
            for i in after.indices {
                let (y, x) = (i / 33 % 13, i % 33)
                let holds = i / (13 * 33) == image && (y...y + 2).contains(row) && (x...x + 4).contains(column)
                #expect(holds ? !after[i].isFinite : after[i] == before[i], "\(place), \(i)")
            }
        }
    }
}
