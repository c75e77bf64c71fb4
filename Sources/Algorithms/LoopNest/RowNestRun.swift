import CMachine
import Foundations
import Kernels

/// Where a thread's scratch has what.
struct RowNestScratch {
    var starts = 0
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
        starts = places.take(8 &* (plan.nest.factorCount &+ 1))
        offsets = places.take(saturatingMultiply(8 &* plan.tiles.rows, plan.nest.factorCount))
        outputOffsets = places.take(8 &* plan.tiles.rows)
        bases = places.take(8 &* plan.nest.factorCount)
        counters = places.take(8 &* (plan.nest.indexCount &+ 1))
        sums = places.take(plan.tileBytes)
        partSums = places.take(plan.tileBytes)
        // Some lines of each factor, and one of their product. The distance is no multiple of a page.
        linePitch = roundToCacheLine(plan.piece &* plan.element) &+ 64
        lines = places.take(saturatingMultiply(plan.nest.factorCount &* plan.turnedLines &+ 1, linePitch))
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

    func ints(_ place: Int) -> UnsafeMutablePointer<Int> {
        (scratch + place).assumingMemoryBound(to: Int.self)
    }

    /// Where each factor's rows are read at this moment.
    var bases: UnsafeMutablePointer<UnsafeRawPointer> {
        (scratch + layout.pointee.bases).assumingMemoryBound(to: UnsafeRawPointer.self)
    }

    /// Where a tile begins in each factor, and then in the output.
    private var starts: UnsafeMutablePointer<Int> { ints(layout.pointee.starts) }

    /// Where the rows of a factor begin in a tile, or, after the last one, those of the output.
    func offsets(_ f: Int) -> UnsafeMutablePointer<Int> {
        f == plan.pointee.nest.factorCount
            ? ints(layout.pointee.outputOffsets) : ints(layout.pointee.offsets) + f &* plan.pointee.tiles.rows
    }

    /// A tile: some rows, from a place of the line on.
    private struct Tile {
        var rows: Int
        var count: Int
    }

    // MARK: Tasks

    /// Computes and writes tiles.
    func run(tiles: Range<Int>) {
        let plan = plan.pointee
        let sums = scratch + layout.pointee.sums
        placeRows()
        for number in tiles {
            let tile = enter(number)
            if plan.writesInPlace {
                if interruption.isRaised(slot: slot) { return }
                sum(tile, 0, to: plan.nest.output.data + starts[plan.nest.factorCount])
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
        placeRows()
        for task in parts {
            sum(enter(task / plan.parts), task % plan.parts, to: kept + task &* plan.tileBytes)
        }
    }

    /// Adds up the parts of tiles, in order, and writes them.
    func combine(tiles: Range<Int>, _ kept: UnsafeMutableRawPointer) {
        let plan = plan.pointee
        placeRows()
        for number in tiles {
            let tile = enter(number)
            let sums = kept + number &* plan.parts &* plan.tileBytes
            for part in 1..<plan.parts { add(sums + part &* plan.tileBytes, to: sums, tile) }
            write(tile, sums)
        }
    }

    // MARK: Tiles

    private func placeRows() {
        let plan = plan.pointee
        for f in 0...plan.nest.factorCount { plan.tiles.placeRows(plan.nest, strides(f), offsets(f)) }
    }

    /// Takes up a tile: where it begins in each array.
    private func enter(_ number: Int) -> Tile {
        let plan = plan.pointee
        let nest = plan.nest
        let tile = number / plan.pieces
        let first = number % plan.pieces &* plan.piece
        for f in 0...nest.factorCount {
            let strides = strides(f)
            starts[f] = plan.tiles.offset(tile, nest, strides) &+ (plan.line < 0 ? 0 : first &* strides[plan.line])
        }
        let extent = plan.line < 0 ? 1 : nest.extents[plan.line]
        return Tile(
            rows: plan.tiles.rows(tile, nest), count: plan.totals ? extent : min(plan.piece, extent &- first))
    }

    /// Those of a factor, or, after the last one, of the output.
    private func strides(_ f: Int) -> UnsafeMutablePointer<Int> {
        let nest = plan.pointee.nest
        return f == nest.factorCount ? nest.output.strides : nest.factors[f].strides
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
            bases[f] = UnsafeRawPointer(nest.factors[f].data + starts[f])
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
        let values = plan.inner < 0 ? 1 : nest.extents[plan.inner] &- counters[plan.inner]
        let piece = plan.totals ? plan.piece : count
        var starts = true
        var calls = 0
        repeat {
            var step = 0
            while step < values {
                let steps = min(plan.steps, values &- step)
                var first = 0
                while first < count {
                    let block = Block(
                        rows: tile.rows, first: first, count: min(piece, count &- first), step: step, steps: steps)
                    add(block, to: sums, starts: starts)
                    calls &+= 1
                    if calls & 15 == 0 && interruption.isRaised(slot: slot) { return }
                    starts = false
                    first &+= piece
                }
                starts = false
                step &+= steps
            }
        } while advance(counters, skipped)
    }

    /// Some elements of the lines of a tile's rows, for some values of the innermost summed index.
    struct Block {
        var rows: Int
        var first: Int
        var count: Int
        var step: Int
        var steps: Int
    }

    /// The next combination of the summed indices but the line's and the innermost; of the cut one only a part passes,
    /// counted from `skipped` on.
    private func advance(_ counters: UnsafeMutablePointer<Int>, _ skipped: Int) -> Bool {
        let plan = plan.pointee
        let nest = plan.nest
        for i in (nest.outputCount..<nest.indexCount).reversed() where i != plan.line && i != plan.inner {
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

    /// Adds a block's products to sums: rows of them, or one for each row.
    private func add(_ block: Block, to sums: UnsafeMutableRawPointer, starts: Bool) {
        let plan = plan.pointee
        if plan.readsInPlace {
            var products = products(of: block)
            products.sums = sums.assumingMemoryBound(to: UInt8.self)
            products.sum_pitch = Int64(plan.sumPitch)
            if plan.writesInPlace { products.sum_offsets = table(layout.pointee.outputOffsets) }
            products.starts = starts ? 1 : 0
            addRowProducts(plan.arithmetic, &products, totals: plan.totals)
            return
        }
        var row = 0
        while row < block.rows {
            let end = row &+ turnLines(from: row, block)
            for step in 0..<block.steps {
                for r in row..<end {
                    let place = plan.writesInPlace ? ints(layout.pointee.outputOffsets)[r] : r &* plan.sumPitch
                    addRow(r, step, block, turned: r &- row &+ step, to: sums + place, starts: starts && step == 0)
                }
            }
            row = end
        }
    }

    private func table(_ place: Int) -> UnsafePointer<Int64> {
        UnsafePointer((scratch + place).assumingMemoryBound(to: Int64.self))
    }

    /// A block of factors that are read where they lie.
    private func products(of block: Block) -> sc_product_rows {
        let plan = plan.pointee
        var products = sc_product_rows()
        products.x = place(0, block)
        products.x_offsets = table(layout.pointee.offsets)
        products.x_step = Int64(step(0))
        products.x_is_one = lineStride(0) == 0 ? 1 : 0
        if plan.nest.factorCount == 2 {
            products.y = place(1, block)
            products.y_offsets = table(layout.pointee.offsets) + plan.tiles.rows
            products.y_step = Int64(step(1))
            products.y_is_one = lineStride(1) == 0 ? 1 : 0
        }
        products.steps = Int64(block.steps)
        products.rows = Int64(block.rows)
        products.count = Int64(block.count)
        return products
    }

    /// Where a factor's rows have a block, less their offsets.
    func place(_ f: Int, _ block: Block) -> UnsafePointer<UInt8> {
        let first = bases[f] + (block.first &* lineStride(f) &+ block.step &* step(f))
        return first.assumingMemoryBound(to: UInt8.self)
    }

    /// A factor's stride along the innermost summed index.
    func step(_ f: Int) -> Int {
        let inner = plan.pointee.inner
        return inner < 0 ? 0 : plan.pointee.nest.factors[f].strides[inner]
    }

    func lineStride(_ f: Int) -> Int {
        let line = plan.pointee.line
        return line < 0 ? 0 : plan.pointee.nest.factors[f].strides[line]
    }

    // MARK: Outputs

    /// Adds a tile's sums to those of the parts before.
    private func add(_ part: UnsafeMutableRawPointer, to sums: UnsafeMutableRawPointer, _ tile: Tile) {
        let plan = plan.pointee
        var zero: Int64 = 0
        withUnsafePointer(to: &zero) { none in
            var products = sc_product_rows()
            (products.x_offsets, products.y_offsets) = (none, none)
            (products.rows, products.steps) = (1, 1)
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
        let target = output.data + starts[plan.nest.factorCount]
        let offsets = ints(layout.pointee.outputOffsets)
        let stages = scratch + layout.pointee.stages
        if !plan.totals {
            let stride = plan.line < 0 ? 0 : output.strides[plan.line]
            for row in 0..<tile.rows {
                writeRun(
                    plan.writer, sums + row &* plan.piece &* plan.element, count: tile.count,
                    to: target + offsets[row], stride: stride, stages: stages)
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
                plan.writer, sums + first &* plan.element, count: end &- first, to: target + offsets[first],
                stride: step, stages: stages)
            first = end
        }
    }
}
