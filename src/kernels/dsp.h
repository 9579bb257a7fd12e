/* dsp.h - the instructions of Arm's DSP extension (Cortex-M4, M7, M33) that kernels use: intrinsics
 * where the compiler targets such a core, plain C of the same meaning elsewhere, so that the same
 * kernels run, and are compared with the definition, on any machine.
 *
 * A word holds two int16: the low half is element 0.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_DSP_H
#define MN_KERNELS_DSP_H

#include <stdint.h>
#include <string.h>

/* A loop that needs all registers for itself. */
#if defined(__GNUC__)
#define MN_OUT_OF_LINE __attribute__((noinline))
#else
#define MN_OUT_OF_LINE
#endif

/* Whole loops in Thumb assembly that take every register: gcc gives them where it optimises. */
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && defined(__OPTIMIZE__) && \
    defined(__GNUC__) && !defined(__clang__)
#define MN_DSP_ASSEMBLY 1
#else
#define MN_DSP_ASSEMBLY 0
#endif

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#include <arm_acle.h>

/* acc + x[0] * y[0] + x[1] * y[1], modulo 2^32. */
static inline int32_t mn_smlad(int32_t x, int32_t y, int32_t acc) {
  return __smlad(x, y, acc);
}

/* Bytes 0 and 2 of a word, widened with their signs. */
static inline int32_t mn_sxtb16(uint32_t x) {
  return (int32_t)__sxtb16((int8x4_t)x);
}

/* Bytes 1 and 3 of a word, widened with their signs. */
static inline int32_t mn_sxtb16_odd(uint32_t x) {
  int32_t result;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(x));
  return result;
}

/* Both halves of acc + bytes 0 and 2, or 1 and 3, of a word. */
static inline int32_t mn_sxtab16(int32_t acc, uint32_t x) {
  return (int32_t)__sxtab16(acc, (int32_t)x);
}
static inline int32_t mn_sxtab16_odd(int32_t acc, uint32_t x) {
  int32_t result;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(acc), "r"(x));
  return result;
}

/* acc + x * y / 2^32, rounded half up. */
static inline int32_t mn_smmlar(int32_t x, int32_t y, int32_t acc) {
  int32_t result;
  __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(y), "r"(acc));
  return result;
}

/* acc + x * y / 2^32, rounded down. */
static inline int32_t mn_smmla(int32_t x, int32_t y, int32_t acc) {
  int32_t result;
  __asm__("smmla %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(y), "r"(acc));
  return result;
}

/* acc + x[0] * y[1], and acc + x[1] * y[0]. */
static inline int32_t mn_smlabt(int32_t x, int32_t y, int32_t acc) {
  return __smlabt(x, y, acc);
}
static inline int32_t mn_smlatb(int32_t x, int32_t y, int32_t acc) {
  return __smlatb(x, y, acc);
}

/* x, held within [-128, 127]. Not __ssat: gcc's is a macro that converts an unsigned result. */
static inline int32_t mn_ssat8(int32_t x) {
  int32_t held;
  __asm__("ssat %0, #8, %1" : "=r"(held) : "r"(x));
  return held;
}
#else
static inline int32_t mn_low_half(uint32_t x) {
  return (int16_t)(uint16_t)x;
}

static inline int32_t mn_smlad(int32_t x, int32_t y, int32_t acc) {
  int32_t low = mn_low_half((uint32_t)x) * mn_low_half((uint32_t)y);
  int32_t high = mn_low_half((uint32_t)x >> 16) * mn_low_half((uint32_t)y >> 16);
  return (int32_t)((uint32_t)acc + (uint32_t)low + (uint32_t)high);
}

static inline int32_t mn_sxtb16(uint32_t x) {
  uint32_t low = (uint32_t)(int8_t)(uint8_t)x, high = (uint32_t)(int8_t)(uint8_t)(x >> 16);
  return (int32_t)((low & 0xffffu) | high << 16);
}

static inline int32_t mn_sxtb16_odd(uint32_t x) {
  return mn_sxtb16(x >> 8);
}

static inline int32_t mn_sxtab16(int32_t acc, uint32_t x) {
  uint32_t low = (uint32_t)acc + (uint32_t)(int8_t)(uint8_t)x;
  uint32_t high = ((uint32_t)acc >> 16) + (uint32_t)(int8_t)(uint8_t)(x >> 16);
  return (int32_t)((low & 0xffffu) | high << 16);
}

static inline int32_t mn_sxtab16_odd(int32_t acc, uint32_t x) {
  return mn_sxtab16(acc, x >> 8);
}

static inline int32_t mn_smmlar(int32_t x, int32_t y, int32_t acc) {
  int64_t product = (int64_t)x * y + ((int64_t)1 << 31);
  return (int32_t)((uint32_t)acc + (uint32_t)(product >> 32));
}

static inline int32_t mn_smmla(int32_t x, int32_t y, int32_t acc) {
  return (int32_t)((uint32_t)acc + (uint32_t)(((int64_t)x * y) >> 32));
}

static inline int32_t mn_smlabt(int32_t x, int32_t y, int32_t acc) {
  int32_t product = mn_low_half((uint32_t)x) * mn_low_half((uint32_t)y >> 16);
  return (int32_t)((uint32_t)acc + (uint32_t)product);
}

static inline int32_t mn_smlatb(int32_t x, int32_t y, int32_t acc) {
  return mn_smlabt(y, x, acc);
}

static inline int32_t mn_ssat8(int32_t x) {
  return x < -128 ? -128 : x > 127 ? 127 : x;
}
#endif

/* Four bytes from any address, the first in the lowest bits. */
static inline uint32_t mn_load4(const void *from) {
  uint32_t word;
  memcpy(&word, from, sizeof word);
  return word;
}

static inline void mn_store4(void *to, uint32_t word) {
  memcpy(to, &word, sizeof word);
}

/* Two bytes from any address, the first in the lowest bits. */
static inline uint32_t mn_load2(const void *from) {
  uint16_t half;
  memcpy(&half, from, sizeof half);
  return half;
}

/* Two int16 as one word. */
static inline int32_t mn_pair(int32_t low, int32_t high) {
  return (int32_t)(((uint32_t)low & 0xffffu) | (uint32_t)high << 16);
}

#endif
