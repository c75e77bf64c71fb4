import CMachine
import Foundations

/// One loop of a strided copy: memory strides in bytes.
struct CopyLoop {
    var extent: Int
    var destination: Int
    var source: Int
    /// The plan's window that this loop moves, -1 if none.
    var window = -1
    /// Positions that `unit` indices move the window: a loop fused with a batch loop inside it has several a position.
    var advance = 0
    var unit = 1
    /// Indices that a chunk has, and chunks that the loop is cut into.
    var piece = 1
    var pieces: Int { ceilingDivide(extent, piece) }
}

/// A window axis some of whose positions lie outside the array.
struct CopyWindow {
    /// Positions `0..<extent` are inside.
    var extent = 0
    /// The position where all loops stand at their first index.
    var first = 0
    /// Memory stride of the array.
    var stride = 0
    /// The loops inside a chunk that move it, -1 if none: `inner` moves within an index of `outer`.
    var outer = -1
    var inner = -1
}

enum CopyDirection { case gather, scatter }

/// Bytes of the destination that are copied as one: they are in L1 together with what they are read from.
private let chunkBytes = 16 << 10
private let longChunkBytes = 64 << 10
/// Bytes of the source that are read side by side where the destination has them far apart.
private let transposedBytes = 64
/// From this many on, a destination is written past the caches.
private let streamingBytes = 32 << 20
/// Runs that are streamed from where they lie; shorter ones are put together in a chunk first, as their ends are parts
/// of cache lines.
let streamedRunBytes = 4 << 10
/// Bytes worth waking a thread for, and worth handing out at a time.
private let bytesPerThread = 64 << 10
private let bytesPerGrain = 512 << 10

/// Windows of an array as a nest of loops over elements, in the order of the destination's memory.
///
/// Every axis has a loop over windows and one over taps. Neighbours that one stride walks in both tensors are merged. A
/// chunk, which is what threads take, has the innermost loops, a piece of the next, and a piece of the loop along which
/// the source is contiguous. A chunk of a large destination without gaps is put together in scratch and streamed from
/// there.
struct CopyPlan {
    let direction: CopyDirection
    let boundary: Boundary
    var fill: SIMD2<UInt64>
    var source: UnsafeRawPointer
    var destination: UnsafeMutableRawPointer
    let fillBytes: Int
    /// Bytes that are moved as one.
    var element: Int
    let swaps: Bool
    let loops: UnsafeMutablePointer<CopyLoop>
    var loopCount = 0
    let windows: UnsafeMutablePointer<CopyWindow>
    var windowCount = 0

    var taskCount = 1
    var chunkByteCount = 0
    /// A chunk's destination has no gaps.
    var isDense = false
    /// The destination is written past the caches, by whole chunks or by runs.
    var streams = false
    var stages = false

    /// Memory that `init` wants: two loops an axis, the parts of a complex number, one in reserve.
    static func loopCapacity(rank: Int) -> Int { 2 &* rank &+ 2 }

    init(
        _ problem: PatchesProblem, _ direction: CopyDirection, loops: UnsafeMutablePointer<CopyLoop>,
        windows: UnsafeMutablePointer<CopyWindow>
    ) {
        self.direction = direction
        self.loops = loops
        self.windows = windows
        boundary = problem.boundary
        fill = problem.fill
        fillBytes = problem.arrayType.byteCount
        element = fillBytes
        swaps = problem.arraySwapUnit != problem.patchesSwapUnit
        var array = UnsafeRawPointer(problem.array)
        for i in 0..<problem.rank {
            // Wraps where the array ends before the window begins; such positions are never read.
            array += 0 &- problem.axes[i].padding &* problem.axes[i].stride
        }
        switch direction {
        case .gather:
            source = array
            destination = problem.patches
        case .scatter:
            source = UnsafeRawPointer(problem.patches)
            destination = UnsafeMutableRawPointer(mutating: array)
        }
        for i in 0..<problem.rank { addLoops(problem.axes[i]) }
        turnLoops()
        if problem.patchesSwapUnit > 1 { swapFill(problem.patchesSwapUnit) }
        if swaps { splitParts(problem.arrayType.swapUnit) }
        sortLoops()
        while mergeOnce() {}
        widenElement()
        if loopCount == 0 { append(CopyLoop(extent: 1, destination: element, source: element)) }
        cutChunks(isFresh: direction == .gather && problem.isFresh)
    }

    private mutating func append(_ loop: CopyLoop) {
        loops[loopCount] = loop
        loopCount &+= 1
    }

    private mutating func addLoops(_ axis: PatchAxis) {
        var window = -1
        if axis.reachesOutside {
            window = windowCount
            windows[window] = CopyWindow(extent: axis.extent, first: 0 &- axis.padding, stride: axis.stride)
            windowCount &+= 1
        }
        func loop(_ extent: Int, _ patchStride: Int, _ advance: Int) -> CopyLoop {
            let arrayStride = advance &* axis.stride
            return switch direction {
            case .gather:
                CopyLoop(
                    extent: extent, destination: patchStride, source: arrayStride, window: window, advance: advance)
            case .scatter:
                CopyLoop(
                    extent: extent, destination: arrayStride, source: patchStride, window: window, advance: advance)
            }
        }
        if axis.windows > 1 { append(loop(axis.windows, axis.windowStride, axis.step)) }
        if axis.taps > 1 { append(loop(axis.taps, axis.tapStride, axis.dilation)) }
    }

    /// Upwards in the destination's memory, wherever no window is looked at: systems clear pages, and CPUs fetch lines, in
    /// that order (a Toeplitz matrix, whose windows lie from the last row to the first, gains 5 %).
    private mutating func turnLoops() {
        for l in 0..<loopCount where loops[l].destination < 0 && loops[l].window < 0 {
            source += (loops[l].extent &- 1) &* loops[l].source
            destination += (loops[l].extent &- 1) &* loops[l].destination
            loops[l].source = 0 &- loops[l].source
            loops[l].destination = 0 &- loops[l].destination
        }
    }

    private mutating func swapFill(_ unit: Int) {
        withUnsafeMutableBytes(of: &fill) { bytes in
            for part in stride(from: 0, to: fillBytes, by: unit) { bytes[part..<part &+ unit].reverse() }
        }
    }

    /// Byte order is reversed part by part: a complex number has two.
    private mutating func splitParts(_ unit: Int) {
        if unit < element {
            append(CopyLoop(extent: element / unit, destination: unit, source: unit))
            element = unit
        }
    }

    /// By memory stride of the destination, largest first; loops of equal strides stay as they are.
    private func sortLoops() {
        for i in 1..<max(loopCount, 1) {
            let loop = loops[i]
            var j = i
            while j > 0 && isOuter(loop, than: loops[j &- 1]) {
                loops[j] = loops[j &- 1]
                j &-= 1
            }
            loops[j] = loop
        }
    }

    private func isOuter(_ a: CopyLoop, than b: CopyLoop) -> Bool {
        a.destination.magnitude > b.destination.magnitude
    }

    // MARK: - Merging

    private mutating func mergeOnce() -> Bool {
        for i in 0..<max(loopCount &- 1, 0) where merge(loops[i], into: &loops[i &+ 1]) {
            for j in i..<loopCount &- 1 { loops[j] = loops[j &+ 1] }
            loopCount &-= 1
            return true
        }
        return false
    }

    /// Makes one loop of a loop and the next inner one, if one stride walks both.
    private func merge(_ outer: CopyLoop, into inner: inout CopyLoop) -> Bool {
        if outer.destination != inner.destination &* inner.extent || outer.source != inner.source &* inner.extent {
            return false
        }
        if outer.window == inner.window {
            if outer.window >= 0 && (outer.unit != 1 || outer.advance != inner.advance &* (inner.extent / inner.unit)) {
                return false
            }
        } else if inner.window < 0 && (boundary == .fill || direction == .scatter) {
            inner.window = outer.window
            inner.advance = outer.advance
            inner.unit = outer.unit &* inner.extent
        } else {
            return false
        }
        inner.extent = inner.extent &* outer.extent
        return true
    }

    /// A short innermost run becomes the element: pairs of float32 move like one float64.
    private mutating func widenElement() {
        guard loopCount > 0, !swaps, windowCount == 0 else { return }
        let last = loops[loopCount &- 1]
        let byteCount = saturatingMultiply(last.extent, element)
        if last.destination != element || last.source != element { return }
        switch byteCount {
        case 2, 4, 8, 16:
            element = byteCount
            loopCount &-= 1
        default: break
        }
    }

    // MARK: - Chunks

    private mutating func cutChunks(isFresh: Bool) {
        let innermost = loops[loopCount &- 1]
        let isLong = innermost.source == element && saturatingMultiply(innermost.extent, element) >= chunkBytes
        // Long runs into new memory keep nothing in L1 that they will need again.
        cutChunks(isFresh && isLong ? longChunkBytes : chunkBytes, keeping: -1)
        let source = transposedLoop()
        if source >= 0 {
            loops[source].piece = min(loops[source].extent, transposedBytes / element)
            cutChunks(4 &* chunkBytes / loops[source].piece, keeping: source)
        }
        var total = element
        taskCount = 1
        chunkByteCount = element
        for l in 0..<loopCount {
            total = saturatingMultiply(total, loops[l].extent)
            taskCount = saturatingMultiply(taskCount, loops[l].pieces)
            chunkByteCount = saturatingMultiply(chunkByteCount, loops[l].piece)
            if loops[l].piece > 1 && loops[l].window >= 0 {
                windows[loops[l].window].outer = windows[loops[l].window].inner
                windows[loops[l].window].inner = l
            }
        }
        isDense = hasNoGaps()
        // What the system has just cleared is in the caches: storing past them takes longer (measured, 1.3x).
        streams = total >= streamingBytes && isDense && !swaps && !isFresh
        let run = loops[loopCount &- 1]
        let runBytes = run.source == element ? saturatingMultiply(run.extent, element) : 0
        let skips = direction == .scatter && windowCount > 0
        stages =
            streams && runBytes < streamedRunBytes && chunkByteCount <= 4 &* chunkBytes && !skips
    }

    /// Whole loops from the innermost outwards, then a piece of one, at most `limit` bytes: whole positions, as a
    /// window counts them.
    private func cutChunks(_ limit: Int, keeping kept: Int) {
        var inner = element
        var isFull = false
        for l in (0..<loopCount).reversed() where l != kept {
            let loop = loops[l]
            if isFull {
                loops[l].piece = 1
            } else if saturatingMultiply(inner, loop.extent) <= limit {
                loops[l].piece = loop.extent
                inner = inner &* loop.extent
            } else {
                loops[l].piece = max(1, min(limit / inner, loop.extent) / loop.unit) &* loop.unit
                isFull = true
            }
        }
    }

    /// The loop along which the source is contiguous, if a chunk has less of it than whole vectors and the
    /// destination's innermost loop is another or short: then every cache line of the source would be read for many
    /// chunks.
    private func transposedLoop() -> Int {
        let run = loops[loopCount &- 1]
        if element > 8 || (run.source == element && saturatingMultiply(run.extent, element) >= longestShortRun) {
            return -1
        }
        for l in 0..<loopCount &- 1 where loops[l].source == element && loops[l].unit == 1 {
            return loops[l].piece < min(loops[l].extent, transposedBytes / element) ? l : -1
        }
        return -1
    }

    private func hasNoGaps() -> Bool {
        var next = element
        var isCut = false
        for l in (0..<loopCount).reversed() {
            if isCut {
                if loops[l].piece > 1 { return false }
            } else if loops[l].destination != next {
                return false
            }
            isCut = isCut || loops[l].piece < loops[l].extent
            next = saturatingMultiply(next, loops[l].extent)
        }
        return true
    }

    func threads(_ wanted: Int) -> Int {
        let total = saturatingMultiply(chunkByteCount, taskCount)
        return max(1, min(wanted, taskCount, total / bytesPerThread))
    }

    /// Chunks that a thread takes at a time.
    func grain(threads: Int) -> Int {
        let bySize = max(1, bytesPerGrain / max(chunkByteCount, 1))
        return threads == 1 ? bySize : max(1, min(bySize, taskCount / (4 &* threads)))
    }
}
