import CSwiftConv

/// Indices for as many axes as a descriptor holds; only the first `rank` mean anything.
package typealias AxisInts = InlineArray<32, Int>

/// Computed, as the numbers below kernels are: a stored one would be initialised under a lock of the language's runtime,
/// which does not survive a fork.
package var maximumRank: Int { Int(SC_MAX_DIMS) }

/// A strided array that the caller owns, its lists where the caller has them. Memory strides are in bytes.
@frozen
package struct Tensor {
    package var data: UnsafeMutableRawPointer
    package var type: ElementType
    package var byteswapped: Bool
    package var rank: Int
    @usableFromInline
    let extents: UnsafePointer<Int64>?
    @usableFromInline
    let strides: UnsafePointer<Int64>?

    /// `extents` and `strides` hold `rank` numbers and outlive the tensor.
    package init(
        data: UnsafeMutableRawPointer, type: ElementType, byteswapped: Bool, rank: Int,
        extents: UnsafePointer<Int64>?, strides: UnsafePointer<Int64>?
    ) {
        self.data = data
        self.type = type
        self.byteswapped = byteswapped
        self.rank = rank
        self.extents = extents
        self.strides = strides
    }

    @inlinable
    package func extent(_ axis: Int) -> Int { extents.map { Int($0[axis]) } ?? 1 }

    /// 0 on axes of one element or none, whose stride is never taken and on which NumPy leaves anything.
    @inlinable
    package func stride(_ axis: Int) -> Int {
        extent(axis) <= 1 ? 0 : strides.map { Int($0[axis]) } ?? 0
    }

    /// Unit of byte swapping when the elements are in the other byte order, else 1.
    package var swapUnit: Int { byteswapped ? type.swapUnit : 1 }
}
