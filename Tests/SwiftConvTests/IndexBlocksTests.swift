import Algorithms
import Foundations
import Testing

/// Index lists cut into blocks, and the offsets of their combinations.
struct IndexBlocksTests {
    private func withList<R>(_ extents: [Int], _ body: (IndexList) -> R) -> R {
        var indices = extents.map { extent in
            var index = ContractionIndex()
            index.extent = extent
            return index
        }
        return indices.withUnsafeMutableBufferPointer { indices in
            // An empty list is never read.
            body(
                IndexList(
                    base: indices.baseAddress ?? UnsafeMutablePointer(bitPattern: 64)!, count: indices.count))
        }
    }

    /// Numbers of the combinations in a box, the last index fastest.
    private func numbers(_ starts: [Int], _ counts: [Int], _ extents: [Int]) -> [Int] {
        var numbers = [0]
        for i in extents.indices {
            numbers = numbers.flatMap { outer in
                (0..<counts[i]).map { outer * extents[i] + starts[i] + $0 }
            }
        }
        return numbers
    }

    private func box(_ blocks: IndexBlocks, _ number: Int) -> (starts: [Int], counts: [Int]) {
        var (starts, counts) = ([Int](repeating: -1, count: 33), [Int](repeating: -1, count: 33))
        blocks.ranges(number, &starts, &counts)
        return (Array(starts.prefix(blocks.list.count)), Array(counts.prefix(blocks.list.count)))
    }

    /// Every combination is in exactly one block, and blocks follow each other.
    @Test func coverEveryCombinationOnce() {
        var generator = SeededGenerator(500)
        for _ in 0..<3000 {
            let extents = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                generator.pick([1, 1, 2, 3, 5, 7, 16, 17, 30])
            }
            let target = generator.pick([0, 1, 2, 5, 6, 16, 48, 100, 100_000])
            let unit = generator.pick([1, 1, 6, 16, 64])
            withList(extents) { list in
                let blocks = IndexBlocks(list, target: target, unit: unit)
                var next = 0
                var largest = 0
                var groups = 0
                let size = generator.pick([1, 2, 4])
                for number in 0..<blocks.count {
                    let (starts, counts) = box(blocks, number)
                    let found = numbers(starts, counts, extents)
                    #expect(found.elementsEqual(next..<next + found.count), "\(extents), target \(target)")
                    #expect(blocks.span(number) == (next, found.count), "\(extents), target \(target)")
                    #expect(blocks.groupsBefore(number, size: size) == groups, "\(extents), target \(target)")
                    groups += (found.count + size - 1) / size
                    next += found.count
                    largest = max(largest, found.count)
                }
                #expect(next == extents.reduce(1, *), "\(extents), target \(target), unit \(unit)")
                #expect(blocks.groupsBefore(blocks.count, size: size) == groups, "\(extents), target \(target)")
                #expect(blocks.largest >= largest && blocks.largest <= max(target, 1), "\(extents), target \(target)")
            }
        }
    }

    /// Whole units of lanes, but for the last block.
    @Test func blocksAreWholeUnits() {
        for extent in [1, 15, 16, 17, 100, 512, 513, 1000, 4097] {
            withList([3, extent]) { list in
                let blocks = IndexBlocks(list, target: 128, unit: 16)
                for number in 0..<blocks.count {
                    let (starts, counts) = box(blocks, number)
                    #expect(counts[1] % 16 == 0 || starts[1] + counts[1] == extent)
                }
            }
        }
    }

    @Test func emptyLists() {
        for extents in [[0], [0, 5], [5, 0], [Int.max, 0], [0, Int.max], [Int.max, 0, Int.max], [1 << 62, 4, 0]] {
            withList(extents) { list in
                let blocks = IndexBlocks(list, target: 100, unit: 6)
                #expect(blocks.count == 1 && blocks.largest == 0, "\(extents)")
                #expect(box(blocks, 0).counts.contains(0), "\(extents)")
            }
        }
        withList([]) { list in
            let blocks = IndexBlocks(list, target: 100)
            #expect(blocks.count == 1 && blocks.largest == 1, "one combination of nothing")
        }
    }

    /// Numbers of blocks near the end of Int saturate, and those that there are lie inside.
    @Test func largeProducts() {
        var generator = SeededGenerator(510)
        for extents in [
            [Int.max], [Int.max, 3], [3, Int.max], [1 << 31, 1 << 31, 3], [1 << 62, 2, 2], [Int.max, Int.max, Int.max],
            [5, 1 << 62], [1 << 40, 1 << 22],
        ] {
            for (target, unit) in [(1, 1), (100, 16), (2048, 512), (1 << 40, 64), (1 << 60, 16)] {
                withList(extents) { list in
                    let blocks = IndexBlocks(list, target: target, unit: unit)
                    #expect(blocks.count >= 1 && blocks.largest >= 1, "\(extents)")
                    for number in [0, blocks.count / 2, blocks.count - 1]
                        + (0..<5).map({ _ in Int.random(in: 0..<blocks.count, using: &generator) })
                    {
                        let (starts, counts) = box(blocks, number)
                        for i in extents.indices {
                            #expect(
                                starts[i] >= 0 && counts[i] >= 1 && counts[i] <= extents[i] - starts[i], "\(extents)")
                        }
                    }
                }
            }
        }
    }

    @Test func offsets() {
        var generator = SeededGenerator(520)
        for _ in 0..<500 {
            let rank = Int.random(in: 0...4, using: &generator)
            var counts = (0..<rank).map { _ in generator.pick([0, 1, 1, 2, 3, 7, 16]) }
            var strides = (0..<rank).map { _ in generator.pick([-400, -4, 0, 4, 8, 100, Int.max / 2]) }
            var expected = [0]
            for i in 0..<rank {
                expected = expected.flatMap { outer in (0..<counts[i]).map { outer &+ $0 &* strides[i] } }
            }
            // Never shorter than one: an empty box is found out while it is written.
            let memory = GuardedMemory(byteCount: 8 * max(counts.filter { $0 > 0 }.reduce(1, *), 1))
            let offsets = memory.base.assumingMemoryBound(to: Int.self)
            counts.append(0)
            strides.append(0)
            let written = writeOffsets(counts, strides, indices: rank, to: offsets)
            #expect(written == expected.count)
            #expect((0..<written).map { offsets[$0] } == expected, "\(counts), \(strides)")
        }
    }

    @Test func numbersToOffsets() {
        var generator = SeededGenerator(530)
        for _ in 0..<200 {
            let extents = (0..<Int.random(in: 0...4, using: &generator)).map { _ in generator.pick([1, 2, 3, 7]) }
            let strides = extents.map { _ in Int.random(in: -50...50, using: &generator) }
            withList(extents) { list in
                for i in extents.indices { list[i].inputStride = strides[i] }
                var expected = [0]
                for i in extents.indices {
                    expected = expected.flatMap { outer in (0..<extents[i]).map { outer + $0 * strides[i] } }
                }
                #expect(list.extent == expected.count)
                #expect((0..<list.extent).map { list.offset($0, .input) } == expected)
            }
        }
    }
}
