/* augment_parts.h - the stages inside augment.c: resampler, reverb, filters, noises. Internal.
 *
 * All work in float, int16's units, in place where the signature says so.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_AUGMENT_PARTS_H
#define MN_DATA_AUGMENT_PARTS_H

#include "data/augment.h"

/* One draw, none where the probability is 0. */
static inline bool mn_chance(mn_rng *rng, double probability) {
  return probability > 0 && mn_rng_uniform(rng) < probability;
}

/* ---- Resampler: windowed sinc, exact phases: the factor is step / MN_RESAMPLE_PHASES ---------*/
enum { MN_RESAMPLE_PHASES = 320, MN_RESAMPLE_TAPS = 24, MN_RESAMPLE_TABLES = 4 };

typedef struct mn_resampler {
  float *table[MN_RESAMPLE_TABLES]; /* [phase][tap], one per cutoff */
} mn_resampler;
mn_status mn_resampler_create(mn_resampler *resampler, mn_arena *arena) MN_MUST_CHECK;
/* Samples that `samples` become at `step`. */
int32_t mn_resample_length(int32_t samples, int32_t step);
/* y[i] is the input at time (first + i) * step / PHASES; silence outside of the clip. */
void mn_resample(const mn_resampler *resampler, float *y, int32_t count, int32_t first,
                 mn_clip clip, int32_t step);

/* ---- Fourier transform: complex, split, powers of two up to the size created ------------------*/
typedef struct mn_fourier {
  int32_t size;
  float *cosine, *sine;     /* of -2 pi k / size, k < size */
  float *real[2], *imag[2]; /* the data, and the other half of the ping-pong */
} mn_fourier;
mn_status mn_fourier_create(mn_fourier *fourier, mn_arena *arena, int32_t size) MN_MUST_CHECK;
/* Transforms real[from], imag[from] (n of them); returns which half holds the result. */
int32_t mn_fourier_run(mn_fourier *fourier, int32_t from, int32_t n);

/* ---- Reverb: x is convolved with a direct path and a decaying tail of noise -------------------*/
typedef struct mn_room {
  double rt60_s;  /* time in which the tail loses 60 dB */
  double tail_db; /* energy of the tail against the direct path */
  double predelay_s;
  int32_t rate_hz;
} mn_room;
/* x [samples]; sound only in [begin, end). The energy of the direct path stays as it is. */
void mn_reverb(mn_fourier *fourier, float *x, int32_t samples, int32_t begin, int32_t end,
               const mn_room *room, mn_rng *rng);

/* ---- Filters: second-order sections ----------------------------------------------------------*/
typedef struct mn_biquad {
  float b0, b1, b2, a1, a2;
} mn_biquad;
mn_biquad mn_biquad_peak(double hz, double q, double gain_db, double rate_hz);
mn_biquad mn_biquad_low_pass(double hz, double q, double rate_hz);
mn_biquad mn_biquad_high_pass(double hz, double q, double rate_hz);
enum { MN_BIQUADS_MAX = 16 };
void mn_biquad_run(const mn_biquad *sections, int32_t count, float *x, int32_t samples);

/* ---- Noises -----------------------------------------------------------------------------------*/
typedef enum mn_colour {
  MN_COLOUR_WHITE,
  MN_COLOUR_PINK,
  MN_COLOUR_BROWN,
  MN_COLOUR_COUNT
} mn_colour;
/* Triangular white noise of RMS 1. */
void mn_noise_white(float *x, int32_t samples, mn_rng *rng);
void mn_noise_coloured(float *x, int32_t samples, mn_colour colour, mn_rng *rng); /* RMS 1 */
/* A room where nobody speaks, RMS 1: coloured noise with hum, resonances, a wandering level and knocks,
 * each of them or none. */
void mn_noise_room(float *x, int32_t samples, int32_t rate_hz, mn_rng *rng);
/* A random piece, repeated where it is too short; RMS 1 unless it is silent (then false). */
bool mn_noise_recorded(float *x, int32_t samples, mn_clip clip, mn_rng *rng);
double mn_power(const float *x, int32_t samples); /* mean square */

#endif
