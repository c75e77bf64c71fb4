import CMachine
import CSwiftConv
import Foundations
import Kernels
import Testing

/// Products of integers by other means than integers of their sums' size: words of small ones, of which one instruction takes
/// several, and reals.
struct IntegerProductTests {
    // MARK: Tiles, packing

    enum Words: CaseIterable {
        case pairs, unsignedQuads, signedQuads

        var products: PanelProducts {
            switch self {
            case .pairs: .pairs
            case .unsignedQuads: .quads(lanesAreUnsigned: true)
            case .signedQuads: .quads(lanesAreUnsigned: false)
            }
        }

        /// The sum of products of a row's words and a lane's.
        func sum(_ row: [UInt8], _ lane: [UInt8]) -> UInt32 {
            func signed(_ x: UInt8) -> Int { Int(Int8(bitPattern: x)) }
            func pair(_ bytes: [UInt8], _ i: Int) -> Int { Int(Int16(bytes[i + 1]) << 8 | Int16(bytes[i])) }
            var sum = 0
            for i in stride(from: 0, to: row.count, by: self == .pairs ? 2 : 1) {
                switch self {
                case .pairs: sum += pair(row, i) * pair(lane, i)
                case .unsignedQuads: sum += signed(row[i]) * Int(lane[i])
                case .signedQuads: sum += Int(row[i]) * signed(lane[i])
                }
            }
            return UInt32(truncatingIfNeeded: sum)
        }
    }

    /// Any bytes, or all the same: those of the largest products are among them.
    private func bytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        let values: [UInt8?] = [nil, nil, 0, 0x7F, 0x80, 0xFF]
        let value = generator.pick(values)
        return (0..<count).map { _ in value ?? UInt8.random(in: 0...255, using: &generator) }
    }

    @Test(arguments: Words.allCases)
    func tilesEqualThePlainSum(words: Words) {
        var generator = SeededGenerator(1100)
        for vectors in 1...contractionTileVectors(.word32) {
            let lanes = vectors * vectorLanes(.word32)
            for rows in 0...13 {
                for segments in [[1], [7], [3, 1, 4]] {
                    let depth = segments.reduce(0, +)
                    let parts = (0..<rows).map { _ in
                        segments.map { length in
                            let part = GuardedMemory(byteCount: 4 * length)
                            part.bytes.copyBytes(from: bytes(4 * length, &generator))
                            return part
                        }
                    }
                    let packed = GuardedMemory(byteCount: 4 * depth * lanes)
                    for d in 0..<depth {
                        for lane in 0..<lanes {
                            let word = bytes(4, &generator)
                            for i in 0..<4 { packed.bytes[4 * (d * lanes + lane) + i] = word[i] }
                        }
                    }
                    let start = TestArray(.uint32, [rows, lanes]).filled(&generator)
                    let output = TestArray(.uint32, [rows, lanes])
                    run(words, parts, packed, depth, start, output, vectors)
                    #expect(output.canariesAreAlive)
                    for r in 0..<rows {
                        for lane in 0..<lanes {
                            let column = (0..<depth).flatMap { d in
                                (0..<4).map { packed.bytes[4 * (d * lanes + lane) + $0] }
                            }
                            let place = 4 * (r * lanes + lane)
                            let first = start.data.loadUnaligned(fromByteOffset: place, as: UInt32.self)
                            let found = output.data.loadUnaligned(fromByteOffset: place, as: UInt32.self)
                            #expect(found == first &+ words.sum(parts[r].flatMap { Array($0.bytes) }, column))
                        }
                    }
                }
            }
        }
    }

    private func run(
        _ words: Words, _ parts: [[GuardedMemory]], _ packed: GuardedMemory, _ depth: Int, _ start: TestArray,
        _ output: TestArray, _ vectors: Int
    ) {
        let lanes = output.shape[1]
        // One more than there are, so that neither list is empty.
        let base = UnsafeRawPointer(packed.base)
        let segments = parts.flatMap { $0.map { UnsafeRawPointer($0.base) - base } } + [0]
        let lengths = (parts.first ?? []).map { $0.byteCount / 4 } + [0]
        let outputOffsets = (0...parts.count).map { 4 * $0 * lanes }
        segments.withUnsafeBufferPointer { segments in
            lengths.withUnsafeBufferPointer { lengths in
                var panel = ContractionPanel(
                    rowBase: base, rowSegments: segments.baseAddress!, segmentCapacity: lengths.count - 1,
                    segments: lengths.count - 1, segmentLengths: lengths.baseAddress!, lanes: packed.base,
                    lanePitch: 4 * lanes, output: output.data, outputOffsets: outputOffsets)
                (panel.rows, panel.vectors) = (parts.count, vectors)
                panel.start = UnsafeRawPointer(start.data)
                (panel.startRowStride, panel.startStride) = (4 * lanes, 4 * vectorLanes(.word32))
                runContractionPanel(words.products, &panel)
            }
        }
    }

    /// Lanes of every distance, runs of depths of every length, and rests of words and panels.
    @Test(arguments: [1, 2])
    func packsWords(element: Int) {
        var generator = SeededGenerator(1110)
        let depths = 4 / element
        for _ in 0..<600 {
            // Bytes lie in panels of 16 lanes and more: only vectors of 64 bytes multiply them.
            let unit = element == 1 ? 16 : vectorLanes(.word32)
            let width = unit * Int.random(in: 1...4, using: &generator)
            let count = generator.once(in: 3) ? width : Int.random(in: 1...width, using: &generator)
            var lanes = [0]
            var step = 1
            while lanes.count < count {
                if generator.once(in: 9) { step = generator.pick([0, 1, 1, 2, 3, -1]) }
                let jump = generator.once(in: 25) ? Int.random(in: 0...9, using: &generator) : 0
                lanes.append(lanes.last! + step + jump)
            }
            let lowest = lanes.min()!
            let laneOffsets = lanes.map { ($0 - lowest) * element }
            let longest = generator.pick([1, 5, 40, 300])
            let runs = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
                Int.random(in: 1...longest, using: &generator)
            }
            let depthOffsets = runs.flatMap { run in
                let first = Int.random(in: 0...8, using: &generator)
                return (0..<run).map { (first + $0) * element }
            }
            let depth = depthOffsets.count
            let source = GuardedMemory(
                byteCount: laneOffsets.max()! + depthOffsets.max()! + element,
                guarding: generator.pick(GuardedMemory.Guard.allCases))
            for i in source.bytes.indices { source.bytes[i] = .random(in: 0...255, using: &generator) }
            let panel = GuardedMemory(byteCount: (depth + depths - 1) / depths * width * 4)
            let stage = GuardedMemory(byteCount: wordStageBytes)
            laneOffsets.withUnsafeBufferPointer { lanes in
                depthOffsets.withUnsafeBufferPointer { offsets in
                    runs.withUnsafeBufferPointer { runs in
                        var from = PanelSource(
                            source: source.base, laneOffsets: lanes.baseAddress!, lanes: count,
                            depthOffsets: offsets.baseAddress!, depth: depth, depthRuns: runs.baseAddress!,
                            depthRunCount: runs.count, elementBytes: element)
                        packWords(&from, width: width, to: panel.base, pitch: 4 * width, stage: stage.base)
                    }
                }
            }
            let isWrong = panel.bytes.indices.contains { i in
                let (word, lane, byte) = (i / (4 * width), i / 4 % width, i % 4)
                let d = word * depths + byte / element
                let isThere = lane < count && d < depth
                let expected = isThere ? source.bytes[laneOffsets[lane] + depthOffsets[d] + byte % element] : 0
                return panel.bytes[i] != expected
            }
            #expect(!isWrong, "count \(count), width \(width), runs \(runs), lanes \(lanes)")
        }
    }

    /// What words of four 128s add, subtracted.
    @Test func corrections() {
        var generator = SeededGenerator(1120)
        for count in Array(0...40) + [63, 64, 65] {
            let width = 2 * vectorLanes(.word32)
            let words = GuardedMemory(byteCount: 4 * count * width)
            words.bytes.copyBytes(from: bytes(4 * count * width, &generator))
            func expected(_ words: [UInt8]) -> UInt32 {
                UInt32(truncatingIfNeeded: words.reduce(0) { $0 - 128 * Int(Int8(bitPattern: $1)) })
            }
            #expect(quadCorrection(ofRow: words.base, count: count) == expected(Array(words.bytes.prefix(4 * count))))
            let found = GuardedMemory(byteCount: 4 * width)
            quadCorrections(ofLanes: words.base, count: count, width: width, to: found.base)
            for lane in 0..<width {
                let column = (0..<count).flatMap { d in (0..<4).map { words.bytes[4 * (d * width + lane) + $0] } }
                #expect(found.base.loadUnaligned(fromByteOffset: 4 * lane, as: UInt32.self) == expected(column))
            }
        }
    }

    @Test func flipsBytes() {
        var generator = SeededGenerator(1130)
        for count in Array(0...150) + [255, 256, 257] {
            for guarding in GuardedMemory.Guard.allCases {
                let source = GuardedMemory(byteCount: count, guarding: guarding)
                source.bytes.copyBytes(from: bytes(count, &generator))
                let target = GuardedMemory(byteCount: count, guarding: guarding)
                sc_copy_flipped(
                    target.base.assumingMemoryBound(to: UInt8.self), source.base.assumingMemoryBound(to: UInt8.self),
                    Int64(count))
                #expect(Array(target.bytes) == source.bytes.map { $0 ^ 0x80 })
            }
        }
    }

    // MARK: Convolutions

    static let types: [ElementType] = [.int8, .uint8, .int16, .uint16]
    static let results: [ElementType] = [.int32, .uint32, .int8, .uint8, .int16, .uint16]

    /// An array of any values, or of the largest and smallest alone.
    private func array(
        _ type: ElementType, _ shape: [Int], _ layout: Layout, _ generator: inout SeededGenerator
    ) -> TestArray {
        let array = TestArray(type, shape, layout, guarding: generator.pick(GuardedMemory.Guard.allCases))
            .filled(&generator)
        if generator.once(in: 2) { return array }
        let isSigned = type == .int8 || type == .int16
        let bits = 8 * type.byteCount
        let ends = isSigned ? [-1 << (bits - 1), 1 << (bits - 1) - 1] : [0, 1 << bits - 1]
        let only = generator.pick([ends, [ends[0]], [ends[1]]])
        array.set((0..<array.count).map { _ in Double(generator.pick(only)) })
        return array
    }

    /// Problems at random over options, layouts, values and operations.
    @Test(arguments: types, types)
    func everyProblem(first: ElementType, second: ElementType) {
        var generator = SeededGenerator(1140 + 16 * Int(first.rawValue) + Int(second.rawValue))
        for operation in ConvolutionReferenceTests.operations {
            for _ in 0..<60 {
                let result = generator.pick(Self.results)
                var call = ConvolutionCall.random(operation, result, &generator)
                call.a = array(first, call.a.shape, generator.pick(Layout.allCases), &generator)
                call.b = array(second, call.b.shape, generator.pick(Layout.allCases), &generator)
                let layout = generator.pick(Layout.writable)
                let expected = call.output(SC_CONV_REFERENCE)
                for method in [SC_CONV_GEMM, SC_CONV_AUTO] {
                    #expect(sameBits(call.output(method, layout), expected), "\(call) by \(method), out \(layout)")
                }
            }
        }
    }

    /// Depths around whole words and whole blocks of words, lanes along either side.
    @Test(arguments: types, [ElementType.int8, .uint8, .int16])
    func edgesOfWords(first: ElementType, second: ElementType) {
        var generator = SeededGenerator(1150)
        for channels in Array(1...9) + [31, 319, 320, 321, 639, 640, 641, 1282] {
            for (taps, layout) in [(1, Layout.c), (3, .c), (1, .channelsLast), (3, .channelsLast)] {
                for outChannels in channels < 100 ? [3, 20, 70] : [20] {
                    var call = ConvolutionCall(
                        array(first, [1, channels, 19], layout, &generator),
                        array(second, [outChannels, channels, taps], .c, &generator),
                        result: generator.pick(Self.results))
                    call.pad(taps / 2)
                    let expected = call.output(SC_CONV_REFERENCE)
                    for out in [Layout.c, .channelsLast] {
                        #expect(sameBits(call.output(SC_CONV_GEMM, out), expected), "\(call), out \(out)")
                    }
                }
            }
        }
    }

    /// Filters in any order of memory, dense or not, where they supply lanes.
    @Test(arguments: types, Layout.allCases)
    func layoutsOfFilters(type: ElementType, layout: Layout) {
        var generator = SeededGenerator(1160)
        for (outChannels, channels) in [(33, 7), (64, 20), (130, 80)] {
            var call = ConvolutionCall(
                array(.int8, [1, channels, 5, 6], .channelsLast, &generator),
                array(type, [outChannels, channels, 3, 3], layout, &generator), result: .int32)
            call.pad(1)
            call.bias = TestArray(.int32, [outChannels]).filled(&generator)
            let expected = call.output(SC_CONV_REFERENCE)
            #expect(sameBits(call.output(SC_CONV_GEMM, .channelsLast), expected), "\(call)")
            #expect(sameBits(call.output(SC_CONV_GEMM), expected), "\(call)")
        }
    }

    /// Results of other dtypes than 32-bit integers keep all their bits.
    @Test(arguments: [ElementType.int64, .uint64, .int16, .float32, .float64])
    func otherResults(result: ElementType) {
        var generator = SeededGenerator(1170)
        let call = ConvolutionCall(
            array(.int8, [1, 9, 20], .c, &generator), array(.uint8, [5, 9, 3], .c, &generator), result: result)
        #expect(sameBits(call.output(SC_CONV_GEMM), call.output(SC_CONV_REFERENCE)))
    }

    // MARK: Reals

    /// Magnitudes of which all sums are exact in float32, in float64, and in neither, those at the limits among them.
    @Test(arguments: [ElementType.int32, .uint32, .int64, .uint64])
    func reals(type: ElementType) {
        var generator = SeededGenerator(1180 + Int(type.rawValue))
        let isSigned = type == .int32 || type == .int64
        for bits in [1, 8, 9, 10, 22, 23, 31, 40, 51] where bits < 8 * type.byteCount {
            for _ in 0..<4 {
                func array(_ shape: [Int], bits: Int) -> TestArray {
                    let array = TestArray(type, shape, generator.pick(Layout.allCases))
                    let largest = 1 << bits - 1
                    array.set(
                        (0..<array.count).map { _ in
                            Double(Int.random(in: (isSigned ? -largest : 0)...largest, using: &generator))
                        })
                    return array
                }
                let other = generator.pick([1, 5, bits])
                let nest = NestCall("bik,kj->bij", [array([2, 50, 80], bits: bits), array([80, 90], bits: other)])
                let (expected, found) = (nest.output(SC_CONTRACT_REFERENCE), nest.output(SC_CONTRACT_AUTO))
                #expect(sameBits(found!, expected!), "\(bits) and \(other) bits")
                var layer = ConvolutionCall(
                    array([1, 11, 20, 21], bits: bits), array([35, 11, 3, 3], bits: other), result: type)
                layer.pad(generator.pick([0, 1]))
                let layout = generator.pick(Layout.writable)
                #expect(
                    sameBits(layer.output(SC_CONV_GEMM, layout), layer.output(SC_CONV_REFERENCE)),
                    "\(layer), \(bits) and \(other) bits")
            }
        }
    }

    @Test func largestMagnitudes() {
        var generator = SeededGenerator(1190)
        for type in [ElementType.int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64] {
            for count in [0, 1, 2, 15, 64, 65, 300] {
                for layout in [Layout.c, .everySecond, .byteswapped, .misaligned] {
                    let array = TestArray(type, [count], layout).filled(&generator)
                    let found = largestMagnitude(
                        array.data, type, swapUnit: layout == .byteswapped ? type.byteCount : 1,
                        stride: array.strides[0], count: count)
                    let expected = (0..<count).map { magnitude(array, $0) }.max() ?? 0
                    #expect(found == expected)
                }
            }
        }
    }

    private func magnitude(_ array: TestArray, _ i: Int) -> UInt64 {
        let place = array.data + i * array.strides[0]
        func read<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> UInt64 {
            let value = place.loadUnaligned(as: T.self)
            return UInt64((array.byteswapped ? value.byteSwapped : value).magnitude)
        }
        return switch array.type {
        case .int8: read(Int8.self)
        case .uint8: read(UInt8.self)
        case .int16: read(Int16.self)
        case .uint16: read(UInt16.self)
        case .int32: read(Int32.self)
        case .uint32: read(UInt32.self)
        case .int64: read(Int64.self)
        default: read(UInt64.self)
        }
    }
}
