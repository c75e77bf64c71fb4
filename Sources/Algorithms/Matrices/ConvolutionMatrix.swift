import Foundations

extension SlidingAxis {
    /// Where an output and a tap meet, before the boundary maps it.
    func meeting(output: Int, tap: Int) -> Int { step &* output &+ dilation &* tap &- padding }
}

/// The matrix that a convolution multiplies flattened samples by, ready to be written: sizes agree and nothing overflows.
///
/// A row for each output, [group][filter][output of each axis], and a column for each sample, [group][channel][sample of each
/// axis]. The entry where they cross is the sum of the filter's taps under which output and sample meet; where there is
/// none, there is no entry. One axis and a boundary of zeros make it Toeplitz, several doubly blocked Toeplitz (BTTB);
/// a periodic boundary makes it circulant (BCCB).
///
/// *Lines* are its rows, or its columns where it is written by columns; what a line crosses are those of the other kind.
package struct ConvolutionMatrix {
    package var axes: UnsafePointer<SlidingAxis>
    package var rank: Int
    package var boundary: Boundary
    package var groups = 1
    /// Of each group.
    package var filters = 1
    package var channels = 1
    package var byColumns = false
    /// [group][filter][channel][tap of each axis], contiguous.
    package var filter: UnsafeRawPointer
    package var type: ElementType

    package init(
        axes: UnsafePointer<SlidingAxis>, rank: Int, boundary: Boundary, filter: UnsafeRawPointer, type: ElementType
    ) {
        self.axes = axes
        self.rank = rank
        self.boundary = boundary
        self.filter = filter
        self.type = type
    }

    /// Filters or channels that lines belong to, all groups', and those that each line crosses.
    var units: Int { groups &* (byColumns ? channels : filters) }
    var crossedUnits: Int { byColumns ? filters : channels }

    func positions(_ axis: Int) -> Int { byColumns ? axes[axis].inExtent : axes[axis].outExtent }
    func crossed(_ axis: Int) -> Int { byColumns ? axes[axis].outExtent : axes[axis].inExtent }

    /// Positions of all axes but the last: lines that differ in the last alone make a *strip*.
    var strips: Int {
        var count = units
        for a in 0..<rank &- 1 { count &*= positions(a) }
        return count
    }
}

/// How many lines a matrix has, what they cross, and its entries.
package struct MatrixSize {
    package var lines = 0
    package var crossed = 0
    package var entries = 0
    /// Entries of the matrix of all axes but the last: blocks of [output][sample] of the last one.
    package var blocks = 0
}
