import Foundations

/// Factors a packed filter [tap][row] into a row factor (taps) times a column factor (rows), if it has rank one.
///
/// Floating point: the largest element is the pivot, and every element must equal its product of factors to 4 units in
/// the last place, so that two passes stay as accurate as direct summation. Integers: exactly, in the ring modulo 2^n of
/// the result, wrapped products included. bool: exactly, as AND.
func factorFilter(
    _ filter: UnsafeRawPointer, taps: Int, rows: Int, for result: ElementType, row: UnsafeMutableRawPointer,
    column: UnsafeMutableRawPointer
) -> Bool {
    func integers<T: FixedWidthInteger & UnsignedInteger>(_: T.Type) -> Bool {
        let unused = T.bitWidth &- 8 &* result.byteCount
        return factorIntegers(
            PackedMatrix<T>(filter, taps: taps, rows: rows), mask: T.max >> T(unused),
            row.assumingMemoryBound(to: T.self),
            column.assumingMemoryBound(to: T.self))
    }
    func numbers<T: Factorable>(_: T.Type) -> Bool {
        factorNumbers(
            PackedMatrix<T>(filter, taps: taps, rows: rows), row.assumingMemoryBound(to: T.self),
            column.assumingMemoryBound(to: T.self))
    }
    switch result.arithmetic {
    case .boolean:
        return factorBooleans(
            PackedMatrix<UInt8>(filter, taps: taps, rows: rows), row.assumingMemoryBound(to: UInt8.self),
            column.assumingMemoryBound(to: UInt8.self))
    case .word16: return integers(UInt16.self)
    case .word32: return integers(UInt32.self)
    case .word64: return integers(UInt64.self)
    case .float32: return numbers(Float.self)
    case .float64: return numbers(Double.self)
    case .complex64: return numbers(ComplexElement<Float>.self)
    case .complex128: return numbers(ComplexElement<Double>.self)
    }
}

private struct PackedMatrix<T> {
    let elements: UnsafePointer<T>
    let taps: Int
    let rows: Int

    init(_ memory: UnsafeRawPointer, taps: Int, rows: Int) {
        elements = memory.assumingMemoryBound(to: T.self)
        self.taps = taps
        self.rows = rows
    }

    subscript(tap: Int, row: Int) -> T { elements[tap &* rows &+ row] }

    /// The element for which `score` is largest.
    func pivot<S: Comparable>(_ score: (T) -> S) -> (tap: Int, row: Int) {
        var best = (tap: 0, row: 0)
        for t in 0..<taps {
            for k in 0..<rows where score(self[t, k]) > score(self[best.tap, best.row]) { best = (t, k) }
        }
        return best
    }

    func allSatisfy(_ condition: (_ element: T, _ tap: Int, _ row: Int) -> Bool) -> Bool {
        for t in 0..<taps {
            for k in 0..<rows where !condition(self[t, k], t, k) { return false }
        }
        return true
    }
}

/// With 2^e the highest power of two that divides the pivot (the lowest in the matrix) and o its odd rest: column[k] is
/// the pivot's tap, row[t] = element(t) / 2^e * o^-1. What the shift drops returns in column, all of whose elements
/// 2^e divides.
private func factorIntegers<T: FixedWidthInteger & UnsignedInteger>(
    _ filter: PackedMatrix<T>, mask: T, _ row: UnsafeMutablePointer<T>, _ column: UnsafeMutablePointer<T>
) -> Bool {
    let pivot = filter.pivot { -($0 & mask).trailingZeroBitCount }
    let value = filter[pivot.tap, pivot.row] & mask
    let shift = value == 0 ? 0 : value.trailingZeroBitCount
    let inverse = value == 0 ? 0 : inverseModuloPowerOfTwo(value >> T(shift))
    for k in 0..<filter.rows { column[k] = filter[pivot.tap, k] }
    for t in 0..<filter.taps { row[t] = (filter[t, pivot.row] >> T(shift)) &* inverse }
    return filter.allSatisfy { ($0 ^ (row[$1] &* column[$2])) & mask == 0 }
}

/// Newton's iteration, which doubles the number of correct low bits from 3 on: o * o = 1 modulo 8 for every odd o.
private func inverseModuloPowerOfTwo<T: FixedWidthInteger>(_ odd: T) -> T {
    var inverse = odd
    for _ in 0..<5 { inverse = inverse &* (2 &- odd &* inverse) }
    return inverse
}

private func factorBooleans(
    _ filter: PackedMatrix<UInt8>, _ row: UnsafeMutablePointer<UInt8>, _ column: UnsafeMutablePointer<UInt8>
) -> Bool {
    for t in 0..<filter.taps {
        row[t] = 0
        for k in 0..<filter.rows { row[t] |= filter[t, k] }
    }
    for k in 0..<filter.rows {
        column[k] = 0
        for t in 0..<filter.taps { column[k] |= filter[t, k] }
    }
    return filter.allSatisfy { $0 == row[$1] & column[$2] }
}

private func factorNumbers<T: Factorable>(
    _ filter: PackedMatrix<T>, _ row: UnsafeMutablePointer<T>, _ column: UnsafeMutablePointer<T>
) -> Bool {
    let pivot = filter.pivot(\.magnitudeSquared)
    let value = filter[pivot.tap, pivot.row]
    if !value.isUsablePivot { return false }
    for k in 0..<filter.rows { column[k] = filter[pivot.tap, k].divided(by: value) }
    for t in 0..<filter.taps { row[t] = filter[t, pivot.row] }
    return filter.allSatisfy { row[$1].multiplied(by: column[$2]).isWithinFourUlp(of: $0) }
}

/// Real and complex elements of a filter.
private protocol Factorable {
    associatedtype Magnitude: Comparable
    var magnitudeSquared: Magnitude { get }
    /// Finite, not zero, and far enough from the ends of the range for quotients and products.
    var isUsablePivot: Bool { get }
    func divided(by other: Self) -> Self
    func multiplied(by other: Self) -> Self
    func isWithinFourUlp(of other: Self) -> Bool
}

extension Float: Factorable {
    var magnitudeSquared: Float { self * self }
    var isUsablePivot: Bool { magnitudeSquared.isNormal }
    func divided(by other: Float) -> Float { self / other }
    func multiplied(by other: Float) -> Float { self * other }
    func isWithinFourUlp(of other: Float) -> Bool { abs(self - other) <= 4 * Float.ulpOfOne * abs(other) }
}

extension Double: Factorable {
    var magnitudeSquared: Double { self * self }
    var isUsablePivot: Bool { magnitudeSquared.isNormal }
    func divided(by other: Double) -> Double { self / other }
    func multiplied(by other: Double) -> Double { self * other }
    func isWithinFourUlp(of other: Double) -> Bool { abs(self - other) <= 4 * Double.ulpOfOne * abs(other) }
}

private struct ComplexElement<T: BinaryFloatingPoint>: Factorable {
    var real: T
    var imaginary: T

    var magnitudeSquared: T { real * real + imaginary * imaginary }
    var isUsablePivot: Bool { magnitudeSquared.isNormal }

    func multiplied(by other: Self) -> Self {
        Self(
            real: real * other.real - imaginary * other.imaginary,
            imaginary: real * other.imaginary + imaginary * other.real)
    }

    func divided(by other: Self) -> Self {
        let product = multiplied(by: Self(real: other.real, imaginary: -other.imaginary))
        return Self(
            real: product.real / other.magnitudeSquared, imaginary: product.imaginary / other.magnitudeSquared)
    }

    func isWithinFourUlp(of other: Self) -> Bool {
        let difference = Self(real: real - other.real, imaginary: imaginary - other.imaginary)
        return difference.magnitudeSquared <= 16 * T.ulpOfOne * T.ulpOfOne * other.magnitudeSquared
    }
}
