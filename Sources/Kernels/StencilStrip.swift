/// The operands of one strip: `rows` output rows by some columns, computed from rows of compute-typed elements that are
/// contiguous along the columns.
///
///     output[r][c] = sum over t, k of
///         input[tapOffsets[t] + r * inputRowStride + k * filterRowStride + c] * weights[t][k]
///
/// added in that order: taps, then filter rows. A tap is a place in the filter but for its row. All strides and offsets are in bytes. Nothing is aligned.
/// The caller guarantees that every element named above is readable; a kernel reads no other.
@frozen
package struct StencilStrip {
    package var input: UnsafeRawPointer
    /// From the input of one output row to the next.
    package var inputRowStride: Int
    /// From the input of one filter row to the next.
    package var filterRowStride: Int
    package var output: UnsafeMutableRawPointer
    package var outputRowStride: Int
    package var rows: Int
    package var columns: Int
    /// Packed [tap][filter row]: neighbouring output rows then find their weights at fixed distances.
    package var weights: UnsafeRawPointer
    package var filterRows: Int
    package var taps: Int
    package var tapOffsets: UnsafePointer<Int>
    /// Where in the input to ask for what will be read soon, for a strip of rows without gaps; nil for nothing. Shared-rows
    /// tiles ask for as much as they walk over, a few lines with every tap: all at once before the strip, the asking would
    /// hold up its loads, as a core has only 10 to 16 lines under way.
    package var ahead: UnsafeRawPointer?

    @inlinable @inline(__always)
    package init(
        input: UnsafeRawPointer, inputRowStride: Int, filterRowStride: Int, output: UnsafeMutableRawPointer,
        outputRowStride: Int, rows: Int, columns: Int, weights: UnsafeRawPointer, filterRows: Int, taps: Int,
        tapOffsets: UnsafePointer<Int>
    ) {
        self.input = input
        self.inputRowStride = inputRowStride
        self.filterRowStride = filterRowStride
        self.output = output
        self.outputRowStride = outputRowStride
        self.rows = rows
        self.columns = columns
        self.weights = weights
        self.filterRows = filterRows
        self.taps = taps
        self.tapOffsets = tapOffsets
    }
}

/// A tile's place in its strip: where its columns begin, and where its last vector begins (which may overlap the one
/// before it, or, for a single vector, columns before the tile: the same sums are then written twice).
struct TileColumns {
    let first: Int
    let lastVector: Int
    /// The tile's part of what is asked for with each 6 rows.
    let ahead: UnsafeRawPointer
    let aheadBytes: Int
    let aheadPerTap: Int

    /// `count` columns from `column` on, as vectors of `lanes`; there are at least `lanes` columns in the strip.
    @inline(__always)
    init(
        column: Int, count: Int, lanes: Int, elementBytes: Int, ahead: UnsafeRawPointer, aheadBytes: Int = 0,
        taps: Int = 1
    ) {
        first = column &* elementBytes
        lastVector = (count &- lanes) &* elementBytes
        self.ahead = ahead
        self.aheadBytes = aheadBytes
        aheadPerTap = (aheadBytes / taps &+ cacheLine &- 1) & (0 &- cacheLine)
    }
}
