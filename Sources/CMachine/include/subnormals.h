/* subnormals.h: what becomes of results below the smallest normal number, of which a recursion whose vectors decay
 * makes many, and on which x86-64 spends a hundred cycles each. */
#ifndef SWIFTCONV_SUBNORMALS_H
#define SWIFTCONV_SUBNORMALS_H

#include <stdint.h>

/* Results become zero from here on, on this thread. Returns what sc_restore_subnormals takes back. */
static inline uint64_t sc_flush_subnormals(void) {
#if defined(__x86_64__)
  const uint32_t before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before | 0x8000u); /* FTZ; subnormal operands keep their value, unlike on arm64 */
  return before;
#elif defined(__aarch64__)
  uint64_t before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" : : "r"(before | UINT64_C(1) << 24) : "memory");
  return before;
#else
  return 0;
#endif
}

static inline void sc_restore_subnormals(uint64_t before) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr((uint32_t)before);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(before) : "memory");
#else
  (void)before;
#endif
}

#endif
