/* depthwise_conv_2d_dsp.c - depthwise convolution of any window and any number of outputs per channel
 * over an int16 plane in scratch: four outputs at a time, two taps per multiplication.
 *
 * Constants: weights int32 [O, lines of the window, pairs along a line], zero where a line is odd; bias
 * int32 [O] with the input's zero point taken in; multiplier int32 [O]; right shift int8 [O]. The plan
 * proved that twice a sum fits an int32.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_planes_dsp.h"
#include "kernels/dsp.h"
#include "kernels/requantize.h"

typedef struct channel {
  const int32_t *weights; /* [lines, pairs] */
  int32_t lines, pairs;
  int32_t line_step, stride; /* halfwords of the plane */
  int32_t y_step;
  int32_t bias, multiplier, shift;
  int32_t zero_point, min, max;
} channel;

/* TFLite's two roundings; the second, of halves away from zero, is none where nothing is shifted. */
static inline void store(const channel *c, int8_t *y, int32_t acc) {
  int32_t high = mn_smmlar(2 * acc, c->multiplier, 0), half = (int32_t)((1u << c->shift) >> 1);
  if (c->shift > 0) high += high >> 31;
  *y = (int8_t)mn_clamp(((high + half) >> c->shift) + c->zero_point, c->min, c->max);
}

/* Four outputs in a row. */
MN_OUT_OF_LINE static void run_four(const channel *c, int8_t *y, const int16_t *x) {
  int32_t a = c->bias, b = a, d = a, e = a;
  const int32_t *w = c->weights;
  const int32_t stride = c->stride, pairs = c->pairs;
  for (int32_t i = c->lines; i > 0; i--, x += c->line_step) {
    const int16_t *at = x;
    for (int32_t j = pairs; j > 0; j--, at += 2) {
      int32_t taps = *w++;
      a = mn_smlad((int32_t)mn_load4(at), taps, a);
      b = mn_smlad((int32_t)mn_load4(at + stride), taps, b);
      d = mn_smlad((int32_t)mn_load4(at + 2 * stride), taps, d);
      e = mn_smlad((int32_t)mn_load4(at + 3 * stride), taps, e);
    }
  }
  store(c, y, a);
  store(c, y + c->y_step, b);
  store(c, y + 2 * c->y_step, d);
  store(c, y + 3 * c->y_step, e);
}

static void run_one(const channel *c, int8_t *y, const int16_t *x) {
  int32_t acc = c->bias;
  const int32_t *w = c->weights;
  for (int32_t i = c->lines; i > 0; i--, x += c->line_step)
    for (int32_t j = 0; j < c->pairs; j++) acc = mn_smlad((int32_t)mn_load4(x + 2 * j), *w++, acc);
  store(c, y, acc);
}

/* `outputs` of them along a line of the plane. */
static void run_line(const channel *c, int8_t *y, const int16_t *x, int32_t outputs) {
  for (; outputs >= 4; outputs -= 4, x += 4 * c->stride, y += 4 * c->y_step) run_four(c, y, x);
  for (; outputs > 0; outputs--, x += c->stride, y += c->y_step) run_one(c, y, x);
}

static void set_geometry(channel *to, const mn_planes *g, const mn_depthwise_conv_2d *p) {
  int32_t along = g->turned ? p->kernel_h : p->kernel_w;
  to->lines = g->turned ? p->kernel_w : p->kernel_h;
  to->pairs = (along + 1) / 2;
  to->line_step = g->pitch * (g->turned ? p->dilation_w : p->dilation_h);
  to->stride = g->along.stride;
  to->y_step = g->along.y_step;
  to->zero_point = p->output_zero_point;
  to->min = p->output_min;
  to->max = p->output_max;
}

static void set_channel(channel *to, const mn_kernel_io *io, int32_t o) {
  to->weights = (const int32_t *)io->constant[0] + o * to->lines * to->pairs;
  to->bias = ((const int32_t *)io->constant[1])[o];
  to->multiplier = ((const int32_t *)io->constant[2])[o];
  to->shift = ((const int8_t *)io->constant[3])[o];
}

void mn_depthwise_conv_2d_s8_dsp(const void *params, const mn_kernel_io *io) {
  const mn_depthwise_conv_2d *p = params;
  mn_planes g;
  channel to;
  int32_t turned = mn_depthwise_conv_2d_is_turned(p);
  mn_planes_place(&g, p, io, 1, turned,
                  turned ? p->output_w : mn_planes_strip_rows(p, 1, MN_PLANES_SCRATCH));
  set_geometry(&to, &g, p);
  for (int32_t c = 0; c < p->input_c; c++)
    for (int32_t done = 0; done < g.across.outputs; done += g.strip) {
      int32_t rest = g.across.outputs - done, count = rest < g.strip ? rest : g.strip;
      mn_planes_gather(&g, c, 1, done, count);
      for (int32_t o = c * p->channel_multiplier; o < (c + 1) * p->channel_multiplier; o++) {
        set_channel(&to, io, o);
        for (int32_t i = 0; i < count; i++)
          run_line(&to, g.y + (done + i) * g.across.y_step + o,
                   g.data + i * g.across.stride * g.pitch, g.along.outputs);
      }
    }
}
