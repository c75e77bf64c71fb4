/* copy.h: moving short runs of memory, where a call of memcpy or a compiler's scalar rest costs more than the move. */
#ifndef SWIFTCONV_COPY_H
#define SWIFTCONV_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "vector.h"

/* One address out of a table. Volatile, or several of them would be gathered into a vector register and extracted
 * again, which takes longer than the loads. */
static inline const void *sc_load_address(const void *const *place) { return *(const void *const volatile *)place; }
static inline int64_t sc_load_offset(const int64_t *place) { return *(const volatile int64_t *)place; }

/* Copies rows of `count` bytes in pieces of one size, each row's last piece over the end of the one before. ASK is what
 * is said of memory that is read and written next. */
#define SC_COPY_PIECES(type, row, ASK)                                                                                 \
  for (int64_t r = 0; r < rows; ++r, destination += destination_stride) {                                              \
    const uint8_t *source = row;                                                                                       \
    type piece;                                                                                                        \
    for (int64_t i = 0; i < count - (int64_t)sizeof piece; i += (int64_t)sizeof piece) {                               \
      ASK(source + i, destination + i);                                                                                \
      __builtin_memcpy(&piece, source + i, sizeof piece);                                                              \
      __builtin_memcpy(destination + i, &piece, sizeof piece);                                                         \
    }                                                                                                                  \
    __builtin_memcpy(&piece, source + count - sizeof piece, sizeof piece);                                             \
    __builtin_memcpy(destination + count - sizeof piece, &piece, sizeof piece);                                        \
  }

/* Rows of one to two pieces: no loop inside, so that short rows take a few cycles each. */
#define SC_COPY_TWO_PIECES(type, row, ASK)                                                                             \
  for (int64_t r = 0; r < rows; ++r, destination += destination_stride) {                                              \
    const uint8_t *source = row;                                                                                       \
    type first, last;                                                                                                  \
    ASK(source, destination);                                                                                          \
    __builtin_memcpy(&first, source, sizeof first);                                                                    \
    __builtin_memcpy(&last, source + count - sizeof last, sizeof last);                                                \
    __builtin_memcpy(destination, &first, sizeof first);                                                               \
    __builtin_memcpy(destination + count - sizeof last, &last, sizeof last);                                           \
  }

#define SC_COPY_ONE_PIECE(type, row, ASK)                                                                              \
  for (int64_t r = 0; r < rows; ++r, destination += destination_stride) {                                              \
    const uint8_t *source = row;                                                                                       \
    type piece;                                                                                                        \
    ASK(source, destination);                                                                                          \
    __builtin_memcpy(&piece, source, sizeof piece);                                                                    \
    __builtin_memcpy(destination, &piece, sizeof piece);                                                               \
  }

#define SC_COPY_ONE_OR_TWO(type, row, ASK)                                                                             \
  if (count == (int64_t)sizeof(type)) {                                                                                \
    SC_COPY_ONE_PIECE(type, row, ASK)                                                                                  \
  } else {                                                                                                             \
    SC_COPY_TWO_PIECES(type, row, ASK)                                                                                 \
  }

/* Copies `rows` rows of `count` bytes, the r-th of which begins at `row`, between places that do not overlap. */
#define SC_COPY_ROWS(row, ASK)                                                                                         \
  if (count > 2 * SC_VECTOR_BYTES) {                                                                                   \
    SC_COPY_PIECES(sc_u8v, row, ASK)                                                                                   \
  } else if (count >= SC_VECTOR_BYTES) {                                                                               \
    SC_COPY_ONE_OR_TWO(sc_u8v, row, ASK)                                                                               \
  } else if (count >= SC_HALF_BYTES) {                                                                                 \
    SC_COPY_ONE_OR_TWO(sc_u8h, row, ASK)                                                                               \
  } else if (count >= 16) {                                                                                            \
    SC_COPY_ONE_OR_TWO(sc_u8x16, row, ASK)                                                                             \
  } else if (count >= 8) {                                                                                             \
    SC_COPY_ONE_OR_TWO(uint64_t, row, ASK)                                                                             \
  } else if (count >= 4) {                                                                                             \
    SC_COPY_ONE_OR_TWO(uint32_t, row, ASK)                                                                             \
  } else if (count >= 2) {                                                                                             \
    SC_COPY_ONE_OR_TWO(uint16_t, row, ASK)                                                                             \
  } else if (count > 0) {                                                                                              \
    SC_COPY_ONE_PIECE(uint8_t, row, ASK)                                                                               \
  }
#define SC_ASK_NOTHING(source, destination)

/* Rows at even distances. */
static inline void sc_copy_rows(uint8_t *destination, int64_t destination_stride, const uint8_t *source_rows,
                                int64_t source_stride, int64_t rows, int64_t count) {
  SC_COPY_ROWS(source_rows + r * source_stride, SC_ASK_NOTHING);
}

/* Rows that begin at offsets from one place: the hardware sees no pattern, so the row eight rows on is asked for. */
#define SC_ASK_INDEXED(source, destination)                                                                            \
  __builtin_prefetch((source) + (offsets[r + 8 < rows ? r + 8 : r] - offsets[r]), 0, 3)
static inline void sc_copy_indexed_rows(uint8_t *destination, int64_t destination_stride, const uint8_t *base,
                                        const intptr_t *offsets, int64_t rows, int64_t count) {
  if (count >= 2 * SC_VECTOR_BYTES) {
    SC_COPY_ROWS(base + offsets[r], SC_ASK_INDEXED);
  } else {
    SC_COPY_ROWS(base + offsets[r], SC_ASK_NOTHING);
  }
}

/* Rows that begin at offsets from one place, cut into groups of six elements: group g of row r goes to
 * destination + g * pitch + r groups. */
#define SC_COPY_GROUPS(bytes)                                                                                          \
  for (int64_t r = 0; r < rows; ++r) {                                                                                 \
    const uint8_t *source = base + offsets[r], *later = base + offsets[r + 8 < rows ? r + 8 : r];                      \
    for (int64_t g = 0; g < groups; ++g) {                                                                             \
      __builtin_prefetch(later + g * (bytes), 0, 3);                                                                   \
      __builtin_memcpy(destination + g * pitch + r * (bytes), source + g * (bytes), bytes);                            \
    }                                                                                                                  \
  }
static inline void sc_copy_groups(uint8_t *destination, int64_t pitch, const uint8_t *base, const intptr_t *offsets,
                                  int64_t rows, int64_t groups, int64_t element) {
  if (element == 2) {
    SC_COPY_GROUPS(12)
  } else if (element == 4) {
    SC_COPY_GROUPS(24)
  } else {
    SC_COPY_GROUPS(48)
  }
}

/* Tiles of rows, all at even distances. */
typedef struct sc_copied_tiles {
  uint8_t *destination;
  const uint8_t *source;
  int64_t destination_row, source_row, destination_tile, source_tile;
  int64_t rows, tiles, count;
} sc_copied_tiles;

/* What follows a row in the source and what is written a little later are asked for: the hardware sees no pattern in
 * short rows. */
#define SC_ASK_AHEAD(source, destination)                                                                              \
  __builtin_prefetch((source) + ahead, 0, 3);                                                                          \
  __builtin_prefetch((destination) + 1024, 1, 3)

/* Runs from SC_LONG_RUN bytes on are the system's to copy: it puts its stores on cache lines, where NumPy's large
 * arrays do not begin, and knows what the CPU likes best. Toeplitz matrices in new memory gain a tenth. */
enum { SC_WORTH_ASKING = 32, SC_LONG_RUN = 4096 };

static inline void sc_copy_tiles(const sc_copied_tiles *p) {
  const int64_t rows = p->rows, count = p->count, ahead = count + 64;
  const int64_t destination_stride = p->destination_row, source_stride = p->source_row;
  for (int64_t tile = 0; tile < p->tiles; ++tile) {
    uint8_t *destination = p->destination + tile * p->destination_tile;
    const uint8_t *source_rows = p->source + tile * p->source_tile;
    if (count < SC_WORTH_ASKING) {
      SC_COPY_ROWS(source_rows + r * source_stride, SC_ASK_NOTHING)
    } else if (count >= SC_LONG_RUN) {
      for (int64_t r = 0; r < rows; ++r)
        __builtin_memcpy(destination + r * destination_stride, source_rows + r * source_stride, (size_t)count);
    } else {
      SC_COPY_ROWS(source_rows + r * source_stride, SC_ASK_AHEAD)
    }
  }
}
/* Copies bytes with their highest bit flipped: signed ones become unsigned, 128 more each. */
#define SC_COPY_FLIPPED(type)                                                                                          \
  do {                                                                                                                 \
    type piece;                                                                                                        \
    const int64_t last = count - (int64_t)sizeof piece;                                                                \
    for (int64_t i = 0; i < count; i += (int64_t)sizeof piece) {                                                       \
      const int64_t at = i < last ? i : last;                                                                          \
      __builtin_memcpy(&piece, source + at, sizeof piece);                                                             \
      piece ^= (type)0x80;                                                                                             \
      __builtin_memcpy(destination + at, &piece, sizeof piece);                                                        \
    }                                                                                                                  \
  } while (0)

static inline void sc_copy_flipped(uint8_t *destination, const uint8_t *source, int64_t count) {
  typedef uint8_t four __attribute__((ext_vector_type(4)));
  if (count >= SC_VECTOR_BYTES)
    SC_COPY_FLIPPED(sc_u8v);
  else if (count >= 16)
    SC_COPY_FLIPPED(sc_u8x16);
  else if (count >= 4)
    SC_COPY_FLIPPED(four);
  else if (count > 0)
    SC_COPY_FLIPPED(uint8_t);
}

/* Copies `count` elements, more than `lanes`, from every second place. */
#define SC_EVERY_SECOND(scalar, lanes)                                                                                 \
  do {                                                                                                                 \
    typedef scalar pair __attribute__((ext_vector_type(2 * (lanes))));                                                 \
    typedef scalar half __attribute__((ext_vector_type(lanes)));                                                       \
    const int64_t size = sizeof(scalar);                                                                               \
    pair both;                                                                                                         \
    half one;                                                                                                          \
    for (int64_t i = 0; i < count - (lanes); i += (lanes)) {                                                           \
      __builtin_memcpy(&both, source + 2 * i * size, sizeof both);                                                     \
      one = both.even;                                                                                                 \
      __builtin_memcpy(destination + i * size, &one, sizeof one);                                                      \
    }                                                                                                                  \
    __builtin_memcpy(&both, source + (2 * (count - (lanes)) - 1) * size, sizeof both);                                 \
    one = both.odd;                                                                                                    \
    __builtin_memcpy(destination + (count - (lanes)) * size, &one, sizeof one);                                        \
  } while (0)

/* Copies `count` elements from every second place. Reads no element between or beyond those but between the first and
 * the last: the last vector is read one element early, its odd lanes taken. */
#define SC_COPY_EVERY_SECOND(name, scalar, few)                                                                        \
  static inline void sc_copy_every_second_##name(uint8_t *destination, const uint8_t *source, int64_t count) {         \
    enum { LANES = SC_VECTOR_BYTES / sizeof(scalar), HALF = SC_HALF_BYTES / sizeof(scalar) };                          \
    if (count > LANES) {                                                                                               \
      SC_EVERY_SECOND(scalar, LANES);                                                                                  \
    } else if (count > HALF) {                                                                                         \
      SC_EVERY_SECOND(scalar, HALF);                                                                                   \
    } else if (count > few) {                                                                                          \
      SC_EVERY_SECOND(scalar, few);                                                                                    \
    } else {                                                                                                           \
      for (int64_t i = 0; i < count; ++i)                                                                              \
        __builtin_memcpy(destination + i * (int64_t)sizeof(scalar), source + 2 * i * (int64_t)sizeof(scalar),          \
                         sizeof(scalar));                                                                              \
    }                                                                                                                  \
  }
SC_COPY_EVERY_SECOND(u8, uint8_t, 8)
SC_COPY_EVERY_SECOND(u16, uint16_t, 4)
SC_COPY_EVERY_SECOND(u32, uint32_t, 4)
SC_COPY_EVERY_SECOND(u64, uint64_t, 2)

#endif
