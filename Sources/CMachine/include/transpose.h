/* transpose.h: rows that become columns, in 16-byte vectors: tiles of as many rows as a vector has lanes. */
#ifndef SWIFTCONV_TRANSPOSE_H
#define SWIFTCONV_TRANSPOSE_H

#include <stdint.h>

#include "vector.h"

/* Lanes of two vectors by turns: first the low halves, then the high ones. log2(lanes) rounds over all pairs of rows
 * half a tile apart transpose the tile. */
#define SC_LOW_2 0, 2
#define SC_HIGH_2 1, 3
#define SC_LOW_4 0, 4, 1, 5
#define SC_HIGH_4 2, 6, 3, 7
#define SC_LOW_8 0, 8, 1, 9, 2, 10, 3, 11
#define SC_HIGH_8 4, 12, 5, 13, 6, 14, 7, 15
#define SC_LOW_16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define SC_HIGH_16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31

/* destination[c][r] = source[r][c]: elements lie side by side along c in the source and along r in the destination; the
 * other strides are in bytes. Nothing outside the elements is written, and nothing read but what lies between a row's
 * elements and the next one's no more than a page apart.
 *
 * Tiles at the ends overlap their neighbours. Where there are fewer rows or columns than lanes, vectors are read past a
 * row's end into the next row, or written past a column's end where the next column, written later, follows at once. */
#define SC_TRANSPOSE(name, scalar, lanes, rounds)                                                                      \
  typedef scalar sc_tile_##name __attribute__((ext_vector_type(lanes)));                                               \
                                                                                                                       \
  static inline __attribute__((always_inline)) void sc_interleave_##name(sc_tile_##name *v) {                          \
    sc_tile_##name w[lanes];                                                                                           \
    _Pragma("clang loop unroll(full)") for (int round = 0; round < rounds; ++round) {                                  \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < lanes / 2; ++i) {                                         \
        w[2 * i] = __builtin_shufflevector(v[i], v[i + lanes / 2], SC_LOW_##lanes);                                    \
        w[2 * i + 1] = __builtin_shufflevector(v[i], v[i + lanes / 2], SC_HIGH_##lanes);                               \
      }                                                                                                                \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < lanes; ++i) v[i] = w[i];                                  \
    }                                                                                                                  \
  }                                                                                                                    \
                                                                                                                       \
  static inline void sc_transpose_scalar_##name(uint8_t *destination, int64_t destination_stride,                      \
                                                const uint8_t *source, int64_t source_stride, int64_t rows,            \
                                                int64_t columns) {                                                     \
    for (int64_t c = 0; c < columns; ++c)                                                                              \
      for (int64_t r = 0; r < rows; ++r)                                                                               \
        __builtin_memcpy(destination + c * destination_stride + r * (int64_t)sizeof(scalar),                           \
                         source + r * source_stride + c * (int64_t)sizeof(scalar), sizeof(scalar));                    \
  }                                                                                                                    \
                                                                                                                       \
  static inline void sc_transpose_few_columns_##name(uint8_t *destination, int64_t destination_stride,                 \
                                                     const uint8_t *source, int64_t source_stride, int64_t rows,       \
                                                     int64_t columns) {                                                \
    const int64_t size = sizeof(scalar), end = (rows - 1) * source_stride + columns * size;                            \
    int64_t r = 0;                                                                                                     \
    sc_tile_##name tile[lanes];                                                                                        \
    for (; r + lanes <= rows && (r + lanes - 1) * source_stride + 16 <= end; r += lanes) {                             \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < lanes; ++i)                                               \
          __builtin_memcpy(&tile[i], source + (r + i) * source_stride, 16);                                            \
      sc_interleave_##name(tile);                                                                                      \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < lanes; ++i) if (i < columns)                              \
          __builtin_memcpy(destination + i * destination_stride + r * size, &tile[i], 16);                             \
    }                                                                                                                  \
    sc_transpose_scalar_##name(destination + r * size, destination_stride, source + r * source_stride, source_stride,  \
                               rows - r, columns);                                                                     \
  }                                                                                                                    \
                                                                                                                       \
  static inline void sc_transpose_few_rows_##name(uint8_t *destination, int64_t destination_stride,                    \
                                                  const uint8_t *source, int64_t source_stride, int64_t rows,          \
                                                  int64_t columns) {                                                   \
    const int64_t size = sizeof(scalar), end = columns * destination_stride;                                           \
    int64_t c = 0;                                                                                                     \
    sc_tile_##name tile[lanes];                                                                                        \
    for (; c + lanes <= columns && (c + lanes - 1) * destination_stride + 16 <= end; c += lanes) {                     \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < lanes; ++i) if (i < rows)                                 \
          __builtin_memcpy(&tile[i], source + i * source_stride + c * size, 16);                                       \
      sc_interleave_##name(tile);                                                                                      \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < lanes; ++i)                                               \
          __builtin_memcpy(destination + (c + i) * destination_stride, &tile[i], 16);                                  \
    }                                                                                                                  \
    sc_transpose_scalar_##name(destination + c * destination_stride, destination_stride, source + c * size,            \
                               source_stride, rows, columns - c);                                                      \
  }                                                                                                                    \
                                                                                                                       \
  static inline void sc_transpose_##name(uint8_t *destination, int64_t destination_stride, const uint8_t *source,      \
                                         int64_t source_stride, int64_t rows, int64_t columns) {                       \
    const int64_t size = sizeof(scalar);                                                                               \
    if (rows < lanes || columns < lanes) {                                                                             \
      if (rows >= lanes && columns > 1 && source_stride > 0 && source_stride <= 4096)                                  \
        sc_transpose_few_columns_##name(destination, destination_stride, source, source_stride, rows, columns);        \
      else if (columns >= lanes && rows > 1 && destination_stride == rows * size)                                      \
        sc_transpose_few_rows_##name(destination, destination_stride, source, source_stride, rows, columns);           \
      else                                                                                                             \
        sc_transpose_scalar_##name(destination, destination_stride, source, source_stride, rows, columns);             \
      return;                                                                                                          \
    }                                                                                                                  \
    for (int64_t c = 0; c < columns; c += lanes) {                                                                     \
      if (c > columns - lanes)                                                                                         \
        c = columns - lanes;                                                                                           \
      for (int64_t r = 0; r < rows; r += lanes) {                                                                      \
        sc_tile_##name tile[lanes];                                                                                    \
        if (r > rows - lanes)                                                                                          \
          r = rows - lanes;                                                                                            \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < lanes; ++i)                                             \
            __builtin_memcpy(&tile[i], source + (r + i) * source_stride + c * size, 16);                               \
        sc_interleave_##name(tile);                                                                                    \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < lanes; ++i)                                             \
            __builtin_memcpy(destination + (c + i) * destination_stride + r * size, &tile[i], 16);                     \
      }                                                                                                                \
    }                                                                                                                  \
  }
SC_TRANSPOSE(u8, uint8_t, 16, 4)
SC_TRANSPOSE(u16, uint16_t, 8, 3)
SC_TRANSPOSE(u32, uint32_t, 4, 2)
SC_TRANSPOSE(u64, uint64_t, 2, 1)

#endif
