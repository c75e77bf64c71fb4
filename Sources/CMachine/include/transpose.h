/* transpose.h: rows that become columns, in 16-byte vectors: tiles of as many rows as a vector has lanes. */
#ifndef SWIFTCONV_TRANSPOSE_H
#define SWIFTCONV_TRANSPOSE_H

#include <stdint.h>

#include "vector.h"

/* destination[c][r] = source[r][c] throughout: elements lie side by side along c in the source and along r in the
 * destination; the other strides are in bytes. */

/* Lanes of two vectors of n lanes by turns, within each 16 bytes from lane b on: their low halves, their high ones.
 * log2(lanes) rounds over all pairs of rows half a tile apart transpose a tile. */
#define SC_LOW_2(b, n) b, (n) + (b)
#define SC_HIGH_2(b, n) (b) + 1, (n) + (b) + 1
#define SC_TURNS_2(b, n) SC_LOW_2(b, n), SC_HIGH_2(b, n)
#define SC_TURNS_4(b, n) SC_TURNS_2(b, n), SC_TURNS_2((b) + 2, n)
#define SC_TURNS_8(b, n) SC_TURNS_4(b, n), SC_TURNS_4((b) + 4, n)
#define SC_TURNS_16(b, n) SC_TURNS_8(b, n), SC_TURNS_8((b) + 8, n)
#define SC_TURNS_32(b, n) SC_TURNS_16(b, n), SC_TURNS_16((b) + 16, n)
#define SC_LOW_4(b, n) SC_TURNS_2(b, n)
#define SC_HIGH_4(b, n) SC_TURNS_2((b) + 2, n)
#define SC_LOW_8(b, n) SC_TURNS_4(b, n)
#define SC_HIGH_8(b, n) SC_TURNS_4((b) + 4, n)
#define SC_LOW_16(b, n) SC_TURNS_8(b, n)
#define SC_HIGH_16(b, n) SC_TURNS_8((b) + 8, n)
#define SC_PARTS_1(which, lanes, n) which##_##lanes(0, n)
#define SC_PARTS_2(which, lanes, n) which##_##lanes(0, n), which##_##lanes(lanes, n)
#define SC_PARTS_4(which, lanes, n)                                                                                    \
  SC_PARTS_2(which, lanes, n), which##_##lanes(2 * lanes, n), which##_##lanes(3 * lanes, n)

/* One tile: row i + lanes * part lies in 16-byte part `part` of vector i, so that turning all parts at once leaves each
 * column's rows in order. ROW is the address of row i + lanes * part; the first `stored` columns are written. */
#define SC_TRANSPOSE_TILE(vector, lanes, parts, rounds, ROW, stored)                                                   \
  do {                                                                                                                 \
    vector tile[lanes], turned[lanes];                                                                                 \
    uint8_t *column = destination + c * destination_stride + r * size;                                                 \
    _Pragma("clang loop unroll(full)") for (int part = 0; part < parts; ++part) {                                      \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < lanes; ++i)                                               \
          __builtin_memcpy((uint8_t *)&tile[i] + 16 * part, ROW, 16);                                                  \
    }                                                                                                                  \
    _Pragma("clang loop unroll(full)") for (int round = 0; round < rounds; ++round) {                                  \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < lanes / 2; ++i) {                                         \
        turned[2 * i] =                                                                                                \
            __builtin_shufflevector(tile[i], tile[i + lanes / 2], SC_PARTS_##parts(SC_LOW, lanes, (parts * lanes)));   \
        turned[2 * i + 1] =                                                                                            \
            __builtin_shufflevector(tile[i], tile[i + lanes / 2], SC_PARTS_##parts(SC_HIGH, lanes, (parts * lanes)));  \
      }                                                                                                                \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < lanes; ++i) tile[i] = turned[i];                          \
    }                                                                                                                  \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < lanes; ++i, column += destination_stride) {                 \
      if (i < (stored))                                                                                                \
        __builtin_memcpy(column, &tile[i], sizeof(vector));                                                            \
    }                                                                                                                  \
  } while (0)

/* Whole tiles, those at the ends over their neighbours: at least `high` rows and `lanes` columns. BEGIN prepares ROW.
 */
#define SC_TRANSPOSE_TILES(vector, lanes, parts, rounds, BEGIN, ROW)                                                   \
  for (int64_t c = 0; c < columns; c += lanes) {                                                                       \
    if (c > columns - lanes)                                                                                           \
      c = columns - lanes;                                                                                             \
    for (int64_t r = 0; r < rows; r += lanes * parts) {                                                                \
      if (r > rows - lanes * parts)                                                                                    \
        r = rows - lanes * parts;                                                                                      \
      BEGIN;                                                                                                           \
      SC_TRANSPOSE_TILE(vector, lanes, parts, rounds, ROW, lanes);                                                     \
    }                                                                                                                  \
  }

#if SC_VECTOR_BYTES == 64
#define SC_TRANSPOSE_PARTS 4
#elif SC_VECTOR_BYTES == 32
#define SC_TRANSPOSE_PARTS 2
#else
#define SC_TRANSPOSE_PARTS 1
#endif
#define SC_EXPANDED(macro, ...) macro(__VA_ARGS__)
#define SC_ROW_BEGIN const uint8_t *row = source + r * source_stride + c * size - source_stride
#define SC_ROW_NEXT (row += source_stride)
#define SC_ROW_AT (source + offsets[r + i + part * (16 / size)] + c * size)

/* Reads no byte but what lies between a row's elements and the next one's no more than a page apart: where there are
 * fewer columns than lanes, a vector is read past its row's end. Fewer rows than lanes that leave no gaps between
 * columns are written past a column's end, where the next column comes later. */
#define SC_TRANSPOSE(name, scalar, lanes, rounds)                                                                      \
  typedef scalar sc_tile_##name __attribute__((ext_vector_type(lanes)));                                               \
  typedef scalar sc_half_##name __attribute__((ext_vector_type(2 * (lanes))));                                         \
                                                                                                                       \
  static inline void sc_transpose_scalar_##name(uint8_t *destination, int64_t destination_stride,                      \
                                                const uint8_t *source, int64_t source_stride, int64_t rows,            \
                                                int64_t columns) {                                                     \
    const int64_t size = sizeof(scalar);                                                                               \
    for (int64_t c = 0; c < columns; ++c)                                                                              \
      for (int64_t r = 0; r < rows; ++r)                                                                               \
        __builtin_memcpy(destination + c * destination_stride + r * size, source + r * source_stride + c * size,       \
                         sizeof(scalar));                                                                              \
  }                                                                                                                    \
                                                                                                                       \
  static inline void sc_transpose_few_columns_##name(uint8_t *destination, int64_t destination_stride,                 \
                                                     const uint8_t *source, int64_t source_stride, int64_t rows,       \
                                                     int64_t columns) {                                                \
    const int64_t size = sizeof(scalar), c = 0, end = (rows - 1) * source_stride + columns * size;                     \
    int64_t r = 0;                                                                                                     \
    for (; r + lanes <= rows && (r + lanes - 1) * source_stride + 16 <= end; r += lanes)                               \
      SC_TRANSPOSE_TILE(sc_tile_##name, lanes, 1, rounds, source + (r + i) * source_stride, columns);                  \
    sc_transpose_scalar_##name(destination + r * size, destination_stride, source + r * source_stride, source_stride,  \
                               rows - r, columns);                                                                     \
  }                                                                                                                    \
                                                                                                                       \
  static inline void sc_transpose_few_rows_##name(uint8_t *destination, int64_t destination_stride,                    \
                                                  const uint8_t *source, int64_t source_stride, int64_t rows,          \
                                                  int64_t columns) {                                                   \
    const int64_t size = sizeof(scalar), r = 0, end = columns * destination_stride;                                    \
    int64_t c = 0;                                                                                                     \
    for (; c + lanes <= columns && (c + lanes - 1) * destination_stride + 16 <= end; c += lanes)                       \
      SC_TRANSPOSE_TILE(sc_tile_##name, lanes, 1, rounds, source + (i < rows ? i : 0) * source_stride + c * size,      \
                        lanes);                                                                                        \
    sc_transpose_scalar_##name(destination + c * destination_stride, destination_stride, source + c * size,            \
                               source_stride, rows, columns - c);                                                      \
  }                                                                                                                    \
                                                                                                                       \
  static inline void sc_transpose_##name(uint8_t *destination, int64_t destination_stride, const uint8_t *source,      \
                                         int64_t source_stride, int64_t rows, int64_t columns) {                       \
    const int64_t size = sizeof(scalar);                                                                               \
    if (rows >= lanes * SC_TRANSPOSE_PARTS && columns >= lanes) {                                                      \
      SC_EXPANDED(SC_TRANSPOSE_TILES, sc_##name##v, lanes, SC_TRANSPOSE_PARTS, rounds, SC_ROW_BEGIN, SC_ROW_NEXT)      \
    } else if (SC_TRANSPOSE_PARTS == 4 && rows >= lanes * 2 && columns >= lanes) {                                     \
      SC_TRANSPOSE_TILES(sc_half_##name, lanes, 2, rounds, SC_ROW_BEGIN, SC_ROW_NEXT)                                  \
    } else if (rows >= lanes && columns >= lanes) {                                                                    \
      SC_TRANSPOSE_TILES(sc_tile_##name, lanes, 1, rounds, SC_ROW_BEGIN, SC_ROW_NEXT)                                  \
    } else if (rows == 2 && columns >= lanes && destination_stride == 2 * size) {                                      \
      sc_join_two_##name(destination, source, source_stride, columns);                                                 \
    } else if (columns == 2 && rows >= lanes && source_stride == 2 * size) {                                           \
      sc_part_two_##name(destination, destination_stride, source, rows);                                               \
    } else if (rows == 3 && columns >= lanes && destination_stride == 3 * size) {                                      \
      sc_join_three_##name(destination, source, source_stride, columns);                                               \
    } else if (columns == 3 && rows >= lanes && source_stride == 3 * size) {                                           \
      sc_part_three_##name(destination, destination_stride, source, rows);                                             \
    } else if (rows >= lanes && columns > 1 && source_stride > 0 && source_stride <= 4096) {                           \
      sc_transpose_few_columns_##name(destination, destination_stride, source, source_stride, rows, columns);          \
    } else if (columns >= lanes && rows > 1 && destination_stride == rows * size) {                                    \
      sc_transpose_few_rows_##name(destination, destination_stride, source, source_stride, rows, columns);             \
    } else {                                                                                                           \
      sc_transpose_scalar_##name(destination, destination_stride, source, source_stride, rows, columns);               \
    }                                                                                                                  \
  }                                                                                                                    \
                                                                                                                       \
  /* The same of rows at any byte offsets from `source`. */                                                            \
  static inline void sc_transpose_rows_##name(uint8_t *destination, int64_t destination_stride, const uint8_t *source, \
                                              const int64_t *offsets, int64_t rows, int64_t columns) {                 \
    const int64_t size = sizeof(scalar);                                                                               \
    if (rows >= lanes * SC_TRANSPOSE_PARTS && columns >= lanes) {                                                      \
      SC_EXPANDED(SC_TRANSPOSE_TILES, sc_##name##v, lanes, SC_TRANSPOSE_PARTS, rounds, (void)0, SC_ROW_AT)             \
      return;                                                                                                          \
    }                                                                                                                  \
    if (SC_TRANSPOSE_PARTS == 4 && rows >= lanes * 2 && columns >= lanes) {                                            \
      SC_TRANSPOSE_TILES(sc_half_##name, lanes, 2, rounds, (void)0, SC_ROW_AT)                                         \
      return;                                                                                                          \
    }                                                                                                                  \
    if (rows >= lanes && columns >= lanes) {                                                                           \
      SC_TRANSPOSE_TILES(sc_tile_##name, lanes, 1, rounds, (void)0, SC_ROW_AT)                                         \
      return;                                                                                                          \
    }                                                                                                                  \
    for (int64_t r = 0; r < rows; ++r)                                                                                 \
      for (int64_t c = 0; c < columns; ++c)                                                                            \
        __builtin_memcpy(destination + c * destination_stride + r * size, source + offsets[r] + c * size,              \
                         sizeof(scalar));                                                                              \
  }

/* Two and three at a time, as complex numbers and colours lie: lists of lanes for joining three vectors of n lanes and
 * for parting them. */
#define SC_JOIN_1(i, n) i, (n) + (i), 2 * (n) + (i)
#define SC_JOIN_2(i, n) SC_JOIN_1(i, n), SC_JOIN_1((i) + 1, n)
#define SC_JOIN_4(i, n) SC_JOIN_2(i, n), SC_JOIN_2((i) + 2, n)
#define SC_JOIN_8(i, n) SC_JOIN_4(i, n), SC_JOIN_4((i) + 4, n)
#define SC_JOIN_16(i, n) SC_JOIN_8(i, n), SC_JOIN_8((i) + 8, n)
#define SC_JOIN_32(i, n) SC_JOIN_16(i, n), SC_JOIN_16((i) + 16, n)
#define SC_PART_2(i) i, (i) + 3
#define SC_PART_4(i) SC_PART_2(i), SC_PART_2((i) + 6)
#define SC_PART_8(i) SC_PART_4(i), SC_PART_4((i) + 12)
#define SC_PART_16(i) SC_PART_8(i), SC_PART_8((i) + 24)
#define SC_PART_32(i) SC_PART_16(i), SC_PART_16((i) + 48)
#define SC_LANES_4(i) i, (i) + 1, (i) + 2, (i) + 3
#define SC_LANES_8(i) SC_LANES_4(i), SC_LANES_4((i) + 4)
#define SC_LANES_16(i) SC_LANES_8(i), SC_LANES_8((i) + 8)
#define SC_LANES_32(i) SC_LANES_16(i), SC_LANES_16((i) + 16)
#define SC_LANES_64(i) SC_LANES_32(i), SC_LANES_32((i) + 32)

/* Blocks of `lanes`, the last one over its predecessor: `count` is at least `lanes`. */
#define SC_THREE_BLOCKS(name, scalar, lanes, twice)                                                                    \
  typedef scalar sc_one_##name##lanes __attribute__((ext_vector_type(lanes)));                                         \
  typedef scalar sc_two_##name##lanes __attribute__((ext_vector_type(twice)));                                         \
  typedef scalar sc_three_##name##lanes __attribute__((ext_vector_type(lanes + twice)));                               \
                                                                                                                       \
  static inline void sc_join_three_##name##lanes(uint8_t *destination, const uint8_t *source, int64_t source_stride,   \
                                                 int64_t count) {                                                      \
    const int64_t size = sizeof(scalar), bytes = lanes * size;                                                         \
    for (int64_t i = 0; i < count; i += lanes) {                                                                       \
      sc_one_##name##lanes a, b, c;                                                                                    \
      sc_two_##name##lanes ab, cc;                                                                                     \
      sc_three_##name##lanes joined;                                                                                   \
      if (i > count - lanes)                                                                                           \
        i = count - lanes;                                                                                             \
      __builtin_memcpy(&a, source + i * size, sizeof a);                                                               \
      __builtin_memcpy(&b, source + source_stride + i * size, sizeof b);                                               \
      __builtin_memcpy(&c, source + 2 * source_stride + i * size, sizeof c);                                           \
      ab = __builtin_shufflevector(a, b, SC_LANES_##twice(0));                                                         \
      cc = __builtin_shufflevector(c, c, SC_LANES_##twice(0));                                                         \
      joined = __builtin_shufflevector(ab, cc, SC_JOIN_##lanes(0, lanes));                                             \
      __builtin_memcpy(destination + 3 * i * size, &joined, (uint64_t)(3 * bytes));                                    \
    }                                                                                                                  \
  }                                                                                                                    \
                                                                                                                       \
  static inline void sc_part_three_##name##lanes(uint8_t *destination, int64_t destination_stride,                     \
                                                 const uint8_t *source, int64_t count) {                               \
    const int64_t size = sizeof(scalar), bytes = lanes * size;                                                         \
    for (int64_t i = 0; i < count; i += lanes) {                                                                       \
      sc_one_##name##lanes a, b, c;                                                                                    \
      sc_three_##name##lanes joined;                                                                                   \
      if (i > count - lanes)                                                                                           \
        i = count - lanes;                                                                                             \
      __builtin_memcpy(&joined, source + 3 * i * size, (uint64_t)(3 * bytes));                                         \
      a = __builtin_shufflevector(joined, joined, SC_PART_##lanes(0));                                                 \
      b = __builtin_shufflevector(joined, joined, SC_PART_##lanes(1));                                                 \
      c = __builtin_shufflevector(joined, joined, SC_PART_##lanes(2));                                                 \
      __builtin_memcpy(destination + i * size, &a, sizeof a);                                                          \
      __builtin_memcpy(destination + destination_stride + i * size, &b, sizeof b);                                     \
      __builtin_memcpy(destination + 2 * destination_stride + i * size, &c, sizeof c);                                 \
    }                                                                                                                  \
  }

/* Two rows joined and parted, by the same blocks. */
#define SC_TWO_BLOCKS(name, scalar, lanes)                                                                             \
  static inline void sc_join_two_##name##lanes(uint8_t *destination, const uint8_t *source, int64_t source_stride,     \
                                               int64_t count) {                                                        \
    const int64_t size = sizeof(scalar);                                                                               \
    for (int64_t i = 0; i < count; i += lanes) {                                                                       \
      sc_one_##name##lanes a, b;                                                                                       \
      sc_two_##name##lanes joined;                                                                                     \
      if (i > count - lanes)                                                                                           \
        i = count - lanes;                                                                                             \
      __builtin_memcpy(&a, source + i * size, sizeof a);                                                               \
      __builtin_memcpy(&b, source + source_stride + i * size, sizeof b);                                               \
      joined = __builtin_shufflevector(a, b, SC_TURNS_##lanes(0, lanes));                                              \
      __builtin_memcpy(destination + 2 * i * size, &joined, sizeof joined);                                            \
    }                                                                                                                  \
  }                                                                                                                    \
                                                                                                                       \
  static inline void sc_part_two_##name##lanes(uint8_t *destination, int64_t destination_stride,                       \
                                               const uint8_t *source, int64_t count) {                                 \
    const int64_t size = sizeof(scalar);                                                                               \
    for (int64_t i = 0; i < count; i += lanes) {                                                                       \
      sc_one_##name##lanes a, b;                                                                                       \
      sc_two_##name##lanes joined;                                                                                     \
      if (i > count - lanes)                                                                                           \
        i = count - lanes;                                                                                             \
      __builtin_memcpy(&joined, source + 2 * i * size, sizeof joined);                                                 \
      a = joined.even;                                                                                                 \
      b = joined.odd;                                                                                                  \
      __builtin_memcpy(destination + i * size, &a, sizeof a);                                                          \
      __builtin_memcpy(destination + destination_stride + i * size, &b, sizeof b);                                     \
    }                                                                                                                  \
  }
#define SC_JOIN(count_name, name, lanes, twice)                                                                        \
  static inline void sc_join_##count_name##_##name(uint8_t *destination, const uint8_t *source, int64_t source_stride, \
                                                   int64_t count) {                                                    \
    if (count >= twice)                                                                                                \
      sc_join_##count_name##_##name##twice(destination, source, source_stride, count);                                 \
    else                                                                                                               \
      sc_join_##count_name##_##name##lanes(destination, source, source_stride, count);                                 \
  }                                                                                                                    \
  static inline void sc_part_##count_name##_##name(uint8_t *destination, int64_t destination_stride,                   \
                                                   const uint8_t *source, int64_t count) {                             \
    if (count >= twice)                                                                                                \
      sc_part_##count_name##_##name##twice(destination, destination_stride, source, count);                            \
    else                                                                                                               \
      sc_part_##count_name##_##name##lanes(destination, destination_stride, source, count);                            \
  }
#define SC_TWO_AND_THREE(name, scalar, lanes, twice, fourfold)                                                         \
  SC_THREE_BLOCKS(name, scalar, lanes, twice)                                                                          \
  SC_THREE_BLOCKS(name, scalar, twice, fourfold)                                                                       \
  SC_TWO_BLOCKS(name, scalar, lanes)                                                                                   \
  SC_TWO_BLOCKS(name, scalar, twice)                                                                                   \
  SC_JOIN(two, name, lanes, twice)                                                                                     \
  SC_JOIN(three, name, lanes, twice)
SC_TWO_AND_THREE(u8, uint8_t, 16, 32, 64)
SC_TWO_AND_THREE(u16, uint16_t, 8, 16, 32)
SC_TWO_AND_THREE(u32, uint32_t, 4, 8, 16)
SC_TWO_AND_THREE(u64, uint64_t, 2, 4, 8)
SC_TRANSPOSE(u8, uint8_t, 16, 4)
SC_TRANSPOSE(u16, uint16_t, 8, 3)
SC_TRANSPOSE(u32, uint32_t, 4, 2)
SC_TRANSPOSE(u64, uint64_t, 2, 1)

#endif
