import CMachine
import Foundations
import Kernels
import Testing

/// Elements of every dtype to every arithmetic that may take them, and back, at addresses that are not aligned.
struct ConversionTests {
    static let counts = [0, 1, 3, 33]

    private static func kind(_ type: ElementType) -> Int {
        type == .bool ? 0 : type.isComplex ? 3 : type.isFloating ? 2 : 1
    }

    /// Result dtypes, one for each arithmetic.
    static let results: [ElementType] = [
        .bool, .int16, .int32, .int64, .float32, .float64, .complex64, .complex128,
    ]

    private func random(_ type: ElementType, _ count: Int, _ generator: inout SeededGenerator) -> GuardedMemory {
        let memory = GuardedMemory(byteCount: count * type.byteCount, shift: 1)
        // Every third one is an extreme: all bits set, or the sign bit alone.
        for i in 0..<count {
            var bits = (generator.next(), generator.next())
            if i % 6 == 2 { bits = (.max, .max) }
            if i % 6 == 5 { bits = (1 << UInt64(8 * min(type.byteCount, 8) - 1), 0) }
            withUnsafeBytes(of: bits) {
                (memory.base + i * type.byteCount).copyMemory(from: $0.baseAddress!, byteCount: type.byteCount)
            }
        }
        return memory
    }

    /// The element as a 64-bit integer, sign extended.
    private func integer(_ p: UnsafeRawPointer, _ type: ElementType) -> UInt64 {
        switch type {
        case .bool: p.load(as: UInt8.self) == 0 ? 0 : 1
        case .int8: UInt64(bitPattern: Int64(p.load(as: Int8.self)))
        case .int16: UInt64(bitPattern: Int64(p.loadUnaligned(as: Int16.self)))
        case .int32: UInt64(bitPattern: Int64(p.loadUnaligned(as: Int32.self)))
        case .uint8: UInt64(p.load(as: UInt8.self))
        case .uint16: UInt64(p.loadUnaligned(as: UInt16.self))
        case .uint32: UInt64(p.loadUnaligned(as: UInt32.self))
        default: p.loadUnaligned(as: UInt64.self)
        }
    }

    private func parts<T: BinaryFloatingPoint>(_ p: UnsafeRawPointer, _ type: ElementType, _: T.Type) -> (T, T) {
        switch type {
        case .float16: (T(sc_float_from_half(p.loadUnaligned(as: UInt16.self))), 0)
        case .bfloat16: (T(sc_float_from_bfloat(p.loadUnaligned(as: UInt16.self))), 0)
        case .float32: (T(p.loadUnaligned(as: Float.self)), 0)
        case .float64: (T(p.loadUnaligned(as: Double.self)), 0)
        case .complex64: (T(p.loadUnaligned(as: Float.self)), T((p + 4).loadUnaligned(as: Float.self)))
        case .complex128: (T(p.loadUnaligned(as: Double.self)), T((p + 8).loadUnaligned(as: Double.self)))
        case .uint64: (T(p.loadUnaligned(as: UInt64.self)), 0)
        default: (T(Int64(bitPattern: integer(p, type))), 0)
        }
    }

    /// What the arithmetic should hold for an element, as two machine words; NaN has no bits of its own.
    private func expected(_ p: UnsafeRawPointer, _ type: ElementType, _ arithmetic: ArithmeticKind) -> [UInt64] {
        func bits(_ x: Float) -> UInt64 { x.isNaN ? 0x7FC0_0000 : UInt64(x.bitPattern) }
        func bits(_ x: Double) -> UInt64 { x.isNaN ? 0x7FF8 << 48 : x.bitPattern }
        switch arithmetic {
        case .boolean, .word16, .word32, .word64:
            let width = UInt64(8 * arithmetic.byteCount)
            return [integer(p, type) & (width == 64 ? .max : 1 << width - 1)]
        case .float32: return [bits(parts(p, type, Float.self).0)]
        case .float64: return [bits(parts(p, type, Double.self).0)]
        case .complex64:
            let (re, im) = parts(p, type, Float.self)
            return [bits(re), bits(im)]
        case .complex128:
            let (re, im) = parts(p, type, Double.self)
            return [bits(re), bits(im)]
        }
    }

    /// The same for what was converted.
    private func found(_ p: UnsafeRawPointer, _ arithmetic: ArithmeticKind) -> [UInt64] {
        switch arithmetic {
        case .boolean: [UInt64(p.load(as: UInt8.self))]
        case .word16: [UInt64(p.loadUnaligned(as: UInt16.self))]
        case .word32: [UInt64(p.loadUnaligned(as: UInt32.self))]
        case .word64: [p.loadUnaligned(as: UInt64.self)]
        case .float32: expected(p, .float32, .float32)
        case .float64: expected(p, .float64, .float64)
        case .complex64: expected(p, .complex64, .complex64)
        case .complex128: expected(p, .complex128, .complex128)
        }
    }

    @Test(arguments: results)
    func convertsInputs(result: ElementType) {
        var generator = SeededGenerator(3)
        let arithmetic = result.arithmetic
        for type in ElementType.allCases where Self.kind(type) <= Self.kind(result) {
            for count in Self.counts {
                let source = random(type, count, &generator)
                let target = GuardedMemory(byteCount: count * arithmetic.byteCount, shift: 1)
                convert(source.base, type, to: arithmetic, target.base, count: count)
                let wrong = (0..<count).first {
                    expected(source.base + $0 * type.byteCount, type, arithmetic)
                        != found(target.base + $0 * arithmetic.byteCount, arithmetic)
                }
                #expect(wrong == nil, "\(type) to \(arithmetic)")
            }
        }
    }

    @Test(arguments: ElementType.allCases)
    func convertsResults(type: ElementType) {
        var generator = SeededGenerator(4)
        let arithmetic = type.arithmetic
        for count in Self.counts {
            let held: ElementType =
                switch arithmetic {
                case .boolean: .bool
                case .word16: .uint16
                case .word32: .uint32
                case .word64: .uint64
                case .float32: .float32
                default: type
                }
            let source = random(held, count, &generator)
            let target = GuardedMemory(byteCount: count * type.byteCount, shift: 1)
            convert(source.base, from: arithmetic, to: type, target.base, count: count)
            for i in 0..<count {
                let x = source.base + i * arithmetic.byteCount
                let y = target.base + i * type.byteCount
                switch type {
                case .int8, .uint8: #expect(y.load(as: UInt8.self) == x.load(as: UInt8.self))
                case .float16:
                    #expect(y.loadUnaligned(as: UInt16.self) == sc_half_from_float(x.loadUnaligned(as: Float.self)))
                case .bfloat16:
                    #expect(y.loadUnaligned(as: UInt16.self) == sc_bfloat_from_float(x.loadUnaligned(as: Float.self)))
                default:
                    let same = (0..<type.byteCount).allSatisfy {
                        (x + $0).load(as: UInt8.self) == (y + $0).load(as: UInt8.self)
                    }
                    #expect(same, "\(type)")
                }
            }
        }
    }
}
