import CSwiftConv

/// Extents and memory strides for as many axes as a descriptor holds; only the first `rank` of a tensor mean anything.
package typealias AxisInts = InlineArray<32, Int>

package let maximumRank = Int(SC_MAX_DIMS)

/// A strided array that the caller owns: sc_tensor with its lists copied in. Memory strides are in bytes.
package struct Tensor {
    package var data: UnsafeMutableRawPointer
    package var type: ElementType
    package var byteswapped: Bool
    package var rank: Int
    package var shape: AxisInts
    package var strides: AxisInts

    package init(
        data: UnsafeMutableRawPointer, type: ElementType, byteswapped: Bool, rank: Int, shape: AxisInts,
        strides: AxisInts
    ) {
        self.data = data
        self.type = type
        self.byteswapped = byteswapped
        self.rank = rank
        self.shape = shape
        self.strides = strides
    }

    /// Unit of byte swapping when the elements are in the other byte order, else 1.
    package var swapUnit: Int { byteswapped ? type.swapUnit : 1 }
}
