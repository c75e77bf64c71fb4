import Foundations

/// One axis of an array that is cut into windows. A batch axis is the case of windows of one element.
///
/// Window `o`, tap `k` hold the element at `step * o + dilation * k - padding`. Extents in elements, memory strides in
/// bytes.
package struct PatchAxis {
    package var extent = 1
    package var windows = 1
    package var taps = 1
    package var stride = 0
    /// Memory strides of the patches.
    package var windowStride = 0
    package var tapStride = 0
    /// Elements between two taps' weights.
    package var weightStride = 0
    package var step = 1
    package var dilation = 1
    package var padding = 0
    package var isWindow = false

    package init() {}

    /// Position of the last window's last tap.
    var lastPosition: Int { step &* (windows &- 1) &+ dilation &* (taps &- 1) &- padding }
    /// Some position lies outside.
    var reachesOutside: Bool { padding > 0 || lastPosition >= extent }

    /// No element lies in two windows, and each lies in one.
    var isPartition: Bool {
        let reach = dilation &* (taps &- 1) &+ 1
        let tilesByWindows = (taps == 1 || dilation == 1) && (windows == 1 || step == reach)
        let stretch = step &* (windows &- 1) &+ 1
        let tilesByTaps = (windows == 1 || step == 1) && (taps == 1 || dilation == stretch)
        return padding >= 0 && lastPosition >= extent &- 1 && (tilesByWindows || tilesByTaps)
    }
}

package typealias PatchAxisList = UnsafeMutablePointer<PatchAxis>

/// Memory for `rank` axes during `body`.
package func withPatchAxes(rank: Int, _ body: (PatchAxisList) throws(Failure) -> Bool) throws(Failure) -> Bool {
    try withUnsafeTemporaryAllocation(of: PatchAxis.self, capacity: rank &+ 1) {
        (storage) throws(Failure) -> Bool in
        storage.initialize(repeating: PatchAxis())
        // Never empty: capacity is at least 1.
        return try body(storage.baseAddress.unsafelyUnwrapped)
    }
}

/// An array and its patches: sizes agree, nothing overflows, every pointer and stride names real elements.
package struct PatchesProblem {
    package enum Reduction: Int32, Sendable { case sum = 0, mean = 1 }

    package var array: UnsafeMutableRawPointer
    package var arrayType: ElementType
    package var arraySwapUnit: Int
    package var patches: UnsafeMutableRawPointer
    package var patchesType: ElementType
    package var patchesSwapUnit: Int
    package var boundary: Boundary
    /// An element of the array's dtype in native byte order.
    package var fill: SIMD2<UInt64>
    package var reduction: Reduction
    /// A weight for each tap, in C order over the window axes.
    package var weights: UnsafePointer<Double>?
    package var rank: Int
    package var axes: PatchAxisList
    /// The patches' memory is new: the system clears its pages, into the caches, when they are first written.
    package var isFresh = false

    package init(
        array: UnsafeMutableRawPointer, arrayType: ElementType, arraySwapUnit: Int, patches: UnsafeMutableRawPointer,
        patchesType: ElementType, patchesSwapUnit: Int, boundary: Boundary, fill: SIMD2<UInt64>, reduction: Reduction,
        weights: UnsafePointer<Double>?, rank: Int, axes: PatchAxisList
    ) {
        self.array = array
        self.arrayType = arrayType
        self.arraySwapUnit = arraySwapUnit
        self.patches = patches
        self.patchesType = patchesType
        self.patchesSwapUnit = patchesSwapUnit
        self.boundary = boundary
        self.fill = fill
        self.reduction = reduction
        self.weights = weights
        self.rank = rank
        self.axes = axes
    }

    /// Number of the array's elements; 0 when any axis is empty.
    var arrayCount: Int {
        var count = 1
        for i in 0..<rank { count = saturatingMultiply(count, axes[i].extent) }
        return count
    }

    var patchesCount: Int {
        var count = 1
        for i in 0..<rank { count = saturatingMultiply(count, saturatingMultiply(axes[i].windows, axes[i].taps)) }
        return count
    }
}
