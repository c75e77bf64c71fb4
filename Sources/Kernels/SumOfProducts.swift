import Foundations

/// One output's sum, a product at a time, in any arithmetic: what the reference and rare border outputs are made of.
/// The same operations as a kernel's lane, so that the same order of products gives the same bits.
package struct SumOfProducts {
    private let arithmetic: ArithmeticKind
    private var complexFloat = ComplexArithmetic<SIMD2<Float>>.zero
    private var complexDouble = ComplexArithmetic<SIMD2<Double>>.zero
    private var float: Float = 0
    private var double: Double = 0
    private var integer: UInt64 = 0

    package init(_ arithmetic: ArithmeticKind) { self.arithmetic = arithmetic }

    /// Adds `x` (as the arithmetic holds it, in the first bytes) times the weight.
    package mutating func add(_ x: SIMD2<UInt64>, _ weight: UnsafeRawPointer) {
        withUnsafeBytes(of: x) { add($0.baseAddress.unsafelyUnwrapped, weight) }
    }

    package mutating func add(_ x: SIMD2<UInt64>, _ w: SIMD2<UInt64>) {
        withUnsafeBytes(of: w) { add(x, $0.baseAddress.unsafelyUnwrapped) }
    }

    private mutating func add(_ x: UnsafeRawPointer, _ w: UnsafeRawPointer) {
        switch arithmetic {
        case .boolean: integer |= x.load(as: UInt8.self) != 0 && w.load(as: UInt8.self) != 0 ? 1 : 0
        case .word16: integer &+= integerProduct(UInt16.self, x, w)
        case .word32: integer &+= integerProduct(UInt32.self, x, w)
        case .word64: integer &+= integerProduct(UInt64.self, x, w)
        case .float32: product(RealScalarArithmetic<Float>.self, &float, x, w)
        case .float64: product(RealScalarArithmetic<Double>.self, &double, x, w)
        case .complex64: product(ComplexArithmetic<SIMD2<Float>>.self, &complexFloat, x, w)
        case .complex128: product(ComplexArithmetic<SIMD2<Double>>.self, &complexDouble, x, w)
        }
    }

    /// The sum as the arithmetic holds it, in the first bytes.
    package var result: SIMD2<UInt64> {
        var result = SIMD2<UInt64>.zero
        withUnsafeMutableBytes(of: &result) { bytes in
            let target = bytes.baseAddress.unsafelyUnwrapped
            switch arithmetic {
            case .boolean: target.storeBytes(of: integer == 0 ? 0 : 1, as: UInt8.self)
            case .word16: target.storeBytes(of: UInt16(truncatingIfNeeded: integer), as: UInt16.self)
            case .word32: target.storeBytes(of: UInt32(truncatingIfNeeded: integer), as: UInt32.self)
            case .word64: target.storeBytes(of: integer, as: UInt64.self)
            case .float32: target.storeBytes(of: float, as: Float.self)
            case .float64: target.storeBytes(of: double, as: Double.self)
            case .complex64: ComplexArithmetic<SIMD2<Float>>.store(complexFloat, target)
            case .complex128: ComplexArithmetic<SIMD2<Double>>.store(complexDouble, target)
            }
        }
        return result
    }

    private func product<A: Arithmetic>(
        _: A.Type, _ sum: inout A.Accumulator, _ x: UnsafeRawPointer, _ w: UnsafeRawPointer
    ) {
        A.multiplyAdd(&sum, A.load(x), A.weight(w))
    }

    private func integerProduct<T: FixedWidthInteger & BitwiseCopyable>(
        _: T.Type, _ x: UnsafeRawPointer, _ w: UnsafeRawPointer
    ) -> UInt64 {
        UInt64(truncatingIfNeeded: x.loadUnaligned(as: T.self) &* w.loadUnaligned(as: T.self))
    }
}
