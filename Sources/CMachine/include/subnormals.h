/* subnormals.h: what becomes of results below the smallest normal number, of which a recursion whose vectors decay
 * makes many, and on which x86-64 spends a hundred cycles each. */
#ifndef SWIFTCONV_SUBNORMALS_H
#define SWIFTCONV_SUBNORMALS_H

#include <stdint.h>

/* Results become zero from here on, on this thread, if `flush` is not 0. Returns what sc_restore_subnormals takes back.
 */
static inline uint64_t sc_flush_subnormals(int32_t flush) {
#if defined(__x86_64__)
  const uint32_t before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before |
                         (flush ? 0x8000u : 0)); /* FTZ; subnormal operands keep their value, unlike on arm64 */
  return before;
#elif defined(__aarch64__)
  uint64_t before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" : : "r"(before | (uint64_t)(flush != 0) << 24) : "memory");
  return before;
#else
  (void)flush;
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
