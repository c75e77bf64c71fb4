import Foundations
import Kernels

/// Byte offsets of the taps [plane][tap along the columns], for input read in place and for packed patches, and the packed
/// filter, in one piece of shared memory: the layout as offsets into it, since the plan is made before the memory is had.
struct StencilTables {
    var tapsInPlace = 0
    var tapsInPatch = 0
    /// [block of columns][tap].
    var maskedTaps = 0
    var weights = 0
    /// From one packed filter to the next, where there are several.
    var filterPitch = 0
    /// A separable filter's factors: one element a tap, one a filter row.
    var rowFactor = 0
    var columnFactor = 0
    var byteCount = 0

    init() {}

    init(_ plan: StencilPlan) {
        let taps = saturatingMultiply(saturatingMultiply(plan.planes, plan.column.filterExtent), 8)
        tapsInPatch = taps
        maskedTaps = saturatingMultiply(taps, 2)
        let masked = plan.masked.isUsed ? plan.masked.blocks &* plan.column.filterExtent : 0
        weights = roundToCacheLine(saturatingAdd(maskedTaps, masked &* MemoryLayout<MaskedTap>.stride))
        filterPitch = roundToCacheLine(saturatingMultiply(plan.problem.tapCount, plan.element))
        rowFactor = saturatingAdd(weights, saturatingMultiply(plan.filters, filterPitch))
        columnFactor = rowFactor
        byteCount = rowFactor
        if plan.mayFactor {
            rowFactor = roundToCacheLine(rowFactor)
            columnFactor = roundToCacheLine(saturatingAdd(rowFactor, plan.column.filterExtent &* plan.element))
            byteCount = saturatingAdd(columnFactor, plan.row.filterExtent &* plan.element)
        }
    }

    /// Fills the memory; returns whether the filter is finite and, if the plan may factor it, whether it has factors.
    func write(_ plan: StencilPlan, to memory: UnsafeMutableRawPointer) -> (isFinite: Bool, isSeparable: Bool) {
        let inPlace = (memory + tapsInPlace).assumingMemoryBound(to: Int.self)
        let inPatch = (memory + tapsInPatch).assumingMemoryBound(to: Int.self)
        let taps = plan.column.filterExtent
        for p in 0..<plan.planes {
            let plane = planeOffset(p, plan)
            for t in 0..<taps {
                inPlace[p &* taps &+ t] = plane &+ t &* plan.column.dilation &* plan.column.inStride
                inPatch[p &* taps &+ t] =
                    p &* plan.patch.planePitch &+ plan.patch.tapOffset(t, plan.column, element: plan.element)
            }
        }
        if plan.masked.isUsed {
            plan.masked.writeTaps(plan, to: (memory + maskedTaps).assumingMemoryBound(to: MaskedTap.self))
        }
        let elements = saturatingMultiply(plan.filters, plan.problem.tapCount)
        if plan.masked.readsFilter && Algorithms.isFinite(plan.problem.filter, count: elements, plan.arithmetic) {
            return (true, false)
        }
        let isFinite = packFilters(plan, to: memory + weights)
        let isSeparable =
            plan.mayFactor && isFinite
            && factorFilter(
                memory + weights, taps: plan.column.filterExtent, rows: plan.row.filterExtent,
                for: plan.problem.resultType, row: memory + rowFactor, column: memory + columnFactor)
        return (isFinite, isSeparable)
    }

    /// Returns whether all are finite.
    private func packFilters(_ plan: StencilPlan, to memory: UnsafeMutableRawPointer) -> Bool {
        if let distance = plan.filterDistance {
            return packPlanes(
                plan.problem, filters: plan.filters, distance: distance, row: plan.row, column: plan.column, to: memory,
                pitch: filterPitch)
        }
        var isFinite = true
        for number in 0..<plan.filters {
            let isThisFinite = packFilter(
                plan.problem, plan.filterOffset(number), outer: plan.outer + plan.batchCount,
                outerCount: plan.outerCount &- plan.batchCount, row: plan.row, column: plan.column,
                to: memory + number &* filterPitch)
            isFinite = isFinite && isThisFinite
        }
        return isFinite
    }

    /// From the first plane's input to another's, along the outer window axes.
    private func planeOffset(_ plane: Int, _ plan: StencilPlan) -> Int {
        var index = plane
        var offset = 0
        var axis = plan.outerCount &- 1
        while axis >= plan.batchCount {
            let outer = plan.outer[axis]
            offset &+= index % outer.filterExtent &* outer.dilation &* outer.inStride
            index /= outer.filterExtent
            axis &-= 1
        }
        return offset
    }
}

/// One thread's scratch: a patch, a block of results, and the stages of dtype conversion.
struct ScratchLayout {
    /// Columns of a block on its way past the caches, and its elements at most: with float32, a first-level cache.
    static let streamColumns = 1024
    static let streamElements = 2 &* sharedRowsHeight &* streamColumns

    var stageElements = 0
    var block = 0
    var blockPitch = 0
    /// What the first of two passes leaves for the second, in rows of the block's pitch.
    var intermediate = 0
    var firstStage = 0
    var secondStage = 0
    /// The boundary's offsets of the samples outside, while a patch is packed. Steps make some even of whole windows:
    /// every slot is packed as far as the longest.
    var outside = 0
    var byteCount = 0

    init() {}

    init(_ plan: StencilPlan) {
        // What is read and written in place takes no scratch, what is plain no stages.
        // Scratch serves one of two ways; which, a filter that is not finite decides.
        byteCount = plan.masked.scratchBytes
        if plan.flat.isUsed || !(plan.usesBlocks || plan.streamsOutput) {
            if plan.flat.isUsed { byteCount = roundToCacheLine(plan.flat.scratchBytes) }
            return
        }
        let needsPatch = !plan.readsInPlace || plan.touchesBorder
        let patchBytes = needsPatch ? roundToCacheLine(plan.patch.byteCount) : 0
        stageElements =
            plan.reader.isPlain && plan.writesInPlace ? 0 : min(512, plan.blockColumns &+ plan.patch.slotExtra)
        blockPitch = roundToCacheLine(plan.blockColumns &* plan.element)
        block = patchBytes
        var blockBytes = plan.writesInPlace ? 0 : saturatingMultiply(blockPitch, plan.blockRows)
        if plan.streamsOutput { blockBytes = ScratchLayout.streamElements &* plan.element }
        intermediate = saturatingAdd(patchBytes, blockBytes)
        firstStage = intermediate
        if plan.mayFactor {
            firstStage = saturatingAdd(
                intermediate, saturatingMultiply(blockPitch, plan.patchRows(plan.blockRows)))
        }
        secondStage = saturatingAdd(firstStage, stageElements &* 16)
        outside = saturatingAdd(secondStage, stageElements &* 16)
        let samples = saturatingAdd(plan.blockColumns, plan.patch.slotExtra)
        byteCount = max(byteCount, saturatingAdd(outside, needsPatch ? saturatingMultiply(samples, 8) : 0))
    }
}
