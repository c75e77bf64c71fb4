import Foundations

/// What one thread works in to add patches up: byte offsets of its parts.
struct SumScratch {
    private(set) var lists = 0
    private(set) var sums = 0
    private(set) var divisors = 0
    /// Elements that are converted: as they are read, and two stages to write them by.
    private(set) var stages = 0
    private(set) var transposed = 0
    private(set) var loops = 0
    private(set) var box = 0
    private(set) var byteCount = 0

    /// Elements that are converted at once.
    static let stageElements = 256
    static let stageBytes = 16 * stageElements

    init(_ plan: borrowing SumPlan) {
        var layout = WorkspaceLayout()
        lists = layout.take((3 &* plan.axisCount &+ 1) &* MemoryLayout<Int>.stride)
        sums = layout.take(plan.blockElements &* plan.element)
        // And their inverses.
        divisors = layout.take(plan.averages ? 2 &* plan.divisorCount &* plan.element : 0)
        stages = layout.take(3 &* SumScratch.stageBytes)
        let staged = plan.stagedColumns &* plan.stagedRows &* plan.problem.patchesType.byteCount
        transposed = layout.take(plan.stagedLevel == plan.loopCount ? 0 : staged)
        let writeLoops = plan.axisCount &+ 1
        loops = layout.take(writeLoops &* MemoryLayout<CopyLoop>.stride)
        box = layout.take(CopyBox.scratchBytes(loopCount: writeLoops))
        byteCount = layout.byteCount
    }
}

/// Bytes of patches worth waking a thread for, and worth handing out at a time.
private let bytesPerThread = 64 << 10
private let bytesPerGrain = 512 << 10
private let mostSharingTasks = 16

extension SumPlan {
    private var bytesPerTask: Int {
        var count = saturatingMultiply(blockElements, element)
        for i in 0..<problem.rank {
            let axis = axes[i].axis
            count = saturatingMultiply(count, max(1, axis.taps / axis.step))
        }
        return max(count, 1)
    }

    func threads(_ wanted: Int) -> Int {
        max(1, min(wanted, taskCount, saturatingMultiply(bytesPerTask, taskCount) / bytesPerThread))
    }

    func grain(threads: Int) -> Int {
        // Tasks that share divisors go together.
        let bySize = max(bytesPerGrain / bytesPerTask, averages ? min(batchTasks, mostSharingTasks) : 1)
        return threads == 1 ? bySize : max(1, min(bySize, taskCount / (4 &* threads)))
    }
}
