/* tables.c - host only: numbers and tables of a front end from its settings.
 *
 * In double precision with series of our own instead of libm, so that every host makes the same
 * bits; firmware gets the finished tables as constants and holds nothing of this file.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "features/tables.h"

#define PI 3.14159265358979323846

static double cosine_of(double turn) { /* cos(2 pi turn), turn in [0, 1/4] */
  double x = 2.0 * PI * turn, term = 1.0, sum = 0.0;
  for (int32_t n = 1; n < 26; n += 2) {
    sum += term;
    term *= -x * x / (n * (n + 1.0));
  }
  return sum;
}

static double square_root(double x) { /* by Newton, x > 0 */
  double y = x > 1.0 ? x : 1.0;
  for (int32_t i = 0; i < 60; i++) y = 0.5 * (y + x / y);
  return y;
}

static int32_t saturate_s32(double value) {
  return value >= INT32_MAX ? INT32_MAX : (int32_t)mn_nearest(value);
}

static void fill_quarter(int32_t *table, int32_t steps, double scale) {
  for (int32_t i = 0; i <= steps; i++) table[i] = saturate_s32(cosine_of(0.25 * i / steps) * scale);
  table[steps] = 0;
}

/* Periodic Hann: (1 - cos(2 pi n / window)) / 2. */
static void fill_hann(int32_t *table, int32_t window) {
  for (int32_t n = 0; n <= window / 2; n++) {
    double turn = (double)n / window;
    double cosine = turn <= 0.25 ? cosine_of(turn) : -cosine_of(0.5 - turn);
    table[n] = saturate_s32((0.5 - 0.5 * cosine) * 2147483648.0);
  }
}

/* Cepstral liftering as HTK does it: evens out the spread of the coefficients. */
static void fill_lift(int32_t *table, int32_t keep, int32_t lifter) {
  for (int32_t k = 0; k < keep; k++) {
    double turn = 0.5 * (k % (2 * lifter)) / lifter; /* of a whole circle */
    double sign = turn < 0.5 ? 1.0 : -1.0, half = turn < 0.5 ? turn : turn - 0.5;
    double sine = cosine_of(half <= 0.25 ? 0.25 - half : half - 0.25);
    table[k] = (int32_t)mn_nearest((1.0 + 0.5 * lifter * sign * sine) * 65536.0);
  }
}

/* Largest Q in which a floored coefficient 0, ln(1e-12) sqrt(2 mels), still fits 16 bits; a lifter
 * makes the others up to 1 + lifter / 2 times as large, a quarter of which is ever reached. */
static int32_t cepstrum_fraction(int32_t mels, int32_t lifter) {
  double largest = 27.7 * square_root(2.0 * mels);
  if (lifter > 0) largest *= 0.25 * (1.0 + 0.5 * lifter) > 1.0 ? 0.25 * (1.0 + 0.5 * lifter) : 1.0;
  int32_t fraction = 0;
  while (largest * (2 << fraction) <= 32767.0) fraction++;
  return fraction;
}

static int32_t samples_of(const mn_frontend *frontend, int32_t us) {
  return (int32_t)((int64_t)frontend->rate_hz * us / 1000000);
}

static mn_audio numbers_of(const mn_frontend *f) {
  mn_audio audio = {.window = samples_of(f, f->window_us),
                    .step = samples_of(f, f->step_us),
                    .length = samples_of(f, f->length_us),
                    .fft = 2,
                    .fft_log2 = 1,
                    .frames = f->frames,
                    .every = f->every > 0 ? f->every : 1,
                    .channels = f->kind == MN_FRONTEND_SPECTRUM ? f->channel_count : 1,
                    .mels = f->kind == MN_FRONTEND_SPECTRUM ? f->bands : f->mels,
                    .keep = f->kind == MN_FRONTEND_MFCC ? f->keep : 0,
                    .lifter = f->kind == MN_FRONTEND_MFCC ? f->lifter : 0,
                    .style = f->style,
                    .level = f->level,
                    .power = f->log == MN_LOG_DB,
                    .area_normed = f->kind != MN_FRONTEND_SPECTRUM && f->mel == MN_MEL_SLANEY,
                    .log_factor = f->log == MN_LOG_DB ? MN_DB_OF_LOG2_Q28 : MN_LN2_Q30,
                    .log_shift = f->log == MN_LOG_DB ? 36 : 38,
                    .floor = f->log == MN_LOG_DB ? MN_FLOOR_DB_Q16 : MN_FLOOR_Q16};
  while (audio.fft < audio.window && audio.fft < 1 << 20) {
    audio.fft *= 2;
    audio.fft_log2++;
  }
  if (audio.step < 1 || f->to_hz < 0) return audio; /* refused by the check */
  audio.bins = (int32_t)((int64_t)f->to_hz * audio.fft / f->rate_hz) + 1;
  if (f->frames > 0) audio.length = audio.window + (f->frames - 1) * audio.step;
  if (audio.length >= audio.window) audio.frames = 1 + (audio.length - audio.window) / audio.step;
  audio.rows = f->resize_h > 0 ? f->resize_h : audio.frames;
  audio.columns = f->resize_h > 0 ? f->resize_w : audio.mels;
  /* mlperf adds its own offset later; the lowest value that is held must not disturb it. */
  if (audio.style == MN_STYLE_MLPERF) audio.floor = MN_LOWEST_Q16;
  if (audio.style == MN_STYLE_MLPERF) audio.peaks = (audio.length + audio.step - 1) / audio.step;
  if (audio.mels < 1) return audio;
  audio.fraction = audio.keep > 0 ? cepstrum_fraction(audio.mels, audio.lifter)
                   : audio.power  ? MN_DB_FRACTION
                                  : MN_ENERGY_FRACTION;
  return audio;
}

mn_frontend mn_frontend_defaults(mn_frontend_kind kind) {
  mn_frontend frontend = {.kind = kind};
#define X(key, field, unit, value) frontend.field = value;
  MN_FRONTEND_KEYS(X)
#undef X
  return frontend;
}

static const char *check_resize(const mn_frontend *f, const mn_audio *a) {
  if (f->resize_h == 0) return NULL;
  if (f->kind == MN_FRONTEND_MFCC) return "resize goes with logmel and spectrum";
  if (f->style == MN_STYLE_MLPERF || f->level != MN_FRONTEND_LEVEL_NONE) {
    return "resize goes with neither style mlperf nor level normalised";
  }
  if (f->resize_h > a->frames || f->resize_w > a->mels || f->resize_w < 1) {
    return "resize must not enlarge";
  }
  return NULL;
}

static const char *check_sizes(const mn_frontend *f) {
  mn_audio a = numbers_of(f);
  if (f->kind == MN_FRONTEND_SPECTRUM && (a.window < 16 || a.window > 4096))
    return "the window must hold 16 to 4096 samples";
  if (f->kind != MN_FRONTEND_SPECTRUM && (a.window < 129 || a.window > 4096))
    return "the window must hold 129 to 4096 samples";
  if (a.step < 1 || a.step > 65535) return "the step must hold 1 to 65535 samples";
  if (f->frames < 0 || f->frames > 1000) return "frames must lie between 1 and 1000";
  if (a.length < a.window) return "the length must hold one window at least";
  if (a.frames > 1000) return "one input may hold 1000 frames at most";
  return check_resize(f, &a);
}

static const char *check_spectrum(const mn_frontend *f) {
  mn_audio a = numbers_of(f);
  if (f->bands < 1 || f->bands > 512) return "bands must lie between 1 and 512";
  if (f->channel_count < 1 || f->channel_count > 16) return "channels must lie between 1 and 16";
  if (f->bands * f->channel_count > 2 * a.fft) return "one frame holds more bands than samples";
  if (f->style != MN_STYLE_TENSORFLOW || f->level != MN_FRONTEND_LEVEL_NONE) {
    return "style and level do not go with spectrum";
  }
  if (f->from_hz < 0 || f->to_hz <= f->from_hz || f->to_hz > f->rate_hz / 2) {
    return "bands must rise from below `to`, and `to` must not pass half the rate";
  }
  return NULL;
}

static const char *check_bands(const mn_frontend *f) {
  if (f->mels < 1 || f->mels > 128) return "mels must lie between 1 and 128";
  if (f->kind == MN_FRONTEND_MFCC && (f->keep < 1 || f->keep > f->mels)) {
    return "keep must lie between 1 and the number of mels";
  }
  if (f->lifter != 0 && (f->kind != MN_FRONTEND_MFCC || f->lifter < 2 || f->lifter > 100)) {
    return "lifter goes with mfcc, between 2 and 100";
  }
  if (f->from_hz < 0 || f->to_hz <= f->from_hz || f->to_hz > f->rate_hz / 2) {
    return "mel bands must rise from below `to`, and `to` must not pass half the rate";
  }
  return NULL;
}

static const char *check_image(const mn_frontend *f) {
  if (f->size < MN_IMAGE_LEAST_SIDE || f->size > MN_IMAGE_MOST_SIDE)
    return "the side of an image must lie between 8 and 1024 pixels";
  return f->colour == MN_COLOUR_GREY || f->colour == MN_COLOUR_RGB ? NULL : "unknown colour";
}

static const char *check_words(const mn_frontend *f) {
  if (f->mel < MN_MEL_HTK || f->mel > MN_MEL_SLANEY) return "unknown mel";
  if (f->log < MN_LOG_NATURAL || f->log > MN_LOG_DB) return "unknown log";
  if (f->style < MN_STYLE_TENSORFLOW || f->style > MN_STYLE_MLPERF) return "unknown style";
  if (f->level < MN_FRONTEND_LEVEL_NONE || f->level > MN_FRONTEND_LEVEL_NORMALISED) {
    return "unknown level";
  }
  if (f->style == MN_STYLE_MLPERF && f->level != MN_FRONTEND_LEVEL_NONE) {
    return "style mlperf divides by the maximum already; level normalised does not go with it";
  }
  int plain = f->style == MN_STYLE_TENSORFLOW && f->level == MN_FRONTEND_LEVEL_NONE;
  if (f->log == MN_LOG_DB && (f->kind == MN_FRONTEND_MFCC || !plain)) {
    return "log db goes with logmel and spectrum, without style mlperf or a level";
  }
  if (f->style == MN_STYLE_MLPERF && f->mel != MN_MEL_HTK) return "style mlperf goes with mel htk";
  return NULL;
}

const char *mn_frontend_check(const mn_frontend *f) {
  if (f->kind == MN_FRONTEND_IMAGE) return check_image(f);
  if (!mn_frontend_listens(f)) return "there is no front end; mfcc, logmel, spectrum and image are";
  int sound = f->kind != MN_FRONTEND_SPECTRUM;
  if (sound && (f->rate_hz < 1000 || f->rate_hz > 96000)) {
    return "the rate must lie between 1 and 96 kHz";
  }
  if (f->rate_hz < 10 || f->rate_hz > 400000) return "the rate must lie between 10 Hz and 400 kHz";
  if (f->length_us < 1 || f->length_us > 60000000) return "the length must lie between 0 and 60 s";
  if (f->window_us < 1 || f->window_us > 60000000 || f->step_us < 1 || f->step_us > 60000000) {
    return "window and step must lie between 0 and 60 s";
  }
  const char *text = check_words(f);
  if (text != NULL) return text;
  if (f->every < 0 || f->every > 1000) return "every must lie between 1 and 1000 steps";
  text = check_sizes(f);
  if (text != NULL) return text;
  return sound ? check_bands(f) : check_spectrum(f);
}

int mn_frontend_listens(const mn_frontend *frontend) {
  return frontend->kind == MN_FRONTEND_MFCC || frontend->kind == MN_FRONTEND_LOGMEL ||
         frontend->kind == MN_FRONTEND_SPECTRUM;
}

void mn_frontend_shape(mn_frontend *frontend) {
  if (frontend->kind == MN_FRONTEND_IMAGE) {
    frontend->height = frontend->width = frontend->size;
    frontend->channels = frontend->colour == MN_COLOUR_RGB ? 3 : 1;
    return;
  }
  mn_audio audio = numbers_of(frontend);
  frontend->height = audio.rows;
  frontend->width = audio.keep > 0 ? audio.keep : audio.columns;
  frontend->channels = audio.channels;
}

static size_t table_bytes(const mn_audio *a) {
  size_t bytes = 0;
#define X(name, type, count) bytes += (sizeof(type) * (size_t)(count) + 3) / 4 * 4;
  MN_AUDIO_TABLES(X)
#undef X
  return bytes;
}

size_t mn_frontend_tables_bytes(const mn_frontend *frontend) {
  mn_audio audio = numbers_of(frontend);
  return table_bytes(&audio);
}
size_t mn_frontend_state_bytes(const mn_frontend *frontend) {
  mn_audio audio = numbers_of(frontend);
  return mn_audio_state_bytes(&audio);
}
size_t mn_frontend_scratch_bytes(const mn_frontend *frontend) {
  mn_audio audio = numbers_of(frontend);
  return mn_audio_scratch_bytes(&audio);
}

void mn_audio_build(mn_audio *audio, void *memory, const mn_frontend *frontend) {
  *audio = numbers_of(frontend);
  const mn_audio *a = audio;
  memset(memory, 0, table_bytes(a));
  uint8_t *place = memory;
#define X(name, type, count)  \
  type *name = (void *)place; \
  audio->name = name;         \
  place += (sizeof(type) * (size_t)(count) + 3) / 4 * 4;
  MN_AUDIO_TABLES(X)
#undef X
  fill_hann(hann, a->window);
  fill_quarter(cosine, a->fft / 4, 2147483648.0);
  mn_bands_fill(edge, slope, a->area_normed ? area : NULL, a, frontend);
  if (a->lifter > 0) fill_lift(lift, a->keep, a->lifter);
  if (a->keep > 0) fill_quarter(dct, a->mels, square_root(2.0 / a->mels) * 1073741824.0);
}
