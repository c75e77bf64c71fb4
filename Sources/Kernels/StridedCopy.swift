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

/// `destination[c][r] = source[r][c]`: neighbours along c in the source, along r in the destination. Not for elements
/// of 16 bytes, which fill a vector each.
package func transpose(
    _ source: UnsafeRawPointer, rowStride: Int, to destination: UnsafeMutableRawPointer, columnStride: Int,
    rows: Int, columns: Int, elementBytes: Int
) {
    let from = source.assumingMemoryBound(to: UInt8.self)
    let to = destination.assumingMemoryBound(to: UInt8.self)
    let (toStride, fromStride, rows, columns) = (Int64(columnStride), Int64(rowStride), Int64(rows), Int64(columns))
    switch elementBytes {
    case 1: sc_transpose_u8(to, toStride, from, fromStride, rows, columns)
    case 2: sc_transpose_u16(to, toStride, from, fromStride, rows, columns)
    case 4: sc_transpose_u32(to, toStride, from, fromStride, rows, columns)
    default:
        assert(elementBytes == 8)
        sc_transpose_u64(to, toStride, from, fromStride, rows, columns)
    }
}

/// The same of rows at any offsets from `source`.
package func transpose(
    _ source: UnsafeRawPointer, rowOffsets: UnsafePointer<Int64>, to destination: UnsafeMutableRawPointer,
    columnStride: Int, rows: Int, columns: Int, elementBytes: Int
) {
    let from = source.assumingMemoryBound(to: UInt8.self)
    let to = destination.assumingMemoryBound(to: UInt8.self)
    let (toStride, rows, columns) = (Int64(columnStride), Int64(rows), Int64(columns))
    switch elementBytes {
    case 1: sc_transpose_rows_u8(to, toStride, from, rowOffsets, rows, columns)
    case 2: sc_transpose_rows_u16(to, toStride, from, rowOffsets, rows, columns)
    case 4: sc_transpose_rows_u32(to, toStride, from, rowOffsets, rows, columns)
    default:
        assert(elementBytes == 8)
        sc_transpose_rows_u64(to, toStride, from, rowOffsets, rows, columns)
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
