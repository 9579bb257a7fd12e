/* integer.c - units whose forward pass runs in integers: where it can, weights packed for it, and the walk
 * over the batch.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/integer.h"

#include <math.h>
#include <string.h>

enum { MOST_DEPTH = 32768, GROUP = 4 }; /* so that no sum leaves 32 bits */

/* ---- Where -------------------------------------------------------------------------------*/
/* Values that were rounded before they were moved here, and are read as they are. */
static bool is_moved(const mn_trainer *t, const mn_value *v) {
  return v->range == NULL && v->gamma == NULL && v->bias == NULL && t->gates == NULL &&
         v->activation == MN_ACTIVATION_NONE && mn_value_rounds(t, v->grid->maker);
}

bool mn_unit_is_integer(const mn_trainer *t, const mn_unit *u) {
  if (u->integer == NULL || !t->quantized) return false;
  return mn_value_rounds(t, u->input[0]) || is_moved(t, u->input[0]);
}

static bool suits(const mn_trainer *t, const mn_unit *u) {
  const mn_value *x = u->input[0];
  if (t->integer == NULL || t->config.quantize_from < 0) return false;
  if (u->weights == NULL || x->grid == NULL || x->grid->dtype != MN_DTYPE_INT8) return false;
  if (u->weight_type != MN_DTYPE_INT8 && u->weight_type != MN_DTYPE_INT4) return false;
  if (u->family == &mn_depthwise_family) return u->window.multiplier == 1 && !x->input;
  return u->depth <= MOST_DEPTH;
}

static int32_t round_up(int32_t n, int32_t to) {
  return (n + to - 1) / to * to;
}

/* Bytes of one line of a window, and how many lines there are: a kernel row is one stretch of memory
 * unless it is dilated. */
static int32_t line_bytes(const mn_unit *u) {
  if (u->direct) return u->depth;
  return u->window.dilation_w == 1 ? u->window.kernel_w * u->input[0]->stride : u->input[0]->stride;
}

static void lines_place(const mn_unit *u, mn_integer_unit *w, int32_t pixel) {
  const mn_window *win = &u->window;
  const int32_t per_row = u->direct || w->lines == win->kernel_h ? 1 : win->kernel_w;
  for (int32_t l = 0; l < w->lines && !u->direct; l++)
    w->line_at[l] =
        (l / per_row * win->dilation_h * u->plane_w + l % per_row * win->dilation_w) * pixel;
}

mn_status mn_integer_place(mn_trainer *t, mn_unit *u) {
  if (!suits(t, u)) return MN_OK;
  const bool depthwise = u->family == &mn_depthwise_family;
  const int32_t block = GROUP * t->integer->lanes;
  const int32_t n = round_up(u->output->stride, block), taps = u->weights->taps;
  mn_integer_unit *w = mn_arena_alloc(t->arena, sizeof *w);
  if (w == NULL) return MN_ERR_MEMORY;
  w->lines = depthwise ? taps : u->direct ? 1 : u->depth / line_bytes(u);
  w->groups = depthwise ? 1 : round_up(line_bytes(u), GROUP) / GROUP;
  const int64_t bytes = (int64_t)round_up(w->lines, GROUP) * w->groups * GROUP * n;
  w->line_at = mn_arena_array(t->arena, (size_t)round_up(w->lines, GROUP), sizeof *w->line_at);
  w->start = mn_arena_array(t->arena, (size_t)n, sizeof *w->start);
  w->scale = mn_arena_array(t->arena, (size_t)n, sizeof *w->scale);
  void *weights = mn_engine_floats(t, bytes / (int64_t)sizeof(float));
  w->weights = weights;
  if (u->input[0]->range == NULL) {
    w->moved_stride = round_up(u->input[0]->stride, block);
    w->moved = mn_arena_array(t->arena, 4 * (size_t)w->moved_stride, sizeof *w->moved);
    if (w->moved == NULL) return MN_ERR_MEMORY;
  }
  if (w->line_at == NULL || w->start == NULL || w->scale == NULL || w->weights == NULL)
    return MN_ERR_MEMORY;
  lines_place(u, w, depthwise ? block : u->input[0]->stride);
  u->integer = w;
  return MN_OK;
}

/* Column sums, where rows begin, and bytes of rows or of a plane. */
int64_t mn_integer_scratch(const mn_trainer *t, const mn_unit *u) {
  if (u->integer == NULL) return 0;
  const bool depthwise = u->family == &mn_depthwise_family;
  const int64_t pixel = depthwise ? GROUP * t->integer->lanes : u->input[0]->stride;
  const int64_t plane = (int64_t)u->plane_h * u->plane_w * pixel;
  const int64_t bytes = u->direct ? (int64_t)u->block * u->depth : plane;
  return 2 * (int64_t)u->output->stride + u->block + bytes / (int64_t)sizeof(float) + 1;
}

/* ---- Weights ------------------------------------------------------------------------------*/
/* The integer of the fake-quantized weight in row k (of the padded layout) and column o. */
static int8_t whole(const mn_unit *u, int32_t k, int32_t o) {
  const int64_t at = (int64_t)k * u->weights->outer_stride + o;
  return (int8_t)lrintf(u->quantized[at] / u->weight_step[o]);
}

/* [panel][line][group][vector][lane][4] */
static void pack_product(const mn_trainer *t, const mn_unit *u, int32_t *total) {
  const int32_t lanes = t->integer->lanes, length = line_bytes(u);
  const int32_t vectors = u->output->stride / lanes;
  int8_t *to = u->integer->weights;
  for (int32_t v = 0, count; v < vectors; v += count) {
    count = mn_integer_panel(t->integer->panel, vectors, v);
    for (int32_t l = 0; l < u->integer->lines; l++)
      for (int32_t k = 0; k < u->integer->groups * GROUP; k += GROUP)
        for (int32_t i = 0; i < count * lanes * GROUP; i++) {
          const int32_t o = v * lanes + i / GROUP, row = k + i % GROUP;
          const int8_t q = row < length ? whole(u, l * length + row, o) : 0;
          total[o] += q;
          *to++ = q;
        }
  }
}

/* [block of 4 vectors][4 taps][vector][lane][4] */
static void pack_taps(const mn_trainer *t, const mn_unit *u, int32_t *total) {
  const int32_t block = GROUP * t->integer->lanes, n = u->output->stride, taps = u->weights->taps;
  int8_t *to = u->integer->weights;
  for (int32_t first = 0; first < n; first += block)
    for (int32_t k = 0; k < taps; k += GROUP)
      for (int32_t i = 0; i < block * GROUP; i++) {
        const int32_t o = first + i / GROUP, tap = k + i % GROUP;
        const int8_t q = tap < taps && o < n ? whole(u, tap, o) : 0;
        if (o < n) total[o] += q;
        *to++ = q;
      }
}

/* Moved values: the parts of a view that changes nothing. Every unit has its own: units are packed at
 * the same time. */
static void identity(const mn_unit *u) {
  const mn_learned_range *grid = u->input[0]->grid;
  const int32_t n = u->integer->moved_stride;
  float *part = u->integer->moved;
  for (int32_t c = 0; c < n; c++) {
    part[c] = 1, part[n + c] = 0;
    part[2 * n + c] = grid->low, part[3 * n + c] = grid->high;
  }
}

void mn_integer_pack(const mn_trainer *t, mn_unit *u) {
  mn_integer_unit *w = u->integer;
  const mn_learned_range *range = u->input[0]->grid;
  memset(w->start, 0, (size_t)u->output->stride * sizeof *w->start);
  if (u->family == &mn_depthwise_family)
    pack_taps(t, u, w->start);
  else
    pack_product(t, u, w->start);
  for (int32_t o = 0; o < u->output->stride; o++) {
    w->start[o] *= -(range->zero_point + 128);
    w->scale[o] = range->scale * u->weight_step[o];
  }
  if (w->moved != NULL) identity(u);
}

/* ---- Reading -------------------------------------------------------------------------------*/
static mn_view view_of(const mn_unit *u, int32_t channel) {
  const mn_integer_unit *w = u->integer;
  const float scale = u->input[0]->grid->scale;
  const int32_t n = w->moved_stride;
  mn_view view = u->input[0]->view;
  if (view.scale == NULL)
    view = (mn_view){.scale = w->moved,
                     .shift = w->moved + n,
                     .low = w->moved + 2 * n,
                     .high = w->moved + 3 * n,
                     .step = scale,
                     .inverse = 1.0f / scale};
  view.scale += channel, view.shift += channel, view.low += channel, view.high += channel;
  return view;
}

/* The graph input is not padded, and its view is the same for every channel. */
static void read_input(uint8_t *to, const float *z, const mn_unit *u, const mn_walk *w) {
  const mn_value *v = u->input[0];
  const mn_view view = view_of(u, 0);
  for (int32_t line = 0; line < w->lines; line++)
    for (int64_t r = 0; r < w->rows; r++)
      for (int32_t c = 0; c < w->channels; c++) {
        const float x = z[line * w->from_line + r * w->from_row + c];
        const float q = rintf(fminf(fmaxf(x, view.low[0]), view.high[0]) * view.inverse);
        to[line * w->to_line + r * w->to_row + c] =
            (uint8_t)((int32_t)q + v->grid->zero_point + 128);
      }
}

static void read_bytes(const mn_trainer *t, uint8_t *to, const float *z, const mn_unit *u,
                       const mn_walk *w) {
  const mn_value *v = u->input[0];
  const mn_view view = view_of(u, 0);
  if (v->input)
    read_input(to, z, u, w);
  else
    t->integer->read(to, z, &view, v->grid->zero_point, w, false);
}

static uint8_t border(const mn_value *v) {
  return (uint8_t)(v->grid->zero_point + 128);
}

/* ---- Convolution and fully connected ------------------------------------------------------------*/
static void block_product(mn_trainer *t, mn_unit *u, int32_t shard, const uint8_t *x,
                          const int32_t *row_at, int64_t first, int32_t rows, float *sum) {
  mn_value *y = u->output;
  const mn_integer_unit *w = u->integer;
  const bool statistics = y->gamma != NULL && t->training;
  const mn_integer_product p = {.x = x,
                                .row_at = row_at,
                                .line_at = w->line_at,
                                .rows = rows,
                                .lines = w->lines,
                                .groups = w->groups,
                                .n = y->stride,
                                .weights = w->weights,
                                .start = w->start,
                                .scale = w->scale,
                                .z = mn_value_row(y, first),
                                .z_row = y->stride,
                                .sum = statistics ? sum : NULL,
                                .square = sum + y->stride};
  t->integer->product(&p);
  if (statistics) mn_value_flush(y, shard, sum);
}

static void direct(mn_trainer *t, mn_unit *u, int32_t shard, float *sum, int32_t *row_at,
                   uint8_t *bytes) {
  const mn_value *x = u->input[0];
  const int64_t end = (int64_t)mn_shard_first(t, shard + 1) * u->rows_per_item;
  for (int32_t i = 0; i < u->block; i++) row_at[i] = i * u->depth;
  for (int64_t r = (int64_t)mn_shard_first(t, shard) * u->rows_per_item; r < end; r += u->block) {
    const int32_t rows = end - r < u->block ? (int32_t)(end - r) : u->block;
    const mn_walk walk = {.rows = (int64_t)rows * u->input_rows,
                          .lines = 1,
                          .channels = x->stride,
                          .from_row = x->stride,
                          .to_row = x->stride};
    read_bytes(t, bytes, mn_value_row(x, r * u->input_rows), u, &walk);
    block_product(t, u, shard, bytes, row_at, r, rows, sum);
  }
}

/* Where the windows of rows [first, first + rows) of an item begin. */
static void windows_at(const mn_unit *u, int32_t *row_at, int32_t first, int32_t rows) {
  const int32_t pixel = u->input[0]->stride, width = u->output->width;
  for (int32_t r = 0; r < rows; r++) {
    const int32_t y = (first + r) / width, x = (first + r) % width;
    row_at[r] = (y * u->window.stride_h * u->plane_w + x * u->window.stride_w) * pixel;
  }
}

static void patches(mn_trainer *t, mn_unit *u, int32_t shard, float *sum, int32_t *row_at,
                    uint8_t *plane) {
  const mn_value *x = u->input[0];
  const ptrdiff_t pixel = x->stride, line = pixel * u->plane_w;
  const mn_walk walk = {.rows = x->width,
                        .lines = x->height,
                        .channels = x->stride,
                        .from_row = pixel,
                        .from_line = pixel * x->width,
                        .to_row = pixel,
                        .to_line = line};
  memset(plane, border(x), (size_t)(line * u->plane_h));
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    read_bytes(t, plane + u->pad_top * line + u->pad_left * pixel,
               mn_value_row(x, (int64_t)item * x->pixels), u, &walk);
    for (int32_t r = 0; r < u->rows_per_item; r += u->block) {
      const int32_t left = u->rows_per_item - r, rows = left < u->block ? left : u->block;
      windows_at(u, row_at, r, rows);
      block_product(t, u, shard, plane, row_at, (int64_t)item * u->rows_per_item + r, rows, sum);
    }
  }
}

void mn_integer_conv(mn_trainer *t, mn_unit *u, int32_t shard, float *scratch) {
  const int32_t n = u->output->stride;
  union {
    float *real;
    int32_t *whole;
    uint8_t *bytes;
  } row_at = {scratch + 2 * n}, rest = {scratch + 2 * n + u->block};
  memset(scratch, 0, 2 * (size_t)n * sizeof *scratch);
  (u->direct ? direct : patches)(t, u, shard, scratch, row_at.whole, rest.bytes);
}

/* ---- Depthwise ------------------------------------------------------------------------------*/
static void depthwise_block(mn_trainer *t, mn_unit *u, const uint8_t *plane, int32_t item,
                            int32_t channel, float *sum) {
  mn_value *y = u->output;
  const mn_integer_unit *w = u->integer;
  const int32_t block = GROUP * t->integer->lanes, taps = round_up(w->lines, GROUP);
  const int32_t left = (y->stride - channel) / t->integer->lanes;
  float *z = mn_value_row(y, (int64_t)item * y->pixels);
  mn_integer_depthwise d = {.tap_at = w->line_at,
                            .taps = taps,
                            .width = y->width,
                            .step = u->window.stride_w * block,
                            .weights = w->weights + (ptrdiff_t)channel * taps,
                            .start = w->start + channel,
                            .scale = w->scale + channel,
                            .vectors = left < GROUP ? left : GROUP,
                            .z_row = y->stride};
  if (y->gamma != NULL && t->training) d.sum = sum + channel, d.square = sum + y->stride + channel;
  for (int32_t row = 0; row < y->height; row++) {
    d.x = plane + (ptrdiff_t)row * u->window.stride_h * u->plane_w * block;
    d.z = z + (ptrdiff_t)row * y->width * y->stride + channel;
    t->integer->depthwise(&d);
  }
}

void mn_integer_depthwise_unit(mn_trainer *t, mn_unit *u, int32_t shard, float *scratch) {
  const mn_value *x = u->input[0];
  mn_value *y = u->output;
  const int32_t block = GROUP * t->integer->lanes;
  const ptrdiff_t line = (ptrdiff_t)u->plane_w * block;
  union {
    float *real;
    uint8_t *bytes;
  } plane = {scratch + 2 * y->stride};
  memset(scratch, 0, 2 * (size_t)y->stride * sizeof *scratch);
  memset(plane.bytes, border(x), (size_t)(line * u->plane_h));
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    const float *z = mn_value_row(x, (int64_t)item * x->pixels);
    for (int32_t c = 0; c < y->stride; c += block) {
      const mn_view view = view_of(u, c);
      const mn_walk walk = {.rows = x->width,
                            .lines = x->height,
                            .channels = y->stride - c < block ? y->stride - c : block,
                            .from_row = x->stride,
                            .from_line = (ptrdiff_t)x->width * x->stride,
                            .to_row = block,
                            .to_line = line};
      t->integer->read(plane.bytes + u->pad_top * line + (ptrdiff_t)u->pad_left * block, z + c,
                       &view, x->grid->zero_point, &walk, true);
      depthwise_block(t, u, plane.bytes, item, c, scratch);
    }
    if (y->gamma != NULL && t->training) mn_value_flush(y, shard, scratch);
  }
}
