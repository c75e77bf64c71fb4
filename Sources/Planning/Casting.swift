import CSwiftConv
import Foundations

/// Casting is from bool to integer to float to complex, never back (NumPy's same_kind).
func requireCast(_ type: ElementType, to result: ElementType, argument: Int) throws(Failure) {
    if kind(type) > kind(result) { throw Failure(SC_DTYPE, argument: argument, value: Int(type.rawValue)) }
}

/// An output of a lower kind than the result would lose what the result holds.
func requireOutput(_ type: ElementType, holds result: ElementType) throws(Failure) {
    if kind(type) < kind(result) { throw Failure(SC_DTYPE, argument: SC_ARG_OUT, value: Int(type.rawValue)) }
}

private func kind(_ type: ElementType) -> Int {
    type == .bool ? 0 : type.isComplex ? 3 : type.isFloating ? 2 : 1
}
