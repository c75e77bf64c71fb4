/* half.h: float16 and bfloat16 to and from float32.
 *
 * Round to nearest even; NaN stays NaN. float16 takes one instruction with F16C or on arm64, vectorised in loops;
 * without them integer arithmetic, so that no support library is called.
 */
#ifndef SWIFTCONV_HALF_H
#define SWIFTCONV_HALF_H

#include <stdint.h>

static inline float sc_float_from_half(uint16_t bits) {
#if defined(__F16C__) || defined(__aarch64__)
  _Float16 half;
  __builtin_memcpy(&half, &bits, 2);
  return (float)half;
#else
  uint32_t magnitude = (uint32_t)(bits & 0x7fff) << 13, sign = (uint32_t)(bits & 0x8000) << 16;
  float scaled;
  __builtin_memcpy(&scaled, &magnitude, 4);
  scaled *= 0x1p112f; /* rebias the exponent; exact, subnormals included */
  __builtin_memcpy(&magnitude, &scaled, 4);
  if ((bits & 0x7c00) == 0x7c00)
    magnitude |= 0x7f800000;
  magnitude |= sign;
  __builtin_memcpy(&scaled, &magnitude, 4);
  return scaled;
#endif
}

static inline uint16_t sc_half_from_float(float value) {
#if defined(__F16C__) || defined(__aarch64__)
  _Float16 half = (_Float16)value;
  uint16_t bits;
  __builtin_memcpy(&bits, &half, 2);
  return bits;
#else
  uint32_t bits, sign, result;
  __builtin_memcpy(&bits, &value, 4);
  sign = bits & 0x80000000;
  bits ^= sign;
  if (bits > 0x7f800000) {
    result = 0x7e00 | ((bits >> 13) & 0x1ff);
  } else if (bits >= 0x477ff000) { /* 65520 and above round to infinity */
    result = 0x7c00;
  } else if (bits < 0x38800000) { /* below 2^-14: adding 1/2 lets the adder round to half's subnormal step 2^-24 */
    float aligned;
    __builtin_memcpy(&aligned, &bits, 4);
    aligned += 0.5f;
    __builtin_memcpy(&result, &aligned, 4);
    result -= 0x3f000000;
  } else {
    result = (bits - 0x38000000 + 0xfff + ((bits >> 13) & 1)) >> 13;
  }
  return (uint16_t)(result | (sign >> 16));
#endif
}

static inline float sc_float_from_bfloat(uint16_t bits) {
  uint32_t wide = (uint32_t)bits << 16;
  float value;
  __builtin_memcpy(&value, &wide, 4);
  return value;
}

static inline uint16_t sc_bfloat_from_float(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, 4);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return (uint16_t)((bits >> 16) | 0x40); /* keep NaN quiet */
  return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

#endif
