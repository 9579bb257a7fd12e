/* test_augment.c - what was asked of a draw is measured in its output.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/augment_parts.h"
#include "support.h"

enum { RATE = 16000, SECOND = 16000 };

static int16_t tone_pcm[4 * SECOND];

static mn_clip tone(double hz, int32_t samples, double amplitude) {
  for (int32_t i = 0; i < samples; i++) {
    tone_pcm[i] = (int16_t)lrint(amplitude * sin(2 * M_PI * hz * i / RATE));
  }
  return (mn_clip){tone_pcm, samples};
}

static void run(const mn_augment_config *config, int16_t *out, mn_clip clip, uint64_t seed) {
  mn_augment *augment = NULL;
  assert_int_equal(mn_augment_create(&augment, config, SECOND), MN_OK);
  mn_rng rng = mn_rng_seed(seed);
  mn_augment_run(augment, out, clip, NULL, 0, &rng);
  mn_augment_destroy(augment);
}

static double power(const int16_t *x, int32_t samples) {
  double sum = 0;
  for (int32_t i = 0; i < samples; i++) sum += (double)x[i] * x[i];
  return sum / samples;
}

/* Power at one frequency (Goertzel's sum, written out). */
static double power_at(const int16_t *x, int32_t samples, double hz) {
  double re = 0, im = 0;
  for (int32_t i = 0; i < samples; i++) {
    re += x[i] * cos(2 * M_PI * hz * i / RATE);
    im += x[i] * sin(2 * M_PI * hz * i / RATE);
  }
  return 2 * (re * re + im * im) / samples / samples;
}

static mn_augment_config everything(void) {
  return (mn_augment_config){.rate_hz = RATE,
                             .speed = 0.25,
                             .shift_ms = 100,
                             .contour_probability = 0.5,
                             .reverb_probability = 0.7,
                             .reverb_low_s = 0.06,
                             .reverb_high_s = 0.7,
                             .eq_probability = 0.7,
                             .eq_db = 8,
                             .edge_probability = 0.5,
                             .narrow_probability = 0.3,
                             .noise_probability = 0.9,
                             .noise_snr_low_db = 2,
                             .noise_snr_high_db = 45,
                             .coloured_noise = 0.5,
                             .level_low_dbfs = -38,
                             .level_high_dbfs = -12,
                             .floor_low_dbfs = -85,
                             .floor_high_dbfs = -55};
}

static void no_settings_should_copy_the_clip_into_the_centre(void **state) {
  (void)state;
  const mn_augment_config config = {.rate_hz = RATE};
  const mn_clip clip = tone(440, 5001, 9000);
  int16_t out[SECOND], expected[SECOND];
  run(&config, out, clip, 1);
  mn_clip_centre(expected, SECOND, clip);
  assert_memory_equal(out, expected, sizeof out);
  assert_memory_equal(expected + (SECOND - 5001) / 2, clip.pcm, 5001 * sizeof *out);
}

static void long_and_empty_clips_should_be_cut_and_padded(void **state) {
  (void)state;
  const mn_augment_config config = {.rate_hz = RATE};
  int16_t out[SECOND];
  const mn_clip clip = tone(440, 3 * SECOND, 9000);
  run(&config, out, clip, 1);
  assert_memory_equal(out, clip.pcm + SECOND, sizeof out);
  const mn_augment_config all = everything();
  run(&all, out, (mn_clip){tone_pcm, 0}, 1);
  run(&all, out, (mn_clip){tone_pcm, 1}, 1);
  run(&all, out, tone(440, 4 * SECOND, 32767), 1);
}

static void a_draw_should_depend_on_its_random_stream_alone(void **state) {
  (void)state;
  const mn_augment_config config = everything();
  const mn_clip clip = tone(700, 9000, 12000);
  int16_t a[SECOND], b[SECOND];
  mn_augment *augment = NULL;
  assert_int_equal(mn_augment_create(&augment, &config, SECOND), MN_OK);
  for (uint64_t seed = 0; seed < 20; seed++) {
    run(&config, a, clip, seed);
    mn_rng rng = mn_rng_seed(seed);
    mn_augment_run(augment, b, clip, NULL, 0, &rng); /* the same object served other draws before */
    assert_memory_equal(a, b, sizeof a);
  }
  run(&config, b, clip, 100);
  assert_memory_not_equal(a, b, sizeof a);
  mn_augment_destroy(augment);
}

static void noise_should_reach_its_ratio(void **state) {
  (void)state;
  static const double ratios[] = {2, 10, 25};
  for (size_t k = 0; k < MN_COUNT(ratios); k++) {
    const mn_augment_config config = {.rate_hz = RATE,
                                      .noise_probability = 1,
                                      .coloured_noise = 1,
                                      .noise_snr_low_db = ratios[k],
                                      .noise_snr_high_db = ratios[k]};
    const mn_clip clip = tone(1000, SECOND, 5000);
    int16_t out[SECOND], noise[SECOND];
    run(&config, out, clip, k);
    for (int32_t i = 0; i < SECOND; i++) noise[i] = (int16_t)(out[i] - clip.pcm[i]);
    const double snr = 10 * log10(power(clip.pcm, SECOND) / power(noise, SECOND));
    assert_true(fabs(snr - ratios[k]) < 0.1);
  }
}

static void recorded_noise_should_be_the_recording(void **state) {
  (void)state;
  const mn_augment_config config = {
      .rate_hz = RATE, .noise_probability = 1, .noise_snr_low_db = 10, .noise_snr_high_db = 10};
  int16_t recording[3000], out[SECOND];
  for (int32_t i = 0; i < 3000; i++)
    recording[i] = (int16_t)lrint(100 * sin(2 * M_PI * 3200 * i / RATE));
  const mn_clip noise = {recording, 3000}, clip = tone(1000, SECOND, 5000);
  mn_augment *augment = NULL;
  assert_int_equal(mn_augment_create(&augment, &config, SECOND), MN_OK);
  mn_rng rng = mn_rng_seed(4);
  mn_augment_run(augment, out, clip, &noise, 1, &rng);
  mn_augment_destroy(augment);
  const double ratio = 10 * log10(power_at(out, SECOND, 1000) / power_at(out, SECOND, 3200));
  assert_true(fabs(ratio - 10) < 0.2);
}

static void level_should_be_reached(void **state) {
  (void)state;
  const mn_augment_config config = {.rate_hz = RATE, .level_low_dbfs = -25, .level_high_dbfs = -25};
  int16_t out[SECOND];
  run(&config, out, tone(500, 8000, 300), 3);
  const double level = 10 * log10(power(out + 4000, 8000) / (32768.0 * 32768.0));
  assert_true(fabs(level + 25) < 0.05);
  assert_int_equal(out[3999], 0);
}

static double frequency(const int16_t *x, int32_t samples) {
  int32_t crossings = 0;
  for (int32_t i = 1; i < samples; i++) crossings += x[i - 1] < 0 && x[i] >= 0;
  return (double)crossings * RATE / samples;
}

static void speed_should_move_pitch_and_length_together(void **state) {
  (void)state;
  const mn_augment_config config = {.rate_hz = RATE, .speed = 0.25};
  double lowest = 10, highest = 0;
  for (uint64_t seed = 0; seed < 40; seed++) {
    int16_t out[SECOND];
    run(&config, out, tone(1000, 8000, 10000), seed);
    int32_t begin = 0, end = SECOND;
    while (abs(out[begin]) < 500) begin++;
    while (abs(out[end - 1]) < 500) end--;
    const double factor = frequency(out + begin, end - begin) / 1000;
    assert_true(fabs(factor * (end - begin) / 8000 - 1) < 0.01);
    lowest = fmin(lowest, factor);
    highest = fmax(highest, factor);
  }
  assert_true(lowest > 0.79 && lowest < 0.86);
  assert_true(highest < 1.26 && highest > 1.18);
}

static void resampling_should_not_distort_a_tone(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  mn_resampler resampler;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  assert_int_equal(mn_resampler_create(&resampler, arena), MN_OK);
  const mn_clip clip = tone(2000, SECOND, 10000);
  float y[12000];
  const int32_t step = 277;
  mn_resample(&resampler, y, 12000, 1000, clip, step);
  double error = 0;
  for (int32_t i = 0; i < 12000; i++) {
    const double wanted =
        10000 * sin(2 * M_PI * 2000 * (i + 1000.0) * step / MN_RESAMPLE_PHASES / RATE);
    error += pow((double)y[i] - wanted, 2) / 12000;
  }
  assert_true(10 * log10(0.5e8 / error) > 55);
  mn_arena_destroy(arena);
}

/* Where a sound of `samples` begins, over 60 draws. */
static void places(const mn_augment_config *config, int32_t samples, int32_t *first,
                   int32_t *last) {
  *first = SECOND;
  *last = 0;
  for (uint64_t seed = 0; seed < 60; seed++) {
    int16_t out[SECOND], sound[SECOND];
    for (int32_t i = 0; i < samples; i++) sound[i] = 20000;
    run(config, out, (mn_clip){sound, samples}, seed);
    int32_t at = 0;
    while (at < SECOND - 1 && out[at] < 1000) at++;
    if (at < *first) *first = at;
    if (at > *last) *last = at;
  }
}

static void shift_should_stay_within_its_bound(void **state) {
  (void)state;
  const mn_augment_config config = {.rate_hz = RATE, .shift_ms = 100};
  int32_t first, last;
  places(&config, 1, &first, &last);
  assert_in_range(first, 7999 - 1600, 7999 - 1100);
  assert_in_range(last, 7999 + 1100, 7999 + 1600);
}

static void roaming_clips_should_use_the_whole_window(void **state) {
  (void)state;
  const mn_augment_config config = {.rate_hz = RATE, .shift_ms = 100, .roam = 1};
  int32_t first, last;
  places(&config, 6000, &first, &last); /* 10,000 samples are free */
  assert_in_range(first, 0, 800);
  assert_in_range(last, 9200, 10000);
  places(&config, 15000, &first, &last); /* what nearly fills it still moves by shift_ms */
  assert_int_equal(first, 0);
  assert_in_range(last, 500 + 1100, 500 + 1600);
}

static void convolution_should_equal_the_written_out_sum(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  mn_fourier fourier;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  assert_int_equal(mn_fourier_create(&fourier, arena, 128), MN_OK);
  for (int32_t n = 8; n <= 128; n *= 2) { /* odd and even powers of two, smaller than the tables */
    double worst = 0;
    for (int32_t i = 0; i < n; i++) {
      fourier.real[0][i] = (float)sin(i * i);
      fourier.imag[0][i] = (float)cos(3 * i);
    }
    const int32_t half = mn_fourier_run(&fourier, 0, n);
    for (int32_t k = 0; k < n; k++) {
      double re = 0, im = 0;
      for (int32_t i = 0; i < n; i++) {
        const double w = -2 * M_PI * k * i / n, a = (float)sin(i * i), b = (float)cos(3 * i);
        re += a * cos(w) - b * sin(w);
        im += a * sin(w) + b * cos(w);
      }
      worst = fmax(worst, fabs(re - (double)fourier.real[half][k]));
      worst = fmax(worst, fabs(im - (double)fourier.imag[half][k]));
    }
    assert_true(worst < 1e-4);
  }
  mn_arena_destroy(arena);
}

static void reverb_should_decay_by_60_db_in_its_time(void **state) {
  (void)state;
  static const double times[] = {0.1, 0.3, 0.6};
  mn_arena *arena = NULL;
  mn_fourier fourier;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  assert_int_equal(mn_fourier_create(&fourier, arena, 32768), MN_OK);
  for (size_t k = 0; k < MN_COUNT(times); k++) {
    static float x[SECOND];
    memset(x, 0, sizeof x);
    x[100] = 1;
    mn_rng rng = mn_rng_seed(k);
    const mn_room room = {.rt60_s = times[k], .tail_db = 0, .predelay_s = 0.002, .rate_hz = RATE};
    mn_reverb(&fourier, x, SECOND, 100, 101, &room, &rng);
    assert_true(fabs((double)x[100] - 1) < 1e-4);
    const int32_t length = (int32_t)(times[k] * RATE);
    assert_true(fabs(mn_power(x + 110, length) * length - 1) <
                0.02); /* tail as strong as the direct path */
    /* Energy left (Schroeder's integral) between a tenth and six tenths of the time: 30 dB. */
    const double early = mn_power(x + 100 + length / 10, length * 9 / 10) * (length * 0.9);
    const double late = mn_power(x + 100 + length * 6 / 10, length * 4 / 10) * (length * 0.4);
    assert_true(fabs(10 * log10(early / late) - 30) < 3);
  }
  mn_arena_destroy(arena);
}

static double gain_at(const mn_biquad *sections, int32_t count, double hz) {
  static float x[SECOND];
  for (int32_t i = 0; i < SECOND; i++) x[i] = (float)sin(2 * M_PI * hz * i / RATE);
  mn_biquad_run(sections, count, x, SECOND);
  return 10 * log10(mn_power(x + SECOND / 2, SECOND / 2) / 0.5);
}

static void filters_should_have_the_response_asked_for(void **state) {
  (void)state;
  const mn_biquad peak = mn_biquad_peak(1000, 1, 6, RATE),
                  low = mn_biquad_low_pass(1000, M_SQRT1_2, RATE);
  const mn_biquad high = mn_biquad_high_pass(1000, M_SQRT1_2, RATE);
  assert_true(fabs(gain_at(&peak, 1, 1000) - 6) < 0.05);
  assert_true(fabs(gain_at(&peak, 1, 60)) < 0.1);
  assert_true(fabs(gain_at(&low, 1, 1000) + 3) < 0.1 && fabs(gain_at(&low, 1, 50)) < 0.1);
  assert_true(gain_at(&low, 1, 4000) < -24 && gain_at(&high, 1, 250) < -23);
  assert_true(fabs(gain_at(&high, 1, 6000)) < 0.1);
}

static void narrow_band_should_leave_nothing_of_an_8_khz_recording_s_gap(void **state) {
  (void)state;
  const mn_augment_config config = {.rate_hz = RATE, .narrow_probability = 1};
  int16_t out[SECOND];
  run(&config, out, tone(6000, SECOND, 10000), 2);
  assert_true(10 * log10(power(out + 2000, 12000) / 0.5e8) < -30);
  run(&config, out, tone(2000, SECOND, 10000), 2);
  assert_true(fabs(10 * log10(power(out + 2000, 12000) / 0.5e8)) < 0.5);
}

/* Ratio of the power in 400..800 Hz and 3200..6400 Hz, dB: three octaves apart, equal in white noise
 * but for the eight times wider band. */
static double slope(mn_colour colour) {
  static float x[SECOND];
  mn_rng rng = mn_rng_seed(9);
  const mn_biquad low[] = {mn_biquad_high_pass(400, 1, RATE), mn_biquad_low_pass(800, 1, RATE)};
  const mn_biquad high[] = {mn_biquad_high_pass(3200, 1, RATE), mn_biquad_low_pass(6400, 1, RATE)};
  mn_noise_coloured(x, SECOND, colour, &rng);
  assert_true(fabs(mn_power(x, SECOND) - 1) < 1e-3);
  mn_biquad_run(low, 2, x, SECOND);
  const double below = mn_power(x, SECOND);
  rng = mn_rng_seed(9);
  mn_noise_coloured(x, SECOND, colour, &rng);
  mn_biquad_run(high, 2, x, SECOND);
  return 10 * log10(below / mn_power(x, SECOND));
}

static void colours_should_fall_by_3_db_an_octave_each(void **state) {
  (void)state;
  const double white = slope(MN_COLOUR_WHITE);
  assert_true(fabs(slope(MN_COLOUR_PINK) - white - 9) < 2);
  assert_true(fabs(slope(MN_COLOUR_BROWN) - white - 18) < 3);
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Loudest 20 ms above the median of them, dB. */
static double unevenness(const float *x) {
  enum { PIECE = RATE / 50, PIECES = SECOND / PIECE };
  double level[PIECES];
  for (int32_t i = 0; i < PIECES; i++) level[i] = 10 * log10(mn_power(x + i * PIECE, PIECE));
  qsort(level, PIECES, sizeof *level, by_value);
  return level[PIECES - 1] - level[PIECES / 2];
}

/* Power below 1 kHz over that above, dB. */
static double tilt(const float *x) {
  static float y[SECOND];
  const mn_biquad low = mn_biquad_low_pass(1000, M_SQRT1_2, RATE);
  const mn_biquad high = mn_biquad_high_pass(1000, M_SQRT1_2, RATE);
  memcpy(y, x, sizeof y);
  mn_biquad_run(&low, 1, y, SECOND);
  const double below = mn_power(y, SECOND);
  memcpy(y, x, sizeof y);
  mn_biquad_run(&high, 1, y, SECOND);
  return 10 * log10(below / mn_power(y, SECOND));
}

static void rooms_should_differ_in_spectrum_and_evenness(void **state) {
  (void)state;
  static float x[SECOND], again[SECOND];
  int32_t even = 0, uneven = 0;
  double darkest = -100, brightest = 100;
  for (uint64_t seed = 0; seed < 100; seed++) {
    mn_rng rng = mn_rng_seed(seed), same = rng;
    mn_noise_room(x, SECOND, RATE, &rng);
    mn_noise_room(again, SECOND, RATE, &same);
    assert_memory_equal(x, again, sizeof x);
    assert_true(fabs(mn_power(x, SECOND) - 1) < 1e-3);
    even += unevenness(x) < 3;
    uneven += unevenness(x) > 15;
    darkest = fmax(darkest, tilt(x));
    brightest = fmin(brightest, tilt(x));
  }
  assert_in_range(even, 10, 60);
  assert_in_range(uneven, 10, 40);
  assert_true(darkest > 15 && brightest < -10); /* white noise has -8 */
}

static void silence_should_hold_noise_of_many_levels(void **state) {
  (void)state;
  const mn_augment_config config = everything();
  mn_augment *augment = NULL;
  assert_int_equal(mn_augment_create(&augment, &config, SECOND), MN_OK);
  double softest = 0, loudest = -200;
  for (uint64_t seed = 0; seed < 40; seed++) {
    int16_t out[SECOND];
    mn_rng rng = mn_rng_seed(seed);
    mn_augment_silence(augment, out, NULL, 0, &rng);
    const double level = 10 * log10(power(out, SECOND) / (32768.0 * 32768.0));
    softest = fmin(softest, level);
    loudest = fmax(loudest, level);
  }
  assert_true(softest < -60 && softest > -90 && loudest > -25 && loudest < -10);
  mn_augment_destroy(augment);
}

static void strength_should_scale_place_and_contour(void **state) {
  (void)state;
  mn_feed_config config = {.contour_probability = 0.8, .cut_probability = 0.15, .roam = 1};
  mn_feed_scale(&config, 2);
  assert_true(config.contour_probability == 1 && config.cut_probability == 0.3 && config.roam == 1);
  mn_feed_scale(&config, 0);
  assert_true(config.contour_probability == 0 && config.cut_probability == 0 && config.roam == 0);
}

static void a_contour_should_fall_or_rise_along_the_word(void **state) {
  (void)state;
  const mn_augment_config config = {.rate_hz = RATE, .contour_probability = 1};
  double lowest = 0, highest = 0;
  for (uint64_t seed = 0; seed < 60; seed++) {
    int16_t out[SECOND];
    run(&config, out, tone(1000, 8000, 10000), seed);
    const double begin = power(out + 4000, 320), end = power(out + 12000 - 320, 320);
    const double rise = 10 * log10(end / begin);
    lowest = fmin(lowest, rise);
    highest = fmax(highest, rise);
    for (int32_t i = 4000; i < 12000 - 320; i += 320) /* no step anywhere */
      assert_true(fabs(10 * log10(power(out + i, 160) / power(out + i + 160, 160))) < 1.5);
  }
  assert_true(lowest < -20 && lowest > -32 && highest > 4 && highest < 14);
}

static void cut_out_words_should_stand_between_zeros(void **state) {
  (void)state;
  mn_augment_config config = everything();
  config.speed = config.shift_ms = 0;
  config.cut_probability = 1;
  int32_t latest = 0;
  for (uint64_t seed = 0; seed < 30; seed++) {
    int16_t out[SECOND];
    run(&config, out, tone(700, 8000, 12000), seed);
    for (int32_t i = 0; i < 4000 - 960; i++) assert_int_equal(out[i], 0);
    for (int32_t i = 12000 + 1920; i < SECOND; i++) assert_int_equal(out[i], 0);
    assert_true(power(out + 6400, 4400) > 1000);
    int32_t first = 0;
    while (out[first] == 0) first++;
    if (first > latest) latest = first;
  }
  assert_in_range(latest, 4000 + 1600,
                  4000 + 2400); /* up to 30 % of the word's beginning is lost */
}

/* A picture whose rows are their own numbers shows where each row of the result comes from. */
static void another_rhythm_should_move_rows_within_its_limits(void **state) {
  (void)state;
  enum { FRAMES = 49, BANDS = 3, MIDDLE = FRAMES / 2 };
  float x[FRAMES * BANDS], y[FRAMES * BANDS];
  for (int32_t i = 0; i < FRAMES * BANDS; i++) x[i] = (float)(i / BANDS + 100 * (i % BANDS));
  const mn_feed_config none = {0}, even = {.pace = 0.5}, free = {.pace = 0.5, .rhythm = 0.3};
  mn_rng rng = mn_rng_seed(1);
  mn_augment_warp(y, x, FRAMES, BANDS, &none, &rng);
  for (int32_t i = 0; i < FRAMES * BANDS; i++) assert_true(fabsf(y[i] - x[i]) < 1e-4F);
  float slowest = 9, fastest = 0;
  for (int32_t draw = 0; draw < 200; draw++) {
    mn_augment_warp(y, x, FRAMES, BANDS, draw % 2 == 0 ? &even : &free, &rng);
    assert_true(fabsf(y[MIDDLE * BANDS] - MIDDLE) < 1e-3F);
    const float first = y[(MIDDLE + 1) * BANDS] - y[MIDDLE * BANDS];
    const float limit = draw % 2 == 0 ? 1.5F : 1.5F * 1.3F;
    for (int32_t t = 1; t < FRAMES; t++) {
      const float step = y[t * BANDS] - y[(t - 1) * BANDS];
      const bool inside = y[(t - 1) * BANDS] > 0 && y[t * BANDS] < FRAMES - 1;
      assert_true(step >= 0 && step <= limit + 1e-3F);
      assert_true(!inside || step >= 1 / limit - 1e-3F);
      assert_true(!inside || draw % 2 == 1 || fabsf(step - first) < 1e-3F);
      assert_true(fabsf(y[t * BANDS + 2] - y[t * BANDS] - 200) < 1e-2F);
    }
    slowest = fminf(slowest, first);
    fastest = fmaxf(fastest, first);
  }
  assert_true(slowest < 0.75F && fastest > 1.35F);
}

static void masks_should_cover_no_more_than_asked(void **state) {
  (void)state;
  const mn_feed_config config = {
      .time_masks = 2, .time_mask_frames = 8, .mel_masks = 1, .mel_mask_bands = 6};
  int32_t most = 0;
  for (uint64_t seed = 0; seed < 200; seed++) {
    float x[49 * 40];
    for (int32_t i = 0; i < 49 * 40; i++) x[i] = 1;
    mn_rng rng = mn_rng_seed(seed);
    mn_augment_mask(x, 49, 40, &config, -7, &rng);
    int32_t rows = 0, columns = 0;
    for (int32_t r = 0; r < 49; r++)
      rows += x[r * 40] < 0 && x[r * 40 + 39] < 0 && x[r * 40 + 20] < 0;
    for (int32_t c = 0; c < 40; c++)
      columns += x[c] < 0 && x[20 * 40 + c] < 0 && x[48 * 40 + c] < 0;
    assert_in_range(rows, 0, 16);
    assert_true(columns <= 6 || columns == 40);
    if (rows > most) most = rows;
  }
  assert_in_range(most, 10, 16);
}

static void beta_draws_should_have_mean_and_variance_of_the_distribution(void **state) {
  (void)state;
  static const double coefficients[] = {0.2, 1, 4};
  for (size_t k = 0; k < MN_COUNT(coefficients); k++) {
    double sum = 0, squares = 0;
    mn_rng rng = mn_rng_seed(k);
    enum { DRAWS = 20000 };
    for (int32_t i = 0; i < DRAWS; i++) {
      const double b = mn_augment_beta(&rng, coefficients[k]);
      assert_true(b >= 0 && b <= 1);
      sum += b;
      squares += (b - 0.5) * (b - 0.5);
    }
    const double variance = 1 / (4 * (2 * coefficients[k] + 1));
    assert_true(fabs(sum / DRAWS - 0.5) < 0.01);
    assert_true(fabs(squares / DRAWS / variance - 1) < 0.03);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_settings_should_copy_the_clip_into_the_centre),
      cmocka_unit_test(long_and_empty_clips_should_be_cut_and_padded),
      cmocka_unit_test(a_draw_should_depend_on_its_random_stream_alone),
      cmocka_unit_test(noise_should_reach_its_ratio),
      cmocka_unit_test(recorded_noise_should_be_the_recording),
      cmocka_unit_test(level_should_be_reached),
      cmocka_unit_test(speed_should_move_pitch_and_length_together),
      cmocka_unit_test(resampling_should_not_distort_a_tone),
      cmocka_unit_test(shift_should_stay_within_its_bound),
      cmocka_unit_test(roaming_clips_should_use_the_whole_window),
      cmocka_unit_test(convolution_should_equal_the_written_out_sum),
      cmocka_unit_test(reverb_should_decay_by_60_db_in_its_time),
      cmocka_unit_test(filters_should_have_the_response_asked_for),
      cmocka_unit_test(narrow_band_should_leave_nothing_of_an_8_khz_recording_s_gap),
      cmocka_unit_test(colours_should_fall_by_3_db_an_octave_each),
      cmocka_unit_test(rooms_should_differ_in_spectrum_and_evenness),
      cmocka_unit_test(silence_should_hold_noise_of_many_levels),
      cmocka_unit_test(strength_should_scale_place_and_contour),
      cmocka_unit_test(a_contour_should_fall_or_rise_along_the_word),
      cmocka_unit_test(cut_out_words_should_stand_between_zeros),
      cmocka_unit_test(another_rhythm_should_move_rows_within_its_limits),
      cmocka_unit_test(masks_should_cover_no_more_than_asked),
      cmocka_unit_test(beta_draws_should_have_mean_and_variance_of_the_distribution),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
