/// A register tile of MR output rows x NRV vectors in which every output row reads its own input: for strips that are
/// too low for `sharedRows`, for row steps that share nothing, and for one-dimensional signals (MR = 1).
///
/// Requires `rows >= MR`; the last tile overlaps its predecessor when MR does not divide `rows`.
@inline(never)
func independentRows<A: Arithmetic, let MR: Int, let NRV: Int>(
    _ arithmetic: A.Type, rows _: InlineArray<MR, Never>.Type, vectors _: InlineArray<NRV, Never>.Type,
    _ columns: TileColumns, _ strip: inout StencilStrip
) {
    assert(strip.rows >= MR)
    let element = A.elementBytes
    var row = 0
    while true {
        var tile = InlineArray<MR, InlineArray<NRV, A.Accumulator>>(
            repeating: InlineArray<NRV, A.Accumulator>(repeating: A.zero))
        let base = strip.input + (columns.first &+ row &* strip.inputRowStride)
        var w = strip.weights
        var tap = 0
        while tap < strip.taps {
            var filterRow = base + strip.tapOffsets[tap]
            var k = 0
            while k < strip.filterRows {
                let weight = A.weight(w)
                var x = filterRow
                for r in 0..<MR {
                    let vectors = loadVectors(A.self, InlineArray<NRV, Never>.self, x, columns)
                    for j in 0..<NRV { A.multiplyAdd(&tile[r][j], vectors[j], weight) }
                    x += strip.inputRowStride
                }
                w += element
                filterRow += strip.filterRowStride
                k &+= 1
            }
            tap &+= 1
        }
        var y = strip.output + (columns.first &+ row &* strip.outputRowStride)
        for r in 0..<MR {
            for j in 0..<NRV &- 1 { A.store(tile[r][j], y + j &* A.vectorBytes) }
            A.store(tile[r][NRV &- 1], y + columns.lastVector)
            y += strip.outputRowStride
        }
        if row &+ MR >= strip.rows { return }
        row = min(row &+ MR, strip.rows &- MR)
    }
}
