import CSwiftConv
import Foundations

/// A matrix with the tables that say where each of its lines' entries begin.
struct MatrixPlan {
    let matrix: ConvolutionMatrix
    let axes: UnsafeMutablePointer<LineAxis>
    /// The last axis: lines along it share what they meet along the others.
    var last: LineAxis { axes[matrix.rank &- 1] }
    private(set) var size = MatrixSize()
    /// What a line crosses along all axes but the last, at most: positions, and taps of them.
    private(set) var mostItems = 0
    private(set) var mostItemTaps = 0

    /// Calls `body` with the plan, whose tables live as long.
    static func with(
        _ matrix: ConvolutionMatrix, _ body: (MatrixPlan) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        var layout = WorkspaceLayout()
        let list = layout.take(matrix.rank &* MemoryLayout<LineAxis>.stride)
        var scratch = 0
        for a in 0..<matrix.rank {
            let bytes = LineAxis.byteCount(matrix.axes[a], matrix.boundary, byColumns: matrix.byColumns)
            _ = layout.take(bytes.tables)
            scratch = max(scratch, bytes.scratch)
        }
        let scratchPlace = layout.take(scratch)
        return try withWorkspace(byteCount: layout.byteCount) { (memory) throws(Failure) -> Bool in
            var places = WorkspaceLayout()
            _ = places.take(matrix.rank &* MemoryLayout<LineAxis>.stride)
            let axes = (memory + list).bindMemory(to: LineAxis.self, capacity: matrix.rank)
            for a in 0..<matrix.rank {
                let bytes = LineAxis.byteCount(matrix.axes[a], matrix.boundary, byColumns: matrix.byColumns)
                (axes + a).initialize(
                    to: LineAxis(
                        matrix.axes[a], matrix.boundary, byColumns: matrix.byColumns,
                        tables: memory + places.take(bytes.tables), scratch: memory + scratchPlace))
            }
            return try body(MatrixPlan(matrix, axes))
        }
    }

    private init(_ matrix: ConvolutionMatrix, _ axes: UnsafeMutablePointer<LineAxis>) throws(Failure) {
        self.matrix = matrix
        self.axes = axes
        let tooLarge = Failure(SC_SIZE_OVERFLOW)
        size.lines = matrix.units
        size.crossed = matrix.groups &* matrix.crossedUnits
        size.blocks = try Checked.multiply(matrix.units, matrix.crossedUnits, or: tooLarge)
        mostItems = matrix.crossedUnits
        mostItemTaps = matrix.crossedUnits
        for a in 0..<matrix.rank {
            size.lines &*= matrix.positions(a)
            size.crossed &*= matrix.crossed(a)
            if a == matrix.rank &- 1 { break }
            size.blocks = try Checked.multiply(size.blocks, axes[a].total, or: tooLarge)
            mostItems = saturatingMultiply(mostItems, axes[a].mostOthers)
            mostItemTaps = saturatingMultiply(mostItemTaps, axes[a].mostMeetings)
        }
        size.entries = try Checked.multiply(size.blocks, axes[matrix.rank &- 1].total, or: tooLarge)
    }

    /// Items (crossings of all axes but the last) of the strips before one.
    func itemsBefore(strip: Int) -> Int {
        var strips = matrix.strips / matrix.units
        var items = matrix.crossedUnits
        for a in 0..<matrix.rank &- 1 { items &*= axes[a].total }
        var before = strip / strips &* items
        var rest = strip % strips
        for a in 0..<matrix.rank &- 1 {
            strips /= axes[a].positions
            let position = rest / strips
            rest %= strips
            // From here on those of one position alone.
            items /= max(axes[a].total, 1)
            before &+= axes[a].others(before: position) &* items
            items &*= axes[a].others(at: position)
        }
        return before
    }
}
