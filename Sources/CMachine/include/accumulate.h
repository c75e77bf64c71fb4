/* accumulate.h: rows of elements added to rows of sums. */
#ifndef SWIFTCONV_ACCUMULATE_H
#define SWIFTCONV_ACCUMULATE_H

#include <stdint.h>

#include "reduce.h"
#include "vector.h"

/* Rows of contiguous elements; no two rows of sums overlap. Strides and distances in bytes, counts in elements. */
typedef struct sc_added_rows {
  uint8_t *sums;
  int64_t sum_row_stride;
  const uint8_t *source;
  int64_t source_row_stride;
  const uint8_t *weights; /* one for each element, or one for each row */
  int64_t weight_row_stride;
  int64_t rows, count;
  int64_t ahead; /* how far ahead source is asked for */
} sc_added_rows;

/* What a kernel adds to `sum`: elements x, weights w. */
#define SC_SUM_OR(sum, x, w) ((sum) | ((__typeof__(x))((x) != 0) & 1))
#define SC_SUM_PLAIN(sum, x, w) ((sum) + (x))
#define SC_SUM_WEIGHTED(sum, x, w) ((sum) + (w) * (x))
#define SC_SUM_WEIGHTS(sum, x, w) ((sum) + (w))

#define SC_ADD_PIECE(i, READS, EACH, SUM)                                                                              \
  if (READS)                                                                                                           \
    __builtin_memcpy(&x, source + (i) * size, sizeof x);                                                               \
  if (EACH)                                                                                                            \
    __builtin_memcpy(&w, weights + (i) * size, sizeof w);                                                              \
  __builtin_memcpy(&sum, sums + (i) * size, sizeof sum);                                                               \
  sum = SUM(sum, x, w)

/* A row's last vector lies over the one before it: it is added up before that is stored. */
#define SC_ADD_ROWS_OF(scalar, LANES, READS, ONE, EACH, SUM)                                                           \
  for (int64_t row = 0; row < p->rows; ++row) {                                                                        \
    typedef scalar piece __attribute__((ext_vector_type(LANES)));                                                      \
    piece sum, last, x = (piece)(scalar)0, w = x;                                                                      \
    if (ONE) {                                                                                                         \
      scalar weight;                                                                                                   \
      __builtin_memcpy(&weight, weights, sizeof weight);                                                               \
      w = (piece)weight;                                                                                               \
    }                                                                                                                  \
    if (READS)                                                                                                         \
      __builtin_prefetch(source + (count - (LANES)) * size + p->ahead, 0, 3);                                          \
    SC_ADD_PIECE(count - (LANES), READS, EACH, SUM);                                                                   \
    last = sum;                                                                                                        \
    for (int64_t i = 0; i < count - (LANES); i += (LANES)) {                                                           \
      if (READS)                                                                                                       \
        __builtin_prefetch(source + i * size + p->ahead, 0, 3);                                                        \
      SC_ADD_PIECE(i, READS, EACH, SUM);                                                                               \
      __builtin_memcpy(sums + i * size, &sum, sizeof sum);                                                             \
    }                                                                                                                  \
    __builtin_memcpy(sums + (count - (LANES)) * size, &last, sizeof last);                                             \
    sums += p->sum_row_stride;                                                                                         \
    if (READS)                                                                                                         \
      source += p->source_row_stride;                                                                                  \
    if (ONE || EACH)                                                                                                   \
      weights += p->weight_row_stride;                                                                                 \
  }

#define SC_ADD_ROWS(name, scalar, READS, ONE, EACH, SUM)                                                               \
  static inline void sc_add_##name(const sc_added_rows *p) {                                                           \
    enum { FULL = SC_VECTOR_BYTES / sizeof(scalar), HALF = SC_HALF_BYTES / sizeof(scalar) };                           \
    enum { QUARTER = 16 / sizeof(scalar), EIGHTH = 8 / sizeof(scalar) };                                               \
    const int64_t count = p->count, size = sizeof(scalar);                                                             \
    const uint8_t *source = p->source, *weights = p->weights;                                                          \
    uint8_t *sums = p->sums;                                                                                           \
    if (count >= FULL) {                                                                                               \
      SC_ADD_ROWS_OF(scalar, FULL, READS, ONE, EACH, SUM)                                                              \
    } else if (count >= HALF) {                                                                                        \
      SC_ADD_ROWS_OF(scalar, HALF, READS, ONE, EACH, SUM)                                                              \
    } else if (count >= QUARTER) {                                                                                     \
      SC_ADD_ROWS_OF(scalar, QUARTER, READS, ONE, EACH, SUM)                                                           \
    } else if (count >= EIGHTH) {                                                                                      \
      SC_ADD_ROWS_OF(scalar, EIGHTH, READS, ONE, EACH, SUM)                                                            \
    } else if (count > 0) {                                                                                            \
      SC_ADD_ROWS_OF(scalar, 1, READS, ONE, EACH, SUM)                                                                 \
    }                                                                                                                  \
  }

SC_ADD_ROWS(rows_bool, uint8_t, 1, 0, 0, SC_SUM_OR)
SC_ADD_ROWS(rows_u8, uint8_t, 1, 0, 0, SC_SUM_PLAIN)
SC_ADD_ROWS(rows_u16, uint16_t, 1, 0, 0, SC_SUM_PLAIN)
SC_ADD_ROWS(rows_u32, uint32_t, 1, 0, 0, SC_SUM_PLAIN)
SC_ADD_ROWS(rows_u64, uint64_t, 1, 0, 0, SC_SUM_PLAIN)
SC_ADD_ROWS(rows_f32, float, 1, 0, 0, SC_SUM_PLAIN)
SC_ADD_ROWS(rows_f64, double, 1, 0, 0, SC_SUM_PLAIN)
SC_ADD_ROWS(weighted_f32, float, 1, 0, 1, SC_SUM_WEIGHTED)
SC_ADD_ROWS(weighted_f64, double, 1, 0, 1, SC_SUM_WEIGHTED)
SC_ADD_ROWS(scaled_f32, float, 1, 1, 0, SC_SUM_WEIGHTED)
SC_ADD_ROWS(scaled_f64, double, 1, 1, 0, SC_SUM_WEIGHTED)
SC_ADD_ROWS(weights_f32, float, 0, 1, 0, SC_SUM_WEIGHTS)
SC_ADD_ROWS(weights_f64, double, 0, 1, 0, SC_SUM_WEIGHTS)

/* Sums divided by as many divisors; 0 where the divisor is. Numbers of elements have inverses, with which a quotient
 * takes less time (SC_QUOTIENT). */
#define SC_DIVIDE_EACH(name, scalar, FMA)                                                                              \
  static inline void sc_divide_each_##name(uint8_t *sums, const uint8_t *divisors, int64_t count) {                    \
    for (int64_t i = 0; i < count; ++i) {                                                                              \
      const int64_t at = i * (int64_t)sizeof(scalar);                                                                  \
      scalar sum, divisor;                                                                                             \
      __builtin_memcpy(&sum, sums + at, sizeof sum);                                                                   \
      __builtin_memcpy(&divisor, divisors + at, sizeof divisor);                                                       \
      sum = divisor == 0 ? 0 : sum / divisor;                                                                          \
      __builtin_memcpy(sums + at, &sum, sizeof sum);                                                                   \
    }                                                                                                                  \
  }                                                                                                                    \
  static inline void sc_invert_##name(uint8_t *inverses, const uint8_t *divisors, int64_t count) {                     \
    for (int64_t i = 0; i < count; ++i) {                                                                              \
      const int64_t at = i * (int64_t)sizeof(scalar);                                                                  \
      scalar divisor;                                                                                                  \
      __builtin_memcpy(&divisor, divisors + at, sizeof divisor);                                                       \
      divisor = divisor == 0 ? 0 : 1 / divisor;                                                                        \
      __builtin_memcpy(inverses + at, &divisor, sizeof divisor);                                                       \
    }                                                                                                                  \
  }                                                                                                                    \
  static inline void sc_mean_##name(uint8_t *sums, const uint8_t *divisors, const uint8_t *inverses, int64_t count) {  \
    for (int64_t i = 0; i < count; ++i) {                                                                              \
      const int64_t at = i * (int64_t)sizeof(scalar);                                                                  \
      scalar sum, divisor, inverse;                                                                                    \
      __builtin_memcpy(&sum, sums + at, sizeof sum);                                                                   \
      __builtin_memcpy(&divisor, divisors + at, sizeof divisor);                                                       \
      __builtin_memcpy(&inverse, inverses + at, sizeof inverse);                                                       \
      sum = divisor == 0 ? 0 : SC_QUOTIENT(sum, divisor, inverse, FMA);                                                \
      __builtin_memcpy(sums + at, &sum, sizeof sum);                                                                   \
    }                                                                                                                  \
  }
SC_DIVIDE_EACH(f32, float, __builtin_fmaf)
SC_DIVIDE_EACH(f64, double, __builtin_fma)
#endif
