import Foundations

/// Limits contiguous results, as their arithmetic holds them, to values of `type` between two bounds; they may lie anywhere.
/// NaN stays NaN, as in torch. Integers are read as `type` reads their low bits.
package func applyClamp(
    _ lowest: Double, _ highest: Double, _ type: ElementType, _ values: UnsafeMutableRawPointer, count: Int
) {
    switch type {
    case .float16, .bfloat16, .float32: clampReals(Float(lowest), Float(highest), values, count)
    case .float64: clampReals(lowest, highest, values, count)
    case .int8: clampIntegers(Int8.self, UInt16.self, lowest, highest, values, count)
    case .uint8: clampIntegers(UInt8.self, UInt16.self, lowest, highest, values, count)
    case .int16: clampIntegers(Int16.self, UInt16.self, lowest, highest, values, count)
    case .uint16: clampIntegers(UInt16.self, UInt16.self, lowest, highest, values, count)
    case .int32: clampIntegers(Int32.self, UInt32.self, lowest, highest, values, count)
    case .uint32: clampIntegers(UInt32.self, UInt32.self, lowest, highest, values, count)
    case .int64: clampIntegers(Int64.self, UInt64.self, lowest, highest, values, count)
    case .uint64: clampIntegers(UInt64.self, UInt64.self, lowest, highest, values, count)
    case .bool, .complex64, .complex128: assertionFailure("validation lets no \(type) be clamped")
    }
}

@inline(__always)
private func clampReals<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ lowest: T, _ highest: T, _ values: UnsafeMutableRawPointer, _ count: Int
) {
    for i in 0..<count {
        let place = values + i &* MemoryLayout<T>.size
        let value = place.loadUnaligned(as: T.self)
        let raised = value < lowest ? lowest : value
        place.storeBytes(of: raised > highest ? highest : raised, as: T.self)
    }
}

@inline(__always)
private func clampIntegers<T: FixedWidthInteger, Word: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _: Word.Type, _ lowest: Double, _ highest: Double, _ values: UnsafeMutableRawPointer, _ count: Int
) {
    let low = nearest(T.self, lowest.rounded(.up))
    let high = nearest(T.self, highest.rounded(.down))
    for i in 0..<count {
        let place = values + i &* MemoryLayout<Word>.size
        let value = T(truncatingIfNeeded: place.loadUnaligned(as: Word.self))
        place.storeBytes(of: Word(truncatingIfNeeded: min(max(value, low), high)), as: Word.self)
    }
}

/// A whole number as T, or T's bound nearest to it; NaN bounds nothing and does not get here.
private func nearest<T: FixedWidthInteger>(_: T.Type, _ value: Double) -> T {
    if value <= Double(T.min) { return T.min }
    return value >= Double(T.max) ? T.max : T(value)
}
