/* depthwise_3x3_dsp.c - the planes of two channels, strip by strip, handed to the inner part. Lines lie
 * along the axis that takes fewer instructions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_3x3.h"
#include "kernels/depthwise_planes_dsp.h"
#include "kernels/dsp.h"

/* Instructions of the inner part: pairs, a last single, a line; and of what strips hand on: two lines of
 * both planes at stride 1, else one, word by word. */
static int32_t effort(int32_t along, int32_t across, int32_t stride, int32_t strip) {
  int32_t line = stride == 1 ? along / 2 * 27 + (along & 1) * 18 + 20 : along * 18 + 20;
  int32_t kept = (3 - stride) * mn_planes_pitch(along, stride, 3) * 4;
  return across * line + (across - 1) / strip * kept;
}

/* Columns of a strip whose lines lie along the height, where that is better than strips of so many rows, in
 * the same memory; else 0. Where memory is not short all columns have to fit. */
static int32_t turned_strip(const mn_depthwise_conv_2d *p, int32_t rows, int32_t strip_rows,
                            int32_t limit) {
  int32_t bytes = mn_planes_bytes(p, MN_DEPTHWISE_3X3_PLANES, limit);
  int32_t columns = mn_planes_strip_columns(p, rows, MN_DEPTHWISE_3X3_PLANES, bytes);
  int32_t least = limit == MN_PLANES_NARROW ? 1 : p->output_w;
  if (columns < least) return 0;
  int32_t turned = effort(rows, p->output_w, p->stride_w, columns);
  return turned < effort(p->output_w, rows, p->stride_w, strip_rows) ? columns : 0;
}

static void set_geometry(mn_depthwise_3x3_strip *strip, const mn_planes *g) {
  int32_t outputs = g->along.outputs, pairs = g->along.stride == 1 ? outputs / 2 : 0;
  int32_t singles = outputs - 2 * pairs;
  strip->pitch = 2 * g->pitch;
  strip->x_skip = 2 * g->pitch * g->across.stride - 4 * (pairs + singles);
  strip->y_step = g->along.y_step;
  strip->y_skip = g->across.y_step - outputs * g->along.y_step;
  strip->pairs = 4 * pairs;
  strip->singles = 4 * singles;
}

/* The pairs of weights that lie across, from those that lie along the width. */
static void turn(int32_t *to, const int32_t *w) {
  for (int32_t i = 0; i < 2; i++) {
    to[i] = mn_pair(w[2 * i], w[2 * i + 2]);
    to[2 + i] = mn_pair(w[2 * i + 1], w[2 * i + 3]);
    to[4 + i] = mn_pair(w[2 * i + 1] >> 16, w[2 * i + 3] >> 16);
  }
}

/* `count` lines of outputs of one channel, its plane gathered. */
static void run(const mn_planes *g, mn_depthwise_3x3_strip *strip, const mn_kernel_io *io,
                int32_t c, int32_t plane, int32_t first, int32_t count) {
  int32_t turned[MN_DEPTHWISE_3X3_WEIGHTS];
  const int32_t *weights = (const int32_t *)io->constant[0] + c * MN_DEPTHWISE_3X3_WEIGHTS;
  if (g->turned) turn(turned, weights);
  strip->x = g->data + plane * g->plane;
  strip->end = strip->x + count * g->across.stride * g->pitch;
  strip->y = g->y + first * g->across.y_step + c;
  strip->weights = g->turned ? turned : weights;
  strip->folded = (const int32_t *)io->constant[1] + c * MN_DEPTHWISE_3X3_FOLDED;
  mn_depthwise_3x3_run(strip);
}

MN_OUT_OF_LINE static void run_within(int32_t limit, const mn_depthwise_conv_2d *p,
                                      const mn_kernel_io *io) {
  mn_planes g;
  mn_depthwise_3x3_strip strip;
  int32_t strip_rows = mn_planes_strip_rows(p, MN_DEPTHWISE_3X3_PLANES, limit);
  int32_t columns = turned_strip(p, io->rows, strip_rows, limit);
  mn_planes_place(&g, p, io, MN_DEPTHWISE_3X3_PLANES, columns > 0,
                  columns > 0 ? columns : strip_rows);
  set_geometry(&strip, &g);
  for (int32_t c = 0; c < p->output_c; c += MN_DEPTHWISE_3X3_PLANES) {
    int32_t left = p->output_c - c;
    int32_t channels = left < MN_DEPTHWISE_3X3_PLANES ? left : MN_DEPTHWISE_3X3_PLANES;
    for (int32_t done = 0; done < g.across.outputs; done += g.strip) {
      int32_t rest = g.across.outputs - done, count = rest < g.strip ? rest : g.strip;
      mn_planes_gather(&g, c, channels, done, count);
      for (int32_t k = 0; k < channels; k++) run(&g, &strip, io, c + k, k, done, count);
    }
  }
}

void mn_depthwise_3x3_s8_dsp(const void *params, const mn_kernel_io *io) {
  run_within(MN_PLANES_SCRATCH, params, io);
}

void mn_depthwise_3x3_narrow_s8_dsp(const void *params, const mn_kernel_io *io) {
  run_within(MN_PLANES_NARROW, params, io);
}
