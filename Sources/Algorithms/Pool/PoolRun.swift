import CMachine
import Foundations
import Kernels

/// Taps that are read side by side, and the distance in bytes from which on they are: 7 x 7 averages over channels-last
/// images take 13 % less time with 8 than with one, and a third less than with all 49.
private let tapGroup: Int64 = 8
private let farApart: Int64 = 1024

/// One thread's work on a plan.
struct PoolRun {
    let plan: UnsafePointer<PoolPlan>
    let scratch: UnsafeMutableRawPointer

    private var elementBytes: Int { plan.pointee.form.elementBytes }
    private var kernels: PoolKernels { plan.pointee.form.kernels }

    /// All outputs of a block.
    func reduce(_ block: inout PoolBlock) {
        let taps = plan.pointee.column.taps
        let chunk = plan.pointee.tapChunk
        var results = Results(block, self)
        if plan.pointee.fuses {
            fused(&block, into: results)
        } else {
            horizontal(&block, 0..<min(chunk, taps), into: results)
        }
        var first = chunk
        while first < taps {
            let partial = Results(scratch + plan.pointee.scratch.chunk, block, self)
            horizontal(&block, first..<min(first &+ chunk, taps), into: partial)
            let sum = Results(
                scratch
                    + (results.base == scratch + plan.pointee.scratch.results
                        ? plan.pointee.scratch.otherResults : plan.pointee.scratch.results),
                block, self)
            add(results, partial, into: sum, block)
            results = sum
            first = first &+ chunk
        }
        finish(results, block)
        if !plan.pointee.writesInPlace { write(results, block) }
    }

    /// Where a block's results go: rows, and in each row columns of units that lie side by side.
    struct Results {
        var base: UnsafeMutableRawPointer
        var rowStride: Int
        var columnStride: Int

        init(_ block: PoolBlock, _ run: PoolRun) {
            self.init(run.scratch + run.plan.pointee.scratch.results, block, run)
            if run.plan.pointee.writesInPlace {
                base = block.output
                rowStride = run.plan.pointee.row.outStride
                columnStride = run.plan.pointee.column.outStride
            }
        }

        init(_ base: UnsafeMutableRawPointer, _ block: PoolBlock, _ run: PoolRun) {
            self.base = base
            rowStride = run.plan.pointee.scratch.outPitch
            columnStride = block.units &* run.plan.pointee.form.elementBytes
        }
    }

    /// Partial sums onto each other.
    private func add(_ sum: Results, _ partial: Results, into out: Results, _ block: PoolBlock) {
        var lines = sc_window_lines()
        lines.initial = UnsafePointer(sum.base.assumingMemoryBound(to: UInt8.self))
        lines.initial_row_stride = Int64(sum.rowStride)
        setSource(&lines, partial.base, rowStride: partial.rowStride, tapStride: 0, taps: 1)
        setOut(&lines, out.base, rowStride: out.rowStride)
        setSize(&lines, rows: block.rows.count, elements: block.columns.count &* block.units)
        kernels.lines(&lines)
    }

    // MARK: - Windows along a line

    /// Reduces the taps `chunk` of the column axis, after the rows if there is a vertical pass to make.
    func horizontal(_ block: inout PoolBlock, _ chunk: Range<Int>, into results: Results) {
        let column = plan.pointee.column
        let first = column.step &* block.columns.lowerBound &+ column.dilation &* chunk.lowerBound &- column.padding
        let span = column.step &* (block.columns.count &- 1) &+ column.dilation &* (chunk.count &- 1) &+ 1
        if plan.pointee.isDirect && first >= 0 && span <= column.inExtent &- first {
            let row = plan.pointee.row
            let source = block.input + (row.step &* block.rows.lowerBound &- row.padding) &* row.inStride
            reduceLines(
                source + first &* column.inStride, rowStride: row.step &* row.inStride, columnStride: column.inStride,
                taps: chunk.count, into: results, block)
        } else {
            vertical(&block, from: first, span: span)
            reduceLines(
                scratch + plan.pointee.scratch.lines, rowStride: plan.pointee.scratch.pitch,
                columnStride: block.units &* elementBytes, taps: chunk.count, into: results, block)
        }
    }

    private func reduceLines(
        _ source: UnsafeRawPointer, rowStride: Int, columnStride: Int, taps: Int, into results: Results,
        _ block: PoolBlock
    ) {
        let column = plan.pointee.column
        let (rows, columns) = (block.rows.count, block.columns.count)
        let unitBytes = block.units &* elementBytes
        var lines = sc_window_lines()
        setSource(&lines, source, rowStride: rowStride, tapStride: column.dilation &* columnStride, taps: taps)
        setOut(&lines, results.base, rowStride: results.rowStride)
        lines.step = Int64(column.step &* columnStride)
        switch plan.pointee.horizontal {
        case .lines, .pixels:
            let isFlat = column.step == 1 && columnStride == unitBytes && results.columnStride == unitBytes
            if isFlat || columns == 1 {
                setSize(&lines, rows: rows, elements: columns &* block.units)
                reduceByGroups(&lines, rows: rows)
                return
            }
            for r in 0..<rows {
                setSource(
                    &lines, source + r &* rowStride, rowStride: column.step &* columnStride,
                    tapStride: column.dilation &* columnStride, taps: taps)
                setOut(&lines, results.base + r &* results.rowStride, rowStride: results.columnStride)
                setSize(&lines, rows: columns, elements: block.units)
                kernels.lines(&lines)
            }
        case .pairs:
            setSize(&lines, rows: rows, elements: columns)
            kernels.pairs(&lines)
        case .strided:
            setSize(&lines, rows: rows, elements: columns)
            kernels.strided(&lines)
        case .runs:
            setSize(&lines, rows: rows, elements: columns)
            setIdentity(&lines)
            kernels.runs(&lines)
        }
    }

    /// Many taps far apart some at a time, so that each of them is read as a long line: the hardware follows few streams.
    private func reduceByGroups(_ lines: inout sc_window_lines, rows: Int) {
        let bytes = Int(lines.count) &* plan.pointee.form.scalar.byteCount
        let (taps, out, pitch) = (lines.taps, lines.out, lines.out_row_stride)
        if taps <= tapGroup || lines.tap_stride < farApart || bytes < Int(farApart) || !plan.pointee.isDirect {
            kernels.lines(&lines)
            return
        }
        var done: Int64 = 0
        var turn = false
        while done < taps {
            lines.taps = min(tapGroup, taps &- done)
            done &+= lines.taps
            if done < taps {
                let scratchLines = turn ? plan.pointee.scratch.otherLines : plan.pointee.scratch.lines
                setOut(&lines, scratch + scratchLines, rowStride: plan.pointee.scratch.pitch)
            } else {
                lines.out = out
                lines.out_row_stride = pitch
            }
            kernels.lines(&lines)
            lines.initial = UnsafePointer(lines.out)
            lines.initial_row_stride = lines.out_row_stride
            lines.source += Int(lines.taps &* lines.tap_stride)
            turn.toggle()
        }
    }

    // MARK: - Rows onto each other

    /// Fills the scratch lines: for every row of the block the columns `first..<first + span`, padding included.
    private func vertical(_ block: inout PoolBlock, from first: Int, span: Int) {
        let row = plan.pointee.row
        let low = min(max(first, 0), plan.pointee.column.inExtent)
        let high = max(low, min(first &+ span, plan.pointee.column.inExtent))
        let line = Line(columns: low..<high, skipped: min(max(low &- first, 0), span))
        fillPadding(block, line, span: span)
        let inner = row.interior.clamped(to: block.rows)
        if inner.isEmpty {
            for r in block.rows { verticalRows(&block, r..<r &+ 1, row.taps(of: r), line) }
            return
        }
        for r in block.rows.lowerBound..<inner.lowerBound { verticalRows(&block, r..<r &+ 1, row.taps(of: r), line) }
        verticalRows(&block, inner, 0..<row.taps, line)
        for r in inner.upperBound..<block.rows.upperBound { verticalRows(&block, r..<r &+ 1, row.taps(of: r), line) }
    }

    /// The columns of a scratch line that lie in the input, after some that lie in the padding.
    private struct Line {
        let columns: Range<Int>
        let skipped: Int
    }

    private func fillPadding(_ block: PoolBlock, _ line: Line, span: Int) {
        let after = span &- line.skipped &- line.columns.count
        fill(block, block.rows, column: 0, count: line.skipped)
        fill(block, block.rows, column: span &- after, count: after)
    }

    private func fill(_ block: PoolBlock, _ rows: Range<Int>, column: Int, count: Int) {
        if count == 0 { return }
        var value = SIMD2<UInt64>(plan.pointee.form.identity, 0)
        let pitch = plan.pointee.scratch.pitch
        fillRows(
            &value,
            to: scratch + plan.pointee.scratch.lines + (rows.lowerBound &- block.rows.lowerBound) &* pitch + column
                &* block.units &* elementBytes, rowStride: pitch, rows: rows.count, count: count &* block.units,
            elementBytes: elementBytes)
    }

    private func verticalRows(_ block: inout PoolBlock, _ rows: Range<Int>, _ taps: Range<Int>, _ line: Line) {
        if line.columns.isEmpty { return }
        if block.planes == 0 || taps.isEmpty {
            fill(block, rows, column: line.skipped, count: line.columns.count)
        } else if plan.pointee.readsInPlace {
            combineRows(&block, rows, taps, line)
        } else if plan.pointee.stagesBlocks {
            combineStagedRows(&block, rows, taps, line)
        } else {
            for r in rows { combineStagedRow(&block, r, taps, line) }
        }
    }

    /// Byte offset, from a block's input, of the line's first column under a tap of a row.
    private func offset(_ row: Int, _ tap: Int, _ line: Line) -> Int {
        let axis = plan.pointee.row
        return (axis.step &* row &- axis.padding &+ axis.dilation &* tap) &* axis.inStride &+ line.columns.lowerBound
            &* plan.pointee.column.inStride
    }

    /// Where a row of the block begins in the scratch lines, or beside them.
    private func target(_ block: PoolBlock, _ row: Int, _ line: Line, other: Bool) -> UnsafeMutableRawPointer {
        scratch + (other ? plan.pointee.scratch.otherLines : plan.pointee.scratch.lines)
            + (row
                &- block.rows.lowerBound) &* plan.pointee.scratch.pitch + line.skipped &* block.units &* elementBytes
    }

    private func combineRows(_ block: inout PoolBlock, _ rows: Range<Int>, _ taps: Range<Int>, _ line: Line) {
        let row = plan.pointee.row
        let pitch = plan.pointee.scratch.pitch
        let isDense = plan.pointee.lineIsDense && block.units == plan.pointee.unit.outExtent
        var lines = sc_window_lines()
        for plane in 0..<block.planes {
            let other = (block.planes &- plane) % 2 == 0  // the last plane ends in the scratch lines
            let source = block.input + offset(rows.lowerBound, taps.lowerBound, line)
            let out = target(block, rows.lowerBound, line, other: other)
            let initial = plane == 0 ? nil : UnsafeRawPointer(target(block, rows.lowerBound, line, other: !other))
            if isDense {
                setSource(
                    &lines, source, rowStride: row.step &* row.inStride, tapStride: row.dilation &* row.inStride,
                    taps: taps.count)
                setOut(&lines, out, rowStride: pitch)
                setInitial(&lines, initial, rowStride: pitch)
                setSize(&lines, rows: rows.count, elements: line.columns.count &* block.units)
                kernels.lines(&lines)
            } else {
                let unitBytes = block.units &* elementBytes
                for r in 0..<rows.count {
                    setSource(
                        &lines, source + r &* row.step &* row.inStride, rowStride: plan.pointee.column.inStride,
                        tapStride: row.dilation &* row.inStride, taps: taps.count)
                    setOut(&lines, out + r &* pitch, rowStride: unitBytes)
                    setInitial(&lines, initial.map { $0 + r &* pitch }, rowStride: unitBytes)
                    setSize(&lines, rows: line.columns.count, elements: block.units)
                    kernels.lines(&lines)
                }
            }
            block.input += advancePlane()
        }
    }

    /// Rows that are gathered or converted first, each once for all the outputs that it is a tap of.
    private func combineStagedRows(_ block: inout PoolBlock, _ rows: Range<Int>, _ taps: Range<Int>, _ line: Line) {
        let row = plan.pointee.row
        let staged = scratch + plan.pointee.scratch.staged
        let (stagedPitch, pitch) = (plan.pointee.scratch.stagedPitch, plan.pointee.scratch.pitch)
        let count = row.step &* (rows.count &- 1) &+ row.dilation &* (taps.count &- 1) &+ 1
        var lines = sc_window_lines()
        for plane in 0..<block.planes {
            let other = (block.planes &- plane) % 2 == 0  // the last plane ends in the scratch lines
            let source = block.input + offset(rows.lowerBound, taps.lowerBound, line)
            for i in 0..<count {
                stage(source + i &* row.inStride, line.columns.count, block.units, to: staged + i &* stagedPitch)
            }
            setSource(
                &lines, staged, rowStride: row.step &* stagedPitch, tapStride: row.dilation &* stagedPitch,
                taps: taps.count)
            setOut(&lines, target(block, rows.lowerBound, line, other: other), rowStride: pitch)
            setInitial(
                &lines, plane == 0 ? nil : UnsafeRawPointer(target(block, rows.lowerBound, line, other: !other)),
                rowStride: pitch)
            setSize(&lines, rows: rows.count, elements: line.columns.count &* block.units)
            kernels.lines(&lines)
            block.input += advancePlane()
        }
    }

    /// Rows that are gathered or converted first, some at a time.
    private func combineStagedRow(_ block: inout PoolBlock, _ row: Int, _ taps: Range<Int>, _ line: Line) {
        let elements = line.columns.count &* block.units
        let groups = ceilingDivide(taps.count, plan.pointee.stagedRows)
        let staged = scratch + plan.pointee.scratch.staged
        let pitch = plan.pointee.scratch.stagedPitch
        var lines = sc_window_lines()
        var left = block.planes &* groups
        var initial: UnsafeMutableRawPointer?
        for _ in 0..<block.planes {
            var tap = taps.lowerBound
            while tap < taps.upperBound {
                let out = target(block, row, line, other: left % 2 == 0)
                let count = min(plan.pointee.stagedRows, taps.upperBound &- tap)
                if initial == nil && taps.count == 1 {
                    stage(block.input + offset(row, tap, line), line.columns.count, block.units, to: out)
                } else {
                    for i in 0..<count {
                        stage(
                            block.input + offset(row, tap &+ i, line), line.columns.count, block.units,
                            to: staged + i &* pitch)
                    }
                    setSource(&lines, staged, rowStride: 0, tapStride: pitch, taps: count)
                    setOut(&lines, out, rowStride: 0)
                    setInitial(&lines, initial.map { UnsafeRawPointer($0) }, rowStride: 0)
                    setSize(&lines, rows: 1, elements: elements)
                    kernels.lines(&lines)
                }
                initial = out
                left = left &- 1
                tap = tap &+ count
            }
            block.input += advancePlane()
        }
    }

    /// A line as kernels want it: contiguous, converted, raised to the power of a norm.
    private func stage(
        _ source: UnsafeRawPointer, _ columns: Int, _ units: Int, to destination: UnsafeMutableRawPointer
    ) {
        let form = plan.pointee.form
        let raw = scratch + plan.pointee.scratch.raw
        let stride = plan.pointee.column.inStride
        if plan.pointee.lineIsDense && units == plan.pointee.unit.outExtent {
            form.reader.read(
                source, stride: plan.pointee.problem.inputType.byteCount, count: columns &* units, to: destination,
                stage: raw)
        } else if units == 1 {
            form.reader.read(source, stride: stride, count: columns, to: destination, stage: raw)
        } else {
            for c in 0..<columns {
                form.reader.read(
                    source + c &* stride, stride: plan.pointee.unit.inStride, count: units,
                    to: destination + c &* units &* elementBytes, stage: raw)
            }
        }
        if plan.pointee.problem.pooling == .lp { prepareForNorm(destination, count: columns &* units) }
    }

    private func prepareForNorm(_ memory: UnsafeMutableRawPointer, count: Int) {
        let problem = plan.pointee.problem
        if problem.power.isInfinite {
            magnitudes(memory, count: count, negated: problem.power < 0, plan.pointee.form.scalar)
        } else {
            raise(
                memory, count: count, to: PoolPower(problem.power), signed: problem.signedPowers,
                plan.pointee.form.scalar)
        }
    }

    // MARK: - Results

    private func finish(_ results: Results, _ block: PoolBlock) {
        let problem = plan.pointee.problem
        switch problem.pooling {
        case .max, .sum:
            if plan.pointee.form.isBoolean {
                forEachRun(results, block, block.columns) { normaliseBooleans($0, count: $1) }
            }
        case .average: average(results, block)
        case .lp:
            let scalar = plan.pointee.form.scalar
            if problem.power.isInfinite {
                if problem.power < 0 { forEachRun(results, block, block.columns) { negate($0, count: $1, scalar) } }
            } else {
                let power = PoolPower(problem.power)
                forEachRun(results, block, block.columns) { root($0, count: $1, of: power, scalar) }
            }
        }
    }

    private func average(_ results: Results, _ block: PoolBlock) {
        let problem = plan.pointee.problem
        let scalar = plan.pointee.form.scalar
        if problem.divisor != 0 {
            forEachRun(results, block, block.columns) { divide($0, count: $1, by: Double(problem.divisor), scalar) }
            return
        }
        let (row, column) = (plan.pointee.row, plan.pointee.column)
        let inner = column.fullyCounted(padding: problem.countsPadding).clamped(to: block.columns)
        let innerRows = row.isWindow ? row.fullyCounted(padding: problem.countsPadding) : block.rows
        let whole = Double(block.counted) * Double(column.taps)
        if inner == block.columns && innerRows.clamped(to: block.rows) == block.rows {
            forEachRun(results, block, inner) { divide($0, count: $1, by: whole * Double(row.taps), scalar) }
            return
        }
        for r in block.rows {
            let start = results.base + (r &- block.rows.lowerBound) &* results.rowStride
            let counted = row.counted(r, padding: problem.countsPadding)
            for c in block.columns where !inner.contains(c) {
                let few = counted &* column.counted(c, padding: problem.countsPadding)
                forEachRun(start, results.columnStride, block, c..<c &+ 1) {
                    divide($0, count: $1, by: Double(block.counted) * Double(few), scalar)
                }
            }
            forEachRun(start, results.columnStride, block, inner) {
                divide($0, count: $1, by: whole * Double(counted), scalar)
            }
        }
    }

    /// Calls `body` with contiguous runs of scalars: rows of all columns of the block.
    @inline(__always)
    private func forEachRun(
        _ results: Results, _ block: PoolBlock, _ columns: Range<Int>, _ body: (UnsafeMutableRawPointer, Int) -> Void
    ) {
        let rowBytes = columns.count &* block.units &* elementBytes
        if results.rowStride == rowBytes && (columns.count == 1 || results.columnStride &* columns.count == rowBytes) {
            body(results.base, block.rows.count &* columns.count &* block.units &* plan.pointee.form.parts)
            return
        }
        for r in 0..<block.rows.count {
            forEachRun(results.base + r &* results.rowStride, results.columnStride, block, columns, body)
        }
    }

    @inline(__always)
    private func forEachRun(
        _ row: UnsafeMutableRawPointer, _ columnStride: Int, _ block: PoolBlock, _ columns: Range<Int>,
        _ body: (UnsafeMutableRawPointer, Int) -> Void
    ) {
        let scalars = block.units &* plan.pointee.form.parts
        let first = row + (columns.lowerBound &- block.columns.lowerBound) &* columnStride
        if columnStride == block.units &* elementBytes {
            body(first, columns.count &* scalars)
        } else {
            for c in 0..<columns.count { body(first + c &* columnStride, scalars) }
        }
    }

    /// From scratch memory to an output of any strides and dtype.
    func write(_ results: Results, _ block: PoolBlock) {
        let (unit, column) = (plan.pointee.unit, plan.pointee.column)
        let isOneRun =
            unit.outExtent == 1
            || (block.units == unit.outExtent && column.outStride == unit.outExtent &* unit.outStride)
        let stride = unit.outExtent == 1 ? column.outStride : unit.outStride
        for r in 0..<block.rows.count {
            let source = results.base + r &* results.rowStride
            let destination = block.output + r &* plan.pointee.row.outStride
            if isOneRun {
                write(source, count: block.columns.count &* block.units, to: destination, stride: stride)
            } else {
                for c in 0..<block.columns.count {
                    write(
                        source + c &* results.columnStride, count: block.units,
                        to: destination + c &* column.outStride, stride: stride)
                }
            }
        }
    }

    private func write(
        _ source: UnsafeMutableRawPointer, count: Int, to destination: UnsafeMutableRawPointer, stride: Int
    ) {
        plan.pointee.form.writer.write(
            source, count: count, to: destination, stride: stride,
            stages: scratch + plan.pointee.scratch.firstStage, scratch + plan.pointee.scratch.secondStage)
    }

    // MARK: - Kernel arguments

    @inline(__always)
    private func setSource(
        _ lines: inout sc_window_lines, _ source: UnsafeRawPointer, rowStride: Int, tapStride: Int, taps: Int
    ) {
        lines.source = source.assumingMemoryBound(to: UInt8.self)
        lines.source_row_stride = Int64(rowStride)
        lines.tap_stride = Int64(tapStride)
        lines.taps = Int64(taps)
    }

    @inline(__always)
    private func setOut(_ lines: inout sc_window_lines, _ out: UnsafeMutableRawPointer, rowStride: Int) {
        lines.out = out.assumingMemoryBound(to: UInt8.self)
        lines.out_row_stride = Int64(rowStride)
    }

    @inline(__always)
    private func setInitial(_ lines: inout sc_window_lines, _ initial: UnsafeRawPointer?, rowStride: Int) {
        lines.initial = initial.map { $0.assumingMemoryBound(to: UInt8.self) }
        lines.initial_row_stride = Int64(rowStride)
    }

    @inline(__always)
    private func setSize(_ lines: inout sc_window_lines, rows: Int, elements: Int) {
        lines.rows = Int64(rows)
        lines.count = Int64(elements &* plan.pointee.form.parts)
    }

    @inline(__always)
    private func setIdentity(_ lines: inout sc_window_lines) {
        withUnsafeMutableBytes(of: &lines.identity) {
            $0.storeBytes(of: plan.pointee.form.identity, as: UInt64.self)
        }
    }
}

extension PoolAxis {
    /// Outputs whose windows an average counts whole.
    func fullyCounted(padding countsPadding: Bool) -> Range<Int> {
        countsPadding ? outputs(low: 0 &- padding, high: inExtent &+ paddingHigh) : interior
    }
}
