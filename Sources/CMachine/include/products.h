/* products.h: sums of rows of products, the inner loops of a loop nest.
 *
 * Vectors of 64 bytes on every ISA, shorter ones for shorter rows. The last vector of a row lies over the end of the
 * one before, so that nothing is read or written past a row's end. Nothing is aligned.
 */
#ifndef SWIFTCONV_PRODUCTS_H
#define SWIFTCONV_PRODUCTS_H

#include <stdint.h>

#include "vector.h"

/* Rows of one factor, x, or of two. A factor's row is contiguous, or one element for the whole row. Offsets, steps and
 * pitches in bytes, counts in elements; no row is empty. */
typedef struct sc_product_rows {
  const uint8_t *x, *y; /* y: NULL where there is one factor */
  const int64_t *x_offsets, *y_offsets;
  int64_t x_step, y_step;     /* from one of a row's `steps` lines to the next */
  int64_t steps;              /* lines that each row of sums takes up, at least 1; rows that are added up have 1 */
  uint8_t *sums;              /* rows of sums, or, where rows are added up, one for each row */
  const int64_t *sum_offsets; /* NULL: they lie `sum_pitch` apart */
  int64_t sum_pitch;
  int64_t rows, count;
  int32_t x_is_one, y_is_one; /* non-zero: one element for the whole row */
  int32_t starts;             /* non-zero: sums begin here, and what they held is not read */
} sc_product_rows;

/* Pairs of lanes, as complex numbers lie, of a vector of so many lanes. */
#define SC_PAIR_LIST_2(PAIR, b) PAIR(b)
#define SC_PAIR_LIST_4(PAIR, b) SC_PAIR_LIST_2(PAIR, b), SC_PAIR_LIST_2(PAIR, (b) + 2)
#define SC_PAIR_LIST_8(PAIR, b) SC_PAIR_LIST_4(PAIR, b), SC_PAIR_LIST_4(PAIR, (b) + 4)
#define SC_PAIR_LIST_16(PAIR, b) SC_PAIR_LIST_8(PAIR, b), SC_PAIR_LIST_8(PAIR, (b) + 8)
#define SC_FIRST_PAIR(b) 0, 1
#define SC_REAL_TWICE(b) b, b
#define SC_IMAGINARY_TWICE(b) (b) + 1, (b) + 1
#define SC_OTHER_WAY(b) (b) + 1, b
#define SC_MINUS_FIRST(b) -1, 1
#define SC_PAIRS(lanes, x, PAIR) __builtin_shufflevector(x, x, SC_PAIR_LIST_##lanes(PAIR, 0))

/* What an arithmetic does with vectors, `lanes` scalars each: an element in all lanes, the factor of a sum of one
 * factor, a product, and sums with them. Products of complex numbers are added part by part, fused. */
#define SC_PLAIN_SPREAD(lanes, x) ((vector)(x)[0])
#define SC_PLAIN_VALUE(lanes, a) (a)
#define SC_PLAIN_PRODUCT(lanes, a, b) ((a) * (b))
#define SC_PLAIN_SUM(sum, x) ((sum) + (x))
#define SC_PLAIN_PRODUCT_SUM(lanes, sum, a, b) ((sum) + (a) * (b))

#define SC_BOOL_SPREAD SC_PLAIN_SPREAD
#define SC_BOOL_VALUE(lanes, a) ((vector)((a) != 0) & 1)
#define SC_BOOL_PRODUCT(lanes, a, b) ((vector)(((a) != 0) & ((b) != 0)) & 1)
#define SC_BOOL_SUM(sum, x) ((sum) | (x))
#define SC_BOOL_PRODUCT_SUM(lanes, sum, a, b) ((sum) | SC_BOOL_PRODUCT(lanes, a, b))

/* 64-bit integers: SSE2 has no product of them, and what vectors make of it takes twice as long as scalars. */
#define SC_LONG_SPREAD SC_PLAIN_SPREAD
#define SC_LONG_VALUE SC_PLAIN_VALUE
#define SC_LONG_SUM SC_PLAIN_SUM
#if defined(__x86_64__) && SC_VECTOR_BYTES == 16
#define SC_LONG_PRODUCT(lanes, a, b)                                                                                   \
  ({                                                                                                                   \
    vector products;                                                                                                   \
    _Pragma("clang loop unroll(full)") for (int lane = 0; lane < (lanes); ++lane) products[lane] =                     \
        (a)[lane] * (b)[lane];                                                                                         \
    products;                                                                                                          \
  })
#else
#define SC_LONG_PRODUCT SC_PLAIN_PRODUCT
#endif
#define SC_LONG_PRODUCT_SUM(lanes, sum, a, b) ((sum) + SC_LONG_PRODUCT(lanes, a, b))

#define SC_COMPLEX_SPREAD(lanes, x) SC_PAIRS(lanes, x, SC_FIRST_PAIR)
#define SC_COMPLEX_VALUE SC_PLAIN_VALUE
#define SC_COMPLEX_REAL(lanes, a, b) (SC_PAIRS(lanes, a, SC_REAL_TWICE) * (b))
#define SC_COMPLEX_ADD_IMAGINARY(lanes, sum, a, b)                                                                     \
  ((sum) + (vector){SC_PAIR_LIST_##lanes(SC_MINUS_FIRST, 0)} * SC_PAIRS(lanes, a, SC_IMAGINARY_TWICE) *                \
               SC_PAIRS(lanes, b, SC_OTHER_WAY))
#define SC_COMPLEX_PRODUCT(lanes, a, b) SC_COMPLEX_ADD_IMAGINARY(lanes, SC_COMPLEX_REAL(lanes, a, b), a, b)
#define SC_COMPLEX_SUM SC_PLAIN_SUM
#define SC_COMPLEX_PRODUCT_SUM(lanes, sum, a, b)                                                                       \
  SC_COMPLEX_ADD_IMAGINARY(lanes, (sum) + SC_COMPLEX_REAL(lanes, a, b), a, b)

/* Operands from x and y on: a vector of a factor, or its one element in all lanes. */
#define SC_LOAD_LINE(KIND, lanes, to, from) __builtin_memcpy(&to, from, sizeof to)
#define SC_LOAD_ONE(KIND, lanes, to, from)                                                                             \
  __builtin_memcpy(&one, from, sizeof one);                                                                            \
  to = SC_##KIND##_SPREAD(lanes, one)
#define SC_LOAD_NONE(KIND, lanes, to, from) (void)(from)
#define SC_AT_LINE(bytes) (bytes)
#define SC_AT_ONE(bytes) 0
#define SC_AT_NONE(bytes) 0

/* The terms of one and of two factors; the last argument says which y is. */
#define SC_TERM_LINE(KIND, lanes, a, b) SC_##KIND##_PRODUCT(lanes, a, b)
#define SC_TERM_ONE SC_TERM_LINE
#define SC_TERM_NONE(KIND, lanes, a, b) SC_##KIND##_VALUE(lanes, a)
#define SC_ADDED_LINE(KIND, lanes, sum, a, b) SC_##KIND##_PRODUCT_SUM(lanes, sum, a, b)
#define SC_ADDED_ONE SC_ADDED_LINE
#define SC_ADDED_NONE(KIND, lanes, sum, a, b) SC_##KIND##_SUM(sum, SC_##KIND##_VALUE(lanes, a))

/* sum[v] = the terms of vector v from byte `at` on, over all steps, added to what `target` holds unless sums start. */
#define SC_PRODUCT_PIECE(KIND, scalar, lanes, VECTORS, X, Y, sum, at)                                                  \
  {                                                                                                                    \
    const uint8_t *from_x = x + SC_AT_##X(at), *from_y = y + SC_AT_##Y(at);                                            \
    int64_t left = r.steps;                                                                                            \
    if (r.starts) {                                                                                                    \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; ++v) {                                           \
        SC_LOAD_##X(KIND, lanes, a, from_x + SC_AT_##X(v * sizeof a));                                                 \
        SC_LOAD_##Y(KIND, lanes, b, from_y + SC_AT_##Y(v * sizeof b));                                                 \
        sum[v] = SC_TERM_##Y(KIND, lanes, a, b);                                                                       \
      }                                                                                                                \
      from_x += r.x_step;                                                                                              \
      from_y += r.y_step;                                                                                              \
      --left;                                                                                                          \
    } else {                                                                                                           \
      __builtin_memcpy(sum, target + at, sizeof sum);                                                                  \
    }                                                                                                                  \
    _Pragma("clang loop unroll(disable)") for (; left > 0; --left, from_x += r.x_step, from_y += r.y_step) {           \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; ++v) {                                           \
        SC_LOAD_##X(KIND, lanes, a, from_x + SC_AT_##X(v * sizeof a));                                                 \
        SC_LOAD_##Y(KIND, lanes, b, from_y + SC_AT_##Y(v * sizeof b));                                                 \
        sum[v] = SC_ADDED_##Y(KIND, lanes, sum[v], a, b);                                                              \
      }                                                                                                                \
    }                                                                                                                  \
  }

/* The last vector is computed before the others are stored, and stored after them: it may lie over their end. Where
 * sums start, long rows have their vectors on cache lines, the first one but for its end. */
#define SC_PRODUCT_ROWS(KIND, scalar, per, lanes, X, Y)                                                                \
  {                                                                                                                    \
    typedef scalar vector __attribute__((ext_vector_type(lanes)));                                                     \
    typedef scalar element __attribute__((ext_vector_type(per)));                                                      \
    enum { MANY = (lanes) * sizeof(scalar) == 64 ? SC_VECTOR_BYTES / 16 : 1, EACH = sizeof(vector) };                  \
    const sc_product_rows r = *p;                                                                                      \
    const int64_t bytes = r.count * (int64_t)sizeof(element);                                                          \
    for (int64_t row = 0; row < r.rows; ++row) {                                                                       \
      const uint8_t *x = r.x + r.x_offsets[row], *y = r.y ? r.y + r.y_offsets[row] : x;                                \
      uint8_t *target = r.sums + (r.sum_offsets ? r.sum_offsets[row] : row * r.sum_pitch);                             \
      vector last[1], a, b;                                                                                            \
      element one;                                                                                                     \
      const int aligns = EACH == 64 && r.starts && bytes >= 4 * EACH;                                                  \
      const int64_t ahead = (int64_t)((uintptr_t)target % EACH / sizeof(element) * sizeof(element));                   \
      int64_t at = aligns ? EACH - ahead : 0;                                                                          \
      const int64_t left = (bytes - at) % EACH;                                                                        \
      if (left)                                                                                                        \
        SC_PRODUCT_PIECE(KIND, scalar, lanes, 1, X, Y, last, bytes - EACH)                                             \
      if (aligns) {                                                                                                    \
        vector sum[1];                                                                                                 \
        SC_PRODUCT_PIECE(KIND, scalar, lanes, 1, X, Y, sum, 0)                                                         \
        __builtin_memcpy(target, sum, sizeof sum);                                                                     \
      }                                                                                                                \
      _Pragma("clang loop unroll(disable)") for (; at + MANY * EACH <= bytes; at += MANY * EACH) {                     \
        vector sum[MANY];                                                                                              \
        SC_PRODUCT_PIECE(KIND, scalar, lanes, MANY, X, Y, sum, at)                                                     \
        __builtin_memcpy(target + at, sum, sizeof sum);                                                                \
      }                                                                                                                \
      _Pragma("clang loop unroll(disable)") for (; MANY > 1 && at + EACH <= bytes; at += EACH) {                       \
        vector sum[1];                                                                                                 \
        SC_PRODUCT_PIECE(KIND, scalar, lanes, 1, X, Y, sum, at)                                                        \
        __builtin_memcpy(target + at, sum, sizeof sum);                                                                \
      }                                                                                                                \
      if (left)                                                                                                        \
        __builtin_memcpy(target + bytes - EACH, last, sizeof last);                                                    \
      (void)b, (void)one;                                                                                              \
    }                                                                                                                  \
  }

/* The lanes of a vector onto each other, down to an element of one lane or of two. */
#define SC_FOLD_1_1(SUM, v) (v)[0]
#define SC_FOLD_1_2(SUM, v) (__typeof__((v)[0]))SUM((v)[0], (v)[1])
#define SC_FOLD_1_4(SUM, v)                                                                                            \
  ({                                                                                                                   \
    __auto_type folded_2 = SUM((v).lo, (v).hi);                                                                        \
    SC_FOLD_1_2(SUM, folded_2);                                                                                        \
  })
#define SC_FOLD_1_8(SUM, v)                                                                                            \
  ({                                                                                                                   \
    __auto_type folded_4 = SUM((v).lo, (v).hi);                                                                        \
    SC_FOLD_1_4(SUM, folded_4);                                                                                        \
  })
#define SC_FOLD_1_16(SUM, v)                                                                                           \
  ({                                                                                                                   \
    __auto_type folded_8 = SUM((v).lo, (v).hi);                                                                        \
    SC_FOLD_1_8(SUM, folded_8);                                                                                        \
  })
#define SC_FOLD_1_32(SUM, v)                                                                                           \
  ({                                                                                                                   \
    __auto_type folded_16 = SUM((v).lo, (v).hi);                                                                       \
    SC_FOLD_1_16(SUM, folded_16);                                                                                      \
  })
#define SC_FOLD_1_64(SUM, v)                                                                                           \
  ({                                                                                                                   \
    __auto_type folded_32 = SUM((v).lo, (v).hi);                                                                       \
    SC_FOLD_1_32(SUM, folded_32);                                                                                      \
  })
#define SC_FOLD_2_2(SUM, v) (v)
#define SC_FOLD_2_4(SUM, v) SUM((v).lo, (v).hi)
#define SC_FOLD_2_8(SUM, v)                                                                                            \
  ({                                                                                                                   \
    __auto_type folded_4 = SUM((v).lo, (v).hi);                                                                        \
    SC_FOLD_2_4(SUM, folded_4);                                                                                        \
  })
#define SC_FOLD_2_16(SUM, v)                                                                                           \
  ({                                                                                                                   \
    __auto_type folded_8 = SUM((v).lo, (v).hi);                                                                        \
    SC_FOLD_2_8(SUM, folded_8);                                                                                        \
  })

/* Of the last vector of a row, which lies over the end of the one before, only the lanes that are left count. */
#define SC_TOTAL_ROWS(KIND, scalar, per, lanes, X, Y)                                                                  \
  {                                                                                                                    \
    typedef scalar vector __attribute__((ext_vector_type(lanes)));                                                     \
    typedef scalar element __attribute__((ext_vector_type(per)));                                                      \
    enum { MANY = (lanes) * sizeof(scalar) == 64 ? SC_VECTOR_BYTES / 16 : 1, EACH = sizeof(vector) };                  \
    const sc_product_rows r = *p;                                                                                      \
    const int64_t bytes = r.count * (int64_t)sizeof(element), left = bytes % EACH / (int64_t)sizeof(scalar);           \
    scalar kept[lanes];                                                                                                \
    vector keeps = (vector)(scalar)0, a, b;                                                                            \
    element one;                                                                                                       \
    if (left > 0) {                                                                                                    \
      for (int64_t lane = 0; lane < (lanes); ++lane)                                                                   \
        kept[lane] = lane >= (lanes) - left;                                                                           \
      __builtin_memcpy(&keeps, kept, sizeof keeps);                                                                    \
    }                                                                                                                  \
    for (int64_t row = 0; row < r.rows; ++row) {                                                                       \
      const uint8_t *x = r.x + r.x_offsets[row], *y = r.y ? r.y + r.y_offsets[row] : x;                                \
      uint8_t *target = r.sums + (r.sum_offsets ? r.sum_offsets[row] : row * r.sum_pitch);                             \
      vector sum[MANY];                                                                                                \
      element total, held;                                                                                             \
      int64_t at = 0;                                                                                                  \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < MANY; ++v) sum[v] = (vector)(scalar)0;                    \
      _Pragma("clang loop unroll(disable)") for (; at + MANY * EACH <= bytes; at += MANY * EACH) {                     \
        _Pragma("clang loop unroll(full)") for (int v = 0; v < MANY; ++v) {                                            \
          SC_LOAD_##X(KIND, lanes, a, x + SC_AT_##X(at + v * sizeof a));                                               \
          SC_LOAD_##Y(KIND, lanes, b, y + SC_AT_##Y(at + v * sizeof b));                                               \
          sum[v] = SC_ADDED_##Y(KIND, lanes, sum[v], a, b);                                                            \
        }                                                                                                              \
      }                                                                                                                \
      _Pragma("clang loop unroll(disable)") for (; MANY > 1 && at + EACH <= bytes; at += EACH) {                       \
        SC_LOAD_##X(KIND, lanes, a, x + SC_AT_##X(at));                                                                \
        SC_LOAD_##Y(KIND, lanes, b, y + SC_AT_##Y(at));                                                                \
        sum[0] = SC_ADDED_##Y(KIND, lanes, sum[0], a, b);                                                              \
      }                                                                                                                \
      if (left > 0) {                                                                                                  \
        SC_LOAD_##X(KIND, lanes, a, x + SC_AT_##X(bytes - EACH));                                                      \
        SC_LOAD_##Y(KIND, lanes, b, y + SC_AT_##Y(bytes - EACH));                                                      \
        a = SC_TERM_##Y(KIND, lanes, a, b);                                                                            \
        a = keeps != (vector)(scalar)0 ? a : (vector)(scalar)0;                                                        \
        sum[MANY - 1] = SC_##KIND##_SUM(sum[MANY - 1], a);                                                             \
      }                                                                                                                \
      _Pragma("clang loop unroll(full)") for (int half = MANY / 2; half > 0; half /= 2) {                              \
        _Pragma("clang loop unroll(full)") for (int v = 0; v < half; ++v) sum[v] =                                     \
            SC_##KIND##_SUM(sum[v], sum[v + half]);                                                                    \
      }                                                                                                                \
      total = SC_FOLD_##per##_##lanes(SC_##KIND##_SUM, sum[0]);                                                        \
      if (!r.starts) {                                                                                                 \
        __builtin_memcpy(&held, target, sizeof held);                                                                  \
        total = SC_##KIND##_SUM(held, total);                                                                          \
      }                                                                                                                \
      __builtin_memcpy(target, &total, sizeof total);                                                                  \
      (void)b, (void)one;                                                                                              \
    }                                                                                                                  \
  }

/* The widest vector that a row fills. */
#define SC_BY_WIDTH(ROWS, KIND, scalar, per, in_64, in_32, in_16, in_8, X, Y)                                          \
  {                                                                                                                    \
    const int64_t size = (per) * sizeof(scalar);                                                                       \
    if (p->count * size >= 64)                                                                                         \
      ROWS(KIND, scalar, per, in_64, X, Y)                                                                             \
    else if (p->count * size >= 32)                                                                                    \
      ROWS(KIND, scalar, per, in_32, X, Y)                                                                             \
    else if (p->count * size >= 16)                                                                                    \
      ROWS(KIND, scalar, per, in_16, X, Y)                                                                             \
    else if (size < 8 && p->count * size >= 8)                                                                         \
      ROWS(KIND, scalar, per, in_8, X, Y)                                                                              \
    else                                                                                                               \
      ROWS(KIND, scalar, per, per, X, Y)                                                                               \
  }

/* A product's factor that is one element comes first. */
#define SC_BY_FACTORS(ROWS, ...)                                                                                       \
  {                                                                                                                    \
    sc_product_rows turned;                                                                                            \
    if (p->y && p->y_is_one && !p->x_is_one) {                                                                         \
      turned = *p;                                                                                                     \
      turned.x = p->y, turned.x_offsets = p->y_offsets, turned.x_step = p->y_step, turned.x_is_one = 1;                \
      turned.y = p->x, turned.y_offsets = p->x_offsets, turned.y_step = p->x_step, turned.y_is_one = 0;                \
      p = &turned;                                                                                                     \
    }                                                                                                                  \
    if (p->y == 0 && p->x_is_one)                                                                                      \
      SC_BY_WIDTH(ROWS, __VA_ARGS__, ONE, NONE)                                                                        \
    else if (p->y == 0)                                                                                                \
      SC_BY_WIDTH(ROWS, __VA_ARGS__, LINE, NONE)                                                                       \
    else if (p->y_is_one)                                                                                              \
      SC_BY_WIDTH(ROWS, __VA_ARGS__, ONE, ONE)                                                                         \
    else if (p->x_is_one)                                                                                              \
      SC_BY_WIDTH(ROWS, __VA_ARGS__, ONE, LINE)                                                                        \
    else                                                                                                               \
      SC_BY_WIDTH(ROWS, __VA_ARGS__, LINE, LINE)                                                                       \
  }

/* sc_add_products_NAME:  sums[row][i] (+)= the sum over steps of x[row][step][i] * y[row][step][i], in their order
 * sc_total_products_NAME:  sums[row] (+)= the sum over i of x[row][i] * y[row][i], in an order that the count decides
 */
#define SC_DEFINE_PRODUCTS(name, ...)                                                                                  \
  static inline void sc_add_products_##name(const sc_product_rows *p) { SC_BY_FACTORS(SC_PRODUCT_ROWS, __VA_ARGS__) }  \
  static inline void sc_total_products_##name(const sc_product_rows *p) { SC_BY_FACTORS(SC_TOTAL_ROWS, __VA_ARGS__) }

SC_DEFINE_PRODUCTS(bool, BOOL, uint8_t, 1, 64, 32, 16, 8)
SC_DEFINE_PRODUCTS(u8, PLAIN, uint8_t, 1, 64, 32, 16, 8)
SC_DEFINE_PRODUCTS(u16, PLAIN, uint16_t, 1, 32, 16, 8, 4)
SC_DEFINE_PRODUCTS(u32, PLAIN, uint32_t, 1, 16, 8, 4, 2)
SC_DEFINE_PRODUCTS(u64, LONG, uint64_t, 1, 8, 4, 2, 1)
SC_DEFINE_PRODUCTS(f32, PLAIN, float, 1, 16, 8, 4, 2)
SC_DEFINE_PRODUCTS(f64, PLAIN, double, 1, 8, 4, 2, 1)
SC_DEFINE_PRODUCTS(c64, COMPLEX, float, 2, 16, 8, 4, 2)
SC_DEFINE_PRODUCTS(c128, COMPLEX, double, 2, 8, 4, 2, 2)
#endif
