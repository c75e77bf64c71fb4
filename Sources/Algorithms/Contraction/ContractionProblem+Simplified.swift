import Foundations

extension ContractionProblem {
    /// Indices of all kinds.
    var indexCount: Int { batch.count &+ rows.count &+ columns.count &+ depth.count }

    /// The same contraction with as few indices as will do: windows whose coordinates all lie inside become plain strides,
    /// indices of one value go, columns and depths are ordered by memory stride, the shortest last, and neighbours that one
    /// stride walks in every operand become one. `indices` has room for `indexCount` of them, `windows` for `windowCount`;
    /// both outlive the result.
    ///
    /// The order of depths is the order of summation, so memory strides and window geometry alone decide it, never the
    /// extent of the batch.
    func simplified(
        indices: UnsafeMutablePointer<ContractionIndex>, windows: UnsafeMutablePointer<ContractionWindow>
    ) -> ContractionProblem {
        var result = self
        windows.initialize(from: self.windows, count: windowCount)
        result.windows = windows
        var next = indices
        func copied(_ list: IndexList) -> IndexList {
            next.initialize(from: list.base, count: list.count)
            defer { next += list.count }
            return IndexList(base: next, count: list.count)
        }
        result.batch = copied(batch)
        result.rows = copied(rows)
        result.columns = copied(columns)
        result.depth = copied(depth)
        result.dropWindows()
        result.batch.removeUnits()
        result.rows.removeUnits()
        result.columns.removeUnits()
        result.depth.removeUnits()
        if result.readsAlongColumns {
            result.columns.sort { ($0.inputStride.magnitude, $0.outputStride.magnitude) }
        } else {
            result.columns.sort { ($0.outputStride.magnitude, $0.inputStride.magnitude) }
        }
        if result.writesAlongColumns {
            // Rows are written one by one, in any order; the filter is packed as it lies.
            result.rows.sort { ($0.filterStride.magnitude, $0.outputStride.magnitude) }
        } else {
            result.rows.sort { ($0.outputStride.magnitude, $0.filterStride.magnitude) }
        }
        if result.readsFilterAlongDepth {
            result.depth.sort { ($0.filterStride.magnitude, $0.inputStride.magnitude) }
        } else {
            result.depth.sort { ($0.inputStride.magnitude, $0.filterStride.magnitude) }
        }
        result.rows.fuse()
        result.columns.fuse()
        result.depth.fuse()
        return result
    }

    /// Lowest and highest coordinate that a window reads, or nil if it reads none.
    func coordinates(_ window: Int) -> ClosedRange<Int>? {
        var (low, high) = (0 &- windows[window].padding, 0 &- windows[window].padding)
        for list in [columns, depth] {
            for i in 0..<list.count where list[i].window == window {
                if list[i].extent == 0 { return nil }
                let reach = list[i].step &* (list[i].extent &- 1)
                low &+= min(reach, 0)
                high &+= max(reach, 0)
            }
        }
        return low...high
    }

    /// Long sums, which cost more to read than to write, of samples contiguous along a column index and not along depths:
    /// the weight's gradient of channels-last data. With columns along the output instead, 64 channels at 56 x 56 took
    /// four times as long.
    var readsAlongColumns: Bool {
        if depth.extent <= 64 { return false }
        let unit = inputType.byteCount
        for i in 0..<depth.count where depth[i].inputStride.magnitude == unit { return false }
        for i in 0..<columns.count where columns[i].window < 0 && columns[i].inputStride == unit { return true }
        return false
    }

    /// Whether outputs are contiguous along a column.
    private var writesAlongColumns: Bool {
        for i in 0..<columns.count where columns[i].outputStride == outputType.byteCount { return true }
        return false
    }

    /// No window, and depths contiguous in the filter but not in the input: it is read row by row in any order.
    private var readsFilterAlongDepth: Bool {
        if windowCount > 0 { return false }
        for i in 0..<depth.count where depth[i].inputStride.magnitude == inputType.byteCount { return false }
        for i in 0..<depth.count where depth[i].filterStride.magnitude == filterType.byteCount { return true }
        return false
    }

    private func isInside(_ window: Int) -> Bool {
        guard let range = coordinates(window) else { return true }
        return range.lowerBound >= 0 && range.upperBound < windows[window].extent
    }

    /// Removes the windows whose coordinates all lie inside, and moves the input to where they begin.
    private mutating func dropWindows() {
        var kept = 0
        for w in 0..<windowCount {
            let isDropped = isInside(w)
            if isDropped { input -= windows[w].padding &* windows[w].inputStride }
            windows[kept] = windows[w]
            for list in [columns, depth] {
                for i in 0..<list.count where list[i].window == w { list[i].window = isDropped ? -1 : kept }
            }
            if !isDropped { kept &+= 1 }
        }
        windowCount = kept
    }
}

extension IndexList {
    /// Removes indices of one value, which move nothing: their offsets are all 0.
    fileprivate mutating func removeUnits() {
        var kept = 0
        for i in 0..<count where self[i].extent != 1 {
            self[kept] = self[i]
            kept &+= 1
        }
        count = kept
    }

    /// By the key, the largest first; equals stay in their order.
    func sort(_ key: (ContractionIndex) -> (UInt, UInt)) {
        for i in 1..<max(count, 1) {
            var j = i
            while j > 0 && key(self[j &- 1]) < key(self[j]) {
                (self[j &- 1], self[j]) = (self[j], self[j &- 1])
                j &-= 1
            }
        }
    }

    /// Joins neighbours outside windows that one stride walks in every operand.
    fileprivate mutating func fuse() {
        var kept = 0
        for i in 1..<max(count, 1) {
            let (outer, inner) = (self[kept], self[i])
            if outer.window < 0 && inner.window < 0 && outer.chains(to: inner) {
                self[kept] = inner
                self[kept].extent = saturatingMultiply(outer.extent, inner.extent)
            } else {
                kept &+= 1
                self[kept] = inner
            }
        }
        count = min(count, kept &+ 1)
    }
}

extension ContractionIndex {
    fileprivate func chains(to inner: ContractionIndex) -> Bool {
        filterStride == saturatingMultiply(inner.filterStride, inner.extent)
            && inputStride == saturatingMultiply(inner.inputStride, inner.extent)
            && outputStride == saturatingMultiply(inner.outputStride, inner.extent)
            && biasStride == saturatingMultiply(inner.biasStride, inner.extent)
    }
}
