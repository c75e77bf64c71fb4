/* products.h: sums of rows of products, the inner loops of a loop nest.
 *
 * Plain loops, which the optimiser turns to vectors. Nothing is aligned, and nothing is read or written past a row's
 * end.
 */
#ifndef SWIFTCONV_PRODUCTS_H
#define SWIFTCONV_PRODUCTS_H

#include <stdint.h>

#include "vector.h"

/* Rows of one factor, x, or of two. A factor's row is contiguous, or one element for the whole row. Offsets and pitches
 * in bytes, counts in elements; no row is empty. */
typedef struct sc_product_rows {
  const uint8_t *x, *y; /* y: NULL where there is one factor */
  const int64_t *x_offsets, *y_offsets;
  uint8_t *sums; /* rows of sums, or, where rows are added up, one for each row, `sum_pitch` apart */
  int64_t sum_pitch;
  int64_t rows, count;
  int32_t x_is_one, y_is_one; /* non-zero: one element for the whole row */
  int32_t starts;             /* non-zero: sums begin here, and what they held is not read */
} sc_product_rows;

/* Unsigned, and wide enough that no promotion makes a product overflow an int. */
#define SC_PLAIN_PRODUCT(x, y) ((x) * (y))
#define SC_WORD_PRODUCT(x, y) ((uint16_t)((uint32_t)(x) * (y)))
#define SC_BOOL_PRODUCT(x, y) ((uint8_t)(((x) != 0) & ((y) != 0)))
#define SC_COMPLEX_PRODUCT(a, b) ((__typeof__(a + b)){(a).x * (b).x - (a).y * (b).y, (a).x * (b).y + (a).y * (b).x})
#define SC_BYTE_PRODUCT(x, y) ((uint8_t)((x) * (y)))
#define SC_PLAIN_SUM(sum, x) ((sum) + (x))
#define SC_BYTE_SUM(sum, x) ((uint8_t)((sum) + (x)))
#define SC_WORD_SUM(sum, x) ((uint16_t)((sum) + (x)))
#define SC_BOOL_SUM(sum, x) ((uint8_t)((sum) | (x)))
#define SC_PLAIN_VALUE(x) (x)
#define SC_BOOL_VALUE(x) ((uint8_t)((x) != 0))

/* The loop over a row, with the term that its factors make. `MEET` takes the term. */
#define SC_MEET_FACTORS(element, VALUE, PRODUCT, MEET)                                                                 \
  const element first = VALUE(x[0]);                                                                                   \
  if (p->y == 0) {                                                                                                     \
    if (p->x_is_one)                                                                                                   \
      MEET(first)                                                                                                      \
    else                                                                                                               \
      MEET(VALUE(x[i]))                                                                                                \
  } else {                                                                                                             \
    const element second = y[0];                                                                                       \
    if (p->x_is_one && p->y_is_one)                                                                                    \
      MEET(PRODUCT(first, second))                                                                                     \
    else if (p->x_is_one)                                                                                              \
      MEET(PRODUCT(first, y[i]))                                                                                       \
    else if (p->y_is_one)                                                                                              \
      MEET(PRODUCT(x[i], second))                                                                                      \
    else                                                                                                               \
      MEET(PRODUCT(x[i], y[i]))                                                                                        \
  }

#define SC_EACH_STARTS(TERM)                                                                                           \
  for (int64_t i = 0; i < count; ++i)                                                                                  \
    sums[i] = TERM;
#define SC_EACH_ADDS_OF(SUM, TERM)                                                                                     \
  for (int64_t i = 0; i < count; ++i)                                                                                  \
    sums[i] = SUM(sums[i], TERM);
#define SC_TOTAL_ADDS_OF(SUM, TERM)                                                                                    \
  for (int64_t i = 0; i < count; ++i)                                                                                  \
    total = SUM(total, TERM);
#define SC_EACH_ADDS_PLAIN(TERM) SC_EACH_ADDS_OF(SC_PLAIN_SUM, TERM)
#define SC_EACH_ADDS_BYTE(TERM) SC_EACH_ADDS_OF(SC_BYTE_SUM, TERM)
#define SC_EACH_ADDS_WORD(TERM) SC_EACH_ADDS_OF(SC_WORD_SUM, TERM)
#define SC_EACH_ADDS_BOOL(TERM) SC_EACH_ADDS_OF(SC_BOOL_SUM, TERM)
#define SC_TOTAL_ADDS_PLAIN(TERM) SC_TOTAL_ADDS_OF(SC_PLAIN_SUM, TERM)
#define SC_TOTAL_ADDS_BYTE(TERM) SC_TOTAL_ADDS_OF(SC_BYTE_SUM, TERM)
#define SC_TOTAL_ADDS_WORD(TERM) SC_TOTAL_ADDS_OF(SC_WORD_SUM, TERM)
#define SC_TOTAL_ADDS_BOOL(TERM) SC_TOTAL_ADDS_OF(SC_BOOL_SUM, TERM)

/* sc_add_products_NAME:  sums[row][i] (+)= x[row][i] * y[row][i]
 * sc_total_products_NAME:  sums[row] (+)= the sum over i of x[row][i] * y[row][i]. The optimiser adds up a row in the
 * order that suits its vectors, which is one for each count. */
#define SC_DEFINE_PRODUCTS(name, element, VALUE, PRODUCT, SUM_OF)                                                      \
  typedef element sc_loose_##name __attribute__((aligned(1)));                                                         \
  static inline void sc_add_products_##name(const sc_product_rows *p) {                                                \
    const int64_t count = p->count;                                                                                    \
    for (int64_t row = 0; row < p->rows; ++row) {                                                                      \
      sc_loose_##name *restrict sums = (sc_loose_##name *)(p->sums + row * p->sum_pitch);                              \
      const sc_loose_##name *x = (const sc_loose_##name *)(p->x + p->x_offsets[row]);                                  \
      const sc_loose_##name *y = p->y ? (const sc_loose_##name *)(p->y + p->y_offsets[row]) : x;                       \
      if (p->starts) {                                                                                                 \
        SC_MEET_FACTORS(element, VALUE, PRODUCT, SC_EACH_STARTS)                                                       \
      } else {                                                                                                         \
        SC_MEET_FACTORS(element, VALUE, PRODUCT, SC_EACH_ADDS_##SUM_OF)                                                \
      }                                                                                                                \
    }                                                                                                                  \
  }                                                                                                                    \
  static inline void sc_total_products_##name(const sc_product_rows *p) {                                              \
    _Pragma("clang fp reassociate(on)") const int64_t count = p->count;                                                \
    for (int64_t row = 0; row < p->rows; ++row) {                                                                      \
      sc_loose_##name *sums = (sc_loose_##name *)(p->sums + row * p->sum_pitch);                                       \
      const sc_loose_##name *x = (const sc_loose_##name *)(p->x + p->x_offsets[row]);                                  \
      const sc_loose_##name *y = p->y ? (const sc_loose_##name *)(p->y + p->y_offsets[row]) : x;                       \
      element total = {0};                                                                                             \
      SC_MEET_FACTORS(element, VALUE, PRODUCT, SC_TOTAL_ADDS_##SUM_OF)                                                 \
      sums[0] = p->starts ? total : SC_##SUM_OF##_SUM(sums[0], total);                                                 \
    }                                                                                                                  \
  }

typedef float sc_complex64 __attribute__((ext_vector_type(2)));
typedef double sc_complex128 __attribute__((ext_vector_type(2)));
SC_DEFINE_PRODUCTS(bool, uint8_t, SC_BOOL_VALUE, SC_BOOL_PRODUCT, BOOL)
SC_DEFINE_PRODUCTS(u8, uint8_t, SC_PLAIN_VALUE, SC_BYTE_PRODUCT, BYTE)
SC_DEFINE_PRODUCTS(u16, uint16_t, SC_PLAIN_VALUE, SC_WORD_PRODUCT, WORD)
SC_DEFINE_PRODUCTS(u32, uint32_t, SC_PLAIN_VALUE, SC_PLAIN_PRODUCT, PLAIN)
SC_DEFINE_PRODUCTS(u64, uint64_t, SC_PLAIN_VALUE, SC_PLAIN_PRODUCT, PLAIN)
SC_DEFINE_PRODUCTS(f32, float, SC_PLAIN_VALUE, SC_PLAIN_PRODUCT, PLAIN)
SC_DEFINE_PRODUCTS(f64, double, SC_PLAIN_VALUE, SC_PLAIN_PRODUCT, PLAIN)
SC_DEFINE_PRODUCTS(c64, sc_complex64, SC_PLAIN_VALUE, SC_COMPLEX_PRODUCT, PLAIN)
SC_DEFINE_PRODUCTS(c128, sc_complex128, SC_PLAIN_VALUE, SC_COMPLEX_PRODUCT, PLAIN)
#endif
