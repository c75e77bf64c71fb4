/* dot.h: 32-bit words that hold two or four small integers each. The products of two words' integers are added to a
 * 32-bit sum, modulo 2^32: nothing saturates on the way. (AVX2's and SSE's product of bytes does, so these ISAs have
 * pairs only.) */
#ifndef SWIFTCONV_DOT_H
#define SWIFTCONV_DOT_H

#include <stdint.h>

#include "vector.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Whether the ISA multiplies pairs of 16-bit integers, and quads of bytes, in fewer instructions than single ones. */
#if defined(__x86_64__)
#define SC_HAS_PAIRS 1
#else
#define SC_HAS_PAIRS 0
#endif
#if defined(__AVX512VNNI__)
#define SC_HAS_QUADS 1
#else
#define SC_HAS_QUADS 0
#endif

/* One integer of every word, `bits` wide and `shift` bits from the bottom. */
#define SC_SIGNED_PART(x, shift, bits) (sc_u32v)((sc_dot_lanes)((x) << (32 - (bits) - (shift))) >> (32 - (bits)))
#define SC_UNSIGNED_PART(x, shift, bits) ((x) << (32 - (bits) - (shift)) >> (32 - (bits)))
typedef int32_t sc_dot_lanes __attribute__((ext_vector_type(SC_VECTOR_BYTES / 4)));

/* sum + the products of two signed 16-bit integers. */
static inline sc_u32v sc_add_pairs(sc_u32v sum, sc_u32v x, sc_u32v w) {
#if defined(__AVX512VNNI__)
  return (sc_u32v)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)x, (__m512i)w);
#elif SC_VECTOR_BYTES == 64
  return sum + (sc_u32v)_mm512_madd_epi16((__m512i)x, (__m512i)w);
#elif SC_VECTOR_BYTES == 32
  return sum + (sc_u32v)_mm256_madd_epi16((__m256i)x, (__m256i)w);
#elif defined(__x86_64__)
  return sum + (sc_u32v)_mm_madd_epi16((__m128i)x, (__m128i)w);
#else
  for (int part = 0; part < 32; part += 16)
    sum += SC_SIGNED_PART(x, part, 16) * SC_SIGNED_PART(w, part, 16);
  return sum;
#endif
}

/* sum + the products of four bytes, those of x unsigned and those of w signed. */
static inline sc_u32v sc_add_quads(sc_u32v sum, sc_u32v x, sc_u32v w) {
#if defined(__AVX512VNNI__)
  return (sc_u32v)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)w);
#else
  for (int part = 0; part < 32; part += 8)
    sum += SC_UNSIGNED_PART(x, part, 8) * SC_SIGNED_PART(w, part, 8);
  return sum;
#endif
}

#undef SC_SIGNED_PART
#undef SC_UNSIGNED_PART

#endif
