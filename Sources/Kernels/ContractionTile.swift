import CMachine

/// Most rows of a contraction tile. 6 rows by 4 vectors are 24 accumulators, with 4 operands and the weight 29 of AVX-512's
/// 32 registers; 6 by 2 are 15 of AVX2's 16.
package let contractionTileRows = 6

/// The operands of one contraction tile: up to `contractionTileRows` rows by some vectors of lanes.
///
///     output[r][lane] = start[r][lane] + sum over depth of row[r][depth] * lanes[depth][lane]
///
/// with the sum in the order of depth, and what it starts from added to it last: the tile need not wait for it. A row's elements are broadcast: they lie in segments, contiguous inside each. Lanes lie
/// contiguous for each depth. Nothing is aligned; whole vectors are read and written.
@frozen
package struct ContractionTile {
    /// Where each segment of each row begins: [row][segment], `segmentCapacity` apart. (Pointers of one segment side by
    /// side would be loaded into a vector register, from which the inner loop would extract them: 4x slower.)
    package var rowSegments: UnsafePointer<UnsafeRawPointer>
    package var segmentCapacity: Int
    package var segments: Int
    /// Depths in each segment.
    package var segmentLengths: UnsafePointer<Int>
    package var lanes: UnsafeRawPointer
    /// From `lanes` to those of each depth, in bytes.
    package var laneOffsets: UnsafePointer<Int>
    /// One for each row.
    package var outputs: UnsafePointer<UnsafeMutableRawPointer>
    /// What sums are added to, one for each row, and from one vector to the next; the outputs themselves, to go on.
    package var starts: UnsafePointer<UnsafeRawPointer>
    package var startStride: Int
    package var rows: Int
    package var vectors: Int

    @inlinable
    package init(
        rowSegments: UnsafePointer<UnsafeRawPointer>, segmentCapacity: Int, segments: Int,
        segmentLengths: UnsafePointer<Int>, lanes: UnsafeRawPointer, laneOffsets: UnsafePointer<Int>,
        outputs: UnsafePointer<UnsafeMutableRawPointer>, starts: UnsafePointer<UnsafeRawPointer>
    ) {
        self.rowSegments = rowSegments
        self.segmentCapacity = segmentCapacity
        self.segments = segments
        self.segmentLengths = segmentLengths
        self.lanes = lanes
        self.laneOffsets = laneOffsets
        self.outputs = outputs
        self.starts = starts
        startStride = 0
        rows = 0
        vectors = 0
    }
}

/// Rows `first..<first + MR` of a tile.
@inline(never)
func contractRows<A: Arithmetic, let MR: Int, let NRV: Int>(
    _ arithmetic: A.Type, rows _: InlineArray<MR, Never>.Type, vectors _: InlineArray<NRV, Never>.Type, first: Int,
    _ tile: inout ContractionTile
) {
    assert(first &+ MR <= tile.rows && NRV == tile.vectors)
    let element = A.elementBytes
    var sums = InlineArray<MR, InlineArray<NRV, A.Accumulator>>(
        repeating: InlineArray<NRV, A.Accumulator>(repeating: A.zero))
    var offsets = tile.laneOffsets
    let lanes = tile.lanes
    var segment = 0
    while segment < tile.segments {
        let begins = tile.rowSegments + (first &* tile.segmentCapacity &+ segment)
        let capacity = tile.segmentCapacity
        let row = InlineArray<MR, UnsafeRawPointer> { begins[$0 &* capacity] }
        let length = tile.segmentLengths[segment]
        var k = 0
        while k < length {
            let x = lanes + offsets[k]
            let vectors = InlineArray<NRV, A.Vector> { A.load(x + $0 &* A.vectorBytes) }
            for r in 0..<MR {
                let weight = A.weight(row[r] + k &* element)
                for j in 0..<NRV { A.multiplyAdd(&sums[r][j], vectors[j], weight) }
            }
            k &+= 1
        }
        offsets += length
        segment &+= 1
    }
    let startStride = tile.startStride
    for r in 0..<MR {
        let output = tile.outputs[first &+ r]
        let start = tile.starts[first &+ r]
        for j in 0..<NRV {
            A.add(&sums[r][j], A.load(start + j &* startStride))
            A.store(sums[r][j], output + j &* A.vectorBytes)
        }
    }
}
