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
#define SC_ISA_NAME "x86-64-v4"
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
#define SC_VECTOR_TYPES(name, scalar)                                                              \
  typedef scalar sc_##name##v __attribute__((ext_vector_type(SC_VECTOR_BYTES / sizeof(scalar)))); \
  typedef scalar sc_##name##h __attribute__((ext_vector_type(SC_HALF_BYTES / sizeof(scalar))))
SC_VECTOR_TYPES(f32, float);
SC_VECTOR_TYPES(f64, double);
SC_VECTOR_TYPES(u8, uint8_t);
SC_VECTOR_TYPES(u16, uint16_t);
SC_VECTOR_TYPES(u32, uint32_t);
SC_VECTOR_TYPES(u64, uint64_t);

static inline const char *sc_vector_isa_name(void) { return SC_ISA_NAME; }

#endif
