/* test_features.c - the front end's settings, sizes, hops and quantization. Its values are judged
 * by tests/oracle/test_frontend.py. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/features.h"
#include "support.h"

typedef struct rig {
  mn_frontend frontend;
  mn_audio audio;
  void *tables, *state, *scratch;
} rig;

static rig make_rig(const mn_frontend *frontend) {
  rig r = {.frontend = *frontend};
  assert_null(mn_frontend_check(frontend));
  mn_frontend_shape(&r.frontend);
  r.tables = malloc(mn_frontend_tables_bytes(frontend));
  r.state = malloc(mn_frontend_state_bytes(frontend));
  r.scratch = malloc(mn_frontend_scratch_bytes(frontend));
  mn_audio_build(&r.audio, r.tables, frontend);
  return r;
}
static void drop_rig(rig *r) {
  free(r->tables);
  free(r->state);
  free(r->scratch);
}

static void fill_noise(int16_t *pcm, int32_t count, uint64_t seed) {
  mn_rng rng = mn_rng_seed(seed);
  for (int32_t i = 0; i < count; i++)
    pcm[i] = (int16_t)(4000 * mn_rng_normal(&rng) * sin(i * 1e-3));
}

enum { VARIANTS = 7 };
static mn_frontend variant(int which) {
  mn_frontend frontend =
      mn_frontend_defaults(which % 2 == 0 ? MN_FRONTEND_MFCC : MN_FRONTEND_LOGMEL);
  if (which == 1) frontend.level = MN_FRONTEND_LEVEL_NORMALISED;
  if (which == 2) {
    frontend.style = MN_STYLE_MLPERF;
    frontend.window_us = 30000;
  }
  if (which == 3) {
    frontend.rate_hz = 8000;
    frontend.step_us = 15000;
    frontend.every = 3;
  }
  if (which == 4) { /* three axes of a vibration sensor */
    frontend = mn_frontend_defaults(MN_FRONTEND_SPECTRUM);
    frontend.rate_hz = 200;
    frontend.window_us = 320000;
    frontend.step_us = 40000;
    frontend.from_hz = 0;
    frontend.to_hz = 100;
    frontend.channel_count = 3;
  }
  if (which >= 5) { /* the paper's images of machine sound, and MLPerf's frames */
    frontend = mn_frontend_defaults(MN_FRONTEND_LOGMEL);
    frontend.window_us = 64000;
    frontend.step_us = 32000;
    frontend.from_hz = 0;
    frontend.to_hz = 8000;
    frontend.mels = which == 5 ? 64 : 128;
    frontend.mel = MN_MEL_SLANEY;
    frontend.log = MN_LOG_DB;
    frontend.frames = which == 5 ? 64 : 5;
    frontend.resize_h = frontend.resize_w = which == 5 ? 32 : 0;
  }
  return frontend;
}

static void paper_and_mlperf_should_give_49_frames_of_10(void **state) {
  (void)state;
  mn_frontend paper = variant(0), mlperf = variant(2);
  mn_frontend_shape(&paper);
  mn_frontend_shape(&mlperf);
  assert_int_equal(paper.height, 49);
  assert_int_equal(paper.width, 10);
  assert_int_equal(mlperf.height, 49);
  assert_int_equal(mlperf.width, 10);
  assert_int_equal(paper.channels, 1);
}

static void a_spectrum_should_have_a_channel_for_every_axis(void **state) {
  (void)state;
  mn_frontend fan = variant(4);
  mn_frontend_shape(&fan);
  assert_int_equal(fan.height, 18);
  assert_int_equal(fan.width, 32);
  assert_int_equal(fan.channels, 3);
}

/* A tone of one axis must not be seen on the others, and lie in its band. */
static void an_axis_should_hear_nothing_of_the_others(void **state) {
  (void)state;
  mn_frontend frontend = variant(4);
  rig r = make_rig(&frontend);
  int16_t pcm[200 * 3] = {0}, feature[18 * 32 * 3];
  for (int32_t i = 0; i < 200; i++)
    pcm[3 * i + 1] = (int16_t)(8000 * sin(6.2831853 * 25 * i / 200.0));
  mn_audio_clip(&r.audio, feature, r.state, r.scratch, pcm);
  int32_t loudest = 0;
  for (int32_t b = 1; b < 32; b++)
    if (feature[b * 3 + 1] > feature[loudest * 3 + 1]) loudest = b;
  assert_true(loudest == 7 || loudest == 8); /* 33 steps of 3.03 Hz: centres at 24.2 and 27.3 Hz */
  for (int32_t i = 0; i < 18 * 32; i++) {
    assert_int_equal(feature[3 * i], feature[0]);
    assert_int_equal(feature[3 * i + 2], feature[0]);
  }
  drop_rig(&r);
}

static void frames_should_stand_in_for_the_length(void **state) {
  (void)state;
  mn_frontend frontend = variant(0);
  frontend.frames = 30;
  rig r = make_rig(&frontend);
  assert_int_equal(r.frontend.height, 30);
  assert_int_equal(r.audio.length, 640 + 29 * 320);
  drop_rig(&r);
}

static void settings_that_cannot_be_built_should_be_refused_with_a_reason(void **state) {
  (void)state;
  static const struct {
    const char *says;
    int32_t rate_hz, window_us, step_us, mels, from_hz, to_hz, keep, mel, style, level;
  } cases[] = {{"rate", 10, 40000, 20000, 40, 20, 4000, 10, 0, 0, 0},
               {"window", 16000, 1000, 20000, 40, 20, 4000, 10, 0, 0, 0},
               {"window", 16000, 400000, 20000, 40, 20, 4000, 10, 0, 0, 0},
               {"step", 16000, 40000, 0, 40, 20, 4000, 10, 0, 0, 0},
               {"mels", 16000, 40000, 20000, 200, 20, 4000, 10, 0, 0, 0},
               {"to", 16000, 40000, 20000, 40, 20, 9000, 10, 0, 0, 0},
               {"rise", 16000, 40000, 20000, 40, 5000, 4000, 10, 0, 0, 0},
               {"keep", 16000, 40000, 20000, 40, 20, 4000, 41, 0, 0, 0},
               {"style mlperf goes", 16000, 40000, 20000, 40, 20, 4000, 10, 1, 1, 0},
               {"maximum", 16000, 40000, 20000, 40, 20, 4000, 10, 0, 1, 1}};
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_frontend f = mn_frontend_defaults(MN_FRONTEND_MFCC);
    f.rate_hz = cases[i].rate_hz;
    f.window_us = cases[i].window_us;
    f.step_us = cases[i].step_us;
    f.mels = cases[i].mels;
    f.from_hz = cases[i].from_hz;
    f.to_hz = cases[i].to_hz;
    f.keep = cases[i].keep;
    f.mel = cases[i].mel;
    f.style = cases[i].style;
    f.level = cases[i].level;
    const char *text = mn_frontend_check(&f);
    if (text == NULL || strstr(text, cases[i].says) == NULL) fail_msg("case %zu: %s", i, text);
  }
  mn_frontend image = mn_frontend_defaults(MN_FRONTEND_IMAGE);
  assert_non_null(mn_frontend_check(&image));
}

static void any_hop_should_give_the_bytes_of_the_whole_clip(void **state) {
  (void)state;
  static const size_t hops[] = {1, 7, 320, 641, 5000, 16000};
  for (int which = 0; which < VARIANTS; which++) {
    mn_frontend frontend = variant(which);
    rig r = make_rig(&frontend);
    int32_t channels = r.audio.channels;
    int32_t values = r.frontend.height * r.frontend.width * channels;
    int16_t *pcm = calloc((size_t)(r.audio.length * channels), sizeof *pcm),
            *feature = calloc((size_t)values, sizeof *feature);
    int8_t *whole = calloc((size_t)values, 1), *input = calloc((size_t)values, 1);
    fill_noise(pcm, r.audio.length * channels, 5);
    mn_feature_scale scale = mn_audio_scale(&r.audio, 0.15f, -20);
    mn_audio_clip(&r.audio, feature, r.state, r.scratch, pcm);
    mn_feature_quantize_s8(whole, feature, (size_t)values, &scale);
    for (size_t h = 0; h < MN_COUNT(hops); h++) {
      int complete = 0;
      mn_audio_reset(&r.audio, r.state);
      for (size_t done = 0; done < (size_t)r.audio.length;) {
        size_t rest = (size_t)r.audio.length - done, part = hops[h] < rest ? hops[h] : rest;
        complete += mn_audio_feed(&r.audio, r.state, r.scratch, input, &scale,
                                  pcm + done * (size_t)channels, part);
        done += part;
      }
      assert_int_equal(complete, 1);
      if (memcmp(input, whole, (size_t)values) != 0)
        fail_msg("front end %d, hop %zu", which, hops[h]);
    }
    free(pcm);
    free(feature);
    free(whole);
    free(input);
    drop_rig(&r);
  }
}

static void a_stream_should_give_the_clip_that_starts_at_each_step(void **state) {
  (void)state;
  for (int which = 0; which < VARIANTS; which++) {
    mn_frontend frontend = variant(which);
    rig stream = make_rig(&frontend), clip = make_rig(&frontend);
    int32_t total = 2 * stream.audio.length, channels = stream.audio.channels, inputs = 0,
            values = stream.frontend.height * stream.frontend.width * channels;
    int16_t *pcm = calloc((size_t)(total * channels), sizeof *pcm),
            *feature = calloc((size_t)values, sizeof *feature);
    int8_t *whole = calloc((size_t)values, 1), *input = calloc((size_t)values, 1);
    fill_noise(pcm, total * channels, 6);
    mn_feature_scale scale = mn_audio_scale(&stream.audio, 0.15f, -20);
    mn_audio_reset(&stream.audio, stream.state);
    for (int32_t done = 0; done < total; done += stream.audio.step) {
      int32_t part = total - done < stream.audio.step ? total - done : stream.audio.step;
      if (!mn_audio_feed(&stream.audio, stream.state, stream.scratch, input, &scale,
                         pcm + done * channels, (size_t)part))
        continue;
      int32_t start = inputs++ * stream.audio.step * stream.audio.every;
      mn_audio_clip(&clip.audio, feature, clip.state, clip.scratch, pcm + start * channels);
      mn_feature_quantize_s8(whole, feature, (size_t)values, &scale);
      if (memcmp(input, whole, (size_t)values) != 0)
        fail_msg("front end %d, input %d", which, inputs);
    }
    int32_t hop = stream.audio.step * stream.audio.every;
    assert_int_equal(inputs, 1 + (total - stream.audio.length) / hop);
    free(pcm);
    free(feature);
    free(whole);
    free(input);
    drop_rig(&stream);
    drop_rig(&clip);
  }
}

static void quantization_should_agree_with_real_arithmetic(void **state) {
  (void)state;
  static const float scales[] = {0.2010950f, 0.5847029f, 1e-3f, 7.75f, 0.0235f, 1.0f, 3e-9f, 1e30f};
  mn_audio audio = {.fraction = 7};
  for (size_t s = 0; s < MN_COUNT(scales); s++) {
    for (int32_t zero_point = -128; zero_point <= 127; zero_point += 51) {
      mn_feature_scale scale = mn_audio_scale(&audio, scales[s], zero_point);
      for (int32_t value = -32768; value <= 32767; value += 13) {
        int16_t feature = (int16_t)value;
        int8_t q;
        mn_feature_quantize_s8(&q, &feature, 1, &scale);
        double exact = value / 128.0 / (double)scales[s];
        double expected = fmin(127, fmax(-128, round(exact) + zero_point));
        double gap = fabs(fabs(exact) - floor(fabs(exact)) - 0.5); /* to the next half */
        if (fabs(expected - q) > (gap < 1e-5 ? 1 : 0))
          fail_msg("%d at scale %g: %d, expected %g", value, (double)scales[s], q, expected);
      }
    }
  }
}

static void silence_should_lie_on_the_floor(void **state) {
  (void)state;
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_LOGMEL);
  rig r = make_rig(&frontend);
  int16_t pcm[16000] = {0}, feature[49 * 40];
  mn_audio_clip(&r.audio, feature, r.state, r.scratch, pcm);
  for (size_t i = 0; i < MN_COUNT(feature); i++)
    assert_true(fabs(feature[i] / 1024.0 - log(1e-12)) < 1e-3);
  drop_rig(&r);
}

static void sizes_should_be_what_the_paper_front_end_needs(void **state) {
  (void)state;
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_MFCC);
  rig r = make_rig(&frontend);
  /* window 321, cosine 257, dct 41 words; 42 edges and 257 weights of two bytes, padded to words */
  assert_int_equal(mn_frontend_tables_bytes(&frontend), 4 * (321 + 257 + 41) + 84 + 516);
  assert_int_equal(mn_frontend_state_bytes(&frontend), 28 + 2 * (640 + 490));
  assert_int_equal(mn_frontend_scratch_bytes(&frontend), 4 * (1024 + 40));
  assert_int_equal(mn_audio_state_bytes(&r.audio), mn_frontend_state_bytes(&frontend));
  drop_rig(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(paper_and_mlperf_should_give_49_frames_of_10),
      cmocka_unit_test(a_spectrum_should_have_a_channel_for_every_axis),
      cmocka_unit_test(an_axis_should_hear_nothing_of_the_others),
      cmocka_unit_test(frames_should_stand_in_for_the_length),
      cmocka_unit_test(settings_that_cannot_be_built_should_be_refused_with_a_reason),
      cmocka_unit_test(any_hop_should_give_the_bytes_of_the_whole_clip),
      cmocka_unit_test(a_stream_should_give_the_clip_that_starts_at_each_step),
      cmocka_unit_test(quantization_should_agree_with_real_arithmetic),
      cmocka_unit_test(silence_should_lie_on_the_floor),
      cmocka_unit_test(sizes_should_be_what_the_paper_front_end_needs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
