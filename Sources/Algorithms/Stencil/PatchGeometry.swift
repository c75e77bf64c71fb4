import Foundations

/// The layout of a packed patch: the input of one block of output rows and columns, [plane][row][slot][column], rows and
/// columns already at unit step for the kernels.
///
/// A slot holds one phase of the columns: with step s, taps whose distances agree modulo s read the same phase, shifted.
/// Where windows do not overlap much (step or dilation large against the filter), a row or slot per tap is smaller, and
/// then nothing between the taps is packed.
struct PatchGeometry {
    /// Input rows of the block: one per tap and output row (`rowPerTap`), or the whole span at unit `rowUnit`.
    var rows = 1
    var rowPerTap = false
    var rowUnit = 1
    /// In patch rows: from one output row's input to the next, and from one filter row's to the next.
    var outputRowSteps = 1
    var filterRowSteps = 1

    var slots = 1
    var slotPerTap = false
    /// Columns in a slot beyond those of the output.
    var slotExtra = 0
    var slotPitch = 0
    var rowPitch = 0
    var planePitch = 0
    var byteCount = 0

    init() {}

    init(_ plan: StencilPlan, rows blockRows: Int, columns blockColumns: Int) {
        let row = plan.row
        rowUnit = greatestCommonDivisor(plan.rowStep, plan.rowTap)
        outputRowSteps = plan.rowStep / rowUnit
        filterRowSteps = plan.rowTap / rowUnit
        let span = saturatingAdd(
            saturatingAdd(
                saturatingMultiply(max(blockRows &- 1, 0), outputRowSteps),
                saturatingMultiply(row.filterExtent &- 1, filterRowSteps)), 1)
        rows = saturatingMultiply(blockRows, row.filterExtent)
        if span <= rows {
            rows = span
        } else {
            rowPerTap = true
            outputRowSteps = row.filterExtent
            filterRowSteps = 1
        }

        let column = plan.column
        let period = column.step / greatestCommonDivisor(column.step, column.dilation)
        slots = min(period, column.filterExtent)
        slotExtra = saturatingMultiply(column.filterExtent &- 1, column.dilation) / column.step
        let phased = saturatingMultiply(slots, saturatingAdd(blockColumns, slotExtra))
        let tapped = saturatingMultiply(column.filterExtent, blockColumns)
        if phased > tapped {
            slotPerTap = true
            slots = column.filterExtent
            slotExtra = 0
        }
        slotPitch = roundToCacheLine(saturatingMultiply(saturatingAdd(blockColumns, slotExtra), plan.element))
        rowPitch = saturatingMultiply(slots, slotPitch)
        // Rows a multiple of a page apart would meet in the same cache sets.
        if rowPitch % 4096 == 0 { rowPitch = saturatingAdd(rowPitch, 64) }
        planePitch = saturatingMultiply(rows, rowPitch)
        byteCount = saturatingMultiply(plan.planes, planePitch)
    }

    /// Input row (relative to the block's first) that a patch row holds.
    func inputRow(_ patchRow: Int, _ plan: StencilPlan) -> Int {
        if rowPerTap {
            let m = patchRow / plan.row.filterExtent
            return plan.rowStep &* m &+ plan.rowTap &* (patchRow &- m &* plan.row.filterExtent)
        }
        return rowUnit &* patchRow
    }

    /// Distance (in input columns) of a slot's first column from output column 0's window.
    func slotStart(_ slot: Int, _ column: SlidingAxis) -> Int {
        let distance = column.dilation &* slot
        return slotPerTap ? distance : distance % column.step
    }

    /// Where a tap begins in a patch row, in bytes.
    func tapOffset(_ tap: Int, _ column: SlidingAxis, element: Int) -> Int {
        if slotPerTap { return tap &* slotPitch }
        return tap % slots &* slotPitch &+ column.dilation &* tap / column.step &* element
    }
}
