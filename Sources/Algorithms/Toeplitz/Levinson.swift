import CMachine
import CSwiftConv
import Foundations

/// Toeplitz systems by the Levinson recursion (N. Levinson 1947; for matrices without symmetry W. F. Trench 1964).
///
/// Of the leading matrix of order s it keeps two vectors: f, with first element 1, that it takes to (alpha, 0, ..., 0), and
/// g, with last element 1, that it takes to (0, ..., 0, alpha); and the solution x of the first s equations. With a zero
/// added, f, g and x miss the equations of order s + 1 by one element each, the sums that the last pass has left:
///
///     f' = f - (missed by f / alpha) g      g' = g - (missed by g / alpha) f      x' = x + (missed by x / alpha') g'
///
/// A step is one pass over f and g and one over every x, each of which also sums what the next step needs. g lies at the
/// end of its memory, so that its zero is added in front by looking one place further to the left.
package enum Levinson {
    /// Right-hand sides that share a recursion: it takes as long as two of them, and they stay in the second cache.
    private static var mostSides: Int { 32 }
    private static var fewestSides: Int { 4 }

    /// False where it was interrupted; `x` is then partly written or not at all.
    package static func solve(_ problem: ToeplitzProblem, threads: Int, control: Control) throws(Failure) -> Bool {
        if problem.n == 0 || problem.sides == 0 { return true }
        return problem.isComplex
            ? try run(LevinsonComplex.self, problem, threads, control)
            : try run(LevinsonReal.self, problem, threads, control)
    }

    private static func run<F: LevinsonField>(
        _: F.Type, _ problem: ToeplitzProblem, _ threads: Int, _ control: Control
    ) throws(Failure) -> Bool {
        // Work is n * n passes of elements; below a tenth of a millisecond a thread is not worth waking.
        let used = Double(problem.n) * Double(problem.n) * Double(problem.sides) < 4e5 ? 1 : threads
        let group = groupOf(problem.sides, threads: used)
        let tasks = ceilingDivide(problem.sides, group)
        let layout = LevinsonLayout(n: problem.n, group: group, planes: F.planes)
        let slots = min(used, tasks)
        let byteCount = saturatingAdd(layout.sharedBytes, saturatingMultiply(slots, layout.bytesPerThread))
        var singular: Int64 = 0
        var interruption = Interruption(control)
        let finished = try withWorkspace(byteCount: byteCount) { (memory) throws(Failure) in
            withUnsafeMutablePointer(to: &singular) { singular in
                withUnsafeMutablePointer(to: &interruption) { interruption in
                    var context = LevinsonContext(
                        problem: problem, layout: layout, group: group, memory: memory, singular: singular,
                        interruption: interruption)
                    LevinsonRun<F>(context).copyMatrix()
                    let finished = ThreadPool.run(
                        tasks: tasks, grain: 1, threads: slots, control: control, context: &context, levinsonTasks)
                    return finished && !interruption.isRaised(slot: -1)
                }
            }
        }
        if finished && singular > 0 { throw Failure(SC_SINGULAR, argument: SC_ARG_A, value: Int(singular)) }
        return finished
    }

    /// As many in every task as possible: a thread that had one task less could not be heard while it waited.
    private static func groupOf(_ sides: Int, threads: Int) -> Int {
        let rounds = ceilingDivide(ceilingDivide(sides, mostSides), threads)
        let even = ceilingDivide(sides, saturatingMultiply(rounds, threads))
        return min(sides, max(fewestSides, even))
    }
}

private func levinsonTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: LevinsonContext.self).pointee
    if context.problem.isComplex {
        LevinsonRun<LevinsonComplex>(context, slot: slot).run(tasks: first..<end)
    } else {
        LevinsonRun<LevinsonReal>(context, slot: slot).run(tasks: first..<end)
    }
}

/// Elements passed between two looks at whether to go on: a millisecond or two.
private var elementsPerLook: Int { 2 << 20 }

/// Places in the workspace, in elements of 8 bytes from its start. Vectors have a margin of zeros at either end, which
/// whole vectors may reach into.
private struct LevinsonLayout {
    let plane: Int
    let vector: Int
    let bytesPerThread: Int
    let sharedBytes: Int

    static var margin: Int { 8 }

    init(n: Int, group: Int, planes: Int) {
        assert(LevinsonLayout.margin >= levinsonLanes)
        // Whole cache lines, but not a multiple of a page, at which vectors would push each other from the caches.
        let padded = roundToCacheLine(saturatingMultiply(saturatingAdd(n, 2 &* LevinsonLayout.margin), 8))
        let pitch = padded & 4095 == 0 ? saturatingAdd(padded, 192) : padded
        plane = pitch / 8
        vector = saturatingMultiply(plane, planes)
        let vectorBytes = saturatingMultiply(pitch, planes)
        sharedBytes = saturatingMultiply(2, vectorBytes)
        // f, g, solutions, and what each of them misses.
        let missed = roundToCacheLine(saturatingMultiply(group, 8 &* planes))
        bytesPerThread = saturatingAdd(saturatingMultiply(vectorBytes, saturatingAdd(group, 2)), missed)
    }
}

private struct LevinsonContext {
    let problem: ToeplitzProblem
    let layout: LevinsonLayout
    let group: Int
    let memory: UnsafeMutableRawPointer
    /// The order of a leading minor that is zero, 0 for none.
    let singular: UnsafeMutablePointer<Int64>
    let interruption: UnsafeMutablePointer<Interruption>
}

private struct LevinsonRun<F: LevinsonField> {
    private let context: LevinsonContext
    private let slot: Int
    /// column[i] is c[n - 1 - i]: read forwards beside f, g and x. Both matrix vectors and f, g and x begin after a margin.
    private let column: UnsafeMutablePointer<Double>
    private let row: UnsafeMutablePointer<Double>
    private let f: UnsafeMutablePointer<Double>
    private let g: UnsafeMutablePointer<Double>
    private let x: UnsafeMutablePointer<Double>
    private let missed: UnsafeMutablePointer<Double>

    private var n: Int { context.problem.n }
    private var plane: Int { context.layout.plane }
    private var vector: Int { context.layout.vector }

    init(_ context: LevinsonContext, slot: Int = 0) {
        self.context = context
        self.slot = slot
        let shared = context.memory.assumingMemoryBound(to: Double.self)
        let own = (context.memory + context.layout.sharedBytes + slot &* context.layout.bytesPerThread)
            .assumingMemoryBound(to: Double.self)
        let vector = context.layout.vector
        column = shared + LevinsonLayout.margin
        row = shared + (vector &+ LevinsonLayout.margin)
        f = own + LevinsonLayout.margin
        g = own + (vector &+ LevinsonLayout.margin)
        missed = own + 2 &* vector
        let missedCount = roundToCacheLine(context.group &* 8 &* F.planes) / 8
        x = missed + (missedCount &+ LevinsonLayout.margin)
    }

    func copyMatrix() {
        clear(column, vectors: 2)
        let problem = context.problem
        for i in 0..<n {
            F.set(column + (n &- 1 &- i), plane: plane, F.read(problem.column + i &* problem.columnStride))
            F.set(row + i, plane: plane, F.read(problem.row + i &* problem.rowStride))
        }
    }

    private func clear(_ first: UnsafeMutablePointer<Double>, vectors: Int) {
        (first - LevinsonLayout.margin).update(repeating: 0, count: vectors &* vector)
    }

    func run(tasks: Range<Int>) {
        for task in tasks {
            let first = task &* context.group
            let end = min(first &+ context.group, context.problem.sides)
            let minor = recurse(first..<end)
            if minor > 0 { sc_atomic_store(context.singular, Int64(minor)) }
            if minor != 0 { return }
            write(first..<end)
        }
    }

    /// 0 if all steps were taken, the order of a leading minor that is zero, or -1 where it was interrupted.
    private func recurse(_ sides: Range<Int>) -> Int {
        clear(f, vectors: 2)
        clear(x, vectors: sides.count)
        var alpha = F.get(column + (n &- 1), plane: plane)
        // Where f and g decay, as those of smooth kernels do, most of their elements would be subnormal: 20 times slower.
        // Among numbers that are almost subnormal themselves they count.
        let flush: Int32 = F.isTiny(alpha) ? 0 : 1
        let mode = sc_flush_subnormals(flush)
        defer { sc_restore_subnormals(mode) }
        if F.isZero(alpha) { return 1 }
        F.set(f, plane: plane, F.one)
        F.set(g + (n &- 1), plane: plane, F.one)
        // What vectors of one element miss in the second equation, and f and g in each other's.
        let second = n > 1 ? F.get(column + (n &- 2), plane: plane) : F.zero
        var sums = (column: second, row: n > 1 ? F.get(row + 1, plane: plane) : F.zero)
        for s in 0..<sides.count {
            let first = F.divide(rightHandSide(sides.lowerBound &+ s, 0), by: alpha)
            F.set(x + s &* vector, plane: plane, first)
            F.set(missed + s, plane: context.group, F.multiply(second, first))
        }
        var (size, passed) = (1, 0)
        while size < n {
            passed &+= size &* (sides.count &+ 2)
            if passed > elementsPerLook {
                // A signal's handler is none of our arithmetic.
                sc_restore_subnormals(mode)
                if context.interruption.isRaised(slot: slot) { return -1 }
                _ = sc_flush_subnormals(flush)
                passed = 0
            }
            let backward = F.divide(sums.row, by: alpha)
            let forward = F.divide(sums.column, by: alpha)
            alpha = F.subtract(alpha, F.multiply(sums.column, backward))
            if F.isZero(alpha) { return size &+ 1 }
            // Beside index i of the vectors, c[size + 1 - i] and r[i + 1]; in the last step the first is in the margin.
            let pass = LevinsonPass(
                f: f, g: g + (n &- 1 &- size), column: UnsafePointer(column + (n &- 2 &- size)),
                row: UnsafePointer(row + 1), count: size &+ 1, plane: plane)
            sums = F.updatePredictors(pass, forward: forward, backward: backward)
            for s in 0..<sides.count {
                let wanted = rightHandSide(sides.lowerBound &+ s, size)
                let lacks = F.subtract(wanted, F.get(missed + s, plane: context.group))
                let sum = F.updateSolution(pass, x + s &* vector, factor: F.divide(lacks, by: alpha))
                F.set(missed + s, plane: context.group, sum)
            }
            size &+= 1
        }
        return 0
    }

    private func rightHandSide(_ side: Int, _ i: Int) -> F.Number {
        F.read(context.problem.b + i &* context.problem.bStride + side &* context.problem.bSideStride)
    }

    private func write(_ sides: Range<Int>) {
        let problem = context.problem
        for s in 0..<sides.count {
            for i in 0..<n {
                F.write(
                    F.get(x + s &* vector + i, plane: plane),
                    problem.x + i &* problem.xStride + (sides.lowerBound &+ s) &* problem.xSideStride)
            }
        }
    }
}
