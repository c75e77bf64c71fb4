import CMachine
import Foundations
import Kernels

/// Copies all windows, in one direction or the other.
func runCopy(
    _ problem: PatchesProblem, _ direction: CopyDirection, threads: Int, control: Control
) throws(Failure) -> Bool {
    let loops = CopyPlan.loopCapacity(rank: problem.rank)
    let loopBytes = loops &* MemoryLayout<CopyLoop>.stride
    let windowBytes = (problem.rank &+ 1) &* MemoryLayout<CopyWindow>.stride
    return try withWorkspace(byteCount: loopBytes &+ windowBytes) { (memory) throws(Failure) in
        var plan = CopyPlan(
            problem, direction, loops: memory.bindMemory(to: CopyLoop.self, capacity: loops),
            windows: (memory + loopBytes).bindMemory(to: CopyWindow.self, capacity: problem.rank &+ 1))
        let used = plan.threads(threads)
        let scratch = CopyRun.scratchBytes(&plan)
        return try withWorkspace(byteCount: saturatingMultiply(scratch, used)) { (memory) throws(Failure) in
            withUnsafePointer(to: &plan) { plan in
                var context = CopyContext(plan: plan, scratch: memory, scratchPerThread: scratch)
                return ThreadPool.run(
                    tasks: plan.pointee.taskCount, grain: plan.pointee.grain(threads: used), threads: used,
                    control: control, context: &context, copyTasks)
            }
        }
    }
}

private struct CopyContext {
    let plan: UnsafePointer<CopyPlan>
    let scratch: UnsafeMutableRawPointer
    let scratchPerThread: Int
}

private func copyTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let context = context.assumingMemoryBound(to: CopyContext.self).pointee
    let run = CopyRun(context.plan, scratch: context.scratch + slot &* context.scratchPerThread)
    run.run(tasks: first..<end)
}

/// Contiguous runs of fewer bytes take longer to copy one by one than to transpose with their neighbours.
private let longestShortRun = 32

/// What a thread needs to copy chunks of a plan.
struct CopyRun {
    let plan: UnsafePointer<CopyPlan>
    /// Of the box that is copied next: indices along each loop.
    private let counts: UnsafeMutablePointer<Int>
    /// Loops of the box with more than one index.
    private let active: UnsafeMutablePointer<Int>
    private let indices: UnsafeMutablePointer<Int>
    /// Position of each window at the chunk's first element.
    private let positions: UnsafeMutablePointer<Int>
    /// Of the rows of a transposition.
    private let offsets: UnsafeMutablePointer<Int64>
    private let stage: UnsafeMutableRawPointer

    static let longestOffsets = 128

    static func scratchBytes(_ plan: inout CopyPlan) -> Int {
        let lists = (3 &* plan.loopCount &+ plan.windowCount) &* MemoryLayout<Int>.stride
        let offsets = longestOffsets &* MemoryLayout<Int64>.stride
        return roundToCacheLine(lists) &+ offsets &+ (plan.stages ? roundToCacheLine(plan.chunkByteCount) : 0)
    }

    init(_ plan: UnsafePointer<CopyPlan>, scratch: UnsafeMutableRawPointer) {
        self.plan = plan
        let loops = plan.pointee.loopCount
        let lists = 3 &* loops &+ plan.pointee.windowCount
        counts = scratch.bindMemory(to: Int.self, capacity: lists)
        active = counts + loops
        indices = active + loops
        positions = indices + loops
        let tables = scratch + roundToCacheLine(lists &* MemoryLayout<Int>.stride)
        offsets = tables.bindMemory(to: Int64.self, capacity: CopyRun.longestOffsets)
        stage = tables + CopyRun.longestOffsets &* MemoryLayout<Int64>.stride
    }

    func run(tasks: Range<Int>) {
        for task in tasks { copyChunk(task) }
        if plan.pointee.streams { sc_stream_fence() }
    }

    // MARK: - A chunk

    private func copyChunk(_ task: Int) {
        let loops = plan.pointee.loops
        for w in 0..<plan.pointee.windowCount { positions[w] = plan.pointee.windows[w].first }
        var rest = task
        var (to, from, byteCount) = (0, 0, plan.pointee.element)
        var l = plan.pointee.loopCount &- 1
        while l >= 0 {
            let loop = loops[l]
            let pieces = loop.pieces
            let first = (pieces == 1 ? 0 : rest % pieces) &* loop.piece
            if pieces > 1 { rest /= pieces }
            to &+= first &* loop.destination
            from &+= first &* loop.source
            if loop.window >= 0 { positions[loop.window] &+= first / loop.unit &* loop.advance }
            counts[l] = min(loop.piece, loop.extent &- first)
            byteCount = byteCount &* counts[l]
            l &-= 1
        }
        let destination = plan.pointee.destination + to
        let target = plan.pointee.stages ? stage : destination
        settle(0, plan.pointee.source + from, target)
        if plan.pointee.stages && !plan.pointee.streams {
            destination.copyMemory(from: stage, byteCount: byteCount)
        } else if plan.pointee.stages {
            sc_stream_copy(
                destination.assumingMemoryBound(to: UInt8.self), stage.assumingMemoryBound(to: UInt8.self),
                Int64(byteCount))
        }
    }

    /// Positions from a loop's first index in the box to its last; 0 where there is no loop.
    private func reach(_ l: Int) -> Int {
        if l < 0 { return 0 }
        let loop = plan.pointee.loops[l]
        return loop.advance &* ((counts[l] &- 1) / loop.unit)
    }

    // MARK: - Boxes inside the array

    /// Cuts the box by the windows from `w` on into boxes whose elements all lie inside the array, and copies those.
    /// Elsewhere the fill value is written or the boundary's elements are copied, or nothing.
    private func settle(_ w: Int, _ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer) {
        if w == plan.pointee.windowCount {
            copyBox(source, destination)
            return
        }
        let window = plan.pointee.windows[w]
        if window.inner < 0 {
            place(w, positions[w], source, destination)
        } else if window.outer < 0 {
            clip(w, positions[w], source, destination)
        } else {
            clipOuter(w, source, destination)
        }
    }

    /// A window that stands at one position.
    private func place(_ w: Int, _ position: Int, _ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer) {
        let window = plan.pointee.windows[w]
        if position >= 0 && position < window.extent {
            settle(w &+ 1, source, destination)
        } else if plan.pointee.direction == .gather {
            let mapped = plan.pointee.boundary.map(position, extent: window.extent)
            if mapped >= 0 {
                settle(w &+ 1, source + (mapped &- position) &* window.stride, destination)
            } else {
                fillBox(destination)
            }
        }
    }

    /// A window that one loop moves from `position` on: what lies inside in one piece, the rest filled or copied index
    /// by index.
    private func clip(_ w: Int, _ position: Int, _ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer) {
        let window = plan.pointee.windows[w]
        let l = window.inner
        let loop = plan.pointee.loops[l]
        let all = counts[l]
        let steps = all / loop.unit
        let inside = indices(from: position, advance: loop.advance, count: steps, span: 0, window.extent)
        func step(_ i: Int) -> (UnsafeRawPointer, UnsafeMutableRawPointer) {
            (source + i &* loop.unit &* loop.source, destination + i &* loop.unit &* loop.destination)
        }
        if !inside.isEmpty {
            counts[l] = inside.count &* loop.unit
            let (from, to) = step(inside.lowerBound)
            settle(w &+ 1, from, to)
        }
        if inside.count < steps && plan.pointee.direction == .gather {
            if case .fill = plan.pointee.boundary {
                fill(l, 0..<inside.lowerBound, destination)
                fill(l, inside.upperBound..<steps, destination)
            } else {
                counts[l] = loop.unit
                for i in 0..<steps where !inside.contains(i) {
                    let (from, to) = step(i)
                    place(w, position &+ i &* loop.advance, from, to)
                }
            }
        }
        counts[l] = all
    }

    /// Fills the part of the box at some steps of a loop.
    private func fill(_ l: Int, _ steps: Range<Int>, _ destination: UnsafeMutableRawPointer) {
        if steps.isEmpty { return }
        let loop = plan.pointee.loops[l]
        counts[l] = steps.count &* loop.unit
        fillBox(destination + steps.lowerBound &* loop.unit &* loop.destination)
    }

    /// A window that two loops move: outer indices at which the inner loop stays inside make one box.
    private func clipOuter(_ w: Int, _ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer) {
        let window = plan.pointee.windows[w]
        let l = window.outer
        let loop = plan.pointee.loops[l]
        let all = counts[l]
        let steps = all / loop.unit
        let whole = indices(
            from: positions[w], advance: loop.advance, count: steps, span: reach(window.inner), window.extent)
        func step(_ i: Int) -> (UnsafeRawPointer, UnsafeMutableRawPointer) {
            (source + i &* loop.unit &* loop.source, destination + i &* loop.unit &* loop.destination)
        }
        if !whole.isEmpty {
            counts[l] = whole.count &* loop.unit
            let (from, to) = step(whole.lowerBound)
            settle(w &+ 1, from, to)
        }
        counts[l] = loop.unit
        for i in 0..<steps where !whole.contains(i) {
            let (from, to) = step(i)
            clip(w, positions[w] &+ i &* loop.advance, from, to)
        }
        counts[l] = all
    }

    /// Indices `0..<count` at which a window that begins at `position` lies inside `0..<extent` with `span` positions
    /// behind it.
    private func indices(from position: Int, advance: Int, count: Int, span: Int, _ extent: Int) -> Range<Int> {
        let last = extent &- 1 &- span &- position
        let first = position >= 0 ? 0 : ceilingDivide(0 &- position, advance)
        let end = last < 0 ? 0 : last / advance &+ 1
        let lower = min(first, count)
        return lower..<max(lower, min(end, count))
    }

    // MARK: - Copying

    private func copyBox(_ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer) {
        let loops = plan.pointee.loops
        var count = listActive()
        if count == 0 {
            active[0] = plan.pointee.loopCount &- 1
            count = 1
        }
        // The innermost loop of the destination, and with it the loop that makes the most of one call of a kernel.
        let run = active[count &- 1]
        let second = count == 1 ? -1 : partner(of: run, count)
        if second >= 0 && isTransposed(run, second) {
            transposeBox(source, destination, second, count)
            return
        }
        count = remove(second, remove(run, count))
        var box = CopyTile(plan.pointee.element, loops[run], counts[run])
        if second >= 0 { box.setRows(loops[second], counts[second]) }
        box.swaps = plan.pointee.swaps
        box.streams = plan.pointee.streams && !plan.pointee.stages
        walk(count) { from, to in box.copy(source + from, destination + to) }
    }

    /// The source is contiguous along the column loop, the destination along the run, which is not or is short.
    private func isTransposed(_ run: Int, _ column: Int) -> Bool {
        let loops = plan.pointee.loops
        let element = plan.pointee.element
        if plan.pointee.swaps || element > 8 || loops[run].destination != element { return false }
        if loops[column].source != element { return false }
        let everySecond = loops[run].source == 2 &* element && counts[run] >= 16
        return loops[run].source != element && !everySecond
            || loops[run].source == element && counts[run] &* element < longestShortRun && counts[column] >= 16
    }

    /// All inner loops that follow each other in the destination make the rows of one transposition.
    private func transposeBox(
        _ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer, _ column: Int, _ activeCount: Int
    ) {
        let loops = plan.pointee.loops
        let element = plan.pointee.element
        var count = activeCount
        var rows = 1
        offsets[0] = 0
        let run = active[count &- 1]
        while count > 0 {
            let l = active[count &- 1]
            let isDense = l != column && loops[l].destination == rows &* element
            if !isDense || saturatingMultiply(rows, counts[l]) > CopyRun.longestOffsets { break }
            for i in 1..<counts[l] {
                for r in 0..<rows { offsets[i &* rows &+ r] = offsets[r] &+ Int64(i &* loops[l].source) }
            }
            rows = rows &* counts[l]
            count &-= 1
        }
        var tile = TransposedTiles(
            rows: rows, columns: counts[column], sourceRow: loops[run].source,
            destinationColumn: loops[column].destination, tiles: 1, sourceTile: 0, destinationTile: 0,
            elementBytes: element)
        let isOneLoop = rows == counts[run]
        count = remove(column, count)
        if count > 0 {
            count &-= 1
            let l = active[count]
            tile.tiles = counts[l]
            tile.sourceTile = loops[l].source
            tile.destinationTile = loops[l].destination
        }
        walk(count) { from, to in
            transpose(source + from, to: destination + to, offsets: isOneLoop ? nil : UnsafePointer(offsets), &tile)
        }
    }

    /// Calls `body` with the offsets of every index of the first `count` active loops.
    @inline(__always)
    private func walk(_ count: Int, _ body: (_ from: Int, _ to: Int) -> Void) {
        let loops = plan.pointee.loops
        for k in 0..<count { indices[k] = 0 }
        var (from, to) = (0, 0)
        while true {
            body(from, to)
            var k = count &- 1
            while k >= 0 {
                let l = active[k]
                from &+= loops[l].source
                to &+= loops[l].destination
                indices[k] &+= 1
                if indices[k] < counts[l] { break }
                from &-= counts[l] &* loops[l].source
                to &-= counts[l] &* loops[l].destination
                indices[k] = 0
                k &-= 1
            }
            if k < 0 { return }
        }
    }

    private func listActive() -> Int {
        var count = 0
        for l in 0..<plan.pointee.loopCount where counts[l] > 1 {
            active[count] = l
            count &+= 1
        }
        return count
    }

    private func remove(_ l: Int, _ count: Int) -> Int {
        var kept = 0
        for k in 0..<count where active[k] != l {
            active[kept] = active[k]
            kept &+= 1
        }
        return kept
    }

    /// The loop along which the source is contiguous, if the run is not or is short; otherwise the longest.
    private func partner(of run: Int, _ count: Int) -> Int {
        let loops = plan.pointee.loops
        let element = plan.pointee.element
        let isShort = loops[run].source != element || counts[run] &* element < longestShortRun
        var best = -1
        for k in 0..<count where active[k] != run {
            let l = active[k]
            if isShort && loops[l].source == element { return l }
            if best < 0 || counts[l] >= counts[best] { best = l }
        }
        return best
    }

    // MARK: - Filling

    /// Writes the fill value to the whole box.
    private func fillBox(_ destination: UnsafeMutableRawPointer) {
        let loops = plan.pointee.loops
        // The innermost loops hold whole elements if they are moved in parts.
        let size = plan.pointee.fillBytes
        var fill = plan.pointee.fill
        var count = listActive()
        var byteCount = plan.pointee.element
        while count > 0 && loops[active[count &- 1]].destination == byteCount {
            byteCount = byteCount &* counts[active[count &- 1]]
            count &-= 1
        }
        if count == 0 || byteCount > size {
            walk(count) { _, to in
                fillElements(
                    &fill, to: destination + to, stride: size, count: byteCount / size, elementBytes: size)
            }
            return
        }
        let run = active[count &- 1]
        walk(count &- 1) { _, to in
            fillElements(
                &fill, to: destination + to, stride: loops[run].destination, count: counts[run], elementBytes: size)
        }
    }
}

/// Two loops of a copy, and how they are best run.
private struct CopyTile {
    let element: Int
    let run: CopyLoop
    let count: Int
    var row = CopyLoop(extent: 1, destination: 0, source: 0)
    var rows = 1
    var swaps = false
    var streams = false

    init(_ element: Int, _ run: CopyLoop, _ count: Int) {
        self.element = element
        self.run = run
        self.count = count
    }

    mutating func setRows(_ loop: CopyLoop, _ count: Int) {
        row = loop
        rows = count
    }

    @inline(__always)
    func copy(_ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer) {
        if swaps || run.destination != element {
            copyStrided(
                source, rowStride: row.source, stride: run.source, to: destination, rowStride: row.destination,
                stride: run.destination, rows: rows, count: count, elementBytes: element, swapping: swaps)
        } else if run.source == element {
            copyRuns(source, destination)
        } else {
            gatherRows(
                source, rowStride: row.source, strideBytes: run.source, to: destination, rowStride: row.destination,
                rows: rows, count: count, elementBytes: element)
        }
    }

    private func copyRuns(_ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer) {
        let byteCount = count &* element
        if !streams || byteCount < streamedRunBytes {
            copyRows(
                source, strideBytes: row.source, to: destination, strideBytes: row.destination, rows: rows,
                byteCount: byteCount)
            return
        }
        for r in 0..<rows {
            sc_stream_copy(
                (destination + r &* row.destination).assumingMemoryBound(to: UInt8.self),
                (source + r &* row.source).assumingMemoryBound(to: UInt8.self), Int64(byteCount))
        }
    }
}
