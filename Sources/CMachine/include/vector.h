/* vector.h: what this build's instruction set offers.
 *
 * The whole core is compiled once per ISA level (docs/architecture.md), so these are compile-time facts. Vectors are
 * clang's ext_vector_type, which Swift imports as SIMDn<Scalar>.
 */
#ifndef SWIFTCONV_VECTOR_H
#define SWIFTCONV_VECTOR_H

#include <stdint.h>

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define SC_VECTOR_BYTES 64
#define SC_VECTOR_REGISTERS 32
#define SC_HAS_FMA 1
#if defined(__AVX512VNNI__)
#define SC_ISA_NAME "x86-64-v4-vnni"
#else
#define SC_ISA_NAME "x86-64-v4"
#endif
#elif defined(__AVX2__) && defined(__FMA__)
#define SC_VECTOR_BYTES 32
#define SC_VECTOR_REGISTERS 16
#define SC_HAS_FMA 1
#define SC_ISA_NAME "x86-64-v3"
#elif defined(__aarch64__)
#define SC_VECTOR_BYTES 16
#define SC_VECTOR_REGISTERS 32
#define SC_HAS_FMA 1
#define SC_ISA_NAME "arm64"
#else
#define SC_VECTOR_BYTES 16
#define SC_VECTOR_REGISTERS 16
#define SC_HAS_FMA 0
#define SC_ISA_NAME "baseline"
#endif

/* One full register of each scalar, and the half register where it is still 16 bytes: SIMDn<Scalar> in Swift. */
#define SC_HALF_BYTES (SC_VECTOR_BYTES > 16 ? SC_VECTOR_BYTES / 2 : 16)
#define SC_VECTOR_TYPES(name, scalar)                                                                                  \
  typedef scalar sc_##name##v __attribute__((ext_vector_type(SC_VECTOR_BYTES / sizeof(scalar))));                      \
  typedef scalar sc_##name##h __attribute__((ext_vector_type(SC_HALF_BYTES / sizeof(scalar))))
SC_VECTOR_TYPES(f32, float);
SC_VECTOR_TYPES(f64, double);
SC_VECTOR_TYPES(u8, uint8_t);
SC_VECTOR_TYPES(u16, uint16_t);
SC_VECTOR_TYPES(u32, uint32_t);
SC_VECTOR_TYPES(u64, uint64_t);
typedef uint8_t sc_u8x16 __attribute__((ext_vector_type(16)));

/* Vectors of 32 and 64 lanes: Swift's generic operators on them are loops over the lanes that the optimiser leaves as
 * they are, 100 times slower (measured, Swift 6.3). */
#define SC_WORD_OPERATIONS(name, vector, scalar)                                                                       \
  static inline vector sc_##name##_splat(scalar value) { return (vector)value; }                                       \
  static inline vector sc_##name##_add(vector sum, vector x) { return sum + x; }                                       \
  static inline vector sc_##name##_or(vector sum, vector x) { return sum | x; }                                        \
  static inline vector sc_##name##_multiply_add(vector sum, vector x, vector w) { return sum + x * w; }                \
  static inline vector sc_##name##_or_and(vector sum, vector x, vector w) { return sum | (x & w); }                    \
  static inline vector sc_##name##_at_most_one(vector sum) { return __builtin_elementwise_min(sum, (vector)1); }
SC_WORD_OPERATIONS(u8v, sc_u8v, uint8_t)
SC_WORD_OPERATIONS(u8h, sc_u8h, uint8_t)
SC_WORD_OPERATIONS(u16v, sc_u16v, uint16_t)
SC_WORD_OPERATIONS(u16h, sc_u16h, uint16_t)

/* a + b * c, fused where the ISA has the instruction. Swift's addProduct is a loop over the lanes as well, of which the
 * optimiser makes half vectors here and there. */
#if SC_HAS_FMA
#define SC_FUSED(a, b, c) __builtin_elementwise_fma(b, c, a)
#else
#define SC_FUSED(a, b, c) ((a) + (b) * (c))
#endif
static inline sc_f32v sc_f32v_multiply_add(sc_f32v a, sc_f32v b, sc_f32v c) { return SC_FUSED(a, b, c); }
static inline sc_f64v sc_f64v_multiply_add(sc_f64v a, sc_f64v b, sc_f64v c) { return SC_FUSED(a, b, c); }

static inline const char *sc_vector_isa_name(void) { return SC_ISA_NAME; }

#endif
