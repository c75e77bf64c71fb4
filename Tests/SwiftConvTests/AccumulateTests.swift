import CMachine
import Foundations
import Kernels
import Testing

/// Rows added to sums, against loops over single elements, beside guard pages.
struct AccumulateTests {
    private static let counts = Array(0...70) + [127, 128, 129, 200]

    /// Small integers, so that every sum is exact whatever the type.
    private func fill<T: BitwiseCopyable>(
        _ count: Int, _ guarding: GuardedMemory.Guard, _ generator: inout SeededGenerator, _ make: (Int) -> T
    ) -> GuardedMemory {
        let memory = GuardedMemory(byteCount: count * MemoryLayout<T>.size, guarding: guarding)
        for i in 0..<count {
            memory.base.storeBytes(
                of: make(Int.random(in: 0...3, using: &generator)), toByteOffset: i * MemoryLayout<T>.size, as: T.self)
        }
        return memory
    }

    private func check<T: BitwiseCopyable & Equatable>(
        _: T.Type, _ scalar: SumScalar, _ addend: Addend, _ make: (Int) -> T, _ add: (T, T, T) -> T
    ) {
        var generator = SeededGenerator(960)
        let size = MemoryLayout<T>.size
        for count in Self.counts {
            for rows in [0, 1, 3] {
                for guarding in GuardedMemory.Guard.allCases {
                    let (from, to) = (count + 1, count + 2)
                    func length(_ row: Int) -> Int { rows == 0 ? 0 : (rows - 1) * row + count }
                    let source = fill(length(from), guarding, &generator, make)
                    let sums = fill(length(to), guarding, &generator, make)
                    var weightRow = 0
                    if case .weighted = addend { weightRow = from } else { weightRow = 1 }
                    let weights = fill(weightRow == 1 ? rows : length(from), guarding, &generator, make)
                    func value(_ memory: GuardedMemory, _ i: Int) -> T {
                        memory.base.loadUnaligned(fromByteOffset: i * size, as: T.self)
                    }
                    var expected: [T] = (0..<length(to)).map { value(sums, $0) }
                    for r in 0..<rows {
                        for i in 0..<count {
                            let weight = value(weights, weightRow == 1 ? r : r * weightRow + i)
                            expected[r * to + i] = add(expected[r * to + i], value(source, r * from + i), weight)
                        }
                    }
                    var call = sc_added_rows(
                        sums: sums.base.assumingMemoryBound(to: UInt8.self), sum_row_stride: Int64(to * size),
                        source: source.base.assumingMemoryBound(to: UInt8.self),
                        source_row_stride: Int64(from * size),
                        weights: weights.base.assumingMemoryBound(to: UInt8.self),
                        weight_row_stride: Int64(weightRow * size), rows: Int64(rows), count: Int64(count),
                        ahead: 4096)
                    addRows(&call, addend, scalar)
                    #expect((0..<length(to)).map { value(sums, $0) } == expected, "\(rows) rows of \(count)")
                }
            }
        }
    }

    @Test func addsElements() {
        check(UInt8.self, .bool, .elements, { UInt8($0) }) { sum, x, _ in sum | (x == 0 ? 0 : 1) }
        check(UInt8.self, .word8, .elements, { UInt8($0 * 85) }) { sum, x, _ in sum &+ x }
        check(UInt16.self, .word16, .elements, { UInt16($0 * 21845) }) { sum, x, _ in sum &+ x }
        check(UInt32.self, .word32, .elements, { .max - UInt32($0) }) { sum, x, _ in sum &+ x }
        check(UInt64.self, .word64, .elements, { .max - UInt64($0) }) { sum, x, _ in sum &+ x }
        check(Float.self, .float32, .elements, { Float($0) }) { sum, x, _ in sum + x }
        check(Double.self, .float64, .elements, { Double($0) }) { sum, x, _ in sum + x }
    }

    @Test func addsWeightedElements() {
        check(Float.self, .float32, .weighted, { Float($0) }) { sum, x, weight in sum + weight * x }
        check(Double.self, .float64, .weighted, { Double($0) }) { sum, x, weight in sum + weight * x }
        check(Float.self, .float32, .scaled, { Float($0) }) { sum, x, weight in sum + weight * x }
        check(Double.self, .float64, .scaled, { Double($0) }) { sum, x, weight in sum + weight * x }
        check(Float.self, .float32, .weight, { Float($0) }) { sum, _, weight in sum + weight }
        check(Double.self, .float64, .weight, { Double($0) }) { sum, _, weight in sum + weight }
    }

    @Test func dividesByDivisorsButZero() {
        for count in [0, 1, 15, 16, 17, 40] {
            let sums = GuardedMemory(byteCount: 4 * count)
            let divisors = GuardedMemory(byteCount: 4 * count)
            for i in 0..<count {
                sums.base.storeBytes(of: Float(i + 1), toByteOffset: 4 * i, as: Float.self)
                divisors.base.storeBytes(of: Float(i % 4), toByteOffset: 4 * i, as: Float.self)
            }
            let means = GuardedMemory(byteCount: 4 * count)
            means.base.copyMemory(from: sums.base, byteCount: 4 * count)
            let inverses = GuardedMemory(byteCount: 4 * count)
            invert(divisors.base, to: inverses.base, count: count, .float32)
            average(means.base, by: divisors.base, inverses: inverses.base, count: count, .float32)
            divide(sums.base, by: divisors.base, count: count, .float32)
            #expect(Array(means.bytes) == Array(sums.bytes))
            for i in 0..<count {
                let quotient = sums.base.loadUnaligned(fromByteOffset: 4 * i, as: Float.self)
                #expect(quotient == (i % 4 == 0 ? 0 : Float(i + 1) / Float(i % 4)))
            }
        }
    }
}
