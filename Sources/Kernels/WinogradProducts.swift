import CMachine
import Foundations

/// One point of some tiles, one panel of the filter, some input channels under some taps:
///
///     sums[tile][lane] = start + sum over taps, channels of samples[tap][tile][channel] * filter[tap][channel][lane]
///
/// where start is zero, or what the sums hold, which is added last. The channels of a tile are contiguous, and so are the
/// lanes, some whole vectors, of all channels under all taps. Taps are those of an axis outside the tiles, on which the
/// samples under neighbouring taps lie some tiles apart; one where there is none.
package struct WinogradProducts {
    package var samples: UnsafeRawPointer
    package var tilePitch: Int
    package var tiles: Int
    package var channels: Int
    package var taps = 1
    package var tapPitch = 0
    package var filter: UnsafeRawPointer
    package var vectors: Int
    package var sums: UnsafeMutableRawPointer
    package var sumsPitch: Int
    package var startsFromZero: Bool
    /// What will be asked of the memory next, by so many calls; it may lie anywhere.
    package var nextFilter: UnsafeRawPointer
    package var askingCalls = 1

    package init(
        samples: UnsafeRawPointer, tilePitch: Int, tiles: Int, channels: Int, filter: UnsafeRawPointer, vectors: Int,
        sums: UnsafeMutableRawPointer, sumsPitch: Int, startsFromZero: Bool
    ) {
        self.samples = samples
        self.tilePitch = tilePitch
        self.tiles = tiles
        self.channels = channels
        self.filter = filter
        self.vectors = vectors
        self.sums = sums
        self.sumsPitch = sumsPitch
        self.startsFromZero = startsFromZero
        nextFilter = filter
    }
}

/// The products are read only; `inout` because Swift would pass a copy otherwise.
package func runWinogradProducts(_ products: inout WinogradProducts, isDouble: Bool) {
    if isDouble {
        multiply(Float64Family.self, &products)
    } else {
        multiply(Float32Family.self, &products)
    }
}

/// Tiles of registers that fill them as `contractionTileRows` says: fewer vectors leave room for more rows. (Sums of 12 rows
/// by 2 vectors are left in memory by the compiler.)
@inline(__always)
private func multiply<F: ArithmeticFamily>(_: F.Type, _ products: inout WinogradProducts) {
    typealias A = F.Full
    var first = 0
    if F.widestTile >= 4 && products.vectors == 4 {
        first = multiplyRows(
            A.self, rows: InlineArray<6, Never>.self, vectors: InlineArray<4, Never>.self, 0, &products)
        multiplyRest(A.self, vectors: InlineArray<4, Never>.self, first, &products)
    } else if F.widestTile >= 4 && products.vectors == 3 {
        first = multiplyRows(
            A.self, rows: InlineArray<8, Never>.self, vectors: InlineArray<3, Never>.self, 0, &products)
        multiplyRest(A.self, vectors: InlineArray<3, Never>.self, first, &products)
    } else if F.widestTile >= 2 && products.vectors == 2 {
        if F.widestTile >= 4 {
            first = multiplyRows(
                A.self, rows: InlineArray<8, Never>.self, vectors: InlineArray<2, Never>.self, 0, &products)
        }
        first = multiplyRows(
            A.self, rows: InlineArray<6, Never>.self, vectors: InlineArray<2, Never>.self, first, &products)
        multiplyRest(A.self, vectors: InlineArray<2, Never>.self, first, &products)
    } else {
        first = multiplyRows(
            A.self, rows: InlineArray<12, Never>.self, vectors: InlineArray<1, Never>.self, 0, &products)
        multiplyRest(A.self, vectors: InlineArray<1, Never>.self, first, &products)
    }
}

@inline(__always)
private func multiplyRest<A: Arithmetic, let NRV: Int>(
    _: A.Type, vectors: InlineArray<NRV, Never>.Type, _ first: Int, _ products: inout WinogradProducts
) {
    var tile = multiplyRows(A.self, rows: InlineArray<4, Never>.self, vectors: vectors, first, &products)
    tile = multiplyRows(A.self, rows: InlineArray<2, Never>.self, vectors: vectors, tile, &products)
    _ = multiplyRows(A.self, rows: InlineArray<1, Never>.self, vectors: vectors, tile, &products)
}

/// Tiles from `first` on, MR at a time, as long as there are so many; returns the first one left.
@inline(never)
private func multiplyRows<A: Arithmetic, let MR: Int, let NRV: Int>(
    _: A.Type, rows _: InlineArray<MR, Never>.Type, vectors _: InlineArray<NRV, Never>.Type, _ first: Int,
    _ products: inout WinogradProducts
) -> Int {
    let (channels, tilePitch, sumsPitch) = (products.channels, products.tilePitch, products.sumsPitch)
    let (taps, tapPitch) = (products.taps, products.tapPitch)
    // Each round of rows asks for its share of what comes next.
    let step = NRV &* MR &* A.vectorBytes / max(products.tiles &* products.askingCalls, 1)
    var top = first
    while top &+ MR <= products.tiles {
        var sums = InlineArray<MR, InlineArray<NRV, A.Accumulator>>(
            repeating: InlineArray<NRV, A.Accumulator>(repeating: A.zero))
        var samples = products.samples + top &* tilePitch
        var next = products.nextFilter + top / MR &* channels &* taps &* step
        var lanes = products.filter
        var tap = 0
        while tap < taps {
            let row = InlineArray<MR, UnsafeRawPointer> { samples + $0 &* tilePitch }
            var c = 0
            while c < channels {
                let vectors = InlineArray<NRV, A.Vector> { A.load(lanes + $0 &* A.vectorBytes) }
                for r in 0..<MR {
                    let sample = A.weight(row[r] + c &* A.elementBytes)
                    for j in 0..<NRV { A.multiplyAdd(&sums[r][j], vectors[j], sample) }
                }
                sc_prefetch_outer(next.assumingMemoryBound(to: UInt8.self))
                sc_prefetch_outer((next + A.vectorBytes).assumingMemoryBound(to: UInt8.self))
                next += step
                lanes += NRV &* A.vectorBytes
                c &+= 1
            }
            samples += tapPitch
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
