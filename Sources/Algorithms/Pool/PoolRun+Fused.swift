import CMachine
import Foundations
import Kernels

/// Pools of pixels whose channels lie side by side, without a line in between.
extension PoolRun {
    func fused(_ block: inout PoolBlock, into results: Results) {
        let (row, column) = (plan.pointee.row, plan.pointee.column)
        let inner = column.interior.clamped(to: block.columns)
        let last = block.rows.upperBound &- 1
        if inner.isEmpty || row.taps(of: block.rows.lowerBound).isEmpty || row.taps(of: last).isEmpty {
            horizontal(&block, 0..<column.taps, into: results)
            return
        }
        // Windows that reach into the padding combine what lies there.
        throughLines(block, block.columns.lowerBound..<inner.lowerBound, into: results)
        throughLines(block, inner.upperBound..<block.columns.upperBound, into: results)
        var pixels = sc_window_pixels()
        pixels.row_stride = Int64(row.dilation &* row.inStride)
        pixels.column_stride = Int64(column.dilation &* column.inStride)
        pixels.columns = Int64(column.taps)
        pixels.step = Int64(column.step &* column.inStride)
        pixels.out_stride = Int64(results.columnStride)
        pixels.outputs = Int64(inner.count)
        pixels.count = Int64(block.units &* plan.pointee.form.parts)
        let first = (column.step &* inner.lowerBound &- column.padding) &* column.inStride
        let skipped = (inner.lowerBound &- block.columns.lowerBound) &* results.columnStride
        for r in block.rows {
            let taps = row.taps(of: r)
            let position = row.step &* r &- row.padding &+ row.dilation &* taps.lowerBound
            pixels.source = (block.input + position &* row.inStride + first).assumingMemoryBound(to: UInt8.self)
            pixels.rows = Int64(taps.count)
            pixels.out = (results.base + (r &- block.rows.lowerBound) &* results.rowStride + skipped)
                .assumingMemoryBound(to: UInt8.self)
            plan.pointee.form.kernels.pixels(&pixels)
        }
    }

    /// Some columns of the block by rows and then columns.
    private func throughLines(_ block: PoolBlock, _ columns: Range<Int>, into results: Results) {
        if columns.isEmpty { return }
        var (part, target) = (block, results)
        part.columns = columns
        target.base += (columns.lowerBound &- block.columns.lowerBound) &* results.columnStride
        horizontal(&part, 0..<plan.pointee.column.taps, into: target)
    }
}
