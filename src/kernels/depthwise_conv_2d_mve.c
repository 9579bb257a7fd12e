/* depthwise_conv_2d_mve.c - DEPTHWISE_CONV_2D int8 for Helium, one output per channel, any window: sixteen
 * channels at a time are gathered into a padded strip of rows; of one channel, gather loads take eight taps
 * of a window, VMLADAV multiplies and adds them. Four outputs are made together, along the longer side.
 *
 * Constants weights int8 [C / 4 rounded up][KH * KW][4], the rest as outputs_mve.h says, the input's zero
 *           point folded into the bias
 * Scratch   uint16 offset [T], int16 weight [T], T = KH * KW rounded up to 8, then int8 plane
 *           [(R - 1) * SH + (KH - 1) * DH + 1][PW][16], R = mn_depthwise_strip_mve(OH, OW),
 *           PW = (OW - 1) * SW + (KW - 1) * DW + 1
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_conv_2d.h"
#include "kernels/outputs_mve.h"

#if defined(__ARM_FEATURE_MVE)

enum { GROUP = 16, TAPS = 8 };

typedef struct strip {
  int8_t *plane;
  uint16_t *offset;    /* of the taps of a window, from its first one; those of no tap are 0 */
  int16_t *weight;     /* of one channel */
  int32_t row;         /* bytes of a plane row */
  int32_t window;      /* rows that a window spans */
  int32_t first, rows; /* output rows */
  int32_t from, end;   /* input rows that the plane holds */
  mve_pred16_t some;   /* the channels of this group */
} strip;

/* One padded row; x at the row's first value of the group, NULL above and below. */
static void gather_row(const mn_depthwise_conv_2d *p, const strip *s, int8_t *to, const int8_t *x) {
  const int8_t *end = to + s->row;
  const int8_t *left = to + p->pad_left * GROUP, *right = left + p->input_w * GROUP;
  int8x16_t outside = vdupq_n_s8((int8_t)p->input_zero_point);
  if (x != NULL) {
    for (; to != left; to += GROUP) vstrbq_s8(to, outside);
    for (right = right < end ? right : end; to != right; to += GROUP, x += p->input_c)
      vstrbq_s8(to, vldrbq_z_s8(x, s->some));
  }
  for (; to != end; to += GROUP) vstrbq_s8(to, outside);
}

/* The plane moves down to the input rows of the strip; rows that it holds are kept. */
static void gather(const mn_depthwise_conv_2d *p, const mn_kernel_io *io, strip *s, int32_t c) {
  int32_t from = s->first * p->stride_h - p->pad_top;
  int32_t end = from + (s->rows - 1) * p->stride_h + s->window, row = from;
  int8_t *to = s->plane;
  if (from < s->end) {
    const int8_t *kept = s->plane + (from - s->from) * s->row;
    const int8_t *stop = to + (s->end - from) * s->row;
    for (; to != stop; to += GROUP, kept += GROUP) vstrbq_s8(to, vldrbq_s8(kept));
    row = s->end;
  }
  for (; row < end; row++, to += s->row) {
    const int8_t *x = NULL;
    if (row >= 0 && row < p->input_h)
      x = (const int8_t *)io->x[0] + (row - io->x_row[0]) * p->input_w * p->input_c + c;
    gather_row(p, s, to, x);
  }
  s->from = from;
  s->end = end;
}

/* The taps of a window in order, then zeros; offsets of the input are below 2^16. */
static void place_taps(const mn_depthwise_conv_2d *p, const strip *s) {
  uint16_t *to = s->offset;
  for (int32_t i = 0; i < p->kernel_h; i++)
    for (int32_t j = 0; j < p->kernel_w; j++)
      *to++ = (uint16_t)(i * p->dilation_h * s->row + j * p->dilation_w * GROUP);
  while ((to - s->offset) % TAPS != 0) *to++ = 0;
}

/* Weights of a channel, k [taps][4]. */
static void place_weights(const strip *s, const int8_t *k, int32_t taps) {
  uint16x8_t fourth = vidupq_n_u16(0, 4);
  for (int16_t *to = s->weight; taps > 0; taps -= TAPS, to += TAPS, k += 4 * TAPS)
    vstrhq_s16(to, vldrbq_gather_offset_z_s16(k, fourth, vctp16q((uint32_t)taps)));
}

/* Four outputs in a line: where they and their inputs lie, from the first one. The last of a short line
 * stands for those behind it. */
typedef struct line {
  int32_t x[4];
  uint32x4_t y;
  int32_t count;          /* outputs of a line */
  int32_t x_step, y_step; /* from one output to the next */
  int32_t lines;          /* of a strip */
  int32_t x_down, y_down; /* from one line to the next */
} line;

static line line_of(const mn_depthwise_conv_2d *p, const strip *s) {
  line l = {.count = p->output_w, .lines = s->rows};
  uint32_t y[4];
  l.x_step = p->stride_w * GROUP, l.x_down = p->stride_h * s->row;
  l.y_step = p->output_c, l.y_down = p->output_w * p->output_c;
  if (p->output_w < 4 && s->rows > p->output_w) { /* lines run downwards */
    const line turned = {.count = l.lines,
                         .lines = l.count,
                         .x_step = l.x_down,
                         .x_down = l.x_step,
                         .y_step = l.y_down,
                         .y_down = l.y_step};
    l = turned;
  }
  for (int32_t i = 0; i < 4; i++) {
    int32_t at = i < l.count ? i : l.count - 1;
    l.x[i] = at * l.x_step, y[i] = (uint32_t)(at * l.y_step);
  }
  l.y = vldrwq_u32(y);
  return l;
}

/* Channels of a strip. */
typedef struct channels {
  const int8_t *k; /* [C / 4 rounded up][taps][4] */
  const int32_t *bias, *multiplier;
  const int8_t *shift;
  int32_t c, end, taps;
} channels;

static inline const mn_rule_mve *rule_of(mn_rule_mve *r, const channels *l, int32_t c) {
  mn_rule_mve_channel(r, l->bias[c], l->multiplier[c], l->shift[c]);
  return r;
}

/* ---- Windows of at most sixteen taps --------------------------------------------------------------*/
/* `count` times four outputs: one gather load for each of them, all taps at once. */
static inline void run_short(const line *l, const mn_rule_mve *r, int8_t *y, const int8_t *x,
                             int32_t count, uint8x16_t w, uint8x16_t v0, uint8x16_t v1,
                             uint8x16_t v2, uint8x16_t v3, uint32x4_t to) {
  int32_t a, b, c, d;
  __asm__ volatile(
      "dls lr, %[count]\n"
      "1:\n"
      "vldrb.u8 q0, [%[x], %q[v0]]\n"
      "vmladav.s8 %[a], q0, %q[w]\n"
      "vldrb.u8 q0, [%[x], %q[v1]]\n"
      "vmladav.s8 %[b], q0, %q[w]\n"
      "vldrb.u8 q0, [%[x], %q[v2]]\n"
      "vmladav.s8 %[c], q0, %q[w]\n"
      "vldrb.u8 q0, [%[x], %q[v3]]\n"
      "vmladav.s8 %[d], q0, %q[w]\n"
      "vmov q1[2], q1[0], %[a], %[c]\n"
      "vmov q1[3], q1[1], %[b], %[d]\n" MN_FINISH_MVE
      "vstrb.32 q1, [%[y], %q[to]]\n"
      "add %[x], %[x], %[x_step]\n"
      "add %[y], %[y], %[y_step]\n"
      "le lr, 1b\n"
      : [x] "+r"(x), [y] "+r"(y), [a] "=&Te"(a), [b] "=&Te"(b), [c] "=&Te"(c), [d] "=&Te"(d)
      : [count] "r"(count), [rule] "r"(r), [x_step] "r"(4 * l->x_step), [y_step] "r"(4 * l->y_step),
        [w] "w"(w), [v0] "w"(v0), [v1] "w"(v1), [v2] "w"(v2), [v3] "w"(v3), [to] "w"(to)
      : "lr", "q0", "q1", "memory");
}

/* All channels of one line; y and x at the first of them. */
static __attribute__((noinline)) void multiply_short_line(const line *l, const channels *n,
                                                          mn_rule_mve *r, int8_t *y,
                                                          const int8_t *x, uint8x16_t v0) {
  uint8x16_t tap = vidupq_n_u8(0, 4);
  uint8x16_t v1 = vaddq_n_u8(v0, (uint8_t)l->x[1]), v2 = vaddq_n_u8(v0, (uint8_t)l->x[2]);
  uint8x16_t v3 = vaddq_n_u8(v0, (uint8_t)l->x[3]);
  uint32x4_t to = l->y;
  int32_t full = l->count < 4 ? 1 : l->count / 4, back = l->count - 4;
  int32_t rest = back > 0 && l->count % 4 != 0;
  for (int32_t c = n->c; c < n->end; c++, x++, y++) {
    const int8_t *k = n->k + (c & ~3) * n->taps + (c & 3);
    uint8x16_t w = vldrbq_gather_offset_z_u8((const uint8_t *)k, tap, vctp8q((uint32_t)n->taps));
    rule_of(r, n, c);
    run_short(l, r, y, x, full, w, v0, v1, v2, v3, to);
    if (rest) /* the last ones, moved back into the line */
      run_short(l, r, y + back * l->y_step, x + back * l->x_step, 1, w, v0, v1, v2, v3, to);
  }
}

static void multiply_short(const strip *s, const line *l, const channels *n, mn_rule_mve *r,
                           int8_t *y) {
  uint8_t offset[16] = {0};
  for (int32_t i = 0; i < n->taps; i++) offset[i] = (uint8_t)s->offset[i];
  for (int32_t i = 0; i < l->lines; i++)
    multiply_short_line(l, n, r, y + n->c + i * l->y_down, s->plane + i * l->x_down,
                        vldrbq_u8(offset));
}

/* ---- Any window ---------------------------------------------------------------------------------*/
/* The sums of four outputs, the first of whose windows begins at x. */
static inline int32x4_t dot_four(const strip *s, const line *l, const int8_t *x, int32_t taps) {
  const uint16_t *offset = s->offset;
  const int16_t *weight = s->weight;
  const int8_t *x0 = x + l->x[0], *x1 = x + l->x[1], *x2 = x + l->x[2], *x3 = x + l->x[3];
  int32_t a = 0, b = 0, c = 0, d = 0;
  for (; taps > 0; taps -= TAPS, offset += TAPS, weight += TAPS) {
    uint16x8_t at = vldrhq_u16(offset);
    int16x8_t k = vldrhq_s16(weight);
    a = vmladavaq_s16(a, vldrbq_gather_offset_s16(x0, at), k);
    b = vmladavaq_s16(b, vldrbq_gather_offset_s16(x1, at), k);
    c = vmladavaq_s16(c, vldrbq_gather_offset_s16(x2, at), k);
    d = vmladavaq_s16(d, vldrbq_gather_offset_s16(x3, at), k);
  }
  return (int32x4_t){a, b, c, d};
}

/* A channel of a strip; y and x at its first output and input. */
static void multiply_channel(const strip *s, const line *l, const mn_rule_mve *r, int8_t *y,
                             const int8_t *x, int32_t taps) {
  int32_t last = l->count > 4 ? l->count - 4 : 0;
  int32x4_t multiplier = vdupq_n_s32(r->multiplier), shift = vdupq_n_s32(r->left + r->right);
  for (int32_t i = 0; i < l->lines; i++, x += l->x_down, y += l->y_down)
    for (int32_t at = 0; at < l->count; at += 4) {
      int32_t from = at < last ? at : last;
      int32x4_t sum = vaddq_n_s32(dot_four(s, l, x + from * l->x_step, taps), r->bias);
      int32x4_t value = vaddq_n_s32(mn_requantize_any(sum, multiplier, shift), r->zero_point);
      value = vminq_s32(vmaxq_s32(value, vldrwq_s32(r->min)), vldrwq_s32(r->max));
      vstrbq_scatter_offset_s32(y + from * l->y_step, l->y, value);
    }
}

static void multiply_any(const strip *s, const line *l, const channels *n, mn_rule_mve *r,
                         int8_t *y) {
  for (int32_t c = n->c; c < n->end; c++) {
    place_weights(s, n->k + (c & ~3) * n->taps + (c & 3), n->taps);
    multiply_channel(s, l, rule_of(r, n, c), y + c, s->plane + (c - n->c), n->taps);
  }
}

static int is_short(const strip *s, const line *l, int32_t taps) {
  return taps <= 16 && s->offset[taps - 1] + l->x[3] <= UINT8_MAX;
}

/* Sixteen channels at a time, rows downwards, every row gathered before it is written:
 * MN_OVERLAP_PLANE. */
void mn_depthwise_conv_2d_s8_mve(const void *params, const mn_kernel_io *io) {
  const mn_depthwise_conv_2d *p = params;
  int32_t most = mn_depthwise_strip_mve(p->output_h, p->output_w), end = io->first_row + io->rows;
  int32_t taps = (p->kernel_h * p->kernel_w + TAPS - 1) & ~(TAPS - 1);
  strip s = {
      .offset = io->scratch,
      .row = ((p->output_w - 1) * p->stride_w + (p->kernel_w - 1) * p->dilation_w + 1) * GROUP,
      .window = (p->kernel_h - 1) * p->dilation_h + 1};
  s.weight = (int16_t *)(void *)(s.offset + taps);
  s.plane = (int8_t *)(s.weight + taps);
  place_taps(p, &s);
  mn_rule_mve rule = mn_rule_mve_begin(p->output_zero_point, p->output_min, p->output_max);
  channels n = {.k = io->constant[0],
                .bias = io->constant[1],
                .multiplier = io->constant[2],
                .shift = io->constant[3],
                .taps = p->kernel_h * p->kernel_w};
  for (; n.c < p->input_c; n.c = n.end) {
    n.end = p->input_c - n.c < GROUP ? p->input_c : n.c + GROUP;
    s.some = vctp8q((uint32_t)(p->input_c - n.c));
    s.from = s.end = io->first_row * p->stride_h - p->pad_top;
    for (s.first = io->first_row; s.first < end; s.first += s.rows) {
      s.rows = end - s.first < most ? end - s.first : most;
      gather(p, io, &s, n.c);
      const line l = line_of(p, &s);
      int8_t *y = (int8_t *)io->y + (s.first - io->y_row) * p->output_w * p->output_c;
      (is_short(&s, &l, n.taps) ? multiply_short : multiply_any)(&s, &l, &n, &rule, y);
    }
  }
}

#endif
