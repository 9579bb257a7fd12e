/* augment_photo.c - see augment_photo.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/augment_photo.h"

#include <math.h>

#include "micronets/features.h"

/* Where the output's pixels lie along one axis of the photo. */
typedef struct axis {
  double start, step; /* of pixel centres */
} axis;

typedef struct rectangle {
  int32_t top, left, height, width;
} rectangle;

static axis whole_axis(int32_t side, int32_t size) {
  double step = (double)side / size;
  return (axis){0.5 * step - 0.5, step};
}

/* `length` pixels of the photo, anywhere inside it. */
static axis crop_axis(double length, int32_t side, int32_t size, mn_rng *rng) {
  if (length > side) length = side;
  double step = length / size, room = side - length;
  return (axis){mn_rng_uniform(rng) * room + 0.5 * step - 0.5, step};
}

static void shift_axis(axis *a, int32_t side, double share, mn_rng *rng) {
  int32_t most = (int32_t)(share * side);
  if (most > 0) a->start += (int32_t)mn_rng_below(rng, (uint32_t)(2 * most + 1)) - most;
}

static void flip_axis(axis *a, int32_t size) {
  a->start += a->step * (size - 1);
  a->step = -a->step;
}

static void draw_axes(axis *y, axis *x, int32_t side, int32_t size, const mn_feed_config *config,
                      mn_rng *rng) {
  *y = *x = whole_axis(side, size);
  if (config->crop_area > 0 && config->crop_area < 1) {
    double length = side * sqrt(mn_rng_range(rng, config->crop_area, 1));
    double stretch = exp(mn_rng_range(rng, -0.5, 0.5) * config->crop_stretch);
    *y = crop_axis(length * stretch, side, size, rng);
    *x = crop_axis(length / stretch, side, size, rng);
  }
  shift_axis(y, side, config->pixel_shift, rng);
  shift_axis(x, side, config->pixel_shift, rng);
  if (mn_rng_uniform(rng) < config->flip_probability) flip_axis(x, size);
}

/* The two pixels around a place, edges repeated, and the weight of the second. */
static float neighbours(int32_t *first, int32_t *second, const axis *a, int32_t index,
                        int32_t side) {
  double place = a->start + a->step * index, whole = floor(place);
  int32_t k = (int32_t)whole;
  *first = k < 0 ? 0 : k >= side ? side - 1 : k;
  *second = k + 1 < 0 ? 0 : k + 1 >= side ? side - 1 : k + 1;
  return (float)(place - whole);
}

static void sample(float *to, int32_t size, mn_photo photo, const axis *y, const axis *x) {
  int32_t left[MN_IMAGE_MOST_SIDE], right[MN_IMAGE_MOST_SIDE], n = photo.channels;
  float weight[MN_IMAGE_MOST_SIDE];
  for (int32_t i = 0; i < size; i++) {
    weight[i] = neighbours(&left[i], &right[i], x, i, photo.side);
    left[i] *= n;
    right[i] *= n;
  }
  for (int32_t row = 0; row < size; row++) {
    int32_t first, second, stride = photo.side * n;
    float down = neighbours(&first, &second, y, row, photo.side), up = 1.0f - down;
    const uint8_t *a = photo.pixels + first * stride, *b = photo.pixels + second * stride;
    for (int32_t i = 0; i < size; i++) {
      for (int32_t c = 0; c < n; c++) {
        float l = up * (float)a[left[i] + c] + down * (float)b[left[i] + c];
        float r = up * (float)a[right[i] + c] + down * (float)b[right[i] + c];
        *to++ = (l + weight[i] * (r - l) - 128.0f) * (1.0f / 128.0f);
      }
    }
  }
}

/* Contrast about the photo's mean, then brightness; saturation about each pixel's grey. */
static void change_colours(float *x, int32_t size, int32_t channels, const mn_feed_config *config,
                           mn_rng *rng) {
  float gain = 1.0f + (float)(mn_rng_range(rng, -1, 1) * config->contrast);
  float lift = (float)(mn_rng_range(rng, -1, 1) * config->brightness);
  float colour = 1.0f + (float)(mn_rng_range(rng, -1, 1) * config->saturation);
  double sum = 0;
  int32_t count = size * size * channels;
  for (int32_t i = 0; i < count; i++) sum += (double)x[i];
  float mean = (float)(sum / count);
  for (int32_t i = 0; channels == 3 && i < count; i += 3) {
    float grey = 0.299f * x[i] + 0.587f * x[i + 1] + 0.114f * x[i + 2];
    for (int32_t c = 0; c < 3; c++) x[i + c] = grey + colour * (x[i + c] - grey);
  }
  for (int32_t i = 0; i < count; i++)
    x[i] = fminf(fmaxf(mean + lift + gain * (x[i] - mean), -1.0f), 127.0f / 128.0f);
}

/* A rectangle of `share` of the area, sides up to a factor of two apart. */
static rectangle draw_rectangle(double share, int32_t size, mn_rng *rng) {
  double stretch = exp(mn_rng_range(rng, -0.35, 0.35)), side = size * sqrt(share);
  rectangle r = {.height = (int32_t)fmin(size, fmax(1, side * stretch)),
                 .width = (int32_t)fmin(size, fmax(1, side / stretch))};
  r.top = (int32_t)mn_rng_below(rng, (uint32_t)(size - r.height + 1));
  r.left = (int32_t)mn_rng_below(rng, (uint32_t)(size - r.width + 1));
  return r;
}

/* from NULL: middle grey. */
static void fill_rectangle(float *x, const float *from, const rectangle *r, int32_t size,
                           int32_t channels) {
  for (int32_t row = r->top; row < r->top + r->height; row++) {
    int32_t at = (row * size + r->left) * channels;
    for (int32_t i = at; i < at + r->width * channels; i++) x[i] = from != NULL ? from[i] : 0.0f;
  }
}

void mn_photo_draw(float *x, int32_t size, mn_photo photo, const mn_feed_config *config,
                   mn_rng *rng) {
  axis rows = whole_axis(photo.side, size), columns = rows;
  if (config == NULL) {
    sample(x, size, photo, &rows, &columns);
    return;
  }
  draw_axes(&rows, &columns, photo.side, size, config, rng);
  sample(x, size, photo, &rows, &columns);
  if (config->brightness > 0 || config->contrast > 0 || config->saturation > 0)
    change_colours(x, size, photo.channels, config, rng);
  if (mn_rng_uniform(rng) >= config->erase_probability) return;
  rectangle hole = draw_rectangle(mn_rng_range(rng, 0.02, 0.33), size, rng);
  fill_rectangle(x, NULL, &hole, size, photo.channels);
}

float mn_photo_cut(float *x, const float *from, int32_t size, int32_t channels, mn_rng *rng) {
  rectangle patch = draw_rectangle(mn_rng_uniform(rng), size, rng);
  fill_rectangle(x, from, &patch, size, channels);
  return 1.0f - (float)(patch.height * patch.width) / (float)(size * size);
}
