import CMachine
import Foundations
import Kernels

// Integers multiplied as reals. No ISA multiplies integers of 32 or 64 bits as fast as reals, and sums of integers' products
// are exact in reals as long as none can leave the integers that those hold without gaps. (Dumas, Giorgi and Pernet, "Dense
// linear algebra over word-size prime fields: the FFLAS and FFPACK packages", 2008, multiply modulo primes so.) The largest
// magnitudes of both operands tell whether that is so.

extension ContractionProblem {
    /// Whether looking at every element would pay.
    var mayBeExactInReals: Bool {
        switch arithmetic {
        case .word32, .word64: break
        default: return false
        }
        if !epilogue.isEmpty || depth.extent == 0 || ImplicitGemm.multipliesWords(self) { return false }
        return productsPerElement >= 32 && Double(outputCount) * Double(depth.extent) >= leastProducts
    }

    /// How many products an element of the operands takes part in, on average: what looking at each one, or converting it, has
    /// to be paid by.
    var productsPerElement: Double {
        Double(outputCount) * Double(depth.extent) / max(numberOfElements(.input) + numberOfElements(.filter), 1)
    }

    /// The narrowest reals in which all sums are exact, nil where there are none; that too if it was interrupted.
    func exactReals(threads: Int, control: Control) -> ArithmeticKind? {
        if !mayBeExactInReals { return nil }
        let limit = exactLimit(.float64) / Double(depth.extent)
        guard let weight = largestMagnitude(.filter, limit: limit, threads: threads, control),
            let sample = largestMagnitude(.input, limit: limit / max(weight, 1), threads: threads, control)
        else { return nil }
        return weight * sample * Double(depth.extent) < exactLimit(.float32) ? .float32 : .float64
    }

    private func numberOfElements(_ operand: ContractionIndex.Operand) -> Double {
        withElements(of: operand) { elements, _ in Double(elements.extent) }
    }

    /// The largest magnitude of an operand's elements, nil if it reaches the limit or the search was interrupted.
    private func largestMagnitude(
        _ operand: ContractionIndex.Operand, limit: Double, threads: Int, _ control: Control
    ) -> Double? {
        let isInput = operand == .input
        return withElements(of: operand) { elements, first in
            let tasks = ceilingDivide(elements.extent, searchedElements)
            let threads = searchSharing.threads(threads, work: Double(elements.extent))
            return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: threads) { largest in
                largest.initialize(repeating: 0)
                var search = MagnitudeSearch(
                    elements: elements, source: (isInput ? input : filter) + first,
                    type: isInput ? inputType : filterType,
                    swapUnit: isInput ? inputSwapUnit : filterSwapUnit, limit: limit,
                    largest: largest.baseAddress.unsafelyUnwrapped)
                let finished = ThreadPool.run(
                    tasks: tasks, grain: 1, threads: threads, control: control, context: &search, searchTasks)
                var found = UInt64(0)
                for one in largest { found = max(found, one) }
                return finished && Double(found) < limit ? Double(found) : nil
            }
        }
    }

    /// Calls `body` with indices that walk an operand's elements, each but once where several meet on an axis, and where the
    /// first element lies from the operand's. All strides are those of the input, and positive.
    private func withElements<Result>(
        of operand: ContractionIndex.Operand, _ body: (_ elements: IndexList, _ first: Int) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(of: ContractionIndex.self, capacity: indexCount &+ windowCount &+ 1) { storage in
            var elements = IndexList(base: storage.baseAddress.unsafelyUnwrapped, count: 0)
            var first = 0
            func add(_ extent: Int, _ stride: Int) {
                if stride == 0 || extent == 1 { return }
                if stride < 0 { first &+= (extent &- 1) &* stride }
                var index = ContractionIndex()
                (index.extent, index.inputStride) = (extent, abs(stride))
                (elements.base + elements.count).initialize(to: index)
                elements.count &+= 1
            }
            func addAll(_ list: IndexList) {
                for i in 0..<list.count where operand == .filter || list[i].window < 0 {
                    add(list[i].extent, list[i].stride(operand))
                }
            }
            addAll(batch)
            addAll(rows)
            addAll(columns)
            addAll(depth)
            if operand == .input {
                for w in 0..<windowCount { add(windows[w].extent, windows[w].inputStride) }
            }
            elements.sort { ($0.inputStride.magnitude, 0) }
            elements.unite()
            return body(elements, first)
        }
    }
}

extension IndexList {
    /// Makes one index of two whose values leave no gap: neighbours that one stride walks, and outputs and taps on one axis.
    fileprivate mutating func unite() {
        var kept = count
        for i in (0..<count).reversed() {
            let outer = self[i]
            if kept < count {
                let steps = outer.inputStride / self[kept].inputStride
                if steps &* self[kept].inputStride == outer.inputStride && steps <= self[kept].extent {
                    self[kept].extent = saturatingAdd(
                        self[kept].extent, saturatingMultiply(outer.extent &- 1, steps))
                    continue
                }
            }
            kept &-= 1
            self[kept] = outer
        }
        let united = count &- kept
        for i in 0..<united { self[i] = self[kept &+ i] }
        count = united
    }

    fileprivate var innermost: (extent: Int, stride: Int) {
        count == 0 ? (1, 0) : (self[count &- 1].extent, self[count &- 1].inputStride)
    }
}

/// Sums of smaller magnitude are exact, and become integers again (`convert`).
private func exactLimit(_ reals: ArithmeticKind) -> Double { reals == .float32 ? 0x1p22 : 0x1p51 }

/// Products of a call that are worth it: 0.1 ms.
private var leastProducts: Double { 250_000 }

/// Elements of a task, and what is worth waking a thread for.
private var searchedElements: Int { 16_384 }
private var searchSharing: WorkSharing { WorkSharing(perThread: 200_000) }

private struct MagnitudeSearch {
    let elements: IndexList
    let source: UnsafeRawPointer
    let type: ElementType
    let swapUnit: Int
    let limit: Double
    /// Each thread's.
    let largest: UnsafeMutablePointer<UInt64>
    /// Not 0 once one has found more than the limit.
    var isOver: Int64 = 0
}

private func searchTasks(_ context: UnsafeMutableRawPointer, _ slot: Int, _ first: Int, _ end: Int) {
    let search = context.assumingMemoryBound(to: MagnitudeSearch.self)
    let (elements, source, type) = (search.pointee.elements, search.pointee.source, search.pointee.type)
    let isOver = search.pointer(to: \.isOver).unsafelyUnwrapped
    let (run, stride) = elements.innermost
    var number = first &* searchedElements
    let last = min(end &* searchedElements, elements.extent)
    while number < last && sc_atomic_load(isOver) == 0 {
        let count = min(run &- number % run, last &- number)
        let found = Kernels.largestMagnitude(
            source + elements.offset(number, .input), type, swapUnit: search.pointee.swapUnit, stride: stride,
            count: count)
        if found > search.pointee.largest[slot] { search.pointee.largest[slot] = found }
        if Double(found) >= search.pointee.limit { sc_atomic_store(isOver, 1) }
        number &+= count
    }
}
