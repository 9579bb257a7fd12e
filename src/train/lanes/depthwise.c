/* depthwise.c - depthwise convolution over one padded plane, and its weight gradient. The input
 * gradient is the same convolution with turned weights over the spread-out gradient.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/lanes/lanes_internal.h"

enum { MAX_TAPS = 9, AHEAD = 12 };

/* 3x3: nine weights stay in registers along an output line. */
static void line_3x3(float *z, ptrdiff_t z_row, const float *in, const float *w, const mn_plane *p,
                     float *sum, float *square) {
  vf k[MAX_TAPS], s = {0}, q = {0};
  MN_UNROLL for (int i = 0; i < MAX_TAPS; i++) k[i] = load(w + (ptrdiff_t)i * p->weight_stride);
  const ptrdiff_t right = p->stride, down = (ptrdiff_t)p->width * p->stride;
  const ptrdiff_t step = (ptrdiff_t)p->stride_w * p->stride;
  for (int32_t x = 0; x < p->out_w; x++, in += step, z += z_row) {
    const float *a = in, *b = in + down, *c = b + down;
    __builtin_prefetch(z + AHEAD * z_row, 1);
    vf v0 = k[0] * load(a) + k[1] * load(a + right) + k[2] * load(a + 2 * right);
    vf v1 = k[3] * load(b) + k[4] * load(b + right) + k[5] * load(b + 2 * right);
    vf v2 = k[6] * load(c) + k[7] * load(c + right) + k[8] * load(c + 2 * right);
    v0 += v1 + v2;
    store(z, v0);
    s += v0;
    q += v0 * v0;
  }
  if (sum == NULL) return;
  store(sum, load(sum) + s);
  store(square, load(square) + q);
}

static void line_any(float *z, ptrdiff_t z_row, const float *in, const float *w, const mn_plane *p,
                     float *sum, float *square) {
  vf s = {0}, q = {0};
  const ptrdiff_t right = (ptrdiff_t)p->dilation_w * p->stride;
  const ptrdiff_t down = (ptrdiff_t)p->dilation_h * p->width * p->stride;
  for (int32_t x = 0; x < p->out_w; x++, in += (ptrdiff_t)p->stride_w * p->stride, z += z_row) {
    vf v = {0};
    const float *k = w;
    for (int32_t i = 0; i < p->kernel_h; i++)
      for (int32_t j = 0; j < p->kernel_w; j++, k += p->weight_stride)
        v += load(k) * load(in + i * down + j * right);
    store(z, v);
    s += v;
    q += v * v;
  }
  if (sum == NULL) return;
  store(sum, load(sum) + s);
  store(square, load(square) + q);
}

static bool is_3x3(const mn_plane *p) {
  return p->kernel_h == 3 && p->kernel_w == 3 && p->dilation_h == 1 && p->dilation_w == 1;
}

void MN_LANE(depthwise)(float *z, ptrdiff_t z_row, const float *plane, const float *weights,
                        const mn_plane *p, float *sum, float *square) {
  const bool fast = is_3x3(p);
  for (int32_t y = 0; y < p->out_h; y++) {
    const float *in = plane + (ptrdiff_t)y * p->stride_h * p->width * p->stride;
    float *out = z + (ptrdiff_t)y * p->out_w * z_row;
    for (int32_t c = 0; c < p->channels; c += MN_LANES)
      (fast ? line_3x3 : line_any)(out + c, z_row, in + c, weights + c, p,
                                   sum != NULL ? sum + c : NULL, sum != NULL ? square + c : NULL);
  }
}

/* 3x3: nine accumulators stay in registers over the whole plane. */
static void weights_3x3(float *gradient, const float *plane, const float *dz, ptrdiff_t dz_line,
                        ptrdiff_t dz_pixel, const mn_plane *p) {
  vf acc[MAX_TAPS];
  MN_UNROLL for (int i = 0; i < MAX_TAPS; i++) acc[i] =
      load(gradient + (ptrdiff_t)i * p->weight_stride);
  const ptrdiff_t right = p->stride, down = (ptrdiff_t)p->width * p->stride;
  for (int32_t y = 0; y < p->out_h; y++) {
    const float *a = plane + (ptrdiff_t)y * p->stride_h * down;
    for (int32_t x = 0; x < p->out_w; x++, a += (ptrdiff_t)p->stride_w * p->stride) {
      const vf d = load(dz + y * dz_line + x * dz_pixel);
      const float *b = a + down, *c = b + down;
      acc[0] += d * load(a);
      acc[1] += d * load(a + right);
      acc[2] += d * load(a + 2 * right);
      acc[3] += d * load(b);
      acc[4] += d * load(b + right);
      acc[5] += d * load(b + 2 * right);
      acc[6] += d * load(c);
      acc[7] += d * load(c + right);
      acc[8] += d * load(c + 2 * right);
    }
  }
  MN_UNROLL for (int i = 0; i < MAX_TAPS; i++)
      store(gradient + (ptrdiff_t)i * p->weight_stride, acc[i]);
}

static void weights_any(float *gradient, const float *plane, const float *dz, ptrdiff_t dz_line,
                        ptrdiff_t dz_pixel, const mn_plane *p) {
  const ptrdiff_t down = (ptrdiff_t)p->width * p->stride;
  for (int32_t i = 0; i < p->kernel_h; i++)
    for (int32_t j = 0; j < p->kernel_w; j++, gradient += p->weight_stride) {
      const float *in = plane + i * p->dilation_h * down + (ptrdiff_t)j * p->dilation_w * p->stride;
      vf acc = load(gradient);
      for (int32_t y = 0; y < p->out_h; y++)
        for (int32_t x = 0; x < p->out_w; x++)
          acc += load(dz + y * dz_line + x * dz_pixel) *
                 load(in + y * p->stride_h * down + (ptrdiff_t)x * p->stride_w * p->stride);
      store(gradient, acc);
    }
}

void MN_LANE(depthwise_weights)(float *gradient, const float *plane, const float *dz,
                                ptrdiff_t dz_line, ptrdiff_t dz_pixel, const mn_plane *p) {
  const bool fast = is_3x3(p);
  for (int32_t c = 0; c < p->channels; c += MN_LANES)
    (fast ? weights_3x3 : weights_any)(gradient + c, plane + c, dz + c, dz_line, dz_pixel, p);
}
