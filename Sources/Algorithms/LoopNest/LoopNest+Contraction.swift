import Foundations

/// Where a contraction that a loop nest is read as has its lists: as many indices as the nest has, windows as many.
package struct NestContractionStorage {
    package let indices: UnsafeMutablePointer<ContractionIndex>
    package let windows: UnsafeMutablePointer<ContractionWindow>
}

/// What an index is to two factors, of which one is the filter and the other the input.
private enum Role { case batch, row, column, depth }

extension LoopNest {
    /// Storage for `contraction`, during `body`.
    package func withContractionStorage(
        _ body: (NestContractionStorage) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        try withUnsafeTemporaryAllocation(of: ContractionIndex.self, capacity: indexCount &+ 1) {
            (indices) throws(Failure) -> Bool in
            try withUnsafeTemporaryAllocation(of: ContractionWindow.self, capacity: indexCount &+ 1) {
                (windows) throws(Failure) -> Bool in
                try body(
                    NestContractionStorage(
                        indices: indices.baseAddress.unsafelyUnwrapped, windows: windows.baseAddress.unsafelyUnwrapped))
            }
        }
    }

    /// A simplified nest of two factors as a contraction of the filter (factor `filter`) with the other one. An index that
    /// only the filter and the output have is a row, one that only the input and the output have a column, one that is
    /// summed a depth, and one that all have, or the output alone, belongs to the batch.
    ///
    /// Where a column and a depth of the input walk the same axis of it, step for step, that axis is a window: this is how a
    /// convolution that was written as an einsum over a strided view is known. Strides say it: both are multiples of one
    /// distance, and the taps of neighbouring outputs interleave or overlap.
    package func contraction(filter: Int, _ storage: NestContractionStorage) -> ContractionProblem {
        var next = 0
        func list(_ role: Role) -> IndexList {
            let first = storage.indices + next
            var count = 0
            for i in 0..<indexCount where self.role(i, filter: filter) == role {
                (first + count).initialize(to: index(i, filter: filter))
                count += 1
            }
            next += count
            return IndexList(base: first, count: count)
        }
        let input = 1 &- filter
        var problem = ContractionProblem(
            input: tensor(input), filter: tensor(filter), output: output.data, outputType: output.type,
            outputSwapUnit: output.swapUnit, bias: nil, resultType: resultType, boundary: boundary, clamp: nil,
            batch: list(.batch), rows: list(.row), columns: list(.column), depth: list(.depth),
            windows: storage.windows, windowCount: 0)
        setGivenWindows(&problem, filter: filter)
        findWindows(&problem)
        problem.sortWindows()
        problem.sumsOverOutputs = problem.windowed(problem.depth) > problem.windowed(problem.columns)
        return problem
    }

    private func role(_ i: Int, filter: Int) -> Role {
        if i >= outputCount { return .depth }
        let (inFilter, inInput) = (has(filter, i), has(1 &- filter, i))
        return inFilter == inInput ? .batch : inFilter ? .row : .column
    }

    /// Whether an index moves a factor.
    package func has(_ factor: Int, _ index: Int) -> Bool {
        if factors[factor].strides[index] != 0 { return true }
        for w in 0..<windowCount where windows[w].factor == factor && windows[w].steps[index] != 0 { return true }
        return false
    }

    private func index(_ i: Int, filter: Int) -> ContractionIndex {
        var index = ContractionIndex()
        index.extent = extents[i]
        index.filterStride = factors[filter].strides[i]
        index.inputStride = factors[1 &- filter].strides[i]
        index.outputStride = output.strides[i]
        for w in 0..<windowCount where windows[w].factor == 1 &- filter && windows[w].steps[i] != 0 {
            index.window = w
            index.step = windows[w].steps[i]
            index.inputStride = index.step &* windows[w].stride
        }
        return index
    }

    private func tensor(_ f: Int) -> Tensor {
        Tensor(
            data: factors[f].data, type: factors[f].type, byteswapped: factors[f].swapUnit != 1, rank: 0, extents: nil,
            strides: nil)
    }

    private func setGivenWindows(_ problem: inout ContractionProblem, filter: Int) {
        for w in 0..<windowCount {
            var window = ContractionWindow()
            window.extent = windows[w].extent
            window.inputStride = windows[w].stride
            window.padding = windows[w].padding
            (problem.windows + w).initialize(to: window)
        }
        problem.windowCount = windowCount
    }

    private func findWindows(_ problem: inout ContractionProblem) {
        for c in 0..<problem.columns.count where problem.columns[c].window < 0 {
            for d in 0..<problem.depth.count
            where problem.depth[d].window < 0 && problem.depth[d].filterStride != 0 {
                if joins(&problem, column: c, depth: d) { break }
            }
        }
    }

    /// Makes a window of a column and a depth that walk one axis of the input.
    private func joins(_ problem: inout ContractionProblem, column c: Int, depth d: Int) -> Bool {
        let (output, tap) = (problem.columns[c], problem.depth[d])
        let (a, b) = (output.inputStride, tap.inputStride)
        if a == 0 || b == 0 { return false }
        let unit = greatestCommonDivisor(abs(a), abs(b))
        if abs(a) >= saturatingMultiply(abs(b), tap.extent) || abs(b) >= saturatingMultiply(abs(a), output.extent) {
            return false
        }
        // Taps are walked in the direction of the outputs; where that is downwards, the window lies the other way round.
        if (a < 0) != (b < 0) { problem.turnDepth(d) }
        var window = ContractionWindow()
        window.inputStride = a < 0 ? 0 &- unit : unit
        let (step, dilation) = (abs(a) / unit, abs(b) / unit)
        window.extent = step &* (output.extent &- 1) &+ dilation &* (tap.extent &- 1) &+ 1
        (problem.windows + problem.windowCount).initialize(to: window)
        (problem.columns[c].window, problem.columns[c].step) = (problem.windowCount, step)
        (problem.depth[d].window, problem.depth[d].step) = (problem.windowCount, dilation)
        problem.windowCount += 1
        return true
    }
}

extension ContractionProblem {
    /// Combinations of those indices of a list that move windows.
    fileprivate func windowed(_ list: IndexList) -> Int {
        var product = 1
        for i in 0..<list.count where list[i].window >= 0 { product = saturatingMultiply(product, list[i].extent) }
        return product
    }

    /// Puts windows in the order of memory, the innermost last, as layers have them.
    fileprivate mutating func sortWindows() {
        for last in 1..<max(windowCount, 1) {
            var w = last
            while w > 0 && abs(windows[w &- 1].inputStride) < abs(windows[w].inputStride) {
                (windows[w &- 1], windows[w]) = (windows[w], windows[w &- 1])
                columns.exchangeWindows(w &- 1, w)
                depth.exchangeWindows(w &- 1, w)
                w &-= 1
            }
        }
    }

    /// Walks a summed index from its other end.
    fileprivate mutating func turnDepth(_ d: Int) {
        let last = depth[d].extent &- 1
        input += last &* depth[d].inputStride
        filter += last &* depth[d].filterStride
        depth[d].inputStride = 0 &- depth[d].inputStride
        depth[d].filterStride = 0 &- depth[d].filterStride
    }
}

extension IndexList {
    fileprivate func exchangeWindows(_ a: Int, _ b: Int) {
        for i in 0..<count where self[i].window == a || self[i].window == b {
            self[i].window = a &+ b &- self[i].window
        }
    }
}
