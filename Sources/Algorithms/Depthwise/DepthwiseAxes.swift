import Foundations
import Kernels

/// What the axes of a depthwise problem are for.
struct DepthwiseAxes {
    let problem: SlidingProblem
    /// The axis along the vectors.
    let channel: SlidingAxis
    /// The innermost window axis in memory, and the next (one of a single sample if there is none).
    let column: SlidingAxis
    let row: SlidingAxis
    /// All other axes: `batchCount` batch axes, then window axes from the outermost in memory.
    let outer: AxisList
    let outerCount: Int
    let batchCount: Int
    /// Taps along the outer axes, and the combinations of their outputs.
    let planes: Int
    let outerOutputs: Int

    init(_ problem: SlidingProblem) {
        let windows = WindowOrder(problem)
        let channelIndex = DepthwiseAxes.channel(problem)
        self.problem = problem
        channel = problem.axes[channelIndex]
        column = problem.axes[windows.innermost]
        row = windows.count > 1 ? problem.axes[windows[windows.count &- 2]] : SlidingAxis()
        outer = problem.axes + problem.rank
        var (count, planes, outputs) = (0, 1, 1)
        for i in 0..<problem.rank where i != channelIndex && !problem.axes[i].isWindow {
            outer[count] = problem.axes[i]
            outputs = saturatingMultiply(outputs, problem.axes[i].outExtent)
            count &+= 1
        }
        batchCount = count
        for w in 0..<max(windows.count &- 2, 0) {
            outer[count] = problem.axes[windows[w]]
            planes = saturatingMultiply(planes, problem.axes[windows[w]].filterExtent)
            outputs = saturatingMultiply(outputs, problem.axes[windows[w]].outExtent)
            count &+= 1
        }
        outerCount = count
        self.planes = planes
        outerOutputs = outputs
    }

    /// The batch axis with filters of its own whose samples lie closest together, -1 for none.
    static func channel(_ problem: SlidingProblem) -> Int {
        var found = -1
        for i in 0..<problem.rank where !problem.axes[i].isWindow {
            let axis = problem.axes[i]
            if axis.filterStride == 0 || axis.inStride == 0 { continue }
            if found < 0 || axis.inStride.magnitude < problem.axes[found].inStride.magnitude { found = i }
        }
        return found
    }

    /// Where a tap lies in a filter. Taps are counted over the outer axes, rows and columns, the last fastest.
    func tapOffset(_ tap: Int) -> Int {
        let plane = tap / column.filterExtent / row.filterExtent
        return tap % column.filterExtent &* column.filterStride
            &+ tap / column.filterExtent % row.filterExtent &* row.filterStride &+ planeOffset(plane)
    }

    /// Where a plane of taps lies in a filter.
    func planeOffset(_ plane: Int) -> Int {
        var rest = plane
        var offset = 0
        for i in (batchCount..<outerCount).reversed() {
            offset &+= rest % outer[i].filterExtent &* outer[i].filterStride
            rest /= outer[i].filterExtent
        }
        return offset
    }
}

extension SlidingAxis {
    /// The taps under output `o` that lie inside the input.
    func taps(_ o: Int) -> Range<Int> {
        let start = step &* o &- padding
        let first = start >= 0 ? 0 : min(ceilingDivide(0 &- start, dilation), filterExtent)
        let end = start >= inExtent ? 0 : (inExtent &- 1 &- start) / dilation &+ 1
        return first..<max(first, min(end, filterExtent))
    }

    /// Input indices under some outputs and taps, as far as they exist.
    func inputs(_ outputs: Range<Int>, _ taps: Range<Int>) -> Range<Int> {
        let first = outputs.lowerBound &* step &+ taps.lowerBound &* dilation &- padding
        let last = (outputs.upperBound &- 1) &* step &+ (taps.upperBound &- 1) &* dilation &- padding
        let start = min(max(first, 0), inExtent)
        return start..<max(start, min(last &+ 1, inExtent))
    }

    /// Input indices from the first to the last under so many outputs and taps, wherever they begin.
    func span(outputs: Int, taps: Int) -> Int {
        saturatingAdd(
            saturatingAdd(saturatingMultiply(outputs &- 1, step), saturatingMultiply(taps &- 1, dilation)), 1)
    }
}

/// One combination of outputs along the outer axes.
struct DepthwisePlace {
    private let axes: UnsafePointer<DepthwiseAxes>
    private var outputs = AxisInts(repeating: 0)
    /// The input at index 0 of all window axes, and the output at index 0 of rows and columns, of channel 0.
    private(set) var input: UnsafeRawPointer
    private(set) var output: UnsafeMutableRawPointer
    /// Which of the filters, as far as there are several; where it and its bias lie.
    private(set) var filter = 0
    private(set) var filterOffset = 0
    private(set) var biasOffset = 0

    /// Combinations are numbered with the last axis fastest.
    init(_ axes: UnsafePointer<DepthwiseAxes>, number: Int) {
        self.axes = axes
        input = axes.pointee.problem.input
        output = axes.pointee.problem.output
        var rest = number
        for i in (0..<axes.pointee.outerCount).reversed() {
            outputs[i] = rest % axes.pointee.outer[i].outExtent
            rest /= axes.pointee.outer[i].outExtent
        }
        for i in 0..<axes.pointee.outerCount {
            let axis = axes.pointee.outer[i]
            output += outputs[i] &* axis.outStride
            if axis.isWindow { continue }
            input += outputs[i] &* axis.inStride
            filterOffset &+= outputs[i] &* axis.filterStride
            biasOffset &+= outputs[i] &* axis.biasStride
            if axis.hasOwnFilter { filter = filter &* axis.outExtent &+ outputs[i] }
        }
    }

    /// The input under a plane of the filter, at row and column 0 of channel 0; nil where that lies outside.
    func plane(_ number: Int) -> UnsafeRawPointer? {
        var rest = number
        var offset = 0
        for i in (axes.pointee.batchCount..<axes.pointee.outerCount).reversed() {
            let axis = axes.pointee.outer[i]
            let index = axis.step &* outputs[i] &- axis.padding &+ rest % axis.filterExtent &* axis.dilation
            if index < 0 || index >= axis.inExtent { return nil }
            offset &+= index &* axis.inStride
            rest /= axis.filterExtent
        }
        return input + offset
    }
}
