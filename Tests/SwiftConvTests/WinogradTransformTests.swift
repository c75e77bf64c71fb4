import CMachine
import Foundations
import Kernels
import Testing

/// The transforms themselves, in float64: points of inputs times points of filters, transformed back, are correlations.
struct WinogradTransformTests {
    /// Tiles in rows that follow each other, each with the filter of its number, by the definition.
    private func correlation(
        _ image: [[Double]], _ filters: [[Double]], outputs: Int, tilesPerRow: Int, a: Int, column: Int, row: Int
    ) -> Double {
        let filter = filters[row * tilesPerRow + column / outputs]
        var sum = 0.0
        for i in 0..<3 {
            for j in 0..<3 { sum += image[row * outputs + a + i][column + j] * filter[3 * i + j] }
        }
        return sum
    }

    @Test(arguments: [2, 4], [1, 2, 7, 8, 9, 17])
    func identity(outputs: Int, tilesPerRow: Int) {
        var generator = SeededGenerator(480 + tilesPerRow)
        let kernels = WinogradKernels(outputs: outputs, isDouble: true)
        let points = kernels.points
        #expect(points == outputs + 2)
        let tileRows = 2
        let tiles = tileRows * tilesPerRow
        let image = (0..<tileRows * outputs + 2).map { _ in
            (0..<tilesPerRow * outputs + 2).map { _ in generator.normal() }
        }
        let filters = (0..<tiles).map { _ in (0..<9).map { _ in generator.normal() } }

        // Whole vectors are read and written.
        let lanes = vectorLanes(.float64)
        let pitch = 8 * (outputs * (tiles + 2) + 4 * lanes)
        func scratch(_ runs: Int) -> GuardedMemory { GuardedMemory(byteCount: runs * pitch) }
        let columns = scratch(outputs * points)
        let transformed = scratch(points * points)
        let phases = scratch(outputs)
        for (r, row) in image.enumerated() {
            let line = GuardedMemory(byteCount: 8 * (row.count + 2 * outputs * lanes))
            for (i, x) in row.enumerated() { line.base.storeBytes(of: x, toByteOffset: 8 * i, as: Double.self) }
            kernels.transformColumns(
                line.base, tiles: tilesPerRow, phases: phases.base, phasePitch: pitch,
                to: columns.base + r % outputs * points * pitch + r / outputs * tilesPerRow * 8, pitch: pitch)
        }
        kernels.transformRows(
            columns.base, pitch: pitch, tiles: tiles, tilesPerRow: tilesPerRow, to: transformed.base, pointPitch: pitch)

        let taps = scratch(9)
        let weights = scratch(points * points)
        for t in 0..<tiles {
            for k in 0..<9 { taps.base.storeBytes(of: filters[t][k], toByteOffset: k * pitch + 8 * t, as: Double.self) }
        }
        #expect(
            kernels.transformFilters(taps.base, pitch: pitch, filters: tiles, to: weights.base, pointPitch: pitch))

        // Lanes beyond the last tile are zero, and so finite.
        let sums = scratch(points * points)
        for p in 0..<points * points {
            for t in 0..<tiles + lanes {
                let offset = p * pitch + 8 * t
                func load(_ memory: GuardedMemory) -> Double {
                    memory.base.load(fromByteOffset: offset, as: Double.self)
                }
                let product = t < tiles ? load(transformed) * load(weights) : 0
                sums.base.storeBytes(of: product, toByteOffset: offset, as: Double.self)
            }
        }
        let lines = scratch(outputs)
        #expect(
            kernels.transformOutputs(sums.base, pointPitch: pitch, tiles: tiles, to: lines.base, linePitch: pitch))
        for row in 0..<tileRows {
            for a in 0..<outputs {
                for column in 0..<tilesPerRow * outputs {
                    let offset = a * pitch + 8 * (row * tilesPerRow * outputs + column)
                    let actual = lines.base.load(fromByteOffset: offset, as: Double.self)
                    let expected = correlation(
                        image, filters, outputs: outputs, tilesPerRow: tilesPerRow, a: a, column: column, row: row)
                    #expect(abs(actual - expected) <= 1e-12 * 16, "row \(row), \(a), column \(column)")
                }
            }
        }
    }

    /// Whether all is finite is told of the filters that there are, and of every tile's outputs.
    @Test(arguments: [2, 4], [true, false])
    func tellsWhatIsNotFinite(outputs: Int, isDouble: Bool) {
        let kernels = WinogradKernels(outputs: outputs, isDouble: isDouble)
        let points = kernels.points * kernels.points
        let (element, lanes) = isDouble ? (8, vectorLanes(.float64)) : (4, vectorLanes(.float32))
        let pitch = element * (3 * lanes * outputs)
        let filters = lanes + 1
        let source = GuardedMemory(byteCount: points * pitch)
        let target = GuardedMemory(byteCount: points * pitch)
        func set(_ run: Int, _ lane: Int, _ value: Double) {
            let place = source.base + run * pitch + element * lane
            if isDouble {
                place.storeBytes(of: value, as: Double.self)
            } else {
                place.storeBytes(of: Float(value), as: Float.self)
            }
        }
        for run in 0..<points { for lane in 0..<2 * lanes { set(run, lane, 1) } }
        func filtersAreFinite() -> Bool {
            kernels.transformFilters(source.base, pitch: pitch, filters: filters, to: target.base, pointPitch: pitch)
        }
        func outputsAreFinite() -> Bool {
            kernels.transformOutputs(
                source.base, pointPitch: pitch, tiles: filters, to: target.base, linePitch: pitch)
        }
        #expect(filtersAreFinite() && outputsAreFinite())
        for bad in [Double.infinity, -.infinity, .nan] {
            for run in 0..<9 {
                for lane in [0, lanes - 1, lanes] {
                    set(run, lane, bad)
                    #expect(!filtersAreFinite() && !outputsAreFinite(), "run \(run), lane \(lane)")
                    set(run, lane, 1)
                }
                set(run, filters, bad)
                #expect(filtersAreFinite(), "beyond the last filter")
                set(run, filters, 1)
            }
        }
    }
}
