/* depthwise_3x3_dsp.c - the planes of two channels, strip by strip, handed to the inner part. Lines lie
 * along the axis that takes fewer instructions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_3x3.h"
#include "kernels/depthwise_planes_dsp.h"
#include "kernels/dsp.h"

/* Instructions of the inner part: pairs, a last single, a line. */
static int32_t effort(int32_t along, int32_t across, int32_t stride) {
  return across * (stride == 1 ? along / 2 * 27 + (along & 1) * 18 + 20 : along * 18 + 20);
}

static int32_t is_better_turned(const mn_depthwise_conv_2d *p, int32_t rows) {
  return effort(rows, p->output_w, p->stride_w) < effort(p->output_w, rows, p->stride_w) &&
         mn_planes_turned_bytes(p, rows, MN_DEPTHWISE_3X3_PLANES) <=
             mn_planes_bytes(p, MN_DEPTHWISE_3X3_PLANES);
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

void mn_depthwise_3x3_s8_dsp(const void *params, const mn_kernel_io *io) {
  const mn_depthwise_conv_2d *p = params;
  mn_planes g;
  mn_depthwise_3x3_strip strip;
  mn_planes_place(&g, p, io, MN_DEPTHWISE_3X3_PLANES, is_better_turned(p, io->rows));
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
