import CMachine
import Foundations

/// Converts contiguous elements of a dtype to what an arithmetic computes with. `type` must be castable to it: the
/// validated problem guarantees that no float arrives at an integer and no complex number at a real one.
package func convert(
    _ source: UnsafeRawPointer, _ type: ElementType, to arithmetic: ArithmeticKind,
    _ destination: UnsafeMutableRawPointer, count: Int
) {
    switch arithmetic {
    case .boolean: map(source, UInt8.self, destination, count) { $0 == 0 ? 0 as UInt8 : 1 }
    case .word16: toInteger(UInt16.self, source, type, destination, count)
    case .word32: toInteger(UInt32.self, source, type, destination, count)
    case .word64: toInteger(UInt64.self, source, type, destination, count)
    case .float32: toReal(Float.self, source, type, destination, count)
    case .float64: toReal(Double.self, source, type, destination, count)
    case .complex64: toComplex(Float.self, source, type, destination, count)
    case .complex128: toComplex(Double.self, source, type, destination, count)
    }
}

/// Converts contiguous results of an arithmetic to one of the dtypes that it serves (`type.arithmetic == arithmetic`), or of
/// a wider one to integers: those keep their low bits, 16-bit floats round once. Reals that become integers are integers of
/// less than 2^51, float32 of less than 2^22.
package func convert(
    _ source: UnsafeRawPointer, from arithmetic: ArithmeticKind, to type: ElementType,
    _ destination: UnsafeMutableRawPointer, count: Int
) {
    switch (arithmetic, type) {
    case (.word16, .int8), (.word16, .uint8): narrow(UInt16.self, UInt8.self, source, destination, count)
    case (.word32, .int8), (.word32, .uint8): narrow(UInt32.self, UInt8.self, source, destination, count)
    case (.word32, .int16), (.word32, .uint16): narrow(UInt32.self, UInt16.self, source, destination, count)
    case (.float32, .int32), (.float32, .uint32), (.float32, .int64), (.float32, .uint64):
        if type.byteCount == 4 {
            map(source, Float.self, destination, count) { integer($0) }
        } else {
            map(source, Float.self, destination, count) { Int64(integer($0)) }
        }
    case (.float64, .int32), (.float64, .uint32):
        map(source, Double.self, destination, count) { Int32(truncatingIfNeeded: integer($0)) }
    case (.float64, .int64), (.float64, .uint64): map(source, Double.self, destination, count) { integer($0) }
    case (.float32, .float16): map(source, Float.self, destination, count) { sc_half_from_float($0) }
    case (.float32, .bfloat16): map(source, Float.self, destination, count) { sc_bfloat_from_float($0) }
    default:
        assert(type.arithmetic == arithmetic)
        destination.copyMemory(from: source, byteCount: count &* type.byteCount)
    }
}

@inline(__always)
private func narrow<S: FixedWidthInteger & BitwiseCopyable, D: FixedWidthInteger & BitwiseCopyable>(
    _: S.Type, _: D.Type, _ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer, _ count: Int
) {
    map(source, S.self, destination, count) { D(truncatingIfNeeded: $0) }
}

/// An integer of less than 2^51, and of less than 2^22: added to a number whose last bit counts ones, it is what the bits
/// differ by. Nothing traps, and every ISA has vectors for it.
@inline(__always)
private func integer(_ x: Double) -> Int64 {
    Int64(bitPattern: (x + 0x1.8p52).bitPattern &- Double(0x1.8p52).bitPattern)
}

@inline(__always)
private func integer(_ x: Float) -> Int32 {
    Int32(bitPattern: (x + 0x1.8p23).bitPattern &- Float(0x1.8p23).bitPattern)
}

/// A complex number as it lies in memory.
private struct Pair<T: BinaryFloatingPoint & BitwiseCopyable>: BitwiseCopyable {
    var real: T
    var imaginary: T
}

@inline(__always)
private func map<S: BitwiseCopyable, D: BitwiseCopyable>(
    _ source: UnsafeRawPointer, _: S.Type, _ destination: UnsafeMutableRawPointer, _ count: Int, _ body: (S) -> D
) {
    for i in 0..<count {
        let element = source.loadUnaligned(fromByteOffset: i &* MemoryLayout<S>.stride, as: S.self)
        destination.storeBytes(of: body(element), toByteOffset: i &* MemoryLayout<D>.stride, as: D.self)
    }
}

@inline(__always)
private func toInteger<D: FixedWidthInteger & BitwiseCopyable>(
    _: D.Type, _ source: UnsafeRawPointer, _ type: ElementType, _ destination: UnsafeMutableRawPointer, _ count: Int
) {
    switch type {
    case .bool: map(source, UInt8.self, destination, count) { $0 == 0 ? 0 as D : 1 }
    case .int8: map(source, Int8.self, destination, count) { D(truncatingIfNeeded: $0) }
    case .int16: map(source, Int16.self, destination, count) { D(truncatingIfNeeded: $0) }
    case .int32: map(source, Int32.self, destination, count) { D(truncatingIfNeeded: $0) }
    case .int64: map(source, Int64.self, destination, count) { D(truncatingIfNeeded: $0) }
    case .uint8: map(source, UInt8.self, destination, count) { D(truncatingIfNeeded: $0) }
    case .uint16: map(source, UInt16.self, destination, count) { D(truncatingIfNeeded: $0) }
    case .uint32: map(source, UInt32.self, destination, count) { D(truncatingIfNeeded: $0) }
    case .uint64: map(source, UInt64.self, destination, count) { D(truncatingIfNeeded: $0) }
    case .float16, .bfloat16, .float32, .float64, .complex64, .complex128:
        assertionFailure("validation lets no \(type) into integer arithmetic")
    }
}

@inline(__always)
private func toReal<D: BinaryFloatingPoint & BitwiseCopyable>(
    _: D.Type, _ source: UnsafeRawPointer, _ type: ElementType, _ destination: UnsafeMutableRawPointer, _ count: Int
) {
    mapReal(D.self, source, type, destination, count) { $0 }
}

@inline(__always)
private func toComplex<D: BinaryFloatingPoint & BitwiseCopyable>(
    _: D.Type, _ source: UnsafeRawPointer, _ type: ElementType, _ destination: UnsafeMutableRawPointer, _ count: Int
) {
    switch type {
    case .complex64:
        map(source, Pair<Float>.self, destination, count) { Pair(real: D($0.real), imaginary: D($0.imaginary)) }
    case .complex128:
        map(source, Pair<Double>.self, destination, count) { Pair(real: D($0.real), imaginary: D($0.imaginary)) }
    default: mapReal(D.self, source, type, destination, count) { Pair(real: $0, imaginary: 0) }
    }
}

@inline(__always)
private func mapReal<D: BinaryFloatingPoint & BitwiseCopyable, R: BitwiseCopyable>(
    _: D.Type, _ source: UnsafeRawPointer, _ type: ElementType, _ destination: UnsafeMutableRawPointer, _ count: Int,
    _ wrap: (D) -> R
) {
    switch type {
    case .bool: map(source, UInt8.self, destination, count) { wrap($0 == 0 ? 0 : 1) }
    case .int8: map(source, Int8.self, destination, count) { wrap(D($0)) }
    case .int16: map(source, Int16.self, destination, count) { wrap(D($0)) }
    case .int32: map(source, Int32.self, destination, count) { wrap(D($0)) }
    case .int64: map(source, Int64.self, destination, count) { wrap(D($0)) }
    case .uint8: map(source, UInt8.self, destination, count) { wrap(D($0)) }
    case .uint16: map(source, UInt16.self, destination, count) { wrap(D($0)) }
    case .uint32: map(source, UInt32.self, destination, count) { wrap(D($0)) }
    case .uint64: map(source, UInt64.self, destination, count) { wrap(D($0)) }
    case .float16: map(source, UInt16.self, destination, count) { wrap(D(sc_float_from_half($0))) }
    case .bfloat16: map(source, UInt16.self, destination, count) { wrap(D(sc_float_from_bfloat($0))) }
    case .float32: map(source, Float.self, destination, count) { wrap(D($0)) }
    case .float64: map(source, Double.self, destination, count) { wrap(D($0)) }
    case .complex64, .complex128: assertionFailure("validation lets no \(type) into real arithmetic")
    }
}
