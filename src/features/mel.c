/* mel.c - from bins to log band energies and their cosine transform.
 *
 * Triangles that share their slopes: a bin between the centres of two bands gives w of itself to
 * the band whose slope falls there and the rest to the next band (TensorFlow's
 * mfcc_mel_filterbank). SPDX-License-Identifier: Apache-2.0 */
#include "features/parts.h"

/* Logarithm of an energy with `point` fraction bits, Q16. */
static int32_t log_energy(const mn_audio *audio, uint64_t energy, int32_t point, int32_t area) {
  if (energy == 0) return audio->floor;
  int64_t log2 = mn_log2(energy) - ((int64_t)point << 24);
  int64_t log = mn_round_shift(log2 * audio->log_factor, audio->log_shift) + area;
  return (int32_t)(log < audio->floor ? audio->floor : log);
}

/* What the frame holds in bin k, and the share of it that goes to the falling slope. Magnitudes take
 * 16 more fraction bits; squares fill 60 bits already, and all of them together no more (Parseval). */
static uint64_t take_bin(const mn_audio *audio, uint64_t *share, const int32_t *fft, int32_t k) {
  uint64_t weight = audio->slope[k];
  if (audio->power) {
    uint64_t power = mn_fft_power(fft, audio->cosine, audio->fft / 2, k);
    *share = (power >> 16) * weight + ((power & 0xffff) * weight >> 16);
    return power;
  }
  uint64_t magnitude = mn_fft_magnitude(fft, audio->cosine, audio->fft / 2, k);
  *share = magnitude * weight;
  return magnitude << 16;
}

void mn_mel_energies(const mn_audio *audio, int32_t *energy, const int32_t *fft, int32_t exponent) {
  int32_t point = audio->power ? 2 * exponent : exponent + 16;
  uint64_t rising = 0;
  for (int32_t slope = 0; slope <= audio->mels; slope++) {
    uint64_t falling = rising;
    rising = 0;
    for (int32_t k = audio->edge[slope]; k < audio->edge[slope + 1]; k++) {
      uint64_t share, whole = take_bin(audio, &share, fft, k);
      falling += share;
      rising += whole - share;
    }
    int32_t area = audio->area_normed && slope > 0 ? audio->area[slope - 1] : 0;
    if (slope > 0) energy[slope - 1] = log_energy(audio, falling, point, area);
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
