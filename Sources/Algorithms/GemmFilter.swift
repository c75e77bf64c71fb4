import Foundations
import Kernels

/// How the filter lies for the tiles: where it is, if its depths are contiguous and it supplies rows; else packed, for each
/// batch combination [row][depth] where it supplies rows, and [panel][depth][lane] where it supplies lanes.
struct GemmFilter {
    let isInPlace: Bool
    let panelWidth: Int
    let suppliesRows: Bool
    let depth: Int
    let rows: Int
    let element: Int
    /// Packed bytes of one batch combination, and of all that differ.
    let batchBytes: Int
    let byteCount: Int
    let reader: ElementReader

    init(_ problem: ContractionProblem, lanesAreColumns: Bool, panelWidth: Int) {
        self.panelWidth = panelWidth
        suppliesRows = lanesAreColumns
        depth = problem.depth.extent
        rows = problem.rows.extent
        element = problem.arithmetic.byteCount
        reader = ElementReader(type: problem.filterType, swapUnit: problem.filterSwapUnit, problem.arithmetic)
        isInPlace =
            lanesAreColumns && reader.isPlain && !GemmFilter.isBoolean(problem)
            && GemmFilter.isContiguous(problem.depth, element)
        let units = suppliesRows ? rows : saturatingMultiply(ceilingDivide(rows, panelWidth), panelWidth)
        batchBytes = roundToCacheLine(saturatingMultiply(saturatingMultiply(units, depth), element))
        byteCount = isInPlace ? 0 : saturatingMultiply(batchBytes, problem.batch.extent)
    }

    private static func isBoolean(_ problem: ContractionProblem) -> Bool {
        if case .boolean = problem.arithmetic { true } else { false }
    }

    private static func isContiguous(_ depth: IndexList, _ element: Int) -> Bool {
        var expected = element
        for i in (0..<depth.count).reversed() {
            if depth[i].filterStride != expected { return false }
            expected = saturatingMultiply(expected, depth[i].extent)
        }
        return true
    }

    /// A number for the packed form.
    var form: Int { suppliesRows ? 0 : panelWidth }

    /// Rows or panels to pack.
    var units: Int { suppliesRows ? rows : ceilingDivide(rows, panelWidth) }

    /// Packs one row or one panel. `stage` holds `stageBytes` bytes.
    func pack(
        _ problem: ContractionProblem, batch: Int, unit: Int, to packed: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        let source = problem.filter + problem.batch.offset(batch, \.filterStride)
        let target = packed + batch &* batchBytes
        if suppliesRows {
            packRow(
                problem, source + problem.rows.offset(unit, \.filterStride), to: target + unit &* depth &* element,
                stage: stage)
        } else {
            packLanes(
                problem, source, first: unit &* panelWidth, to: target + unit &* panelWidth &* depth &* element,
                stage: stage)
        }
    }

    /// Bytes of scratch for packing: runs in the filter's dtype, and the rows' offsets.
    var stageBytes: Int { 16 &* stageElements }

    private func packRow(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        let list = problem.depth
        let run = list.count == 0 ? 1 : list[list.count &- 1].extent
        let stride = list.count == 0 ? element : list[list.count &- 1].filterStride
        var target = target
        var number = 0
        while number < depth {
            let from = source + list.offset(number, \.filterStride)
            read(from, stride: stride, count: run, to: target, stage: stage)
            target += run &* element
            number &+= run
        }
    }

    private func packLanes(
        _ problem: ContractionProblem, _ source: UnsafeRawPointer, first: Int, to target: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        let count = min(panelWidth, rows &- first)
        let pitch = panelWidth &* element
        let list = problem.depth
        let inner = list.count == 0 ? 1 : list[list.count &- 1].extent
        let stride = list.count == 0 ? 0 : list[list.count &- 1].filterStride
        let rowOffset = problem.rows.offset(first, \.filterStride)
        let rowStride = problem.rows.count == 0 ? 0 : problem.rows[problem.rows.count &- 1].filterStride
        let isLine = problem.rows.count <= 1
        var target = target
        var number = 0
        while number < depth {
            let from = source + list.offset(number, \.filterStride)
            for d in 0..<inner {
                if isLine {
                    read(from + (d &* stride &+ rowOffset), stride: rowStride, count: count, to: target, stage: stage)
                } else {
                    for lane in 0..<count {
                        read(
                            from + (d &* stride &+ problem.rows.offset(first &+ lane, \.filterStride)),
                            stride: element, count: 1, to: target + lane &* element, stage: stage)
                    }
                }
                (target + count &* element).initializeMemory(
                    as: UInt8.self, repeating: 0, count: (panelWidth &- count) &* element)
                target += pitch
            }
            number &+= inner
        }
    }

    private func read(
        _ source: UnsafeRawPointer, stride: Int, count: Int, to target: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        readRun(reader, source, stride: stride, count: count, to: target, stage: stage)
        // Any byte but 0 is true, and kernels AND: of two such bytes one has all bits.
        if case .boolean = reader.arithmetic {
            let bytes = target.assumingMemoryBound(to: UInt8.self)
            for i in 0..<count { bytes[i] = bytes[i] == 0 ? 0 : 0xFF }
        }
    }
}

/// Elements that are converted at a time.
let stageElements = 512

/// Reads a run of any length by way of a stage for `stageElements` of 16 bytes.
func readRun(
    _ reader: ElementReader, _ source: UnsafeRawPointer, stride: Int, count: Int, to target: UnsafeMutableRawPointer,
    stage: UnsafeMutableRawPointer
) {
    if reader.isPlain {
        reader.read(source, stride: stride, count: count, to: target, stage: stage)
        return
    }
    var first = 0
    while first < count {
        let part = min(stageElements, count &- first)
        reader.read(
            source + first &* stride, stride: stride, count: part,
            to: target + first &* reader.arithmetic.byteCount, stage: stage)
        first &+= part
    }
}
