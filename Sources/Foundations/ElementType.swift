/// The dtypes of swiftconv.h, by the same numbers.
@frozen
package enum ElementType: Int32, CaseIterable, Sendable {
    case bool = 0
    case int8 = 1
    case int16 = 2
    case int32 = 3
    case int64 = 4
    case uint8 = 5
    case uint16 = 6
    case uint32 = 7
    case uint64 = 8
    case float16 = 9
    case bfloat16 = 10
    case float32 = 11
    case float64 = 12
    case complex64 = 13
    case complex128 = 14

    /// By value: the witness that other modules would call is looked up by the language's runtime, whose locks do not
    /// survive a fork.
    @inlinable
    package static func == (a: Self, b: Self) -> Bool {
        unsafeBitCast(a, to: UInt8.self) == unsafeBitCast(b, to: UInt8.self)
    }

    @inlinable
    package static func != (a: Self, b: Self) -> Bool { !(a == b) }

    @inlinable
    package var byteCount: Int {
        switch self {
        case .bool, .int8, .uint8: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64, .complex64: 8
        case .complex128: 16
        }
    }

    /// Bytes that a change of byte order reverses: a complex number's parts are swapped each on its own.
    @inlinable
    package var swapUnit: Int {
        switch self {
        case .complex64: 4
        case .complex128: 8
        default: byteCount
        }
    }

    package var isFloating: Bool { rawValue >= ElementType.float16.rawValue }
    @inlinable
    package var isComplex: Bool {
        switch self {
        case .complex64, .complex128: true
        default: false
        }
    }

    /// What products and sums of this dtype are computed in.
    @inlinable
    package var arithmetic: ArithmeticKind {
        switch self {
        case .bool: .boolean
        case .int8, .uint8, .int16, .uint16: .word16
        case .int32, .uint32: .word32
        case .int64, .uint64: .word64
        case .float16, .bfloat16, .float32: .float32
        case .float64: .float64
        case .complex64: .complex64
        case .complex128: .complex128
        }
    }

    /// Whether values in memory are what the arithmetic computes with, so that kernels may read and write them in place.
    @inlinable
    package var isComputedInPlace: Bool {
        switch self {
        case .int8, .uint8, .float16, .bfloat16: false
        default: true
        }
    }
}

/// The arithmetic a kernel runs in. Integers are computed modulo 2^n, where signedness and any wider n make no
/// difference to the low bits; 8-bit ones in 16-bit lanes, because no ISA multiplies bytes.
@frozen
package enum ArithmeticKind: Sendable {
    case boolean, word16, word32, word64, float32, float64, complex64, complex128

    /// By value: the witness that other modules would call is looked up by the language's runtime, whose locks do not
    /// survive a fork.
    @inlinable
    package static func == (a: Self, b: Self) -> Bool {
        unsafeBitCast(a, to: UInt8.self) == unsafeBitCast(b, to: UInt8.self)
    }

    @inlinable
    package static func != (a: Self, b: Self) -> Bool { !(a == b) }

    @inlinable
    package var isComplex: Bool {
        switch self {
        case .complex64, .complex128: true
        default: false
        }
    }

    @inlinable
    package var byteCount: Int {
        switch self {
        case .boolean: 1
        case .word16: 2
        case .word32, .float32: 4
        case .word64, .float64, .complex64: 8
        case .complex128: 16
        }
    }
}
