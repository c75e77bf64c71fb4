import CMachine
import Foundations
import Kernels
import Testing

/// Every kernel by way of `runStencilStrip`, bit for bit against a plain loop nest that adds in the documented order.
struct StencilStripTests {
    static let kinds: [ArithmeticKind] = [
        .boolean, .word16, .word32, .word64, .float32, .float64, .complex64, .complex128,
    ]
    static let rows = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 18]

    /// From one output row's input to the next and from one filter row's, in input rows: shared, strided, dilated.
    static let walks = [(output: 1, filter: 1), (output: 2, filter: 1), (output: 1, filter: 2)]

    static func columns(_ kind: ArithmeticKind) -> [Int] {
        let lanes = vectorLanes(kind)
        let tile = lanes * widestTile(kind)
        let counts = [
            1, 2, lanes / 4, lanes / 2, lanes / 2 + 1, lanes - 1, lanes, lanes + 1, 2 * lanes, 2 * lanes + 1, tile - 1,
            tile,
            tile + 1,
        ]
        return Set(counts.filter { $0 > 0 }).sorted()
    }

    @Test(arguments: kinds)
    func equalsThePlainLoop(kind: ArithmeticKind) {
        var generator = SeededGenerator(kind.byteCount)
        var round = 0
        for columns in Self.columns(kind) {
            for rows in Self.rows {
                for filterRows in 1...8 {
                    for walk in Self.walks {
                        round += 1
                        // Taps take turns: their loop holds no cases.
                        for taps in [1 + round % 4, 1 + (round + 2) % 4] {
                            let shape = StripShape(
                                kind: kind, rows: rows, columns: columns, filterRows: filterRows, taps: taps,
                                outputStep: walk.output, filterStep: walk.filter)
                            if let fault = shape.fault(&generator) {
                                Issue.record("\(fault): \(shape)")
                                return
                            }
                        }
                    }
                }
            }
        }
    }

    @Test func tilesFillTheRegisters() {
        for kind in Self.kinds {
            #expect(vectorLanes(kind) * kind.byteCount == Int(SC_VECTOR_BYTES), "\(kind)")
            let accumulators = 6 * widestTile(kind) * (kind == .complex64 || kind == .complex128 ? 2 : 1)
            #expect(accumulators < Int(SC_VECTOR_REGISTERS), "\(kind)")
        }
    }
}

struct StripShape {
    var kind: ArithmeticKind
    var rows, columns, filterRows, taps, outputStep, filterStep: Int

    /// Runs the kernels on random operands; says what went wrong. The input ends where it can no longer be read, at
    /// either side, and the output has canaries between its rows.
    func fault(_ generator: inout SeededGenerator) -> String? {
        switch kind {
        case .boolean: fault(UInt8.self, parts: 1, &generator) { $0 |= $1 & $2 }
        case .word16: fault(UInt16.self, parts: 1, &generator) { $0 &+= $1 &* $2 }
        case .word32: fault(UInt32.self, parts: 1, &generator) { $0 &+= $1 &* $2 }
        case .word64: fault(UInt64.self, parts: 1, &generator) { $0 &+= $1 &* $2 }
        case .float32: fault(Float.self, parts: 1, &generator, addProduct)
        case .float64: fault(Double.self, parts: 1, &generator, addProduct)
        case .complex64: fault(Float.self, parts: 2, &generator, addProduct)
        case .complex128: fault(Double.self, parts: 2, &generator, addProduct)
        }
    }

    private func addProduct<T: FloatingPoint>(_ sum: inout T, _ x: T, _ w: T) {
        if SC_HAS_FMA != 0 { sum.addProduct(x, w) } else { sum += x * w }
    }

    @inline(__always)
    private func fault<T: Numeric & BitwiseCopyable>(
        _: T.Type, parts: Int, _ generator: inout SeededGenerator, _ add: (inout T, T, T) -> Void
    ) -> String? {
        let size = MemoryLayout<T>.size
        // Taps lie side by side in every second strip; in the others backwards, on rows of their own.
        let rowTaps = rows % 2 == 0
        let pitch = columns + (rowTaps ? taps - 1 : rows % 3)
        let tapOffsets = (0..<taps).map { rowTaps ? $0 : (taps - 1 - $0) * pitch }
        let last = ((rows - 1) * outputStep + (filterRows - 1) * filterStep) * pitch
        let input = GuardedMemory(
            byteCount: (last + tapOffsets.max()! + columns) * parts * size,
            guarding: rows % 2 == 0 ? .end : .start)
        let weights = GuardedMemory(byteCount: taps * filterRows * parts * size)
        fill(T.self, input, &generator, isWeight: false)
        fill(T.self, weights, &generator, isWeight: true)
        let outputPitch = columns + (rows % 3)
        let output = GuardedMemory(
            byteCount: ((rows - 1) * outputPitch + columns) * parts * size, guarding: columns % 2 == 0 ? .start : .end)

        let bytes = parts * size
        let tapBytes = tapOffsets.map { $0 * bytes }
        tapBytes.withUnsafeBufferPointer { tapBytes in
            var strip = StencilStrip(
                input: input.base, inputRowStride: outputStep * pitch * bytes,
                filterRowStride: filterStep * pitch * bytes, output: output.base, outputRowStride: outputPitch * bytes,
                rows: rows, columns: columns, weights: weights.base, filterRows: filterRows, taps: taps,
                tapOffsets: tapBytes.baseAddress!)
            runStencilStrip(kind, &strip)
        }

        let x = input.base.assumingMemoryBound(to: T.self)
        let w = weights.base.assumingMemoryBound(to: T.self)
        for r in 0..<rows {
            for c in 0..<outputPitch where r < rows - 1 || c < columns {
                let actual = output.base + (r * outputPitch + c) * bytes
                if c >= columns {
                    let gap = UnsafeRawBufferPointer(start: actual, count: bytes)
                    if gap.contains(where: { $0 != GuardedMemory.canary }) { return "wrote into the gap at \(r), \(c)" }
                    continue
                }
                // With a complex weight's real part, and with its imaginary part.
                var sums: [4 of T] = [.zero, .zero, .zero, .zero]
                for t in 0..<taps {
                    for k in 0..<filterRows {
                        let index = tapOffsets[t] + (r * outputStep + k * filterStep) * pitch + c
                        let weight = t * filterRows + k
                        for part in 0..<parts {
                            for weightPart in 0..<parts {
                                add(
                                    &sums[2 * weightPart + part], x[index * parts + part],
                                    w[weight * parts + weightPart])
                            }
                        }
                    }
                }
                let expected: [2 of T] = [sums[0] - sums[3], sums[1] + sums[2]]
                for part in 0..<parts {
                    var value = parts == 1 ? sums[0] : expected[part]
                    if kind == .boolean && value != .zero { value = 1 }
                    if (actual + part * size).loadUnaligned(as: T.self) != value {
                        return "wrong at \(r), \(c): \((actual + part * size).loadUnaligned(as: T.self)), not \(value)"
                    }
                }
            }
        }
        return nil
    }

    private func fill<T>(
        _: T.Type, _ memory: GuardedMemory, _ generator: inout SeededGenerator, isWeight: Bool
    ) {
        let size = MemoryLayout<T>.size
        for offset in stride(from: 0, to: memory.byteCount, by: size) {
            let p = memory.base + offset
            if T.self == Float.self {
                p.storeBytes(of: Float.random(in: -1..<1, using: &generator), as: Float.self)
            } else if T.self == Double.self {
                p.storeBytes(of: Double.random(in: -1..<1, using: &generator), as: Double.self)
            } else if T.self == UInt8.self {
                let bit: UInt8 = 1 << UInt8.random(in: 0...7, using: &generator)
                p.storeBytes(of: generator.once(in: 5) ? (isWeight ? 0xFF : bit) : 0, as: UInt8.self)
            } else {
                withUnsafeBytes(of: generator.next()) { p.copyMemory(from: $0.baseAddress!, byteCount: size) }
            }
        }
    }
}
