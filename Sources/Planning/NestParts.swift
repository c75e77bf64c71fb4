import Algorithms
import Foundations

// Matrix products in parts: long sums of few outputs, which threads could not share, and filters whose packed form would grow
// with the operands.

/// How a long sum is cut: the summed index, how much of it a part takes, and how many parts there are.
struct SumParts {
    let index: Int
    let perPart: Int
    let count: Int

    /// Nil where the sum is short or there are outputs enough. A batch plays no part: it must not decide how sums are cut.
    init?(_ nest: LoopNest) {
        let (outputs, depth) = (nest.outputs { nest.has(0, $0) != nest.has(1, $0) }, nest.depth)
        if depth < 2 * partProducts || outputs > keptSums / 4 || nest.indexCount >= maximumRank { return nil }
        var longest = nest.outputCount
        for i in nest.outputCount..<nest.indexCount where nest.extents[i] > nest.extents[longest] { longest = i }
        let extent = nest.extents[longest]
        let most = max(2, keptSums / max(outputs, 1))
        let each = max(1, depth / extent)
        perPart = max(1, partProducts / each, ceilingDivide(extent, most))
        index = longest
        count = ceilingDivide(extent, perPart)
        if count < 2 { return nil }
    }
}

/// Products of a part's sum; and sums of all parts that are kept at a time.
private let partProducts = 8192
private let keptSums = 1 << 18

/// Computes every part's sums, as one more index of a batch, then adds them up in order.
func runInParts(
    _ nest: LoopNest, _ parts: SumParts, threads: Int, control: Control,
    _ product: (LoopNest) throws(Failure) -> Bool
) throws(Failure) -> Bool {
    let type = nest.arithmetic.elementType
    let (outputs, count) = (nest.outputExtent, nest.indexCount + 1)
    let sums = try Workspace(
        byteCount: saturatingMultiply(saturatingMultiply(outputs, parts.count), type.byteCount))
    let base = sums.base
    return try withUnsafeTemporaryAllocation(of: Int.self, capacity: (nest.factorCount + 2) * count) {
        (numbers) throws(Failure) -> Bool in
        try withUnsafeTemporaryAllocation(of: NestFactor.self, capacity: nest.factorCount) {
            (factors) throws(Failure) -> Bool in
            var part = nest
            var next = numbers.baseAddress.unsafelyUnwrapped
            // The part's number first, then the nest's own indices.
            func list(_ source: UnsafePointer<Int>, first: Int) -> UnsafeMutablePointer<Int> {
                defer { next += count }
                next[0] = first
                for i in 0..<nest.indexCount { next[i + 1] = source[i] }
                return next
            }
            let whole = nest.extents[parts.index] / parts.perPart
            func describe(parts number: Int, from first: Int, values: Int) {
                next = numbers.baseAddress.unsafelyUnwrapped
                part.extents = list(nest.extents, first: number)
                part.extents[parts.index + 1] = values
                part.indexCount = count
                part.outputCount = nest.outputCount + 1
                part.factors = factors.baseAddress.unsafelyUnwrapped
                for f in 0..<nest.factorCount {
                    let stride = nest.factors[f].strides[parts.index]
                    var factor = nest.factors[f]
                    factor.data += first &* parts.perPart &* stride
                    factor.strides = list(nest.factors[f].strides, first: parts.perPart &* stride)
                    (part.factors + f).initialize(to: factor)
                }
                let strides = list(nest.output.strides, first: 0)
                var step = type.byteCount
                for i in (0..<part.outputCount).reversed() {
                    strides[i] = step
                    step = saturatingMultiply(step, part.extents[i])
                }
                part.output = NestFactor(
                    data: base + first &* outputs &* type.byteCount, type: type, swapUnit: 1, strides: strides)
                part.resultType = type
            }
            if whole > 0 {
                describe(parts: whole, from: 0, values: parts.perPart)
                if try !product(part) { return false }
            }
            let rest = nest.extents[parts.index] - whole * parts.perPart
            if rest > 0 {
                describe(parts: 1, from: whole, values: rest)
                if try !product(part) { return false }
            }
            return try add(nest, sums: base, type, parts: parts.count, threads: threads, control: control)
        }
    }
}

/// Adds up sums that lie [part][output].
private func add(
    _ nest: LoopNest, sums: UnsafeMutableRawPointer, _ type: ElementType, parts: Int, threads: Int, control: Control
) throws(Failure) -> Bool {
    let count = nest.outputCount + 1
    return try withUnsafeTemporaryAllocation(of: Int.self, capacity: 3 * count) { (numbers) throws(Failure) -> Bool in
        let extents = numbers.baseAddress.unsafelyUnwrapped
        let (strides, outStrides) = (extents + count, extents + 2 * count)
        var step = type.byteCount
        for i in (0..<nest.outputCount).reversed() {
            (extents[i], strides[i], outStrides[i]) = (nest.extents[i], step, nest.output.strides[i])
            step = saturatingMultiply(step, nest.extents[i])
        }
        (extents[count - 1], strides[count - 1], outStrides[count - 1]) = (parts, step, 0)
        var factor = NestFactor(data: sums, type: type, swapUnit: 1, strides: strides)
        var output = nest.output
        output.strides = outStrides
        return try withUnsafeMutablePointer(to: &factor) { (factor) throws(Failure) in
            var sum = LoopNest(
                factors: factor, factorCount: 1, output: output, extents: extents, indexCount: count,
                outputCount: count - 1, resultType: nest.resultType, boundary: nest.boundary, windows: nest.windows,
                windowCount: 0)
            sum.simplify()
            return try RowNest.run(sum, threads: threads, control: control)
        }
    }
}

/// A batch index to take piece by piece, and how much of it at a time, if all sums of all parts would be many.
func batchPieces(_ nest: LoopNest, _ parts: SumParts) -> NestPieces? {
    let sums = saturatingMultiply(nest.outputExtent, parts.count)
    if sums <= keptSums { return nil }
    return NestPieces(nest, pieces: ceilingDivide(sums, keptSums), least: { _ in 1 }) {
        nest.has(0, $0) == nest.has(1, $0)
    }
}

/// An index that the filter shares with the output, to take piece by piece if the packed filter would be large. Blocks of rows
/// stay whole, however long the sums are.
func filterPieces(_ nest: LoopNest, filter: Int, packedBytes: Int) -> NestPieces? {
    if packedBytes <= largestFilter { return nil }
    let rows = nest.outputs { nest.has(filter, $0) && !nest.has(1 - filter, $0) }
    return NestPieces(
        nest, pieces: ceilingDivide(packedBytes, largestFilter),
        least: { nest.has(1 - filter, $0) ? 1 : max(1, gemmBlockRows / max(1, rows / nest.extents[$0])) }
    ) { nest.has(filter, $0) }
}

/// An index of the output that is walked piece by piece, one after the other.
struct NestPieces {
    private let index: Int
    private let perPiece: Int

    /// The one of the `eligible` indices that can be cut into the most, up to about so many pieces, of `least` values of it or a
    /// multiple; nil where none can be cut.
    init?(_ nest: LoopNest, pieces: Int, least: (Int) -> Int, eligible: (Int) -> Bool) {
        var best = (index: -1, perPiece: 1, pieces: 1)
        for i in 0..<nest.outputCount where eligible(i) {
            let extent = nest.extents[i]
            let unit = min(extent, least(i))
            let perPiece = ceilingDivide(extent, min(extent / unit, pieces)) / unit * unit
            let found = ceilingDivide(extent, perPiece)
            if found > best.pieces { best = (i, perPiece, found) }
        }
        if best.index < 0 { return nil }
        (index, perPiece) = (best.index, best.perPiece)
    }

    func run(_ nest: LoopNest, _ product: (LoopNest) throws(Failure) -> Bool) throws(Failure) -> Bool {
        let extent = nest.extents[index]
        var piece = nest
        func move(by steps: Int) {
            piece.output.data += steps &* nest.output.strides[index]
            for f in 0..<nest.factorCount { nest.factors[f].data += steps &* nest.factors[f].strides[index] }
        }
        var first = 0
        defer {
            nest.extents[index] = extent
            move(by: 0 &- first)
        }
        while first < extent {
            let steps = min(perPiece, extent - first)
            nest.extents[index] = steps
            if try !product(piece) { return false }
            move(by: steps)
            first += steps
        }
        return true
    }
}

extension LoopNest {
    /// Combinations of some of the output's indices.
    fileprivate func outputs(_ belongs: (Int) -> Bool) -> Int {
        var product = 1
        for i in 0..<outputCount where belongs(i) { product = saturatingMultiply(product, extents[i]) }
        return product
    }
}

/// Bytes of a packed filter that a product may hold.
private let largestFilter = 16 << 20

extension ArithmeticKind {
    /// A dtype whose values in memory are what the arithmetic computes with.
    fileprivate var elementType: ElementType {
        switch self {
        case .boolean: .bool
        case .word16: .uint16
        case .word32: .uint32
        case .word64: .uint64
        case .float32: .float32
        case .float64: .float64
        case .complex64: .complex64
        case .complex128: .complex128
        }
    }
}
