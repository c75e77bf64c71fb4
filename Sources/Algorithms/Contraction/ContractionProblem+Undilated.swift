import Foundations

/// A dilated convolution at unit steps as undilated ones: along an axis whose taps are d apart, every d-th output sees every
/// d-th sample and no other, so that each residue of the outputs is a convolution of its own.
///
/// Only with padding of zeros: other boundaries would lead from one residue's samples to another's.
package struct UndilatedParts {
    private let whole: ContractionProblem
    private let indices: UnsafeMutablePointer<ContractionIndex>
    private let windows: UnsafeMutablePointer<ContractionWindow>
    package let count: Int

    /// Nil where nothing is dilated, or it is of another kind. `indices` has room for the problem's columns and depths,
    /// `windows` for its windows; both outlive this.
    init?(
        _ problem: ContractionProblem, indices: UnsafeMutablePointer<ContractionIndex>,
        windows: UnsafeMutablePointer<ContractionWindow>
    ) {
        guard case .fill = problem.boundary else { return nil }
        whole = problem
        self.indices = indices
        self.windows = windows
        var count = 1
        for w in 0..<problem.windowCount {
            guard let axis = problem.windowIndices(w) else { return nil }
            let (output, tap) = (problem.columns[axis.column], problem.depth[axis.depth])
            if tap.extent == 1 || tap.step == 1 { continue }
            // No residue without samples or outputs.
            let least = min(output.extent, problem.windows[w].extent)
            if output.step != 1 || tap.step < 1 || least < tap.step { return nil }
            count = saturatingMultiply(count, tap.step)
        }
        if count == 1 { return nil }
        self.count = count
    }

    /// The convolution of one combination of residues. The next one overwrites its lists.
    package func part(_ number: Int) -> ContractionProblem {
        var problem = whole
        indices.update(from: whole.columns.base, count: whole.columns.count)
        problem.columns = IndexList(base: indices, count: whole.columns.count)
        let depth = indices + whole.columns.count
        depth.update(from: whole.depth.base, count: whole.depth.count)
        problem.depth = IndexList(base: depth, count: whole.depth.count)
        windows.update(from: whole.windows, count: whole.windowCount)
        problem.windows = windows
        var rest = number
        for w in 0..<whole.windowCount {
            guard let axis = whole.windowIndices(w) else { continue }
            let tap = whole.depth[axis.depth]
            if tap.extent == 1 || tap.step == 1 { continue }
            let (dilation, window) = (tap.step, whole.windows[w])
            let residue = rest % dilation
            rest /= dilation
            // The first tap of the first output is sample `first + dilation * start`.
            let start = floorDivide(residue &- window.padding, dilation)
            let first = residue &- window.padding &- start &* dilation
            problem.input += first &* window.inputStride
            windows[w].extent = ceilingDivide(window.extent &- first, dilation)
            windows[w].padding = 0 &- start
            windows[w].inputStride = dilation &* window.inputStride
            let output = whole.columns[axis.column]
            problem.output += residue &* output.outputStride
            problem.columns[axis.column].extent = ceilingDivide(output.extent &- residue, dilation)
            problem.columns[axis.column].outputStride = dilation &* output.outputStride
            problem.columns[axis.column].inputStride = windows[w].inputStride
            problem.depth[axis.depth].step = 1
            problem.depth[axis.depth].inputStride = windows[w].inputStride
        }
        return problem
    }
}

extension ContractionProblem {
    /// The column and the depth that meet on a window, nil unless there is one of each.
    fileprivate func windowIndices(_ window: Int) -> (column: Int, depth: Int)? {
        var (column, tap) = (-1, -1)
        for i in 0..<columns.count where columns[i].window == window {
            if column >= 0 { return nil }
            column = i
        }
        for i in 0..<depth.count where depth[i].window == window {
            if tap >= 0 { return nil }
            tap = i
        }
        return column >= 0 && tap >= 0 ? (column, tap) : nil
    }

    /// Runs `body` with the parts of a dilated convolution; nil if it is none.
    package func withUndilatedParts<Result>(
        _ body: (UndilatedParts) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        if !isDilated { return nil }
        return try withUnsafeTemporaryAllocation(of: ContractionIndex.self, capacity: columns.count &+ depth.count &+ 1)
        {
            (indices) throws(Failure) -> Result? in
            try withUnsafeTemporaryAllocation(of: ContractionWindow.self, capacity: windowCount &+ 1) {
                (windows) throws(Failure) -> Result? in
                let parts = UndilatedParts(
                    self, indices: indices.baseAddress.unsafelyUnwrapped, windows: windows.baseAddress.unsafelyUnwrapped
                )
                guard let parts else { return nil }
                return try body(parts)
            }
        }
    }

    private var isDilated: Bool {
        for i in 0..<depth.count where depth[i].window >= 0 && depth[i].step > 1 && depth[i].extent > 1 { return true }
        return false
    }
}
