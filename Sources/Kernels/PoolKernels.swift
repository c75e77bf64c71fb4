import CMachine

/// What a pool's kernels compute with: the element in memory, or what it was converted to.
package enum PoolScalar: Sendable {
    case int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64

    package var byteCount: Int {
        switch self {
        case .int8, .uint8: 1
        case .int16, .uint16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64: 8
        }
    }

    /// What added to any number, zeros of both signs included, changes nothing, where zero would.
    package var minusZero: UInt64? {
        switch self {
        case .float32: UInt64((-Float.zero).bitPattern)
        case .float64: (-Double.zero).bitPattern
        default: nil
        }
    }

    /// The value below all others, as it lies in memory.
    package var lowest: UInt64 {
        switch self {
        case .int8: 0x80
        case .int16: 0x8000
        case .int32: 0x8000_0000
        case .int64: 0x8000_0000_0000_0000
        case .uint8, .uint16, .uint32, .uint64: 0
        case .float32: UInt64((-Float.infinity).bitPattern)
        case .float64: (-Double.infinity).bitPattern
        }
    }
}

/// reduce.h's four kernels for one element type and one way to combine elements.
package struct PoolKernels {
    package typealias Kernel = @convention(c) (UnsafePointer<sc_window_lines>?) -> Void

    /// Every output's taps at the same distance: lines above each other, or a line that slides by an element.
    package let lines: Kernel
    /// Step 2, neighbouring taps; reads one element past the last window where taps are odd.
    package let pairs: Kernel
    /// Any step, element by element.
    package let strided: Kernel
    /// Long windows of neighbours. The only kernel whose sums are in another order than that of the taps.
    package let runs: Kernel
    /// Windows of pixels, rows and columns in one pass.
    package let pixels: @convention(c) (UnsafePointer<sc_window_pixels>?) -> Void

    package static func larger(_ scalar: PoolScalar) -> PoolKernels {
        switch scalar {
        case .int8:
            PoolKernels(
                lines: sc_reduce_lines_i8_max, pairs: sc_reduce_pairs_i8_max,
                strided: sc_reduce_strided_i8_max,
                runs: sc_reduce_runs_i8_max, pixels: sc_reduce_pixels_i8_max)
        case .int16:
            PoolKernels(
                lines: sc_reduce_lines_i16_max, pairs: sc_reduce_pairs_i16_max,
                strided: sc_reduce_strided_i16_max,
                runs: sc_reduce_runs_i16_max, pixels: sc_reduce_pixels_i16_max)
        case .int32:
            PoolKernels(
                lines: sc_reduce_lines_i32_max, pairs: sc_reduce_pairs_i32_max,
                strided: sc_reduce_strided_i32_max,
                runs: sc_reduce_runs_i32_max, pixels: sc_reduce_pixels_i32_max)
        case .int64:
            PoolKernels(
                lines: sc_reduce_lines_i64_max, pairs: sc_reduce_pairs_i64_max,
                strided: sc_reduce_strided_i64_max,
                runs: sc_reduce_runs_i64_max, pixels: sc_reduce_pixels_i64_max)
        case .uint8:
            PoolKernels(
                lines: sc_reduce_lines_u8_max, pairs: sc_reduce_pairs_u8_max,
                strided: sc_reduce_strided_u8_max,
                runs: sc_reduce_runs_u8_max, pixels: sc_reduce_pixels_u8_max)
        case .uint16:
            PoolKernels(
                lines: sc_reduce_lines_u16_max, pairs: sc_reduce_pairs_u16_max,
                strided: sc_reduce_strided_u16_max,
                runs: sc_reduce_runs_u16_max, pixels: sc_reduce_pixels_u16_max)
        case .uint32:
            PoolKernels(
                lines: sc_reduce_lines_u32_max, pairs: sc_reduce_pairs_u32_max,
                strided: sc_reduce_strided_u32_max,
                runs: sc_reduce_runs_u32_max, pixels: sc_reduce_pixels_u32_max)
        case .uint64:
            PoolKernels(
                lines: sc_reduce_lines_u64_max, pairs: sc_reduce_pairs_u64_max,
                strided: sc_reduce_strided_u64_max,
                runs: sc_reduce_runs_u64_max, pixels: sc_reduce_pixels_u64_max)
        case .float32:
            PoolKernels(
                lines: sc_reduce_lines_f32_max, pairs: sc_reduce_pairs_f32_max,
                strided: sc_reduce_strided_f32_max,
                runs: sc_reduce_runs_f32_max, pixels: sc_reduce_pixels_f32_max)
        case .float64:
            PoolKernels(
                lines: sc_reduce_lines_f64_max, pairs: sc_reduce_pairs_f64_max,
                strided: sc_reduce_strided_f64_max,
                runs: sc_reduce_runs_f64_max, pixels: sc_reduce_pixels_f64_max)
        }
    }

    /// Integers wrap, signed and unsigned alike.
    package static func added(_ scalar: PoolScalar) -> PoolKernels {
        switch scalar {
        case .int8, .uint8:
            PoolKernels(
                lines: sc_reduce_lines_u8_sum, pairs: sc_reduce_pairs_u8_sum,
                strided: sc_reduce_strided_u8_sum,
                runs: sc_reduce_runs_u8_sum, pixels: sc_reduce_pixels_u8_sum)
        case .int16, .uint16:
            PoolKernels(
                lines: sc_reduce_lines_u16_sum, pairs: sc_reduce_pairs_u16_sum,
                strided: sc_reduce_strided_u16_sum,
                runs: sc_reduce_runs_u16_sum, pixels: sc_reduce_pixels_u16_sum)
        case .int32, .uint32:
            PoolKernels(
                lines: sc_reduce_lines_u32_sum, pairs: sc_reduce_pairs_u32_sum,
                strided: sc_reduce_strided_u32_sum,
                runs: sc_reduce_runs_u32_sum, pixels: sc_reduce_pixels_u32_sum)
        case .int64, .uint64:
            PoolKernels(
                lines: sc_reduce_lines_u64_sum, pairs: sc_reduce_pairs_u64_sum,
                strided: sc_reduce_strided_u64_sum,
                runs: sc_reduce_runs_u64_sum, pixels: sc_reduce_pixels_u64_sum)
        case .float32:
            PoolKernels(
                lines: sc_reduce_lines_f32_sum, pairs: sc_reduce_pairs_f32_sum,
                strided: sc_reduce_strided_f32_sum,
                runs: sc_reduce_runs_f32_sum, pixels: sc_reduce_pixels_f32_sum)
        case .float64:
            PoolKernels(
                lines: sc_reduce_lines_f64_sum, pairs: sc_reduce_pairs_f64_sum,
                strided: sc_reduce_strided_f64_sum,
                runs: sc_reduce_runs_f64_sum, pixels: sc_reduce_pixels_f64_sum)
        }
    }
}

/// `sc_take_larger` for one element type, with positions of 32 or 64 bits.
package typealias TakeLarger = @convention(c) (UnsafePointer<sc_largest>?) -> Void

package func takeLarger(_ scalar: PoolScalar, wideIndices: Bool) -> TakeLarger {
    switch scalar {
    case .int8: wideIndices ? sc_take_larger_i8_64 : sc_take_larger_i8_32
    case .int16: wideIndices ? sc_take_larger_i16_64 : sc_take_larger_i16_32
    case .int32: wideIndices ? sc_take_larger_i32_64 : sc_take_larger_i32_32
    case .int64: wideIndices ? sc_take_larger_i64_64 : sc_take_larger_i64_32
    case .uint8: wideIndices ? sc_take_larger_u8_64 : sc_take_larger_u8_32
    case .uint16: wideIndices ? sc_take_larger_u16_64 : sc_take_larger_u16_32
    case .uint32: wideIndices ? sc_take_larger_u32_64 : sc_take_larger_u32_32
    case .uint64: wideIndices ? sc_take_larger_u64_64 : sc_take_larger_u64_32
    case .float32: wideIndices ? sc_take_larger_f32_64 : sc_take_larger_f32_32
    case .float64: wideIndices ? sc_take_larger_f64_64 : sc_take_larger_f64_32
    }
}
