import Algorithms
import CSwiftConv
import Foundations

/// What the caller asks of a pool: sc_pool with its codes decoded.
package struct PoolOptions {
    package var pooling = Pooling.max
    package var windowRank = 0
    package var threads = 0
    package var ceilMode = false
    package var countsPadding = false
    package var signedPowers = false
    package var divisor = 0
    package var power = 2.0
    package var axes = PerWindow(nil)
    package var kernel = PerWindow(nil)
    /// The kernel where the caller has none.
    package var stride = PerWindow(nil)
    package var dilation = PerWindow(nil)
    package var paddingLow = PerWindow(nil)
    package var paddingHigh = PerWindow(nil)

    package init() {}
}
