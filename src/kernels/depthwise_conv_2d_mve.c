/* depthwise_conv_2d_mve.c - DEPTHWISE_CONV_2D int8 for Helium, one output per channel: sixteen channels at
 * a time are gathered into a padded strip of rows, of which four at a time are widened and multiplied.
 *
 * Constants weights int8 [C / 4 rounded up][KH * KW][4], the rest as outputs_mve.h says, the input's zero
 *           point folded into the bias
 * Scratch   int8 plane [(R - 1) * SH + (KH - 1) * DH + 1][PW][16], R = mn_depthwise_strip_mve(OH, OW),
 *           PW = (OW - 1) * SW + (KW - 1) * DW + 1, and four positions more
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_conv_2d.h"
#include "kernels/outputs_mve.h"

#if defined(__ARM_FEATURE_MVE)

enum { GROUP = 16 };

typedef struct strip {
  int8_t *plane;
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

/* Four channels of a layer. */
typedef struct four {
  const int8_t *k; /* [KH * KW][4] */
  int32x4_t bias;
  int32x4_t rule[4]; /* multiplier, shift, least and greatest value */
  int32_t zero_point;
  int32_t right;     /* every shift is to the right */
  mve_pred16_t some; /* of the four */
} four;

/* Values of three sums where every shift is to the right; outputs_mve.h in assembly. */
static inline void finish_three(const four *f, int32x4_t *a, int32x4_t *b, int32x4_t *c) {
#define FINISH(sum)                                            \
  "vqrdmulh.s32 " sum ", " sum ", q3\nvshr.s32 q7, " sum       \
  ", #31\n"                                                    \
  "vadd.i32 " sum ", " sum ", q7\nvrshl.s32 " sum ", " sum     \
  ", q4\n"                                                     \
  "vadd.i32 " sum ", " sum ", %[zero]\nvmax.s32 " sum ", " sum \
  ", q5\n"                                                     \
  "vmin.s32 " sum ", " sum ", q6\n"
  __asm__(
      "vldrw.32 q3, [%[rule]]\n"
      "vldrw.32 q4, [%[rule], #16]\n"
      "vldrw.32 q5, [%[rule], #32]\n"
      "vldrw.32 q6, [%[rule], #48]\n" FINISH("%q[a]") FINISH("%q[b]") FINISH("%q[c]")
      : [a] "+w"(*a), [b] "+w"(*b), [c] "+w"(*c)
      : [rule] "r"(f->rule), [zero] "r"(f->zero_point)
      : "q3", "q4", "q5", "q6", "q7", "memory");
}

static inline int32x4_t finish(const four *f, int32x4_t sum) {
  int32x4_t value = mn_requantize_any(sum, f->rule[0], f->rule[1]);
  return vminq_s32(vmaxq_s32(vaddq_n_s32(value, f->zero_point), f->rule[2]), f->rule[3]);
}

/* The sums of a 3x3 at three neighbouring positions, which share weights and values; in assembly because
 * gcc 12 keeps too much for eight registers. Rows of x are `row` apart; k [3][3][4]. */
#define TERM(sum, weight) "vmul.i32 q4, q3, " weight "\nvadd.i32 " sum ", " sum ", q4\n"
#define VALUE(offset) "vldrb.s32 q3, [%[x], #" offset "]\n"
#define ROW(body)              \
  "vldrb.s32 q5, [%[k]], #4\n" \
  "vldrb.s32 q6, [%[k]], #4\n" \
  "vldrb.s32 q7, [%[k]], #4\n" body "add %[x], %[x], %[row]\n"
#define THREE(body)                                                            \
  __asm__(ROW(body) ROW(body) ROW(body)                                        \
          : [k] "+l"(k), [x] "+l"(x), [a] "+w"(*a), [b] "+w"(*b), [c] "+w"(*c) \
          : [row] "r"(row)                                                     \
          : "q3", "q4", "q5", "q6", "q7", "memory")

static inline void three_of_stride_1(int32x4_t *a, int32x4_t *b, int32x4_t *c, const int8_t *x,
                                     const int8_t *k, int32_t row) {
  THREE(VALUE("0") TERM("%q[a]", "q5")                                          /**/
        VALUE("16") TERM("%q[a]", "q6") TERM("%q[b]", "q5")                     /**/
        VALUE("32") TERM("%q[a]", "q7") TERM("%q[b]", "q6") TERM("%q[c]", "q5") /**/
        VALUE("48") TERM("%q[b]", "q7") TERM("%q[c]", "q6")                     /**/
        VALUE("64") TERM("%q[c]", "q7"));
}

static inline void three_of_stride_2(int32x4_t *a, int32x4_t *b, int32x4_t *c, const int8_t *x,
                                     const int8_t *k, int32_t row) {
  THREE(VALUE("0") TERM("%q[a]", "q5") VALUE("16") TERM("%q[a]", "q6") /**/
        VALUE("32") TERM("%q[a]", "q7") TERM("%q[b]", "q5")            /**/
        VALUE("48") TERM("%q[b]", "q6")                                /**/
        VALUE("64") TERM("%q[b]", "q7") TERM("%q[c]", "q5")            /**/
        VALUE("80") TERM("%q[c]", "q6") VALUE("96") TERM("%q[c]", "q7"));
}

/* y [output_w] of one row of a 3x3 that is not dilated, stride 1 or 2. */
static void row_3x3(const mn_depthwise_conv_2d *p, const four *f, int8_t *y, const int8_t *x,
                    int32_t row) {
  int32_t step = p->output_c, stride = p->stride_w;
  for (int32_t left = p->output_w; left > 0; left -= 3, x += 3 * stride * GROUP, y += 3 * step) {
    int32x4_t a = f->bias, b = a, c = a;
    if (stride == 1)
      three_of_stride_1(&a, &b, &c, x, f->k, row);
    else
      three_of_stride_2(&a, &b, &c, x, f->k, row);
    if (f->right)
      finish_three(f, &a, &b, &c);
    else
      a = finish(f, a), b = finish(f, b), c = finish(f, c);
    vstrbq_p_s32(y, a, f->some);
    if (left > 1) vstrbq_p_s32(y + step, b, f->some);
    if (left > 2) vstrbq_p_s32(y + 2 * step, c, f->some);
  }
}

/* Any window. */
static void row_any(const mn_depthwise_conv_2d *p, const four *f, int8_t *y, const int8_t *x,
                    int32_t row) {
  int32_t rows = p->kernel_h, columns = p->kernel_w, down = p->dilation_h * row;
  int32_t along = p->dilation_w * GROUP;
  if (columns == 1) columns = rows, along = down, rows = 1; /* a column runs as a row does */
  for (int32_t w = 0; w < p->output_w; w++, x += p->stride_w * GROUP, y += p->output_c) {
    int32x4_t sum = f->bias;
    const int8_t *k = f->k, *from = x;
    for (int32_t i = 0; i < rows; i++, from += down) {
      const int8_t *at = from;
      for (int32_t j = 0; j < columns; j++, k += 4, at += along)
        sum = vaddq_s32(sum, vmulq_s32(vldrbq_s32(at), vldrbq_s32(k)));
    }
    vstrbq_p_s32(y, finish(f, sum), f->some);
  }
}

/* Channels [c, c + 4) of a strip; y and the plane at channel c. */
static void multiply(const mn_depthwise_conv_2d *p, const mn_kernel_io *io, const strip *s,
                     int8_t *y, const int8_t *x, int32_t c) {
  const int32_t *bias = io->constant[1], *multiplier = io->constant[2];
  const int8_t *shift = io->constant[3];
  const four f = {.k = (const int8_t *)io->constant[0] + c * p->kernel_h * p->kernel_w,
                  .bias = vldrwq_s32(bias + c),
                  .rule = {vldrwq_s32(multiplier + c), vldrbq_s32(shift + c),
                           vdupq_n_s32(p->output_min), vdupq_n_s32(p->output_max)},
                  .zero_point = p->output_zero_point,
                  .right = mn_all_shifts_are_right(shift + c, 4),
                  .some = vctp32q((uint32_t)(p->output_c - c))};
  int square = p->kernel_h == 3 && p->kernel_w == 3 && p->dilation_h == 1 && p->dilation_w == 1 &&
               p->stride_w <= 2;
  for (int32_t h = 0; h < s->rows; h++) {
    if (square)
      row_3x3(p, &f, y, x, s->row);
    else
      row_any(p, &f, y, x, s->row);
    x += p->stride_h * s->row;
    y += p->output_w * p->output_c;
  }
}

/* Sixteen channels at a time, rows downwards, every row gathered before it is written:
 * MN_OVERLAP_PLANE. */
void mn_depthwise_conv_2d_s8_mve(const void *params, const mn_kernel_io *io) {
  const mn_depthwise_conv_2d *p = params;
  int32_t most = mn_depthwise_strip_mve(p->output_h, p->output_w), end = io->first_row + io->rows;
  strip s = {
      .plane = io->scratch,
      .row = ((p->output_w - 1) * p->stride_w + (p->kernel_w - 1) * p->dilation_w + 1) * GROUP,
      .window = (p->kernel_h - 1) * p->dilation_h + 1};
  for (int32_t c = 0; c < p->input_c; c += GROUP) {
    s.some = vctp8q((uint32_t)(p->input_c - c));
    s.from = s.end = io->first_row * p->stride_h - p->pad_top;
    for (s.first = io->first_row; s.first < end; s.first += s.rows) {
      int8_t *y = (int8_t *)io->y + (s.first - io->y_row) * p->output_w * p->output_c;
      s.rows = end - s.first < most ? end - s.first : most;
      gather(p, io, &s, c);
      for (int32_t i = 0; i < GROUP && c + i < p->input_c; i += 4)
        multiply(p, io, &s, y + c + i, s.plane + i, c + i);
    }
  }
}

#endif
