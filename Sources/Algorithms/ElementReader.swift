import Foundations
import Kernels

extension ElementType {
    /// A type that is computed with in place, by its size.
    static func ofBytes(_ count: Int) -> ElementType {
        switch count {
        case 1: .bool
        case 2: .uint16
        case 4: .uint32
        default: .uint64
        }
    }
}

/// Reads runs of elements of one dtype into an arithmetic's own form, contiguous.
struct ElementReader {
    let type: ElementType
    let swapUnit: Int
    let arithmetic: ArithmeticKind
    /// Whether memory already holds what the arithmetic computes with.
    let isPlain: Bool

    init(type: ElementType, swapUnit: Int, _ arithmetic: ArithmeticKind) {
        self.type = type
        self.swapUnit = swapUnit
        self.arithmetic = arithmetic
        isPlain = type.isComputedInPlace && type.arithmetic == arithmetic && swapUnit == 1
    }

    /// `stage` holds `count` elements of the dtype, unless the run is plain, when it is not touched.
    @inline(__always)
    func read(
        _ source: UnsafeRawPointer, stride: Int, count: Int, to destination: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        let size = type.byteCount
        if isPlain {
            gather(source, strideBytes: stride, to: destination, count: count, elementBytes: size, swapUnit: 1)
        } else if stride == size && swapUnit == 1 {
            convert(source, type, to: arithmetic, destination, count: count)
        } else {
            gather(source, strideBytes: stride, to: stage, count: count, elementBytes: size, swapUnit: swapUnit)
            convert(stage, type, to: arithmetic, destination, count: count)
        }
    }
}

/// Writes contiguous results of an arithmetic into an output of any dtype, stride and byte order.
struct ElementWriter {
    let result: ElementType
    let output: ElementType
    let swapUnit: Int
    /// What results are held as until then: the result's own arithmetic, or a wider one.
    let sums: ArithmeticKind
    private let route: Route

    private enum Route {
        /// A kernel may write the output itself.
        case plain
        /// Results as the arithmetic holds them, moved.
        case asComputed
        /// Results in the result's dtype.
        case rounded
        /// And from that to another dtype of the output.
        case cast
    }

    init(result: ElementType, output: ElementType, swapUnit: Int, sums: ArithmeticKind? = nil) {
        self.result = result
        self.output = output
        self.swapUnit = swapUnit
        self.sums = sums ?? result.arithmetic
        if result.isComputedInPlace && output.isComputedInPlace && result.arithmetic == output.arithmetic
            && self.sums == result.arithmetic
        {
            route = swapUnit == 1 ? .plain : .asComputed
        } else {
            route = result == output ? .rounded : .cast
        }
    }

    var isPlain: Bool { if case .plain = route { true } else { false } }

    /// Rounds to the result dtype first and casts after, as NumPy does when `out` has another dtype. The stages hold
    /// `count` elements of 16 bytes each; the source may be overwritten.
    func write(
        _ source: UnsafeMutableRawPointer, count: Int, to destination: UnsafeMutableRawPointer, stride: Int,
        stages first: UnsafeMutableRawPointer, _ second: UnsafeMutableRawPointer
    ) {
        var values = source
        switch route {
        case .plain, .asComputed: break
        case .rounded:
            if stride == output.byteCount && swapUnit == 1 {
                convert(source, from: sums, to: result, destination, count: count)
                return
            }
            convert(source, from: sums, to: result, first, count: count)
            values = first
        case .cast:
            convert(source, from: sums, to: result, first, count: count)
            if output.arithmetic == .float32 && result == .float64 {
                // float64 to a 16-bit float: by way of float32, rounded to odd there so that it is rounded once.
                roundToOdd(UnsafeRawPointer(first), second, count: count)
            } else {
                convert(first, result, to: output.arithmetic, second, count: count)
            }
            convert(second, from: output.arithmetic, to: output, first, count: count)
            values = first
        }
        scatter(
            values, to: destination, strideBytes: stride, count: count, elementBytes: output.byteCount,
            swapUnit: swapUnit)
    }

    private func roundToOdd(_ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer, count: Int) {
        for i in 0..<count {
            let wide = source.loadUnaligned(fromByteOffset: 8 &* i, as: Double.self)
            var narrow = Float(wide)
            if output != .float32 && Double(narrow) != wide && narrow.isFinite {
                // Truncate, then set the last bit: a sticky bit for what was cut off (Boldo and Melquiond, 2008).
                let towardsZero = abs(Double(narrow)) > abs(wide) ? narrow.bitPattern &- 1 : narrow.bitPattern
                narrow = Float(bitPattern: towardsZero | 1)
            }
            destination.storeBytes(of: narrow, toByteOffset: 4 &* i, as: Float.self)
        }
    }
}

// MARK: - One element

extension ArithmeticKind {
    /// One, as the arithmetic holds it, in the first bytes.
    var one: SIMD2<UInt64> {
        var value = SIMD2<UInt64>.zero
        var bool: UInt8 = 1
        withUnsafeMutableBytes(of: &value) { value in
            convert(&bool, .bool, to: self, value.baseAddress.unsafelyUnwrapped, count: 1)
        }
        return value
    }
}

extension ElementReader {
    /// An element as the arithmetic holds it, in the first bytes.
    func element(at source: UnsafeRawPointer) -> SIMD2<UInt64> {
        var stage = SIMD2<UInt64>.zero
        var value = SIMD2<UInt64>.zero
        withUnsafeMutableBytes(of: &stage) { stage in
            withUnsafeMutableBytes(of: &value) { value in
                read(
                    source, stride: type.byteCount, count: 1, to: value.baseAddress.unsafelyUnwrapped,
                    stage: stage.baseAddress.unsafelyUnwrapped)
            }
        }
        return value
    }
}

extension ElementWriter {
    /// Writes an element that the arithmetic holds in the first bytes.
    func write(element: SIMD2<UInt64>, to destination: UnsafeMutableRawPointer) {
        var element = element
        var stages = SIMD4<UInt64>.zero
        withUnsafeMutableBytes(of: &element) { element in
            withUnsafeMutableBytes(of: &stages) { stages in
                let first = stages.baseAddress.unsafelyUnwrapped
                write(
                    element.baseAddress.unsafelyUnwrapped, count: 1, to: destination, stride: output.byteCount,
                    stages: first, first + 16)
            }
        }
    }
}

// MARK: - Runs of any length

/// Elements that are converted at a time.
let stageElements = 512

/// Reads a run of any length by way of a stage for `stageElements` of 16 bytes.
func readRun(
    _ reader: ElementReader, _ source: UnsafeRawPointer, stride: Int, count: Int, to target: UnsafeMutableRawPointer,
    stage: UnsafeMutableRawPointer
) {
    if reader.isPlain {
        reader.read(source, stride: stride, count: count, to: target, stage: stage)
        return
    }
    var first = 0
    while first < count {
        let part = min(stageElements, count &- first)
        reader.read(
            source + first &* stride, stride: stride, count: part,
            to: target + first &* reader.arithmetic.byteCount, stage: stage)
        first &+= part
    }
}

/// Writes a run of any length by way of two stages, one after the other, for `stageElements` of 16 bytes each.
func writeRun(
    _ writer: ElementWriter, _ source: UnsafeMutableRawPointer, count: Int, to target: UnsafeMutableRawPointer,
    stride: Int, stages: UnsafeMutableRawPointer
) {
    var first = 0
    while first < count {
        writer.write(
            source + first &* writer.sums.byteCount, count: min(stageElements, count &- first),
            to: target + first &* stride, stride: stride, stages: stages, stages + 16 &* stageElements)
        first &+= stageElements
    }
}
