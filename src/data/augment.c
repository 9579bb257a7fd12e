/* augment.c - the order in which a clip is changed, and the draws that decide by how much.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/augment.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "data/augment_parts.h"

#define FULL_SCALE 32768.0

struct mn_augment {
  mn_augment_config config;
  mn_arena *arena;
  int32_t samples;
  mn_resampler resampler;
  mn_fourier fourier;
  float *x, *noise; /* [samples] */
};

mn_augment_config mn_augment_of_feed(const mn_feed_config *feed, int32_t rate_hz) {
  return (mn_augment_config){
      .rate_hz = rate_hz,
      .speed = feed->speed,
      .shift_ms = feed->shift_ms,
      .roam = feed->roam,
      .contour_probability = feed->contour_probability,
      .reverb_probability = feed->reverb_probability,
      .reverb_low_s = 0.06,
      .reverb_high_s = 0.7,
      .eq_probability = feed->eq_probability,
      .eq_db = 5,
      .edge_probability = feed->eq_probability * 0.6,
      .narrow_probability = feed->narrow_probability,
      .noise_probability = feed->noise_probability,
      .noise_snr_low_db = feed->noise_snr_low_db,
      .noise_snr_high_db = feed->noise_snr_high_db,
      .coloured_noise = feed->coloured_noise,
      .gain_db = feed->gain_db,
      .level_low_dbfs = feed->level_low_dbfs,
      .level_high_dbfs = feed->level_high_dbfs,
      .floor_low_dbfs = feed->floor_low_dbfs,
      .floor_high_dbfs = feed->floor_high_dbfs,
      .cut_probability = feed->cut_probability,
  };
}

static int32_t power_of_two(int32_t least) {
  int32_t n = 4;
  while (n < least) n *= 2;
  return n;
}

mn_status mn_augment_create(mn_augment **augment, const mn_augment_config *config,
                            int32_t samples) {
  assert(samples > 0 && config->rate_hz > 0);
  mn_arena *arena = NULL;
  MN_TRY(mn_arena_create(&arena));
  mn_augment *a = mn_arena_alloc(arena, sizeof *a);
  mn_status status = a == NULL ? MN_ERR_MEMORY : MN_OK;
  if (status == MN_OK) {
    *a = (mn_augment){.config = *config, .arena = arena, .samples = samples};
    a->x = mn_arena_array(arena, (size_t)samples, sizeof(float));
    a->noise = mn_arena_array(arena, (size_t)samples, sizeof(float));
    if (a->x == NULL || a->noise == NULL) status = MN_ERR_MEMORY;
  }
  if (status == MN_OK) status = mn_resampler_create(&a->resampler, arena);
  if (status == MN_OK) status = mn_fourier_create(&a->fourier, arena, power_of_two(2 * samples));
  if (status != MN_OK) {
    mn_arena_destroy(arena);
    return status;
  }
  *augment = a;
  return MN_OK;
}

void mn_augment_destroy(mn_augment *augment) {
  if (augment != NULL) mn_arena_destroy(augment->arena);
}

void mn_clip_centre(int16_t *out, int32_t samples, mn_clip clip) {
  const int32_t skip = clip.samples > samples ? (clip.samples - samples) / 2 : 0;
  const int32_t take = clip.samples > samples ? samples : clip.samples;
  const int32_t at = (samples - take) / 2;
  memset(out, 0, (size_t)samples * sizeof *out);
  if (take > 0) memcpy(out + at, clip.pcm + skip, (size_t)take * sizeof *out);
}

static double between(mn_rng *rng, double low, double high) {
  return high > low ? mn_rng_range(rng, low, high) : low;
}

static float amplitude(double db) {
  return (float)pow(10, db / 20);
}

/* Speed and place. A breath of noise (-150 dBFS) keeps the filters out of denormal numbers. */
static void place(mn_augment *a, mn_clip clip, int32_t *begin, int32_t *end, mn_rng *rng) {
  const mn_augment_config *c = &a->config;
  const double factor = c->speed > 0 ? exp(mn_rng_range(rng, -1, 1) * log1p(c->speed)) : 1;
  const int32_t step = (int32_t)lrint(factor * MN_RESAMPLE_PHASES);
  const int32_t length = mn_resample_length(clip.samples, step);
  const double free_ms = 500.0 * (a->samples - length) / c->rate_hz; /* on either side */
  const double most_ms = fmax(c->shift_ms, c->roam * free_ms);
  const double shift = most_ms > 0 ? mn_rng_range(rng, -most_ms, most_ms) : 0;
  /* Where the resampled clip starts in the window; negative where it is longer. */
  const int32_t centred =
      a->samples >= length ? (a->samples - length) / 2 : -((length - a->samples) / 2);
  const int64_t start = centred + (int64_t)lrint(shift * c->rate_hz / 1000);
  const int64_t stop = start + length;
  *begin = start < 0 ? 0 : start > a->samples ? a->samples : (int32_t)start;
  *end = stop < *begin ? *begin : stop > a->samples ? a->samples : (int32_t)stop;
  mn_noise_white(a->x, a->samples, rng);
  for (int32_t i = 0; i < a->samples; i++) a->x[i] *= 1e-3f;
  const int32_t first = (int32_t)(*begin - start);
  if (step != MN_RESAMPLE_PHASES) {
    mn_resample(&a->resampler, a->x + *begin, *end - *begin, first, clip, step);
  } else {
    for (int32_t i = *begin; i < *end; i++) a->x[i] = (float)clip.pcm[first + i - *begin];
  }
}

/* People let words die away; synthesisers hold them. Straight lines in dB between knots. */
static void bend_level(mn_augment *a, int32_t begin, int32_t end, mn_rng *rng) {
  enum { PIECES = 4 };
  const double rise = mn_rng_range(rng, -24, 6), loose = 4;
  double db = mn_rng_range(rng, -loose, loose);
  for (int32_t k = 0; k < PIECES; k++) {
    const double to = rise * (k + 1) / PIECES + mn_rng_range(rng, -loose, loose);
    const int32_t from = begin + (int32_t)((int64_t)(end - begin) * k / PIECES);
    const int32_t stop = begin + (int32_t)((int64_t)(end - begin) * (k + 1) / PIECES);
    const float step = stop > from ? amplitude((to - db) / (stop - from)) : 1;
    float gain = amplitude(db);
    for (int32_t i = from; i < stop; i++, gain *= step) a->x[i] *= gain;
    db = to;
  }
}

static void reverberate(mn_augment *a, int32_t begin, int32_t end, mn_rng *rng) {
  const mn_augment_config *c = &a->config;
  const double low = log(c->reverb_low_s), high = log(c->reverb_high_s);
  const mn_room room = {.rt60_s = exp(between(rng, low, high)),
                        .tail_db = between(rng, -15, 3),
                        .predelay_s = between(rng, 0.001, 0.012),
                        .rate_hz = c->rate_hz};
  mn_reverb(&a->fourier, a->x, a->samples, begin, end, &room, rng);
}

static void equalize(mn_augment *a, mn_rng *rng) {
  enum { BANDS = 8 };
  const mn_augment_config *c = &a->config;
  mn_biquad bands[BANDS];
  for (int32_t k = 0; k < BANDS; k++) {
    const double hz = 0.45 * c->rate_hz * pow(2, -0.78 * (BANDS - 1 - k));
    bands[k] = mn_biquad_peak(hz, 1.1, mn_rng_range(rng, -c->eq_db, c->eq_db), c->rate_hz);
  }
  mn_biquad_run(bands, BANDS, a->x, a->samples);
}

/* What microphone and channel leave: a gentle high-pass and low-pass, or the telephone's steep one. */
static void limit_band(mn_augment *a, mn_rng *rng) {
  const mn_augment_config *c = &a->config;
  /* Q of the four sections of an eighth-order Butterworth filter */
  static const double butterworth[4] = {0.5098, 0.6013, 0.9000, 2.5629};
  mn_biquad sections[8];
  int32_t count = 0;
  if (mn_chance(rng, c->edge_probability)) {
    sections[count++] = mn_biquad_high_pass(between(rng, 40, 300), M_SQRT1_2, c->rate_hz);
  }
  if (mn_chance(rng, c->edge_probability)) {
    sections[count++] =
        mn_biquad_low_pass(between(rng, 0.3, 0.48) * c->rate_hz, M_SQRT1_2, c->rate_hz);
  }
  if (mn_chance(rng, c->narrow_probability) && c->rate_hz > 8000) {
    const double hz = between(rng, 3200, 3900);
    for (int32_t k = 0; k < 4; k++) {
      sections[count++] = mn_biquad_low_pass(hz, butterworth[k], c->rate_hz);
    }
  }
  if (count > 0) mn_biquad_run(sections, count, a->x, a->samples);
}

static bool draw_noise(mn_augment *a, const mn_clip *noises, int32_t count, mn_rng *rng) {
  const bool made = count == 0 || mn_rng_uniform(rng) < a->config.coloured_noise;
  if (made) {
    mn_noise_room(a->noise, a->samples, a->config.rate_hz, rng);
    return true;
  }
  const mn_clip *clip = &noises[mn_rng_below(rng, (uint32_t)count)];
  return clip->samples > 0 && mn_noise_recorded(a->noise, a->samples, *clip, rng);
}

static void add_noise(mn_augment *a, double level, const mn_clip *noises, int32_t count,
                      mn_rng *rng) {
  const mn_augment_config *c = &a->config;
  const double snr = between(rng, c->noise_snr_low_db, c->noise_snr_high_db);
  if (!draw_noise(a, noises, count, rng)) return;
  const float gain = (float)level * amplitude(-snr);
  for (int32_t i = 0; i < a->samples; i++) a->x[i] += gain * a->noise[i];
}

static void scale(mn_augment *a, double level, mn_rng *rng) {
  const mn_augment_config *c = &a->config;
  const bool levelled = c->level_low_dbfs < 0 || c->level_high_dbfs < 0;
  float gain = 1;
  if (levelled && level > 0) {
    gain = (float)(FULL_SCALE / level) *
           amplitude(between(rng, c->level_low_dbfs, c->level_high_dbfs));
  } else if (c->gain_db > 0) {
    gain = amplitude(mn_rng_range(rng, -c->gain_db, c->gain_db));
  }
  for (int32_t i = 0; i < a->samples; i++) a->x[i] *= gain;
}

static void add_floor(mn_augment *a, mn_rng *rng) {
  const mn_augment_config *c = &a->config;
  if (c->floor_low_dbfs >= 0 && c->floor_high_dbfs >= 0) return;
  const float gain =
      (float)FULL_SCALE * amplitude(between(rng, c->floor_low_dbfs, c->floor_high_dbfs));
  mn_noise_coloured(a->noise, a->samples, (mn_colour)mn_rng_below(rng, MN_COLOUR_COUNT), rng);
  for (int32_t i = 0; i < a->samples; i++) a->x[i] += gain * a->noise[i];
}

/* Collections hold words cut out of their recording; in a window these stand between zeros. The knife
 * is not exact: a network that saw whole words only takes a sharp end for a stop consonant, and a word that
 * has lost the soft sound it begins with for another that begins so. */
static void cut_out(mn_augment *a, int32_t begin, int32_t end, mn_rng *rng) {
  const double into = 0.15 * (end - begin), beside = 0.06 * a->config.rate_hz;
  const int32_t first = begin + (int32_t)between(rng, -beside, 2 * into);
  const int32_t last = end + (int32_t)between(rng, -into, 2 * beside);
  for (int32_t i = 0; i < first; i++) a->x[i] = 0;
  for (int32_t i = last; i < a->samples; i++) a->x[i] = 0;
}

static void store(int16_t *out, const float *x, int32_t samples) {
  for (int32_t i = 0; i < samples; i++) {
    const float v = x[i] < -32768.0f ? -32768.0f : x[i] > 32767.0f ? 32767.0f : x[i];
    out[i] = (int16_t)lrintf(v);
  }
}

/* RMS of the spoken part; what is softer than 1 / 32768 counts as nothing. */
static double spoken_level(const mn_augment *a, int32_t begin, int32_t end) {
  const double power = mn_power(a->x + begin, end - begin);
  return power > 1 ? sqrt(power) : 0;
}

void mn_augment_run(mn_augment *augment, int16_t *out, mn_clip clip, const mn_clip *noises,
                    int32_t count, mn_rng *rng) {
  mn_augment *a = augment;
  const mn_augment_config *c = &a->config;
  int32_t begin = 0, end = 0;
  place(a, clip, &begin, &end, rng);
  if (mn_chance(rng, c->contour_probability)) bend_level(a, begin, end, rng);
  if (end > begin && mn_chance(rng, c->reverb_probability)) reverberate(a, begin, end, rng);
  if (mn_chance(rng, c->eq_probability)) equalize(a, rng);
  const double level = spoken_level(a, begin, end);
  if (mn_chance(rng, c->noise_probability)) add_noise(a, level, noises, count, rng);
  limit_band(a, rng);
  scale(a, spoken_level(a, begin, end), rng);
  add_floor(a, rng);
  if (mn_chance(rng, c->cut_probability)) cut_out(a, begin, end, rng);
  store(out, a->x, a->samples);
}

void mn_augment_silence(mn_augment *augment, int16_t *out, const mn_clip *noises, int32_t count,
                        mn_rng *rng) {
  mn_augment *a = augment;
  if (!draw_noise(a, noises, count, rng)) mn_noise_white(a->noise, a->samples, rng);
  const float gain = (float)FULL_SCALE * amplitude(mn_rng_range(rng, -70, -15));
  for (int32_t i = 0; i < a->samples; i++) a->x[i] = gain * a->noise[i];
  limit_band(a, rng);
  add_floor(a, rng);
  store(out, a->x, a->samples);
}
