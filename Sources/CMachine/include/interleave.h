/* interleave.h: elements that alternate between 2 or 4 runs, taken apart and put together, a vector of each run at a
 * time. Whole vectors are read and written. */
#ifndef SWIFTCONV_INTERLEAVE_H
#define SWIFTCONV_INTERLEAVE_H

#include <stdint.h>

#include "vector.h"

#define SC_INTERLEAVE(name, scalar)                                                                                    \
  typedef scalar sc_##name##_run __attribute__((ext_vector_type(SC_VECTOR_BYTES / sizeof(scalar))));                   \
  typedef scalar sc_##name##_pair __attribute__((ext_vector_type(2 * SC_VECTOR_BYTES / sizeof(scalar))));              \
  /* Runs of at least `count` elements at destination, destination + pitch, ... */                                     \
  static inline void sc_split_2_##name(uint8_t *destination, int64_t pitch, const uint8_t *source, int64_t count) {    \
    const int64_t bytes = count * (int64_t)sizeof(scalar);                                                             \
    for (int64_t i = 0; i < bytes; i += SC_VECTOR_BYTES) {                                                             \
      sc_##name##_pair both;                                                                                           \
      sc_##name##_run run;                                                                                             \
      __builtin_memcpy(&both, source + 2 * i, sizeof both);                                                            \
      run = both.even;                                                                                                 \
      __builtin_memcpy(destination + i, &run, sizeof run);                                                             \
      run = both.odd;                                                                                                  \
      __builtin_memcpy(destination + pitch + i, &run, sizeof run);                                                     \
    }                                                                                                                  \
  }                                                                                                                    \
  static inline void sc_split_4_##name(uint8_t *destination, int64_t pitch, const uint8_t *source, int64_t count) {    \
    const int64_t bytes = count * (int64_t)sizeof(scalar);                                                             \
    for (int64_t i = 0; i < bytes; i += SC_VECTOR_BYTES) {                                                             \
      sc_##name##_pair low, high, even, odd;                                                                           \
      sc_##name##_run run;                                                                                             \
      __builtin_memcpy(&low, source + 4 * i, sizeof low);                                                              \
      __builtin_memcpy(&high, source + 4 * i + 2 * SC_VECTOR_BYTES, sizeof high);                                      \
      even.lo = low.even;                                                                                              \
      even.hi = high.even;                                                                                             \
      odd.lo = low.odd;                                                                                                \
      odd.hi = high.odd;                                                                                               \
      run = even.even;                                                                                                 \
      __builtin_memcpy(destination + i, &run, sizeof run);                                                             \
      run = odd.even;                                                                                                  \
      __builtin_memcpy(destination + pitch + i, &run, sizeof run);                                                     \
      run = even.odd;                                                                                                  \
      __builtin_memcpy(destination + 2 * pitch + i, &run, sizeof run);                                                 \
      run = odd.odd;                                                                                                   \
      __builtin_memcpy(destination + 3 * pitch + i, &run, sizeof run);                                                 \
    }                                                                                                                  \
  }                                                                                                                    \
  /* From vectors that follow each other. */                                                                           \
  static inline void sc_join_2_##name(uint8_t *destination, const uint8_t *source) {                                   \
    sc_##name##_run runs[2];                                                                                           \
    sc_##name##_pair both;                                                                                             \
    __builtin_memcpy(runs, source, sizeof runs);                                                                       \
    both.even = runs[0];                                                                                               \
    both.odd = runs[1];                                                                                                \
    __builtin_memcpy(destination, &both, sizeof both);                                                                 \
  }                                                                                                                    \
  static inline void sc_join_4_##name(uint8_t *destination, const uint8_t *source) {                                   \
    sc_##name##_run runs[4];                                                                                           \
    sc_##name##_pair even, odd, low, high;                                                                             \
    __builtin_memcpy(runs, source, sizeof runs);                                                                       \
    even.even = runs[0];                                                                                               \
    even.odd = runs[2];                                                                                                \
    odd.even = runs[1];                                                                                                \
    odd.odd = runs[3];                                                                                                 \
    low.even = even.lo;                                                                                                \
    low.odd = odd.lo;                                                                                                  \
    high.even = even.hi;                                                                                               \
    high.odd = odd.hi;                                                                                                 \
    __builtin_memcpy(destination, &low, sizeof low);                                                                   \
    __builtin_memcpy(destination + 2 * SC_VECTOR_BYTES, &high, sizeof high);                                           \
  }
SC_INTERLEAVE(u32, uint32_t)
SC_INTERLEAVE(u64, uint64_t)

#endif
