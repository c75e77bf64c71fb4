import Foundations
import Kernels

/// The transformed filter as the products stream it, in pieces: a panel of output channels, which lie along the lanes, by
/// some input channels, [point][tap along z][channel][lane]. The last panel's channels have as many whole vectors as it
/// needs.
struct WinogradFilter {
    let points: Int
    let rows: Int
    let channels: Int
    let taps: Int
    let panelWidth: Int
    let panelDepth: Int
    let lanes: Int
    let element: Int
    private let reader: ElementReader

    init(
        _ problem: ContractionProblem, _ shape: WinogradShape, _ kernels: WinogradKernels, panelWidth: Int,
        panelDepth: Int
    ) {
        points = kernels.points &* kernels.points
        rows = shape.row.extent
        channels = shape.channel.extent
        taps = shape.z.taps
        self.panelWidth = panelWidth
        self.panelDepth = panelDepth
        lanes = vectorLanes(problem.arithmetic)
        element = problem.arithmetic.byteCount
        reader = ElementReader(type: problem.filterType, swapUnit: problem.filterSwapUnit, problem.arithmetic)
    }

    var panels: Int { ceilingDivide(rows, panelWidth) }
    private var depths: Int { ceilingDivide(channels, panelDepth) }
    /// Pieces of one batch combination: [panel][depth].
    var pieces: Int { saturatingMultiply(panels, depths) }

    /// Vectors of a panel, and bytes from one of its channels to the next.
    func vectors(_ panel: Int) -> Int {
        ceilingDivide(min(panelWidth, rows &- panel &* panelWidth), lanes)
    }
    func channelPitch(_ panel: Int) -> Int { vectors(panel) &* lanes &* element }

    /// From point to point of a piece.
    var pointPitch: Int { WinogradPlan.pointPitch(saturatingMultiply(panelWidth &* panelDepth &* taps, element)) }
    var pieceBytes: Int { saturatingMultiply(pointPitch, points) }
    func byteCount(batch: Int) -> Int { saturatingMultiply(saturatingMultiply(pieceBytes, pieces), batch) }

    /// Where the piece lies that begins with a channel.
    func offset(batch: Int, panel: Int, channel: Int) -> Int {
        ((batch &* panels &+ panel) &* depths &+ channel / panelDepth) &* pieceBytes
    }

    // MARK: Transform

    /// Channels transformed at a time: their taps are whole cache lines of a contiguous filter.
    private var chunk: Int { 16 }

    var scratchBytes: Int {
        // Taps along the lanes, a stage, and taps that are converted before they are turned.
        roundToCacheLine(2 &* 9 &* chunk &* lanes &* element &+ 16 &* stageElements)
    }

    /// Transforms one piece; returns whether all of it is finite.
    func transform(
        _ plan: UnsafePointer<WinogradPlan>, batch: Int, piece: Int, to target: UnsafeMutableRawPointer,
        scratch: UnsafeMutableRawPointer
    ) -> Bool {
        let shape = plan.pointee.shape
        let problem = plan.pointee.problem
        let source = problem.filter + problem.batch.offset(batch, .filter)
        let (panel, depth) = (piece / depths, piece % depths &* panelDepth)
        let channelPitch = channelPitch(panel)
        var isFinite = true
        var first = depth
        let end = min(depth &+ panelDepth, channels)
        while first < end {
            let count = min(chunk, end &- first)
            for number in 0..<taps &* vectors(panel) {
                let (tap, vector) = (number / vectors(panel), number % vectors(panel))
                let row = panel &* panelWidth &+ vector &* lanes
                let plane = readTaps(
                    shape,
                    source
                        + (row &* shape.row.filterStride &+ first &* shape.channel.filterStride
                            &+ tap &* shape.z.filterStride),
                    rows: min(lanes, rows &- row), channels: count, to: scratch)
                let place = (tap &* (end &- depth) &+ first &- depth) &* channelPitch
                let areFinite = plan.pointee.kernels.transformFilters(
                    UnsafeRawPointer(scratch + plane.first), tapPitch: plane.pitch, filterPitch: 9 &* lanes &* element,
                    count: count, to: target + (place &+ vector &* lanes &* element), pointPitch: pointPitch,
                    targetPitch: channelPitch)
                isFinite = isFinite && areFinite
            }
            first &+= count
        }
        return isFinite
    }

    /// A plane's taps of some channels, output channels along the lanes and those that are missing zero:
    /// [channel][tap][lane], in the order of memory, which may be the reverse. Returns where the first tap lies and how far
    /// apart they are.
    private func readTaps(
        _ shape: WinogradShape, _ source: UnsafeRawPointer, rows: Int, channels: Int,
        to target: UnsafeMutableRawPointer
    ) -> (first: Int, pitch: Int) {
        let pitch = lanes &* element
        if rows < lanes { target.initializeMemory(as: UInt8.self, repeating: 0, count: 9 &* channels &* pitch) }
        let stage = target + 9 &* chunk &* pitch
        let size = reader.type.byteCount
        let (x, y) = (shape.x.filterStride, shape.y.filterStride)
        if abs(x) != size || y != 3 &* x {
            for c in 0..<channels {
                for tap in 0..<9 {
                    readRun(
                        reader, source + (c &* shape.channel.filterStride &+ tap / 3 &* y &+ tap % 3 &* x),
                        stride: shape.row.filterStride, count: rows, to: target + (9 &* c &+ tap) &* pitch, stage: stage
                    )
                }
            }
            return (0, pitch)
        }
        let lowest = x < 0 ? source + 8 &* x : source
        let isOneRun = shape.channel.filterStride == 9 &* size
        let (runs, columns) = isOneRun ? (1, 9 &* channels) : (channels, 9)
        var tile = TransposedTiles(
            rows: rows, columns: columns, sourceRow: shape.row.filterStride, destinationColumn: pitch, tiles: 1,
            sourceTile: 0, destinationTile: 0, elementBytes: element)
        for run in 0..<runs {
            var from = lowest + run &* shape.channel.filterStride
            if !reader.isPlain {
                let converted = stage + 16 &* stageElements
                for row in 0..<rows {
                    readRun(
                        reader, from + row &* shape.row.filterStride, stride: size, count: columns,
                        to: converted + row &* columns &* element, stage: stage)
                }
                from = UnsafeRawPointer(converted)
                tile.sourceRow = columns &* element
            }
            transpose(from, to: target + run &* columns &* pitch, offsets: nil, &tile)
        }
        return x < 0 ? (8 &* pitch, 0 &- pitch) : (0, pitch)
    }
}
