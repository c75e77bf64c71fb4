import CMachine
import Foundations

/// The operands of a strip whose windows may reach outside the input, where samples are zero:
///
///     output[y][x] = start + sum over p, t, k of
///         input[planes[p * taps]][step * y + k][step * x + t's distance] * weights[p][t][k]
///
/// added in that order, as `StencilStrip`'s, with as many taps as filter rows, and the start last. Columns go by blocks of a vector, for each of which a table says which samples
/// there are. All strides and offsets are in bytes. Nothing outside is read.
@frozen
package struct MaskedStrip {
    /// Sample 0 of the row under filter row 0 of output row 0, and that row's index: of rows outside `0..<rowExtent`, there
    /// is nothing.
    package var input: UnsafeRawPointer
    package var rowStride: Int
    package var firstRow = 0
    package var rowExtent: Int
    /// Offsets of the taps [plane][tap]; each plane's first one counts.
    package var planeOffsets: UnsafePointer<Int>
    package var planes: Int
    /// [block][tap].
    package var columns: UnsafePointer<MaskedTap>
    package var blocks: Int
    /// The last block's columns.
    package var lastColumns: UInt64
    package var reading: MaskedReading
    package var weights: UnsafeRawPointer
    /// From one tap's weights to the next one's, and from one filter row's to the next.
    package var weightTap: Int
    package var weightRow: Int
    package var filterRows: Int
    /// What sums start from, an element for each image; nil for zeros.
    package var start: UnsafeRawPointer?
    package var output: UnsafeMutableRawPointer
    package var outputRowStride: Int
    package var rows = 0
    /// Images one after the other, with filters of their own or, at a pitch of 0, one.
    package var images = 1
    package var inputPitch = 0
    package var weightsPitch = 0
    package var outputPitch = 0

    @inlinable @inline(__always)
    package init(
        input: UnsafeRawPointer, rowStride: Int, rowExtent: Int, planeOffsets: UnsafePointer<Int>, planes: Int,
        columns: UnsafePointer<MaskedTap>, blocks: Int, lastColumns: UInt64, reading: MaskedReading,
        weights: UnsafeRawPointer, weightTap: Int,
        weightRow: Int, filterRows: Int, output: UnsafeMutableRawPointer, outputRowStride: Int
    ) {
        self.input = input
        self.rowStride = rowStride
        self.rowExtent = rowExtent
        self.planeOffsets = planeOffsets
        self.planes = planes
        self.columns = columns
        self.blocks = blocks
        self.lastColumns = lastColumns
        self.reading = reading
        self.weights = weights
        self.weightTap = weightTap
        self.weightRow = weightRow
        self.filterRows = filterRows
        self.output = output
        self.outputRowStride = outputRowStride
    }
}

/// A tap under a block of columns: where the first column's sample lies in its row, and which samples from there on exist.
@frozen
package struct MaskedTap {
    package var offset: Int
    package var samples: UInt64

    @inlinable
    package init(offset: Int, samples: UInt64) {
        self.offset = offset
        self.samples = samples
    }
}

/// The samples under neighbouring columns, and the rows under neighbouring rows: each, or every second; of a block, samples
/// of one vector or of two.
package enum MaskedReading: Sendable { case each, everySecondOfOne, everySecond }

/// Whether there is a kernel for filters of so many rows.
package func runsMaskedStrips(_ arithmetic: ArithmeticKind, filterRows: Int) -> Bool {
    switch (arithmetic, filterRows) {
    case (.float32, 3), (.float32, 5), (.float32, 7), (.float64, 3), (.float64, 5), (.float64, 7): SC_HAS_MASKS != 0
    default: false
    }
}

/// Computes a strip. It is read only; `inout` because Swift would pass a copy otherwise.
package func runMaskedStrip(_ arithmetic: ArithmeticKind, _ strip: inout MaskedStrip) {
    if arithmetic == .float64 { cover(MaskedFloat64.self, &strip) } else { cover(MaskedFloat32.self, &strip) }
}

@inline(__always)
private func cover<M: MaskedLanes>(_: M.Type, _ strip: inout MaskedStrip) {
    switch strip.filterRows {
    case 3: cover(M.self, filterRows: InlineArray<3, Never>.self, &strip)
    case 5: cover(M.self, filterRows: InlineArray<5, Never>.self, &strip)
    default: cover(M.self, filterRows: InlineArray<7, Never>.self, &strip)
    }
}

@inline(__always)
private func cover<M: MaskedLanes, let P: Int>(
    _: M.Type, filterRows: InlineArray<P, Never>.Type, _ strip: inout MaskedStrip
) {
    switch strip.reading {
    case .each: cover(M.self, filterRows: filterRows, vectors: InlineArray<0, Never>.self, &strip)
    case .everySecondOfOne: cover(M.self, filterRows: filterRows, vectors: InlineArray<1, Never>.self, &strip)
    case .everySecond: cover(M.self, filterRows: filterRows, vectors: InlineArray<2, Never>.self, &strip)
    }
}

@inline(__always)
private func cover<M: MaskedLanes, let P: Int, let READ: Int>(
    _: M.Type, filterRows: InlineArray<P, Never>.Type, vectors: InlineArray<READ, Never>.Type,
    _ strip: inout MaskedStrip
) {
    if strip.rows > 4 {
        maskedRows(M.self, InlineArray<8, Never>.self, filterRows: filterRows, vectors: vectors, &strip)
    } else {
        maskedRows(M.self, InlineArray<4, Never>.self, filterRows: filterRows, vectors: vectors, &strip)
    }
}

/// Tiles of MR rows by one vector, in which every loaded vector feeds all the output rows whose windows hold it; P is the
/// number of filter rows and of taps, READ that of the vectors of which every second sample is taken, 0 for each sample of
/// one. The last rows' tile overlaps its predecessor.
@inline(never)
private func maskedRows<M: MaskedLanes, let MR: Int, let P: Int, let READ: Int>(
    _: M.Type, _: InlineArray<MR, Never>.Type, filterRows _: InlineArray<P, Never>.Type,
    vectors _: InlineArray<READ, Never>.Type, _ strip: inout MaskedStrip
) {
    let step = READ == 0 ? 1 : 2
    let inputRows = step &* (MR &- 1) &+ P
    for image in 0..<strip.images {
        let output = strip.output + image &* strip.outputPitch
        var tile = MaskedTile(
            input: strip.input, weights: strip.weights + image &* strip.weightsPitch, firstRow: 0,
            columns: strip.columns, output: output, mask: 0, rows: 0,
            start: strip.start.map { $0 + image &* M.Whole.elementBytes })
        var row = 0
        while true {
            tile.input = strip.input + (image &* strip.inputPitch &+ step &* row &* strip.rowStride)
            tile.firstRow = strip.firstRow &+ step &* row
            let lacksAbove = tile.firstRow < 0
            let lacksBelow = tile.firstRow &+ inputRows > strip.rowExtent
            let lacksInside =
                tile.firstRow &+ P &- 1 < 0 || tile.firstRow &+ inputRows &- P &+ 1 > strip.rowExtent
            tile.rows = min(MR, strip.rows &- row)
            for block in 0..<strip.blocks {
                tile.columns = strip.columns + block &* P
                tile.output = output + (row &* strip.outputRowStride &+ block &* M.Whole.vectorBytes)
                tile.mask = block &+ 1 == strip.blocks ? strip.lastColumns : ~0
                if lacksInside {
                    computeSparse(
                        M.self, InlineArray<MR, Never>.self, filterRows: InlineArray<P, Never>.self,
                        vectors: InlineArray<READ, Never>.self, tile, &strip)
                } else if lacksAbove || lacksBelow {
                    compute(
                        M.self, InlineArray<MR, Never>.self, filterRows: InlineArray<P, Never>.self,
                        vectors: InlineArray<READ, Never>.self, mayLack: .outer, tile, &strip)
                } else {
                    compute(
                        M.self, InlineArray<MR, Never>.self, filterRows: InlineArray<P, Never>.self,
                        vectors: InlineArray<READ, Never>.self, mayLack: .none, tile, &strip)
                }
            }
            if row &+ MR >= strip.rows { break }
            row = max(0, min(row &+ MR, strip.rows &- MR))
        }
    }
}

private struct MaskedTile {
    var input: UnsafeRawPointer
    var weights: UnsafeRawPointer
    var firstRow: Int
    var columns: UnsafePointer<MaskedTap>
    var output: UnsafeMutableRawPointer
    var mask: UInt64
    /// Rows that there are, of the tile's.
    var rows: Int
    let start: UnsafeRawPointer?
}

/// Which of a tile's input rows may be outside: those that not all output rows see, at its top and bottom, or any.
private enum LackingRows { case none, outer, any }

/// Tiles largely outside, which are few.
@inline(never)
private func computeSparse<M: MaskedLanes, let MR: Int, let P: Int, let READ: Int>(
    _: M.Type, _: InlineArray<MR, Never>.Type, filterRows _: InlineArray<P, Never>.Type,
    vectors _: InlineArray<READ, Never>.Type, _ tile: MaskedTile, _ strip: inout MaskedStrip
) {
    compute(
        M.self, InlineArray<MR, Never>.self, filterRows: InlineArray<P, Never>.self,
        vectors: InlineArray<READ, Never>.self, mayLack: .any, tile, &strip)
}

@inline(__always)
private func compute<M: MaskedLanes, let MR: Int, let P: Int, let READ: Int>(
    _: M.Type, _: InlineArray<MR, Never>.Type, filterRows _: InlineArray<P, Never>.Type,
    vectors _: InlineArray<READ, Never>.Type, mayLack: LackingRows, _ tile: MaskedTile, _ strip: inout MaskedStrip
) {
    typealias A = M.Whole
    var sums = InlineArray<MR, A.Accumulator>(repeating: A.zero)
    var w = tile.weights
    for plane in 0..<strip.planes {
        let base = tile.input + strip.planeOffsets[plane &* P]
        for t in 0..<P {
            add(
                M.self, vectors: InlineArray<READ, Never>.self, mayLack: mayLack, tile, base,
                stride: strip.rowStride, extent: strip.rowExtent, t,
                InlineArray<P, A.Weight> { A.weight(w + $0 &* strip.weightRow) }, &sums)
            w += strip.weightTap
        }
    }
    if let start = tile.start {
        let start = A.weight(start)
        for r in 0..<MR { A.add(&sums[r], start) }
    }
    for r in 0..<MR {
        if r >= tile.rows { return }
        M.store(sums[r], tile.output + r &* strip.outputRowStride, tile.mask)
    }
}

/// Adds what one tap along the columns sees, input row by input row, to the output rows that see it too.
@inline(__always)
private func add<M: MaskedLanes, let MR: Int, let P: Int, let READ: Int>(
    _: M.Type, vectors _: InlineArray<READ, Never>.Type, mayLack: LackingRows, _ tile: MaskedTile,
    _ base: UnsafeRawPointer, stride: Int, extent: Int, _ t: Int, _ weights: InlineArray<P, M.Whole.Weight>,
    _ sums: inout InlineArray<MR, M.Vector>
) {
    typealias A = M.Whole
    let step = READ == 0 ? 1 : 2
    let tap = tile.columns[t]
    let x = base + tap.offset
    @inline(__always)
    func addRow(_ i: Int) {
        if i >= step &* (MR &- 1) &+ P { return }
        let isChecked = mayLack == .any || (mayLack == .outer && (i < P &- 1 || i > step &* (MR &- 1)))
        if isChecked && UInt(bitPattern: tile.firstRow &+ i) >= UInt(bitPattern: extent) { return }
        let mask = tap.samples
        let place = x + i &* stride
        let samples: A.Vector
        if READ == 0 {
            samples = M.load(place, mask)
        } else if READ == 1 {
            samples = M.loadEverySecondOfOne(place, mask)
        } else {
            samples = M.loadEverySecond(place, mask)
        }
        for r in 0..<MR where i >= step &* r && i < step &* r &+ P {
            M.multiplyAdd(&sums[r], samples, weights[i &- step &* r])
        }
    }
    addRow(0)
    addRow(1)
    addRow(2)
    addRow(3)
    addRow(4)
    addRow(5)
    addRow(6)
    addRow(7)
    addRow(8)
    addRow(9)
    addRow(10)
    addRow(11)
    addRow(12)
    addRow(13)
    addRow(14)
    addRow(15)
    addRow(16)
    addRow(17)
    addRow(18)
    addRow(19)
    addRow(20)
}
