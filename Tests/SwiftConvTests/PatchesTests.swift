import CSwiftConv
import Foundations
import Testing

/// One cut into patches: the last axes of an array of three are window axes.
private struct PatchesCall {
    var x: TestArray
    var patches: TestArray
    var window: [Int64]
    var stride: [Int64]
    var dilation: [Int64]
    var low: [Int64]
    var high: [Int64]
    var boundary = SC_BOUNDARY_FILL
    var reduction = SC_REDUCTION_SUM
    var threads = 1
    var weights: [Double]?

    func withOptions<R>(_ body: (UnsafePointer<sc_patches>) -> R) -> R {
        withUnsafePointers([window, stride, dilation, low, high]) { lists in
            func call(_ weights: UnsafePointer<Double>?) -> R {
                var options = sc_patches(
                    window_ndim: Int32(window.count), boundary: Int32(boundary), reduction: Int32(reduction),
                    threads: Int32(threads), fresh: 0, reserved: 0, axes: nil, window: lists[0], stride: lists[1],
                    dilation: lists[2],
                    padding_low: lists[3], padding_high: lists[4], fill: nil, weights: weights)
                return body(&options)
            }
            guard let weights else { return call(nil) }
            return weights.withUnsafeBufferPointer { call($0.baseAddress) }
        }
    }

    private func withUnsafePointers<R>(_ lists: [[Int64]], _ body: ([UnsafePointer<Int64>]) -> R) -> R {
        let memory = lists.map { list in
            let copy = UnsafeMutablePointer<Int64>.allocate(capacity: list.count)
            copy.initialize(from: list, count: list.count)
            return copy
        }
        defer { memory.forEach { $0.deallocate() } }
        return body(memory.map { UnsafePointer($0) })
    }

    func gather() -> sc_status {
        withOptions { options in
            var (x, patches) = (x.descriptor, patches.descriptor)
            return CSwiftConv.sc_patches_gather(&x, &patches, options, nil, nil)
        }
    }

    func scatter() -> sc_status {
        withOptions { options in
            var (x, patches) = (x.descriptor, patches.descriptor)
            return CSwiftConv.sc_patches_scatter(&patches, &x, options, nil, nil)
        }
    }

    /// For every patch element in C order, the number of the array's element that it holds, -1 outside.
    var places: [Int] {
        var places: [Int] = []
        let first = x.shape.count - window.count
        func walk(_ axis: Int, _ index: [Int]) {
            if axis < patches.shape.count {
                for i in 0..<patches.shape[axis] { walk(axis + 1, index + [i]) }
                return
            }
            var place = 0
            for (a, extent) in x.shape.enumerated() {
                var position = index[a]
                if a >= first {
                    let w = a - first
                    position =
                        position * Int(stride[w]) + index[x.shape.count + w] * Int(dilation[w]) - Int(low[w])
                    position = Boundary(rawValue: Int32(boundary))!.map(position, extent: extent)
                }
                if position < 0 || place < 0 { place = -1 } else { place = place * extent + position }
            }
            places.append(place)
        }
        walk(0, [])
        return places
    }
}

/// Windows copied and added up, against loops over single elements, beside guard pages.
struct PatchesTests {
    static let boundaries = [
        SC_BOUNDARY_FILL, SC_BOUNDARY_WRAP, SC_BOUNDARY_SYMMETRIC, SC_BOUNDARY_REFLECT, SC_BOUNDARY_EDGE,
    ]

    private func random(_ type: ElementType, _ generator: inout SeededGenerator, scatters: Bool) -> PatchesCall {
        let rank = Int.random(in: 1...2, using: &generator)
        var shape = [Int.random(in: 1...4, using: &generator)]
        var call: [[Int64]] = [[], [], [], [], []]
        var windows: [Int] = []
        for _ in 0..<rank {
            let extent = Int.random(in: 1...(rank == 1 ? 90 : 21), using: &generator)
            let taps = Int.random(in: 1...5, using: &generator)
            let dilation = Int.random(in: 1...2, using: &generator)
            let stride = generator.once(in: 3) ? taps : Int.random(in: 1...4, using: &generator)
            let reach = dilation * (taps - 1) + 1
            let low = generator.once(in: 2) ? 0 : Int.random(in: 0...4, using: &generator)
            let high = max(reach - extent - low, 0) + (generator.once(in: 2) ? 0 : 3)
            shape.append(extent)
            windows.append((extent + low + high - reach) / stride + 1)
            for (i, n) in [taps, stride, dilation, low, high].enumerated() { call[i].append(Int64(n)) }
        }
        let guards = GuardedMemory.Guard.allCases
        let patchShape = [shape[0]] + windows + call[0].map { Int($0) }
        let layouts = (Layout.allCases, Layout.writable)
        let x = TestArray(
            type, shape, generator.pick(scatters ? layouts.1 : layouts.0), guarding: generator.pick(guards))
        let patches = TestArray(
            type, patchShape, generator.pick(scatters ? layouts.0 : layouts.1), guarding: generator.pick(guards))
        return PatchesCall(
            x: x, patches: patches, window: call[0], stride: call[1], dilation: call[2], low: call[3], high: call[4])
    }

    @Test(arguments: ElementType.allCases)
    func gathers(type: ElementType) {
        var generator = SeededGenerator(40 + Int(type.rawValue))
        for _ in 0..<200 {
            var call = random(type, &generator, scatters: false)
            call.boundary = generator.pick(Self.boundaries)
            call.threads = generator.pick([1, 3])
            _ = call.x.filled(.rounding, &generator)
            #expect(call.gather() == SC_OK)
            let size = type.byteCount
            let source = call.x.contents
            let expected = call.places.flatMap { place in
                place < 0 ? [UInt8](repeating: 0, count: size) : Array(source[place * size..<(place + 1) * size])
            }
            #expect(call.patches.contents == expected, "\(call)")
            #expect(call.patches.canariesAreAlive)
        }
    }

    @Test(arguments: ElementType.allCases)
    func scatters(type: ElementType) {
        var generator = SeededGenerator(80 + Int(type.rawValue))
        for _ in 0..<200 {
            var call = random(type, &generator, scatters: true)
            call.threads = generator.pick([1, 3])
            _ = call.patches.filled(.small, &generator)
            #expect(call.scatter() == SC_OK)
            let parts = type.isComplex ? 2 : 1
            var sums = [Double](repeating: 0, count: call.x.count * parts)
            let numbers = call.patches.numbers
            for (n, place) in call.places.enumerated() where place >= 0 {
                for part in 0..<parts { sums[place * parts + part] += numbers[n * parts + part] }
            }
            if type == .bool {
                #expect(call.x.numbers.map { $0 != 0 } == sums.map { $0 != 0 }, "\(call)")
            } else {
                #expect(call.x.numbers == sums, "\(call)")
            }
            #expect(call.x.canariesAreAlive)
        }
    }

    @Test func refuses() {
        var generator = SeededGenerator(7)
        var call = random(.float32, &generator, scatters: false)
        call.window[0] = 0
        #expect(call.gather() == SC_NOT_POSITIVE && call.scatter() == SC_NOT_POSITIVE)
        call.window[0] = 1000
        #expect(call.gather() == SC_WINDOW_BEYOND)
        call.window[0] = .max
        call.dilation[0] = .max
        #expect(call.gather() == SC_SIZE_OVERFLOW)
        call = random(.float32, &generator, scatters: false)
        call.low[0] = -1
        #expect(call.gather() == SC_NEGATIVE)
        call = random(.float32, &generator, scatters: false)
        call.patches = TestArray(.float32, call.patches.shape + [1])
        #expect(call.gather() == SC_OUT_RANK && call.scatter() == SC_RANK)
        call.patches = TestArray(.float64, Array(call.patches.shape.dropLast()))
        #expect(call.gather() == SC_DTYPE)
        #expect(call.patches.canariesAreAlive && call.x.canariesAreAlive)
    }
}
