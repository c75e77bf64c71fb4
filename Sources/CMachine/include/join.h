/* join.h: rows of small elements joined to rows of 32-bit words, word i of a group made of element i of 2 or 4 rows. */
#ifndef SWIFTCONV_JOIN_H
#define SWIFTCONV_JOIN_H

#include <stdint.h>

#include "transpose.h"
#include "vector.h"

/* Rows begin at source + offsets[0 .. rows); what the last group lacks is zero. A group's `count` words, at most 4
 * vectors, lie side by side, groups `pitch` bytes apart. */
#define SC_ROW(r) ((r) < rows ? source + offsets[r] : zeros)

/* `count` is a multiple of 4. */
static inline void sc_join_pairs(uint8_t *destination, int64_t pitch, const uint8_t *source, const intptr_t *offsets,
                                 int64_t rows, int64_t count) {
  typedef uint16_t four __attribute__((ext_vector_type(4)));
  typedef uint16_t eight __attribute__((ext_vector_type(8)));
  const uint8_t zeros[2 * SC_VECTOR_BYTES] = {0};
  for (int64_t r = 0; r < rows; r += 2, destination += pitch) {
    const uint8_t *const first = SC_ROW(r), *const second = SC_ROW(r + 1);
    for (int64_t i = 0; i < count; i += 4) {
      four a, b;
      eight words;
      __builtin_memcpy(&a, first + 2 * i, sizeof a);
      __builtin_memcpy(&b, second + 2 * i, sizeof b);
      words = __builtin_shufflevector(a, b, SC_TURNS_4(0, 4));
      __builtin_memcpy(destination + 4 * i, &words, sizeof words);
    }
  }
}

/* Four vectors of bytes, by turns within each 16 bytes: part p of output vector q holds words 4 q .. 4 q + 3 of what
 * part p of the inputs held. */
#define SC_JOIN_FOUR(shorts, parts, out)                                                                               \
  {                                                                                                                    \
    const shorts ab_low = (shorts)__builtin_shufflevector(a, b, SC_PARTS_##parts(SC_LOW, 16, 16 * parts));             \
    const shorts ab_high = (shorts)__builtin_shufflevector(a, b, SC_PARTS_##parts(SC_HIGH, 16, 16 * parts));           \
    const shorts cd_low = (shorts)__builtin_shufflevector(c, d, SC_PARTS_##parts(SC_LOW, 16, 16 * parts));             \
    const shorts cd_high = (shorts)__builtin_shufflevector(c, d, SC_PARTS_##parts(SC_HIGH, 16, 16 * parts));           \
    out[0] = __builtin_shufflevector(ab_low, cd_low, SC_PARTS_##parts(SC_LOW, 8, 8 * parts));                          \
    out[1] = __builtin_shufflevector(ab_low, cd_low, SC_PARTS_##parts(SC_HIGH, 8, 8 * parts));                         \
    out[2] = __builtin_shufflevector(ab_high, cd_high, SC_PARTS_##parts(SC_LOW, 8, 8 * parts));                        \
    out[3] = __builtin_shufflevector(ab_high, cd_high, SC_PARTS_##parts(SC_HIGH, 8, 8 * parts));                       \
  }

typedef uint8_t sc_join_bytes_1 __attribute__((ext_vector_type(16)));
typedef uint16_t sc_join_shorts_1 __attribute__((ext_vector_type(8)));

/* `count` is a multiple of 16, at most 64. */
static inline void sc_join_quads_16(uint8_t *destination, int64_t pitch, const uint8_t *source, const intptr_t *offsets,
                                    int64_t rows, int64_t count) {
  const uint8_t zeros[64] = {0};
  for (int64_t r = 0; r < rows; r += 4, destination += pitch) {
    const uint8_t *const row[4] = {SC_ROW(r), SC_ROW(r + 1), SC_ROW(r + 2), SC_ROW(r + 3)};
    for (int64_t i = 0; i < count; i += 16) {
      sc_join_bytes_1 a, b, c, d;
      sc_join_shorts_1 words[4];
      __builtin_memcpy(&a, row[0] + i, sizeof a);
      __builtin_memcpy(&b, row[1] + i, sizeof b);
      __builtin_memcpy(&c, row[2] + i, sizeof c);
      __builtin_memcpy(&d, row[3] + i, sizeof d);
      SC_JOIN_FOUR(sc_join_shorts_1, 1, words)
      __builtin_memcpy(destination + 4 * i, words, sizeof words);
    }
  }
}

#if SC_VECTOR_BYTES == 64
typedef uint8_t sc_join_bytes_4 __attribute__((ext_vector_type(64)));
typedef uint16_t sc_join_shorts_4 __attribute__((ext_vector_type(32)));

/* 64 bytes whose 4-byte pieces are so dealt out that joining by parts leaves words in order. */
static inline sc_join_bytes_4 sc_load_dealt(const uint8_t *source) {
  sc_u32v pieces;
  __builtin_memcpy(&pieces, source, sizeof pieces);
  return (sc_join_bytes_4)__builtin_shufflevector(pieces, pieces, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}
#endif

/* `count` is a multiple of 16. Rows of 64 bytes, the widest panel's, are joined a vector at a time. */
static inline void sc_join_quads(uint8_t *destination, int64_t pitch, const uint8_t *source, const intptr_t *offsets,
                                 int64_t rows, int64_t count) {
#if SC_VECTOR_BYTES == 64
  if (count == 64) {
    const uint8_t zeros[64] = {0};
    for (int64_t r = 0; r < rows; r += 4, destination += pitch) {
      const sc_join_bytes_4 a = sc_load_dealt(SC_ROW(r)), b = sc_load_dealt(SC_ROW(r + 1));
      const sc_join_bytes_4 c = sc_load_dealt(SC_ROW(r + 2)), d = sc_load_dealt(SC_ROW(r + 3));
      sc_join_shorts_4 words[4];
      SC_JOIN_FOUR(sc_join_shorts_4, 4, words)
      __builtin_memcpy(destination, words, sizeof words);
    }
    return;
  }
#endif
  sc_join_quads_16(destination, pitch, source, offsets, rows, count);
}

#undef SC_ROW
#undef SC_JOIN_FOUR

#endif
