import Foundations
import Kernels

/// The packed filters, [filter][vector][tap][lane], and biases, [filter][lane]: one for each combination of the batch axes
/// that have their own. Taps run over the outer window axes, rows and columns, the last fastest. In front of them lie the
/// tables by which they are packed.
struct DepthwiseFilter {
    private let channel: SlidingAxis
    private let reader: ElementReader
    private let lanes: Int
    private let element: Int
    let tapCount: Int
    let filters: Int
    let vectors: Int
    /// From one vector's weights to the next's, and from one filter's.
    let vectorPitch: Int
    private let filterPitch: Int
    private let biasPitch: Int
    /// Tables: where each tap lies in a filter, the runs of taps that lie side by side, and where each lane lies.
    private let tapRuns: Int
    private let laneOffsets: Int
    private let weightStart: Int
    private let biasStart: Int
    let byteCount: Int

    init(_ axes: DepthwiseAxes, vectors: Int) {
        let problem = axes.problem
        channel = axes.channel
        self.vectors = vectors
        lanes = vectorLanes(problem.arithmetic)
        element = problem.arithmetic.byteCount
        reader = ElementReader(type: problem.filterType, swapUnit: problem.filterSwapUnit, problem.arithmetic)
        tapCount = problem.tapCount
        var filters = 1
        for i in 0..<axes.batchCount where axes.outer[i].hasOwnFilter {
            filters = saturatingMultiply(filters, axes.outer[i].outExtent)
        }
        self.filters = filters
        vectorPitch = saturatingMultiply(tapCount, laneWeightBytes(problem.arithmetic))
        filterPitch = saturatingMultiply(vectors, vectorPitch)
        biasPitch = problem.epilogue.bias == nil ? 0 : vectors &* lanes &* element
        tapRuns = saturatingMultiply(tapCount, 8)
        laneOffsets = saturatingMultiply(tapCount, 16)
        weightStart = roundToCacheLine(saturatingAdd(laneOffsets, lanes &* 8))
        biasStart = saturatingAdd(weightStart, saturatingMultiply(filters, filterPitch))
        byteCount = saturatingAdd(biasStart, saturatingMultiply(filters, biasPitch))
    }

    /// The first channel of a vector; where vectors are whole, the last one overlaps its predecessor.
    func firstChannel(_ vector: Int) -> Int { max(0, min(vector &* lanes, channel.outExtent &- lanes)) }

    /// Where a vector's weights lie.
    func weights(_ number: Int, vector: Int) -> Int { weightStart &+ number &* filterPitch &+ vector &* vectorPitch }

    /// Where the biases of a vector and those after it lie; nil for none.
    func bias(_ number: Int, vector: Int) -> Int? {
        biasPitch == 0 ? nil : biasStart &+ number &* biasPitch &+ vector &* lanes &* element
    }

    // MARK: Packing

    /// Packs all filters and biases. `stage` serves `readRun`.
    func pack(_ plan: DepthwisePlan, to memory: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer) {
        let runCount = writeTables(plan, memory)
        for number in 0..<filters {
            let (filter, bias) = offsets(number, plan)
            for vector in 0..<vectors {
                pack(
                    plan, plan.problem.filter + filter, runs: runCount, vector, to: memory,
                    memory + weights(number, vector: vector), stage: stage)
                guard let place = self.bias(number, vector: vector) else { continue }
                let first = firstChannel(vector)
                (memory + place).initializeMemory(as: UInt8.self, repeating: 0, count: lanes &* element)
                plan.problem.epilogue.readBias(
                    bias &+ first &* channel.biasStride, stride: channel.biasStride,
                    count: min(lanes, channel.outExtent), plan.arithmetic, to: memory + place, stage: stage)
            }
        }
    }

    /// Returns the number of runs of taps.
    private func writeTables(_ plan: DepthwisePlan, _ memory: UnsafeMutableRawPointer) -> Int {
        let taps = memory.assumingMemoryBound(to: Int.self)
        let runs = (memory + tapRuns).assumingMemoryBound(to: Int.self)
        let ofLanes = (memory + laneOffsets).assumingMemoryBound(to: Int.self)
        for lane in 0..<lanes { ofLanes[lane] = lane &* channel.filterStride }
        var runCount = 0
        for tap in 0..<tapCount {
            taps[tap] = plan.axes.tapOffset(tap)
            if tap > 0 && taps[tap] &- taps[tap &- 1] == element {
                runs[runCount &- 1] &+= 1
            } else {
                runs[runCount] = 1
                runCount &+= 1
            }
        }
        return runCount
    }

    private func pack(
        _ plan: DepthwisePlan, _ filter: UnsafeRawPointer, runs: Int, _ vector: Int,
        to tables: UnsafeMutableRawPointer, _ target: UnsafeMutableRawPointer, stage: UnsafeMutableRawPointer
    ) {
        let source = filter + firstChannel(vector) &* channel.filterStride
        let count = min(lanes, channel.outExtent)
        let pitch = laneWeightBytes(plan.arithmetic)
        let taps = UnsafePointer(tables.assumingMemoryBound(to: Int.self))
        if reader.isPlain {
            var panel = PanelSource(
                source: source, laneOffsets: (tables + laneOffsets).assumingMemoryBound(to: Int.self), lanes: count,
                depthOffsets: taps, depth: tapCount, depthRuns: (tables + tapRuns).assumingMemoryBound(to: Int.self),
                depthRunCount: runs, elementBytes: element)
            packPanel(&panel, width: lanes, to: target, pitch: pitch)
        } else {
            if count < lanes { target.initializeMemory(as: UInt8.self, repeating: 0, count: vectorPitch) }
            for tap in 0..<tapCount {
                readRun(
                    reader, source + taps[tap], stride: channel.filterStride, count: count,
                    to: target + tap &* pitch, stage: stage)
            }
        }
        finish(plan.arithmetic, target)
    }

    /// As kernels read weights: bools with all bits or none, complex ones with their parts apart.
    private func finish(_ arithmetic: ArithmeticKind, _ weights: UnsafeMutableRawPointer) {
        switch arithmetic {
        case .boolean:
            let bytes = weights.assumingMemoryBound(to: UInt8.self)
            for i in 0..<vectorPitch { bytes[i] = bytes[i] == 0 ? 0 : 0xFF }
        case .complex64: partComplex(Float.self, weights)
        case .complex128: partComplex(Double.self, weights)
        default: break
        }
    }

    private func partComplex<T: BitwiseCopyable>(_: T.Type, _ weights: UnsafeMutableRawPointer) {
        let values = weights.assumingMemoryBound(to: T.self)
        for tap in 0..<tapCount {
            let real = values + tap &* 4 &* lanes
            for lane in 0..<lanes {
                let imaginary = real[2 &* lane &+ 1]
                real[2 &* lanes &+ 2 &* lane] = imaginary
                real[2 &* lanes &+ 2 &* lane &+ 1] = imaginary
                real[2 &* lane &+ 1] = real[2 &* lane]
            }
        }
    }

    /// From the first filter and bias to those with a number, the last batch axis fastest.
    private func offsets(_ number: Int, _ plan: DepthwisePlan) -> (filter: Int, bias: Int) {
        var rest = number
        var (filter, bias) = (0, 0)
        for i in (0..<plan.axes.batchCount).reversed() where plan.axes.outer[i].hasOwnFilter {
            let axis = plan.axes.outer[i]
            filter &+= rest % axis.outExtent &* axis.filterStride
            bias &+= rest % axis.outExtent &* axis.biasStride
            rest /= axis.outExtent
        }
        return (filter, bias)
    }
}
