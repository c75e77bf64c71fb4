import CMachine
import Foundations

/// Computes a tile of 1 to `contractionTileRows` rows and 1 to `contractionTileVectors` vectors.
package func runContractionTile(_ arithmetic: ArithmeticKind, _ tile: inout ContractionTile) {
    switch arithmetic {
    case .boolean: contract(BooleanFamily.self, &tile)
    case .word16: contract(Word16Family.self, &tile)
    case .word32: contract(Word32Family.self, &tile)
    case .word64: contract(Word64Family.self, &tile)
    case .float32: contract(Float32Family.self, &tile)
    case .float64: contract(Float64Family.self, &tile)
    case .complex64: contract(Complex64Family.self, &tile)
    case .complex128: contract(Complex128Family.self, &tile)
    }
}

/// Vectors of the widest contraction tile.
package func contractionTileVectors(_ arithmetic: ArithmeticKind) -> Int { widestTile(arithmetic) }

@inline(__always)
private func contract<F: ArithmeticFamily>(_: F.Type, _ tile: inout ContractionTile) {
    typealias A = F.Full
    if F.widestTile >= 4 && tile.vectors == 4 {
        contractVectors(A.self, InlineArray<4, Never>.self, &tile)
    } else if F.widestTile >= 4 && tile.vectors == 3 {
        contractVectors(A.self, InlineArray<3, Never>.self, &tile)
    } else if F.widestTile >= 2 && tile.vectors == 2 {
        contractVectors(A.self, InlineArray<2, Never>.self, &tile)
    } else {
        contractVectors(A.self, InlineArray<1, Never>.self, &tile)
    }
}

@inline(__always)
private func contractVectors<A: Arithmetic, let NRV: Int>(
    _: A.Type, _ vectors: InlineArray<NRV, Never>.Type, _ tile: inout ContractionTile
) {
    var rest = tile.rows
    var first = 0
    if rest == contractionTileRows {
        contractRows(A.self, rows: InlineArray<6, Never>.self, vectors: vectors, first: 0, &tile)
        return
    }
    if rest >= 4 {
        contractRows(A.self, rows: InlineArray<4, Never>.self, vectors: vectors, first: first, &tile)
        rest &-= 4
        first &+= 4
    }
    if rest >= 2 {
        contractRows(A.self, rows: InlineArray<2, Never>.self, vectors: vectors, first: first, &tile)
        rest &-= 2
        first &+= 2
    }
    if rest == 1 { contractRows(A.self, rows: InlineArray<1, Never>.self, vectors: vectors, first: first, &tile) }
}
