/* atomics.h: what the pool's threads share. Swift's own atomics are non-copyable types that cannot live in memory that
 * a child process abandons. */
#ifndef SWIFTCONV_ATOMICS_H
#define SWIFTCONV_ATOMICS_H

#include <stdint.h>

static inline int64_t sc_atomic_fetch_add(int64_t *p, int64_t n) { return __atomic_fetch_add(p, n, __ATOMIC_SEQ_CST); }
static inline int64_t sc_atomic_load(const int64_t *p) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); }
static inline void sc_atomic_store(int64_t *p, int64_t n) { __atomic_store_n(p, n, __ATOMIC_SEQ_CST); }
static inline int32_t sc_atomic_compare_exchange(int64_t *p, int64_t expected, int64_t desired) {
  return __atomic_compare_exchange_n(p, &expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
static inline void sc_spin_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
