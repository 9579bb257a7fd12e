/* augment_filter.c - second-order sections after R. Bristow-Johnson's "Cookbook formulae for audio
 * equalizer biquad filter coefficients", run as one cascade per sample.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>

#include "data/augment_parts.h"

static mn_biquad normalised(const double b[3], const double a[3]) {
  return (mn_biquad){.b0 = (float)(b[0] / a[0]),
                     .b1 = (float)(b[1] / a[0]),
                     .b2 = (float)(b[2] / a[0]),
                     .a1 = (float)(a[1] / a[0]),
                     .a2 = (float)(a[2] / a[0])};
}

mn_biquad mn_biquad_peak(double hz, double q, double gain_db, double rate_hz) {
  const double w = 2 * M_PI * hz / rate_hz, alpha = sin(w) / (2 * q), gain = pow(10, gain_db / 40);
  return normalised((const double[]){1 + alpha * gain, -2 * cos(w), 1 - alpha * gain},
                    (const double[]){1 + alpha / gain, -2 * cos(w), 1 - alpha / gain});
}

mn_biquad mn_biquad_low_pass(double hz, double q, double rate_hz) {
  const double w = 2 * M_PI * hz / rate_hz, alpha = sin(w) / (2 * q), c = cos(w);
  return normalised((const double[]){(1 - c) / 2, 1 - c, (1 - c) / 2},
                    (const double[]){1 + alpha, -2 * c, 1 - alpha});
}

mn_biquad mn_biquad_high_pass(double hz, double q, double rate_hz) {
  const double w = 2 * M_PI * hz / rate_hz, alpha = sin(w) / (2 * q), c = cos(w);
  return normalised((const double[]){(1 + c) / 2, -1 - c, (1 + c) / 2},
                    (const double[]){1 + alpha, -2 * c, 1 - alpha});
}

/* All sections of a sample before the next sample: their chains overlap in the processor. */
void mn_biquad_run(const mn_biquad *sections, int32_t count, float *x, int32_t samples) {
  assert(count <= MN_BIQUADS_MAX);
  float s1[MN_BIQUADS_MAX] = {0}, s2[MN_BIQUADS_MAX] = {0};
  for (int32_t i = 0; i < samples; i++) {
    float v = x[i];
    for (int32_t k = 0; k < count; k++) {
      const mn_biquad *f = &sections[k];
      const float y = f->b0 * v + s1[k];
      s1[k] = f->b1 * v - f->a1 * y + s2[k];
      s2[k] = f->b2 * v - f->a2 * y;
      v = y;
    }
    x[i] = v;
  }
}
