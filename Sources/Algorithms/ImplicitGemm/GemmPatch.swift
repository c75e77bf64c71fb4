import Foundations
import Kernels

/// A box of the input, copied so that a block's columns and depths find every sample by plain strides: converted to what
/// the tiles multiply, byte order and boundary settled, the samples of the innermost axis side by side.
struct GemmPatch {
    /// An axis of the input: a window's coordinates, or the values of an index outside windows.
    struct Axis {
        var inputStride = 0
        var first = 0
        var count = 1
        /// Extent that coordinates must lie in; -1 where they always do.
        var extent = -1
        var pitch = 0
    }

    let axes: UnsafeMutablePointer<Axis>
    var axisCount = 0
    /// For each window, and for each column and depth index outside windows, its axis.
    let windowAxis: UnsafeMutablePointer<Int>
    let columnAxis: UnsafeMutablePointer<Int>
    let depthAxis: UnsafeMutablePointer<Int>
    var byteCount = 0

    /// Most axes that a problem's patches have: one for each window and for each column and depth index outside windows.
    private static func axes(_ problem: ContractionProblem) -> Int {
        problem.windowCount &+ problem.columns.count &+ problem.depth.count
    }

    /// Bytes of memory for the lists.
    static func storageBytes(_ problem: ContractionProblem) -> Int {
        axes(problem) &* (MemoryLayout<Axis>.stride &+ MemoryLayout<Int>.stride)
    }

    init(_ problem: ContractionProblem, storage: UnsafeMutableRawPointer) {
        axes = storage.assumingMemoryBound(to: Axis.self)
        windowAxis = (storage + GemmPatch.axes(problem) &* MemoryLayout<Axis>.stride).assumingMemoryBound(to: Int.self)
        columnAxis = windowAxis + problem.windowCount
        depthAxis = columnAxis + problem.columns.count
    }

    /// Bytes of the largest patch: that of the first blocks, whose ranges are as long as any.
    static func byteCount(
        _ problem: ContractionProblem, _ columnBlocks: IndexBlocks, _ depthBlocks: IndexBlocks, element: Int
    ) -> Int {
        var lists = InlineArray<128, Int>(repeating: 0)
        return withUnsafeMutablePointer(to: &lists) { lists in
            withUnsafeTemporaryAllocation(byteCount: storageBytes(problem) &+ 1, alignment: 16) { storage in
                let numbers = UnsafeMutableRawPointer(lists).assumingMemoryBound(to: Int.self)
                let columns = IndexBox(list: problem.columns, starts: numbers, counts: numbers + maximumRank)
                let depth = IndexBox(
                    list: problem.depth, starts: numbers + 2 &* maximumRank, counts: numbers + 3 &* maximumRank)
                columnBlocks.ranges(0, columns.starts, columns.counts)
                depthBlocks.ranges(0, depth.starts, depth.counts)
                var patch = GemmPatch(problem, storage: storage.baseAddress.unsafelyUnwrapped)
                patch.describe(problem, columns, depth, element: element)
                return patch.byteCount
            }
        }
    }

    /// The box that a block needs.
    mutating func describe(_ problem: ContractionProblem, _ columns: IndexBox, _ depth: IndexBox, element: Int) {
        axisCount = 0
        for w in 0..<problem.windowCount {
            let window = problem.windows[w]
            var low = 0 &- window.padding
            var high = low
            for box in [columns, depth] {
                for i in 0..<box.list.count where box.list[i].window == w {
                    let first = box.list[i].step &* box.starts[i]
                    let last = first &+ box.list[i].step &* (box.counts[i] &- 1)
                    low &+= min(first, last)
                    high &+= max(first, last)
                }
            }
            windowAxis[w] = append(
                Axis(inputStride: window.inputStride, first: low, count: high &- low &+ 1, extent: window.extent))
        }
        appendPlain(columns, columnAxis)
        appendPlain(depth, depthAxis)
        setPitches(element)
    }

    private mutating func append(_ axis: Axis) -> Int {
        axes[axisCount] = axis
        axisCount &+= 1
        return axisCount &- 1
    }

    private mutating func appendPlain(_ box: IndexBox, _ axisOf: UnsafeMutablePointer<Int>) {
        for i in 0..<box.list.count where box.list[i].window < 0 {
            axisOf[i] = append(
                Axis(inputStride: box.list[i].inputStride, first: box.starts[i], count: box.counts[i]))
        }
    }

    /// Axes lie in the patch as they do in the input, the one of the shortest stride innermost.
    private mutating func setPitches(_ element: Int) {
        for i in 0..<axisCount { axes[i].pitch = 0 }
        var pitch = element
        for _ in 0..<axisCount {
            var next = -1
            for i in 0..<axisCount where axes[i].pitch == 0 {
                if next < 0 || axes[i].inputStride.magnitude <= axes[next].inputStride.magnitude { next = i }
            }
            axes[next].pitch = pitch
            pitch = saturatingMultiply(pitch, axes[next].count)
        }
        byteCount = pitch
    }

    /// How far a step of an index moves in the patch.
    func stride(_ index: ContractionIndex, axis: Int) -> Int {
        index.window < 0 ? axes[axis].pitch : index.step &* axes[windowAxis[index.window]].pitch
    }

    /// Where the block's first column and first depth meet.
    func origin(_ problem: ContractionProblem, _ columns: IndexBox, _ depth: IndexBox) -> Int {
        var offset = 0
        for w in 0..<problem.windowCount {
            let axis = axes[windowAxis[w]]
            var coordinate = 0 &- problem.windows[w].padding &- axis.first
            for box in [columns, depth] {
                for i in 0..<box.list.count where box.list[i].window == w {
                    coordinate &+= box.list[i].step &* box.starts[i]
                }
            }
            offset &+= coordinate &* axis.pitch
        }
        return offset
    }

    /// Copies the box. `input` stands at coordinate 0 of every window and at value 0 of every index. `stage` serves
    /// `readRun`.
    func fill(
        _ target: UnsafeMutableRawPointer, from input: UnsafeRawPointer, _ reader: OperandReader, _ boundary: Boundary,
        element: Int, stage: UnsafeMutableRawPointer
    ) {
        let filler = PatchFiller(reader: reader, boundary: boundary, element: element, stage: stage, line(element))
        withUnsafeTemporaryAllocation(of: Int.self, capacity: axisCount &+ 1) { position in
            let position = position.baseAddress.unsafelyUnwrapped
            position.initialize(repeating: 0, count: axisCount)
            repeat {
                var source = input
                var destination = target
                var isOutside = false
                for i in 0..<axisCount where !filler.line.holds(i) {
                    let coordinate = axes[i].first &+ position[i]
                    let mapped = axes[i].extent < 0 ? coordinate : boundary.map(coordinate, extent: axes[i].extent)
                    if mapped < 0 { isOutside = true }
                    source += mapped &* axes[i].inputStride
                    destination += position[i] &* axes[i].pitch
                }
                if isOutside {
                    filler.clear(destination)
                } else {
                    filler.fill(destination, from: source)
                }
            } while advance(position, filler.line)
        }
    }

    private func advance(_ position: UnsafeMutablePointer<Int>, _ line: Line) -> Bool {
        for i in 0..<axisCount where !line.holds(i) {
            position[i] &+= 1
            if position[i] < axes[i].count { return true }
            position[i] = 0
        }
        return false
    }

    /// What is copied at a time: an axis of the patch whose coordinates hold one sample each, or, where the innermost axis
    /// lies whole within them (channels-last), a few.
    struct Line {
        var axis = Axis()
        /// Samples of one coordinate, and how far apart they lie in the input.
        var unit = 1
        var unitStride = 0
        /// From where the source stands to the first of them.
        var start = 0
        fileprivate var inner = -1
        fileprivate var outer = -1

        fileprivate func holds(_ i: Int) -> Bool { i == inner || i == outer }
    }

    private func line(_ element: Int) -> Line {
        var line = Line()
        line.inner = axis(pitch: element)
        if line.inner < 0 { return line }
        line.axis = axes[line.inner]
        line.unitStride = line.axis.inputStride
        if line.axis.extent >= 0 { return line }
        let next = axis(pitch: element &* line.axis.count)
        if next < 0 || next == line.inner || axes[next].inputStride != line.axis.count &* line.axis.inputStride {
            return line
        }
        line.unit = line.axis.count
        line.axis = axes[next]
        line.outer = next
        line.start = axes[line.inner].first &* line.unitStride
        return line
    }

    /// The axis of more than one coordinate with this pitch.
    private func axis(pitch: Int) -> Int {
        var found = -1
        for i in 0..<axisCount where axes[i].pitch == pitch && (found < 0 || axes[i].count > 1) { found = i }
        return found
    }
}

/// Copies a patch's lines.
private struct PatchFiller {
    let reader: OperandReader
    let boundary: Boundary
    let element: Int
    let stage: UnsafeMutableRawPointer
    let line: GemmPatch.Line

    init(
        reader: OperandReader, boundary: Boundary, element: Int, stage: UnsafeMutableRawPointer, _ line: GemmPatch.Line
    ) {
        self.reader = reader
        self.boundary = boundary
        self.element = element
        self.stage = stage
        self.line = line
    }

    private var unitBytes: Int { line.unit &* element }

    func clear(_ target: UnsafeMutableRawPointer) {
        target.initializeMemory(as: UInt8.self, repeating: reader.zero, count: line.axis.count &* unitBytes)
    }

    func fill(_ target: UnsafeMutableRawPointer, from source: UnsafeRawPointer) {
        let axis = line.axis
        let end = axis.first &+ axis.count
        var (low, high) = (axis.first, end)
        if axis.extent >= 0 {
            low = min(max(axis.first, 0), end)
            high = max(low, min(end, axis.extent))
        }
        fillOutside(axis.first, low, target, source)
        if high > low { read(low, high &- low, target, source, at: low) }
        fillOutside(high, end, target, source)
    }

    /// Reads samples from a coordinate of the input on, to where a coordinate's lie in the patch.
    private func read(
        _ coordinate: Int, _ count: Int, _ target: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, at place: Int
    ) {
        reader.read(
            source + (coordinate &* line.axis.inputStride &+ line.start), stride: line.unitStride,
            count: count &* line.unit, to: target + (place &- line.axis.first) &* unitBytes, stage: stage)
    }

    private func fillOutside(
        _ first: Int, _ end: Int, _ target: UnsafeMutableRawPointer, _ source: UnsafeRawPointer
    ) {
        if first == end { return }
        if boundary == .fill {
            (target + (first &- line.axis.first) &* unitBytes).initializeMemory(
                as: UInt8.self, repeating: reader.zero, count: (end &- first) &* unitBytes)
            return
        }
        for coordinate in first..<end {
            read(boundary.map(coordinate, extent: line.axis.extent), 1, target, source, at: coordinate)
        }
    }
}

/// A block of an index list: from where, and how many values of each index.
struct IndexBox {
    let list: IndexList
    let starts: UnsafeMutablePointer<Int>
    let counts: UnsafeMutablePointer<Int>

    /// Combinations in it.
    var extent: Int {
        var product = 1
        for i in 0..<list.count { product &*= counts[i] }
        return product
    }

    /// From the list's first combination to the box's. (Inlined, as `IndexList.offset`.)
    @inline(__always)
    func start(_ operand: ContractionIndex.Operand) -> Int {
        var offset = 0
        for i in 0..<list.count { offset &+= starts[i] &* list[i].stride(operand) }
        return offset
    }
}
