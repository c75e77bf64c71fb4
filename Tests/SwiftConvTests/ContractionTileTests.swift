import Foundations
import Kernels
import Testing

/// Contraction tiles of every height and width, bit for bit against sums made one product at a time.
struct ContractionTileTests {
    /// What a panel computes, in memory whose ends are guarded.
    private struct Operands {
        let kind: ArithmeticKind
        let rows: Int
        let vectors: Int
        let segments: [Int]
        var interleavesRows = false
        var lanes: Int { vectors * vectorLanes(kind) }
        var depth: Int { segments.reduce(0, +) }
        var type: ElementType {
            switch kind {
            case .boolean: .bool
            case .word16: .int16
            case .word32: .int32
            case .word64: .int64
            case .float32: .float32
            case .float64: .float64
            case .complex64: .complex64
            case .complex128: .complex128
            }
        }

        /// A word for what is wrong, nil if nothing is.
        func fault(startsFromOutput: Bool, _ generator: inout SeededGenerator) -> String? {
            let element = kind.byteCount
            // Complex parts are crossed after what they start from was added: exact values do not mind.
            let values = type.isComplex ? Values.exact : .rounding
            // Each segment of a row lies by itself, each depth of lanes after a gap.
            let rowParts = (0..<rows).map { _ in segments.map { TestArray(type, [$0]).filled(values, &generator) } }
            let packed = TestArray(type, [depth, lanes], .gappedRows).filled(values, &generator)
            let start = TestArray(type, [rows, lanes]).filled(values, &generator)
            let output = TestArray(type, [rows, lanes], .gappedRows)
            if kind == .boolean { makeWeightsWhole(rowParts, [start]) }
            output.contents = start.contents

            let capacity = segments.count + 1
            let base = UnsafeRawPointer(output.data)
            var offsets = rowParts.flatMap { parts in parts.map { UnsafeRawPointer($0.data) - base } + [0] }
            let grouped = interleavesRows ? group(rowParts.map { $0[0] }, type) : nil
            if let grouped {
                for r in 0..<rows {
                    let group = r / contractionTileRows * contractionTileRows
                    offsets[r * capacity] =
                        UnsafeRawPointer(grouped.data) - base + (group * depth + r - group) * element
                }
            }
            let outputOffsets = (0..<rows).map { $0 * output.strides[0] }
            offsets.withUnsafeBufferPointer { offsets in
                var panel = ContractionPanel(
                    rowBase: base, rowSegments: offsets.baseAddress!, segmentCapacity: capacity,
                    segments: segments.count, segmentLengths: segments, lanes: packed.data,
                    lanePitch: packed.strides[0], output: output.data, outputOffsets: outputOffsets)
                (panel.rows, panel.vectors) = (rows, vectors)
                panel.rowPitch = interleavesRows ? contractionTileRows * element : 0
                if !startsFromOutput {
                    panel.start = UnsafeRawPointer(start.data)
                    (panel.startRowStride, panel.startStride) = (lanes * element, vectorLanes(kind) * element)
                }
                runContractionPanel(.elements(kind), &panel)
            }
            if !output.canariesAreAlive { return "written outside" }
            let found = output.contents
            for r in 0..<rows {
                for lane in 0..<lanes {
                    let expected = sum(rowParts[r], packed, lane, start.data + (r * lanes + lane) * element)
                    let place = (r * lanes + lane) * element
                    if Array(found[place..<place + element]) != expected { return "row \(r), lane \(lane)" }
                }
            }
            return nil
        }

        /// The rows as [group][depth][row].
        private func group(_ rows: [TestArray], _ type: ElementType) -> TestArray {
            let element = kind.byteCount
            let groups = (rows.count + contractionTileRows - 1) / contractionTileRows
            let grouped = TestArray(type, [groups, depth, contractionTileRows])
            var bytes = grouped.contents
            for (r, row) in rows.enumerated() {
                let from = row.contents
                for d in 0..<depth {
                    let place = (r / contractionTileRows * depth + d) * contractionTileRows + r % contractionTileRows
                    for b in 0..<element { bytes[place * element + b] = from[d * element + b] }
                }
            }
            grouped.contents = bytes
            return grouped
        }

        /// Kernels AND: of two true bytes one has all bits.
        private func makeWeightsWhole(_ rows: [[TestArray]], _ others: [TestArray]) {
            for part in rows.flatMap({ $0 }) { part.contents = part.contents.map { $0 == 0 ? 0 : 0xFF } }
            for other in others { other.contents = other.contents.map { $0 == 0 ? 0 : 1 } }
        }

        private func sum(
            _ row: [TestArray], _ packed: TestArray, _ lane: Int, _ start: UnsafeRawPointer
        ) -> [UInt8] {
            let element = kind.byteCount
            var sum = SumOfProducts(kind)
            var d = 0
            for part in row {
                for k in 0..<part.count {
                    var x = SIMD2<UInt64>.zero
                    withUnsafeMutableBytes(of: &x) {
                        $0.copyMemory(
                            from: UnsafeRawBufferPointer(
                                start: packed.data + d * packed.strides[0] + lane * element, count: element))
                    }
                    sum.add(x, part.data + k * element)
                    d += 1
                }
            }
            // What it starts from comes last.
            var result = sum.result
            var first = SIMD2<UInt64>.zero
            withUnsafeMutableBytes(of: &first) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: start, count: element))
            }
            withUnsafeMutableBytes(of: &result) {
                addToRows(kind, first, $0.baseAddress!, rowStride: 0, rows: 1, count: 1)
            }
            return withUnsafeBytes(of: result) { Array($0.prefix(element)) }
        }
    }

    @Test(arguments: StencilStripTests.kinds)
    func equalsThePlainSum(kind: ArithmeticKind) {
        var generator = SeededGenerator(900)
        for vectors in 1...contractionTileVectors(kind) {
            for rows in 0...13 {
                for segments in [[1], [7], [3, 1, 4], [16, 17]] {
                    for startsFromOutput in [false, true] {
                        for interleavesRows in segments.count == 1 ? [false, true] : [false] {
                            let operands = Operands(
                                kind: kind, rows: rows, vectors: vectors, segments: segments,
                                interleavesRows: interleavesRows)
                            if let fault = operands.fault(startsFromOutput: startsFromOutput, &generator) {
                                Issue.record("\(fault): \(operands)")
                                return
                            }
                        }
                    }
                }
            }
        }
    }

    /// Lanes of every distance, element size and rest of a panel.
    @Test(arguments: [1, 2, 4, 8, 16])
    func packsPanels(element: Int) {
        var generator = SeededGenerator(910)
        for _ in 0..<300 {
            let count = Int.random(in: 1...70, using: &generator)
            let width = count + generator.pick([0, 0, 1, 15])
            // Runs of lanes that are one element, two, none or any apart.
            var lanes = [0]
            var step = 1
            while lanes.count < count {
                if generator.once(in: 9) { step = generator.pick([0, 1, 1, 2, 3, -1]) }
                let jump = generator.once(in: 15) ? Int.random(in: 0...9, using: &generator) : 0
                lanes.append(lanes.last! + step + jump)
            }
            let lowest = lanes.min()!
            let laneOffsets = lanes.map { ($0 - lowest) * element }
            let runs = depthRuns(&generator)
            let depthOffsets = runs.flatMap { run in
                let first = Int.random(in: 0...8, using: &generator)
                return (0..<run).map { (first + $0) * element }
            }
            let depth = depthOffsets.count
            let bytes = laneOffsets.max()! + depthOffsets.max()! + element
            for guarding in GuardedMemory.Guard.allCases {
                let source = GuardedMemory(byteCount: bytes, guarding: guarding)
                for i in source.bytes.indices { source.bytes[i] = .random(in: 0...255, using: &generator) }
                let pitch = width * element
                let panel = GuardedMemory(byteCount: depth * pitch, guarding: guarding)
                laneOffsets.withUnsafeBufferPointer { lanes in
                    depthOffsets.withUnsafeBufferPointer { depths in
                        runs.withUnsafeBufferPointer { runs in
                            var from = PanelSource(
                                source: source.base, laneOffsets: lanes.baseAddress!, lanes: count,
                                depthOffsets: depths.baseAddress!, depth: depth, depthRuns: runs.baseAddress!,
                                depthRunCount: runs.count, elementBytes: element)
                            packPanel(&from, width: width, to: panel.base, pitch: pitch)
                        }
                    }
                }
                let isWrong = panel.bytes.indices.contains { i in
                    let (d, lane, byte) = (i / pitch, i % pitch / element, i % element)
                    let expected = lane < count ? source.bytes[laneOffsets[lane] + depthOffsets[d] + byte] : 0
                    return panel.bytes[i] != expected
                }
                #expect(!isWrong, "count \(count), width \(width), depth \(depth), lanes \(lanes)")
            }
        }
    }

    /// Few depths, or long runs of them, which are transposed where lanes are not contiguous.
    private func depthRuns(_ generator: inout SeededGenerator) -> [Int] {
        let longest = generator.pick([1, 5, 40])
        return (0..<Int.random(in: 1...5, using: &generator)).map { _ in Int.random(in: 1...longest, using: &generator)
        }
    }
}
