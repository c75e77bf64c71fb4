import CMachine

/// Winograd transforms of many tiles at once: lane by lane, a tile each. Points of a two-dimensional tile are numbered by
/// row and column, the column fastest. Distances are in bytes; whole vectors are read and written.
package struct WinogradKernels {
    package let outputs: Int
    package let points: Int
    private let isDouble: Bool

    /// F(4 x 4, 3 x 3) or F(2 x 2, 3 x 3), in float32 or float64.
    package init(outputs: Int, isDouble: Bool) {
        self.outputs = outputs
        points = outputs &+ 2
        self.isDouble = isDouble
    }

    /// The columns of a row of tiles: `line` holds the input row, `outputs * tiles + 2` samples and slack, `phases` room for
    /// `outputs` runs of `tiles + 1` and slack. Column j' of tile t goes to `target + j' * pitch`, at t.
    package func transformColumns(
        _ line: UnsafeRawPointer, tiles: Int, phases: UnsafeMutableRawPointer, phasePitch: Int,
        to target: UnsafeMutableRawPointer, pitch: Int
    ) {
        switch (outputs, isDouble) {
        case (4, false): columns(Winograd4.self, sc_f32v.self, line, tiles, phases, phasePitch, target, pitch)
        case (4, true): columns(Winograd4.self, sc_f64v.self, line, tiles, phases, phasePitch, target, pitch)
        case (_, false): columns(Winograd2.self, sc_f32v.self, line, tiles, phases, phasePitch, target, pitch)
        case (_, true): columns(Winograd2.self, sc_f64v.self, line, tiles, phases, phasePitch, target, pitch)
        }
    }

    /// The rows of tiles whose columns are transformed: row i of the tile at t, column j', is at
    /// `source + (i % outputs * points + j') * pitch`, `i / outputs` rows of `tilesPerRow` tiles further on. Point p goes to
    /// `target + p * pointPitch`, at t.
    package func transformRows(
        _ source: UnsafeRawPointer, pitch: Int, tiles: Int, tilesPerRow: Int, to target: UnsafeMutableRawPointer,
        pointPitch: Int
    ) {
        switch (outputs, isDouble) {
        case (4, false): rows(Winograd4.self, sc_f32v.self, source, pitch, tiles, tilesPerRow, target, pointPitch)
        case (4, true): rows(Winograd4.self, sc_f64v.self, source, pitch, tiles, tilesPerRow, target, pointPitch)
        case (_, false): rows(Winograd2.self, sc_f32v.self, source, pitch, tiles, tilesPerRow, target, pointPitch)
        case (_, true): rows(Winograd2.self, sc_f64v.self, source, pitch, tiles, tilesPerRow, target, pointPitch)
        }
    }

    /// Outputs of tiles from their points' sums: output (a, b) of tile t goes to `lines + a * linePitch`, at
    /// `outputs * t + b`. Returns whether all are finite.
    package func transformOutputs(
        _ sums: UnsafeRawPointer, pointPitch: Int, tiles: Int, to lines: UnsafeMutableRawPointer, linePitch: Int
    ) -> Bool {
        switch (outputs, isDouble) {
        case (4, false): outputLines(Winograd4.self, sc_f32v.self, sums, pointPitch, tiles, lines, linePitch)
        case (4, true): outputLines(Winograd4.self, sc_f64v.self, sums, pointPitch, tiles, lines, linePitch)
        case (_, false): outputLines(Winograd2.self, sc_f32v.self, sums, pointPitch, tiles, lines, linePitch)
        case (_, true): outputLines(Winograd2.self, sc_f64v.self, sums, pointPitch, tiles, lines, linePitch)
        }
    }

    /// The points of filters: tap (i, j) of filter t is at `source + (3 i + j) * pitch`, a lane each. Returns
    /// whether all are finite.
    package func transformFilters(
        _ source: UnsafeRawPointer, pitch: Int, filters: Int, to target: UnsafeMutableRawPointer, pointPitch: Int
    ) -> Bool {
        switch (outputs, isDouble) {
        case (4, false): self.filters(Winograd4.self, sc_f32v.self, source, pitch, filters, target, pointPitch)
        case (4, true): self.filters(Winograd4.self, sc_f64v.self, source, pitch, filters, target, pointPitch)
        case (_, false): self.filters(Winograd2.self, sc_f32v.self, source, pitch, filters, target, pointPitch)
        case (_, true): self.filters(Winograd2.self, sc_f64v.self, source, pitch, filters, target, pointPitch)
        }
    }

    @inline(__always)
    private func columns<S: WinogradScheme, V: SIMD & BitwiseCopyable>(
        _: S.Type, _: V.Type, _ line: UnsafeRawPointer, _ tiles: Int, _ phases: UnsafeMutableRawPointer,
        _ phasePitch: Int, _ target: UnsafeMutableRawPointer, _ pitch: Int
    ) where V.Scalar: BinaryFloatingPoint & BitwiseCopyable {
        let element = MemoryLayout<V.Scalar>.size
        splitPhases(line, count: tiles &+ 1, ways: S.outputs, element: element, phases, phasePitch)
        var tile = 0
        while tile < tiles {
            let offset = tile &* element
            let x = InlineArray<6, V> { j in
                j < S.points
                    ? (phases + (j % S.outputs &* phasePitch &+ j / S.outputs &* element &+ offset)).loadUnaligned(
                        as: V.self) : V(repeating: 0)
            }
            let y = S.input(x)
            for j in 0..<S.points {
                (target + (j &* pitch &+ offset)).storeBytes(of: y[j], as: V.self)
            }
            tile &+= V.scalarCount
        }
    }

    @inline(__always)
    private func rows<S: WinogradScheme, V: SIMD & BitwiseCopyable>(
        _: S.Type, _: V.Type, _ source: UnsafeRawPointer, _ pitch: Int, _ tiles: Int, _ tilesPerRow: Int,
        _ target: UnsafeMutableRawPointer, _ pointPitch: Int
    ) where V.Scalar: BinaryFloatingPoint & BitwiseCopyable {
        let element = MemoryLayout<V.Scalar>.size
        let below = tilesPerRow &* element
        for j in 0..<S.points {
            let column = source + j &* pitch
            let points = target + j &* pointPitch
            var tile = 0
            while tile < tiles {
                let offset = tile &* element
                let x = InlineArray<6, V> { i in
                    i < S.points
                        ? (column
                            + (i % S.outputs &* S.points &* pitch &+ i / S.outputs &* below &+ offset)).loadUnaligned(
                                as: V.self) : V(repeating: 0)
                }
                let y = S.input(x)
                for i in 0..<S.points {
                    (points + (i &* S.points &* pointPitch &+ offset)).storeBytes(of: y[i], as: V.self)
                }
                tile &+= V.scalarCount
            }
        }
    }

    @inline(__always)
    private func outputLines<S: WinogradScheme, V: SIMD & BitwiseCopyable>(
        _: S.Type, _: V.Type, _ sums: UnsafeRawPointer, _ pointPitch: Int, _ tiles: Int,
        _ lines: UnsafeMutableRawPointer, _ linePitch: Int
    ) -> Bool where V.Scalar: BinaryFloatingPoint & BitwiseCopyable {
        let element = MemoryLayout<V.Scalar>.size
        var finite = V(repeating: 0)
        var tile = 0
        while tile < tiles {
            let points = sums + tile &* element
            // Rows first: outputs' row a of each column j.
            var half = InlineArray<4, InlineArray<6, V>>(repeating: InlineArray<6, V>(repeating: V(repeating: 0)))
            for j in 0..<S.points {
                let s = InlineArray<6, V> { i in
                    i < S.points
                        ? (points + (i &* S.points &+ j) &* pointPitch).loadUnaligned(as: V.self) : V(repeating: 0)
                }
                let y = S.output(s)
                for a in 0..<S.outputs { half[a][j] = y[a] }
            }
            for a in 0..<S.outputs {
                let y = S.output(half[a])
                for b in 0..<S.outputs {
                    // Zero times what is finite is zero, and NaN otherwise.
                    finite = finite + y[b] * V(repeating: 0)
                }
                joinPhases(
                    y, to: lines + (a &* linePitch &+ tile &* S.outputs &* element), ways: S.outputs)
            }
            tile &+= V.scalarCount
        }
        return finite == V(repeating: 0)
    }

    @inline(__always)
    private func filters<S: WinogradScheme, V: SIMD & BitwiseCopyable>(
        _: S.Type, _: V.Type, _ source: UnsafeRawPointer, _ pitch: Int, _ filters: Int,
        _ target: UnsafeMutableRawPointer, _ pointPitch: Int
    ) -> Bool where V.Scalar: BinaryFloatingPoint & BitwiseCopyable {
        let element = MemoryLayout<V.Scalar>.size
        var finite = true
        var first = 0
        while first < filters {
            let offset = first &* element
            var half = InlineArray<3, InlineArray<6, V>>(repeating: InlineArray<6, V>(repeating: V(repeating: 0)))
            for i in 0..<3 {
                half[i] = S.filter(
                    InlineArray<3, V> { (source + ((3 &* i &+ $0) &* pitch &+ offset)).loadUnaligned(as: V.self) })
            }
            var sum = V(repeating: 0)
            for j in 0..<S.points {
                let y = S.filter([half[0][j], half[1][j], half[2][j]])
                // Zero times what is finite is zero, and NaN otherwise.
                for i in 0..<S.points { sum = sum + y[i] * V(repeating: 0) }
                for i in 0..<S.points {
                    (target + ((i &* S.points &+ j) &* pointPitch &+ offset)).storeBytes(of: y[i], as: V.self)
                }
            }
            // Lanes beyond the last filter hold anything.
            for lane in 0..<min(V.scalarCount, filters &- first) where sum[lane] != 0 { finite = false }
            first &+= V.scalarCount
        }
        return finite
    }
}

/// Every `ways`-th sample of a line, beginning with each of the first `ways`.
@inline(__always)
private func splitPhases(
    _ line: UnsafeRawPointer, count: Int, ways: Int, element: Int, _ phases: UnsafeMutableRawPointer, _ pitch: Int
) {
    let from = line.assumingMemoryBound(to: UInt8.self)
    let to = phases.assumingMemoryBound(to: UInt8.self)
    switch (ways, element) {
    case (4, 4): sc_split_4_u32(to, Int64(pitch), from, Int64(count))
    case (4, _): sc_split_4_u64(to, Int64(pitch), from, Int64(count))
    case (_, 4): sc_split_2_u32(to, Int64(pitch), from, Int64(count))
    default: sc_split_2_u64(to, Int64(pitch), from, Int64(count))
    }
}

/// The lanes of `ways` vectors in turn.
@inline(__always)
private func joinPhases<V: SIMD & BitwiseCopyable>(
    _ y: InlineArray<4, V>, to target: UnsafeMutableRawPointer, ways: Int
) {
    var y = y
    withUnsafePointer(to: &y) { y in
        let from = UnsafeRawPointer(y).assumingMemoryBound(to: UInt8.self)
        let to = target.assumingMemoryBound(to: UInt8.self)
        switch (ways, MemoryLayout<V.Scalar>.size) {
        case (4, 4): sc_join_4_u32(to, from)
        case (4, _): sc_join_4_u64(to, from)
        case (_, 4): sc_join_2_u32(to, from)
        default: sc_join_2_u64(to, from)
        }
    }
}
