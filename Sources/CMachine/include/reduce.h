/* reduce.h: maxima and sums over windows of lines in memory, for every element type.
 *
 * One macro makes the four kernels of a type: they need comparisons on vectors of up to 64 lanes, which Swift's generic
 * operators leave as loops over the lanes (vector.h). Kernels read each operand from its first to its last element and
 * no further, write outputs only, and never read what they wrote: the last vector of a line lies over the end of the
 * one before. `out` overlaps neither `source` nor `initial`.
 */
#ifndef SWIFTCONV_REDUCE_H
#define SWIFTCONV_REDUCE_H

#include <stdint.h>

#include "vector.h"

/* Strides in bytes, counts in elements. out[row][i] = initial[row][i] + sum over taps of source[row][i at tap]. */
typedef struct sc_window_lines {
  const uint8_t *source;
  int64_t source_row_stride;
  int64_t tap_stride;
  int64_t taps; /* at least 1 */
  int64_t step; /* from one output's window to the next, strided kernels only */
  uint8_t *out;
  int64_t out_row_stride;
  const uint8_t *initial; /* NULL: none; lines only */
  int64_t initial_row_stride;
  int64_t rows, count;
  uint8_t identity[8]; /* the element that changes nothing; runs only */
} sc_window_lines;

/* The larger operand, `sum` where they are equal, NaN if either is: of NaN the later. */
#define SC_LARGER_FLOAT(sum, x)                                                                                        \
  ({                                                                                                                   \
    __typeof__(x) larger = (x) > (sum) ? (x) : (sum);                                                                  \
    (x) == (x) ? larger : (x);                                                                                         \
  })
#define SC_LARGER_INTEGER(sum, x) __builtin_elementwise_max(sum, x)
#define SC_ADDED(sum, x) ((sum) + (x))

/* `VECTORS` neighbouring vectors from element i on. */
#define SC_REDUCE_PIECE(type, VECTORS, COMBINE)                                                                        \
  {                                                                                                                    \
    type sum[VECTORS], x;                                                                                              \
    const uint8_t *from = source + i * size;                                                                           \
    int64_t left = p->taps;                                                                                            \
    if (initial) {                                                                                                     \
      __builtin_memcpy(sum, initial + i * size, sizeof sum);                                                           \
    } else {                                                                                                           \
      __builtin_memcpy(sum, from, sizeof sum);                                                                         \
      from += tap_stride;                                                                                              \
      --left;                                                                                                          \
    }                                                                                                                  \
    for (; left > 0; --left, from += tap_stride) {                                                                     \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; ++v) {                                           \
        __builtin_memcpy(&x, from + v * sizeof x, sizeof x);                                                           \
        sum[v] = COMBINE(sum[v], x);                                                                                   \
      }                                                                                                                \
    }                                                                                                                  \
    __builtin_memcpy(out + i * size, sum, sizeof sum);                                                                 \
  }

#define SC_REDUCE_ROWS(type, COMBINE)                                                                                  \
  {                                                                                                                    \
    const int64_t lanes = (int64_t)sizeof(type) / size;                                                                \
    for (int64_t row = 0; row < p->rows; ++row, source += p->source_row_stride, out += p->out_row_stride) {            \
      int64_t i = 0;                                                                                                   \
      for (; i + 4 * lanes <= count; i += 4 * lanes)                                                                   \
        SC_REDUCE_PIECE(type, 4, COMBINE)                                                                              \
      for (; i + lanes <= count; i += lanes)                                                                           \
        SC_REDUCE_PIECE(type, 1, COMBINE)                                                                              \
      if (i < count) {                                                                                                 \
        i = count - lanes;                                                                                             \
        SC_REDUCE_PIECE(type, 1, COMBINE)                                                                              \
      }                                                                                                                \
      if (initial)                                                                                                     \
        initial += p->initial_row_stride;                                                                              \
    }                                                                                                                  \
  }

/* Windows that advance by two elements, taps that are neighbours. */
#define SC_REDUCE_PAIRS_PIECE(scalar, LANES, COMBINE)                                                                  \
  {                                                                                                                    \
    typedef scalar pair __attribute__((ext_vector_type(2 * (LANES))));                                                 \
    typedef scalar half __attribute__((ext_vector_type(LANES)));                                                       \
    const uint8_t *from = source + 2 * i * size;                                                                       \
    int64_t left = p->taps - 1;                                                                                        \
    pair both;                                                                                                         \
    half sum, x;                                                                                                       \
    __builtin_memcpy(&both, from, sizeof both);                                                                        \
    sum = both.even;                                                                                                   \
    if (left > 0) {                                                                                                    \
      x = both.odd;                                                                                                    \
      sum = COMBINE(sum, x);                                                                                           \
      --left;                                                                                                          \
    }                                                                                                                  \
    while (left > 0) {                                                                                                 \
      from += 2 * size;                                                                                                \
      __builtin_memcpy(&both, from, sizeof both);                                                                      \
      x = both.even;                                                                                                   \
      sum = COMBINE(sum, x);                                                                                           \
      if (--left > 0) {                                                                                                \
        x = both.odd;                                                                                                  \
        sum = COMBINE(sum, x);                                                                                         \
        --left;                                                                                                        \
      }                                                                                                                \
    }                                                                                                                  \
    __builtin_memcpy(out + i * size, &sum, sizeof sum);                                                                \
  }

#define SC_REDUCE_PAIRS_ROWS(scalar, LANES, COMBINE)                                                                   \
  for (int64_t row = 0; row < p->rows; ++row, source += p->source_row_stride, out += p->out_row_stride) {              \
    int64_t i = 0;                                                                                                     \
    for (; i + (LANES) <= count; i += (LANES))                                                                         \
      SC_REDUCE_PAIRS_PIECE(scalar, LANES, COMBINE)                                                                    \
    if (i < count) {                                                                                                   \
      i = count - (LANES);                                                                                             \
      SC_REDUCE_PAIRS_PIECE(scalar, LANES, COMBINE)                                                                    \
    }                                                                                                                  \
  }

/* Windows of at least a block's taps: blocks onto each other, then the taps that are left, which end a last block whose
 * other lanes change nothing, then the lanes by halves. */
#define SC_REDUCE_RUN_ROWS(scalar, LANES, COMBINE)                                                                     \
  {                                                                                                                    \
    typedef scalar block __attribute__((ext_vector_type(LANES)));                                                      \
    const int64_t left = p->taps % (LANES), whole = p->taps - left;                                                    \
    scalar kept[LANES];                                                                                                \
    block x, changes_nothing = (block)identity, keeps;                                                                 \
    for (int64_t lane = 0; lane < (LANES); ++lane)                                                                     \
      kept[lane] = lane >= (LANES) - left;                                                                             \
    __builtin_memcpy(&keeps, kept, sizeof keeps);                                                                      \
    for (int64_t row = 0; row < p->rows; ++row) {                                                                      \
      for (int64_t i = 0; i < p->count; ++i) {                                                                         \
        const uint8_t *from = p->source + row * p->source_row_stride + i * p->step;                                    \
        scalar parts[LANES];                                                                                           \
        block sum;                                                                                                     \
        __builtin_memcpy(&sum, from, sizeof sum);                                                                      \
        for (int64_t tap = (LANES); tap < whole; tap += (LANES)) {                                                     \
          __builtin_memcpy(&x, from + tap * (int64_t)sizeof(scalar), sizeof x);                                        \
          sum = COMBINE(sum, x);                                                                                       \
        }                                                                                                              \
        if (left > 0) {                                                                                                \
          __builtin_memcpy(&x, from + (p->taps - (LANES)) * (int64_t)sizeof(scalar), sizeof x);                        \
          x = keeps != (block)(scalar)0 ? x : changes_nothing;                                                         \
          sum = COMBINE(sum, x);                                                                                       \
        }                                                                                                              \
        __builtin_memcpy(parts, &sum, sizeof sum);                                                                     \
        _Pragma("clang loop unroll(full)") for (int lanes = (LANES) / 2; lanes > 0; lanes /= 2) {                      \
          _Pragma("clang loop unroll(full)") for (int lane = 0; lane < lanes; ++lane) parts[lane] =                    \
              (scalar)COMBINE(parts[lane], parts[lane + lanes]);                                                       \
        }                                                                                                              \
        __builtin_memcpy(p->out + row * p->out_row_stride + i * (int64_t)sizeof(scalar), parts, sizeof(scalar));       \
      }                                                                                                                \
    }                                                                                                                  \
  }

#define SC_REDUCTION(name, scalar, COMBINE)                                                                            \
  /* Every output has the same taps at a distance: lines above each other, or one line that slides by an element. */   \
  static inline void sc_reduce_lines_##name(const sc_window_lines *p) {                                                \
    enum { FULL = SC_VECTOR_BYTES / sizeof(scalar), HALF = SC_HALF_BYTES / sizeof(scalar) };                           \
    enum { QUARTER = 16 / sizeof(scalar), EIGHTH = 8 / sizeof(scalar) };                                               \
    typedef scalar full __attribute__((ext_vector_type(FULL)));                                                        \
    typedef scalar half __attribute__((ext_vector_type(HALF)));                                                        \
    typedef scalar quarter __attribute__((ext_vector_type(QUARTER)));                                                  \
    typedef scalar eighth __attribute__((ext_vector_type(EIGHTH)));                                                    \
    const int64_t size = sizeof(scalar), count = p->count, tap_stride = p->tap_stride;                                 \
    const uint8_t *source = p->source, *initial = p->initial;                                                          \
    uint8_t *out = p->out;                                                                                             \
    if (count >= FULL)                                                                                                 \
      SC_REDUCE_ROWS(full, COMBINE)                                                                                    \
    else if (count >= HALF)                                                                                            \
      SC_REDUCE_ROWS(half, COMBINE)                                                                                    \
    else if (count >= QUARTER)                                                                                         \
      SC_REDUCE_ROWS(quarter, COMBINE)                                                                                 \
    else if (count >= EIGHTH)                                                                                          \
      SC_REDUCE_ROWS(eighth, COMBINE)                                                                                  \
    else                                                                                                               \
      SC_REDUCE_ROWS(scalar, COMBINE)                                                                                  \
  }                                                                                                                    \
                                                                                                                       \
  /* Step 2, taps that are neighbours. With an odd number of taps one element past the last window is read. */         \
  static inline void sc_reduce_pairs_##name(const sc_window_lines *p) {                                                \
    enum { FULL = SC_VECTOR_BYTES / sizeof(scalar), HALF = SC_HALF_BYTES / sizeof(scalar) };                           \
    enum { QUARTER = 16 / sizeof(scalar), EIGHTH = 8 / sizeof(scalar) };                                               \
    const int64_t size = sizeof(scalar), count = p->count;                                                             \
    const uint8_t *source = p->source;                                                                                 \
    uint8_t *out = p->out;                                                                                             \
    if (count >= FULL)                                                                                                 \
      SC_REDUCE_PAIRS_ROWS(scalar, FULL, COMBINE)                                                                      \
    else if (count >= HALF)                                                                                            \
      SC_REDUCE_PAIRS_ROWS(scalar, HALF, COMBINE)                                                                      \
    else if (count >= QUARTER)                                                                                         \
      SC_REDUCE_PAIRS_ROWS(scalar, QUARTER, COMBINE)                                                                   \
    else if (count >= EIGHTH)                                                                                          \
      SC_REDUCE_PAIRS_ROWS(scalar, EIGHTH, COMBINE)                                                                    \
    else                                                                                                               \
      SC_REDUCE_PAIRS_ROWS(scalar, 1, COMBINE)                                                                         \
  }                                                                                                                    \
                                                                                                                       \
  /* Any step, any distance of taps: an element at a time. */                                                          \
  static inline void sc_reduce_strided_##name(const sc_window_lines *p) {                                              \
    for (int64_t row = 0; row < p->rows; ++row) {                                                                      \
      const uint8_t *source = p->source + row * p->source_row_stride;                                                  \
      uint8_t *out = p->out + row * p->out_row_stride;                                                                 \
      for (int64_t i = 0; i < p->count; ++i, source += p->step, out += sizeof(scalar)) {                               \
        const uint8_t *from = source;                                                                                  \
        scalar sum, x;                                                                                                 \
        __builtin_memcpy(&sum, from, sizeof sum);                                                                      \
        for (int64_t tap = 1; tap < p->taps; ++tap) {                                                                  \
          from += p->tap_stride;                                                                                       \
          __builtin_memcpy(&x, from, sizeof x);                                                                        \
          sum = (scalar)COMBINE(sum, x);                                                                               \
        }                                                                                                              \
        __builtin_memcpy(out, &sum, sizeof sum);                                                                       \
      }                                                                                                                \
    }                                                                                                                  \
  }                                                                                                                    \
                                                                                                                       \
  /* Long windows of neighbours, any step: the order of a sum depends on the number of taps alone, on every ISA. */    \
  static inline void sc_reduce_runs_##name(const sc_window_lines *p) {                                                 \
    enum { BLOCK = 64 / sizeof(scalar), QUARTER = 16 / sizeof(scalar) };                                               \
    scalar identity;                                                                                                   \
    __builtin_memcpy(&identity, p->identity, sizeof identity);                                                         \
    if (p->taps >= BLOCK)                                                                                              \
      SC_REDUCE_RUN_ROWS(scalar, BLOCK, COMBINE)                                                                       \
    else if (p->taps >= QUARTER)                                                                                       \
      SC_REDUCE_RUN_ROWS(scalar, QUARTER, COMBINE)                                                                     \
    else                                                                                                               \
      sc_reduce_strided_##name(p);                                                                                     \
  }

SC_REDUCTION(i8_max, int8_t, SC_LARGER_INTEGER)
SC_REDUCTION(i16_max, int16_t, SC_LARGER_INTEGER)
SC_REDUCTION(i32_max, int32_t, SC_LARGER_INTEGER)
SC_REDUCTION(i64_max, int64_t, SC_LARGER_INTEGER)
SC_REDUCTION(u8_max, uint8_t, SC_LARGER_INTEGER)
SC_REDUCTION(u16_max, uint16_t, SC_LARGER_INTEGER)
SC_REDUCTION(u32_max, uint32_t, SC_LARGER_INTEGER)
SC_REDUCTION(u64_max, uint64_t, SC_LARGER_INTEGER)
SC_REDUCTION(f32_max, float, SC_LARGER_FLOAT)
SC_REDUCTION(f64_max, double, SC_LARGER_FLOAT)
SC_REDUCTION(u8_sum, uint8_t, SC_ADDED)
SC_REDUCTION(u16_sum, uint16_t, SC_ADDED)
SC_REDUCTION(u32_sum, uint32_t, SC_ADDED)
SC_REDUCTION(u64_sum, uint64_t, SC_ADDED)
SC_REDUCTION(f32_sum, float, SC_ADDED)
SC_REDUCTION(f64_sum, double, SC_ADDED)

/* A tap of a window: its distance from the window's first element in bytes and along the flat index. */
typedef struct sc_window_tap {
  int64_t offset, position;
} sc_window_tap;

/* Rows of maxima and their positions, which taps may replace. Of equal elements the first stays, of NaN the last. */
typedef struct sc_largest {
  const uint8_t *source;
  int64_t source_row_stride;
  const sc_window_tap *taps;
  int64_t tap_count;
  uint8_t *best, *positions; /* contiguous */
  int64_t rows, count;
} sc_largest;

/* Taking the same tap twice changes nothing, so that the last vector may lie over the end of the one before. */
#define SC_TAKE_PIECE(scalar, index, LANES)                                                                            \
  {                                                                                                                    \
    typedef scalar elements __attribute__((ext_vector_type(LANES)));                                                   \
    typedef index indices __attribute__((ext_vector_type(LANES)));                                                     \
    elements old, x;                                                                                                   \
    indices at;                                                                                                        \
    __builtin_memcpy(&old, best + i * (int64_t)sizeof(scalar), sizeof old);                                            \
    __builtin_memcpy(&at, positions + i * (int64_t)sizeof(index), sizeof at);                                          \
    for (int64_t tap = 0; tap < p->tap_count; ++tap) {                                                                 \
      __builtin_memcpy(&x, source + p->taps[tap].offset + i * (int64_t)sizeof(scalar), sizeof x);                      \
      __typeof__(x > old) takes = (x > old) | (x != x);                                                                \
      old = takes ? x : old;                                                                                           \
      at = __builtin_convertvector(takes, indices) ? (indices)(index)p->taps[tap].position : at;                       \
    }                                                                                                                  \
    __builtin_memcpy(best + i * (int64_t)sizeof(scalar), &old, sizeof old);                                            \
    __builtin_memcpy(positions + i * (int64_t)sizeof(index), &at, sizeof at);                                          \
  }
#define SC_TAKE_ROWS(scalar, index, LANES)                                                                             \
  for (int64_t row = 0; row < p->rows; ++row) {                                                                        \
    int64_t i = 0;                                                                                                     \
    for (; i + (LANES) <= count; i += (LANES))                                                                         \
      SC_TAKE_PIECE(scalar, index, LANES)                                                                              \
    if (i < count) {                                                                                                   \
      i = count - (LANES);                                                                                             \
      SC_TAKE_PIECE(scalar, index, LANES)                                                                              \
    }                                                                                                                  \
    source += p->source_row_stride;                                                                                    \
    best += count * (int64_t)sizeof(scalar);                                                                           \
    positions += count * (int64_t)sizeof(index);                                                                       \
  }
#define SC_TAKE_LARGER(name, scalar, index)                                                                            \
  static inline void sc_take_larger_##name(const sc_largest *p) {                                                      \
    enum { WIDEST = sizeof(scalar) > sizeof(index) ? sizeof(scalar) : sizeof(index) };                                 \
    enum { FULL = SC_VECTOR_BYTES / WIDEST, QUARTER = 16 / WIDEST };                                                   \
    const int64_t count = p->count;                                                                                    \
    const uint8_t *source = p->source;                                                                                 \
    uint8_t *best = p->best, *positions = p->positions;                                                                \
    if (count >= FULL)                                                                                                 \
      SC_TAKE_ROWS(scalar, index, FULL)                                                                                \
    else if (count >= QUARTER)                                                                                         \
      SC_TAKE_ROWS(scalar, index, QUARTER)                                                                             \
    else                                                                                                               \
      SC_TAKE_ROWS(scalar, index, 1)                                                                                   \
  }
#define SC_TAKE_LARGER_BOTH(name, scalar)                                                                              \
  SC_TAKE_LARGER(name##_32, scalar, int32_t)                                                                           \
  SC_TAKE_LARGER(name##_64, scalar, int64_t)

SC_TAKE_LARGER_BOTH(i8, int8_t)
SC_TAKE_LARGER_BOTH(i16, int16_t)
SC_TAKE_LARGER_BOTH(i32, int32_t)
SC_TAKE_LARGER_BOTH(i64, int64_t)
SC_TAKE_LARGER_BOTH(u8, uint8_t)
SC_TAKE_LARGER_BOTH(u16, uint16_t)
SC_TAKE_LARGER_BOTH(u32, uint32_t)
SC_TAKE_LARGER_BOTH(u64, uint64_t)
SC_TAKE_LARGER_BOTH(f32, float)
SC_TAKE_LARGER_BOTH(f64, double)

/* Quotients in place. By an inverse and the remainder that its product leaves, rounded as a division is (Markstein,
 * 1990), in a third of its time; infinity leaves no remainder. */
#if SC_HAS_FMA
#define SC_QUOTIENT(x, divisor, inverse, FMA)                                                                          \
  ({                                                                                                                   \
    __typeof__(x) first = (x) * (inverse), remainder = FMA(-first, divisor, x);                                        \
    remainder == remainder ? FMA(remainder, inverse, first) : first;                                                   \
  })
#else
#define SC_QUOTIENT(x, divisor, inverse, FMA) ((void)(inverse), (x) / (divisor))
#endif
#define SC_DIVIDE(name, scalar, FMA)                                                                                   \
  static inline void sc_divide_##name(void *memory, int64_t count, scalar divisor) {                                   \
    const scalar inverse = 1 / divisor;                                                                                \
    for (int64_t i = 0; i < count; ++i) {                                                                              \
      scalar x;                                                                                                        \
      __builtin_memcpy(&x, (uint8_t *)memory + i * (int64_t)sizeof x, sizeof x);                                       \
      x = SC_QUOTIENT(x, divisor, inverse, FMA);                                                                       \
      __builtin_memcpy((uint8_t *)memory + i * (int64_t)sizeof x, &x, sizeof x);                                       \
    }                                                                                                                  \
  }
SC_DIVIDE(f32, float, __builtin_fmaf)
SC_DIVIDE(f64, double, __builtin_fma)

#endif
