import CMachine
import Foundations

/// Computes any number of rows by 1 to `contractionTileVectors` vectors. The panel is read only; `inout` because Swift would
/// pass a copy otherwise.
package func runContractionPanel(_ products: PanelProducts, _ panel: inout ContractionPanel) {
    switch products {
    case .elements(let arithmetic): runContractionPanel(arithmetic, &panel)
    case .pairs: contract(PairArithmetic.self, widest: Word32Family.widestTile, &panel)
    case .quads(lanesAreUnsigned: true):
        contract(UnsignedQuadArithmetic.self, widest: Word32Family.widestTile, &panel)
    case .quads(lanesAreUnsigned: false):
        contract(SignedQuadArithmetic.self, widest: Word32Family.widestTile, &panel)
    }
}

@inline(__always)
private func runContractionPanel(_ arithmetic: ArithmeticKind, _ panel: inout ContractionPanel) {
    switch arithmetic {
    case .boolean: contract(BooleanFamily.self, &panel)
    case .word16: contract(Word16Family.self, &panel)
    case .word32: contract(Word32Family.self, &panel)
    case .word64: contract(Word64Family.self, &panel)
    case .float32: contract(Float32Family.self, &panel)
    case .float64: contract(Float64Family.self, &panel)
    case .complex64: contract(Complex64Family.self, &panel)
    case .complex128: contract(Complex128Family.self, &panel)
    }
}

/// Vectors of the widest contraction tile.
package func contractionTileVectors(_ arithmetic: ArithmeticKind) -> Int { widestTile(arithmetic) }

@inline(__always)
private func contract<F: ArithmeticFamily>(_: F.Type, _ panel: inout ContractionPanel) {
    contract(F.Full.self, widest: F.widestTile, &panel)
}

@inline(__always)
private func contract<A: Arithmetic>(_: A.Type, widest: Int, _ panel: inout ContractionPanel) {
    assert(contractionTileRows == 6)
    if panel.rowPitch != 0 {
        contract(A.self, widest: widest, sideBySide: InlineArray<1, Never>.self, &panel)
    } else {
        contract(A.self, widest: widest, sideBySide: InlineArray<0, Never>.self, &panel)
    }
}

@inline(__always)
private func contract<A: Arithmetic, let SIDE: Int>(
    _: A.Type, widest: Int, sideBySide side: InlineArray<SIDE, Never>.Type, _ panel: inout ContractionPanel
) {
    if widest >= 4 && panel.vectors == 4 {
        contractVectors(A.self, InlineArray<4, Never>.self, side, &panel)
    } else if widest >= 4 && panel.vectors == 3 {
        contractVectors(A.self, InlineArray<3, Never>.self, side, &panel)
    } else if widest >= 2 && panel.vectors == 2 {
        contractVectors(A.self, InlineArray<2, Never>.self, side, &panel)
    } else {
        contractVectors(A.self, InlineArray<1, Never>.self, side, &panel)
    }
}

/// Tiles of 6 rows, and lower ones for the rest.
@inline(__always)
private func contractVectors<A: Arithmetic, let NRV: Int, let SIDE: Int>(
    _: A.Type, _ vectors: InlineArray<NRV, Never>.Type, _ side: InlineArray<SIDE, Never>.Type,
    _ panel: inout ContractionPanel
) {
    var row = 0
    if NRV == 1 && panel.rows >= 8 && (SIDE == 0 || !panel.rowsAreGrouped) {
        // Six sums would not hide the latency of the multiply-add.
        row = contractRows(
            A.self, rows: InlineArray<8, Never>.self, vectors: vectors, sideBySide: side, first: 0, &panel)
    }
    if panel.rows &- row >= 6 {
        row = contractRows(
            A.self, rows: InlineArray<6, Never>.self, vectors: vectors, sideBySide: side, first: row, &panel)
    }
    if panel.rows &- row >= 4 {
        row = contractRows(
            A.self, rows: InlineArray<4, Never>.self, vectors: vectors, sideBySide: side, first: row, &panel)
    }
    if panel.rows &- row >= 2 {
        row = contractRows(
            A.self, rows: InlineArray<2, Never>.self, vectors: vectors, sideBySide: side, first: row, &panel)
    }
    if row < panel.rows {
        _ = contractRows(
            A.self, rows: InlineArray<1, Never>.self, vectors: vectors, sideBySide: side, first: row, &panel)
    }
}
