/* depthwise_3x3_dsp.c - gathers the planes of two channels, strip by strip, and hands each to the inner
 * part. A strip keeps the rows it shares with the next one, so that outputs may overwrite their input.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_3x3.h"
#include "kernels/dsp.h"

#define PLANES 2

/* One axis: of the input, of the outputs asked for, and of their plane. */
typedef struct axis {
  int32_t outputs;
  int32_t start;          /* input index at plane index 0; below 0 in the padding */
  int32_t first, end;     /* plane indices that lie inside the input */
  int32_t x_step, y_step; /* bytes from one index to the next */
} axis;

typedef struct planes {
  axis along, across;
  const int8_t *x;
  int32_t x_start; /* from x to channel 0 at plane index (0, 0), which may lie outside */
  int8_t *y;       /* channel 0 of the first output */
  int16_t *data;   /* [PLANES, lines, pitch] */
  int32_t pitch, plane;
  int32_t stride, zero, strip; /* lines of outputs in a strip */
  int32_t turned;              /* lines lie along the height */
} planes;

static axis axis_of(int32_t inputs, int32_t first, int32_t outputs, int32_t stride, int32_t pad) {
  axis a = {.outputs = outputs, .start = first * stride - pad};
  a.first = a.start < 0 ? -a.start : 0;
  a.end = mn_depthwise_3x3_lines(outputs, stride);
  if (a.end > inputs - a.start) a.end = inputs - a.start;
  return a;
}

/* Instructions of the inner part: pairs, a last single, a line. */
static int32_t effort(int32_t along, int32_t across, int32_t stride) {
  return across * (stride == 1 ? along / 2 * 27 + (along & 1) * 18 + 20 : along * 18 + 20);
}

static void place(planes *g, const mn_depthwise_conv_2d *p, const mn_kernel_io *io) {
  axis w = axis_of(p->input_w, 0, p->output_w, p->stride_w, p->pad_left);
  axis h = axis_of(p->input_h, io->first_row, io->rows, p->stride_h, p->pad_top);
  w.x_step = p->input_c;
  w.y_step = p->output_c;
  h.x_step = p->input_w * p->input_c;
  h.y_step = p->output_w * p->output_c;
  g->x = io->x[0];
  g->x_start = (h.start - io->x_row[0]) * h.x_step + w.start * w.x_step;
  g->y = (int8_t *)io->y + (io->first_row - io->y_row) * h.y_step;
  g->stride = p->stride_w;
  g->zero = p->input_zero_point;
  g->turned =
      effort(h.outputs, w.outputs, g->stride) < effort(w.outputs, h.outputs, g->stride) &&
      mn_depthwise_3x3_bytes(h.outputs, w.outputs, g->stride) <= mn_depthwise_3x3_scratch_bytes(p);
  g->along = g->turned ? h : w;
  g->across = g->turned ? w : h;
  g->strip = g->turned ? w.outputs : mn_depthwise_3x3_strip_rows(p);
  g->data = io->scratch;
  g->pitch = mn_depthwise_3x3_pitch(g->along.outputs, g->stride);
  g->plane = g->pitch * mn_depthwise_3x3_lines(g->strip, g->stride);
}

static void fill(int16_t *to, int32_t count, int32_t value) {
  for (int32_t i = 0; i < count; i++) to[i] = (int16_t)value;
}

/* ---- Gathering: lines of plane indices [first, end) ------------------------------------------*/
typedef struct lines {
  int16_t *to;
  const int8_t *x;
  int32_t plane, pitch; /* halfwords */
  int32_t lead, pairs, tail;
  int32_t step, x_skip, count; /* x_skip: from behind a line to the next one's first */
} lines;

MN_OUT_OF_LINE static void gather_one(const lines *from) {
  lines g = *from;
  int32_t columns = g.lead + 2 * g.pairs + g.tail;
  for (; g.count > 0; g.count--, g.to += g.pitch - columns, g.x += g.x_skip)
    for (int32_t i = 0; i < columns; i++, g.x += g.step) *g.to++ = *g.x;
}

/* Of two neighbouring channels; columns in pairs, each stored as a word. */
MN_OUT_OF_LINE static void gather_two(const lines *g) {
  const int8_t *x = g->x;
  const int32_t step = g->step, plane = g->plane;
  int16_t *to = g->to;
  for (int32_t count = g->count; count > 0; count--) {
    int16_t *at = to;
    if (g->lead) {
      at[0] = x[0];
      at[plane] = x[1];
      at++;
      x += step;
    }
    for (int32_t n = g->pairs; n > 0; n--, x += 2 * step, at += 2) {
      uint32_t both = mn_load2(x) | mn_load2(x + step) << 16;
      mn_store4(at + plane, (uint32_t)mn_sxtb16_odd(both));
      mn_store4(at, (uint32_t)mn_sxtb16(both));
    }
    if (g->tail) {
      at[0] = x[0];
      at[plane] = x[1];
      x += step;
    }
    to += g->pitch;
    x += g->x_skip;
  }
}

/* Plane lines [kept, end) of channels c.., of which line 0 has index `top` across. */
static void gather(const planes *g, int32_t c, int32_t count, int32_t top, int32_t kept,
                   int32_t end) {
  int32_t columns = g->along.end - g->along.first;
  int32_t first = g->across.first - top, last = g->across.end - top;
  lines from = {.plane = g->plane, .pitch = g->pitch, .step = g->along.x_step};
  if (first < kept) first = kept;
  if (last > end) last = end;
  from.count = last - first;
  from.lead = g->along.first & 1;
  from.pairs = (columns - from.lead) / 2;
  from.tail = (columns - from.lead) & 1;
  from.x_skip = g->across.x_step - columns * g->along.x_step;
  from.to = g->data + first * g->pitch + g->along.first;
  from.x =
      g->x + (g->x_start + (top + first) * g->across.x_step + g->along.first * g->along.x_step + c);
  for (int32_t k = 0; k < count; k++) {
    int16_t *plane = g->data + k * g->plane;
    fill(plane + kept * g->pitch, (first - kept) * g->pitch, g->zero);
    fill(plane + last * g->pitch, (end - last) * g->pitch, g->zero);
  }
  if (count == PLANES)
    gather_two(&from);
  else
    gather_one(&from);
}

/* The last lines of a strip are the first of the next. */
static void keep(const planes *g, int32_t from, int32_t count) {
  for (int32_t k = 0; k < PLANES; k++) {
    int16_t *plane = g->data + k * g->plane;
    for (int32_t i = 0; i < count * g->pitch; i++) plane[i] = plane[from * g->pitch + i];
  }
}

/* ---- Running ---------------------------------------------------------------------------------*/
static void set_geometry(mn_depthwise_3x3_strip *strip, const planes *g) {
  int32_t outputs = g->along.outputs, pairs = g->stride == 1 ? outputs / 2 : 0;
  int32_t singles = outputs - 2 * pairs;
  strip->pitch = 2 * g->pitch;
  strip->x_skip = 2 * g->pitch * g->stride - 4 * (pairs + singles);
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
static void run(const planes *g, mn_depthwise_3x3_strip *strip, const mn_kernel_io *io, int32_t c,
                int32_t plane, int32_t first, int32_t count) {
  int32_t turned[MN_DEPTHWISE_3X3_WEIGHTS];
  const int32_t *weights = (const int32_t *)io->constant[0] + c * MN_DEPTHWISE_3X3_WEIGHTS;
  if (g->turned) turn(turned, weights);
  strip->x = g->data + plane * g->plane;
  strip->end = strip->x + count * g->stride * g->pitch;
  strip->y = g->y + first * g->across.y_step + c;
  strip->weights = g->turned ? turned : weights;
  strip->folded = (const int32_t *)io->constant[1] + c * MN_DEPTHWISE_3X3_FOLDED;
  mn_depthwise_3x3_run(strip);
}

void mn_depthwise_3x3_s8_dsp(const void *params, const mn_kernel_io *io) {
  const mn_depthwise_conv_2d *p = params;
  planes g;
  mn_depthwise_3x3_strip strip;
  place(&g, p, io);
  set_geometry(&strip, &g);
  fill(g.data, PLANES * g.plane, g.zero);
  for (int32_t c = 0; c < p->output_c; c += PLANES) {
    int32_t channels = p->output_c - c < PLANES ? 1 : PLANES;
    for (int32_t done = 0; done < g.across.outputs; done += g.strip) {
      int32_t left = g.across.outputs - done, count = left < g.strip ? left : g.strip;
      int32_t kept = done > 0 ? 3 - g.stride : 0;
      keep(&g, g.strip * g.stride, kept);
      gather(&g, c, channels, done * g.stride, kept, mn_depthwise_3x3_lines(count, g.stride));
      for (int32_t k = 0; k < channels; k++) run(&g, &strip, io, c + k, k, done, count);
    }
  }
}
