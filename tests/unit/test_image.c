/* test_image.c - the image front end against a double-precision oracle, in every format and size.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "micronets/features.h"

/* The mean of what an output pixel covers, or linear between pixel centres. */
static double weight_of(int index, int k, int side, int size) {
  if (side >= size) {
    double low = fmax(k, (double)index * side / size);
    double high = fmin(k + 1, (double)(index + 1) * side / size);
    return high > low ? (high - low) * size / side : 0;
  }
  double place = (index + 0.5) * side / size - 0.5;
  place = fmin(fmax(place, 0), side - 1);
  double distance = fabs(place - k);
  return distance < 1 ? 1 - distance : 0;
}

static double channel_of(const uint8_t *at, mn_image_format format, int c) {
  int value = format == MN_IMAGE_RGB565_BE ? at[0] << 8 | at[1] : at[0] | at[1] << 8;
  switch (format) {
    case MN_IMAGE_GREY8: return at[0];
    case MN_IMAGE_RGB888: return at[c];
    default: break;
  }
  if (c == 1) return floor((value >> 5 & 63) * 4 + (value >> 9 & 3));
  int five = c == 0 ? value >> 11 : value & 31;
  return five * 8 + five / 4;
}

static double oracle(const mn_image_frame *f, int bytes, int size, int y, int x, int c) {
  int side = f->width < f->height ? f->width : f->height;
  int top = (f->height - side) / 2, left = (f->width - side) / 2;
  double sum = 0;
  for (int r = 0; r < side; r++) {
    double down = weight_of(y, r, side, size);
    for (int k = 0; down > 0 && k < side; k++)
      sum += down * weight_of(x, k, side, size) *
             channel_of(f->pixels + ((top + r) * f->width + left + k) * bytes, f->format, c);
  }
  return sum;
}

static const struct {
  int width, height, size;
} cases[] = {{32, 32, 32}, {40, 30, 28},  {33, 61, 32}, {64, 48, 16}, {20, 24, 50},
             {8, 8, 33},   {96, 100, 96}, {1, 1, 8},    {3, 2, 9},    {160, 120, 50}};
static const int bytes_of[MN_IMAGE_FORMATS] = {1, 3, 2, 2};

static void check(int width, int height, int size, mn_image_format format, int channels) {
  uint8_t *pixels = malloc((size_t)(width * height * 3)),
          *made = malloc((size_t)(size * size * channels));
  mn_rng rng = mn_rng_seed((uint64_t)(width + size));
  for (int i = 0; i < width * height * 3; i++) pixels[i] = (uint8_t)mn_rng_below(&rng, 256);
  mn_image_frame frame = {pixels, width, height, format};
  mn_image_resize(made, size, channels, &frame);
  int colours = format == MN_IMAGE_GREY8 ? 1 : 3;
  for (int i = 0; i < size * size; i++) {
    double value[3];
    for (int c = 0; c < colours; c++)
      value[c] = oracle(&frame, bytes_of[format], size, i / size, i % size, c);
    double grey = colours == 1 ? value[0] : (77 * value[0] + 150 * value[1] + 29 * value[2]) / 256;
    for (int c = 0; c < channels; c++) {
      double expected = channels == 1 ? grey : value[colours == 1 ? 0 : c];
      double allowed = channels == 1 && colours == 3 ? 1.0001 : 0.5001;
      if (fabs(made[i * channels + c] - expected) > allowed)
        fail_msg("%dx%d to %d, format %d: pixel %d is %d; expected %.4f", width, height, size,
                 format, i, made[i * channels + c], expected);
    }
  }
  free(pixels);
  free(made);
}

static void resizing_should_round_the_exact_mean(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int format = 0; format < MN_IMAGE_FORMATS; format++)
      for (int channels = 1; channels <= 3; channels += 2)
        check(cases[i].width, cases[i].height, cases[i].size, (mn_image_format)format, channels);
}

static void the_largest_white_frame_should_stay_white(void **state) {
  (void)state;
  enum { SIDE = MN_IMAGE_MOST_FRAME };
  uint8_t *pixels = malloc((size_t)SIDE * SIDE), made[8 * 8];
  for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) pixels[i] = 255;
  mn_image_frame frame = {pixels, SIDE, SIDE, MN_IMAGE_GREY8};
  mn_image_resize(made, 8, 1, &frame);
  for (int i = 0; i < 64; i++) assert_int_equal(made[i], 255);
  free(pixels);
}

static void the_input_should_be_the_pixel_less_128_on_its_own_grid(void **state) {
  (void)state;
  uint8_t pixels[256];
  int8_t input[256];
  for (int i = 0; i < 256; i++) pixels[i] = (uint8_t)i;
  mn_image_frame frame = {pixels, 16, 16, MN_IMAGE_GREY8};
  mn_feature_scale scale = mn_image_scale(1.0f / 128, 0);
  mn_image_input(input, 16, 1, &scale, &frame);
  for (int i = 0; i < 256; i++) assert_int_equal(input[i], i - 128);
  scale = mn_image_scale(2.0f / 128, 5);
  mn_image_input(input, 16, 1, &scale, &frame);
  for (int i = 0; i < 256; i++)
    assert_int_equal(input[i], (i < 128 ? -(128 - i + 1) / 2 : (i - 128 + 1) / 2) + 5);
}

static void settings_out_of_reach_should_be_refused(void **state) {
  (void)state;
  mn_frontend f = mn_frontend_defaults(MN_FRONTEND_IMAGE);
  assert_non_null(mn_frontend_check(&f));
  f.size = 2000;
  assert_non_null(mn_frontend_check(&f));
  f.size = 96;
  f.colour = MN_COLOUR_RGB;
  assert_null(mn_frontend_check(&f));
  mn_frontend_shape(&f);
  assert_int_equal(f.height * 1000 + f.width * 10 + f.channels, 96963);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(resizing_should_round_the_exact_mean),
      cmocka_unit_test(the_largest_white_frame_should_stay_white),
      cmocka_unit_test(the_input_should_be_the_pixel_less_128_on_its_own_grid),
      cmocka_unit_test(settings_out_of_reach_should_be_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
