import CMachine

/// Moves elements of 1, 2, 4, 8 or 16 bytes between two layouts that both may be strided. All strides are in bytes.

/// `rows` rows of `count` elements; reverses each element's bytes on the way if asked.
package func copyStrided(
    _ source: UnsafeRawPointer, rowStride sourceRow: Int, stride sourceStride: Int,
    to destination: UnsafeMutableRawPointer, rowStride destinationRow: Int, stride destinationStride: Int,
    rows: Int, count: Int, elementBytes: Int, swapping: Bool
) {
    switch (elementBytes, swapping) {
    case (1, _):
        copyStrided(
            UInt8.self, source, sourceRow, sourceStride, destination, destinationRow, destinationStride, rows, count)
    case (2, false):
        copyStrided(
            UInt16.self, source, sourceRow, sourceStride, destination, destinationRow, destinationStride, rows, count)
    case (4, false):
        copyStrided(
            UInt32.self, source, sourceRow, sourceStride, destination, destinationRow, destinationStride, rows, count)
    case (8, false):
        copyStrided(
            UInt64.self, source, sourceRow, sourceStride, destination, destinationRow, destinationStride, rows, count)
    case (2, true):
        copySwapped(
            UInt16.self, source, sourceRow, sourceStride, destination, destinationRow, destinationStride, rows, count)
    case (4, true):
        copySwapped(
            UInt32.self, source, sourceRow, sourceStride, destination, destinationRow, destinationStride, rows, count)
    case (8, true):
        copySwapped(
            UInt64.self, source, sourceRow, sourceStride, destination, destinationRow, destinationStride, rows, count)
    default:
        copyStrided(
            SIMD2<UInt64>.self, source, sourceRow, sourceStride, destination, destinationRow, destinationStride, rows,
            count)
    }
}

/// Tiles of elements of 1, 2, 4 or 8 bytes in two places: rows lie side by side in the destination, columns in the source.
/// Strides are in bytes.
package struct TransposedTiles {
    package var rows: Int
    package var columns: Int
    package var sourceRow: Int
    package var destinationColumn: Int
    package var tiles: Int
    package var sourceTile: Int
    package var destinationTile: Int
    package var elementBytes: Int

    package init(
        rows: Int, columns: Int, sourceRow: Int, destinationColumn: Int, tiles: Int, sourceTile: Int,
        destinationTile: Int, elementBytes: Int
    ) {
        self.rows = rows
        self.columns = columns
        self.sourceRow = sourceRow
        self.destinationColumn = destinationColumn
        self.tiles = tiles
        self.sourceTile = sourceTile
        self.destinationTile = destinationTile
        self.elementBytes = elementBytes
    }
}

/// `destination[c][r] = source[r][c]` for every tile, many in one call as some have few elements. With `offsets`, row r
/// lies that many bytes from the tile's beginning instead of r rows.
package func transpose(
    _ source: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, offsets: UnsafePointer<Int64>?,
    _ tile: UnsafePointer<TransposedTiles>
) {
    let from = source.assumingMemoryBound(to: UInt8.self)
    let to = destination.assumingMemoryBound(to: UInt8.self)
    switch tile.pointee.elementBytes {
    case 1: transpose(from, to, offsets, tile, sc_transpose_u8, sc_transpose_rows_u8)
    case 2: transpose(from, to, offsets, tile, sc_transpose_u16, sc_transpose_rows_u16)
    case 4: transpose(from, to, offsets, tile, sc_transpose_u32, sc_transpose_rows_u32)
    default:
        assert(tile.pointee.elementBytes == 8)
        transpose(from, to, offsets, tile, sc_transpose_u64, sc_transpose_rows_u64)
    }
}

private typealias Bytes = UnsafePointer<UInt8>
private typealias MutableBytes = UnsafeMutablePointer<UInt8>

@inline(__always)
private func transpose(
    _ source: Bytes, _ destination: MutableBytes, _ offsets: UnsafePointer<Int64>?,
    _ tile: UnsafePointer<TransposedTiles>,
    _ even: (MutableBytes, Int64, Bytes, Int64, Int64, Int64) -> Void,
    _ uneven: (MutableBytes, Int64, Bytes, UnsafePointer<Int64>, Int64, Int64) -> Void
) {
    let tile = tile.pointee
    let (columnStride, rowStride) = (Int64(tile.destinationColumn), Int64(tile.sourceRow))
    let (rows, columns) = (Int64(tile.rows), Int64(tile.columns))
    for t in 0..<tile.tiles {
        let (to, from) = (destination + t &* tile.destinationTile, source + t &* tile.sourceTile)
        if let offsets {
            uneven(to, columnStride, from, offsets, rows, columns)
        } else {
            even(to, columnStride, from, rowStride, rows, columns)
        }
    }
}

@inline(__always)
private func copyStrided<T: BitwiseCopyable>(
    _: T.Type, _ source: UnsafeRawPointer, _ sourceRow: Int, _ sourceStride: Int,
    _ destination: UnsafeMutableRawPointer, _ destinationRow: Int, _ destinationStride: Int, _ rows: Int, _ count: Int
) {
    for r in 0..<rows {
        let (from, to) = (source + r &* sourceRow, destination + r &* destinationRow)
        for i in 0..<count {
            let element = (from + i &* sourceStride).loadUnaligned(as: T.self)
            (to + i &* destinationStride).storeBytes(of: element, as: T.self)
        }
    }
}

@inline(__always)
private func copySwapped<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ source: UnsafeRawPointer, _ sourceRow: Int, _ sourceStride: Int,
    _ destination: UnsafeMutableRawPointer, _ destinationRow: Int, _ destinationStride: Int, _ rows: Int, _ count: Int
) {
    for r in 0..<rows {
        let (from, to) = (source + r &* sourceRow, destination + r &* destinationRow)
        for i in 0..<count {
            let element = (from + i &* sourceStride).loadUnaligned(as: T.self)
            (to + i &* destinationStride).storeBytes(of: element.byteSwapped, as: T.self)
        }
    }
}

/// `count` elements of one value.
package func fillElements(
    _ value: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, stride: Int, count: Int, elementBytes: Int
) {
    func fill<T: BitwiseCopyable>(_: T.Type) {
        let element = value.loadUnaligned(as: T.self)
        if stride == MemoryLayout<T>.size {
            for i in 0..<count {
                destination.storeBytes(of: element, toByteOffset: i &* MemoryLayout<T>.size, as: T.self)
            }
        } else {
            for i in 0..<count { destination.storeBytes(of: element, toByteOffset: i &* stride, as: T.self) }
        }
    }
    switch elementBytes {
    case 1: fill(UInt8.self)
    case 2: fill(UInt16.self)
    case 4: fill(UInt32.self)
    case 8: fill(UInt64.self)
    default: fill(SIMD2<UInt64>.self)
    }
}

/// Copies rows that begin at `offsets` from one place, each cut into groups of `contractionTileRows` elements of 2, 4 or 8
/// bytes: those of one row lie `pitch` apart, those of the next row behind them.
package func copyGroups(
    _ source: UnsafeRawPointer, offsets: UnsafePointer<Int>, rows: Int, to target: UnsafeMutableRawPointer, groups: Int,
    pitch: Int, elementBytes: Int
) {
    sc_copy_groups(
        target.assumingMemoryBound(to: UInt8.self), Int64(pitch), source.assumingMemoryBound(to: UInt8.self), offsets,
        Int64(rows), Int64(groups), Int64(elementBytes))
}
