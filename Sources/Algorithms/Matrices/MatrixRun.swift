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
        var p = positions.lowerBound
        while p < positions.upperBound {
            let place = first &+ strip.count &* axis.others(before: p)
            let count = strip.count &* axis.others(at: p)
            writeLine(p, indices + place, target.values + place &* size)
            let end = axis.regular.contains(p) ? min(axis.regular.upperBound, positions.upperBound) : p &+ 1
            repeatLine(indices + place, target.values + place &* size, entries: count, lines: end &- p)
            for line in p..<end {
                let begin = place &+ (line &- p) &* count
                pointers[firstLine &+ line] = I(truncatingIfNeeded: begin)
                if let lines = target.lines {
                    let lines = lines.assumingMemoryBound(to: I.self) + begin
                    for i in 0..<count { lines[i] = I(truncatingIfNeeded: firstLine &+ line) }
                }
            }
            p = end
        }
    }

    /// Lines that are each the one before, shifted: twice as many at a time, as far as those lie in the first cache.
    private func repeatLine<I: FixedWidthInteger>(
        _ indices: UnsafeMutablePointer<I>, _ data: UnsafeMutableRawPointer, entries count: Int, lines: Int
    ) {
        let size = plan.matrix.type.byteCount
        let most = max(1, repeatedEntries / max(count, 1))
        var done = 1
        while done < lines {
            let copied = min(done, lines &- done, most)
            let shift = I(truncatingIfNeeded: done &* plan.last.shift)
            let target = indices + done &* count
            for i in 0..<copied &* count { target[i] = indices[i] &+ shift }
            (data + done &* count &* size).copyMemory(from: data, byteCount: copied &* count &* size)
            done &+= copied
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
            values.write(strip, item: item, entries, to: data + place &* size)
        }
    }

    // MARK: Dense

    mutating func write(_ positions: Range<Int>, to target: Matrices.Dense) {
        let (axis, size) = (plan.last, plan.matrix.type.byteCount)
        let firstLine = stripNumber &* axis.positions
        var regular = 0
        for p in positions {
            // What regular lines meet, the first of them has listed.
            let isListed = p > positions.lowerBound && axis.regular.contains(p) && axis.regular.contains(p &- 1)
            if !isListed {
                entries.list(axis, at: p)
                regular = p
            }
            if entries.count == 0 { continue }
            let shifted = (p &- regular) &* axis.shift &* target.crossingStride
            let line = target.values + ((firstLine &+ p) &* target.lineStride &+ shifted)
            if entries.isOneRun && target.crossingStride == size {
                for item in 0..<strip.count {
                    let place = (strip.firsts[item] &+ entries.others[0]) &* size
                    values.write(strip, item: item, entries, to: line + place)
                }
                continue
            }
            for item in 0..<strip.count {
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

/// Entries that are repeated at a time.
private var repeatedEntries: Int { 1024 }
