/* augment_resample.c - changes speed and pitch by a factor of whole 320ths, so that every output
 * sample falls on a stored phase of the windowed sinc and nothing is interpolated.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>

#include "data/augment_parts.h"

/* Playing faster folds what lies above the new half rate: each table cuts lower. */
static const double cutoffs[MN_RESAMPLE_TABLES] = {0.97, 0.90, 0.83, 0.77};

static double kernel(double t, double cutoff) {
  const double half = MN_RESAMPLE_TAPS / 2.0;
  if (fabs(t) >= half) return 0;
  const double x = M_PI * t * cutoff;
  const double sinc = fabs(x) < 1e-9 ? 1 : sin(x) / x;
  const double hann = 0.5 + 0.5 * cos(M_PI * t / half);
  return cutoff * sinc * hann;
}

static void fill(float *table, double cutoff) {
  for (int32_t phase = 0; phase < MN_RESAMPLE_PHASES; phase++) {
    float *row = table + phase * MN_RESAMPLE_TAPS;
    double sum = 0;
    for (int32_t tap = 0; tap < MN_RESAMPLE_TAPS; tap++) {
      const double at = tap - (MN_RESAMPLE_TAPS / 2 - 1) - (double)phase / MN_RESAMPLE_PHASES;
      row[tap] = (float)kernel(at, cutoff);
      sum += (double)row[tap];
    }
    for (int32_t tap = 0; tap < MN_RESAMPLE_TAPS; tap++) row[tap] = (float)((double)row[tap] / sum);
  }
}

mn_status mn_resampler_create(mn_resampler *resampler, mn_arena *arena) {
  for (int32_t i = 0; i < MN_RESAMPLE_TABLES; i++) {
    resampler->table[i] =
        mn_arena_array(arena, MN_RESAMPLE_PHASES * MN_RESAMPLE_TAPS, sizeof(float));
    if (resampler->table[i] == NULL) return MN_ERR_MEMORY;
    fill(resampler->table[i], cutoffs[i]);
  }
  return MN_OK;
}

int32_t mn_resample_length(int32_t samples, int32_t step) {
  return (int32_t)((int64_t)samples * MN_RESAMPLE_PHASES / step);
}

static const float *table_of(const mn_resampler *resampler, int32_t step) {
  const double wanted = (double)MN_RESAMPLE_PHASES / step;
  for (int32_t i = 0; i < MN_RESAMPLE_TABLES; i++) {
    if (cutoffs[i] <= wanted) return resampler->table[i];
  }
  return resampler->table[MN_RESAMPLE_TABLES - 1];
}

static float edge(const float *row, mn_clip clip, int64_t start) {
  float acc = 0;
  for (int32_t tap = 0; tap < MN_RESAMPLE_TAPS; tap++) {
    const int64_t at = start + tap;
    if (at >= 0 && at < clip.samples) acc += row[tap] * (float)clip.pcm[at];
  }
  return acc;
}

/* Four sums of their own: a compiler may not reorder one, but it may put these in one register. */
static float inside(const float *row, const int16_t *pcm) {
  float acc[4] = {0};
  for (int32_t tap = 0; tap < MN_RESAMPLE_TAPS; tap += 4) {
    for (int32_t lane = 0; lane < 4; lane++) acc[lane] += row[tap + lane] * (float)pcm[tap + lane];
  }
  return (acc[0] + acc[1]) + (acc[2] + acc[3]);
}

void mn_resample(const mn_resampler *resampler, float *y, int32_t count, int32_t first,
                 mn_clip clip, int32_t step) {
  assert(step > 0);
  const float *table = table_of(resampler, step);
  for (int32_t i = 0; i < count; i++) {
    const int64_t time = (int64_t)(first + i) * step;
    const float *row = table + time % MN_RESAMPLE_PHASES * MN_RESAMPLE_TAPS;
    const int64_t start = time / MN_RESAMPLE_PHASES - (MN_RESAMPLE_TAPS / 2 - 1);
    const bool whole = start >= 0 && start + MN_RESAMPLE_TAPS <= clip.samples;
    y[i] = whole ? inside(row, clip.pcm + start) : edge(row, clip, start);
  }
}
