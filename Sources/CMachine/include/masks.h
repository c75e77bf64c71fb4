/* masks.h: vectors of which some lanes are not there: lane i is if bit i of a mask is set. The memory of the others is
 * not touched, wherever it lies. */
#ifndef SWIFTCONV_MASKS_H
#define SWIFTCONV_MASKS_H

#include <stdint.h>

#include "vector.h"

#if SC_VECTOR_BYTES >= 32
#include <immintrin.h>
#define SC_HAS_MASKS 1
#else
#define SC_HAS_MASKS 0
#endif

/* Loads lanes that are there, zeros for the others; stores lanes that are there. Where the ISA has no masks these are
 * loops over the lanes, which compile and are not called. */
#if SC_VECTOR_BYTES == 64
#define SC_MASKED_LANES(name, scalar, raw, suffix)                                                                     \
  static inline sc_##name sc_##name##_load(const void *source, uint64_t mask) {                                        \
    return (sc_##name)_mm512_maskz_loadu_##suffix(mask, source);                                                       \
  }                                                                                                                    \
  static inline void sc_##name##_store(void *destination, sc_##name x, uint64_t mask) {                                \
    _mm512_mask_storeu_##suffix(destination, mask, (raw)x);                                                            \
  }
#elif SC_VECTOR_BYTES == 32
/* A lane's highest bit says whether it is there. */
static inline __m256i sc_lanes_ps(uint64_t mask) {
  return _mm256_sllv_epi32(_mm256_set1_epi32((int)mask), _mm256_setr_epi32(31, 30, 29, 28, 27, 26, 25, 24));
}
static inline __m256i sc_lanes_pd(uint64_t mask) {
  return _mm256_sllv_epi64(_mm256_set1_epi64x((long long)mask), _mm256_setr_epi64x(63, 62, 61, 60));
}
#define SC_MASKED_LANES(name, scalar, raw, suffix)                                                                     \
  static inline sc_##name sc_##name##_load(const void *source, uint64_t mask) {                                        \
    return (sc_##name)_mm256_maskload_##suffix(source, sc_lanes_##suffix(mask));                                       \
  }                                                                                                                    \
  static inline void sc_##name##_store(void *destination, sc_##name x, uint64_t mask) {                                \
    _mm256_maskstore_##suffix(destination, sc_lanes_##suffix(mask), (raw)x);                                           \
  }
#else
#define SC_MASKED_LANES(name, scalar, raw, suffix)                                                                     \
  static inline sc_##name sc_##name##_load(const void *source, uint64_t mask) {                                        \
    sc_##name x = (sc_##name)0;                                                                                        \
    for (int i = 0; i < (int)(sizeof x / sizeof(scalar)); ++i)                                                         \
      if (mask >> i & 1)                                                                                               \
        x[i] = ((const scalar *)source)[i];                                                                            \
    return x;                                                                                                          \
  }                                                                                                                    \
  static inline void sc_##name##_store(void *destination, sc_##name x, uint64_t mask) {                                \
    for (int i = 0; i < (int)(sizeof x / sizeof(scalar)); ++i)                                                         \
      if (mask >> i & 1)                                                                                               \
        ((scalar *)destination)[i] = x[i];                                                                             \
  }
#endif
#if SC_VECTOR_BYTES == 32
SC_MASKED_LANES(f32v, float, __m256, ps)
SC_MASKED_LANES(f64v, double, __m256d, pd)
#else
SC_MASKED_LANES(f32v, float, __m512, ps)
SC_MASKED_LANES(f64v, double, __m512d, pd)
#endif

/* Every second of a run of elements, from the first on, of two vectors or of one; a mask's bits count all of them. */
#define SC_MASKED_PAIRS(name, scalar)                                                                                  \
  typedef scalar sc_##name##_pair __attribute__((ext_vector_type(2 * SC_VECTOR_BYTES / sizeof(scalar))));              \
  static inline sc_##name sc_##name##_load_every_second(const void *source, uint64_t mask) {                           \
    sc_##name##_pair both;                                                                                             \
    both.lo = sc_##name##_load(source, mask);                                                                          \
    both.hi = sc_##name##_load((const uint8_t *)source + SC_VECTOR_BYTES, mask >> SC_VECTOR_BYTES / sizeof(scalar));   \
    return both.even;                                                                                                  \
  }                                                                                                                    \
  static inline sc_##name sc_##name##_load_every_second_of_one(const void *source, uint64_t mask) {                    \
    sc_##name##_pair both;                                                                                             \
    both.lo = both.hi = sc_##name##_load(source, mask);                                                                \
    return both.even;                                                                                                  \
  }
SC_MASKED_PAIRS(f32v, float)
SC_MASKED_PAIRS(f64v, double)

#endif
