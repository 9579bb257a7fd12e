/* mel.c - from magnitudes to log mel energies and their cosine transform.
 *
 * Triangles that share their slopes: a bin between the centres of two bands gives w of itself to
 * the band whose slope falls there and the rest to the next band (TensorFlow's
 * mfcc_mel_filterbank). SPDX-License-Identifier: Apache-2.0 */
#include "features/parts.h"

/* ln of an energy with 16 + exponent fraction bits, Q16. */
static int32_t log_energy(uint64_t energy, int32_t exponent, int32_t floor) {
  if (energy == 0) return floor;
  int64_t log2 = mn_log2(energy) - ((int64_t)(16 + exponent) << 24);
  int64_t natural = mn_round_shift(log2 * MN_LN2_Q30, 38);
  return (int32_t)(natural < floor ? floor : natural);
}

void mn_mel_energies(const mn_audio *audio, int32_t *energy, const int32_t *fft, int32_t exponent) {
  /* mlperf adds its own offset later; the lowest value that is held must not disturb it. */
  int32_t floor = audio->style == MN_STYLE_MLPERF ? MN_LOWEST_Q16 : MN_FLOOR_Q16;
  uint64_t rising = 0;
  for (int32_t slope = 0; slope <= audio->mels; slope++) {
    uint64_t falling = rising;
    rising = 0;
    for (int32_t k = audio->edge[slope]; k < audio->edge[slope + 1]; k++) {
      uint64_t magnitude = mn_fft_magnitude(fft, audio->cosine, audio->fft / 2, k);
      uint64_t part = magnitude * audio->slope[k];
      falling += part;
      rising += (magnitude << 16) - part;
    }
    if (slope > 0) energy[slope - 1] = log_energy(falling, exponent, floor);
  }
}

void mn_mel_cepstrum(const mn_audio *audio, int16_t *feature, const int32_t *energy) {
  int32_t circle = 4 * audio->mels;
  for (int32_t k = 0; k < audio->keep; k++) {
    int64_t acc = 0;
    int32_t angle = k;
    for (int32_t n = 0; n < audio->mels; n++) {
      acc += (int64_t)energy[n] * mn_cosine(audio->dct, circle, angle);
      angle += 2 * k;
      if (angle >= circle) angle -= circle;
    }
    if (audio->lifter > 0) acc = (acc >> 16) * audio->lift[k];
    feature[k] = mn_clamp_s16(mn_round_shift(acc, 46 - audio->fraction));
  }
}
