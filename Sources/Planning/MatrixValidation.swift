import Algorithms
import CSwiftConv
import Foundations

/// The one place where the matrix of a convolution is checked. What leaves it cannot overflow, index outside or divide by zero.

/// The matrix, without its filter.
package func validate(
    _ given: sc_matrix, _ axes: AxisList
) throws(Failure) -> ConvolutionMatrix {
    let rank = Int(given.axis_count)
    guard let boundary = Boundary(rawValue: given.boundary) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_BOUNDARY, value: Int(given.boundary))
    }
    if rank < 1 || given.axes == nil { throw Failure(SC_BAD_ENUM, argument: SC_ARG_AXES, value: rank) }
    var matrix = ConvolutionMatrix(
        axes: axes, rank: rank, boundary: boundary, filter: UnsafeRawPointer(axes), type: .bool)
    matrix.groups = try positive(given.groups, SC_ARG_GROUPS)
    matrix.filters = try positive(given.filters, SC_ARG_KERNEL)
    matrix.channels = try positive(given.channels, SC_ARG_KERNEL)
    matrix.byColumns = given.by_columns != 0
    let tooLarge = Failure(SC_SIZE_OVERFLOW)
    var rows = try Checked.multiply(matrix.groups, matrix.filters, or: tooLarge)
    var columns = try Checked.multiply(matrix.groups, matrix.channels, or: tooLarge)
    var elements = try Checked.multiply(rows, matrix.channels, or: tooLarge)
    for a in 0..<rank {
        let axis = try validate(given.axes[a], axis: a, boundary)
        (axes + a).initialize(to: axis)
        rows = try Checked.multiply(rows, axis.outExtent, or: tooLarge)
        columns = try Checked.multiply(columns, axis.inExtent, or: tooLarge)
        elements = try Checked.multiply(elements, axis.filterExtent, or: tooLarge)
    }
    // What any table or offset below is made of, of 16 bytes an element.
    _ = try Checked.multiply(try Checked.add(max(rows, columns, elements), 64, or: tooLarge), 64, or: tooLarge)
    return matrix
}

private func positive(_ number: Int64, _ argument: Int, axis: Int = -1) throws(Failure) -> Int {
    if number < 1 { throw Failure(SC_NOT_POSITIVE, argument: argument, axis: axis, value: Int(number)) }
    return Int(number)
}

private func validate(_ given: sc_matrix_axis, axis a: Int, _ boundary: Boundary) throws(Failure) -> SlidingAxis {
    var axis = SlidingAxis()
    axis.inExtent = try positive(given.samples, SC_ARG_INPUT, axis: a)
    axis.outExtent = try positive(given.outputs, SC_ARG_OUT, axis: a)
    axis.filterExtent = try positive(given.taps, SC_ARG_KERNEL, axis: a)
    axis.step = try positive(given.step, SC_ARG_STRIDE, axis: a)
    axis.dilation = try positive(given.dilation, SC_ARG_DILATION, axis: a)
    axis.padding = Int(given.padding)
    let overflow = Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_DILATION, axis: a, value: axis.dilation)
    // The furthest that an output and a tap meet, one of each beyond the last, and as far on the other side.
    let reach = try Checked.multiply(axis.dilation, axis.filterExtent, or: overflow)
    let last = try Checked.add(try Checked.multiply(axis.step, axis.outExtent, or: overflow), reach, or: overflow)
    if axis.padding == Int.min { throw overflow }
    let padded = try Checked.add(last, abs(axis.padding), or: overflow)
    // A reflection's period is twice the samples.
    _ = try Checked.multiply(try Checked.add(padded, axis.inExtent, or: overflow), 4, or: overflow)
    return axis
}

extension ConvolutionMatrix {
    /// Takes the filter: contiguous, [group * filter][channel][tap of each axis].
    package mutating func setKernel(_ kernel: Tensor) throws(Failure) {
        try requireRank(kernel, SC_ARG_KERNEL, rank + 2)
        try requireExtent(kernel, SC_ARG_KERNEL, 0, groups &* filters)
        try requireExtent(kernel, SC_ARG_KERNEL, 1, channels)
        for a in 0..<rank { try requireExtent(kernel, SC_ARG_KERNEL, a + 2, axes[a].filterExtent) }
        try requireContiguous(kernel, SC_ARG_KERNEL)
        filter = UnsafeRawPointer(kernel.data)
        type = kernel.type
    }

    package func dense(_ out: Tensor) throws(Failure) -> Matrices.Dense {
        let size = try Matrices.size(self)
        if out.type != type || out.byteswapped {
            throw Failure(SC_DTYPE, argument: SC_ARG_OUT, value: Int(out.type.rawValue))
        }
        try requireRank(out, SC_ARG_OUT, 2)
        try requireExtent(out, SC_ARG_OUT, 0, byColumns ? size.crossed : size.lines)
        try requireExtent(out, SC_ARG_OUT, 1, byColumns ? size.lines : size.crossed)
        let (lineAxis, crossingAxis) = byColumns ? (1, 0) : (0, 1)
        return Matrices.Dense(
            values: out.data, lineStride: out.stride(lineAxis), crossingStride: out.stride(crossingAxis))
    }

    /// Arrays by the numbers of lines and entries.
    package func compressed(
        pointers: Tensor, indices: Tensor, lines: Tensor?, data: Tensor
    ) throws(Failure) -> Matrices.Compressed {
        let size = try Matrices.size(self)
        try requireRank(data, SC_ARG_DATA, 1)
        try requireExtent(data, SC_ARG_DATA, 0, size.entries)
        return try compressed(pointers, size.lines, indices, size.entries, lines, data, crossed: size.crossed)
    }

    /// Arrays by the numbers of strips and blocks.
    package func blocks(pointers: Tensor, indices: Tensor, data: Tensor) throws(Failure) -> Matrices.Compressed {
        let size = try Matrices.size(self)
        let last = axes[rank - 1]
        try requireRank(data, SC_ARG_DATA, 3)
        try requireExtent(data, SC_ARG_DATA, 0, size.blocks)
        try requireExtent(data, SC_ARG_DATA, 1, last.outExtent)
        try requireExtent(data, SC_ARG_DATA, 2, last.inExtent)
        if byColumns { throw Failure(SC_BAD_ENUM, argument: SC_ARG_LINES) }
        return try compressed(
            pointers, size.lines / last.outExtent, indices, size.blocks, nil, data, crossed: size.crossed)
    }

    private func compressed(
        _ pointers: Tensor, _ lineCount: Int, _ indices: Tensor, _ entries: Int, _ lines: Tensor?, _ data: Tensor,
        crossed: Int
    ) throws(Failure) -> Matrices.Compressed {
        if data.type != type { throw Failure(SC_DTYPE, argument: SC_ARG_DATA, value: Int(data.type.rawValue)) }
        try requireContiguous(data, SC_ARG_DATA)
        let index = indices.type
        if index != .int32 && index != .int64 {
            throw Failure(SC_DTYPE, argument: SC_ARG_INDICES, value: Int(index.rawValue))
        }
        try requireIndices(pointers, SC_ARG_POINTERS, index, lineCount + 1)
        try requireIndices(indices, SC_ARG_INDICES, index, entries)
        if let lines { try requireIndices(lines, SC_ARG_LINES, index, entries) }
        if index == .int32 && max(entries, lineCount, crossed) > Int(Int32.max) {
            throw Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_INDICES, value: entries)
        }
        return Matrices.Compressed(
            indexBytes: index.byteCount, pointers: pointers.data, indices: indices.data, lines: lines?.data,
            values: data.data)
    }
}

private func requireIndices(_ array: Tensor, _ argument: Int, _ type: ElementType, _ count: Int) throws(Failure) {
    if array.type != type { throw Failure(SC_DTYPE, argument: argument, value: Int(array.type.rawValue)) }
    try requireRank(array, argument, 1)
    try requireExtent(array, argument, 0, count)
    try requireContiguous(array, argument)
}

private func requireRank(_ array: Tensor, _ argument: Int, _ rank: Int) throws(Failure) {
    if array.rank != rank { throw Failure(SC_RANK, argument: argument, value: array.rank, expected: rank) }
}

private func requireExtent(_ array: Tensor, _ argument: Int, _ axis: Int, _ extent: Int) throws(Failure) {
    if array.extent(axis) != extent {
        throw Failure(SC_EXTENT, argument: argument, axis: axis, value: array.extent(axis), expected: extent)
    }
}

private func requireContiguous(_ array: Tensor, _ argument: Int) throws(Failure) {
    if array.byteswapped { throw Failure(SC_DTYPE, argument: argument, value: Int(array.type.rawValue)) }
    var stride = array.type.byteCount
    for i in (0..<array.rank).reversed() {
        if array.extent(i) > 1 && array.stride(i) != stride {
            throw Failure(SC_BAD_ENUM, argument: argument, axis: i, value: array.stride(i))
        }
        stride = saturatingMultiply(stride, max(array.extent(i), 1))
    }
}
