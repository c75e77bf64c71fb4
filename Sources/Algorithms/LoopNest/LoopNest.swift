import Foundations

/// An array as the indices of a loop nest see it: how far a step of each index moves in it, in bytes.
package struct NestFactor {
    package var data: UnsafeMutableRawPointer
    package var type: ElementType
    package var swapUnit: Int
    /// One for each index of the nest, 0 for those that the array does not have.
    package var strides: UnsafeMutablePointer<Int>

    package init(
        data: UnsafeMutableRawPointer, type: ElementType, swapUnit: Int, strides: UnsafeMutablePointer<Int>
    ) {
        self.data = data
        self.type = type
        self.swapUnit = swapUnit
        self.strides = strides
    }
}

/// An axis of a factor that is read beyond its ends: its coordinate is the sum of step * index, less the padding. The
/// factor's strides are 0 for the indices that have a step.
package struct NestWindow {
    package var factor = 0
    package var extent = 1
    package var stride = 0
    package var padding = 0
    /// One for each index of the nest.
    package var steps: UnsafeMutablePointer<Int>

    package init(steps: UnsafeMutablePointer<Int>) { self.steps = steps }
}

/// The sum of products that an einsum is:
///
///     output[indices of the output] = sum over the other indices of the product of all factors
///
/// Every index has an extent, every array a memory stride for each index. Nothing overflows, and every pointer and stride
/// names real elements wherever all windows' coordinates lie inside. The lists are the caller's and outlive the nest; they
/// are rewritten as it is simplified.
package struct LoopNest {
    package var factors: UnsafeMutablePointer<NestFactor>
    package var factorCount: Int
    /// Its strides are 0 for the indices that are summed over.
    package var output: NestFactor
    package var extents: UnsafeMutablePointer<Int>
    package var indexCount: Int
    /// The first so many indices are the output's.
    package var outputCount: Int
    /// What sums are rounded to before they become the output's dtype.
    package var resultType: ElementType
    package var boundary: Boundary
    package var windows: UnsafeMutablePointer<NestWindow>
    package var windowCount: Int

    package init(
        factors: UnsafeMutablePointer<NestFactor>, factorCount: Int, output: NestFactor,
        extents: UnsafeMutablePointer<Int>, indexCount: Int, outputCount: Int, resultType: ElementType,
        boundary: Boundary, windows: UnsafeMutablePointer<NestWindow>, windowCount: Int
    ) {
        self.factors = factors
        self.factorCount = factorCount
        self.output = output
        self.extents = extents
        self.indexCount = indexCount
        self.outputCount = outputCount
        self.resultType = resultType
        self.boundary = boundary
        self.windows = windows
        self.windowCount = windowCount
    }

    package var arithmetic: ArithmeticKind { resultType.arithmetic }

    /// Combinations of some indices' values; Int.max when that does not fit.
    private func combinations(_ indices: Range<Int>) -> Int {
        var product = 1
        for i in indices { product = saturatingMultiply(product, extents[i]) }
        return product
    }

    package var outputExtent: Int { combinations(0..<outputCount) }
    package var depth: Int { combinations(outputCount..<indexCount) }

    /// How far the combination with this number, the last index fastest, lies from the first.
    func offset(_ number: Int, _ indices: Range<Int>, _ strides: UnsafePointer<Int>) -> Int {
        var rest = number
        var offset = 0
        for i in indices.reversed() {
            offset &+= rest % extents[i] &* strides[i]
            rest /= extents[i]
        }
        return offset
    }
}
