import CMachine
import Foundations
import Testing

/// Short copies, and runs taken apart and put together, byte for byte and within their memory.
struct CopyTests {
    private func random(
        _ byteCount: Int, _ guarding: GuardedMemory.Guard, _ generator: inout SeededGenerator
    ) -> GuardedMemory {
        let memory = GuardedMemory(byteCount: byteCount, guarding: guarding)
        for i in memory.bytes.indices { memory.bytes[i] = .random(in: 0...255, using: &generator) }
        return memory
    }

    private func pointer(_ memory: GuardedMemory) -> UnsafeMutablePointer<UInt8> {
        memory.base.assumingMemoryBound(to: UInt8.self)
    }

    @Test func copiesRows() {
        var generator = SeededGenerator(920)
        for count in Array(0...70) + [127, 128, 129, 200] {
            for rows in [0, 1, 3] {
                for guarding in GuardedMemory.Guard.allCases {
                    let (from, to) = (count + 5, count + 2)
                    let source = random(max(rows - 1, 0) * from + (rows > 0 ? count : 0), guarding, &generator)
                    let target = GuardedMemory(
                        byteCount: max(rows - 1, 0) * to + (rows > 0 ? count : 0), guarding: guarding)
                    sc_copy_rows(pointer(target), Int64(to), pointer(source), Int64(from), Int64(rows), Int64(count))
                    let offsets = (0..<rows).map { (rows - 1 - $0) * from }
                    let indexed = GuardedMemory(byteCount: target.byteCount, guarding: guarding)
                    sc_copy_indexed_rows(
                        pointer(indexed), Int64(to), pointer(source), offsets, Int64(rows), Int64(count))
                    var isRight = true
                    for i in target.bytes.indices {
                        let (row, byte) = (i / to, i % to)
                        let isCopied = byte < count
                        let expected = isCopied ? source.bytes[row * from + byte] : GuardedMemory.canary
                        let turned = isCopied ? source.bytes[(rows - 1 - row) * from + byte] : GuardedMemory.canary
                        isRight = isRight && target.bytes[i] == expected && indexed.bytes[i] == turned
                    }
                    #expect(isRight, "\(rows) rows of \(count)")
                }
            }
        }
    }

    @Test func copiesTiles() {
        var generator = SeededGenerator(940)
        for count in Array(0...70) + [127, 128, 129, 200] {
            for (tiles, rows) in [(0, 2), (1, 1), (2, 3), (3, 1)] {
                for guarding in GuardedMemory.Guard.allCases {
                    let (from, to) = (count + 5, count + 2)
                    func length(_ row: Int) -> Int { tiles == 0 ? 0 : (tiles * rows - 1) * row + count }
                    let source = random(length(from), guarding, &generator)
                    let target = GuardedMemory(byteCount: length(to), guarding: guarding)
                    var call = sc_copied_tiles(
                        destination: pointer(target), source: pointer(source), destination_row: Int64(to),
                        source_row: Int64(from), destination_tile: Int64(rows * to), source_tile: Int64(rows * from),
                        rows: Int64(rows), tiles: Int64(tiles), count: Int64(count))
                    sc_copy_tiles(&call)
                    let isRight = target.bytes.indices.allSatisfy { i in
                        let (row, byte) = (i / to, i % to)
                        return target.bytes[i]
                            == (byte < count ? source.bytes[row * from + byte] : GuardedMemory.canary)
                    }
                    #expect(isRight, "\(tiles) tiles of \(rows) rows of \(count)")
                }
            }
        }
    }

    @Test(arguments: [1, 2, 4, 8])
    func copiesEverySecond(size: Int) {
        var generator = SeededGenerator(930)
        for count in Array(0...70) + [127, 128, 129, 200] {
            for guarding in GuardedMemory.Guard.allCases {
                // No element beyond the last.
                let source = random(count == 0 ? 0 : (2 * count - 1) * size, guarding, &generator)
                let target = GuardedMemory(byteCount: count * size, guarding: guarding)
                let (to, from, number) = (pointer(target), pointer(source), Int64(count))
                switch size {
                case 1: sc_copy_every_second_u8(to, from, number)
                case 2: sc_copy_every_second_u16(to, from, number)
                case 4: sc_copy_every_second_u32(to, from, number)
                default: sc_copy_every_second_u64(to, from, number)
                }
                let isRight = target.bytes.indices.allSatisfy {
                    target.bytes[$0] == source.bytes[$0 / size * 2 * size + $0 % size]
                }
                #expect(isRight, "\(count) of \(size) bytes")
            }
        }
    }
}
