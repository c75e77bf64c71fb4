import CSwiftConv
import Foundations
import Testing

/// One Toeplitz system, and ways to solve it.
private struct ToeplitzCall: @unchecked Sendable {
    var column: TestArray
    var row: TestArray
    var b: TestArray
    var x: TestArray
    var threads: Int32 = 1

    init(
        _ type: ElementType, _ n: Int, sides: Int, layout: Layout = .c, guarding: GuardedMemory.Guard = .end,
        _ generator: inout SeededGenerator
    ) {
        column = TestArray(type, [n], layout, guarding: guarding).filled(.normal, &generator)
        row = TestArray(type, [n], layout, guarding: guarding).filled(.normal, &generator)
        b = TestArray(type, [n, sides], layout, guarding: guarding).filled(.normal, &generator)
        x = TestArray(type, [n, sides], layout, guarding: guarding)
        // Diagonally dominant: no leading part is nearly singular.
        var numbers = column.complexNumbers
        if n > 0 { numbers[0] = SIMD2(10 + 4 * Double(n), 3) }
        column.setComplex(numbers)
    }

    func solve(control: sc_control? = nil) -> (status: Int, error: sc_error) {
        var (column, row, b, x) = (column.descriptor, row.descriptor, b.descriptor, x.descriptor)
        var error = sc_error()
        guard var control else {
            return (Int(CSwiftConv.sc_toeplitz_solve(&column, &row, &b, &x, threads, nil, &error)), error)
        }
        return (Int(CSwiftConv.sc_toeplitz_solve(&column, &row, &b, &x, threads, &control, &error)), error)
    }

    /// Gauss's elimination with pivots, on the dense matrix.
    var reference: [SIMD2<Double>] {
        let (n, sides) = (column.shape[0], b.shape[1])
        let (c, r, right) = (column.complexNumbers, row.complexNumbers, b.complexNumbers)
        var a = (0..<n).map { i in (0..<n).map { j in i >= j ? c[i - j] : r[j - i] } }
        var x = (0..<n).map { i in (0..<sides).map { right[i * sides + $0] } }
        for k in 0..<n {
            let pivot = (k..<n).max { magnitude(a[$0][k]) < magnitude(a[$1][k]) }!
            a.swapAt(k, pivot)
            x.swapAt(k, pivot)
            for i in 0..<n where i != k {
                let factor = divide(a[i][k], a[k][k])
                for j in k..<n { a[i][j] -= multiply(factor, a[k][j]) }
                for s in 0..<sides { x[i][s] -= multiply(factor, x[k][s]) }
            }
        }
        return (0..<n).flatMap { i in x[i].map { divide($0, a[i][i]) } }
    }
}

private func magnitude(_ a: SIMD2<Double>) -> Double { (a * a).sum().squareRoot() }

private func multiply(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> SIMD2<Double> {
    SIMD2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x)
}

private func divide(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> SIMD2<Double> {
    multiply(a, SIMD2(b.x, -b.y)) / (b * b).sum()
}

extension TestArray {
    fileprivate var complexNumbers: [SIMD2<Double>] {
        let numbers = numbers
        if !type.isComplex { return numbers.map { SIMD2($0, 0) } }
        return stride(from: 0, to: numbers.count, by: 2).map { SIMD2(numbers[$0], numbers[$0 + 1]) }
    }

    fileprivate func setComplex(_ values: [SIMD2<Double>]) {
        let parts = values.flatMap { type.isComplex ? [$0.x, $0.y] : [$0.x] }
        contents = parts.flatMap { part in withUnsafeBytes(of: part) { Array($0) } }
    }
}

private func expectSolved(_ call: ToeplitzCall, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(call.solve().status == SC_OK, sourceLocation: sourceLocation)
    let (found, wanted) = (call.x.complexNumbers, call.reference)
    let scale = wanted.map(magnitude).max() ?? 0
    for (f, w) in zip(found, wanted) {
        #expect(magnitude(f - w) <= 1e-13 * scale, sourceLocation: sourceLocation)
        if magnitude(f - w) > 1e-13 * scale { return }
    }
    #expect(call.x.canariesAreAlive, sourceLocation: sourceLocation)
}

@Suite struct ToeplitzTests {
    @Test(arguments: [ElementType.float64, .complex128], [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 25, 31, 33, 64, 65])
    func solvesAsElimination(type: ElementType, n: Int) {
        var generator = SeededGenerator(n)
        for sides in [1, 2, 3, 5, 33, 70] {
            for guarding in GuardedMemory.Guard.allCases {
                expectSolved(ToeplitzCall(type, n, sides: sides, guarding: guarding, &generator))
            }
        }
    }

    @Test(arguments: [ElementType.float64, .complex128], Layout.writable.filter { $0 != .byteswapped })
    func anyLayout(type: ElementType, layout: Layout) {
        var generator = SeededGenerator(1)
        expectSolved(ToeplitzCall(type, 19, sides: 6, layout: layout, &generator))
    }

    @Test(arguments: [ElementType.float64, .complex128])
    func threadsAndOtherSidesDoNotMatter(type: ElementType) {
        var generator = SeededGenerator(2)
        var call = ToeplitzCall(type, 200, sides: 50, &generator)
        #expect(call.solve().status == SC_OK)
        let wanted = call.x.contents
        for threads in [2, 3, 16] as [Int32] {
            call.threads = threads
            call.x = TestArray(type, [200, 50])
            #expect(call.solve().status == SC_OK)
            #expect(call.x.contents == wanted)
        }
        var alone = call
        alone.b = call.b.slice(axis: 1, 17..<18)
        alone.x = TestArray(type, [200, 1])
        #expect(alone.solve().status == SC_OK)
        #expect(alone.x.contents == call.x.slice(axis: 1, 17..<18).contents)
    }

    @Test func nothingToSolve() {
        var generator = SeededGenerator(3)
        for (n, sides) in [(0, 0), (0, 3), (3, 0)] {
            let call = ToeplitzCall(.float64, n, sides: sides, &generator)
            #expect(call.solve().status == SC_OK)
        }
    }

    @Test(arguments: [ElementType.float64, .complex128])
    func singularLeadingParts(type: ElementType) {
        var generator = SeededGenerator(4)
        for (column, row, order) in [
            ([0, 1, 2], [0, 1, 2], 1), ([1, 1, 7], [1, 1, 7], 2), ([2, 1, 5], [9, 4, 5], 2),
            ([1, 1, 1], [1, 0, 0], 0),
        ] as [([Double], [Double], Int)] {
            let call = ToeplitzCall(type, 3, sides: 2, &generator)
            call.column.setComplex(column.map { SIMD2($0, 0) })
            call.row.setComplex(row.map { SIMD2($0, 0) })
            let (status, error) = call.solve()
            #expect(status == (order == 0 ? SC_OK : SC_SINGULAR))
            if order > 0 {
                #expect(error.value == Int64(order) && error.argument == SC_ARG_A)
                #expect(call.x.memory.bytes.allSatisfy { $0 == GuardedMemory.canary })
            }
        }
    }

    @Test(arguments: [ElementType.float64, .complex128])
    func valuesOfAnyKind(type: ElementType) {
        var generator = SeededGenerator(5)
        let extremes = [Double.nan, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 0, -0.0]
        for value in extremes {
            for place in 0..<9 {
                for which in 0..<3 {
                    let call = ToeplitzCall(type, 9, sides: 3, &generator)
                    let array = [call.column, call.row, call.b][which]
                    var numbers = array.complexNumbers
                    numbers[place] = SIMD2(value, value)
                    array.setComplex(numbers)
                    #expect([SC_OK, SC_SINGULAR].contains(call.solve().status))
                    #expect(call.x.canariesAreAlive)
                }
            }
        }
    }

    @Test func interrupted() {
        var generator = SeededGenerator(6)
        for (sides, threads) in [(1, 1), (64, 1), (64, 2)] as [(Int, Int32)] {
            var call = ToeplitzCall(.float64, sides == 1 ? 60000 : 12000, sides: sides, &generator)
            call.threads = threads
            let (status, polls) = interruptedAtSecondPoll { call.solve(control: $0).status }
            #expect(status == SC_INTERRUPTED)
            #expect(polls >= 2)
        }
    }

    // MARK: - Descriptors that nobody should pass

    private func expectRefused(
        _ status: Int, argument: Int, sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (inout ToeplitzCall) -> Void
    ) {
        var generator = SeededGenerator(7)
        var call = ToeplitzCall(.float64, 5, sides: 3, &generator)
        change(&call)
        let (found, error) = call.solve()
        #expect(found == status, sourceLocation: sourceLocation)
        #expect(Int(error.argument) == argument, sourceLocation: sourceLocation)
        #expect(call.x.memory.bytes.allSatisfy { $0 == GuardedMemory.canary }, sourceLocation: sourceLocation)
    }

    @Test func shapesThatDisagree() {
        expectRefused(SC_RANK, argument: SC_ARG_A) { $0.column = TestArray(.float64, [5, 1]) }
        expectRefused(SC_RANK, argument: SC_ARG_A) { $0.column = TestArray(.float64, []) }
        expectRefused(SC_RANK, argument: SC_ARG_V) { $0.row = TestArray(.float64, [5, 1]) }
        expectRefused(SC_RANK, argument: SC_ARG_INPUT) { $0.b = TestArray(.float64, [5]) }
        expectRefused(SC_RANK, argument: SC_ARG_OUT) { $0.x = TestArray(.float64, [5]) }
        expectRefused(SC_EXTENT, argument: SC_ARG_V) { $0.row = TestArray(.float64, [4]) }
        expectRefused(SC_EXTENT, argument: SC_ARG_INPUT) { $0.b = TestArray(.float64, [6, 3]) }
        expectRefused(SC_EXTENT, argument: SC_ARG_OUT) { $0.x = TestArray(.float64, [4, 3]) }
        expectRefused(SC_EXTENT, argument: SC_ARG_OUT) { $0.x = TestArray(.float64, [5, 2]) }
        expectRefused(SC_EXTENT, argument: SC_ARG_OUT) { $0.x = TestArray(.float64, [5, 0]) }
    }

    @Test func typesThatDisagree() {
        for type in [ElementType.bool, .int64, .float16, .float32, .complex64] {
            expectRefused(SC_DTYPE, argument: SC_ARG_A) { $0.column = TestArray(type, [5]) }
            expectRefused(SC_DTYPE, argument: SC_ARG_V) { $0.row = TestArray(type, [5]) }
            expectRefused(SC_DTYPE, argument: SC_ARG_INPUT) { $0.b = TestArray(type, [5, 3]) }
            expectRefused(SC_DTYPE, argument: SC_ARG_OUT) { $0.x = TestArray(type, [5, 3]) }
        }
        expectRefused(SC_DTYPE, argument: SC_ARG_V) { $0.row = TestArray(.complex128, [5]) }
        expectRefused(SC_DTYPE, argument: SC_ARG_A) { $0.column = TestArray(.float64, [5], .byteswapped) }
        expectRefused(SC_DTYPE, argument: SC_ARG_INPUT) { $0.b = TestArray(.float64, [5, 3], .byteswapped) }
    }

    @Test func threadsOutOfRange() {
        expectRefused(SC_NOT_POSITIVE, argument: SC_ARG_THREADS) { $0.threads = -1 }
    }

    @Test func missingData() {
        var generator = SeededGenerator(8)
        let call = ToeplitzCall(.float64, 5, sides: 3, &generator)
        for missing in 0..<4 {
            var descriptors = [call.column, call.row, call.b, call.x].map(\.descriptor)
            descriptors[missing].data = nil
            let status = CSwiftConv.sc_toeplitz_solve(
                &descriptors[0], &descriptors[1], &descriptors[2], &descriptors[3], 1, nil, nil)
            #expect(status == SC_BAD_ENUM)
        }
    }

    @Test func moreThanMemoryHolds() {
        var generator = SeededGenerator(9)
        let call = ToeplitzCall(.float64, 5, sides: 3, &generator)
        for n in [1 << 45, Int64.max / 8, Int64.max] {
            for sides in [1, 1 << 20, Int64.max] as [Int64] {
                let (line, matrix, zeros) = ([n], [n, sides], [Int64](repeating: 0, count: 2))
                let status = line.withUnsafeBufferPointer { line in
                    matrix.withUnsafeBufferPointer { matrix in
                        zeros.withUnsafeBufferPointer { zeros in
                            var vector = call.column.descriptor
                            (vector.shape, vector.strides) = (line.baseAddress, zeros.baseAddress)
                            var (row, b, x) = (vector, call.b.descriptor, call.x.descriptor)
                            (b.shape, b.strides) = (matrix.baseAddress, zeros.baseAddress)
                            (x.shape, x.strides) = (matrix.baseAddress, zeros.baseAddress)
                            return CSwiftConv.sc_toeplitz_solve(&vector, &row, &b, &x, 2, nil, nil)
                        }
                    }
                }
                #expect(status == SC_NO_MEMORY)
            }
        }
    }
}
