import Algorithms
import CSwiftConv
import Foundations

/// The one place where a Toeplitz system is checked.
package func validateToeplitz(
    column: Tensor, row: Tensor, b: Tensor, x: Tensor
) throws(Failure) -> ToeplitzProblem {
    if column.type != .float64 && column.type != .complex128 {
        throw Failure(SC_DTYPE, argument: SC_ARG_A, value: Int(column.type.rawValue))
    }
    try check(column, argument: SC_ARG_A, rank: 1, like: column)
    try check(row, argument: SC_ARG_V, rank: 1, like: column)
    try check(b, argument: SC_ARG_INPUT, rank: 2, like: column)
    try check(x, argument: SC_ARG_OUT, rank: 2, like: column)
    if x.extent(1) != b.extent(1) {
        throw Failure(SC_EXTENT, argument: SC_ARG_OUT, axis: 1, value: x.extent(1), expected: b.extent(1))
    }
    return ToeplitzProblem(column: column, row: row, b: b, x: x)
}

private func check(_ tensor: Tensor, argument: Int, rank: Int, like column: Tensor) throws(Failure) {
    if tensor.rank != rank { throw Failure(SC_RANK, argument: argument, value: tensor.rank, expected: rank) }
    if tensor.type != column.type || tensor.byteswapped {
        throw Failure(SC_DTYPE, argument: argument, value: Int(tensor.type.rawValue))
    }
    if tensor.extent(0) != column.extent(0) {
        throw Failure(
            SC_EXTENT, argument: argument, axis: 0, value: tensor.extent(0), expected: column.extent(0))
    }
}
