import Foundations

/// A list of indices cut into ranges of its combinations, numbered with the last index fastest. Unlike the boxes of
/// `IndexBlocks`, all but the last are whole units, whatever the indices' extents are.
package struct IndexRanges {
    package let list: IndexList
    package let extent: Int
    private let perRange: Int
    package let count: Int

    /// Ranges of up to `target` combinations, as even as whole units allow; one, where there is nothing.
    package init(_ list: IndexList, target: Int, unit: Int) {
        self.list = list
        extent = list.extent
        let most = max(unit, target / unit &* unit)
        let even = ceilingDivide(extent, max(1, ceilingDivide(extent, most)))
        perRange = max(unit, ceilingDivide(even, unit) &* unit)
        count = max(1, ceilingDivide(extent, perRange))
    }

    /// Combinations of the largest range.
    package var largest: Int { min(extent, perRange) }

    package func range(_ number: Int) -> Range<Int> {
        let first = number &* perRange
        return first..<min(first &+ perRange, extent)
    }
}

extension IndexList {
    /// Writes how far each combination of a range lies from its first.
    @inline(__always)
    package func writeOffsets(
        _ range: Range<Int>, _ operand: ContractionIndex.Operand, to offsets: UnsafeMutablePointer<Int>
    ) {
        if range.isEmpty { return }
        if count <= 1 {
            let stride = count == 0 ? 0 : self[0].stride(operand)
            for i in 0..<range.count { offsets[i] = i &* stride }
            return
        }
        let first = offset(range.lowerBound, operand)
        let (inner, stride) = (self[count &- 1].extent, self[count &- 1].stride(operand))
        var number = range.lowerBound
        while number < range.upperBound {
            let begin = number % inner
            let run = min(inner &- begin, range.upperBound &- number)
            let distance = offset(number, operand) &- first
            for i in 0..<run { offsets[number &- range.lowerBound &+ i] = distance &+ i &* stride }
            number &+= run
        }
    }
}
