import CMachine

/// The transforms that weights' gradients by F(3 x 3, 4 x 4) need beside those of samples, which are F(4 x 4, 3 x 3)'s.
extension WinogradKernels {
    /// A vector of channels of tiles of gradients side by side: gradient (i, j) of tile t is at
    /// `source + i * rowPitch + (4 * t + j) * samplePitch`; its point p goes to `target + p * pointPitch + t * tilePitch`.
    package func transformGradients(
        _ source: UnsafeRawPointer, rowPitch: Int, samplePitch: Int, tiles: Int, to target: UnsafeMutableRawPointer,
        pointPitch: Int, tilePitch: Int
    ) {
        if isDouble {
            gradientTiles(sc_f64v.self, source, rowPitch, samplePitch, tiles, target, pointPitch, tilePitch)
        } else {
            gradientTiles(sc_f32v.self, source, rowPitch, samplePitch, tiles, target, pointPitch, tilePitch)
        }
    }

    /// The 3 x 3 taps of a vector of channels: point p is at `sums + p * pointPitch`; tap (i, j) goes to
    /// `target + (3 i + j) * tapPitch`. Returns whether all are finite.
    package func transformTaps(
        _ sums: UnsafeRawPointer, pointPitch: Int, to target: UnsafeMutableRawPointer, tapPitch: Int
    ) -> Bool {
        isDouble
            ? taps(sc_f64v.self, sums, pointPitch, target, tapPitch)
            : taps(sc_f32v.self, sums, pointPitch, target, tapPitch)
    }
}

@inline(__always)
private func gradientTiles<V: WinogradVector>(
    _: V.Type, _ source: UnsafeRawPointer, _ rowPitch: Int, _ samplePitch: Int, _ tiles: Int,
    _ target: UnsafeMutableRawPointer, _ pointPitch: Int, _ tilePitch: Int
) {
    for tile in 0..<tiles {
        let corner = source + tile &* 4 &* samplePitch
        let columns = InlineArray<4, InlineArray<6, V>> { j in
            Winograd4.gradient(
                InlineArray<4, V> { i in (corner + (i &* rowPitch &+ j &* samplePitch)).loadUnaligned(as: V.self) })
        }
        var place = target + tile &* tilePitch
        for i in 0..<6 {
            let y = Winograd4.gradient(InlineArray<4, V> { j in columns[j][i] })
            for j in 0..<6 {
                place.storeBytes(of: y[j], as: V.self)
                place += pointPitch
            }
        }
    }
}

@inline(__always)
private func taps<V: WinogradVector>(
    _: V.Type, _ sums: UnsafeRawPointer, _ pointPitch: Int, _ target: UnsafeMutableRawPointer, _ tapPitch: Int
) -> Bool {
    let rows = InlineArray<6, InlineArray<3, V>> { i in
        Winograd4.taps(
            InlineArray<6, V> { j in (sums + (6 &* i &+ j) &* pointPitch).loadUnaligned(as: V.self) })
    }
    var finite = V(repeating: 0)
    for j in 0..<3 {
        let y = Winograd4.taps(InlineArray<6, V> { i in rows[i][j] })
        for i in 0..<3 {
            // Zero times what is finite is zero, and NaN otherwise.
            finite = finite + y[i] * V(repeating: 0)
            (target + (3 &* i &+ j) &* tapPitch).storeBytes(of: y[i], as: V.self)
        }
    }
    return finite == V(repeating: 0)
}
