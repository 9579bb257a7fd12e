/* image.c - a frame to the input tensor: centred square, area average or bilinear, grey or RGB.
 *
 * Each output pixel reads the pixels it covers straight from the frame: no line buffer. Along an
 * axis the square has `side` pixels; where that is at least the output, lengths are counted in
 * 1/size of a pixel, so that an output pixel is `side` long, a pixel `size`, and every weight a whole
 * number. SPDX-License-Identifier: Apache-2.0 */
#include "micronets/features.h"

/* Pixels first .. last of an axis with their weights; those between weigh `inner` each. */
typedef struct span {
  int32_t first, last;
  uint32_t first_weight, inner, last_weight;
} span;

static span area_span(int32_t index, int32_t side, int32_t size) {
  int32_t begin = index * side, end = begin + side;
  span s = {.first = begin / size, .last = (end - 1) / size, .inner = (uint32_t)size};
  s.first_weight = (uint32_t)((s.first + 1) * size - begin);
  s.last_weight = (uint32_t)(end - s.last * size);
  if (s.first == s.last) s.first_weight = (uint32_t)side;
  return s;
}

/* Between the centres of two pixels, in 1/(2 size) of a pixel; at the border one pixel alone. */
static span linear_span(int32_t index, int32_t side, int32_t size) {
  int32_t place = (2 * index + 1) * side - size;
  span s = {.first = place < 0 ? 0 : place / (2 * size)};
  s.last_weight = place < 0 ? 0 : (uint32_t)(place - s.first * 2 * size);
  s.first_weight = (uint32_t)(2 * size) - s.last_weight;
  s.last = s.first + 1;
  if (s.last < side) return s;
  s.last = s.first;
  s.first_weight = (uint32_t)(2 * size);
  return s;
}

static span span_of(int32_t index, int32_t side, int32_t size) {
  return side >= size ? area_span(index, side, size) : linear_span(index, side, size);
}

/* add_*: the weighted sum of a row's span to sum [3] (grey: to sum[0] alone). */
static void add_grey(uint32_t *sum, const uint8_t *row, const span *s, uint32_t weight) {
  uint32_t inner = 0, edges = s->first_weight * row[s->first];
  for (int32_t k = s->first + 1; k < s->last; k++) inner += row[k];
  if (s->last > s->first) edges += s->last_weight * row[s->last];
  sum[0] += weight * (edges + s->inner * inner);
}

static void add_rgb888(uint32_t *sum, const uint8_t *row, const span *s, uint32_t weight) {
  for (int32_t c = 0; c < 3; c++) {
    const uint8_t *p = row + c;
    uint32_t inner = 0, edges = s->first_weight * p[3 * s->first];
    for (int32_t k = s->first + 1; k < s->last; k++) inner += p[3 * k];
    if (s->last > s->first) edges += s->last_weight * p[3 * s->last];
    sum[c] += weight * (edges + s->inner * inner);
  }
}

/* Five or six bits become eight by repeating the highest ones. */
static void add_565(uint32_t *sum, uint32_t pixel, uint32_t weight) {
  uint32_t red = pixel >> 11, green = pixel >> 5 & 63, blue = pixel & 31;
  sum[0] += weight * (red << 3 | red >> 2);
  sum[1] += weight * (green << 2 | green >> 4);
  sum[2] += weight * (blue << 3 | blue >> 2);
}

static uint32_t weight_of(const span *s, int32_t k) {
  return k == s->first ? s->first_weight : k == s->last ? s->last_weight : s->inner;
}

static void add_rgb565(uint32_t *sum, const uint8_t *row, const span *s, uint32_t weight) {
  for (int32_t k = s->first; k <= s->last; k++)
    add_565(sum, row[2 * k] | (uint32_t)row[2 * k + 1] << 8, weight * weight_of(s, k));
}

static void add_rgb565_be(uint32_t *sum, const uint8_t *row, const span *s, uint32_t weight) {
  for (int32_t k = s->first; k <= s->last; k++)
    add_565(sum, row[2 * k + 1] | (uint32_t)row[2 * k] << 8, weight * weight_of(s, k));
}

static int32_t bytes_of(mn_image_format format) {
  return format == MN_IMAGE_GREY8 ? 1 : format == MN_IMAGE_RGB888 ? 3 : 2;
}

/* Direct calls, so that the depth of the stack is known. */
static void add_row(mn_image_format format, uint32_t *sum, const uint8_t *row, const span *s,
                    uint32_t weight) {
  switch (format) {
    case MN_IMAGE_GREY8: add_grey(sum, row, s, weight); break;
    case MN_IMAGE_RGB888: add_rgb888(sum, row, s, weight); break;
    case MN_IMAGE_RGB565: add_rgb565(sum, row, s, weight); break;
    default: add_rgb565_be(sum, row, s, weight); break;
  }
}

/* The frame's colours to the output's: equal, grey thrice, or three made grey. */
static void store(uint8_t *pixel, int32_t channels, const uint32_t *value, int32_t given) {
  if (channels == 1 && given == 3) {
    pixel[0] = (uint8_t)((77 * value[0] + 150 * value[1] + 29 * value[2] + 128) >> 8);
    return;
  }
  for (int32_t c = 0; c < channels; c++) pixel[c] = (uint8_t)value[given == 3 ? c : 0];
}

void mn_image_resize(uint8_t *pixel, int32_t size, int32_t channels, const mn_image_frame *frame) {
  const mn_image_format format = frame->format;
  const int32_t bytes = bytes_of(format), given = format == MN_IMAGE_GREY8 ? 1 : 3;
  int32_t side = frame->width < frame->height ? frame->width : frame->height;
  int32_t stride = frame->width * bytes;
  const uint8_t *corner =
      frame->pixels + (frame->height - side) / 2 * stride + (frame->width - side) / 2 * bytes;
  uint32_t length = (uint32_t)(side >= size ? side : 2 * size), whole = length * length;
  for (int32_t y = 0; y < size; y++) {
    span rows = span_of(y, side, size);
    for (int32_t x = 0; x < size; x++, pixel += channels) {
      span columns = span_of(x, side, size);
      uint32_t sum[3] = {0, 0, 0};
      for (int32_t k = rows.first; k <= rows.last; k++)
        add_row(format, sum, corner + k * stride, &columns, weight_of(&rows, k));
      for (int32_t c = 0; c < given; c++) sum[c] = (sum[c] + whole / 2) / whole;
      store(pixel, channels, sum, given);
    }
  }
}

void mn_image_input(int8_t *input, int32_t size, int32_t channels, const mn_feature_scale *scale,
                    const mn_image_frame *frame) {
  uint8_t *pixel = (uint8_t *)input;
  mn_image_resize(pixel, size, channels, frame);
  for (int32_t i = 0; i < size * size * channels; i++)
    input[i] = mn_image_quantize_s8(pixel[i], scale);
}
