import Foundations

/// `sum[i] += x[i]`, or `sum[i] += weight[i] * x[i]`, over strided elements of an arithmetic. Strides are in bytes; weights
/// are real numbers of the arithmetic's precision.
package func accumulate(
    _ arithmetic: ArithmeticKind, _ x: UnsafeRawPointer, stride: Int, weights: UnsafeRawPointer?, weightStride: Int,
    to sum: UnsafeMutableRawPointer, stride sumStride: Int, count: Int
) {
    guard let weights else {
        add(arithmetic, x, stride, sum, sumStride, count)
        return
    }
    switch arithmetic {
    case .float32:
        combine(Float.self, Float.self, x, stride, weights, weightStride, sum, sumStride, count) { $0 + $1 * $2 }
    case .float64:
        combine(Double.self, Double.self, x, stride, weights, weightStride, sum, sumStride, count) { $0 + $1 * $2 }
    case .complex64:
        combine(SIMD2<Float>.self, Float.self, x, stride, weights, weightStride, sum, sumStride, count) { $0 + $1 * $2 }
    case .complex128:
        combine(SIMD2<Double>.self, Double.self, x, stride, weights, weightStride, sum, sumStride, count) {
            $0 + $1 * $2
        }
    case .boolean, .word16, .word32, .word64: assertionFailure("weights are real numbers")
    }
}

/// `sum[i] = sum[i] / divisor[i]`, and 0 where the divisor is: strides are in bytes.
package func divide(
    _ arithmetic: ArithmeticKind, _ sum: UnsafeMutableRawPointer, by divisor: UnsafeRawPointer, stride: Int, count: Int
) {
    let size = arithmetic.byteCount
    func quotient<T: BinaryFloatingPoint>(_ x: T, _ y: T) -> T { y == 0 ? 0 : x / y }
    switch arithmetic {
    case .float32:
        combine(Float.self, Float.self, sum, size, divisor, stride, sum, size, count) { quotient($1, $2) }
    case .float64:
        combine(Double.self, Double.self, sum, size, divisor, stride, sum, size, count) { quotient($1, $2) }
    case .complex64:
        combine(SIMD2<Float>.self, Float.self, sum, size, divisor, stride, sum, size, count) {
            SIMD2(quotient($1.x, $2), quotient($1.y, $2))
        }
    case .complex128:
        combine(SIMD2<Double>.self, Double.self, sum, size, divisor, stride, sum, size, count) {
            SIMD2(quotient($1.x, $2), quotient($1.y, $2))
        }
    case .boolean, .word16, .word32, .word64: assertionFailure("means are real numbers")
    }
}

private func add(
    _ arithmetic: ArithmeticKind, _ x: UnsafeRawPointer, _ stride: Int, _ sum: UnsafeMutableRawPointer,
    _ sumStride: Int, _ count: Int
) {
    switch arithmetic {
    case .boolean: add(UInt8.self, x, stride, sum, sumStride, count) { $0 | ($1 == 0 ? 0 : 1) }
    case .word16: add(UInt16.self, x, stride, sum, sumStride, count) { $0 &+ $1 }
    case .word32: add(UInt32.self, x, stride, sum, sumStride, count) { $0 &+ $1 }
    case .word64: add(UInt64.self, x, stride, sum, sumStride, count) { $0 &+ $1 }
    case .float32: add(Float.self, x, stride, sum, sumStride, count) { $0 + $1 }
    case .float64: add(Double.self, x, stride, sum, sumStride, count) { $0 + $1 }
    case .complex64: add(SIMD2<Float>.self, x, stride, sum, sumStride, count) { $0 + $1 }
    case .complex128: add(SIMD2<Double>.self, x, stride, sum, sumStride, count) { $0 + $1 }
    }
}

/// Contiguous sums are whole vectors, whatever the source.
@inline(__always)
private func add<T: BitwiseCopyable>(
    _: T.Type, _ x: UnsafeRawPointer, _ stride: Int, _ sum: UnsafeMutableRawPointer, _ sumStride: Int, _ count: Int,
    _ body: (T, T) -> T
) {
    let size = MemoryLayout<T>.size
    if sumStride != size {
        addStrided(T.self, x, stride, sum, sumStride, count, body)
    } else if stride == size {
        addStrided(T.self, x, size, sum, size, count, body)
    } else {
        addStrided(T.self, x, stride, sum, size, count, body)
    }
}

@inline(__always)
private func addStrided<T: BitwiseCopyable>(
    _: T.Type, _ x: UnsafeRawPointer, _ stride: Int, _ sum: UnsafeMutableRawPointer, _ sumStride: Int, _ count: Int,
    _ body: (T, T) -> T
) {
    for i in 0..<count {
        let old = (sum + i &* sumStride).loadUnaligned(as: T.self)
        let new = body(old, (x + i &* stride).loadUnaligned(as: T.self))
        (sum + i &* sumStride).storeBytes(of: new, as: T.self)
    }
}

@inline(__always)
private func combine<T: BitwiseCopyable, W: BitwiseCopyable>(
    _: T.Type, _: W.Type, _ x: UnsafeRawPointer, _ stride: Int, _ w: UnsafeRawPointer, _ weightStride: Int,
    _ sum: UnsafeMutableRawPointer, _ sumStride: Int, _ count: Int, _ body: (T, T, W) -> T
) {
    for i in 0..<count {
        let old = (sum + i &* sumStride).loadUnaligned(as: T.self)
        let new = body(
            old, (x + i &* stride).loadUnaligned(as: T.self), (w + i &* weightStride).loadUnaligned(as: W.self))
        (sum + i &* sumStride).storeBytes(of: new, as: T.self)
    }
}
