import Foundations

/// Adds one value, as the arithmetic holds it in the first bytes, to rows of contiguous sums, which may lie anywhere.
package func addToRows(
    _ arithmetic: ArithmeticKind, _ value: SIMD2<UInt64>, _ sums: UnsafeMutableRawPointer, rowStride: Int, rows: Int,
    count: Int
) {
    switch arithmetic {
    case .boolean: update(UInt8.self, value, sums, rowStride, rows, count) { min($0 | $1, 1) }
    case .word16: update(UInt16.self, value, sums, rowStride, rows, count) { $0 &+ $1 }
    case .word32: update(UInt32.self, value, sums, rowStride, rows, count) { $0 &+ $1 }
    case .word64: update(UInt64.self, value, sums, rowStride, rows, count) { $0 &+ $1 }
    case .float32: update(Float.self, value, sums, rowStride, rows, count) { $0 + $1 }
    case .float64: update(Double.self, value, sums, rowStride, rows, count) { $0 + $1 }
    case .complex64: update(SIMD2<Float>.self, value, sums, rowStride, rows, count) { $0 + $1 }
    case .complex128: update(SIMD2<Double>.self, value, sums, rowStride, rows, count) { $0 + $1 }
    }
}

@inline(__always)
private func update<T: BitwiseCopyable>(
    _: T.Type, _ value: SIMD2<UInt64>, _ sums: UnsafeMutableRawPointer, _ rowStride: Int, _ rows: Int, _ count: Int,
    _ add: (T, T) -> T
) {
    let added = withUnsafeBytes(of: value) { $0.load(as: T.self) }
    for r in 0..<rows {
        let row = sums + r &* rowStride
        for i in 0..<count {
            let sum = row + i &* MemoryLayout<T>.size
            sum.storeBytes(of: add(sum.loadUnaligned(as: T.self), added), as: T.self)
        }
    }
}
