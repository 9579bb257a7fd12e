/* main.c - made-up frames of several sizes in every format through the image front end; one line with
 * a checksum each. Built for emulated cores and for the host, as the front end's test is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/features.h"
#include "io.h"

enum { MOST = 80 * 60 * 3, SIDE = 50 };
static uint8_t pixels[MOST];
static int8_t input[SIDE * SIDE * 3];

int main(void);

static uint32_t checksum(const void *data, size_t size) {
  const uint8_t *bytes = data;
  uint32_t sum = 2166136261u;
  for (size_t i = 0; i < size; i++) sum = (sum ^ bytes[i]) * 16777619u;
  return sum;
}

static void run(int32_t width, int32_t height, int32_t size, int format, int32_t channels) {
  const mn_image_frame frame = {pixels, width, height, (mn_image_format)format};
  const mn_feature_scale exact = mn_image_scale(1.0f / 128, 0), other = mn_image_scale(0.0098f, -7);
  uint32_t values = (uint32_t)(size * size * channels);
  mn_line_number("size", size);
  mn_line_number("format", format);
  mn_line_number("channels", channels);
  mn_image_input(input, size, channels, &exact, &frame);
  mn_line_hex("exact", checksum(input, values));
  mn_image_input(input, size, channels, &other, &frame);
  mn_line_hex("other", checksum(input, values));
  mn_line_end();
}

int main(void) {
  static const int32_t frames[][3] = {{80, 60, 50}, {60, 80, 28}, {33, 20, 32}, {48, 48, 48}};
  uint32_t noise = 1;
  for (int i = 0; i < MOST; i++) {
    noise = noise * 1664525u + 1013904223u;
    pixels[i] = (uint8_t)(noise >> 24);
  }
  for (int i = 0; i < 4; i++)
    for (int format = 0; format < MN_IMAGE_FORMATS; format++)
      for (int32_t channels = 1; channels <= 3; channels += 2)
        run(frames[i][0], frames[i][1], frames[i][2], format, channels);
  return 0;
}
