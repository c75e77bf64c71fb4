import Foundations

/// toeplitz(column, row) x = b: n equations, some right-hand sides; float64 or complex128 throughout, native byte order.
/// Memory strides are in bytes.
package struct ToeplitzProblem {
    package let column: UnsafeRawPointer
    package let row: UnsafeRawPointer
    package let b: UnsafeRawPointer
    package let x: UnsafeMutableRawPointer
    package let n: Int
    package let sides: Int
    package let isComplex: Bool
    package let columnStride: Int
    package let rowStride: Int
    package let bStride: Int
    package let bSideStride: Int
    package let xStride: Int
    package let xSideStride: Int

    package init(column: Tensor, row: Tensor, b: Tensor, x: Tensor) {
        self.column = UnsafeRawPointer(column.data)
        self.row = UnsafeRawPointer(row.data)
        self.b = UnsafeRawPointer(b.data)
        self.x = x.data
        n = column.extent(0)
        sides = b.extent(1)
        isComplex = column.type == .complex128
        columnStride = column.stride(0)
        rowStride = row.stride(0)
        bStride = b.stride(0)
        bSideStride = b.stride(1)
        xStride = x.stride(0)
        xSideStride = x.stride(1)
    }
}
