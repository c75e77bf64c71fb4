import CMachine

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// What happens to single elements before and after they are combined, over contiguous runs of float32 or float64.

/// The power of a norm.
package enum PoolPower: Sendable {
    case one, two, three
    case other(Double)

    package init(_ p: Double) {
        self = p == 1 ? .one : p == 2 ? .two : p == 3 ? .three : .other(p)
    }
}

/// Divides by a number of elements, as torch and NumPy do: multiplying by its inverse would round twice.
package func divide(_ memory: UnsafeMutableRawPointer, count: Int, by divisor: Double, _ scalar: PoolScalar) {
    if case .float64 = scalar {
        sc_divide_f64(memory, Int64(count), divisor)
    } else {
        sc_divide_f32(memory, Int64(count), Float(divisor))
    }
}

package func magnitudes(_ memory: UnsafeMutableRawPointer, count: Int, negated: Bool, _ scalar: PoolScalar) {
    if case .float64 = scalar {
        if negated {
            replace(memory, Double.self, count) { -abs($0) }
        } else {
            replace(memory, Double.self, count, abs)
        }
    } else {
        if negated { replace(memory, Float.self, count) { -abs($0) } } else { replace(memory, Float.self, count, abs) }
    }
}

package func negate(_ memory: UnsafeMutableRawPointer, count: Int, _ scalar: PoolScalar) {
    if case .float64 = scalar {
        replace(memory, Double.self, count) { -$0 }
    } else {
        replace(memory, Float.self, count) { -$0 }
    }
}

/// x^p, or |x|^p unless `signed`.
package func raise(
    _ memory: UnsafeMutableRawPointer, count: Int, to power: PoolPower, signed: Bool, _ scalar: PoolScalar
) {
    if !signed { magnitudes(memory, count: count, negated: false, scalar) }
    if case .float64 = scalar {
        switch power {
        case .one: break
        case .two: replace(memory, Double.self, count) { $0 * $0 }
        case .three: replace(memory, Double.self, count) { $0 * $0 * $0 }
        case .other(let p): replace(memory, Double.self, count) { pow($0, p) }
        }
    } else {
        switch power {
        case .one: break
        case .two: replace(memory, Float.self, count) { $0 * $0 }
        case .three: replace(memory, Float.self, count) { $0 * $0 * $0 }
        case .other(let p):
            let p = Float(p)
            replace(memory, Float.self, count) { powf($0, p) }
        }
    }
}

/// The p-th root; NaN of negative sums, but where p is 1.
package func root(_ memory: UnsafeMutableRawPointer, count: Int, of power: PoolPower, _ scalar: PoolScalar) {
    if case .float64 = scalar {
        switch power {
        case .one: break
        case .two: replace(memory, Double.self, count) { $0.squareRoot() }
        case .three: replace(memory, Double.self, count) { pow($0, 1 / 3) }
        case .other(let p): replace(memory, Double.self, count) { pow($0, 1 / p) }
        }
    } else {
        switch power {
        case .one: break
        case .two: replace(memory, Float.self, count) { $0.squareRoot() }
        case .three: replace(memory, Float.self, count) { powf($0, 1 / 3) }
        case .other(let p):
            let inverse = Float(1 / p)
            replace(memory, Float.self, count) { powf($0, inverse) }
        }
    }
}

/// Any byte but 0 is true; the result of an OR is 0 or 1.
package func normaliseBooleans(_ memory: UnsafeMutableRawPointer, count: Int) {
    replace(memory, UInt8.self, count) { min($0, 1) }
}

@inline(__always)
private func replace<T: BitwiseCopyable>(
    _ memory: UnsafeMutableRawPointer, _: T.Type, _ count: Int, _ body: (T) -> T
) {
    for i in 0..<count {
        let offset = i &* MemoryLayout<T>.size
        memory.storeBytes(
            of: body(memory.loadUnaligned(fromByteOffset: offset, as: T.self)), toByteOffset: offset, as: T.self)
    }
}
