/* depthwise.c - depthwise convolution over one padded plane, and its weight gradient. The input
 * gradient is the same convolution with turned weights over the output's gradient.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/lanes/lanes_internal.h"

enum { MAX_TAPS = 9, AHEAD = 12, MAX_LINES = 2 };

/* Where the lines under way go. */
typedef struct output {
  void *z;
  ptrdiff_t pixel, line;
  float *sum, *square;
} output;

MN_INLINE void sums_add(const output *o, int32_t c, vf s, vf q) {
  if (o->sum == NULL) return;
  store(o->sum + c, load(o->sum + c) + s);
  store(o->square + c, load(o->square + c) + q);
}

/* Output lines, all channels; `lines` of them at once read what they share once (then stride and dilation
 * are 1). Sizes are constants at every call, and the weights stay in registers along a line. */
MN_INLINE void lines_fixed(const int kernel_h, const int kernel_w, const int lines,
                           const mn_form form, const output *o, const float *plane,
                           const float *weights, const mn_plane *p) {
  const ptrdiff_t right = (ptrdiff_t)p->dilation_w * p->stride;
  const ptrdiff_t down = (ptrdiff_t)p->dilation_h * p->width * p->stride;
  const ptrdiff_t step = (ptrdiff_t)p->stride_w * p->stride;
  for (int32_t c = 0; c < p->channels; c += MN_LANES) {
    vf k[MAX_TAPS], s = {0}, q = {0};
    MN_UNROLL for (int i = 0; i < kernel_h; i++) MN_UNROLL for (int j = 0; j < kernel_w; j++)
        k[i * kernel_w + j] = load(weights + c + i * p->weight_row + j * p->weight_tap);
    const float *in = plane + c;
    ptrdiff_t at = c;
    for (int32_t x = 0; x < p->out_w; x++, in += step, at += o->pixel) {
      vf v[MAX_LINES] = {{0}, {0}};
      if (p->accumulate)
        MN_UNROLL for (int l = 0; l < lines; l++) v[l] = form_load(form, o->z, at + l * o->line);
      MN_UNROLL for (int r = 0; r < kernel_h + lines - 1; r++) {
        vf part[MAX_LINES] = {{0}, {0}};
        MN_UNROLL for (int j = 0; j < kernel_w; j++) {
          const vf a = load(in + r * down + j * right);
          MN_UNROLL for (int l = 0; l < lines; l++) if (r >= l && r - l < kernel_h) part[l] +=
              k[(r - l) * kernel_w + j] * a;
        }
        MN_UNROLL for (int l = 0; l < lines; l++) if (r >= l && r - l < kernel_h) v[l] += part[l];
      }
      MN_UNROLL for (int l = 0; l < lines; l++) {
        __builtin_prefetch(form_at(form, o->z, at + AHEAD * o->pixel + l * o->line), 1);
        form_store(form, o->z, at + l * o->line, v[l]);
        s += v[l];
        q += v[l] * v[l];
      }
    }
    sums_add(o, c, s, q);
  }
}

typedef void lines_fn(const output *o, const float *plane, const float *weights, const mn_plane *p);
#define LINES(h, w, lines)                                                                         \
  static void lines_##h##_##w##_##lines(const output *o, const float *plane, const float *weights, \
                                        const mn_plane *p) {                                       \
    if (p->form == MN_FORM_HALF)                                                                   \
      lines_fixed(h, w, lines, MN_FORM_HALF, o, plane, weights, p);                                \
    else if (p->form == MN_FORM_BF16)                                                              \
      lines_fixed(h, w, lines, MN_FORM_BF16, o, plane, weights, p);                                \
    else                                                                                           \
      lines_fixed(h, w, lines, MN_FORM_FLOAT, o, plane, weights, p);                               \
  }
LINES(1, 1, 1)
LINES(1, 2, 1)
LINES(2, 1, 1)
LINES(2, 2, 1)
LINES(3, 3, 1)
LINES(3, 3, 2)

MN_INLINE void line_sized(const mn_form form, const output *o, const float *plane,
                          const float *weights, const mn_plane *p) {
  const ptrdiff_t right = (ptrdiff_t)p->dilation_w * p->stride;
  const ptrdiff_t down = (ptrdiff_t)p->dilation_h * p->width * p->stride;
  for (int32_t c = 0; c < p->channels; c += MN_LANES) {
    vf s = {0}, q = {0};
    for (int32_t x = 0; x < p->out_w; x++) {
      const float *in = plane + c + (ptrdiff_t)x * p->stride_w * p->stride;
      const ptrdiff_t at = c + x * o->pixel;
      vf v = {0};
      if (p->accumulate) v = form_load(form, o->z, at);
      for (int32_t i = 0; i < p->kernel_h; i++)
        for (int32_t j = 0; j < p->kernel_w; j++)
          v += load(weights + c + i * p->weight_row + j * p->weight_tap) *
               load(in + i * down + j * right);
      form_store(form, o->z, at, v);
      s += v;
      q += v * v;
    }
    sums_add(o, c, s, q);
  }
}

static void line_any(const output *o, const float *plane, const float *weights, const mn_plane *p) {
  if (p->form == MN_FORM_HALF)
    line_sized(MN_FORM_HALF, o, plane, weights, p);
  else if (p->form == MN_FORM_BF16)
    line_sized(MN_FORM_BF16, o, plane, weights, p);
  else
    line_sized(MN_FORM_FLOAT, o, plane, weights, p);
}

/* The kernels of the networks, and what their gradients leave of them behind a stride of 2. */
static lines_fn *lines_choose(const mn_plane *p, int32_t lines) {
  static lines_fn *const fixed[4][4] = {[1] = {[1] = lines_1_1_1, [2] = lines_1_2_1},
                                        [2] = {[1] = lines_2_1_1, [2] = lines_2_2_1},
                                        [3] = {[3] = lines_3_3_1}};
  if (lines == 2) return lines_3_3_2;
  lines_fn *f = p->kernel_h < 4 && p->kernel_w < 4 ? fixed[p->kernel_h][p->kernel_w] : NULL;
  return f != NULL ? f : line_any;
}

void MN_LANE(depthwise)(void *z, ptrdiff_t z_pixel, ptrdiff_t z_line, const float *plane,
                        const float *weights, const mn_plane *p, float *sum, float *square) {
  const bool pairs = MN_LANES == 16 && p->kernel_h == 3 && p->kernel_w == 3 && p->stride_h == 1 &&
                     p->dilation_h == 1;
  const ptrdiff_t step = (ptrdiff_t)p->stride_h * p->width * p->stride;
  for (int32_t y = 0; y < p->out_h;) {
    const int32_t lines = pairs && y + 1 < p->out_h ? 2 : 1;
    void *at = (char *)z + y * z_line * mn_form_bytes(p->form);
    const output o = {at, z_pixel, z_line, sum, square};
    lines_choose(p, lines)(&o, plane + y * step, weights, p);
    y += lines;
  }
}

/* 3x3: nine accumulators stay in registers over the whole plane. */
static void weights_3x3(float *gradient, const float *plane, const float *dz, ptrdiff_t dz_line,
                        ptrdiff_t dz_pixel, const mn_plane *p) {
  vf acc[MAX_TAPS];
  MN_UNROLL for (int i = 0; i < MAX_TAPS; i++) acc[i] = load(gradient + i * p->weight_tap);
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
  MN_UNROLL for (int i = 0; i < MAX_TAPS; i++) store(gradient + i * p->weight_tap, acc[i]);
}

static void weights_any(float *gradient, const float *plane, const float *dz, ptrdiff_t dz_line,
                        ptrdiff_t dz_pixel, const mn_plane *p) {
  const ptrdiff_t down = (ptrdiff_t)p->width * p->stride;
  for (int32_t i = 0; i < p->kernel_h; i++)
    for (int32_t j = 0; j < p->kernel_w; j++, gradient += p->weight_tap) {
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
  const bool fast =
      p->kernel_h == 3 && p->kernel_w == 3 && p->dilation_h == 1 && p->dilation_w == 1;
  for (int32_t c = 0; c < p->channels; c += MN_LANES)
    (fast ? weights_3x3 : weights_any)(gradient + c, plane + c, dz + c, dz_line, dz_pixel, p);
}
