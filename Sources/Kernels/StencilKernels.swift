import Foundations

/// Computes a strip of any size with the tiles that fit it. The strip is read only; `inout` because Swift would pass a copy
/// otherwise, whose vector loads wait until the stores of the strip before have left the core: 40 ns each (measured).
package func runStencilStrip(_ arithmetic: ArithmeticKind, _ strip: inout StencilStrip) {
    switch arithmetic {
    case .boolean: cover(BooleanFamily.self, &strip)
    case .word16: cover(Word16Family.self, &strip)
    case .word32: cover(Word32Family.self, &strip)
    case .word64: cover(Word64Family.self, &strip)
    case .float32: cover(Float32Family.self, &strip)
    case .float64: cover(Float64Family.self, &strip)
    case .complex64: cover(Complex64Family.self, &strip)
    case .complex128: cover(Complex128Family.self, &strip)
    }
}

/// Elements in one full vector of this arithmetic.
package func vectorLanes(_ arithmetic: ArithmeticKind) -> Int {
    func lanes<F: ArithmeticFamily>(_: F.Type) -> Int { F.Full.lanes }
    switch arithmetic {
    case .boolean: return lanes(BooleanFamily.self)
    case .word16: return lanes(Word16Family.self)
    case .word32: return lanes(Word32Family.self)
    case .word64: return lanes(Word64Family.self)
    case .float32: return lanes(Float32Family.self)
    case .float64: return lanes(Float64Family.self)
    case .complex64: return lanes(Complex64Family.self)
    case .complex128: return lanes(Complex128Family.self)
    }
}

/// Vectors in the widest shared-rows tile of this arithmetic.
package func widestTile(_ arithmetic: ArithmeticKind) -> Int {
    switch arithmetic {
    case .word64: Word64Family.widestTile
    case .complex64, .complex128: Complex64Family.widestTile
    default: Float32Family.widestTile
    }
}

@inline(__always)
private func cover<F: ArithmeticFamily>(_: F.Type, _ strip: inout StencilStrip) {
    let shared = strip.rows >= sharedRowsHeight && strip.inputRowStride == strip.filterRowStride
    if strip.columns >= F.Full.lanes {
        if shared { coverShared(F.self, &strip) } else { coverIndependent(F.self, &strip) }
    } else if strip.columns >= F.Half.lanes {
        coverNarrow(F.Half.self, &strip)
    } else if strip.columns >= F.Quarter.lanes {
        coverNarrow(F.Quarter.self, &strip)
    } else {
        coverNarrow(F.Single.self, &strip)
    }
}

/// Full vectors, 6 rows at a time.
@inline(__always)
private func coverShared<F: ArithmeticFamily>(_: F.Type, _ strip: inout StencilStrip) {
    let lanes = F.Full.lanes
    let widest = F.widestTile &* lanes
    let aheadBytes =
        strip.ahead == nil ? 0 : sharedRowsHeight &* strip.inputRowStride / ((strip.columns &+ widest &- 1) / widest)
    var ahead = strip.ahead ?? strip.input
    var column = 0
    while column < strip.columns {
        let left = strip.columns &- column
        let vectors = (left &+ lanes &- 1) / lanes
        let count: Int
        if F.widestTile >= 4 && vectors >= 4 {
            count = min(left, 4 &* lanes)
            sharedTile(F.Full.self, InlineArray<4, Never>.self, column, count, &strip, ahead, aheadBytes)
        } else if F.widestTile >= 2 && vectors >= 2 {
            count = min(left, 2 &* lanes)
            sharedTile(F.Full.self, InlineArray<2, Never>.self, column, count, &strip, ahead, aheadBytes)
        } else {
            count = min(left, lanes)
            sharedTile(F.Full.self, InlineArray<1, Never>.self, column, count, &strip, ahead, aheadBytes)
        }
        column &+= count
        ahead += aheadBytes
    }
}

let cacheLine = 64

@inline(__always)
private func sharedTile<A: Arithmetic, let NRV: Int>(
    _: A.Type, _ vectors: InlineArray<NRV, Never>.Type, _ column: Int, _ count: Int, _ strip: inout StencilStrip,
    _ ahead: UnsafeRawPointer, _ aheadBytes: Int
) {
    let columns = TileColumns(
        column: column, count: count, lanes: A.lanes, elementBytes: A.elementBytes, ahead: ahead,
        aheadBytes: aheadBytes,
        taps: strip.taps)
    switch strip.filterRows {
    case 1: sharedRows(A.self, filterRows: InlineArray<1, Never>.self, vectors: vectors, columns, &strip)
    case 2: sharedRows(A.self, filterRows: InlineArray<2, Never>.self, vectors: vectors, columns, &strip)
    case 3: sharedRows(A.self, filterRows: InlineArray<3, Never>.self, vectors: vectors, columns, &strip)
    case 4: sharedRows(A.self, filterRows: InlineArray<4, Never>.self, vectors: vectors, columns, &strip)
    case 5: sharedRows(A.self, filterRows: InlineArray<5, Never>.self, vectors: vectors, columns, &strip)
    default: sharedRows(A.self, filterRows: InlineArray<0, Never>.self, vectors: vectors, columns, &strip)
    }
}

/// Full vectors, rows on their own. Eight accumulators hide the latency of the multiply-add (4 cycles, 2 a cycle).
@inline(__always)
private func coverIndependent<F: ArithmeticFamily>(_: F.Type, _ strip: inout StencilStrip) {
    typealias A = F.Full
    let lanes = A.lanes
    var column = 0
    while column < strip.columns {
        let left = strip.columns &- column
        let vectors = (left &+ lanes &- 1) / lanes
        let count: Int
        if strip.rows >= 4 {
            count = min(left, (vectors >= 2 ? 2 : 1) &* lanes)
            let columns = TileColumns(
                column: column, count: count, lanes: lanes, elementBytes: A.elementBytes, ahead: strip.input)
            if vectors >= 2 {
                independentRows(
                    A.self, rows: InlineArray<4, Never>.self, vectors: InlineArray<2, Never>.self, columns, &strip)
            } else {
                independentRows(
                    A.self, rows: InlineArray<4, Never>.self, vectors: InlineArray<1, Never>.self, columns, &strip)
            }
        } else {
            count = min(left, (vectors >= 8 ? 8 : vectors >= 2 ? 2 : 1) &* lanes)
            let columns = TileColumns(
                column: column, count: count, lanes: lanes, elementBytes: A.elementBytes, ahead: strip.input)
            if vectors >= 8 {
                independentRows(
                    A.self, rows: InlineArray<1, Never>.self, vectors: InlineArray<8, Never>.self, columns, &strip)
            } else if vectors >= 2 {
                independentRows(
                    A.self, rows: InlineArray<1, Never>.self, vectors: InlineArray<2, Never>.self, columns, &strip)
            } else {
                independentRows(
                    A.self, rows: InlineArray<1, Never>.self, vectors: InlineArray<1, Never>.self, columns, &strip)
            }
        }
        column &+= count
    }
}

/// Strips narrower than a full vector.
@inline(__always)
private func coverNarrow<A: Arithmetic>(_: A.Type, _ strip: inout StencilStrip) {
    var column = 0
    while column < strip.columns {
        let count = min(strip.columns &- column, A.lanes)
        let columns = TileColumns(
            column: column, count: count, lanes: A.lanes, elementBytes: A.elementBytes, ahead: strip.input)
        if strip.rows >= 4 {
            independentRows(
                A.self, rows: InlineArray<4, Never>.self, vectors: InlineArray<1, Never>.self, columns, &strip)
        } else {
            independentRows(
                A.self, rows: InlineArray<1, Never>.self, vectors: InlineArray<1, Never>.self, columns, &strip)
        }
        column &+= count
    }
}
