import CSwiftConv
import Foundations
import Testing

/// A convolution whose matrix is written: of int64 kernels, whose sums are exact.
private struct MatrixCall {
    var axes: [sc_matrix_axis]
    var boundary = SC_BOUNDARY_FILL
    var byColumns = false
    var threads = 1
    var groups = 1
    var filters = 1
    var channels = 1
    var kernel: TestArray

    init(_ axes: [sc_matrix_axis], _ kernel: TestArray) {
        self.axes = axes
        self.kernel = kernel
    }

    func withMatrix<R>(_ body: (UnsafePointer<sc_matrix>) -> R) -> R {
        axes.withUnsafeBufferPointer { axes in
            var matrix = sc_matrix(
                axis_count: Int32(axes.count), boundary: Int32(boundary), by_columns: byColumns ? 1 : 0,
                threads: Int32(threads), groups: Int64(groups), filters: Int64(filters), channels: Int64(channels),
                axes: axes.baseAddress)
            return body(&matrix)
        }
    }

    func count(_ error: UnsafeMutablePointer<sc_error>? = nil) -> (status: Int, size: sc_matrix_size) {
        var size = sc_matrix_size()
        let status = withMatrix { CSwiftConv.sc_matrix_count($0, &size, error) }
        return (Int(status), size)
    }

    /// The whole matrix, [row][column], by its definition: and whether each entry is there.
    var expected: (values: [Int], isThere: [Bool], columns: Int) {
        let (outputs, samples) = (axes.map { Int($0.outputs) }, axes.map { Int($0.samples) })
        let taps = axes.map { Int($0.taps) }
        let (perOutput, perSample) = (outputs.reduce(1, *), samples.reduce(1, *))
        let columns = groups * channels * perSample
        var values = [Int](repeating: 0, count: groups * filters * perOutput * columns)
        var isThere = values.map { _ in false }
        let elements = kernel.data.assumingMemoryBound(to: Int.self)
        for filter in 0..<groups * filters {
            for channel in 0..<channels {
                for output in 0..<perOutput {
                    for tap in 0..<taps.reduce(1, *) {
                        guard let sample = meet(output, outputs, tap, taps, samples) else { continue }
                        let column = (filter / filters * channels + channel) * perSample + sample
                        let place = (filter * perOutput + output) * columns + column
                        values[place] &+= elements[(filter * channels + channel) * taps.reduce(1, *) + tap]
                        isThere[place] = true
                    }
                }
            }
        }
        return (values, isThere, columns)
    }

    private func meet(_ output: Int, _ outputs: [Int], _ tap: Int, _ taps: [Int], _ samples: [Int]) -> Int? {
        var (output, tap, radix, sample) = (output, tap, 1, 0)
        for a in axes.indices.reversed() {
            let axis = axes[a]
            let place =
                Int(axis.step) * (output % outputs[a]) + Int(axis.dilation) * (tap % taps[a]) - Int(axis.padding)
            let mapped = Boundary(rawValue: Int32(boundary))!.map(place, extent: samples[a])
            if mapped < 0 { return nil }
            sample += mapped * radix
            radix *= samples[a]
            output /= outputs[a]
            tap /= taps[a]
        }
        return sample
    }

    static func random(_ generator: inout SeededGenerator) -> MatrixCall {
        let axes = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
            sc_matrix_axis(
                samples: .random(in: 1...6, using: &generator), outputs: .random(in: 1...6, using: &generator),
                taps: .random(in: 1...5, using: &generator), step: .random(in: 1...3, using: &generator),
                dilation: .random(in: 1...3, using: &generator), padding: .random(in: -3...9, using: &generator))
        }
        let (groups, filters, channels) = (
            generator.pick([1, 1, 2]), generator.pick([1, 1, 3]), generator.pick([1, 1, 2])
        )
        let kernel = TestArray(.int64, [groups * filters, channels] + axes.map { Int($0.taps) }).filled(&generator)
        var call = MatrixCall(axes, kernel)
        (call.groups, call.filters, call.channels) = (groups, filters, channels)
        call.boundary = generator.pick([
            SC_BOUNDARY_FILL, SC_BOUNDARY_FILL, SC_BOUNDARY_WRAP, SC_BOUNDARY_SYMMETRIC, SC_BOUNDARY_REFLECT,
            SC_BOUNDARY_EDGE,
        ])
        call.threads = generator.pick([1, 1, 3])
        return call
    }
}

struct MatrixTests {
    private func integers(_ array: TestArray) -> [Int] {
        let count = array.shape.reduce(1, *)
        if array.type == .int32 {
            return (0..<count).map { Int(array.data.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)) }
        }
        return (0..<count).map { array.data.loadUnaligned(fromByteOffset: 8 * $0, as: Int.self) }
    }

    /// Rows and columns, every boundary, indices of both sizes, line numbers: against the definition, with guard pages.
    @Test(arguments: [false, true])
    func compressedLines(byColumns: Bool) {
        var generator = SeededGenerator(1200 + (byColumns ? 1 : 0))
        for _ in 0..<1500 {
            var call = MatrixCall.random(&generator)
            call.byColumns = byColumns
            let (status, size) = call.count()
            #expect(status == SC_OK)
            let expected = call.expected
            #expect(Int(size.entries) == expected.isThere.count { $0 })
            let index = generator.pick([ElementType.int32, .int64])
            let pointers = TestArray(index, [Int(size.lines) + 1])
            let indices = TestArray(index, [Int(size.entries)])
            let lines = TestArray(index, [Int(size.entries)])
            let data = TestArray(.int64, [Int(size.entries)])
            let written = call.withMatrix { matrix in
                var (kernel, first) = (call.kernel.descriptor, pointers.descriptor)
                var (second, third, fourth) = (indices.descriptor, lines.descriptor, data.descriptor)
                return CSwiftConv.sc_matrix_compressed(matrix, &kernel, &first, &second, &third, &fourth, nil, nil)
            }
            #expect(Int(written) == SC_OK)
            #expect([pointers, indices, lines, data].allSatisfy { $0.canariesAreAlive })
            let (begins, crossed, numbers, values) = (
                integers(pointers), integers(indices), integers(lines), integers(data)
            )
            var (found, isThere) = (expected.values.map { _ in 0 }, expected.values.map { _ in false })
            for line in 0..<Int(size.lines) {
                for i in begins[line]..<begins[line + 1] {
                    #expect(numbers[i] == line)
                    #expect(i == begins[line] || crossed[i - 1] < crossed[i])
                    let (row, column) = byColumns ? (crossed[i], line) : (line, crossed[i])
                    found[row * expected.columns + column] = values[i]
                    isThere[row * expected.columns + column] = true
                }
            }
            #expect(found == expected.values && isThere == expected.isThere, "\(call)")
        }
    }

    /// Whole matrices of any strides, and blocks of the last axis.
    @Test func denseAndBlocks() {
        var generator = SeededGenerator(1210)
        for _ in 0..<1500 {
            let call = MatrixCall.random(&generator)
            let (expected, size) = (call.expected, call.count().size)
            let shape = [Int(size.lines), Int(size.crossed)]
            let layout = generator.pick([Layout.c, .fortran, .reversed, .everySecond, .gappedRows])
            let out = TestArray(.int64, shape, layout)
            out.set([Double](repeating: 0, count: out.count))
            let last = call.axes[call.axes.count - 1]
            let blocks = TestArray(.int64, [Int(size.blocks), Int(last.outputs), Int(last.samples)])
            blocks.set([Double](repeating: 0, count: blocks.count))
            let rows = Int(size.lines / last.outputs)
            let (pointers, indices) = (TestArray(.int64, [rows + 1]), TestArray(.int64, [Int(size.blocks)]))
            call.withMatrix { matrix in
                var (kernel, dense, data) = (call.kernel.descriptor, out.descriptor, blocks.descriptor)
                var (first, second) = (pointers.descriptor, indices.descriptor)
                #expect(Int(CSwiftConv.sc_matrix_dense(matrix, &kernel, &dense, nil, nil)) == SC_OK)
                #expect(
                    Int(CSwiftConv.sc_matrix_blocks(matrix, &kernel, &first, &second, &data, nil, nil)) == SC_OK)
            }
            #expect([out, blocks, pointers, indices].allSatisfy { $0.canariesAreAlive })
            let (begins, columns, values) = (integers(pointers), integers(indices), integers(blocks))
            let (height, width) = (Int(last.outputs), Int(last.samples))
            var fromBlocks = expected.values.map { _ in 0 }
            for row in 0..<rows {
                for b in begins[row]..<begins[row + 1] {
                    for (i, j) in (0..<height).flatMap({ i in (0..<width).map { (i, $0) } }) {
                        fromBlocks[(row * height + i) * expected.columns + columns[b] * width + j] =
                            values[(b * height + i) * width + j]
                    }
                }
            }
            #expect(fromBlocks == expected.values, "\(call)")
            let dense = (0..<shape[0]).flatMap { i in
                (0..<shape[1]).map { j in
                    out.data.loadUnaligned(fromByteOffset: i * out.strides[0] + j * out.strides[1], as: Int.self)
                }
            }
            #expect(dense == expected.values, "\(call), \(layout)")
        }
    }

    /// Entries of several taps, in every dtype: the sums that a contraction with ones has.
    @Test(arguments: ElementType.allCases)
    func sumsOfTaps(type: ElementType) {
        var generator = SeededGenerator(1220)
        let axis = sc_matrix_axis(samples: 2, outputs: 3, taps: 5, step: 1, dilation: 1, padding: 2)
        let kernel = TestArray(type, [1, 1, 5]).filled(&generator)
        var call = MatrixCall([axis], kernel)
        call.boundary = SC_BOUNDARY_WRAP
        let out = TestArray(type, [3, 2])
        out.set([Double](repeating: 0, count: 6))
        call.withMatrix { matrix in
            var (first, second) = (kernel.descriptor, out.descriptor)
            #expect(Int(CSwiftConv.sc_matrix_dense(matrix, &first, &second, nil, nil)) == SC_OK)
        }
        let size = type.byteCount
        for (output, column) in (0..<3).flatMap({ output in (0..<2).map { (output, $0) } }) {
            let taps = (0..<5).filter { (output + $0) % 2 == column }
            let (chosen, ones) = (TestArray(type, [taps.count]), TestArray(type, [taps.count]))
            ones.set(taps.map { _ in 1 })
            for (i, tap) in taps.enumerated() {
                (chosen.data + i * size).copyMemory(from: kernel.data + tap * size, byteCount: size)
            }
            let sum = NestCall("i,i>", [chosen, ones]).output(SC_CONTRACT_REFERENCE)!
            let found = Array(UnsafeRawBufferPointer(start: out.data + (output * 2 + column) * size, count: size))
            #expect(found == Array(UnsafeRawBufferPointer(start: sum.data, count: size)))
        }
    }

    @Test func hostileDescriptors() {
        var generator = SeededGenerator(1230)
        let good = sc_matrix_axis(samples: 4, outputs: 5, taps: 3, step: 1, dilation: 1, padding: 1)
        let kernel = TestArray(.int64, [1, 1, 3]).filled(&generator)
        func status(_ change: (inout sc_matrix_axis) -> Void) -> Int {
            var axis = good
            change(&axis)
            return MatrixCall([axis], kernel).count().status
        }
        #expect(status { _ in } == SC_OK)
        for number in [Int64(0), -1, .min] {
            #expect(status { $0.samples = number } == SC_NOT_POSITIVE)
            #expect(status { $0.outputs = number } == SC_NOT_POSITIVE)
            #expect(status { $0.taps = number } == SC_NOT_POSITIVE)
            #expect(status { $0.step = number } == SC_NOT_POSITIVE)
            #expect(status { $0.dilation = number } == SC_NOT_POSITIVE)
        }
        for number in [Int64.max, Int64.max / 2, Int64.max / 4] {
            #expect(status { $0.samples = number } != SC_OK)
            #expect(status { $0.outputs = number } != SC_OK)
            #expect(status { $0.taps = number } != SC_OK)
            #expect(status { $0.step = number } == SC_SIZE_OVERFLOW)
            #expect(status { $0.dilation = number } == SC_SIZE_OVERFLOW)
            #expect(status { $0.padding = number } == SC_SIZE_OVERFLOW)
            #expect(status { $0.padding = -number } == SC_SIZE_OVERFLOW)
        }
        #expect(status { $0.padding = .min } == SC_SIZE_OVERFLOW)
        var call = MatrixCall([good], kernel)
        call.boundary = 9
        #expect(call.count().status == SC_BAD_ENUM)
        call.boundary = SC_BOUNDARY_WRAP
        call.groups = 0
        #expect(call.count().status == SC_NOT_POSITIVE)
        call.groups = .max
        #expect(call.count().status == SC_SIZE_OVERFLOW)
        call.axes = []
        #expect(call.count().status == SC_TOO_MANY_DIMENSIONS)
    }

    /// Arrays of other sizes, dtypes and strides than asked for are refused before anything is written.
    @Test func hostileArrays() {
        var generator = SeededGenerator(1240)
        let axis = sc_matrix_axis(samples: 4, outputs: 4, taps: 3, step: 1, dilation: 1, padding: 1)
        let call = MatrixCall([axis], TestArray(.int64, [1, 1, 3]).filled(&generator))
        func status(
            kernel: TestArray? = nil, pointers: TestArray? = nil, indices: TestArray? = nil, data: TestArray? = nil
        ) -> Int {
            let arrays = [
                kernel ?? call.kernel, pointers ?? TestArray(.int32, [5]), indices ?? TestArray(.int32, [10]),
                data ?? TestArray(.int64, [10]),
            ]
            return withExtendedLifetime(arrays) {
                call.withMatrix { matrix in
                    var (first, second) = (arrays[0].descriptor, arrays[1].descriptor)
                    var (third, fourth) = (arrays[2].descriptor, arrays[3].descriptor)
                    return Int(
                        CSwiftConv.sc_matrix_compressed(matrix, &first, &second, &third, nil, &fourth, nil, nil))
                }
            }
        }
        #expect(status() == SC_OK)
        #expect(status(kernel: TestArray(.int64, [1, 3])) == SC_RANK)
        #expect(status(kernel: TestArray(.int64, [1, 2, 3])) == SC_EXTENT)
        #expect(status(kernel: TestArray(.int64, [1, 1, 4])) == SC_EXTENT)
        #expect(status(kernel: TestArray(.int64, [1, 1, 3], .reversed)) == SC_BAD_ENUM)
        #expect(status(kernel: TestArray(.int64, [1, 1, 3], .byteswapped)) == SC_DTYPE)
        #expect(status(pointers: TestArray(.int32, [4])) == SC_EXTENT)
        #expect(status(pointers: TestArray(.int64, [5])) == SC_DTYPE)
        #expect(status(indices: TestArray(.int32, [9])) == SC_EXTENT)
        #expect(status(indices: TestArray(.float32, [10])) == SC_DTYPE)
        #expect(status(indices: TestArray(.int32, [10], .everySecond)) == SC_BAD_ENUM)
        #expect(status(data: TestArray(.int32, [10])) == SC_DTYPE)
        #expect(status(data: TestArray(.int64, [11])) == SC_EXTENT)
    }

    @Test func interrupts() {
        let axis = sc_matrix_axis(samples: 3000, outputs: 3000, taps: 500, step: 1, dilation: 1, padding: 250)
        var generator = SeededGenerator(1250)
        let call = MatrixCall([axis], TestArray(.int64, [1, 1, 500]).filled(&generator))
        let out = TestArray(.int64, [3000, 3000])
        var control = sc_control(interrupted: { _ in 1 }, context: nil)
        var statuses: Set<Int> = []
        for _ in 0..<20 {
            let status = call.withMatrix { matrix in
                var (kernel, dense) = (call.kernel.descriptor, out.descriptor)
                return CSwiftConv.sc_matrix_dense(matrix, &kernel, &dense, &control, nil)
            }
            statuses.insert(Int(status))
        }
        #expect(statuses.isSubset(of: [SC_OK, SC_INTERRUPTED]))
    }
}
