import CMachine
import Foundations

/// What random elements a test wants.
enum Values {
    /// Integers of any bits; small dyadic fractions, whose sums are exact in any order.
    case exact
    /// The same integers; fractions whose sums round.
    case rounding
    /// Small integers too, for sums in floating point.
    case small
    /// Fractions of the normal distribution, by which errors are measured.
    case normal
}

extension TestArray {
    var count: Int { shape.reduce(1, *) }

    /// Byte offsets of all elements from `data`, last axis fastest.
    var offsets: [Int] {
        var offsets = shape.contains(0) ? [] : [0]
        for (extent, stride) in zip(shape, strides) {
            var longer: [Int] = []
            longer.reserveCapacity(offsets.count * extent)
            for offset in offsets { for i in 0..<extent { longer.append(offset + i * stride) } }
            offsets = longer
        }
        return offsets
    }

    /// All elements in native byte order, one after another.
    var contents: [UInt8] {
        get {
            let size = type.byteCount
            var bytes: [UInt8] = []
            bytes.reserveCapacity(count * size)
            for offset in offsets {
                for i in 0..<size { bytes.append((data + offset).load(fromByteOffset: swapped(i), as: UInt8.self)) }
            }
            return bytes
        }
        set {
            let size = type.byteCount
            for (n, offset) in offsets.enumerated() {
                for i in 0..<size {
                    (data + offset).storeBytes(of: newValue[n * size + i], toByteOffset: swapped(i), as: UInt8.self)
                }
            }
        }
    }

    /// Where byte `i` of a native element lies.
    private func swapped(_ i: Int) -> Int {
        let unit = byteswapped ? type.swapUnit : 1
        return i / unit * unit + unit - 1 - i % unit
    }

    func filled(_ generator: inout SeededGenerator) -> TestArray { filled(.exact, &generator) }

    func filled(_ values: Values, _ generator: inout SeededGenerator) -> TestArray {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * type.byteCount)
        for _ in 0..<count { type.appendRandom(values, to: &bytes, &generator) }
        contents = bytes
        return self
    }

    /// Sets all elements, which have one part each, from numbers.
    func set(_ numbers: [Double]) {
        var bytes: [UInt8] = []
        for x in numbers { type.append(x, to: &bytes) }
        contents = bytes
    }

    /// Elements as numbers; of complex ones both parts, of integers those that a Double holds.
    var numbers: [Double] {
        let part = type.isComplex ? type.swapUnit : type.byteCount
        return contents.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: part).map { type.number(bytes.baseAddress! + $0) }
        }
    }

    /// Whether all bytes that belong to no element are as they were when the array was made.
    var canariesAreAlive: Bool {
        var belongs = [Bool](repeating: false, count: memory.byteCount)
        let start = data - memory.base
        for offset in offsets { for i in 0..<type.byteCount { belongs[start + offset + i] = true } }
        return memory.bytes.indices.allSatisfy { belongs[$0] || memory.bytes[$0] == GuardedMemory.canary }
    }
}

extension ElementType {
    func append(_ x: Double, to bytes: inout [UInt8]) {
        func append<T>(_ value: T) { withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) } }
        switch self {
        case .bool: append(x == 0 ? 0 as UInt8 : 1)
        case .int8: append(Int8(x))
        case .int16: append(Int16(x))
        case .int32: append(Int32(x))
        case .int64: append(Int64(x))
        case .uint8: append(UInt8(x))
        case .uint16: append(UInt16(x))
        case .uint32: append(UInt32(x))
        case .uint64: append(UInt64(x))
        case .float16: append(sc_half_from_float(Float(x)))
        case .bfloat16: append(sc_bfloat_from_float(Float(x)))
        case .float32, .complex64: append(Float(x))
        case .float64, .complex128: append(x)
        }
        if self == .complex64 { append(0 as Float) }
        if self == .complex128 { append(0.0) }
    }

    fileprivate func appendRandom(_ values: Values, to bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        if !isFloating {
            // Of a bool every byte but 0 is true.
            var bits = self == .bool ? generator.pick([0, 0, 0, 1, 1, 2, 128]) : generator.next()
            if (values == .small || values == .normal) && self != .bool { bits %= 4 }
            withUnsafeBytes(of: bits.littleEndian) { bytes.append(contentsOf: $0.prefix(byteCount)) }
            return
        }
        let part: ElementType = self == .complex64 ? .float32 : self == .complex128 ? .float64 : self
        for _ in 0..<(isComplex ? 2 : 1) {
            let x =
                switch values {
                case .rounding: Double.random(in: -1..<1, using: &generator)
                case .normal: generator.normal()
                case .exact, .small: Double(Int.random(in: -8...8, using: &generator)) / 4
                }
            part.append(x, to: &bytes)
        }
    }

    /// An element, or a complex element's part.
    fileprivate func number(_ p: UnsafeRawPointer) -> Double {
        switch self {
        case .bool: p.load(as: UInt8.self) == 0 ? 0 : 1
        case .uint8: Double(p.load(as: UInt8.self))
        case .int8: Double(p.load(as: Int8.self))
        case .int16: Double(p.loadUnaligned(as: Int16.self))
        case .int32: Double(p.loadUnaligned(as: Int32.self))
        case .int64: Double(p.loadUnaligned(as: Int64.self))
        case .uint16: Double(p.loadUnaligned(as: UInt16.self))
        case .uint32: Double(p.loadUnaligned(as: UInt32.self))
        case .uint64: Double(p.loadUnaligned(as: UInt64.self))
        case .float16: Double(sc_float_from_half(p.loadUnaligned(as: UInt16.self)))
        case .bfloat16: Double(sc_float_from_bfloat(p.loadUnaligned(as: UInt16.self)))
        case .float32, .complex64: Double(p.loadUnaligned(as: Float.self))
        case .float64, .complex128: p.loadUnaligned(as: Double.self)
        }
    }
}
