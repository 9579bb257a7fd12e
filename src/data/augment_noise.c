/* augment_noise.c - white, pink and brown noise from one small vectorisable generator, rooms made of it,
 * and random pieces of recordings.
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

/* ---- A room: what microphones hear where nobody speaks ---------------------------------------------*/

static double logarithmic(mn_rng *rng, double low, double high) {
  return exp(mn_rng_range(rng, log(low), log(high)));
}

/* Up to four resonances or gaps. */
static void resonate(float *x, int32_t samples, int32_t rate_hz, mn_rng *rng) {
  enum { MOST = 4 };
  mn_biquad peaks[MOST];
  const int32_t count = (int32_t)mn_rng_below(rng, MOST + 1);
  for (int32_t k = 0; k < count; k++) {
    const double hz = logarithmic(rng, 60, 0.45 * rate_hz), q = logarithmic(rng, 0.5, 8);
    peaks[k] = mn_biquad_peak(hz, q, mn_rng_range(rng, -12, 18), rate_hz);
  }
  if (count > 0) mn_biquad_run(peaks, count, x, samples);
}

/* The level wanders by up to 12 dB up and down: straight lines in dB, 30 to 400 ms each. */
static void wander(float *x, int32_t samples, int32_t rate_hz, mn_rng *rng) {
  const double swing = mn_rng_range(rng, 0, 12);
  const int32_t piece = (int32_t)(logarithmic(rng, 0.03, 0.4) * rate_hz) + 1;
  double from = 1;
  for (int32_t at = 0; at < samples; at += piece) {
    const double to = pow(10, mn_rng_range(rng, -swing, swing) / 20),
                 step = pow(to / from, 1.0 / piece);
    for (int32_t i = at; i < samples && i < at + piece; i++, from *= step) x[i] *= (float)from;
  }
}

/* One to six knocks, 10 to 40 dB above the noise, that die within 3 to 80 ms. */
static void knock(float *x, int32_t samples, int32_t rate_hz, mn_rng *rng) {
  const int32_t count = 1 + (int32_t)mn_rng_below(rng, 6);
  for (int32_t k = 0; k < count; k++) {
    const int32_t at = (int32_t)mn_rng_below(rng, (uint32_t)samples);
    const double decay = exp(-1 / (logarithmic(rng, 0.003, 0.08) * rate_hz));
    double gain = pow(10, mn_rng_range(rng, 10, 40) / 20);
    for (int32_t i = at; i < samples && gain > 0.01; i++, gain *= decay) x[i] *= (float)(1 + gain);
  }
}

/* Mains or a motor: eight harmonics of 40 to 400 Hz, -15 to 10 dB beside noise of RMS 1. */
static void hum(float *x, int32_t samples, int32_t rate_hz, mn_rng *rng) {
  enum { HARMONICS = 8 };
  const double hz = logarithmic(rng, 40, 400), loudest = mn_rng_range(rng, -15, 10);
  for (int32_t k = 1; k <= HARMONICS && k * hz < 0.5 * rate_hz; k++) {
    const double level = sqrt(2) * pow(10, (loudest - mn_rng_range(rng, 0, 30)) / 20);
    const double turn = 2 * cos(2 * M_PI * k * hz / rate_hz),
                 phase = mn_rng_range(rng, 0, 2 * M_PI);
    double now = level * sin(phase), before = level * sin(phase - 2 * M_PI * k * hz / rate_hz);
    for (int32_t i = 0; i < samples; i++) {
      const double next = turn * now - before;
      x[i] += (float)now;
      before = now;
      now = next;
    }
  }
}

void mn_noise_room(float *x, int32_t samples, int32_t rate_hz, mn_rng *rng) {
  mn_noise_coloured(x, samples, (mn_colour)mn_rng_below(rng, MN_COLOUR_COUNT), rng);
  if (mn_chance(rng, 0.25)) hum(x, samples, rate_hz, rng);
  resonate(x, samples, rate_hz, rng);
  if (mn_chance(rng, 0.5)) wander(x, samples, rate_hz, rng);
  if (mn_chance(rng, 0.3)) knock(x, samples, rate_hz, rng);
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
