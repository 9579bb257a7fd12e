/* augment_reverb.c - a room: the direct path and a tail of noise that decays by 60 dB in RT60,
 * convolved through a Fourier transform (Stockham's, radix 4, no bit reversal).
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "data/augment_parts.h"

mn_status mn_fourier_create(mn_fourier *fourier, mn_arena *arena, int32_t size) {
  assert(size >= 4 && (size & (size - 1)) == 0);
  fourier->size = size;
  float **const arrays[] = {&fourier->cosine,  &fourier->sine,    &fourier->real[0],
                            &fourier->real[1], &fourier->imag[0], &fourier->imag[1]};
  for (size_t i = 0; i < MN_COUNT(arrays); i++) {
    *arrays[i] = mn_arena_array(arena, (size_t)size, sizeof(float));
    if (*arrays[i] == NULL) return MN_ERR_MEMORY;
  }
  for (int32_t k = 0; k < size; k++) {
    fourier->cosine[k] = (float)cos(-2 * M_PI * k / size);
    fourier->sine[k] = (float)sin(-2 * M_PI * k / size);
  }
  return MN_OK;
}

/* Four floats; the type says that they may start anywhere. */
typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));

/* One butterfly: a, b, c, d are a quarter apart in x; the results go side by side into y. Written once
 * for a float and once for four of them: compilers do not see that the eight arrays are apart. */
#define BUTTERFLY(type, xr, xi, yr, yi, quarter, stride, w)                                        \
  do {                                                                                             \
    const type ar = *(const type *)(xr), ai = *(const type *)(xi);                                 \
    const type br = *(const type *)((xr) + (quarter)), bi = *(const type *)((xi) + (quarter));     \
    const type cr = *(const type *)((xr) + 2 * (quarter));                                         \
    const type ci = *(const type *)((xi) + 2 * (quarter));                                         \
    const type dr = *(const type *)((xr) + 3 * (quarter));                                         \
    const type di = *(const type *)((xi) + 3 * (quarter));                                         \
    const type er = ar + cr, ei = ai + ci, fr = ar - cr, fi = ai - ci;                             \
    const type gr = br + dr, gi = bi + di, hr = bi - di, hi = dr - br; /* -i (b - d) */            \
    const type sr = fr + hr, si = fi + hi, tr = er - gr, ti = ei - gi, ur = fr - hr, ui = fi - hi; \
    *(type *)(yr) = er + gr;                                                                       \
    *(type *)(yi) = ei + gi;                                                                       \
    *(type *)((yr) + (stride)) = sr * (w)[0] - si * (w)[1];                                        \
    *(type *)((yi) + (stride)) = sr * (w)[1] + si * (w)[0];                                        \
    *(type *)((yr) + 2 * (stride)) = tr * (w)[2] - ti * (w)[3];                                    \
    *(type *)((yi) + 2 * (stride)) = tr * (w)[3] + ti * (w)[2];                                    \
    *(type *)((yr) + 3 * (stride)) = ur * (w)[4] - ui * (w)[5];                                    \
    *(type *)((yi) + 3 * (stride)) = ur * (w)[5] + ui * (w)[4];                                    \
  } while (0)

/* One of n / 4 groups of butterflies; the stride is 1 in the first stage and then a multiple of 4. */
static void butterflies(const float *xr, const float *xi, float *yr, float *yi, int32_t quarter,
                        int32_t stride, const float w[6]) {
  if (stride == 1) {
    BUTTERFLY(float, xr, xi, yr, yi, quarter, 1, w);
    return;
  }
  for (int32_t q = 0; q < stride; q += 4) {
    BUTTERFLY(lanes, xr + q, xi + q, yr + q, yi + q, quarter, stride, w);
  }
}

static void last_pairs(mn_fourier *fourier, int32_t from, int32_t stride) {
  const float *xr = fourier->real[from], *xi = fourier->imag[from];
  float *yr = fourier->real[1 - from], *yi = fourier->imag[1 - from];
  for (int32_t q = 0; q < stride; q++) {
    yr[q] = xr[q] + xr[q + stride];
    yi[q] = xi[q] + xi[q + stride];
    yr[q + stride] = xr[q] - xr[q + stride];
    yi[q + stride] = xi[q] - xi[q + stride];
  }
}

int32_t mn_fourier_run(mn_fourier *fourier, int32_t from, int32_t n) {
  assert(n >= 2 && n <= fourier->size && (n & (n - 1)) == 0);
  int32_t stride = 1;
  for (; n >= 4; n /= 4, stride *= 4, from = 1 - from) {
    const int32_t twiddle = fourier->size / n, quarter = stride * n / 4;
    for (int32_t p = 0; p < n / 4; p++) {
      const int32_t k = p * twiddle;
      const float w[6] = {fourier->cosine[k],   fourier->sine[k],       fourier->cosine[2 * k],
                          fourier->sine[2 * k], fourier->cosine[3 * k], fourier->sine[3 * k]};
      butterflies(fourier->real[from] + stride * p, fourier->imag[from] + stride * p,
                  fourier->real[1 - from] + 4 * stride * p,
                  fourier->imag[1 - from] + 4 * stride * p, quarter, stride, w);
    }
  }
  if (n == 2) {
    last_pairs(fourier, from, stride);
    from = 1 - from;
  }
  return from;
}

/* Spectra of two real signals travel as one complex one; their product goes back, conjugated so that
 * the forward transform is also the inverse. */
static void multiply(mn_fourier *fourier, int32_t from, int32_t n) {
  const float *zr = fourier->real[from], *zi = fourier->imag[from];
  float *pr = fourier->real[1 - from], *pi = fourier->imag[1 - from];
  const float scale = 1.0f / (float)n;
  for (int32_t k = 0; k < n; k++) {
    const int32_t m = (n - k) & (n - 1);
    const float xr = 0.5f * (zr[k] + zr[m]), xi = 0.5f * (zi[k] - zi[m]);
    const float hr = 0.5f * (zi[k] + zi[m]), hi = 0.5f * (zr[m] - zr[k]);
    pr[k] = (xr * hr - xi * hi) * scale;
    pi[k] = -(xr * hi + xi * hr) * scale;
  }
}

/* h [length]: 1 at the start, then the tail, scaled to the energy asked for. */
static void response(float *h, int32_t length, const mn_room *room, mn_rng *rng) {
  mn_noise_white(h, length, rng);
  const float decay = (float)exp(-3 * log(10) / (room->rt60_s * room->rate_hz));
  const int32_t silent = (int32_t)(room->predelay_s * room->rate_hz) + 1;
  double energy = 0;
  float envelope = 1;
  for (int32_t i = 0; i < length; i++) {
    h[i] = i < silent ? 0 : h[i] * envelope;
    envelope *= decay;
    energy += (double)(h[i] * h[i]);
  }
  const float gain = energy > 0 ? (float)sqrt(pow(10, room->tail_db / 10) / energy) : 0;
  for (int32_t i = 0; i < length; i++) h[i] *= gain;
  h[0] = 1;
}

void mn_reverb(mn_fourier *fourier, float *x, int32_t samples, int32_t begin, int32_t end,
               const mn_room *room, mn_rng *rng) {
  const int32_t sound = end - begin, wanted = samples - begin;
  int32_t length = (int32_t)(room->rt60_s * room->rate_hz) + 1;
  if (length > wanted) length = wanted;
  int32_t n = 4;
  while (n < sound + length) n *= 2;
  assert(sound > 0 && n <= fourier->size);
  float *xr = fourier->real[0], *h = fourier->imag[0];
  memcpy(xr, x + begin, (size_t)sound * sizeof(float));
  memset(xr + sound, 0, (size_t)(n - sound) * sizeof(float));
  memset(h, 0, (size_t)n * sizeof(float));
  response(h, length, room, rng);
  const int32_t half = mn_fourier_run(fourier, 0, n);
  multiply(fourier, half, n);
  const float *y = fourier->real[mn_fourier_run(fourier, 1 - half, n)];
  memcpy(x + begin, y, (size_t)(wanted < n ? wanted : n) * sizeof(float));
}
