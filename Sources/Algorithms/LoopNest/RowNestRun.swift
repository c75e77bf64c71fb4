import CMachine
import Foundations
import Kernels

/// Where a thread's scratch has what.
struct RowNestScratch {
    var offsets = 0
    var outputOffsets = 0
    var bases = 0
    var counters = 0
    var sums = 0
    var partSums = 0
    var lines = 0
    var linePitch = 0
    var stages = 0
    var byteCount = 0

    init(_ plan: RowNestPlan) {
        var places = WorkspaceLayout()
        offsets = places.take(saturatingMultiply(8 &* plan.tileRows, plan.nest.factorCount))
        outputOffsets = places.take(8 &* plan.tileRows)
        bases = places.take(8 &* plan.nest.factorCount)
        counters = places.take(8 &* (plan.nest.indexCount &+ 1))
        sums = places.take(plan.tileBytes)
        partSums = places.take(plan.tileBytes)
        // One line of each factor, and one of their product.
        linePitch = roundToCacheLine(plan.piece &* plan.element)
        lines = places.take(saturatingMultiply(plan.nest.factorCount &+ 1, linePitch))
        stages = places.take(2 &* 16 &* stageElements)
        byteCount = places.byteCount
    }
}

/// One thread's part in a loop nest over rows.
struct RowNestRun {
    let plan: UnsafePointer<RowNestPlan>
    let layout: UnsafePointer<RowNestScratch>
    let scratch: UnsafeMutableRawPointer
    let slot: Int
    let interruption: UnsafeMutablePointer<Interruption>

    private func ints(_ place: Int) -> UnsafeMutablePointer<Int> {
        (scratch + place).assumingMemoryBound(to: Int.self)
    }

    /// Where each factor's rows are read at this moment.
    private var bases: UnsafeMutablePointer<UnsafeRawPointer> {
        (scratch + layout.pointee.bases).assumingMemoryBound(to: UnsafeRawPointer.self)
    }

    /// Where the rows of a factor begin, or, after the last one, those of the output.
    private func offsets(_ f: Int) -> UnsafeMutablePointer<Int> {
        f == plan.pointee.nest.factorCount
            ? ints(layout.pointee.outputOffsets) : ints(layout.pointee.offsets) + f &* plan.pointee.tileRows
    }

    /// A tile: some rows, from a place of the line on.
    private struct Tile {
        var rows: Int
        var start: Int
        var count: Int
    }

    // MARK: Tasks

    /// Computes and writes tiles.
    func run(tiles: Range<Int>) {
        let plan = plan.pointee
        let sums = scratch + layout.pointee.sums
        for number in tiles {
            let tile = enter(number)
            if plan.writesProducts {
                for row in 0..<tile.rows { writeProducts(tile, row) }
                continue
            }
            for part in 0..<plan.parts {
                if interruption.isRaised(slot: slot) { return }
                let target = part == 0 ? sums : scratch + layout.pointee.partSums
                sum(tile, part, to: target)
                if part > 0 { add(target, to: sums, tile) }
            }
            write(tile, sums)
        }
    }

    /// Computes the sums of parts, [tile][part].
    func run(parts: Range<Int>, to kept: UnsafeMutableRawPointer) {
        let plan = plan.pointee
        for task in parts {
            sum(enter(task / plan.parts), task % plan.parts, to: kept + task &* plan.tileBytes)
        }
    }

    /// Adds up the parts of tiles, in order, and writes them.
    func combine(tiles: Range<Int>, _ kept: UnsafeMutableRawPointer) {
        let plan = plan.pointee
        for number in tiles {
            let tile = enter(number)
            let sums = kept + number &* plan.parts &* plan.tileBytes
            for part in 1..<plan.parts { add(sums + part &* plan.tileBytes, to: sums, tile) }
            write(tile, sums)
        }
    }

    // MARK: Tiles

    /// Takes up a tile: where its rows lie in each array.
    private func enter(_ number: Int) -> Tile {
        let plan = plan.pointee
        let nest = plan.nest
        let first = number / plan.pieces &* plan.tileRows
        let start = number % plan.pieces &* plan.piece
        let rows = min(plan.tileRows, plan.rows &- first)
        var lineCount = 0
        if plan.line >= 0 { lineCount = plan.totals ? nest.extents[plan.line] : nest.extents[plan.line] &- start }
        // The output's other indices at the first row, and then from row to row.
        let values = ints(layout.pointee.counters)
        var rest = first
        for i in (0..<nest.outputCount).reversed() where i != plan.line {
            values[i] = rest % nest.extents[i]
            rest /= nest.extents[i]
        }
        for f in 0...nest.factorCount {
            let strides = f == nest.factorCount ? nest.output.strides : nest.factors[f].strides
            var offset = plan.line >= 0 ? start &* strides[plan.line] : 0
            for i in 0..<nest.outputCount where i != plan.line { offset &+= values[i] &* strides[i] }
            offsets(f)[0] = offset
        }
        for r in 1..<max(rows, 1) {
            for f in 0...nest.factorCount { offsets(f)[r] = offsets(f)[r &- 1] }
            for i in (0..<nest.outputCount).reversed() where i != plan.line {
                values[i] &+= 1
                let wraps = values[i] == nest.extents[i]
                let steps = wraps ? 1 &- nest.extents[i] : 1
                if wraps { values[i] = 0 }
                for f in 0..<nest.factorCount { offsets(f)[r] &+= steps &* nest.factors[f].strides[i] }
                offsets(nest.factorCount)[r] &+= steps &* nest.output.strides[i]
                if !wraps { break }
            }
        }
        return Tile(
            rows: rows, start: start, count: plan.line < 0 ? 1 : plan.totals ? lineCount : min(plan.piece, lineCount))
    }

    /// A tile's sums over one part of the summed indices.
    private func sum(_ tile: Tile, _ part: Int, to sums: UnsafeMutableRawPointer) {
        let plan = plan.pointee
        let nest = plan.nest
        if nest.depth == 0 {
            sums.initializeMemory(as: UInt8.self, repeating: 0, count: plan.tileBytes)
            return
        }
        let counters = ints(layout.pointee.counters)
        let lower = part &* plan.perPart
        for f in 0..<nest.factorCount {
            bases[f] = UnsafeRawPointer(nest.factors[f].data)
            if plan.cut >= 0 { bases[f] += lower &* nest.factors[f].strides[plan.cut] }
        }
        for i in nest.outputCount..<nest.indexCount { counters[i] = 0 }
        var count = tile.count
        if plan.cut >= 0 {
            let values = min(plan.perPart, nest.extents[plan.cut] &- lower)
            if plan.cut == plan.line {
                count = values
            } else {
                counters[plan.cut] = nest.extents[plan.cut] &- values
            }
        }
        let skipped = plan.cut >= 0 && plan.cut != plan.line ? counters[plan.cut] : 0
        var starts = true
        var calls = 0
        repeat {
            if plan.totals {
                var first = 0
                while first < count {
                    let piece = min(plan.piece, count &- first)
                    add(tile.rows, first, piece, to: sums, starts: starts)
                    calls &+= 1
                    if calls & 63 == 0 && interruption.isRaised(slot: slot) { return }
                    starts = false
                    first &+= piece
                }
            } else {
                add(tile.rows, 0, count, to: sums, starts: starts)
                calls &+= 1
                if calls & 63 == 0 && interruption.isRaised(slot: slot) { return }
                starts = false
            }
        } while advance(counters, skipped)
    }

    /// The next combination of the summed indices but the line's; of the cut one only a part passes, counted
    /// from `skipped` on.
    private func advance(_ counters: UnsafeMutablePointer<Int>, _ skipped: Int) -> Bool {
        let plan = plan.pointee
        let nest = plan.nest
        for i in (nest.outputCount..<nest.indexCount).reversed() where i != plan.line {
            let first = i == plan.cut ? skipped : 0
            counters[i] &+= 1
            if counters[i] < nest.extents[i] {
                for f in 0..<nest.factorCount { bases[f] += nest.factors[f].strides[i] }
                return true
            }
            let back = nest.extents[i] &- first &- 1
            counters[i] = first
            for f in 0..<nest.factorCount { bases[f] -= back &* nest.factors[f].strides[i] }
        }
        return false
    }

    // MARK: Products

    /// Adds products of some of a line's elements to sums: rows of them, or one for each row.
    private func add(
        _ rows: Int, _ first: Int, _ count: Int, to sums: UnsafeMutableRawPointer, starts: Bool
    ) {
        let plan = plan.pointee
        let pitch = plan.totals ? plan.element : plan.piece &* plan.element
        if plan.readsInPlace {
            let nest = plan.nest
            let hasTwo = nest.factorCount == 2
            let offsets = (scratch + layout.pointee.offsets).assumingMemoryBound(to: Int64.self)
            var products = sc_product_rows()
            let x = bases[0] + first &* lineStride(0)
            products.x = x.assumingMemoryBound(to: UInt8.self)
            products.x_offsets = UnsafePointer(offsets)
            products.x_is_one = lineStride(0) == 0 ? 1 : 0
            if hasTwo {
                let y = bases[1] + first &* lineStride(1)
                products.y = y.assumingMemoryBound(to: UInt8.self)
                products.y_offsets = UnsafePointer(offsets + plan.tileRows)
                products.y_is_one = lineStride(1) == 0 ? 1 : 0
            }
            products.sums = sums.assumingMemoryBound(to: UInt8.self)
            products.sum_pitch = Int64(pitch)
            products.rows = Int64(rows)
            products.count = Int64(count)
            products.starts = starts ? 1 : 0
            addRowProducts(plan.arithmetic, &products, totals: plan.totals)
            return
        }
        for row in 0..<rows {
            addRow(row, first, count, to: sums + row &* pitch, starts: starts, totals: plan.totals)
        }
    }

    private func lineStride(_ f: Int) -> Int {
        let plan = plan.pointee
        return plan.line < 0 ? 0 : plan.nest.factors[f].strides[plan.line]
    }

    /// One row of products of any factors: their lines are read one after the other, and multiplied.
    private func addRow(
        _ row: Int, _ first: Int, _ count: Int, to sums: UnsafeMutableRawPointer, starts: Bool, totals: Bool
    ) {
        let plan = plan.pointee
        let nest = plan.nest
        let product = scratch + (layout.pointee.lines &+ nest.factorCount &* layout.pointee.linePitch)
        var zero: Int64 = 0
        withUnsafePointer(to: &zero) { none in
            var products = sc_product_rows()
            (products.x_offsets, products.y_offsets) = (none, none)
            products.rows = 1
            products.count = Int64(count)
            (products.x, products.x_is_one) = line(0, row, first, count)
            for f in 1..<max(nest.factorCount, 1) {
                (products.y, products.y_is_one) = line(f, row, first, count)
                if f == nest.factorCount &- 1 { break }
                products.sums = product.assumingMemoryBound(to: UInt8.self)
                products.starts = 1
                addRowProducts(plan.arithmetic, &products, totals: false)
                (products.x, products.x_is_one) = (UnsafePointer(products.sums), 0)
                products.y = nil
            }
            products.sums = sums.assumingMemoryBound(to: UInt8.self)
            products.starts = starts ? 1 : 0
            addRowProducts(plan.arithmetic, &products, totals: totals)
        }
    }

    /// A factor's part of a line as the arithmetic holds it, in place or in scratch, and whether it is one element for all.
    private func line(_ f: Int, _ row: Int, _ first: Int, _ count: Int) -> (UnsafePointer<UInt8>, Int32) {
        let plan = plan.pointee
        let stride = lineStride(f)
        let source = bases[f] + (offsets(f)[row] &+ first &* stride)
        if plan.readers[f].isPlain && (stride == 0 || stride == plan.element) {
            return (source.assumingMemoryBound(to: UInt8.self), stride == 0 ? 1 : 0)
        }
        let target = scratch + (layout.pointee.lines &+ f &* layout.pointee.linePitch)
        readRun(
            plan.readers[f], source, stride: stride, count: stride == 0 ? 1 : count, to: target,
            stage: scratch + layout.pointee.stages)
        return (UnsafePointer(target.assumingMemoryBound(to: UInt8.self)), stride == 0 ? 1 : 0)
    }

    // MARK: Outputs

    private func writeProducts(_ tile: Tile, _ row: Int) {
        let nest = plan.pointee.nest
        for f in 0..<nest.factorCount { bases[f] = UnsafeRawPointer(nest.factors[f].data) }
        addRow(
            row, 0, tile.count, to: nest.output.data + ints(layout.pointee.outputOffsets)[row], starts: true,
            totals: false)
    }

    /// Adds a tile's sums to those of the parts before.
    private func add(_ part: UnsafeMutableRawPointer, to sums: UnsafeMutableRawPointer, _ tile: Tile) {
        let plan = plan.pointee
        var zero: Int64 = 0
        withUnsafePointer(to: &zero) { none in
            var products = sc_product_rows()
            (products.x_offsets, products.y_offsets) = (none, none)
            products.rows = 1
            products.count = Int64(plan.totals ? tile.rows : tile.count)
            for row in 0..<(plan.totals ? 1 : tile.rows) {
                let place = row &* plan.piece &* plan.element
                products.x = UnsafePointer((part + place).assumingMemoryBound(to: UInt8.self))
                products.sums = (sums + place).assumingMemoryBound(to: UInt8.self)
                addRowProducts(plan.arithmetic, &products, totals: false)
            }
        }
    }

    private func write(_ tile: Tile, _ sums: UnsafeMutableRawPointer) {
        let plan = plan.pointee
        let output = plan.nest.output
        let offsets = ints(layout.pointee.outputOffsets)
        let stages = scratch + layout.pointee.stages
        if !plan.totals {
            let stride = plan.line < 0 ? 0 : output.strides[plan.line]
            for row in 0..<tile.rows {
                writeRun(
                    plan.writer, sums + row &* plan.piece &* plan.element, count: tile.count,
                    to: output.data + offsets[row], stride: stride, stages: stages)
            }
            return
        }
        // Runs of totals that lie at one distance.
        var first = 0
        while first < tile.rows {
            let step = first &+ 1 < tile.rows ? offsets[first &+ 1] &- offsets[first] : 0
            var end = first &+ 1
            while end < tile.rows && offsets[end] &- offsets[end &- 1] == step { end &+= 1 }
            writeRun(
                plan.writer, sums + first &* plan.element, count: end &- first, to: output.data + offsets[first],
                stride: step, stages: stages)
            first = end
        }
    }
}
