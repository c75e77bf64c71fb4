import Foundations
import Kernels

/// Writes the filter as the kernels read it, [plane][tap][row] in the arithmetic's own elements: converted, conjugated
/// for a correlation, bool as 0 or 0xFF. Planes run over the outer window axes, the last fastest. `offset` is that of
/// one filter among several.
///
/// Returns whether all elements are finite.
@discardableResult
func packFilter(
    _ problem: SlidingProblem, _ offset: Int = 0, outer: AxisList, outerCount: Int, row: SlidingAxis,
    column: SlidingAxis,
    to destination: UnsafeMutableRawPointer
) -> Bool {
    let arithmetic = problem.arithmetic
    let element = arithmetic.byteCount
    let reader = ElementReader(type: problem.filterType, swapUnit: problem.filterSwapUnit, arithmetic)
    let rows = row.filterExtent
    let taps = column.filterExtent
    var planes = 1
    for i in 0..<outerCount { planes &*= outer[i].filterExtent }
    let first = problem.filter + offset
    if planes == 1 {
        packPlane(reader, first, row: row, column: column, to: destination)
    } else {
        var tapIndex = AxisInts(repeating: 0)
        var plane = first
        for p in 0..<planes {
            packPlane(reader, plane, row: row, column: column, to: destination + p &* taps &* rows &* element)
            // Odometer over the outer taps.
            var axis = outerCount &- 1
            while axis >= 0 {
                tapIndex[axis] &+= 1
                plane += outer[axis].filterStride
                if tapIndex[axis] < outer[axis].filterExtent { break }
                plane -= tapIndex[axis] &* outer[axis].filterStride
                tapIndex[axis] = 0
                axis &-= 1
            }
        }
    }
    return finishFilter(
        destination, count: planes &* taps &* rows, arithmetic, conjugate: problem.conjugatesFilter)
}

/// Writes filters of one plane, `distance` apart, to places `pitch` apart: as `packFilter` each, but tap by tap of all, as
/// calls for each took half the time of 512 filters of 3 x 3 with their images of 14 x 14.
func packPlanes(
    _ problem: SlidingProblem, filters: Int, distance: Int, row: SlidingAxis, column: SlidingAxis,
    to destination: UnsafeMutableRawPointer, pitch: Int
) -> Bool {
    let element = problem.arithmetic.byteCount
    destination.initializeMemory(as: UInt8.self, repeating: 0, count: filters &* pitch)
    for t in 0..<column.filterExtent {
        copyStrided(
            problem.filter + t &* column.filterStride, rowStride: distance, stride: row.filterStride,
            to: destination + t &* row.filterExtent &* element, rowStride: pitch, stride: element, rows: filters,
            count: row.filterExtent, elementBytes: element, swapping: false)
    }
    return finishFilter(
        destination, count: filters &* pitch / element, problem.arithmetic, conjugate: problem.conjugatesFilter)
}

/// [tap][row] of one plane.
private func packPlane(
    _ reader: ElementReader, _ plane: UnsafeRawPointer, row: SlidingAxis, column: SlidingAxis,
    to target: UnsafeMutableRawPointer
) {
    let rowBytes = row.filterExtent &* reader.arithmetic.byteCount
    if reader.isPlain {
        copyStrided(
            plane, rowStride: column.filterStride, stride: row.filterStride, to: target, rowStride: rowBytes,
            stride: reader.arithmetic.byteCount, rows: column.filterExtent, count: row.filterExtent,
            elementBytes: reader.arithmetic.byteCount, swapping: false)
        return
    }
    for t in 0..<column.filterExtent {
        packRun(
            reader, plane + t &* column.filterStride, stride: row.filterStride, count: row.filterExtent,
            to: target + t &* rowBytes)
    }
}

/// A strided run of filter elements, converted to the arithmetic's own form.
private func packRun(
    _ reader: ElementReader, _ source: UnsafeRawPointer, stride: Int, count: Int,
    to destination: UnsafeMutableRawPointer
) {
    // A register's worth of stack is stage enough: a filter is small, and converting it is not the work.
    var stage = SIMD16<UInt64>.zero
    withUnsafeMutableBytes(of: &stage) { stage in
        let perRead = stage.count / reader.type.byteCount
        for first in Swift.stride(from: 0, to: count, by: perRead) {
            reader.read(
                source + first &* stride, stride: stride, count: min(perRead, count &- first),
                to: destination + first &* reader.arithmetic.byteCount,
                stage: stage.baseAddress.unsafelyUnwrapped)
        }
    }
}

private func finishFilter(
    _ filter: UnsafeMutableRawPointer, count: Int, _ arithmetic: ArithmeticKind, conjugate: Bool
) -> Bool {
    func negateImaginaryParts<T: BinaryFloatingPoint & BitwiseCopyable>(_: T.Type) {
        let values = filter.assumingMemoryBound(to: T.self)
        for i in 0..<count { values[2 &* i &+ 1].negate() }
    }
    switch arithmetic {
    case .complex64 where conjugate: negateImaginaryParts(Float.self)
    case .complex128 where conjugate: negateImaginaryParts(Double.self)
    case .boolean:
        for i in 0..<count where filter.load(fromByteOffset: i, as: UInt8.self) != 0 {
            filter.storeBytes(of: 0xFF, toByteOffset: i, as: UInt8.self)
        }
    default: break
    }
    return isFinite(filter, count: count, arithmetic)
}

/// Whether contiguous elements all are.
func isFinite(_ elements: UnsafeRawPointer, count: Int, _ arithmetic: ArithmeticKind) -> Bool {
    func areFinite<T: BinaryFloatingPoint & BitwiseCopyable>(_: T.Type, parts: Int) -> Bool {
        let values = elements.assumingMemoryBound(to: T.self)
        var finite = true
        // In this order every element is looked at, by vectors.
        for i in 0..<count &* parts { finite = values[i].isFinite && finite }
        return finite
    }
    switch arithmetic {
    case .float32: return areFinite(Float.self, parts: 1)
    case .float64: return areFinite(Double.self, parts: 1)
    case .complex64: return areFinite(Float.self, parts: 2)
    case .complex128: return areFinite(Double.self, parts: 2)
    case .boolean, .word16, .word32, .word64: return true
    }
}
