import Foundations
import Kernels
import Testing

/// Strided copies of every element size, stride and byte order, byte for byte.
struct GatherTests {
    static let cases: [(size: Int, swap: Int)] = [
        (1, 1), (2, 1), (2, 2), (4, 1), (4, 4), (8, 1), (8, 4), (8, 8), (16, 1), (16, 8),
    ]
    static let counts = [0, 1, 2, 3, 5, 16, 17, 64, 67]

    static func strides(_ size: Int) -> [Int] {
        [0, 1, 2, 3, 4, 5, -1, -2, -3].map { $0 * size } + [size + 1, -size - 1, 1]
    }

    /// Byte `i` of a run of elements, read with the given unit reversed.
    private func swapped(_ i: Int, _ unit: Int) -> Int { i / unit * unit + unit - 1 - i % unit }

    /// Memory that just holds `count` elements, and its first element.
    private func strided(
        _ count: Int, _ stride: Int, _ size: Int, _ guarding: GuardedMemory.Guard
    ) -> (GuardedMemory, UnsafeMutableRawPointer) {
        let span = max(count - 1, 0) * stride
        let memory = GuardedMemory(byteCount: count == 0 ? 0 : abs(span) + size, guarding: guarding)
        return (memory, memory.base - min(span, 0))
    }

    @Test func gathers() {
        var generator = SeededGenerator(1)
        for (size, swap) in Self.cases {
            for stride in Self.strides(size) {
                for count in Self.counts {
                    for guarding in GuardedMemory.Guard.allCases {
                        let (memory, source) = strided(count, stride, size, guarding)
                        for i in memory.bytes.indices { memory.bytes[i] = .random(in: 0...255, using: &generator) }
                        let target = GuardedMemory(byteCount: count * size, guarding: guarding)
                        gather(
                            source, strideBytes: stride, to: target.base, count: count, elementBytes: size,
                            swapUnit: swap)
                        let wrong = target.bytes.indices.contains { i in
                            target.bytes[i]
                                != source.load(
                                    fromByteOffset: i / size * stride + swapped(i % size, swap), as: UInt8.self)
                        }
                        #expect(!wrong, "size=\(size) swap=\(swap) stride=\(stride) count=\(count)")
                    }
                }
            }
        }
    }

    @Test func scatters() {
        var generator = SeededGenerator(2)
        for (size, swap) in Self.cases {
            for stride in Self.strides(size) where abs(stride) >= size {
                for count in Self.counts {
                    for guarding in GuardedMemory.Guard.allCases {
                        let source = GuardedMemory(byteCount: count * size, guarding: guarding)
                        for i in source.bytes.indices { source.bytes[i] = .random(in: 0...255, using: &generator) }
                        let before = Array(source.bytes)
                        let (memory, target) = strided(count, stride, size, guarding)
                        scatter(
                            source.base, to: target, strideBytes: stride, count: count, elementBytes: size,
                            swapUnit: swap)
                        var expected = [UInt8](repeating: GuardedMemory.canary, count: memory.byteCount)
                        let first = target - memory.base
                        for i in before.indices {
                            expected[first + i / size * stride + i % size] =
                                before[i / size * size + swapped(i % size, swap)]
                        }
                        #expect(
                            expected.elementsEqual(memory.bytes),
                            "size=\(size) swap=\(swap) stride=\(stride) count=\(count)")
                    }
                }
            }
        }
    }
}
