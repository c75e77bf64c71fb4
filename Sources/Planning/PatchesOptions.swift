import Algorithms
import Foundations

/// What the caller asks of patches: sc_patches with its codes decoded.
package struct PatchesOptions {
    package var boundary = Boundary.fill
    package var reduction = PatchesProblem.Reduction.sum
    package var threads = 0
    package var isFresh = false
    package var windowRank = 0
    package var axes = PerWindow(nil)
    package var window = PerWindow(nil)
    package var stride = PerWindow(nil)
    package var dilation = PerWindow(nil)
    package var paddingLow = PerWindow(nil)
    package var paddingHigh = PerWindow(nil)
    package var fill: UnsafeRawPointer?
    package var weights: UnsafePointer<Double>?

    package init() {}
}
