import Foundations
import Kernels

/// The values of a matrix's entries, from the filter's elements.
struct MatrixValues {
    let filter: UnsafeRawPointer
    let type: ElementType

    /// Writes the values where one item crosses what a position of the last axis meets, side by side.
    @inline(__always)
    func write(_ strip: MatrixStrip, item: Int, _ entries: AxisEntries, to target: UnsafeMutableRawPointer) {
        let size = type.byteCount
        if strip.begins[item &+ 1] &- strip.begins[item] != 1 || entries.taps != entries.count {
            for j in 0..<entries.count { add(strip, item, entries, j, to: target + j &* size) }
            return
        }
        let source = filter + strip.taps[strip.begins[item]] &* size
        if entries.tapsAreOneRun {
            target.copyMemory(from: source + entries.tap[0] &* size, byteCount: entries.count &* size)
            return
        }
        switch size {
        case 1: copy(UInt8.self, source, entries, target)
        case 2: copy(UInt16.self, source, entries, target)
        case 4: copy(UInt32.self, source, entries, target)
        case 8: copy(UInt64.self, source, entries, target)
        default: copy(SIMD2<UInt64>.self, source, entries, target)
        }
    }

    /// Writes one of these values.
    @inline(__always)
    func writeOne(
        _ strip: MatrixStrip, item: Int, _ entries: AxisEntries, _ j: Int, to target: UnsafeMutableRawPointer
    ) {
        if strip.begins[item &+ 1] &- strip.begins[item] != 1 || entries.tapCount(j) != 1 {
            add(strip, item, entries, j, to: target)
            return
        }
        let size = type.byteCount
        let number = strip.taps[strip.begins[item]] &+ entries.tap[entries.begins[j]]
        target.copyMemory(from: filter + number &* size, byteCount: size)
    }

    @inline(__always)
    private func copy<T: BitwiseCopyable>(
        _: T.Type, _ source: UnsafeRawPointer, _ entries: AxisEntries, _ target: UnsafeMutableRawPointer
    ) {
        let size = MemoryLayout<T>.size
        for j in 0..<entries.count {
            let element = source.loadUnaligned(fromByteOffset: entries.tap[j] &* size, as: T.self)
            target.storeBytes(of: element, toByteOffset: j &* size, as: T.self)
        }
    }

    /// An entry of several taps: their sum, in the order in which they stand in the filter's axes.
    private func add(
        _ strip: MatrixStrip, _ item: Int, _ entries: AxisEntries, _ j: Int, to target: UnsafeMutableRawPointer
    ) {
        let reader = ElementReader(type: type, swapUnit: 1, type.arithmetic)
        var sum = SumOfProducts(type.arithmetic)
        let one = type.arithmetic.one
        for outer in strip.begins[item]..<strip.begins[item &+ 1] {
            for inner in entries.begins[j]..<entries.begins[j &+ 1] {
                let number = strip.taps[outer] &+ entries.tap[inner]
                sum.add(reader.element(at: filter + number &* type.byteCount), one)
            }
        }
        ElementWriter(result: type, output: type, swapUnit: 1).write(element: sum.result, to: target)
    }
}
