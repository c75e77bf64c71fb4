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

/// What a thread needs to copy chunks of a plan.
struct CopyRun {
    let plan: UnsafePointer<CopyPlan>
    private let box: CopyBox
    /// Position of each window at the chunk's first element.
    private let positions: UnsafeMutablePointer<Int>
    private let stage: UnsafeMutableRawPointer

    static func scratchBytes(_ plan: inout CopyPlan) -> Int {
        let positions = roundToCacheLine(plan.windowCount &* MemoryLayout<Int>.stride)
        let stage = plan.stages ? roundToCacheLine(plan.chunkByteCount) : 0
        return CopyBox.scratchBytes(loopCount: plan.loopCount) &+ positions &+ stage
    }

    init(_ plan: UnsafePointer<CopyPlan>, scratch: UnsafeMutableRawPointer) {
        self.plan = plan
        box = CopyBox(
            plan.pointee.loops, count: plan.pointee.loopCount, element: plan.pointee.element,
            swaps: plan.pointee.swaps, streams: plan.pointee.streams && !plan.pointee.stages, scratch: scratch)
        let windowCount = plan.pointee.windowCount
        let places = scratch + CopyBox.scratchBytes(loopCount: plan.pointee.loopCount)
        positions = places.bindMemory(to: Int.self, capacity: windowCount)
        stage = places + roundToCacheLine(windowCount &* MemoryLayout<Int>.stride)
    }

    private var counts: UnsafeMutablePointer<Int> { box.counts }

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
            box.copy(source, destination)
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

    private func fillBox(_ destination: UnsafeMutableRawPointer) {
        box.fill(destination, with: plan.pointee.fill, size: plan.pointee.fillBytes)
    }
}
