import Foundations

/// A list of indices cut into blocks: boxes that take all values of the inner indices, a range of one, and one value of
/// each outer one. Blocks are numbered with the innermost fastest, so that their values follow each other.
package struct IndexBlocks {
    package let list: IndexList
    /// The index that is cut, -1 where one block holds all.
    private let split: Int
    private let perBlock: Int
    private let innerCount: Int
    package let count: Int

    /// Blocks of up to about `target` combinations, as even as may be; a multiple of `unit` where that costs little.
    package init(_ list: IndexList, target: Int, unit: Int = 1) {
        var inner = 1
        var i = list.count &- 1
        while i >= 0 && saturatingMultiply(inner, list[i].extent) <= max(target, 1) {
            inner &*= list[i].extent
            i &-= 1
        }
        innerCount = inner
        self.list = list
        let isEmpty = list.extent == 0
        split = isEmpty ? -1 : i
        if i < 0 || isEmpty {
            perBlock = 1
            count = 1
            return
        }
        let extent = list[i].extent
        var most = max(1, target / inner)
        if inner == 1 && most > unit { most -= most % unit }
        // Even blocks, but whole units of lanes.
        let even = ceilingDivide(extent, ceilingDivide(extent, most))
        perBlock = inner == 1 ? min(most, ceilingDivide(even, unit) &* unit) : even
        var blocks = ceilingDivide(extent, perBlock)
        for j in 0..<i { blocks = saturatingMultiply(blocks, list[j].extent) }
        count = blocks
    }

    /// Combinations in the largest block.
    package var largest: Int { split < 0 ? (list.extent == 0 ? 0 : innerCount) : perBlock &* innerCount }

    /// How many combinations block `number` has, and how many stand before it.
    package func span(_ number: Int) -> (first: Int, count: Int) {
        if split < 0 { return (0, largest) }
        let extent = list[split].extent
        let blocks = ceilingDivide(extent, perBlock)
        let start = number % blocks &* perBlock
        return ((number / blocks &* extent &+ start) &* innerCount, min(perBlock, extent &- start) &* innerCount)
    }

    /// How many groups of `size` the blocks before `number` have, if each holds whole ones.
    package func groupsBefore(_ number: Int, size: Int) -> Int {
        if split < 0 { return number == 0 ? 0 : ceilingDivide(largest, size) }
        let blocks = ceilingDivide(list[split].extent, perBlock)
        let whole = ceilingDivide(perBlock &* innerCount, size)
        let last = ceilingDivide(span(blocks &- 1).count, size)
        let perRound = saturatingAdd(saturatingMultiply(blocks &- 1, whole), last)
        return saturatingAdd(saturatingMultiply(number / blocks, perRound), saturatingMultiply(number % blocks, whole))
    }

    /// Block `number` as a range of each index.
    package func ranges(_ number: Int, _ starts: UnsafeMutablePointer<Int>, _ counts: UnsafeMutablePointer<Int>) {
        var rest = number
        for i in (0..<list.count).reversed() {
            if i > split {
                starts[i] = 0
                counts[i] = list[i].extent
            } else if i == split {
                let blocks = ceilingDivide(list[i].extent, perBlock)
                starts[i] = rest % blocks &* perBlock
                counts[i] = min(perBlock, list[i].extent &- starts[i])
                rest /= blocks
            } else {
                starts[i] = rest % list[i].extent
                counts[i] = 1
                rest /= list[i].extent
            }
        }
    }
}

/// Writes the offset of every combination in a box, the last index fastest; returns how many there are.
@discardableResult
package func writeOffsets(
    _ counts: UnsafePointer<Int>, _ strides: UnsafePointer<Int>, indices: Int, to offsets: UnsafeMutablePointer<Int>
) -> Int {
    var written = 1
    offsets[0] = 0
    // Index by index from the innermost: what is there is repeated at each value's distance.
    for i in (0..<indices).reversed() {
        let (count, stride) = (counts[i], strides[i])
        if count == 0 { return 0 }
        if written == 1 {
            for value in 0..<count { offsets[value] = value &* stride }
        } else {
            for value in 1..<max(count, 1) {
                let target = offsets + value &* written
                let distance = value &* stride
                for j in 0..<written { target[j] = offsets[j] &+ distance }
            }
        }
        written &*= count
    }
    return written
}
