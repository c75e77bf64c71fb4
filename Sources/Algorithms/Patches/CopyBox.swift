import CMachine
import Foundations
import Kernels

/// Contiguous runs of fewer bytes take longer to copy one by one than to transpose with their neighbours.
let longestShortRun = 32

/// A box of a nest of strided loops, copied by the kernel that suits its shape.
struct CopyBox {
    /// In the order of the destination's memory, largest stride first.
    let loops: UnsafePointer<CopyLoop>
    let loopCount: Int
    /// Bytes that are moved as one.
    let element: Int
    let swaps: Bool
    /// Long runs are written past the caches.
    let streams: Bool
    /// Of the box that is copied next: indices along each loop.
    let counts: UnsafeMutablePointer<Int>
    /// Loops of the box with more than one index.
    private let active: UnsafeMutablePointer<Int>
    private let indices: UnsafeMutablePointer<Int>
    /// Of the rows of a transposition.
    private let offsets: UnsafeMutablePointer<Int64>

    private static let longestOffsets = 128

    static func scratchBytes(loopCount: Int) -> Int {
        roundToCacheLine(3 &* loopCount &* MemoryLayout<Int>.stride) &+ longestOffsets &* MemoryLayout<Int64>.stride
    }

    init(
        _ loops: UnsafePointer<CopyLoop>, count: Int, element: Int, swaps: Bool, streams: Bool,
        scratch: UnsafeMutableRawPointer
    ) {
        self.loops = loops
        loopCount = count
        self.element = element
        self.swaps = swaps
        self.streams = streams
        counts = scratch.bindMemory(to: Int.self, capacity: 3 &* count)
        active = counts + count
        indices = active + count
        offsets = (scratch + roundToCacheLine(3 &* count &* MemoryLayout<Int>.stride))
            .bindMemory(to: Int64.self, capacity: CopyBox.longestOffsets)
    }

    func copy(_ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer) {
        var count = listActive()
        if count == 0 {
            active[0] = loopCount &- 1
            count = 1
        }
        // The innermost loop of the destination, and with it the loop that makes the most of one call of a kernel.
        let run = active[count &- 1]
        let second = count == 1 ? -1 : partner(of: run, count)
        if second >= 0 && isTransposed(run, second) {
            transposeBox(source, destination, second, count)
            return
        }
        if swaps || loops[run].destination != element || loops[run].source != element || streamsRuns(run) {
            count = remove(second, remove(run, count))
            var tile = CopyTile(element, loops[run], counts[run])
            if second >= 0 { tile.setRows(loops[second], counts[second]) }
            tile.swaps = swaps
            walk(count) { from, to in tile.copy(source + from, destination + to) }
        } else {
            copyRuns(source, destination, count)
        }
    }

    private func streamsRuns(_ run: Int) -> Bool { streams && counts[run] &* element >= streamedRunBytes }

    /// Contiguous runs in the order of the destination.
    private func copyRuns(_ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer, _ activeCount: Int) {
        var count = activeCount &- 1
        var tiles = sc_copied_tiles()
        tiles.count = Int64(counts[active[count]] &* element)
        (tiles.rows, tiles.tiles) = (1, 1)
        // Runs shorter than a cache line take less time in long rows of them than in the order of the destination.
        let isShort = tiles.count < 64
        if count > 0 {
            let row = isShort ? longest(count) : active[count &- 1]
            count = remove(row, count)
            tiles.rows = Int64(counts[row])
            (tiles.destination_row, tiles.source_row) = (Int64(loops[row].destination), Int64(loops[row].source))
        }
        if count > 0 {
            let tile = isShort ? longest(count) : active[count &- 1]
            count = remove(tile, count)
            tiles.tiles = Int64(counts[tile])
            (tiles.destination_tile, tiles.source_tile) = (Int64(loops[tile].destination), Int64(loops[tile].source))
        }
        walk(count) { from, to in
            tiles.source = (source + from).assumingMemoryBound(to: UInt8.self)
            tiles.destination = (destination + to).assumingMemoryBound(to: UInt8.self)
            copyTiles(&tiles)
        }
    }

    /// The source is contiguous along the column loop, the destination along the run, which is not or is short.
    private func isTransposed(_ run: Int, _ column: Int) -> Bool {
        if swaps || element > 8 || loops[run].destination != element { return false }
        if loops[column].source != element { return false }
        let everySecond = loops[run].source == 2 &* element && counts[run] >= 16
        return loops[run].source != element && !everySecond
            || loops[run].source == element && counts[run] &* element < longestShortRun && counts[column] >= 16
    }

    /// All inner loops that follow each other in the destination make the rows of one transposition.
    private func transposeBox(
        _ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer, _ column: Int, _ activeCount: Int
    ) {
        var count = activeCount &- 1
        let run = active[count]
        var rows = counts[run]
        // Fewer columns than lanes are parted where rows are at even distances alone.
        while count > 0 && counts[column] >= 16 / element {
            let l = active[count &- 1]
            let isDense = l != column && loops[l].destination == rows &* element
            if !isDense || saturatingMultiply(rows, counts[l]) > CopyBox.longestOffsets { break }
            if rows == counts[run] {
                for r in 0..<rows { offsets[r] = Int64(r &* loops[run].source) }
            }
            for i in 1..<counts[l] {
                for r in 0..<rows { offsets[i &* rows &+ r] = offsets[r] &+ Int64(i &* loops[l].source) }
            }
            rows = rows &* counts[l]
            count &-= 1
        }
        var tile = TransposedTiles(
            rows: rows, columns: counts[column], sourceRow: loops[run].source,
            destinationColumn: loops[column].destination, tiles: 1, sourceTile: 0, destinationTile: 0,
            elementBytes: element)
        let isOneLoop = rows == counts[run]
        count = remove(column, count)
        if count > 0 {
            count &-= 1
            let l = active[count]
            tile.tiles = counts[l]
            tile.sourceTile = loops[l].source
            tile.destinationTile = loops[l].destination
        }
        walk(count) { from, to in
            transpose(source + from, to: destination + to, offsets: isOneLoop ? nil : UnsafePointer(offsets), &tile)
        }
    }

    /// Calls `body` with the offsets of every index of the first `count` active loops.
    @inline(__always)
    private func walk(_ count: Int, _ body: (_ from: Int, _ to: Int) -> Void) {
        for k in 0..<count { indices[k] = 0 }
        var (from, to) = (0, 0)
        while true {
            body(from, to)
            var k = count &- 1
            while k >= 0 {
                let l = active[k]
                from &+= loops[l].source
                to &+= loops[l].destination
                indices[k] &+= 1
                if indices[k] < counts[l] { break }
                from &-= counts[l] &* loops[l].source
                to &-= counts[l] &* loops[l].destination
                indices[k] = 0
                k &-= 1
            }
            if k < 0 { return }
        }
    }

    private func listActive() -> Int {
        var count = 0
        for l in 0..<loopCount where counts[l] > 1 {
            active[count] = l
            count &+= 1
        }
        return count
    }

    /// The longest of the first `count` active loops, the innermost of equals.
    private func longest(_ count: Int) -> Int {
        var best = active[0]
        for k in 1..<max(count, 1) where counts[active[k]] >= counts[best] { best = active[k] }
        return best
    }

    private func remove(_ l: Int, _ count: Int) -> Int {
        var kept = 0
        for k in 0..<count where active[k] != l {
            active[kept] = active[k]
            kept &+= 1
        }
        return kept
    }

    /// The loop along which the source is contiguous, if the run is not or is short; otherwise the longest.
    private func partner(of run: Int, _ count: Int) -> Int {
        let isShort = loops[run].source != element || counts[run] &* element < longestShortRun
        for k in 0..<count where active[k] != run && isShort && loops[active[k]].source == element { return active[k] }
        return longest(count &- 1)  // the run is the last
    }

    /// Writes one value of `size` bytes to the whole box, whose innermost loops hold whole ones if they are moved in
    /// parts.
    func fill(_ destination: UnsafeMutableRawPointer, with value: SIMD2<UInt64>, size: Int) {
        var fill = value
        var count = listActive()
        var byteCount = element
        while count > 0 && loops[active[count &- 1]].destination == byteCount {
            byteCount = byteCount &* counts[active[count &- 1]]
            count &-= 1
        }
        if count == 0 || byteCount > size {
            walk(count) { _, to in
                fillElements(
                    &fill, to: destination + to, stride: size, count: byteCount / size, elementBytes: size)
            }
            return
        }
        let run = active[count &- 1]
        walk(count &- 1) { _, to in
            fillElements(
                &fill, to: destination + to, stride: loops[run].destination, count: counts[run], elementBytes: size)
        }
    }
}

/// Two loops of a copy, and how they are best run.
private struct CopyTile {
    let element: Int
    let run: CopyLoop
    let count: Int
    var row = CopyLoop(extent: 1, destination: 0, source: 0)
    var rows = 1
    var swaps = false

    init(_ element: Int, _ run: CopyLoop, _ count: Int) {
        self.element = element
        self.run = run
        self.count = count
    }

    mutating func setRows(_ loop: CopyLoop, _ count: Int) {
        row = loop
        rows = count
    }

    @inline(__always)
    func copy(_ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer) {
        if swaps || run.destination != element {
            copyStrided(
                source, rowStride: row.source, stride: run.source, to: destination, rowStride: row.destination,
                stride: run.destination, rows: rows, count: count, elementBytes: element, swapping: swaps)
        } else if run.source == element {
            streamRuns(source, destination)
        } else {
            gatherRows(
                source, rowStride: row.source, strideBytes: run.source, to: destination, rowStride: row.destination,
                rows: rows, count: count, elementBytes: element)
        }
    }

    private func streamRuns(_ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer) {
        for r in 0..<rows {
            sc_stream_copy(
                (destination + r &* row.destination).assumingMemoryBound(to: UInt8.self),
                (source + r &* row.source).assumingMemoryBound(to: UInt8.self), Int64(count &* element))
        }
    }
}
