/* bands.c - host only: where the bands of a front end lie. Slopes between mels + 2 points that are
 * equidistant on a scale: HTK's mel (TensorFlow), Slaney's mel (librosa), or hertz (vibration).
 *
 * In double precision with series of our own instead of libm, as tables.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include "features/tables.h"

static double logarithm(double x) { /* ln x, x >= 1 */
  double whole = 0.0;
  for (; x > 1.5; x /= 2.0) whole += 0.69314718055994530942;
  double y = (x - 1.0) / (x + 1.0), power = y, sum = 0.0;
  for (int32_t n = 1; n < 40; n += 2) {
    sum += power / n;
    power *= y * y;
  }
  return whole + 2.0 * sum;
}

static double exponential(double x) { /* 0 <= x < 20 */
  double term = 1.0, sum = 0.0, part = x / 64.0;
  for (int32_t n = 1; n < 24; n++) {
    sum += term;
    term *= part / n;
  }
  for (int32_t i = 0; i < 6; i++) sum *= sum;
  return sum;
}

static double htk_of(double hz) {
  return 1127.0 * logarithm(1.0 + hz / 700.0);
}

/* Slaney's Auditory Toolbox: linear below 1 kHz, 27 steps for a factor of 6.4 above. */
#define SLANEY_STEP (200.0 / 3.0)
static double slaney_of(double hz) {
  if (hz < 1000.0) return hz / SLANEY_STEP;
  return 15.0 + logarithm(hz / 1000.0) * 27.0 / logarithm(6.4);
}
static double slaney_hz(double mel) {
  if (mel < 15.0) return mel * SLANEY_STEP;
  return 1000.0 * exponential((mel - 15.0) * logarithm(6.4) / 27.0);
}

/* The points in the units in which slopes are straight: mel for HTK, hertz for the others. */
typedef struct scale {
  double low, spacing;
  int32_t htk, slaney;
} scale;

static scale scale_of(const mn_frontend *f, int32_t bands) {
  scale s = {.htk = f->kind != MN_FRONTEND_SPECTRUM && f->mel == MN_MEL_HTK,
             .slaney = f->kind != MN_FRONTEND_SPECTRUM && f->mel == MN_MEL_SLANEY};
  double high = f->to_hz;
  s.low = f->from_hz;
  if (s.htk) s.low = htk_of(s.low), high = htk_of(high);
  if (s.slaney) s.low = slaney_of(s.low), high = slaney_of(high);
  s.spacing = (high - s.low) / (bands + 1);
  return s;
}

static double place_of(const scale *s, double hz) {
  return s->htk ? htk_of(hz) : hz;
}

static double point_of(const scale *s, int32_t index) {
  double place = s->low + index * s->spacing;
  return s->slaney ? slaney_hz(place) : place;
}

static double width_of(const scale *s, int32_t index) { /* between points index - 1 and index */
  return s->slaney ? point_of(s, index) - point_of(s, index - 1) : s->spacing;
}

static int32_t first_bin(const mn_audio *audio, const mn_frontend *f, double hz_per_bin) {
  if (f->kind == MN_FRONTEND_SPECTRUM || f->mel == MN_MEL_SLANEY) return 0;
  if (audio->style == MN_STYLE_MLPERF) return 1;   /* bins below the limit have no slope */
  return (int32_t)(1.5 + f->from_hz / hz_per_bin); /* as TensorFlow rounds */
}

/* ln or dB of 2 / (width of the triangle in Hz), Q16. */
static void fill_area(int32_t *area, const mn_audio *audio, const scale *s) {
  for (int32_t i = 0; i < audio->mels; i++) {
    double width = point_of(s, i + 2) - point_of(s, i);
    double height = width > 2.0 ? -logarithm(width / 2.0) : logarithm(2.0 / width);
    if (audio->power) height *= 10.0 / logarithm(10.0);
    area[i] = (int32_t)mn_nearest(height * 65536.0);
  }
}

void mn_bands_fill(uint16_t *edge, uint16_t *slope, int32_t *area, const mn_audio *audio,
                   const mn_frontend *frontend) {
  double hz_per_bin = (double)frontend->rate_hz / audio->fft;
  scale s = scale_of(frontend, audio->mels);
  int32_t next = 0, k = first_bin(audio, frontend, hz_per_bin);
  for (; k < audio->bins; k++) {
    double place = place_of(&s, k * hz_per_bin);
    if (place <= point_of(&s, 0)) continue;
    while (next <= audio->mels && (next == 0 || place > point_of(&s, next))) {
      edge[next++] = (uint16_t)k;
    }
    double falling = (point_of(&s, next) - place) / width_of(&s, next);
    if (falling < 0.0) falling = 0.0;
    slope[k] = (uint16_t)(falling >= 65535.0 / 65536.0 ? 65535 : mn_nearest(falling * 65536.0));
  }
  while (next <= audio->mels + 1) edge[next++] = (uint16_t)k;
  if (area != NULL) fill_area(area, audio, &s);
}
