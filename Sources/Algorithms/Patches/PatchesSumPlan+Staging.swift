import Foundations
import Kernels

/// Bytes of patches that are transposed at once.
private let stagedBytes = 32 << 10
/// Fewer patches than this take longer to transpose than to add from where they lie.
private let fewestStaged = 256
private let fewestStagedRows = 4

/// Patches without a run worth a call: what the innermost loops hold is transposed into scratch.
extension SumPlan {
    var willStage: Bool {
        let size = problem.patchesType.byteCount
        return loopCount > 1 && size <= 8 && runUnit == 1 && run.source != size && run.extent >= fewestStagedRows
    }

    /// Taps and windows that are contiguous beside the run, without the batch.
    var contiguousTaps: Int {
        var columns = 1
        for l in (0..<loopCount &- 1).reversed() {
            if loops[l].source != columns &* problem.patchesType.byteCount || axes[loops[l].axis].isBatch { break }
            let next = saturatingMultiply(columns, loops[l].extent)
            if next > mostStaged / fewestStagedRows { break }
            columns = next
        }
        return columns
    }

    /// Patches that are transposed at once.
    var mostStaged: Int { stagedBytes / problem.patchesType.byteCount }

    mutating func stageTransposed() {
        stagedLevel = loopCount
        if !willStage { return }
        let size = problem.patchesType.byteCount
        stagedRows = stagedRange
        var level = loopCount &- 1
        while level > 0 {
            let loop = loops[level &- 1]
            let extent = axes[loop.axis].isBatch ? axes[loop.axis].block : loop.extent
            let columns = saturatingMultiply(stagedColumns, extent)
            let bytes = saturatingMultiply(saturatingMultiply(columns, stagedRows), size)
            if loop.source != stagedColumns &* size || bytes > 2 &* stagedBytes { break }
            level &-= 1
            loops[level].staged = stagedColumns &* stagedRows &* size
            stagedColumns = columns
            if extent < loop.extent { break }
        }
        if stagedColumns &* stagedRows < fewestStaged {
            stagedColumns = 1
            return
        }
        loops[loopCount &- 1].staged = size
        stagedLevel = level
    }

    /// Indices of the run at which any tap of its axis may lie in one block.
    var stagedRange: Int {
        let axis = axes[run.axis]
        let other =
            run.isWindows ? axis.axis.dilation &* (axis.axis.taps &- 1) : axis.axis.step &* (axis.axis.windows &- 1)
        return min(run.extent, saturatingAdd(axis.block, other) / run.advance &+ 1)
    }

    /// What the run's range grows by where its axis's other loop is staged too.
    func reachOfStaged() -> Int {
        for l in stagedLevel..<max(loopCount &- 1, stagedLevel) where loops[l].axis == run.axis {
            return loops[l].advance &* (loops[l].extent &- 1)
        }
        return 0
    }
}
