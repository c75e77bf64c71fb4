#include "isa_level.h"

#include <string.h>

int isa_level_named(const char *name) {
  int level;

  for (level = 0; level < ISA_LEVELS; ++level) {
    if (strcmp(isa_level_names[level], name) == 0)
      return level;
  }
  return -1;
}

#if defined(__x86_64__)

#include <cpuid.h>

const char *const isa_level_names[ISA_LEVELS] = {"baseline", "x86-64-v3", "x86-64-v4", "x86-64-v4-vnni"};

/* The levels are those of the x86-64 psABI, and v4 with AVX-512 VNNI. cpuid is read directly because
 * __builtin_cpu_supports("x86-64-v3") is missing from the compilers of Debian 11 and of older Xcodes. */
enum {
  LEAF1_ECX_V3 = bit_FMA | bit_SSE4_2 | bit_MOVBE | bit_POPCNT | bit_OSXSAVE | bit_AVX | bit_F16C,
  LEAF7_EBX_V3 = bit_BMI | bit_AVX2 | bit_BMI2,
  EXTENDED_ECX_V3 = 1 << 5, /* LZCNT */
  XCR0_AVX = 0x06,          /* xmm and ymm state */
  XCR0_AVX512 = 0xe6        /* and opmask, zmm */
};
static const unsigned LEAF7_EBX_V4 = bit_AVX512F | bit_AVX512DQ | bit_AVX512CD | bit_AVX512BW | bit_AVX512VL;
static const unsigned LEAF7_ECX_VNNI = bit_AVX512VNNI;

static int has_all(unsigned bits, unsigned wanted) { return (bits & wanted) == wanted; }

static unsigned enabled_state(void) {
  unsigned low, high;

  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

int isa_level_of_cpu(void) {
  unsigned a, b, d;
  unsigned leaf1_ecx, leaf7_ebx, leaf7_ecx, extended_ecx, state;

  if (!__get_cpuid(1, &a, &b, &leaf1_ecx, &d) || !has_all(leaf1_ecx, LEAF1_ECX_V3))
    return 0;
  if (!__get_cpuid_count(7, 0, &a, &leaf7_ebx, &leaf7_ecx, &d) || !has_all(leaf7_ebx, LEAF7_EBX_V3))
    return 0;
  if (!__get_cpuid(0x80000001u, &a, &b, &extended_ecx, &d) || !has_all(extended_ecx, EXTENDED_ECX_V3))
    return 0;
  state = enabled_state();
  if (!has_all(state, XCR0_AVX))
    return 0;
  if (!has_all(state, XCR0_AVX512) || !has_all(leaf7_ebx, LEAF7_EBX_V4))
    return 1;
  return has_all(leaf7_ecx, LEAF7_ECX_VNNI) ? 3 : 2;
}

#else

const char *const isa_level_names[ISA_LEVELS] = {"arm64"};

int isa_level_of_cpu(void) { return 0; }

#endif
