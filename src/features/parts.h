/* parts.h - what the audio front end is made of: integer transform, square root, logarithm, DCT.
 * MCU code: only integers, no libm, no heap, nothing of the other rooms.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_FEATURES_PARTS_H
#define MN_FEATURES_PARTS_H

#include <stdint.h>

#include "micronets/features.h"

/* Arithmetic shift right with halves rounded up; shift >= 1. */
static inline int64_t mn_round_shift(int64_t value, int32_t shift) {
  return (value + ((int64_t)1 << (shift - 1))) >> shift;
}
static inline int16_t mn_clamp_s16(int64_t value) {
  if (value > INT16_MAX) return INT16_MAX;
  return (int16_t)(value < INT16_MIN ? INT16_MIN : value);
}

#define MN_LN2_Q30 744261118          /* ln 2 */
#define MN_INVERSE_LN2_Q30 1549082005 /* 1 / ln 2 */
#define MN_FLOOR_Q16 (-1810839)       /* ln 1e-12: TensorFlow's kFilterbankFloor */
#define MN_LOWEST_Q16 (-32 * 65536)   /* the lowest int16 Q10 */
#define MN_ENERGY_FRACTION 10         /* log energies are held as int16 Q10 */
#define MN_DB_FRACTION 7              /* and decibels as int16 Q7 */
#define MN_DB_OF_LOG2_Q28 808071242   /* 10 log10(2) */
#define MN_FLOOR_DB_Q16 (-10258717)   /* 10 log10(2^-52): the epsilon of double precision */

/* cos(2 pi angle / circle) in Q31 from the quarter wave; 0 <= angle < circle. */
int32_t mn_cosine(const int32_t *quarter, int32_t circle, int32_t angle);

/* Complex transform of 2^log2 points in place, divided by 2^log2. z: (re, im) pairs in bit-reversed
 * order, |re|, |im| <= 2^29; `quarter` is the quarter wave of a circle of 2^(log2 + 1). */
void mn_fft(int32_t *z, const int32_t *quarter, int32_t log2);
/* Bin k, 0 <= k <= points, of the real transform whose even and odd samples were re and im of z. */
uint32_t mn_fft_magnitude(const int32_t *z, const int32_t *quarter, int32_t points, int32_t k);
uint64_t mn_fft_power(const int32_t *z, const int32_t *quarter, int32_t points, int32_t k);

uint32_t mn_sqrt(uint64_t value); /* relative error below 2^-19 */
int32_t mn_log2(uint64_t value);  /* Q24; value > 0 */
uint64_t mn_exp2(int32_t power);  /* 2^(power / 2^16) in Q36; power <= 26 << 16 */

/* Log band energies of the frame in `fft` (windowed, transformed), Q16; `exponent`: the samples were
 * scaled by 2^exponent relative to +-1. */
void mn_mel_energies(const mn_audio *audio, int32_t *energy, const int32_t *fft, int32_t exponent);
/* DCT-II of Q16 energies, rounded to Q(fraction). */
void mn_mel_cepstrum(const mn_audio *audio, int16_t *feature, const int32_t *energy);

#endif
