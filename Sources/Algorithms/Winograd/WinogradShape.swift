import Foundations

/// A convolution by 3 x 3 filters at unit steps, as Winograd's algorithm sees it: tiles lie in planes of y and x. A third
/// axis, z, has any number of taps, which are summed like channels: of the same tile, planes apart.
struct WinogradShape {
    struct Axis {
        var window = ContractionWindow()
        var extent = 1
        var taps = 1
        var outputStride = 0
        var filterStride = 0
    }

    /// One output and one tap where there is no third axis.
    var z = Axis()
    var y = Axis()
    var x = Axis()
    var sample = ContractionIndex()
    var channel = ContractionIndex()
    var row = ContractionIndex()
    var isDouble = false

    /// Nil where the problem is of another kind.
    init?(_ problem: ContractionProblem) {
        switch problem.arithmetic {
        case .float32: isDouble = false
        case .float64: isDouble = true
        default: return nil
        }
        if problem.windowCount < 2 || problem.windowCount > 3 || problem.rows.count > 1 { return nil }
        if problem.rows.count == 1 { row = problem.rows[0] }
        // The last two are y and x.
        let first = 3 &- problem.windowCount
        var axes = InlineArray<3, Axis>(repeating: Axis())
        for w in first..<3 { axes[w].window = problem.windows[w &- first] }
        var samples = 0
        for i in 0..<problem.columns.count {
            let index = problem.columns[i]
            if index.window < 0 {
                sample = index
                samples &+= 1
            } else if index.step == 1 {
                axes[first &+ index.window].extent = index.extent
                axes[first &+ index.window].outputStride = index.outputStride
            } else {
                return nil
            }
        }
        var taps = 0
        var channels = 0
        for i in 0..<problem.depth.count {
            let index = problem.depth[i]
            if index.window < 0 {
                channel = index
                channels &+= 1
            } else if index.step == 1 || index.extent == 1 {
                axes[first &+ index.window].taps = index.extent
                axes[first &+ index.window].filterStride = index.filterStride
                taps &+= 1
            } else {
                return nil
            }
        }
        if taps != problem.windowCount || samples > 1 || channels > 1 { return nil }
        if !setAxes(axes) { return nil }
    }

    /// The axis that has not 3 taps, or the first, is z; false where the others have not 3 either, or a panel of the filter
    /// does not hold one channel's taps along z.
    private mutating func setAxes(_ axes: InlineArray<3, Axis>) -> Bool {
        (z, y, x) = (axes[0], axes[1], axes[2])
        if y.taps != 3 { swap(&z, &y) } else if x.taps != 3 { (z, y, x) = (axes[2], axes[0], axes[1]) }
        return y.taps == 3 && x.taps == 3 && z.taps >= 1 && z.taps <= deepestWinogradPanel
    }

    /// Tiles of a plane.
    func tiles(outputs: Int) -> Int {
        saturatingMultiply(ceilingDivide(y.extent, outputs), ceilingDivide(x.extent, outputs))
    }

    /// Channels by output channels by taps along z: what a point of the filter has.
    var filters: Int { saturatingMultiply(saturatingMultiply(channel.extent, z.taps), row.extent) }
}

/// Depths, input channels by taps along z, of a panel of the filter: by the widest register tiles 40 KiB, which stay in a
/// first-level cache while tiles walk by; half of them lose up to a tenth.
let deepestWinogradPanel = 160
