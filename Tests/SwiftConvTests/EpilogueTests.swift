import Foundations
import Kernels
import Testing

/// A bias added to rows of sums and bounds put on them, wherever they lie.
struct EpilogueTests {
    /// Memory for so many elements, off any alignment.
    private func misaligned(_ bytes: [UInt8]) -> GuardedMemory {
        let memory = GuardedMemory(byteCount: bytes.count, shift: 1)
        memory.bytes.copyBytes(from: bytes)
        return memory
    }

    private func bytes(_ type: ElementType, _ numbers: [Double]) -> [UInt8] {
        var bytes: [UInt8] = []
        for x in numbers { type.append(x, to: &bytes) }
        return bytes
    }

    @Test(arguments: [
        ElementType.int16, .int32, .int64, .float32, .float64, .complex64, .complex128, .bool,
    ])
    func addsToRows(type: ElementType) {
        for count in [0, 1, 3, 16, 67] {
            let numbers = (0..<count).map { Double(type == .bool ? $0 % 2 : $0) }
            for added in type == .bool ? [0, 1] : [0, 5] as [Double] {
                let memory = misaligned(bytes(type, numbers))
                var value = SIMD2<UInt64>.zero
                withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: bytes(type, [added])) }
                addToRows(type.arithmetic, value, memory.base, rowStride: 0, rows: 1, count: count)
                let expected = numbers.map { type == .bool ? max($0, added) : $0 + added }
                #expect(Array(memory.bytes) == bytes(type, expected), "\(type), \(count)")
            }
        }
    }

    /// Of a bool every byte but 0 is true.
    @Test func addsAnyTrueByte() {
        let memory = misaligned([0, 1, 0])
        addToRows(.boolean, SIMD2(128, 0), memory.base, rowStride: 0, rows: 1, count: 3)
        #expect(Array(memory.bytes) == [1, 1, 1])
    }

    /// Results as their arithmetic holds them: bytes in 16 bits, 16-bit floats in 32.
    private func held(_ type: ElementType) -> ElementType {
        switch type {
        case .int8, .uint8, .uint16: .int16
        case .float16, .bfloat16: .float32
        default: type
        }
    }

    @Test(arguments: [
        ElementType.int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float16, .bfloat16, .float32,
        .float64,
    ])
    func clamps(type: ElementType) {
        let isSigned = type.isFloating || type.rawValue <= ElementType.int64.rawValue
        let numbers = (isSigned ? [-100, -3, -2] : []) + [0, 1, 2, 3, 4, 100] as [Double]
        for (lowest, highest) in [
            (0, Double.infinity), (-2.5, 2.5), (1, 3), (-Double.infinity, 2), (-Double.infinity, .infinity),
            (0.25, 0.75),
            (5, 1), (-1e30, 1e30),
        ] {
            let memory = misaligned(bytes(held(type), numbers))
            applyClamp(lowest, highest, type, memory.base, count: numbers.count)
            let (low, high) = bounds(type, lowest, highest)
            let expected = bytes(held(type), numbers.map { min(max($0, low), high) })
            #expect(Array(memory.bytes) == expected, "\(type) in \(lowest)...\(highest)")
        }
    }

    /// Of an integer, the whole numbers within, which 8 bits hold.
    private func bounds(_ type: ElementType, _ lowest: Double, _ highest: Double) -> (Double, Double) {
        if type.isFloating { return (lowest, highest) }
        let least: Double = type.rawValue <= ElementType.int64.rawValue ? -128 : 0
        return (min(max(lowest.rounded(.up), least), 127), min(max(highest.rounded(.down), least), 127))
    }

    @Test func nanStaysNaN() {
        let memory = misaligned(bytes(.float32, [.nan, 1, -.infinity, .infinity]))
        applyClamp(0, 6, .float32, memory.base, count: 4)
        #expect(memory.base.loadUnaligned(as: Float.self).isNaN)
        #expect(Array(memory.bytes.dropFirst(4)) == bytes(.float32, [1, 0, 6]))
    }

    /// An integer's bounds are its own where the clamp's lie beyond.
    @Test func boundsOfIntegers() {
        func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }
        let extremes = bytes([Int64.min, -1, 0, Int64.max])
        let memory = misaligned(extremes)
        applyClamp(-1e300, 1e300, .int64, memory.base, count: 4)
        #expect(Array(memory.bytes) == extremes)
        applyClamp(-.infinity, -1e300, .int64, memory.base, count: 4)
        #expect(Array(memory.bytes) == bytes([Int64](repeating: .min, count: 4)))
        // The low bits of a 16-bit sum, as uint8 reads them.
        let wide = misaligned(bytes([0x1FF, 0x105] as [UInt16]))
        applyClamp(0, 6, .uint8, wide.base, count: 2)
        #expect(Array(wide.bytes) == bytes([6, 5] as [UInt16]))
    }
}
