import Foundations

/// Writes the matrix of a convolution: compressed by lines (CSR, CSC, and COO beside it), dense, or in blocks (BSR). It is
/// never held in any other form, and its entries are found by arithmetic: each strip of lines along the last axis by itself.
package enum Matrices {
    /// How large a matrix is.
    package static func size(_ matrix: ConvolutionMatrix) throws(Failure) -> MatrixSize {
        var size = MatrixSize()
        _ = try MatrixPlan.with(matrix) { (plan) throws(Failure) in
            size = plan.size
            return true
        }
        return size
    }

    /// Arrays of a compressed matrix, indices of 4 or 8 bytes.
    package struct Compressed {
        package var indexBytes: Int
        /// Of each line the number of its first entry, one more at the end.
        package var pointers: UnsafeMutableRawPointer
        /// Of each entry what its line crosses there, in ascending order.
        package var indices: UnsafeMutableRawPointer
        /// Of each entry its line; nil where nobody asks.
        package var lines: UnsafeMutableRawPointer?
        package var values: UnsafeMutableRawPointer

        package init(
            indexBytes: Int, pointers: UnsafeMutableRawPointer, indices: UnsafeMutableRawPointer,
            lines: UnsafeMutableRawPointer?, values: UnsafeMutableRawPointer
        ) {
            self.indexBytes = indexBytes
            self.pointers = pointers
            self.indices = indices
            self.lines = lines
            self.values = values
        }

        fileprivate func setLast(line: Int, to count: Int) {
            let place = pointers + line &* indexBytes
            if indexBytes == 4 {
                place.storeBytes(of: Int32(truncatingIfNeeded: count), as: Int32.self)
            } else {
                place.storeBytes(of: Int64(count), as: Int64.self)
            }
        }
    }

    /// An array of the whole matrix that holds zeros, strides in bytes.
    package struct Dense {
        package var values: UnsafeMutableRawPointer
        package var lineStride: Int
        package var crossingStride: Int

        package init(values: UnsafeMutableRawPointer, lineStride: Int, crossingStride: Int) {
            self.values = values
            self.lineStride = lineStride
            self.crossingStride = crossingStride
        }
    }

    package static func write(
        _ matrix: ConvolutionMatrix, to target: Compressed, threads: Int, control: Control
    ) throws(Failure) -> Bool {
        try run(matrix, .compressed(target), threads, control)
    }

    package static func write(
        _ matrix: ConvolutionMatrix, to target: Dense, threads: Int, control: Control
    ) throws(Failure) -> Bool {
        try run(matrix, .dense(target), threads, control)
    }

    /// Blocks of the last axis's [line][crossing], contiguous and holding zeros; pointers and indices are those of blocks.
    package static func write(
        _ matrix: ConvolutionMatrix, blocks target: Compressed, threads: Int, control: Control
    ) throws(Failure) -> Bool {
        try run(matrix, .blocks(target), threads, control)
    }

    private static func run(
        _ matrix: ConvolutionMatrix, _ target: MatrixTarget, _ threads: Int, _ control: Control
    ) throws(Failure) -> Bool {
        try MatrixPlan.with(matrix) { (plan) throws(Failure) in
            switch target {
            case .compressed(let arrays): arrays.setLast(line: plan.size.lines, to: plan.size.entries)
            case .dense: break
            case .blocks(let arrays): arrays.setLast(line: matrix.strips, to: plan.size.blocks)
            }
            let stripBytes = roundToCacheLine(MatrixStrip.byteCount(plan))
            let perThread = saturatingAdd(stripBytes, roundToCacheLine(AxisEntries.byteCount(plan.last.mostMeetings)))
            let perTask = pieceLength(plan, target)
            let pieces = ceilingDivide(plan.last.positions, perTask)
            let tasks = saturatingMultiply(matrix.strips, pieces)
            let used = max(1, min(sharing.threads(threads, work: Double(plan.size.entries)), tasks))
            return try withWorkspace(byteCount: saturatingMultiply(perThread, used)) { (scratch) throws(Failure) in
                var context = MatrixContext(
                    plan: plan, target: target, piece: perTask, pieces: pieces, scratch: scratch,
                    scratchPerThread: perThread, stripBytes: stripBytes)
                return ThreadPool.run(
                    tasks: tasks, grain: 1, threads: used, control: control, context: &context, matrixTasks)
            }
        }
    }

    /// Positions of the last axis that a task takes.
    private static func pieceLength(_ plan: MatrixPlan, _ target: MatrixTarget) -> Int {
        let perLine = saturatingMultiply(plan.mostItems, max(plan.last.mostOthers, 1))
        return max(1, min(plan.last.positions, taskEntries / max(perLine, 1)))
    }
}

/// Entries of a task: a fraction of a millisecond; and what is worth waking a thread for.
private var taskEntries: Int { 1 << 16 }
private var sharing: WorkSharing { WorkSharing(perThread: 30_000) }

enum MatrixTarget {
    case compressed(Matrices.Compressed)
    case dense(Matrices.Dense)
    case blocks(Matrices.Compressed)
}

private struct MatrixContext {
    let plan: MatrixPlan
    let target: MatrixTarget
    let piece: Int
    let pieces: Int
    let scratch: UnsafeMutableRawPointer
    let scratchPerThread: Int
    let stripBytes: Int
}

private func matrixTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: MatrixContext.self).pointee
    let scratch = context.scratch + slot &* context.scratchPerThread
    let plan = context.plan
    var run = MatrixRun(plan, scratch, entries: scratch + context.stripBytes)
    for task in first..<end {
        let piece = task % context.pieces
        let range = piece &* context.piece..<min((piece &+ 1) &* context.piece, plan.last.positions)
        run.enter(task / context.pieces)
        switch context.target {
        case .compressed(let target):
            if target.indexBytes == 4 {
                run.write(range, to: target, Int32.self)
            } else {
                run.write(range, to: target, Int64.self)
            }
        case .dense(let target): run.write(range, to: target)
        case .blocks(let target):
            if target.indexBytes == 4 {
                run.write(range, blocks: target, Int32.self)
            } else {
                run.write(range, blocks: target, Int64.self)
            }
        }
    }
}
