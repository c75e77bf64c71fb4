import Foundations
import Kernels

/// How a pool's elements are read, combined and written: all that depends on dtypes.
struct PoolForm {
    let reader: ElementReader
    let writer: ElementWriter
    /// What kernels combine; a complex element is two of them.
    let scalar: PoolScalar
    let parts: Int
    let kernels: PoolKernels
    /// The scalar that changes nothing.
    let identity: UInt64
    let isBoolean: Bool

    var elementBytes: Int { parts &* scalar.byteCount }

    init(_ problem: PoolProblem) {
        let (input, output) = (problem.inputType, problem.outputType)
        isBoolean = output == .bool
        let isMaximum = problem.pooling == .max || (problem.pooling == .lp && problem.power.isInfinite)
        let takesLarger = isMaximum || isBoolean
        // Elements that are combined as they lie in memory go through reader and writer by their size alone.
        let isRaw = !output.isFloating && (problem.pooling == .max || isBoolean || PoolForm.wraps(input, output))
        let carrier = isRaw ? ElementType.ofBytes(output.byteCount) : output
        reader = ElementReader(
            type: isRaw ? carrier : input, swapUnit: problem.inputSwapUnit, carrier.arithmetic)
        writer = ElementWriter(result: carrier, output: carrier, swapUnit: problem.outputSwapUnit)
        scalar = isRaw ? PoolScalar(output) : PoolScalar(carrier.arithmetic)
        parts = output.isComplex ? 2 : 1
        kernels = takesLarger ? .larger(scalar) : .added(scalar)
        identity = takesLarger ? scalar.lowest : 0
    }

    /// Whether input integers have the low bits that the sum needs in as many bytes; of a bool any byte but 0 counts one.
    private static func wraps(_ input: ElementType, _ output: ElementType) -> Bool {
        input != .bool && !input.isFloating && input.byteCount == output.byteCount
    }
}

extension PoolScalar {
    fileprivate init(_ type: ElementType) {
        switch type {
        case .bool, .uint8: self = .uint8
        case .int8: self = .int8
        case .int16: self = .int16
        case .uint16: self = .uint16
        case .int32: self = .int32
        case .uint32: self = .uint32
        case .int64: self = .int64
        case .uint64: self = .uint64
        case .float16, .bfloat16, .float32, .complex64: self = .float32
        case .float64, .complex128: self = .float64
        }
    }

    fileprivate init(_ arithmetic: ArithmeticKind) {
        switch arithmetic {
        case .boolean: self = .uint8
        case .word16: self = .uint16
        case .word32: self = .uint32
        case .word64: self = .uint64
        case .float32, .complex64: self = .float32
        case .float64, .complex128: self = .float64
        }
    }
}
