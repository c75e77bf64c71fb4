import CMachine
import Foundations
import Kernels
import Testing

/// The transforms themselves: points of inputs times points of filters, transformed back, are correlations.
struct WinogradTransformTests {
    /// A tile to each filter, and a filter to each lane, in float64.
    @Test(arguments: [2, 4], [1, 2, 7])
    func identity(outputs: Int, tiles: Int) {
        var generator = SeededGenerator(480 + tiles)
        let kernels = WinogradKernels(outputs: outputs, isDouble: true)
        #expect(kernels.points == outputs + 2)
        let points = kernels.points * kernels.points
        let lanes = vectorLanes(.float64)
        let vector = 8 * lanes
        func random(_ vectors: Int) -> GuardedMemory {
            let memory = GuardedMemory(byteCount: vectors * vector)
            for i in 0..<vectors * lanes {
                memory.base.storeBytes(of: generator.normal(), toByteOffset: 8 * i, as: Double.self)
            }
            return memory
        }
        func load(_ memory: GuardedMemory, _ place: Int, _ lane: Int) -> Double {
            memory.base.load(fromByteOffset: place * vector + 8 * lane, as: Double.self)
        }

        let width = outputs * tiles + 2
        let image = random(kernels.points * width)
        let filters = random(9 * tiles)
        let transformed = GuardedMemory(byteCount: points * tiles * vector)
        let scratch = GuardedMemory(byteCount: points * vector)
        kernels.transformInputs(
            image.base, rowPitch: width * vector, samplePitch: vector, tiles: tiles, to: transformed.base,
            pointPitch: tiles * vector, tilePitch: vector, scratch: scratch.base)
        let weights = GuardedMemory(byteCount: points * tiles * vector)
        #expect(
            kernels.transformFilters(
                filters.base, tapPitch: vector, filterPitch: 9 * vector, count: tiles, to: weights.base,
                pointPitch: tiles * vector, targetPitch: vector))
        for i in 0..<points * tiles {
            for lane in 0..<lanes {
                transformed.base.storeBytes(
                    of: load(transformed, i, lane) * load(weights, i, lane), toByteOffset: i * vector + 8 * lane,
                    as: Double.self)
            }
        }
        let bias = random(1)
        let result = GuardedMemory(byteCount: outputs * outputs * tiles * vector)
        #expect(
            kernels.transformOutputs(
                transformed.base, pointPitch: tiles * vector, tilePitch: vector, tiles: tiles, bias: bias.base,
                to: result.base, rowPitch: outputs * tiles * vector, samplePitch: vector))

        for a in 0..<outputs {
            for x in 0..<outputs * tiles {
                for lane in 0..<lanes {
                    var sum = load(bias, 0, lane)
                    for tap in 0..<9 {
                        sum +=
                            load(image, (a + tap / 3) * width + x + tap % 3, lane)
                            * load(filters, x / outputs * 9 + tap, lane)
                    }
                    let actual = load(result, a * outputs * tiles + x, lane)
                    #expect(abs(actual - sum) <= 1e-12 * 16, "(\(a), \(x)), lane \(lane)")
                }
            }
        }
    }

    /// Whether all is finite is told of every lane of filters and outputs; the bias does not matter.
    @Test(arguments: [2, 4], [true, false])
    func tellsWhatIsNotFinite(outputs: Int, isDouble: Bool) {
        let kernels = WinogradKernels(outputs: outputs, isDouble: isDouble)
        let points = kernels.points * kernels.points
        let (element, lanes) = isDouble ? (8, vectorLanes(.float64)) : (4, vectorLanes(.float32))
        let vector = element * lanes
        let source = GuardedMemory(byteCount: 2 * points * vector)
        let target = GuardedMemory(byteCount: 2 * points * vector)
        func set(_ place: UnsafeMutableRawPointer, _ value: Double) {
            if isDouble {
                place.storeBytes(of: value, as: Double.self)
            } else {
                place.storeBytes(of: Float(value), as: Float.self)
            }
        }
        for i in 0..<2 * points * lanes { set(source.base + i * element, 1) }
        let bias = GuardedMemory(byteCount: vector)
        for lane in 0..<lanes { set(bias.base + lane * element, .infinity) }
        func filtersAreFinite() -> Bool {
            kernels.transformFilters(
                source.base, tapPitch: vector, filterPitch: 9 * vector, count: 1, to: target.base, pointPitch: vector,
                targetPitch: 0)
        }
        func outputsAreFinite() -> Bool {
            kernels.transformOutputs(
                source.base, pointPitch: 2 * vector, tilePitch: vector, tiles: 2, bias: bias.base, to: target.base,
                rowPitch: 2 * outputs * vector, samplePitch: vector)
        }
        #expect(filtersAreFinite() && outputsAreFinite())
        for bad in [Double.infinity, -.infinity, .nan] {
            for run in 0..<2 * points {
                for lane in [0, lanes - 1] {
                    let place = source.base + run * vector + lane * element
                    set(place, bad)
                    #expect(!outputsAreFinite() && filtersAreFinite() == (run >= 9), "run \(run), lane \(lane)")
                    set(place, 1)
                }
            }
        }
    }

    /// Sums of products by every shape of tile, from zero or from what is there.
    @Test(arguments: [true, false])
    func products(isDouble: Bool) {
        var generator = SeededGenerator(490)
        let arithmetic: ArithmeticKind = isDouble ? .float64 : .float32
        let (element, lanes) = (isDouble ? 8 : 4, vectorLanes(arithmetic))
        func memory(_ count: Int) -> GuardedMemory {
            let memory = GuardedMemory(byteCount: count * element)
            for i in 0..<count { set(memory, i, Double(Int.random(in: -4...4, using: &generator))) }
            return memory
        }
        func set(_ memory: GuardedMemory, _ i: Int, _ value: Double) {
            if isDouble {
                memory.base.storeBytes(of: value, toByteOffset: 8 * i, as: Double.self)
            } else {
                memory.base.storeBytes(of: Float(value), toByteOffset: 4 * i, as: Float.self)
            }
        }
        func get(_ memory: GuardedMemory, _ i: Int) -> Double {
            isDouble
                ? memory.base.load(fromByteOffset: 8 * i, as: Double.self)
                : Double(memory.base.load(fromByteOffset: 4 * i, as: Float.self))
        }
        for vectors in 1...contractionTileVectors(arithmetic) {
            let width = vectors * lanes
            for tiles in 1...26 {
                for (channels, taps, startsFromZero) in [(1, 1, true), (5, 1, false), (8, 3, true), (3, 2, false)] {
                    // Two tiles from tap to tap.
                    let samples = memory((tiles + 2 * (taps - 1)) * channels)
                    let filter = memory(taps * channels * width)
                    let sums = memory(tiles * width)
                    let expected = (0..<tiles * width).map { i in
                        (0..<taps * channels).reduce(startsFromZero ? 0 : get(sums, i)) { sum, depth in
                            let tile = i / width + 2 * (depth / channels)
                            return sum + get(samples, tile * channels + depth % channels)
                                * get(filter, depth * width + i % width)
                        }
                    }
                    var products = WinogradProducts(
                        rows: samples.base, rowPitch: channels * element, rowCount: tiles, depths: channels,
                        depthPitch: element, lanes: filter.base, vectors: vectors, sums: sums.base,
                        sumsPitch: width * element, startsFromZero: startsFromZero)
                    (products.taps, products.tapPitch) = (taps, 2 * channels * element)
                    runWinogradProducts(&products, isDouble: isDouble)
                    #expect(
                        expected.indices.allSatisfy { get(sums, $0) == expected[$0] },
                        "\(vectors) vectors, \(tiles) tiles, \(channels) channels, \(taps) taps")
                }
            }
        }
    }
}
