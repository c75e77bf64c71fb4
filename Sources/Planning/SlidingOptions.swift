import CSwiftConv
import Foundations

/// A number for each window axis, where the caller has them, or none when every axis has the default.
package struct PerWindow {
    private let values: UnsafePointer<Int64>?

    /// `values` outlives this.
    package init(_ values: UnsafePointer<Int64>?) { self.values = values }

    package func callAsFunction(_ window: Int, default other: Int) -> Int { values.map { Int($0[window]) } ?? other }

    /// For a list of axes: the one, counted from zero, of a tensor of `rank`, that axis `window` of a window of
    /// `windowRank` slides over; the last ones where the caller names none.
    func axis(_ window: Int, windowRank: Int, rank: Int) throws(Failure) -> Int {
        let axis = self(window, default: window - windowRank)
        if axis < -rank || axis >= rank {
            throw Failure(SC_AXIS_OUT_OF_RANGE, argument: SC_ARG_AXES, axis: window, value: axis, expected: rank)
        }
        return axis < 0 ? axis + rank : axis
    }
}

/// What the caller asks of correlate or convolve: sc_sliding with its codes decoded.
package struct SlidingOptions {
    package enum Operation: Int32, Sendable { case correlate = 0, convolve = 1 }
    package enum Mode: Int32, Sendable { case valid = 0, same = 1, full = 2 }
    package enum Method: Int32, Sendable { case auto = 0, direct = 1, separable = 2, reference = 3 }

    package var operation = Operation.correlate
    package var mode = Mode.valid
    package var boundary = Boundary.fill
    package var method = Method.auto
    package var resultType = ElementType.float64
    package var threads = 0
    package var windowRank = 0
    package var axes = PerWindow(nil)
    package var stride = PerWindow(nil)
    package var dilation = PerWindow(nil)
    package var origin = PerWindow(nil)
    package var fillInteger: Int64 = 0
    package var fillReal = 0.0
    package var fillImaginary = 0.0

    package init() {}

    /// The fill value as the result's arithmetic holds it.
    var fill: SIMD2<UInt64> {
        var value = SIMD2<UInt64>.zero
        let (fillReal, fillImaginary) = (self.fillReal + 0, self.fillImaginary + 0)  // -0 is the zero that fills too
        withUnsafeMutableBytes(of: &value) { value in
            switch resultType.arithmetic {
            case .boolean: value.storeBytes(of: fillInteger == 0 ? 0 : 1, as: UInt8.self)
            case .word16: value.storeBytes(of: UInt16(truncatingIfNeeded: fillInteger), as: UInt16.self)
            case .word32: value.storeBytes(of: UInt32(truncatingIfNeeded: fillInteger), as: UInt32.self)
            case .word64: value.storeBytes(of: fillInteger, as: Int64.self)
            case .float32: value.storeBytes(of: Float(fillReal), as: Float.self)
            case .float64: value.storeBytes(of: fillReal, as: Double.self)
            case .complex64:
                value.storeBytes(of: Float(fillReal), as: Float.self)
                value.storeBytes(of: Float(fillImaginary), toByteOffset: 4, as: Float.self)
            case .complex128:
                value.storeBytes(of: fillReal, as: Double.self)
                value.storeBytes(of: fillImaginary, toByteOffset: 8, as: Double.self)
            }
        }
        return value
    }
}
