import CMachine

/// Rows of the highest contraction tile. 6 rows by 4 vectors are 24 accumulators, with 4 operands and the weight 29 of
/// AVX-512's 32 registers; 6 by 2 are 15 of AVX2's 16.
@inlinable
package var contractionTileRows: Int { 6 }

/// The operands of tiles that lie below each other: any number of rows by some vectors of lanes.
///
///     output[r][lane] = start[r][lane] + sum over depth of row[r][depth] * lanes[depth][lane]
///
/// (or, of words that hold several depths each, `PanelProducts`) with the sum in the order of depth, and what it starts
/// from added to it last: a tile need not wait for it. A row's elements are broadcast: they lie in segments, contiguous
/// inside each, or those of a tile's rows side by side. Lanes lie contiguous for each depth. Nothing is aligned; whole
/// vectors are read and written.
@frozen
package struct ContractionPanel {
    package var rowBase: UnsafeRawPointer
    /// From there to where each segment of each row begins, in bytes: [row][segment], `segmentCapacity` apart.
    package var rowSegments: UnsafePointer<Int>
    package var segmentCapacity: Int
    package var segments: Int
    /// Depths in each segment.
    package var segmentLengths: UnsafePointer<Int>
    package var lanes: UnsafeRawPointer
    /// From the lanes of one depth to the next, in bytes.
    package var lanePitch: Int
    package var output: UnsafeMutableRawPointer
    /// From `output` to each row's, in bytes.
    package var outputOffsets: UnsafePointer<Int>
    /// What sums are added to, from one row and from one vector to the next; nil for what the outputs hold.
    package var start: UnsafeRawPointer?
    package var startRowStride = 0
    package var startStride = 0
    /// Whether what sums are added to is not in the first cache.
    package var fetches = false
    package var rows = 0
    package var vectors = 0
    /// Not 0 where the elements of a tile's rows lie side by side, [depth][row], at least in groups of `contractionTileRows`:
    /// from one depth to the next, in bytes. A row's segment then begins at its element of the first depth.
    package var rowPitch = 0
    /// Whether groups lie apart: a tile of more rows would reach into the next.
    package var rowsAreGrouped = true

    @inlinable
    package init(
        rowBase: UnsafeRawPointer, rowSegments: UnsafePointer<Int>, segmentCapacity: Int, segments: Int,
        segmentLengths: UnsafePointer<Int>, lanes: UnsafeRawPointer, lanePitch: Int,
        output: UnsafeMutableRawPointer, outputOffsets: UnsafePointer<Int>
    ) {
        self.rowBase = rowBase
        self.rowSegments = rowSegments
        self.segmentCapacity = segmentCapacity
        self.segments = segments
        self.segmentLengths = segmentLengths
        self.lanes = lanes
        self.lanePitch = lanePitch
        self.output = output
        self.outputOffsets = outputOffsets
    }
}

/// Rows from `first` on, tile after tile, as long as there are MR; returns the first row left.
@inline(never)
func contractRows<A: Arithmetic, let MR: Int, let NRV: Int, let SIDE: Int>(
    _ arithmetic: A.Type, rows _: InlineArray<MR, Never>.Type, vectors _: InlineArray<NRV, Never>.Type,
    sideBySide _: InlineArray<SIDE, Never>.Type, first: Int, _ panel: inout ContractionPanel
) -> Int {
    assert(NRV == panel.vectors)
    let element = A.elementBytes
    let capacity = panel.segmentCapacity
    let pitch = panel.lanePitch
    let step = SIDE == 1 ? panel.rowPitch : element
    let (startStride, startRowStride) =
        panel.start == nil ? (A.vectorBytes, 0) : (panel.startStride, panel.startRowStride)
    var top = first
    while top &+ MR <= panel.rows {
        var sums = InlineArray<MR, InlineArray<NRV, A.Accumulator>>(
            repeating: InlineArray<NRV, A.Accumulator>(repeating: A.zero))
        var lanes = panel.lanes
        var begins = panel.rowSegments + top &* capacity
        var segment = 0
        while segment < panel.segments {
            // Rows side by side have one address: fewer registers, and one line of memory after the other.
            let row = InlineArray<MR, UnsafeRawPointer> {
                panel.rowBase + (SIDE == 1 ? begins[0] &+ $0 &* element : loadOffset(begins + $0 &* capacity))
            }
            var left = panel.segmentLengths[segment]
            var place = 0
            if panel.fetches && segment == panel.segments &- 1 {
                // What the sums are added to arrives while the last depths are multiplied.
                while left > 32 {
                    addProducts(A.self, &sums, row, place, lanes)
                    lanes += pitch
                    place &+= step
                    left &-= 1
                }
                for r in 0..<MR {
                    let output = UnsafeRawPointer(panel.output + panel.outputOffsets[top &+ r])
                    let start = panel.start.map { $0 + (top &+ r) &* startRowStride } ?? output
                    for j in 0..<NRV {
                        sc_prefetch((start + j &* startStride).assumingMemoryBound(to: UInt8.self))
                        sc_prefetch_to_write((output + j &* A.vectorBytes).assumingMemoryBound(to: UInt8.self))
                    }
                }
            }
            while left > 0 {
                addProducts(A.self, &sums, row, place, lanes)
                lanes += pitch
                place &+= step
                left &-= 1
            }
            begins += 1
            segment &+= 1
        }
        for r in 0..<MR {
            let output = panel.output + panel.outputOffsets[top &+ r]
            let start = panel.start.map { $0 + (top &+ r) &* startRowStride } ?? UnsafeRawPointer(output)
            for j in 0..<NRV {
                A.add(&sums[r][j], A.load(start + j &* startStride))
                A.store(sums[r][j], output + j &* A.vectorBytes)
            }
        }
        top &+= MR
    }
    return top
}

/// The products of one depth, or word.
@inline(__always)
private func addProducts<A: Arithmetic, let MR: Int, let NRV: Int>(
    _: A.Type, _ sums: inout InlineArray<MR, InlineArray<NRV, A.Accumulator>>, _ row: InlineArray<MR, UnsafeRawPointer>,
    _ place: Int, _ lanes: UnsafeRawPointer
) {
    let vectors = InlineArray<NRV, A.Vector> { A.load(lanes + $0 &* A.vectorBytes) }
    for r in 0..<MR {
        let weight = A.weight(row[r] + place)
        for j in 0..<NRV { A.multiplyAdd(&sums[r][j], vectors[j], weight) }
    }
}

/// An address from a list of them, by itself: from neighbours the compiler would make a gather.
@inline(__always)
func loadAddress(_ place: UnsafePointer<UnsafeRawPointer>) -> UnsafeRawPointer {
    // Never null: panels name real rows.
    sc_load_address(UnsafeRawPointer(place).assumingMemoryBound(to: UnsafeRawPointer?.self)).unsafelyUnwrapped
}

/// An offset, likewise.
@inline(__always)
private func loadOffset(_ place: UnsafePointer<Int>) -> Int {
    Int(sc_load_offset(UnsafeRawPointer(place).assumingMemoryBound(to: Int64.self)))
}
