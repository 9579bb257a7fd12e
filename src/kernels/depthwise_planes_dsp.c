/* depthwise_planes_dsp.c - see depthwise_planes_dsp.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_planes_dsp.h"

#include "kernels/dsp.h"

static void set_inside(mn_planes_axis *a, int32_t inputs) {
  a->first = a->start < 0 ? -a->start : 0;
  a->end = mn_planes_lines(a->outputs, a->stride, a->window);
  if (a->end > inputs - a->start) a->end = inputs - a->start;
}

static void fill(int16_t *to, int32_t count, int32_t value) {
  for (int32_t i = 0; i < count; i++) to[i] = (int16_t)value;
}

void mn_planes_place(mn_planes *g, const mn_depthwise_conv_2d *p, const mn_kernel_io *io,
                     int32_t count, int32_t turned, int32_t strip) {
  mn_planes_axis *w = turned ? &g->across : &g->along, *h = turned ? &g->along : &g->across;
  w->outputs = p->output_w;
  w->stride = p->stride_w;
  w->window = mn_planes_window(p->kernel_w, p->dilation_w);
  w->start = -p->pad_left;
  w->x_step = p->input_c;
  w->y_step = p->output_c;
  set_inside(w, p->input_w);
  h->outputs = io->rows;
  h->stride = p->stride_h;
  h->window = mn_planes_window(p->kernel_h, p->dilation_h);
  h->start = io->first_row * p->stride_h - p->pad_top;
  h->x_step = p->input_w * p->input_c;
  h->y_step = p->output_w * p->output_c;
  set_inside(h, p->input_h);
  g->x = io->x[0];
  g->x_start = (h->start - io->x_row[0]) * h->x_step + w->start * w->x_step;
  g->y = (int8_t *)io->y + (io->first_row - io->y_row) * h->y_step;
  g->data = io->scratch;
  g->count = count;
  g->zero = p->input_zero_point;
  g->turned = turned;
  g->strip = strip;
  g->pitch = mn_planes_pitch(g->along.outputs, g->along.stride, g->along.window);
  g->plane = g->pitch * mn_planes_lines(g->strip, g->across.stride, g->across.window);
  fill(g->data, count * g->plane, g->zero);
}

/* ---- Lines ---------------------------------------------------------------------------------*/
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

/* The last lines of a strip are the first of the next. */
static void keep(const mn_planes *g, int32_t count) {
  int32_t from = g->strip * g->across.stride * g->pitch;
  for (int32_t k = 0; k < g->count; k++) {
    int16_t *plane = g->data + k * g->plane;
    for (int32_t i = 0; i < count * g->pitch; i += 2)
      mn_store4(plane + i, mn_load4(plane + from + i));
  }
}

void mn_planes_gather(const mn_planes *g, int32_t c, int32_t channels, int32_t done,
                      int32_t count) {
  const mn_planes_axis *along = &g->along, *across = &g->across;
  int32_t kept = done > 0 && across->window > across->stride ? across->window - across->stride : 0;
  int32_t top = done * across->stride;
  int32_t end = mn_planes_lines(count, across->stride, across->window);
  int32_t first = across->first - top, last = across->end - top,
          columns = along->end - along->first;
  lines from = {.plane = g->plane, .pitch = g->pitch, .step = along->x_step};
  keep(g, kept);
  if (first < kept) first = kept;
  if (first > end) first = end;
  if (last > end) last = end;
  if (last < first) last = first;
  if (columns < 0) columns = 0;
  from.count = last - first;
  from.lead = along->first & 1 && columns > 0;
  from.pairs = (columns - from.lead) / 2;
  from.tail = (columns - from.lead) & 1;
  from.x_skip = across->x_step - columns * along->x_step;
  from.to = g->data + first * g->pitch + along->first;
  from.x = g->x + (g->x_start + (top + first) * across->x_step + along->first * along->x_step + c);
  for (int32_t k = 0; k < channels; k++) {
    int16_t *plane = g->data + k * g->plane;
    fill(plane + kept * g->pitch, (first - kept) * g->pitch, g->zero);
    fill(plane + last * g->pitch, (end - last) * g->pitch, g->zero);
  }
  if (channels == 2)
    gather_two(&from);
  else
    gather_one(&from);
}
