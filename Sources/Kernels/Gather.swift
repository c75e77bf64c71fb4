import CMachine
/// Moves strided elements to contiguous memory and back, by their size alone: 1, 2, 4, 8 or 16 bytes. Byte order is
/// reversed on the way if asked, `swapUnit` bytes at a time (half the element for complex numbers).

/// Strided source to contiguous destination.
package func gather(
    _ source: UnsafeRawPointer, strideBytes: Int, to destination: UnsafeMutableRawPointer, count: Int,
    elementBytes: Int, swapUnit: Int
) {
    if strideBytes == elementBytes {
        destination.copyMemory(from: source, byteCount: count &* elementBytes)
    } else if strideBytes == 2 &* elementBytes && elementBytes <= 8 {
        copyEverySecond(source, to: destination, count: count, elementBytes: elementBytes)
    } else {
        switch elementBytes {
        case 1: gather(UInt8.self, source, strideBytes, destination, count)
        case 2: gather(UInt16.self, source, strideBytes, destination, count)
        case 4: gather(UInt32.self, source, strideBytes, destination, count)
        case 8: gather(UInt64.self, source, strideBytes, destination, count)
        default: gather(SIMD2<UInt64>.self, source, strideBytes, destination, count)
        }
    }
    if swapUnit > 1 { swapBytes(destination, unit: swapUnit, byteCount: count &* elementBytes) }
}

/// Contiguous source to strided destination; reverses the source's byte order in place first, if asked.
package func scatter(
    _ source: UnsafeMutableRawPointer, to destination: UnsafeMutableRawPointer, strideBytes: Int, count: Int,
    elementBytes: Int, swapUnit: Int
) {
    if swapUnit > 1 { swapBytes(source, unit: swapUnit, byteCount: count &* elementBytes) }
    if strideBytes == elementBytes {
        destination.copyMemory(from: source, byteCount: count &* elementBytes)
    } else {
        switch elementBytes {
        case 1: scatter(UInt8.self, source, destination, strideBytes, count)
        case 2: scatter(UInt16.self, source, destination, strideBytes, count)
        case 4: scatter(UInt32.self, source, destination, strideBytes, count)
        case 8: scatter(UInt64.self, source, destination, strideBytes, count)
        default: scatter(SIMD2<UInt64>.self, source, destination, strideBytes, count)
        }
    }
}

/// Rows of elements at byte offsets from their row's base, contiguous in the destination.
package func gatherIndexedRows(
    _ base: UnsafeRawPointer, rowStride: Int, _ offsets: UnsafePointer<Int>, to destination: UnsafeMutableRawPointer,
    rowStride destinationStride: Int, rows: Int, count: Int, elementBytes: Int
) {
    func copy<T: BitwiseCopyable>(_: T.Type) {
        for r in 0..<rows {
            let base = base + r &* rowStride
            let destination = destination + r &* destinationStride
            for i in 0..<count {
                destination.storeBytes(
                    of: base.loadUnaligned(fromByteOffset: offsets[i], as: T.self),
                    toByteOffset: i &* MemoryLayout<T>.size, as: T.self)
            }
        }
    }
    switch elementBytes {
    case 1: copy(UInt8.self)
    case 2: copy(UInt16.self)
    case 4: copy(UInt32.self)
    case 8: copy(UInt64.self)
    default: copy(SIMD2<UInt64>.self)
    }
}

/// Rows of one element. (A gather of stride 0 would do, but small images in mode `same` take 14 % longer by it.)
package func fillRows(
    _ value: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, rowStride: Int, rows: Int, count: Int,
    elementBytes: Int
) {
    func fill<T: BitwiseCopyable>(_: T.Type) {
        let element = value.loadUnaligned(as: T.self)
        for r in 0..<rows {
            for i in 0..<count {
                destination.storeBytes(
                    of: element, toByteOffset: r &* rowStride &+ i &* MemoryLayout<T>.size, as: T.self)
            }
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

@inline(__always)
private func gather<T: BitwiseCopyable>(
    _: T.Type, _ source: UnsafeRawPointer, _ strideBytes: Int, _ destination: UnsafeMutableRawPointer, _ count: Int
) {
    let size = MemoryLayout<T>.size
    // Constant strides let the compiler load whole vectors and shuffle: every third or fourth element of an image, and
    // a reversed axis, are the views that people make (beside every second, which has its own function).
    switch strideBytes {
    case 3 &* size: copy(T.self, source, 3 &* size, destination, size, count)
    case 4 &* size: copy(T.self, source, 4 &* size, destination, size, count)
    case 0 &- size: copy(T.self, source, 0 &- size, destination, size, count)
    default: copy(T.self, source, strideBytes, destination, size, count)
    }
}

@inline(__always)
private func scatter<T: BitwiseCopyable>(
    _: T.Type, _ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer, _ strideBytes: Int, _ count: Int
) {
    copy(T.self, source, MemoryLayout<T>.size, destination, strideBytes, count)
}

@inline(__always)
private func copy<T: BitwiseCopyable>(
    _: T.Type, _ source: UnsafeRawPointer, _ sourceStride: Int, _ destination: UnsafeMutableRawPointer,
    _ destinationStride: Int, _ count: Int
) {
    for i in 0..<count {
        let element = (source + i &* sourceStride).loadUnaligned(as: T.self)
        (destination + i &* destinationStride).storeBytes(of: element, as: T.self)
    }
}

private func copyEverySecond(
    _ source: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, count: Int, elementBytes: Int
) {
    let from = source.assumingMemoryBound(to: UInt8.self)
    let to = destination.assumingMemoryBound(to: UInt8.self)
    switch elementBytes {
    case 1: sc_copy_every_second_u8(to, from, Int64(count))
    case 2: sc_copy_every_second_u16(to, from, Int64(count))
    case 4: sc_copy_every_second_u32(to, from, Int64(count))
    default: sc_copy_every_second_u64(to, from, Int64(count))
    }
}

private func swapBytes(_ memory: UnsafeMutableRawPointer, unit: Int, byteCount: Int) {
    func swap<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) {
        for offset in stride(from: 0, to: byteCount, by: MemoryLayout<T>.size) {
            memory.storeBytes(
                of: memory.loadUnaligned(fromByteOffset: offset, as: T.self).byteSwapped, toByteOffset: offset,
                as: T.self)
        }
    }
    switch unit {
    case 2: swap(UInt16.self)
    case 4: swap(UInt32.self)
    case 8: swap(UInt64.self)
    default: break
    }
}

/// Short rows from one place to another, each `byteCount` bytes.
package func copyRows(
    _ source: UnsafeRawPointer, strideBytes sourceStride: Int, to destination: UnsafeMutableRawPointer,
    strideBytes destinationStride: Int, rows: Int, byteCount: Int
) {
    sc_copy_rows(
        destination.assumingMemoryBound(to: UInt8.self), Int64(destinationStride),
        source.assumingMemoryBound(to: UInt8.self), Int64(sourceStride), Int64(rows), Int64(byteCount))
}

/// Tiles of short rows.
package func copyTiles(_ tiles: UnsafePointer<sc_copied_tiles>) { sc_copy_tiles(tiles) }

/// The same of rows at any byte offsets from `base`.
package func copyIndexedRows(
    _ base: UnsafeRawPointer, offsets: UnsafePointer<Int>, to destination: UnsafeMutableRawPointer,
    strideBytes: Int, rows: Int, byteCount: Int
) {
    sc_copy_indexed_rows(
        destination.assumingMemoryBound(to: UInt8.self), Int64(strideBytes), base.assumingMemoryBound(to: UInt8.self),
        offsets, Int64(rows), Int64(byteCount))
}

/// Rows of strided elements, contiguous in the destination: `gather` for each.
package func gatherRows(
    _ source: UnsafeRawPointer, rowStride: Int, strideBytes: Int, to destination: UnsafeMutableRawPointer,
    rowStride destinationStride: Int, rows: Int, count: Int, elementBytes: Int
) {
    if strideBytes == elementBytes && count &* elementBytes <= shortRow {
        copyRows(
            source, strideBytes: rowStride, to: destination, strideBytes: destinationStride, rows: rows,
            byteCount: count &* elementBytes)
        return
    }
    for r in 0..<rows {
        gather(
            source + r &* rowStride, strideBytes: strideBytes, to: destination + r &* destinationStride, count: count,
            elementBytes: elementBytes, swapUnit: 1)
    }
}

/// Bytes up to which a row is short.
private let shortRow = 2048
