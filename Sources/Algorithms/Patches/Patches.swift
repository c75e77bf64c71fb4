import Foundations

/// Cutting an array into windows, and the adjoint: adding windows up.
package enum Patches {
    /// Copies every window to its place among the patches.
    package static func gather(
        _ problem: PatchesProblem, threads: Int, control: Control
    ) throws(Failure) -> Bool {
        if problem.patchesCount == 0 { return true }
        return try runCopy(problem, .gather, threads: threads, control: control)
    }

    /// Adds every window to its place in the array. Windows that part the array among them are copied.
    package static func scatter(
        _ problem: PatchesProblem, threads: Int, control: Control
    ) throws(Failure) -> Bool {
        if problem.arrayCount == 0 { return true }
        if problem.isPartition { return try runCopy(problem, .scatter, threads: threads, control: control) }
        return try runSums(problem, threads: threads, control: control)
    }
}

extension PatchesProblem {
    /// Every element of the array is one element of the patches: their sum and their mean.
    fileprivate var isPartition: Bool {
        if weights != nil || patchesType != arrayType { return false }
        for i in 0..<rank {
            // Windows that mostly lie outside may be many more than the array has elements.
            let window = saturatingMultiply(axes[i].windows, axes[i].taps)
            if !axes[i].isPartition || window > saturatingMultiply(4, axes[i].extent) { return false }
        }
        return true
    }
}
