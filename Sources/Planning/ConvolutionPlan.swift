import Algorithms
import CSwiftConv
import Foundations

/// A convolution whose filter is given once: its descriptors and options, and what the filter was packed into so far.
package struct ConvolutionPlan {
    private static let listLength = 32

    package let options: ConvolutionOptions
    private let weight: Tensor
    private let bias: Tensor?
    private var cache = FilterCache()

    /// Copies all but the data of `weight` and `bias`; the rank of `options` is validated, nothing else.
    package static func create(
        weight: Tensor, bias: Tensor?, _ options: ConvolutionOptions
    ) throws(Failure) -> UnsafeMutablePointer<ConvolutionPlan> {
        let head = roundToCacheLine(MemoryLayout<ConvolutionPlan>.size)
        let memory = try Workspace(byteCount: head + 10 * listLength * 8).release()
        var next = (memory + head).bindMemory(to: Int64.self, capacity: 10 * listLength)
        func copy(_ tensor: Tensor) -> Tensor {
            let (extents, strides) = (next, next + listLength)
            for i in 0..<tensor.rank { (extents[i], strides[i]) = (Int64(tensor.extent(i)), Int64(tensor.stride(i))) }
            next += 2 * listLength
            return Tensor(
                data: tensor.data, type: tensor.type, byteswapped: tensor.byteswapped, rank: tensor.rank,
                extents: extents, strides: strides)
        }
        func copy(_ list: PerWindow, default value: Int) -> PerWindow {
            let values = next
            for i in 0..<options.spatialRank { values[i] = Int64(list(i, default: value)) }
            next += listLength
            return PerWindow(values)
        }
        let weight = copy(weight)
        let bias = bias.map { copy($0) }
        var options = options
        options.stride = copy(options.stride, default: 1)
        options.dilation = copy(options.dilation, default: 1)
        options.paddingLow = copy(options.paddingLow, default: 0)
        options.paddingHigh = copy(options.paddingHigh, default: 0)
        options.inputDilation = copy(options.inputDilation, default: 1)
        options.outputPadding = copy(options.outputPadding, default: 0)
        let plan = memory.bindMemory(to: ConvolutionPlan.self, capacity: 1)
        plan.initialize(to: ConvolutionPlan(options: options, weight: weight, bias: bias))
        return plan
    }

    private init(options: ConvolutionOptions, weight: Tensor, bias: Tensor?) {
        self.options = options
        self.weight = weight
        self.bias = bias
    }

    package static func destroy(_ plan: UnsafeMutablePointer<ConvolutionPlan>) {
        plan.pointee.cache.removeAll()
        Workspace.free(UnsafeMutableRawPointer(plan))
    }

    package func validated(
        _ a: Tensor, out: Tensor?, _ storage: ConvolutionStorage
    ) throws(Failure) -> Convolution {
        try validate(a, weight, bias: bias, out: out, options, storage)
    }

    package var threads: Int { options.followsThreadCount ? ThreadCount.current : options.threads }

    /// Runs it, or only packs the filter for it; returns false if it was interrupted.
    package static func run(
        _ plan: UnsafeMutablePointer<ConvolutionPlan>, _ convolution: Convolution, threads: Int, control: Control,
        onlyPacks: Bool
    ) throws(Failure) -> Bool {
        let store = FilterStore(
            cache: cachePointer(plan), base: UnsafeRawPointer(plan.pointee.weight.data), onlyPacks: onlyPacks)
        return try Planning.run(
            convolution, method: plan.pointee.options.method, threads: threads, control: control, store: store)
    }

    package static func byteCount(_ plan: UnsafeMutablePointer<ConvolutionPlan>) -> Int {
        FilterCache.byteCount(cachePointer(plan))
    }

    private static func cachePointer(
        _ plan: UnsafeMutablePointer<ConvolutionPlan>
    ) -> UnsafeMutablePointer<FilterCache> {
        plan.pointer(to: \.cache).unsafelyUnwrapped
    }
}
