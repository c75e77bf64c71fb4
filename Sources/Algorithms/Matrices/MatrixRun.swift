import Foundations

/// One thread's part in writing a matrix: strips of lines, piece by piece.
struct MatrixRun {
    private let plan: MatrixPlan
    private let values: MatrixValues
    private var strip: MatrixStrip
    private var stripNumber = -1
    /// Items of all strips before this one.
    private var itemsBefore = 0
    private var entries: AxisEntries

    init(_ plan: MatrixPlan, _ storage: UnsafeMutableRawPointer, entries: UnsafeMutableRawPointer) {
        self.plan = plan
        values = MatrixValues(filter: plan.matrix.filter, type: plan.matrix.type)
        strip = MatrixStrip(plan, storage)
        self.entries = AxisEntries(entries, capacity: plan.last.mostMeetings)
    }

    mutating func enter(_ number: Int) {
        if number == stripNumber { return }
        stripNumber = number
        strip.enter(number, plan)
        itemsBefore = plan.itemsBefore(strip: number)
    }

    // MARK: Compressed lines

    mutating func write<I: FixedWidthInteger & BitwiseCopyable>(
        _ positions: Range<Int>, to target: Matrices.Compressed, _: I.Type
    ) {
        let (axis, size) = (plan.last, plan.matrix.type.byteCount)
        let indices = target.indices.assumingMemoryBound(to: I.self)
        let pointers = target.pointers.assumingMemoryBound(to: I.self)
        let first = itemsBefore &* axis.total
        let firstLine = stripNumber &* axis.positions
        for p in positions {
            let place = first &+ strip.count &* axis.others(before: p)
            let count = strip.count &* axis.others(at: p)
            pointers[firstLine &+ p] = I(truncatingIfNeeded: place)
            let line = indices + place
            let data = target.values + place &* size
            if p > positions.lowerBound && axis.regular.contains(p) && axis.regular.contains(p &- 1) {
                // The line before, shifted.
                let (lineBefore, shift) = (line - count, I(truncatingIfNeeded: axis.shift))
                for i in 0..<count { line[i] = lineBefore[i] &+ shift }
                data.copyMemory(from: data - count &* size, byteCount: count &* size)
            } else {
                writeLine(p, line, data)
            }
            if let lines = target.lines {
                let lines = lines.assumingMemoryBound(to: I.self) + place
                for i in 0..<count { lines[i] = I(truncatingIfNeeded: firstLine &+ p) }
            }
        }
    }

    private mutating func writeLine<I: FixedWidthInteger>(
        _ position: Int, _ indices: UnsafeMutablePointer<I>, _ data: UnsafeMutableRawPointer
    ) {
        let size = plan.matrix.type.byteCount
        entries.list(plan.last, at: position)
        for item in 0..<strip.count {
            let place = item &* entries.count
            for j in 0..<entries.count {
                indices[place &+ j] = I(truncatingIfNeeded: strip.firsts[item] &+ entries.others[j])
            }
            values.write(strip, item: item, entries, to: data + place &* size, stride: size)
        }
    }

    // MARK: Dense

    mutating func write(_ positions: Range<Int>, to target: Matrices.Dense) {
        let (axis, size) = (plan.last, plan.matrix.type.byteCount)
        let firstLine = stripNumber &* axis.positions
        for p in positions {
            entries.list(axis, at: p)
            let line = target.values + (firstLine &+ p) &* target.lineStride
            let isRun = entries.isOneRun && target.crossingStride == size
            for item in 0..<strip.count {
                if isRun {
                    if entries.count == 0 { break }
                    let place = (strip.firsts[item] &+ entries.others[0]) &* size
                    values.write(strip, item: item, entries, to: line + place, stride: size)
                    continue
                }
                for j in 0..<entries.count {
                    let place = (strip.firsts[item] &+ entries.others[j]) &* target.crossingStride
                    values.writeOne(strip, item: item, entries, j, to: line + place)
                }
            }
        }
    }

    // MARK: Blocks

    /// Blocks are [line][crossing] of the last axis.
    mutating func write<I: FixedWidthInteger & BitwiseCopyable>(
        _ positions: Range<Int>, blocks target: Matrices.Compressed, _: I.Type
    ) {
        let (axis, size) = (plan.last, plan.matrix.type.byteCount)
        let crossed = plan.matrix.crossed(plan.matrix.rank &- 1)
        if positions.lowerBound == 0 {
            let pointers = target.pointers.assumingMemoryBound(to: I.self)
            let indices = target.indices.assumingMemoryBound(to: I.self) + itemsBefore
            pointers[stripNumber] = I(truncatingIfNeeded: itemsBefore)
            for item in 0..<strip.count { indices[item] = I(truncatingIfNeeded: strip.firsts[item] / crossed) }
        }
        for p in positions {
            entries.list(axis, at: p)
            for item in 0..<strip.count {
                let line = target.values + ((itemsBefore &+ item) &* axis.positions &+ p) &* crossed &* size
                for j in 0..<entries.count {
                    values.writeOne(strip, item: item, entries, j, to: line + entries.others[j] &* size)
                }
            }
        }
    }
}
