import Algorithms
import Foundations

/// What the caller asks of a convolution with channels: sc_conv with its codes decoded.
package struct ConvolutionOptions {
    package enum Operation: Int32, Sendable { case forward = 0, transposed = 1, weight = 2 }
    package enum Method: Int32, Sendable { case auto = 0, direct = 1, gemm = 2, winograd = 3, reference = 4 }

    package var operation = Operation.forward
    package var spatialRank = 0
    package var boundary = Boundary.fill
    package var method = Method.auto
    package var resultType = ElementType.float32
    package var threads = 0
    /// The number of threads is the library's, which may change before a plan runs.
    package var followsThreadCount = false
    package var perSample = false
    package var clamp: Clamp?
    package var groups = 1
    package var batchGroups = 1
    package var stride = PerWindow(nil)
    package var dilation = PerWindow(nil)
    package var paddingLow = PerWindow(nil)
    package var paddingHigh = PerWindow(nil)
    package var inputDilation = PerWindow(nil)
    package var outputPadding = PerWindow(nil)

    package init() {}
}
