import Foundations

/// How the output's indices but the line's are cut into tiles of rows: the innermost indices whole, some values of the next
/// one, and one of each of the others. Rows lie in every tile as they do in the first one, which has the most.
struct RowTiles {
    private let line: Int
    /// The index that tiles take in parts, -1 where one tile takes all; and how much of it one takes.
    private let split: Int
    private let perTile: Int
    private let chunks: Int
    private let innerRows: Int
    /// Combinations of the indices beyond that one.
    private let others: Int

    /// `most` rows a tile at most.
    init(_ nest: LoopNest, line: Int, most: Int) {
        var (inner, i) = (1, nest.outputCount &- 1)
        while i >= 0 && (i == line || nest.extents[i] <= most / inner) {
            if i != line { inner &*= nest.extents[i] }
            i &-= 1
        }
        self.line = line
        split = i
        innerRows = inner
        let extent = i < 0 ? 1 : nest.extents[i]
        perTile = ceilingDivide(extent, ceilingDivide(extent, most / inner))
        chunks = ceilingDivide(extent, perTile)
        var others = 1
        for o in 0..<max(i, 0) where o != line { others = saturatingMultiply(others, nest.extents[o]) }
        self.others = others
    }

    var count: Int { saturatingMultiply(others, chunks) }
    /// Of a tile that has most.
    var rows: Int { perTile &* innerRows }

    func rows(_ tile: Int, _ nest: LoopNest) -> Int {
        if split < 0 { return innerRows }
        return min(perTile, nest.extents[split] &- tile % chunks &* perTile) &* innerRows
    }

    /// How far a tile's first row lies from the first tile's in an array of these strides.
    func offset(_ tile: Int, _ nest: LoopNest, _ strides: UnsafePointer<Int>) -> Int {
        if split < 0 { return 0 }
        var offset = tile % chunks &* perTile &* strides[split]
        var rest = tile / chunks
        for i in (0..<split).reversed() where i != line {
            offset &+= rest % nest.extents[i] &* strides[i]
            rest /= nest.extents[i]
        }
        return offset
    }

    /// How far each row of a tile lies from its first.
    func placeRows(_ nest: LoopNest, _ strides: UnsafePointer<Int>, _ offsets: UnsafeMutablePointer<Int>) {
        var placed = 1
        offsets[0] = 0
        for i in (max(split, 0)..<max(nest.outputCount, 0)).reversed() where i != line {
            for value in 1..<max(i == split ? perTile : nest.extents[i], 1) {
                for row in 0..<placed { offsets[value &* placed &+ row] = offsets[row] &+ value &* strides[i] }
            }
            placed &*= i == split ? perTile : nest.extents[i]
        }
    }
}
