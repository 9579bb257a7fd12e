/* augment_noise.c - white, pink and brown noise from one small vectorisable generator, and random
 * pieces of recordings.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>

#include "data/augment_parts.h"

enum { LANES = 8 };

/* Marsaglia's xorshift32 in eight lanes; the sum of both halves of a word is triangular. */
void mn_noise_white(float *x, int32_t samples, mn_rng *rng) {
  uint32_t lane[LANES];
  for (int32_t k = 0; k < LANES; k++) lane[k] = (uint32_t)(mn_rng_next(rng) >> 32) | 1;
  const float scale = (float)(1 / (65536 / sqrt(6)));
  for (int32_t i = 0; i < samples; i += LANES) {
    float y[LANES];
    for (int32_t k = 0; k < LANES; k++) {
      uint32_t v = lane[k];
      v ^= v << 13;
      v ^= v >> 17;
      v ^= v << 5;
      lane[k] = v;
      y[k] = (float)((int32_t)v / 65536 + (int32_t)(v << 16) / 65536) * scale;
    }
    const int32_t left = samples - i < LANES ? samples - i : LANES;
    for (int32_t k = 0; k < left; k++) x[i + k] = y[k];
  }
}

double mn_power(const float *x, int32_t samples) {
  float acc[LANES] = {0};
  double sum = 0;
  int32_t i = 0;
  for (; i + LANES <= samples; i += LANES) {
    for (int32_t k = 0; k < LANES; k++) acc[k] += x[i + k] * x[i + k];
  }
  for (; i < samples; i++) sum += (double)(x[i] * x[i]);
  for (int32_t k = 0; k < LANES; k++) sum += (double)acc[k];
  return samples > 0 ? sum / samples : 0;
}

static bool to_unit_power(float *x, int32_t samples) {
  const double power = mn_power(x, samples);
  if (power < 1e-12) return false;
  const float gain = (float)(1 / sqrt(power));
  for (int32_t i = 0; i < samples; i++) x[i] *= gain;
  return true;
}

/* -3 dB an octave: three leaky sums an octave and a half apart (P. Kellett's economy filter). */
static void pink(float *x, int32_t samples) {
  float a = 0, b = 0, c = 0;
  for (int32_t i = 0; i < samples; i++) {
    const float w = x[i];
    a = 0.99765f * a + w * 0.0990460f;
    b = 0.96300f * b + w * 0.2965164f;
    c = 0.57000f * c + w * 1.0526913f;
    x[i] = a + b + c + w * 0.1848f;
  }
}

/* -6 dB an octave above some 40 Hz: a leaky integrator. */
static void brown(float *x, int32_t samples) {
  float sum = 0;
  for (int32_t i = 0; i < samples; i++) {
    sum = 0.985f * sum + x[i];
    x[i] = sum;
  }
}

void mn_noise_coloured(float *x, int32_t samples, mn_colour colour, mn_rng *rng) {
  mn_noise_white(x, samples, rng);
  if (colour == MN_COLOUR_PINK) pink(x, samples);
  if (colour == MN_COLOUR_BROWN) brown(x, samples);
  (void)to_unit_power(x, samples);
}

bool mn_noise_recorded(float *x, int32_t samples, mn_clip clip, mn_rng *rng) {
  assert(clip.samples > 0);
  const int32_t spare = clip.samples - samples;
  int32_t at = (int32_t)mn_rng_below(rng, (uint32_t)(spare > 0 ? spare + 1 : clip.samples));
  for (int32_t i = 0; i < samples; i++) {
    x[i] = (float)clip.pcm[at];
    at = at + 1 < clip.samples ? at + 1 : 0;
  }
  return to_unit_power(x, samples);
}
