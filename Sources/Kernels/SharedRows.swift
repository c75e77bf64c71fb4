import CMachine

/// Number of output rows in a shared-rows tile. 6 rows by 2 vectors are 12 accumulators, and with two operands and the
/// weight 15 of AVX2's 16 registers; 6 by 4 are 29 of AVX-512's 32.
@inlinable
package var sharedRowsHeight: Int { 6 }

/// A register tile of 6 output rows x NRV vectors in which every loaded input vector feeds all the output rows whose
/// windows hold it.
///
/// Requires `inputRowStride == filterRowStride` (input row i serves output row r with filter row i - r) and `rows >= 6`;
/// the last tile overlaps its predecessor when 6 does not divide `rows`. The filter has P rows, or, when P is 0, any
/// number of at least 6.
///
/// The rows at the window's head and tail serve fewer output rows. They are written out with constant bounds, because
/// a condition there costs half the speed and zero weights would add products that are not in the sum. Taps are the outer
/// loop, so that all rows of a low filter are one straight line of code.
@inline(never)
func sharedRows<A: Arithmetic, let P: Int, let NRV: Int>(
    _ arithmetic: A.Type, filterRows _: InlineArray<P, Never>.Type, vectors _: InlineArray<NRV, Never>.Type,
    _ columns: TileColumns, _ strip: inout StencilStrip
) {
    assert(strip.rows >= sharedRowsHeight && strip.inputRowStride == strip.filterRowStride)
    assert(P == 0 ? strip.filterRows >= sharedRowsHeight : strip.filterRows == P)
    let filterRows = P == 0 ? strip.filterRows : P
    let element = A.elementBytes
    let step = strip.inputRowStride
    var row = 0
    while true {
        var tile = InlineArray<6, InlineArray<NRV, A.Accumulator>>(
            repeating: InlineArray<NRV, A.Accumulator>(repeating: A.zero))
        let base = strip.input + (columns.first &+ row &* step)
        var w = strip.weights
        var ahead = columns.ahead + row &* step
        let aheadEnd = ahead + columns.aheadBytes
        var tap = 0
        while tap < strip.taps {
            let asked = min(ahead + columns.aheadPerTap, aheadEnd)
            while ahead < asked {
                sc_prefetch(ahead.assumingMemoryBound(to: UInt8.self))
                ahead += cacheLine
            }
            var x = base + strip.tapOffsets[tap]
            if P == 0 {
                addRow(&tile, A.self, from: 0, below: 1, x, columns, w)
                x += step
                addRow(&tile, A.self, from: 0, below: 2, x, columns, w + element)
                x += step
                addRow(&tile, A.self, from: 0, below: 3, x, columns, w + 2 &* element)
                x += step
                addRow(&tile, A.self, from: 0, below: 4, x, columns, w + 3 &* element)
                x += step
                addRow(&tile, A.self, from: 0, below: 5, x, columns, w + 4 &* element)
                x += step
                var i = 5
                while i < filterRows {
                    addRow(&tile, A.self, from: 0, below: 6, x, columns, w + i &* element)
                    x += step
                    i &+= 1
                }
                let end = w + filterRows &* element
                addRow(&tile, A.self, from: 1, below: 6, x, columns, end)
                x += step
                addRow(&tile, A.self, from: 2, below: 6, x, columns, end + element)
                x += step
                addRow(&tile, A.self, from: 3, below: 6, x, columns, end + 2 &* element)
                x += step
                addRow(&tile, A.self, from: 4, below: 6, x, columns, end + 3 &* element)
                x += step
                addRow(&tile, A.self, from: 5, below: 6, x, columns, end + 4 &* element)
            } else {
                addRow(&tile, A.self, from: max(0, 1 &- P), below: 1, x, columns, w)
                x += step
                addRow(&tile, A.self, from: max(0, 2 &- P), below: 2, x, columns, w + element)
                x += step
                addRow(&tile, A.self, from: max(0, 3 &- P), below: 3, x, columns, w + 2 &* element)
                x += step
                addRow(&tile, A.self, from: max(0, 4 &- P), below: 4, x, columns, w + 3 &* element)
                x += step
                addRow(&tile, A.self, from: max(0, 5 &- P), below: 5, x, columns, w + 4 &* element)
                x += step
                addRow(&tile, A.self, from: max(0, 6 &- P), below: 6, x, columns, w + 5 &* element)
                if P > 1 {
                    x += step
                    addRow(&tile, A.self, from: 7 &- P, below: 6, x, columns, w + 6 &* element)
                }
                if P > 2 {
                    x += step
                    addRow(&tile, A.self, from: 8 &- P, below: 6, x, columns, w + 7 &* element)
                }
                if P > 3 {
                    x += step
                    addRow(&tile, A.self, from: 9 &- P, below: 6, x, columns, w + 8 &* element)
                }
                if P > 4 {
                    x += step
                    addRow(&tile, A.self, from: 10 &- P, below: 6, x, columns, w + 9 &* element)
                }
            }
            w += filterRows &* element
            tap &+= 1
        }
        var y = strip.output + (columns.first &+ row &* strip.outputRowStride)
        for r in 0..<6 {
            for j in 0..<NRV &- 1 { A.store(tile[r][j], y + j &* A.vectorBytes) }
            A.store(tile[r][NRV &- 1], y + columns.lastVector)
            y += strip.outputRowStride
        }
        if row &+ 6 >= strip.rows { return }
        row = min(row &+ 6, strip.rows &- 6)
    }
}

/// Adds one input row under one tap to the tile's output rows `first..<end`, constants where this is inlined. `w` points at
/// the weight for output row 0; the next output rows' weights lie before it.
@inline(__always)
private func addRow<A: Arithmetic, let NRV: Int>(
    _ tile: inout InlineArray<6, InlineArray<NRV, A.Accumulator>>, _ arithmetic: A.Type, from first: Int,
    below end: Int, _ x: UnsafeRawPointer, _ columns: TileColumns, _ w: UnsafeRawPointer
) {
    let vectors = loadVectors(A.self, InlineArray<NRV, Never>.self, x, columns)
    for r in 0..<6 where r >= first && r < end {
        let weight = A.weight(w - r &* A.elementBytes)
        for j in 0..<NRV { A.multiplyAdd(&tile[r][j], vectors[j], weight) }
    }
}

/// A tile's NRV vectors, the last one where the tile wants it.
@inline(__always)
func loadVectors<A: Arithmetic, let NRV: Int>(
    _ arithmetic: A.Type, _: InlineArray<NRV, Never>.Type, _ x: UnsafeRawPointer, _ columns: TileColumns
) -> InlineArray<NRV, A.Vector> {
    InlineArray<NRV, A.Vector> { j in A.load(x + (j == NRV &- 1 ? columns.lastVector : j &* A.vectorBytes)) }
}
