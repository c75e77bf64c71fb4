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

/* Halves a vector's lanes onto each other and takes in elements that fill the half. */
#define SC_REDUCE_HALVE(scalar, sum, half, LANES, COMBINE)                                                             \
  typedef scalar half##_type __attribute__((ext_vector_type(LANES)));                                                  \
  half##_type half = COMBINE((sum).lo, (sum).hi);                                                                      \
  if (left >= (LANES)) {                                                                                               \
    half##_type x;                                                                                                     \
    __builtin_memcpy(&x, from, sizeof x);                                                                              \
    half = COMBINE(half, x);                                                                                           \
    from += sizeof x;                                                                                                  \
    left -= (LANES);                                                                                                   \
  }

#define SC_REDUCE_KERNELS(name, scalar, COMBINE)                                                                       \
  /* Every output has the same taps at a distance: lines above each other, or one line that slides by an element. */   \
  static inline void sc_reduce_lines_##name(const sc_window_lines *p) {                                                \
    enum { FULL = SC_VECTOR_BYTES / sizeof(scalar), QUARTER = 16 / sizeof(scalar), EIGHTH = 8 / sizeof(scalar) };      \
    typedef scalar full __attribute__((ext_vector_type(FULL)));                                                        \
    typedef scalar quarter __attribute__((ext_vector_type(QUARTER)));                                                  \
    typedef scalar eighth __attribute__((ext_vector_type(EIGHTH)));                                                    \
    const int64_t size = sizeof(scalar), count = p->count, tap_stride = p->tap_stride;                                 \
    const uint8_t *source = p->source, *initial = p->initial;                                                          \
    uint8_t *out = p->out;                                                                                             \
    if (count >= FULL)                                                                                                 \
      SC_REDUCE_ROWS(full, COMBINE)                                                                                    \
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
    enum { FULL = SC_VECTOR_BYTES / sizeof(scalar), QUARTER = 16 / sizeof(scalar), EIGHTH = 8 / sizeof(scalar) };      \
    const int64_t size = sizeof(scalar), count = p->count;                                                             \
    const uint8_t *source = p->source;                                                                                 \
    uint8_t *out = p->out;                                                                                             \
    if (count >= FULL)                                                                                                 \
      SC_REDUCE_PAIRS_ROWS(scalar, FULL, COMBINE)                                                                      \
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
  /* Long windows of neighbours, any step: 64 bytes of partial results, halved onto each other. The order of a sum     \
   * depends on the number of taps alone, the same on every ISA. */                                                    \
  static inline void sc_reduce_runs_##name(const sc_window_lines *p) {                                                 \
    enum { LANES = 64 / sizeof(scalar) };                                                                              \
    typedef scalar block __attribute__((ext_vector_type(LANES)));                                                      \
    scalar identity;                                                                                                   \
    __builtin_memcpy(&identity, p->identity, sizeof identity);                                                         \
    for (int64_t row = 0; row < p->rows; ++row) {                                                                      \
      for (int64_t i = 0; i < p->count; ++i) {                                                                         \
        const uint8_t *from = p->source + row * p->source_row_stride + i * p->step;                                    \
        int64_t left = p->taps;                                                                                        \
        block sum = (block)identity, x;                                                                                \
        scalar result;                                                                                                 \
        for (; left >= LANES; left -= LANES, from += sizeof x) {                                                       \
          __builtin_memcpy(&x, from, sizeof x);                                                                        \
          sum = COMBINE(sum, x);                                                                                       \
        }                                                                                                              \
        SC_REDUCE_HALVE(scalar, sum, to32, LANES / 2, COMBINE)                                                         \
        SC_REDUCE_HALVE(scalar, to32, to16, LANES / 4, COMBINE)                                                        \
        result = sc_reduce_rest_##name(to16, from, left);                                                              \
        __builtin_memcpy(p->out + row * p->out_row_stride + i * (int64_t)sizeof result, &result, sizeof result);       \
      }                                                                                                                \
    }                                                                                                                  \
  }

/* From 16 bytes of partial results, and fewer elements than they hold, to one. */
#define SC_REDUCE_REST(name, scalar, COMBINE)                                                                          \
  typedef scalar sc_reduce_##name##_quarter __attribute__((ext_vector_type(16 / sizeof(scalar))));                     \
  static inline scalar sc_reduce_rest_##name(sc_reduce_##name##_quarter sum, const uint8_t *from, int64_t left) {      \
    enum { LANES = 16 / sizeof(scalar) };                                                                              \
    scalar parts[LANES], x;                                                                                            \
    for (int64_t i = 0; i < left; ++i) {                                                                               \
      __builtin_memcpy(&x, from + i * (int64_t)sizeof x, sizeof x);                                                    \
      sum[i] = (scalar)COMBINE(sum[i], x);                                                                             \
    }                                                                                                                  \
    __builtin_memcpy(parts, &sum, sizeof sum);                                                                         \
    for (int64_t lanes = LANES / 2; lanes > 0; lanes /= 2) {                                                           \
      for (int64_t i = 0; i < lanes; ++i)                                                                              \
        parts[i] = (scalar)COMBINE(parts[i], parts[i + lanes]);                                                        \
    }                                                                                                                  \
    return parts[0];                                                                                                   \
  }

#define SC_REDUCTION(name, scalar, COMBINE)                                                                            \
  SC_REDUCE_REST(name, scalar, COMBINE)                                                                                \
  SC_REDUCE_KERNELS(name, scalar, COMBINE)

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

/* Puts larger elements of x, and NaN, into `best`, and `position` into the index beside them. */
#define SC_TAKE_LARGER(name, scalar, index)                                                                            \
  static inline void sc_take_larger_##name(void *restrict best, void *restrict indices, const void *restrict x,        \
                                           int64_t position, int64_t count) {                                          \
    for (int64_t i = 0; i < count; ++i) {                                                                              \
      scalar old, new;                                                                                                 \
      index at;                                                                                                        \
      __builtin_memcpy(&old, (uint8_t *)best + i * (int64_t)sizeof old, sizeof old);                                   \
      __builtin_memcpy(&new, (const uint8_t *)x + i * (int64_t)sizeof new, sizeof new);                                \
      __builtin_memcpy(&at, (uint8_t *)indices + i * (int64_t)sizeof at, sizeof at);                                   \
      int takes = (new > old) | (new != new);                                                                          \
      old = takes ? new : old;                                                                                         \
      at = takes ? (index)position : at;                                                                               \
      __builtin_memcpy((uint8_t *)best + i * (int64_t)sizeof old, &old, sizeof old);                                   \
      __builtin_memcpy((uint8_t *)indices + i * (int64_t)sizeof at, &at, sizeof at);                                   \
    }                                                                                                                  \
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

#endif
