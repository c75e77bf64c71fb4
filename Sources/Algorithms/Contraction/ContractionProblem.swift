import Foundations

/// One index of a contraction's loop nest: its extent, and how far a step of it moves in each operand, in bytes (0 in an
/// operand that does not have it).
@frozen
package struct ContractionIndex {
    package var extent = 1
    package var filterStride = 0
    package var inputStride = 0
    package var outputStride = 0
    package var biasStride = 0
    /// The window whose coordinate this index moves, by `step` samples; -1 for none.
    package var window = -1
    package var step = 0

    @inlinable
    package init() {}

    @frozen
    package enum Operand { case filter, input, output, bias }

    /// By a switch: a key path is looked up by the language's runtime, whose locks do not survive a fork.
    @inlinable
    package func stride(_ operand: Operand) -> Int {
        switch operand {
        case .filter: filterStride
        case .input: inputStride
        case .output: outputStride
        case .bias: biasStride
        }
    }
}

/// An axis of the input on which two indices meet, an output's and a tap's: its coordinate is the sum of their steps less
/// `padding`, and may lie outside.
@frozen
package struct ContractionWindow {
    package var extent = 1
    package var padding = 0
    package var inputStride = 0

    @inlinable
    package init() {}
}

/// A strided contraction ready to run:
///
///     output[batch, row, column] = bias[batch, row] + sum over depth of
///         filter[batch, row, depth] * input[batch, column, depth]
///
/// Each of the four names stands for any number of indices. A convolution is the case in which a column index and a depth
/// index walk the same axis of the input; a matrix product has no windows. Sizes agree, nothing overflows, and every
/// pointer and stride names real elements wherever all window coordinates lie inside.
package struct ContractionProblem {
    package var input: UnsafeRawPointer
    package var inputType: ElementType
    package var inputSwapUnit: Int
    package var filter: UnsafeRawPointer
    package var filterType: ElementType
    package var filterSwapUnit: Int
    package var output: UnsafeMutableRawPointer
    package var outputType: ElementType
    package var outputSwapUnit: Int
    package var epilogue: Epilogue
    /// What sums are rounded to before they become the output's dtype.
    package var resultType: ElementType
    package var boundary: Boundary

    package var batch: IndexList
    package var rows: IndexList
    package var columns: IndexList
    package var depth: IndexList
    package var windows: UnsafeMutablePointer<ContractionWindow>
    package var windowCount: Int
    /// Whether sums run over outputs and samples, for a channel's tap each, as a weight's gradient does.
    package var sumsOverOutputs = false

    package init(
        input: Tensor, filter: Tensor, output: UnsafeMutableRawPointer, outputType: ElementType, outputSwapUnit: Int,
        bias: Tensor?, resultType: ElementType, boundary: Boundary, clamp: Clamp?, batch: IndexList, rows: IndexList,
        columns: IndexList, depth: IndexList, windows: UnsafeMutablePointer<ContractionWindow>, windowCount: Int
    ) {
        self.input = UnsafeRawPointer(input.data)
        inputType = input.type
        inputSwapUnit = input.swapUnit
        self.filter = UnsafeRawPointer(filter.data)
        filterType = filter.type
        filterSwapUnit = filter.swapUnit
        self.output = output
        self.outputType = outputType
        self.outputSwapUnit = outputSwapUnit
        epilogue = Epilogue(bias: bias, clamp: clamp)
        self.resultType = resultType
        self.boundary = boundary
        self.batch = batch
        self.rows = rows
        self.columns = columns
        self.depth = depth
        self.windows = windows
        self.windowCount = windowCount
    }

    package var arithmetic: ArithmeticKind { resultType.arithmetic }
    package var outputCount: Int {
        saturatingMultiply(saturatingMultiply(batch.extent, rows.extent), columns.extent)
    }
}

/// Indices of one kind, the outermost first: a reference.
@frozen
package struct IndexList {
    package let base: UnsafeMutablePointer<ContractionIndex>
    package var count: Int

    @inlinable
    package init(base: UnsafeMutablePointer<ContractionIndex>, count: Int) {
        self.base = base
        self.count = count
    }

    @inlinable
    package subscript(_ i: Int) -> ContractionIndex {
        unsafeAddress { UnsafePointer(base + i) }
        nonmutating unsafeMutableAddress { base + i }
    }

    /// Combinations of the indices' values; Int.max when that does not fit.
    package var extent: Int {
        var product = 1
        for i in 0..<count { product = saturatingMultiply(product, base[i].extent) }
        return product
    }

    /// How far the combination with this number, the last index fastest, lies from the first. (Inlined, the operand is a
    /// constant.)
    @inline(__always)
    package func offset(_ number: Int, _ operand: ContractionIndex.Operand) -> Int {
        if count == 0 { return 0 }
        var rest = number
        var offset = 0
        for i in (1..<count).reversed() {
            offset &+= rest % base[i].extent &* base[i].stride(operand)
            rest /= base[i].extent
        }
        return offset &+ rest &* base.pointee.stride(operand)
    }
}
