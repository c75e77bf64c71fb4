import CMachine
import Foundations
import Kernels

/// Rows whose factors are not all read where they lie.
extension RowNestRun {
    /// One row of products of any factors: their lines are read one after the other, and multiplied.
    func addRow(
        _ row: Int, _ step: Int, _ block: Block, turned: Int, to sums: UnsafeMutableRawPointer, starts: Bool
    ) {
        let factorCount = plan.pointee.nest.factorCount
        let product = scratch + layout.pointee.lines
        var zero: Int64 = 0
        withUnsafePointer(to: &zero) { none in
            var products = sc_product_rows()
            (products.x_offsets, products.y_offsets) = (none, none)
            (products.rows, products.steps) = (1, 1)
            products.count = Int64(block.count)
            (products.x, products.x_is_one) = line(0, row, step, block, turned)
            for f in 1..<max(factorCount, 1) {
                (products.y, products.y_is_one) = line(f, row, step, block, turned)
                if f == factorCount &- 1 { break }
                products.sums = product.assumingMemoryBound(to: UInt8.self)
                products.starts = 1
                addRowProducts(plan.pointee.arithmetic, &products, totals: false)
                (products.x, products.x_is_one) = (UnsafePointer(products.sums), 0)
                products.y = nil
            }
            products.sums = sums.assumingMemoryBound(to: UInt8.self)
            products.starts = starts ? 1 : 0
            addRowProducts(plan.pointee.arithmetic, &products, totals: plan.pointee.totals)
        }
    }

    /// A factor's part of a line as the arithmetic holds it, in place or in scratch, and whether it is one element for all.
    private func line(
        _ f: Int, _ row: Int, _ step: Int, _ block: Block, _ turned: Int
    ) -> (UnsafePointer<UInt8>, Int32) {
        let stride = lineStride(f)
        if plan.pointee.isTurned(f) { return (UnsafePointer(lines(f) + turned &* layout.pointee.linePitch), 0) }
        let source = UnsafeRawPointer(place(f, block)) + (offsets(f)[row] &+ step &* self.step(f))
        if plan.pointee.readers[f].isPlain && (stride == 0 || stride == plan.pointee.element) {
            return (source.assumingMemoryBound(to: UInt8.self), stride == 0 ? 1 : 0)
        }
        let target = lines(f)
        readRun(
            plan.pointee.readers[f], source, stride: stride, count: stride == 0 ? 1 : block.count, to: target,
            stage: scratch + layout.pointee.stages)
        return (UnsafePointer(target), stride == 0 ? 1 : 0)
    }

    /// A factor's lines in scratch.
    private func lines(_ f: Int) -> UnsafeMutablePointer<UInt8> {
        let first = 1 &+ f &* plan.pointee.turnedLines
        return (scratch + (layout.pointee.lines &+ first &* layout.pointee.linePitch))
            .assumingMemoryBound(to: UInt8.self)
    }

    /// Reads what a block needs of those factors whose lines are columns of memory: for all of its steps, or for as many rows
    /// from this one on as are neighbours there. Returns the number of rows.
    func turnLines(from row: Int, _ block: Block) -> Int {
        let plan = plan.pointee
        if plan.turning == .none { return 1 }
        var rows = 1
        if plan.turning == .rows {
            rows = min(plan.turnedLines, block.rows &- row)
            for f in 0..<plan.nest.factorCount where plan.isTurned(f) { rows = neighbours(offsets(f) + row, rows) }
        }
        for f in 0..<plan.nest.factorCount where plan.isTurned(f) {
            turn(f, UnsafeRawPointer(place(f, block)) + offsets(f)[row], block, lines: max(rows, block.steps))
        }
        return rows
    }

    /// How many of so many rows lie an element apart.
    private func neighbours(_ offsets: UnsafePointer<Int>, _ most: Int) -> Int {
        var count = 1
        while count < most && offsets[count] &- offsets[0] == count &* plan.pointee.element { count &+= 1 }
        return count
    }

    private func turn(_ f: Int, _ source: UnsafeRawPointer, _ block: Block, lines count: Int) {
        let element = plan.pointee.element
        var first = 0
        while first < block.count {
            let some = min(turnedElements, block.count &- first)
            var tile = TransposedTiles(
                rows: some, columns: count, sourceRow: lineStride(f), destinationColumn: layout.pointee.linePitch,
                tiles: 1, sourceTile: 0, destinationTile: 0, elementBytes: element)
            transpose(source + first &* lineStride(f), to: lines(f) + first &* element, offsets: nil, &tile)
            first &+= some
        }
    }
}

/// Elements of a line that are turned at a time: their columns stay in the first-level cache meanwhile.
private let turnedElements = 64
