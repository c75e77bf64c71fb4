import Foundations

extension LoopNest {
    /// Rewrites the lists so that as few indices are left as will do: those of one value go, directions are turned so that
    /// the output, or else the first factor, is walked upwards, indices are ordered by memory stride, the shortest last, and
    /// neighbours that one stride walks in every array become one. Indices of windows stay as they are.
    ///
    /// The order of the summed ones is the order of summation: memory strides alone decide it.
    package mutating func simplify() {
        removeUnits()
        for i in 0..<indexCount where !isWindowed(i) && goesDown(i) { turn(i) }
        sort(0..<outputCount) { $0.outputStep($1) }
        sort(outputCount..<indexCount) { $0.factorSteps($1) }
        fuse()
    }

    /// Whether an index moves a window of any factor.
    package func isWindowed(_ index: Int) -> Bool {
        for w in 0..<windowCount where windows[w].steps[index] != 0 { return true }
        return false
    }

    private func outputStep(_ index: Int) -> (Int, Int) { (abs(output.strides[index]), factorSteps(index).0) }

    private func factorSteps(_ index: Int) -> (Int, Int) {
        var sum = 0
        for f in 0..<factorCount { sum &+= abs(factors[f].strides[index]) }
        for w in 0..<windowCount { sum &+= abs(windows[w].steps[index] &* windows[w].stride) }
        return (sum, 0)
    }

    private func goesDown(_ index: Int) -> Bool {
        if output.strides[index] != 0 { return output.strides[index] < 0 }
        for f in 0..<factorCount where factors[f].strides[index] != 0 { return factors[f].strides[index] < 0 }
        return false
    }

    /// Walks an index from its other end.
    package mutating func turn(_ index: Int) {
        let last = extents[index] &- 1
        output.data += last &* output.strides[index]
        output.strides[index] = 0 &- output.strides[index]
        for f in 0..<factorCount {
            factors[f].data += last &* factors[f].strides[index]
            factors[f].strides[index] = 0 &- factors[f].strides[index]
        }
    }

    private mutating func removeUnits() {
        var kept = 0
        var keptOutputs = 0
        for i in 0..<indexCount where extents[i] != 1 {
            forEachList { $0[kept] = $0[i] }
            kept += 1
            if i < outputCount { keptOutputs += 1 }
        }
        indexCount = kept
        outputCount = keptOutputs
    }

    /// By the key, the largest first; equals stay in their order.
    private func sort(_ range: Range<Int>, by key: (LoopNest, Int) -> (Int, Int)) {
        for i in range {
            var j = i
            while j > range.lowerBound && key(self, j &- 1) < key(self, j) {
                forEachList { ($0[j &- 1], $0[j]) = ($0[j], $0[j &- 1]) }
                j &-= 1
            }
        }
    }

    private mutating func fuse() {
        var kept = 0
        var keptOutputs = 0
        for i in 0..<indexCount {
            let last = kept &- 1
            let isFirst = kept == 0 || (i >= outputCount && last < keptOutputs)
            if !isFirst && !isWindowed(last) && !isWindowed(i) && chains(last, i) {
                let extent = saturatingMultiply(extents[last], extents[i])
                forEachList { $0[last] = $0[i] }
                extents[last] = extent
            } else {
                forEachList { $0[kept] = $0[i] }
                kept += 1
                if i < outputCount { keptOutputs += 1 }
            }
        }
        indexCount = kept
        outputCount = keptOutputs
    }

    /// Whether one stride walks both indices in every array.
    private func chains(_ outer: Int, _ inner: Int) -> Bool {
        let extent = extents[inner]
        if output.strides[outer] != saturatingMultiply(output.strides[inner], extent) { return false }
        for f in 0..<factorCount
        where factors[f].strides[outer] != saturatingMultiply(factors[f].strides[inner], extent) {
            return false
        }
        return true
    }

    /// Extents, and the strides or steps of every array and window.
    private func forEachList(_ body: (UnsafeMutablePointer<Int>) -> Void) {
        body(extents)
        body(output.strides)
        for f in 0..<factorCount { body(factors[f].strides) }
        for w in 0..<windowCount { body(windows[w].steps) }
    }
}
