/// Shape arithmetic that reports overflow instead of trapping. Used while validating; what has passed validation is
/// known to fit, and is computed with the wrapping operators.
package enum Checked {
    package static func add(_ a: Int, _ b: Int, or failure: @autoclosure () -> Failure) throws(Failure) -> Int {
        let (sum, overflow) = a.addingReportingOverflow(b)
        if overflow { throw failure() }
        return sum
    }

    package static func multiply(_ a: Int, _ b: Int, or failure: @autoclosure () -> Failure) throws(Failure) -> Int {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        if overflow { throw failure() }
        return product
    }
}

/// Quotient rounded towards minus infinity; `divisor` is positive.
@inlinable
package func floorDivide(_ a: Int, _ divisor: Int) -> Int {
    let q = a / divisor
    return a % divisor < 0 ? q &- 1 : q
}

/// Quotient rounded up; `a` is not negative, `divisor` positive.
@inlinable
package func ceilingDivide(_ a: Int, _ divisor: Int) -> Int { a / divisor &+ (a % divisor == 0 ? 0 : 1) }

package func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
}

/// Product of two sizes, or Int.max where that does not fit: for sizes that are only compared or allocated.
@inlinable
package func saturatingMultiply(_ a: Int, _ b: Int) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? Int.max : product
}

/// Sum of two sizes, or Int.max where that does not fit.
@inlinable
package func saturatingAdd(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? Int.max : sum
}
