import Foundations

/// The largest magnitude among `count` integers, `stride` bytes apart.
package func largestMagnitude(
    _ source: UnsafeRawPointer, _ type: ElementType, swapUnit: Int, stride: Int, count: Int
) -> UInt64 {
    switch type {
    case .bool: 1
    case .int8: largest(Int8.self, source, swapUnit, stride, count)
    case .int16: largest(Int16.self, source, swapUnit, stride, count)
    case .int32: largest(Int32.self, source, swapUnit, stride, count)
    case .int64: largest(Int64.self, source, swapUnit, stride, count)
    case .uint8: largest(UInt8.self, source, swapUnit, stride, count)
    case .uint16: largest(UInt16.self, source, swapUnit, stride, count)
    case .uint32: largest(UInt32.self, source, swapUnit, stride, count)
    case .uint64: largest(UInt64.self, source, swapUnit, stride, count)
    case .float16, .bfloat16, .float32, .float64, .complex64, .complex128: .max
    }
}

@inline(__always)
private func largest<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ source: UnsafeRawPointer, _ swapUnit: Int, _ stride: Int, _ count: Int
) -> UInt64 {
    let size = MemoryLayout<T>.size
    var extremes = (low: T.zero, high: T.zero)
    if swapUnit > 1 {
        for i in 0..<count {
            widen(&extremes, to: source.loadUnaligned(fromByteOffset: i &* stride, as: T.self).byteSwapped)
        }
    } else if stride == size {
        for i in 0..<count { widen(&extremes, to: source.loadUnaligned(fromByteOffset: i &* size, as: T.self)) }
    } else {
        for i in 0..<count { widen(&extremes, to: source.loadUnaligned(fromByteOffset: i &* stride, as: T.self)) }
    }
    return max(UInt64(truncatingIfNeeded: extremes.high), UInt64(truncatingIfNeeded: extremes.low.magnitude))
}

@inline(__always)
private func widen<T: FixedWidthInteger>(_ extremes: inout (low: T, high: T), to x: T) {
    extremes.low = x < extremes.low ? x : extremes.low
    extremes.high = x > extremes.high ? x : extremes.high
}
