/* pixels.h: maxima and sums over windows of rows and columns of pixels, whose channels lie side by side. */
#ifndef SWIFTCONV_PIXELS_H
#define SWIFTCONV_PIXELS_H

#include <stdint.h>

#include "reduce.h"
#include "vector.h"

/* Strides in bytes, counts in elements: out[o][i] is column for column, and in each row for row, combined of
 * source[row][column of output o][i]. Reads and writes as the kernels of reduce.h do. */
typedef struct sc_window_pixels {
  const uint8_t *source;
  int64_t row_stride, column_stride; /* between taps */
  int64_t rows, columns;             /* at least 1 */
  int64_t step;                      /* from one output's window to the next */
  uint8_t *out;
  int64_t out_stride;
  int64_t outputs, count;
} sc_window_pixels;

/* The rows of one column, `VECTORS` neighbouring vectors from `from` on. What lies 2 KiB further on in each row is
 * asked for: from the third cache level 2 x 2 averages gain a fifth. */
#define SC_PIXEL_COLUMN(part, VECTORS, COMBINE)                                                                        \
  __builtin_memcpy(part, from, sizeof part);                                                                           \
  SC_PIXEL_ASK(from, VECTORS)                                                                                          \
  for (int64_t row = 1; row < p->rows; ++row) {                                                                        \
    const uint8_t *below = from + row * p->row_stride;                                                                 \
    SC_PIXEL_ASK(below, VECTORS)                                                                                       \
    _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; ++v) {                                             \
      __builtin_memcpy(&x, below + v * (int64_t)sizeof x, sizeof x);                                                   \
      part[v] = COMBINE(part[v], x);                                                                                   \
    }                                                                                                                  \
  }
#define SC_PIXEL_ASK(from, VECTORS)                                                                                    \
  _Pragma("clang loop unroll(full)") for (int64_t line = 0; line < VECTORS * (int64_t)sizeof x; line += 64)            \
      __builtin_prefetch((from) + line + 2048, 0, 3);

#define SC_PIXEL_PIECE(type, VECTORS, COMBINE)                                                                         \
  {                                                                                                                    \
    const uint8_t *from = source + i * size;                                                                           \
    type sum[VECTORS], part[VECTORS], x;                                                                               \
    SC_PIXEL_COLUMN(sum, VECTORS, COMBINE)                                                                             \
    for (int64_t column = 1; column < p->columns; ++column) {                                                          \
      from += p->column_stride;                                                                                        \
      SC_PIXEL_COLUMN(part, VECTORS, COMBINE)                                                                          \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; ++v) sum[v] = COMBINE(sum[v], part[v]);          \
    }                                                                                                                  \
    __builtin_memcpy(out + i * size, sum, sizeof sum);                                                                 \
  }

/* The last vector lies over the one before it. */
#define SC_PIXEL_OUTPUTS(type, COMBINE)                                                                                \
  {                                                                                                                    \
    const int64_t lanes = (int64_t)sizeof(type) / size;                                                                \
    for (int64_t o = 0; o < p->outputs; ++o, source += p->step, out += p->out_stride) {                                \
      int64_t i = 0;                                                                                                   \
      for (; i + 4 * lanes <= count; i += 4 * lanes)                                                                   \
        SC_PIXEL_PIECE(type, 4, COMBINE)                                                                               \
      for (; i + lanes <= count; i += lanes)                                                                           \
        SC_PIXEL_PIECE(type, 1, COMBINE)                                                                               \
      if (i < count) {                                                                                                 \
        i = count - lanes;                                                                                             \
        SC_PIXEL_PIECE(type, 1, COMBINE)                                                                               \
      }                                                                                                                \
    }                                                                                                                  \
  }

#define SC_PIXELS(name, scalar, COMBINE)                                                                               \
  static inline void sc_reduce_pixels_##name(const sc_window_pixels *p) {                                              \
    enum { FULL = SC_VECTOR_BYTES / sizeof(scalar), QUARTER = 16 / sizeof(scalar) };                                   \
    typedef scalar full __attribute__((ext_vector_type(FULL)));                                                        \
    typedef scalar quarter __attribute__((ext_vector_type(QUARTER)));                                                  \
    const int64_t size = sizeof(scalar), count = p->count;                                                             \
    const uint8_t *source = p->source;                                                                                 \
    uint8_t *out = p->out;                                                                                             \
    if (count >= FULL)                                                                                                 \
      SC_PIXEL_OUTPUTS(full, COMBINE)                                                                                  \
    else if (count >= QUARTER)                                                                                         \
      SC_PIXEL_OUTPUTS(quarter, COMBINE)                                                                               \
    else                                                                                                               \
      SC_PIXEL_OUTPUTS(scalar, COMBINE)                                                                                \
  }

SC_PIXELS(i8_max, int8_t, SC_LARGER_INTEGER)
SC_PIXELS(i16_max, int16_t, SC_LARGER_INTEGER)
SC_PIXELS(i32_max, int32_t, SC_LARGER_INTEGER)
SC_PIXELS(i64_max, int64_t, SC_LARGER_INTEGER)
SC_PIXELS(u8_max, uint8_t, SC_LARGER_INTEGER)
SC_PIXELS(u16_max, uint16_t, SC_LARGER_INTEGER)
SC_PIXELS(u32_max, uint32_t, SC_LARGER_INTEGER)
SC_PIXELS(u64_max, uint64_t, SC_LARGER_INTEGER)
SC_PIXELS(f32_max, float, SC_LARGER_FLOAT)
SC_PIXELS(f64_max, double, SC_LARGER_FLOAT)
SC_PIXELS(u8_sum, uint8_t, SC_ADDED)
SC_PIXELS(u16_sum, uint16_t, SC_ADDED)
SC_PIXELS(u32_sum, uint32_t, SC_ADDED)
SC_PIXELS(u64_sum, uint64_t, SC_ADDED)
SC_PIXELS(f32_sum, float, SC_ADDED)
SC_PIXELS(f64_sum, double, SC_ADDED)

#endif
