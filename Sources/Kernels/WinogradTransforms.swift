import CMachine

/// Winograd transforms of tiles whose channels lie along the lanes. Points of a two-dimensional tile are numbered by row and
/// column, the column fastest. Distances are in bytes; whole vectors are read and written.
package struct WinogradKernels {
    package let outputs: Int
    package let points: Int
    let isDouble: Bool

    /// F(4 x 4, 3 x 3) or F(2 x 2, 3 x 3), in float32 or float64.
    package init(outputs: Int, isDouble: Bool) {
        self.outputs = outputs
        points = outputs &+ 2
        self.isDouble = isDouble
    }

    /// A vector of channels of tiles side by side: sample (i, j) of tile t is at
    /// `source + i * rowPitch + (outputs * t + j) * samplePitch`; its point p goes to `target + p * pointPitch + t * tilePitch`.
    /// `scratch` is room for `points * points` vectors on a cache-line boundary.
    package func transformInputs(
        _ source: UnsafeRawPointer, rowPitch: Int, samplePitch: Int, tiles: Int, to target: UnsafeMutableRawPointer,
        pointPitch: Int, tilePitch: Int, scratch: UnsafeMutableRawPointer
    ) {
        func run<S: WinogradScheme, V: WinogradVector>(_: S.Type, _: V.Type) {
            inputTiles(S.self, V.self, source, rowPitch, samplePitch, tiles, target, pointPitch, tilePitch, scratch)
        }
        switch (outputs, isDouble) {
        case (4, false): run(Winograd4.self, sc_f32v.self)
        case (4, true): run(Winograd4.self, sc_f64v.self)
        case (_, false): run(Winograd2.self, sc_f32v.self)
        case (_, true): run(Winograd2.self, sc_f64v.self)
        }
    }

    /// A vector of channels of the outputs of tiles side by side: point p of tile t is at
    /// `sums + p * pointPitch + t * tilePitch`; output (a, b) plus the channels' bias goes to
    /// `target + a * rowPitch + (outputs * t + b) * samplePitch`. Returns whether all are finite without the bias.
    package func transformOutputs(
        _ sums: UnsafeRawPointer, pointPitch: Int, tilePitch: Int, tiles: Int, bias: UnsafeRawPointer,
        to target: UnsafeMutableRawPointer, rowPitch: Int, samplePitch: Int
    ) -> Bool {
        func run<S: WinogradScheme, V: WinogradVector>(_: S.Type, _: V.Type) -> Bool {
            outputTiles(S.self, V.self, sums, pointPitch, tilePitch, tiles, bias, target, rowPitch, samplePitch)
        }
        return switch (outputs, isDouble) {
        case (4, false): run(Winograd4.self, sc_f32v.self)
        case (4, true): run(Winograd4.self, sc_f64v.self)
        case (_, false): run(Winograd2.self, sc_f32v.self)
        case (_, true): run(Winograd2.self, sc_f64v.self)
        }
    }

    /// The points of filters, a lane each, one vector after the other: tap (i, j) of vector f is at
    /// `source + f * filterPitch + (3 i + j) * tapPitch`, its point p goes to `target + p * pointPitch + f * targetPitch`.
    /// Returns whether all are finite.
    package func transformFilters(
        _ source: UnsafeRawPointer, tapPitch: Int, filterPitch: Int, count: Int, to target: UnsafeMutableRawPointer,
        pointPitch: Int, targetPitch: Int
    ) -> Bool {
        func run<S: WinogradScheme, V: WinogradVector>(_: S.Type, _: V.Type) -> Bool {
            filterVectors(S.self, V.self, source, tapPitch, filterPitch, count, target, pointPitch, targetPitch)
        }
        return switch (outputs, isDouble) {
        case (4, false): run(Winograd4.self, sc_f32v.self)
        case (4, true): run(Winograd4.self, sc_f64v.self)
        case (_, false): run(Winograd2.self, sc_f32v.self)
        case (_, true): run(Winograd2.self, sc_f64v.self)
        }
    }
}

@inline(__always)
private func inputTiles<S: WinogradScheme, V: WinogradVector>(
    _: S.Type, _: V.Type, _ source: UnsafeRawPointer, _ rowPitch: Int, _ samplePitch: Int, _ tiles: Int,
    _ target: UnsafeMutableRawPointer, _ pointPitch: Int, _ tilePitch: Int, _ scratch: UnsafeMutableRawPointer
) {
    let vector = MemoryLayout<V>.size
    for tile in 0..<tiles {
        let samples = source + tile &* S.outputs &* samplePitch
        for j in 0..<S.points {
            let column = samples + j &* samplePitch
            let y = S.input(
                InlineArray<6, V> { i in
                    i < S.points ? (column + i &* rowPitch).loadUnaligned(as: V.self) : V(repeating: 0)
                })
            // A place of known alignment: on the stack, these vectors would straddle cache lines.
            for i in 0..<S.points { (scratch + (i &* S.points &+ j) &* vector).storeBytes(of: y[i], as: V.self) }
        }
        var place = target + tile &* tilePitch
        for i in 0..<S.points {
            let row = scratch + i &* S.points &* vector
            let y = S.input(
                InlineArray<6, V> { j in
                    j < S.points ? (row + j &* vector).loadUnaligned(as: V.self) : V(repeating: 0)
                })
            for j in 0..<S.points {
                place.storeBytes(of: y[j], as: V.self)
                // Points are a line each from another cache: the next tile's are asked for in time.
                sc_prefetch_to_write((place + tilePitch).assumingMemoryBound(to: UInt8.self))
                place += pointPitch
            }
        }
    }
}

@inline(__always)
private func outputTiles<S: WinogradScheme, V: WinogradVector>(
    _: S.Type, _: V.Type, _ sums: UnsafeRawPointer, _ pointPitch: Int, _ tilePitch: Int, _ tiles: Int,
    _ bias: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ rowPitch: Int, _ samplePitch: Int
) -> Bool {
    let bias = bias.loadUnaligned(as: V.self)
    var finite = V(repeating: 0)
    for tile in 0..<tiles {
        let points = sums + tile &* tilePitch
        let rows = InlineArray<6, InlineArray<4, V>> { i in
            if i >= S.points { return InlineArray<4, V>(repeating: V(repeating: 0)) }
            return S.output(
                InlineArray<6, V> { j in
                    if j >= S.points { return V(repeating: 0) }
                    let place = points + (i &* S.points &+ j) &* pointPitch
                    sc_prefetch((place + tilePitch).assumingMemoryBound(to: UInt8.self))
                    return place.loadUnaligned(as: V.self)
                })
        }
        let corner = target + tile &* S.outputs &* samplePitch
        for b in 0..<S.outputs {
            let y = S.output(InlineArray<6, V> { i in rows[i][b] })
            for a in 0..<S.outputs {
                // Zero times what is finite is zero, and NaN otherwise.
                finite = finite + y[a] * V(repeating: 0)
                (corner + (a &* rowPitch &+ b &* samplePitch)).storeBytes(of: y[a] + bias, as: V.self)
            }
        }
    }
    return finite == V(repeating: 0)
}

@inline(__always)
private func filterVectors<S: WinogradScheme, V: WinogradVector>(
    _: S.Type, _: V.Type, _ source: UnsafeRawPointer, _ tapPitch: Int, _ filterPitch: Int, _ count: Int,
    _ target: UnsafeMutableRawPointer, _ pointPitch: Int, _ targetPitch: Int
) -> Bool {
    var finite = V(repeating: 0)
    for f in 0..<count {
        let taps = source + f &* filterPitch
        let columns = InlineArray<3, InlineArray<6, V>> { j in
            S.filter(InlineArray<3, V> { i in (taps + (3 &* i &+ j) &* tapPitch).loadUnaligned(as: V.self) })
        }
        var place = target + f &* targetPitch
        for i in 0..<S.points {
            let y = S.filter(InlineArray<3, V> { j in columns[j][i] })
            for j in 0..<S.points {
                // Zero times what is finite is zero, and NaN otherwise.
                finite = finite + y[j] * V(repeating: 0)
                place.storeBytes(of: y[j], as: V.self)
                place += pointPitch
            }
        }
    }
    return finite == V(repeating: 0)
}
