import CMachine

/// What sums over patches are added up in: integers modulo the size of their dtype, a complex number as two floats.
package enum SumScalar: Sendable {
    case bool, word8, word16, word32, word64, float32, float64

    package var byteCount: Int {
        switch self {
        case .bool, .word8: 1
        case .word16: 2
        case .word32, .float32: 4
        case .word64, .float64: 8
        }
    }
}

/// What is added to sums.
package enum Addend: Sendable {
    case elements
    /// Elements times a weight each.
    case weighted
    /// Elements times one weight for each row.
    case scaled
    /// The row's weight itself.
    case weight
}

/// Adds rows to sums; weights belong to floats.
package func addRows(_ rows: UnsafePointer<sc_added_rows>, _ addend: Addend, _ scalar: SumScalar) {
    switch (addend, scalar) {
    case (.elements, .bool): sc_add_rows_bool(rows)
    case (.elements, .word8): sc_add_rows_u8(rows)
    case (.elements, .word16): sc_add_rows_u16(rows)
    case (.elements, .word32): sc_add_rows_u32(rows)
    case (.elements, .word64): sc_add_rows_u64(rows)
    case (.elements, .float32): sc_add_rows_f32(rows)
    case (.elements, .float64): sc_add_rows_f64(rows)
    case (.weighted, .float32): sc_add_weighted_f32(rows)
    case (.weighted, .float64): sc_add_weighted_f64(rows)
    case (.scaled, .float32): sc_add_scaled_f32(rows)
    case (.scaled, .float64): sc_add_scaled_f64(rows)
    case (.weight, .float32): sc_add_weights_f32(rows)
    case (.weight, .float64): sc_add_weights_f64(rows)
    default: assertionFailure("weights are floats")
    }
}

/// `sum[i] = sum[i] / divisor[i]`, and 0 where the divisor is.
package func divide(
    _ sums: UnsafeMutableRawPointer, by divisors: UnsafeRawPointer, count: Int, _ scalar: SumScalar
) {
    let (sums, divisors) = (
        sums.assumingMemoryBound(to: UInt8.self), divisors.assumingMemoryBound(to: UInt8.self)
    )
    if case .float64 = scalar {
        sc_divide_each_f64(sums, divisors, Int64(count))
    } else {
        sc_divide_each_f32(sums, divisors, Int64(count))
    }
}

/// `inverses[i] = 1 / divisors[i]`, for `average`.
package func invert(
    _ divisors: UnsafeRawPointer, to inverses: UnsafeMutableRawPointer, count: Int, _ scalar: SumScalar
) {
    let (divisors, inverses) = (
        divisors.assumingMemoryBound(to: UInt8.self), inverses.assumingMemoryBound(to: UInt8.self)
    )
    if case .float64 = scalar {
        sc_invert_f64(inverses, divisors, Int64(count))
    } else {
        sc_invert_f32(inverses, divisors, Int64(count))
    }
}

/// `divide` by numbers of elements whose inverses are known.
package func average(
    _ sums: UnsafeMutableRawPointer, by divisors: UnsafeRawPointer, inverses: UnsafeRawPointer, count: Int,
    _ scalar: SumScalar
) {
    let sums = sums.assumingMemoryBound(to: UInt8.self)
    let divisors = divisors.assumingMemoryBound(to: UInt8.self)
    let inverses = inverses.assumingMemoryBound(to: UInt8.self)
    if case .float64 = scalar {
        sc_mean_f64(sums, divisors, inverses, Int64(count))
    } else {
        sc_mean_f32(sums, divisors, inverses, Int64(count))
    }
}
