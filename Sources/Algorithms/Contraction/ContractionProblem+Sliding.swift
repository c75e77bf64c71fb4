import Foundations

extension ContractionProblem {
    /// The same problem for the Stencil, into `axes` (`maximumRank` of them): every window has an output index and a tap
    /// index of positive steps, and depths outside windows are summed as a window that covers its whole axis. Nil where it
    /// is of another shape.
    package func sliding(into axes: AxisList) -> SlidingProblem? {
        var plainDepths = 0
        for i in 0..<depth.count where depth[i].window < 0 { plainDepths &+= 1 }
        let rank = batch.count &+ rows.count &+ columns.count &+ plainDepths
        if rank > maximumRank || depth.extent == 0 { return nil }
        var next = 0
        func append(_ list: IndexList) -> Bool {
            for i in 0..<list.count {
                let index = list[i]
                axes[next].setBatch(extent: index.extent, inStride: index.inputStride)
                axes[next].outStride = index.outputStride
                axes[next].filterStride = index.filterStride
                axes[next].biasStride = index.biasStride
                if index.window >= 0 && !setWindow(&axes[next], index) { return false }
                next &+= 1
            }
            return true
        }
        if !append(batch) || !append(rows) || !append(columns) { return nil }
        // A window's taps are there with its outputs.
        for i in 0..<depth.count where depth[i].window >= 0 && !hasColumn(window: depth[i].window) { return nil }
        for i in 0..<depth.count where depth[i].window < 0 {
            axes[next].setBatch(extent: depth[i].extent, inStride: depth[i].inputStride)
            axes[next].outExtent = 1
            axes[next].filterExtent = depth[i].extent
            axes[next].filterStride = depth[i].filterStride
            axes[next].isWindow = true
            next &+= 1
        }
        return SlidingProblem(
            input: input, inputType: inputType, inputSwapUnit: inputSwapUnit, output: output, outputType: outputType,
            outputSwapUnit: outputSwapUnit, filter: filter, filterType: filterType, filterSwapUnit: filterSwapUnit,
            conjugatesFilter: false, resultType: resultType, boundary: boundary, fill: .zero, rank: rank, axes: axes,
            epilogue: epilogue)
    }

    private func hasColumn(window: Int) -> Bool {
        for i in 0..<columns.count where columns[i].window == window { return true }
        return false
    }

    private func setWindow(_ axis: inout SlidingAxis, _ output: ContractionIndex) -> Bool {
        let window = windows[output.window]
        for i in 0..<depth.count where depth[i].window == output.window {
            if output.step < 1 || depth[i].step < 1 || output.filterStride != 0 { return false }
            axis.inExtent = window.extent
            axis.inStride = window.inputStride
            axis.padding = window.padding
            axis.step = output.step
            axis.dilation = depth[i].step
            axis.filterExtent = depth[i].extent
            axis.filterStride = depth[i].filterStride
            axis.isWindow = true
            return true
        }
        return false
    }
}
