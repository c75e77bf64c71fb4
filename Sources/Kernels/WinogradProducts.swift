import CMachine
import Foundations

/// One point of Winograd's products, for some rows and a panel of lanes:
///
///     sums[row][lane] = start + sum over taps, depths of rows[tap][row][depth] * lanes[tap][depth][lane]
///
/// where start is zero, or what the sums hold, which is added last. Of a convolution, rows are tiles of samples, depths
/// input channels and lanes output channels; taps are those of an axis outside the tiles, on which the samples under
/// neighbouring taps lie some tiles apart, one where there is none. Of a weight's gradient, rows are output channels, depths
/// tiles and lanes input channels. Lanes, some whole vectors, are contiguous, those of all depths under all taps; so are
/// either the depths of a row or the rows of a depth.
package struct WinogradProducts {
    package var rows: UnsafeRawPointer
    package var rowPitch: Int
    package var rowCount: Int
    package var depths: Int
    package var depthPitch: Int
    package var taps = 1
    package var tapPitch = 0
    package var lanes: UnsafeRawPointer
    package var vectors: Int
    package var sums: UnsafeMutableRawPointer
    package var sumsPitch: Int
    package var startsFromZero: Bool
    /// What will be asked of the memory next, by so many calls; it may lie anywhere.
    package var nextLanes: UnsafeRawPointer
    package var askingCalls = 1

    package init(
        rows: UnsafeRawPointer, rowPitch: Int, rowCount: Int, depths: Int, depthPitch: Int, lanes: UnsafeRawPointer,
        vectors: Int, sums: UnsafeMutableRawPointer, sumsPitch: Int, startsFromZero: Bool
    ) {
        self.rows = rows
        self.rowPitch = rowPitch
        self.rowCount = rowCount
        self.depths = depths
        self.depthPitch = depthPitch
        self.lanes = lanes
        self.vectors = vectors
        self.sums = sums
        self.sumsPitch = sumsPitch
        self.startsFromZero = startsFromZero
        nextLanes = lanes
    }
}

/// The products are read only; `inout` because Swift would pass a copy otherwise.
package func runWinogradProducts(_ products: inout WinogradProducts, isDouble: Bool) {
    let element = isDouble ? MemoryLayout<Double>.size : MemoryLayout<Float>.size
    switch (products.depthPitch == element, isDouble) {
    case (true, true): multiply(Float64Family.self, DepthsInRows.self, &products)
    case (true, false): multiply(Float32Family.self, DepthsInRows.self, &products)
    case (false, true): multiply(Float64Family.self, RowsInDepths.self, &products)
    case (false, false): multiply(Float32Family.self, RowsInDepths.self, &products)
    }
}

/// How far apart a depth's rows lie, and a row's depths: one of the two is a constant, as with two variables tiles of 12
/// rows lose a tenth.
private protocol RowOrder {
    static func pitches(_ products: WinogradProducts, element: Int) -> (row: Int, depth: Int)
}

/// The depths of a row are contiguous.
private enum DepthsInRows: RowOrder {
    @inline(__always)
    static func pitches(_ products: WinogradProducts, element: Int) -> (row: Int, depth: Int) {
        (products.rowPitch, element)
    }
}

/// The rows of a depth are contiguous.
private enum RowsInDepths: RowOrder {
    @inline(__always)
    static func pitches(_ products: WinogradProducts, element: Int) -> (row: Int, depth: Int) {
        (element, products.depthPitch)
    }
}

/// Tiles of registers that fill them as `contractionTileRows` says: fewer vectors leave room for more rows. (Sums of 12 rows
/// by 2 vectors are left in memory by the compiler.)
@inline(__always)
private func multiply<F: ArithmeticFamily, Order: RowOrder>(
    _: F.Type, _: Order.Type, _ products: inout WinogradProducts
) {
    typealias A = F.Full
    var first = 0
    if F.widestTile >= 4 && products.vectors == 4 {
        first = multiplyRows(
            A.self, Order.self, rows: InlineArray<6, Never>.self, vectors: InlineArray<4, Never>.self, 0, &products)
        multiplyRest(A.self, Order.self, vectors: InlineArray<4, Never>.self, first, &products)
    } else if F.widestTile >= 4 && products.vectors == 3 {
        first = multiplyRows(
            A.self, Order.self, rows: InlineArray<8, Never>.self, vectors: InlineArray<3, Never>.self, 0, &products)
        multiplyRest(A.self, Order.self, vectors: InlineArray<3, Never>.self, first, &products)
    } else if F.widestTile >= 2 && products.vectors == 2 {
        if F.widestTile >= 4 {
            first = multiplyRows(
                A.self, Order.self, rows: InlineArray<8, Never>.self, vectors: InlineArray<2, Never>.self, 0, &products)
        }
        first = multiplyRows(
            A.self, Order.self, rows: InlineArray<6, Never>.self, vectors: InlineArray<2, Never>.self, first, &products)
        multiplyRest(A.self, Order.self, vectors: InlineArray<2, Never>.self, first, &products)
    } else {
        first = multiplyRows(
            A.self, Order.self, rows: InlineArray<12, Never>.self, vectors: InlineArray<1, Never>.self, 0, &products)
        multiplyRest(A.self, Order.self, vectors: InlineArray<1, Never>.self, first, &products)
    }
}

@inline(__always)
private func multiplyRest<A: Arithmetic, Order: RowOrder, let NRV: Int>(
    _: A.Type, _: Order.Type, vectors: InlineArray<NRV, Never>.Type, _ first: Int, _ products: inout WinogradProducts
) {
    var row = multiplyRows(A.self, Order.self, rows: InlineArray<4, Never>.self, vectors: vectors, first, &products)
    row = multiplyRows(A.self, Order.self, rows: InlineArray<2, Never>.self, vectors: vectors, row, &products)
    _ = multiplyRows(A.self, Order.self, rows: InlineArray<1, Never>.self, vectors: vectors, row, &products)
}

/// Rows from `first` on, MR at a time, as long as there are so many; returns the first one left.
@inline(never)
private func multiplyRows<A: Arithmetic, Order: RowOrder, let MR: Int, let NRV: Int>(
    _: A.Type, _: Order.Type, rows _: InlineArray<MR, Never>.Type, vectors _: InlineArray<NRV, Never>.Type,
    _ first: Int, _ products: inout WinogradProducts
) -> Int {
    let (depths, sumsPitch) = (products.depths, products.sumsPitch)
    let (taps, tapPitch) = (products.taps, products.tapPitch)
    let (rowPitch, depthPitch) = Order.pitches(products, element: A.elementBytes)
    // Each round of rows asks for its share of what comes next.
    let step = NRV &* MR &* A.vectorBytes / max(products.rowCount &* products.askingCalls, 1)
    var top = first
    while top &+ MR <= products.rowCount {
        var sums = InlineArray<MR, InlineArray<NRV, A.Accumulator>>(
            repeating: InlineArray<NRV, A.Accumulator>(repeating: A.zero))
        var source = products.rows + top &* rowPitch
        var next = products.nextLanes + top / MR &* depths &* taps &* step
        var lanes = products.lanes
        var tap = 0
        while tap < taps {
            let row = InlineArray<MR, UnsafeRawPointer> { source + $0 &* rowPitch }
            var depth = 0
            while depth < depths {
                let vectors = InlineArray<NRV, A.Vector> { A.load(lanes + $0 &* A.vectorBytes) }
                for r in 0..<MR {
                    let weight = A.weight(row[r] + depth &* depthPitch)
                    for j in 0..<NRV { A.multiplyAdd(&sums[r][j], vectors[j], weight) }
                }
                sc_prefetch_outer(next.assumingMemoryBound(to: UInt8.self))
                sc_prefetch_outer((next + A.vectorBytes).assumingMemoryBound(to: UInt8.self))
                next += step
                lanes += NRV &* A.vectorBytes
                depth &+= 1
            }
            source += tapPitch
            tap &+= 1
        }
        let output = products.sums + top &* sumsPitch
        // Two loops, as a condition inside one would leave the sums in memory.
        if products.startsFromZero {
            for r in 0..<MR {
                for j in 0..<NRV { A.store(sums[r][j], output + (r &* sumsPitch &+ j &* A.vectorBytes)) }
            }
        } else {
            for r in 0..<MR {
                for j in 0..<NRV {
                    let place = output + (r &* sumsPitch &+ j &* A.vectorBytes)
                    A.add(&sums[r][j], A.load(place))
                    A.store(sums[r][j], place)
                }
            }
        }
        top &+= MR
    }
    return top
}
