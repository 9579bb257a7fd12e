/* depthwise_3x3_mve.c - DEPTHWISE_CONV_2D int8 3x3 for Helium, one output per channel, stride 1 or 2.
 *
 * Rows are gathered two by two, eight channels at a time, so that one gather load takes four columns of
 * four rows of one channel: all that 2x2 outputs of stride 1 need, each of them one VMLADAV with the
 * weights moved by a row, a column or both. Outputs of one row (stride 2, a last odd row) take one load
 * each.
 *
 * Constants as depthwise_conv_2d_mve.c
 * Scratch   int8 outside [16], spot [mn_depthwise_3x3_spots_mve()], then int8 pairs
 *           [P + 1][PW][8 channels][2 rows], P = mn_depthwise_3x3_pairs_mve(), PW = (OW - 1) * SW + 3,
 *           and one column more
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_3x3_mve.h"
#include "kernels/outputs_mve.h"

#if defined(__ARM_FEATURE_MVE)

enum { GROUP = 8, COLUMN = 2 * GROUP };

/* Where four outputs begin: their inputs of channel 0 of the group, and themselves. */
typedef struct spot {
  const int8_t *x;
  int8_t *y;
} spot;

typedef struct strip {
  int8_t *outside; /* values of a row that is not there */
  spot *spots;
  int8_t *pairs;
  int32_t columns, pair; /* of a pair of rows: columns, bytes */
  int32_t most;          /* pairs in which outputs may begin */
  int32_t first, rows;   /* output rows */
  int32_t blocks;        /* outputs two by two, else four in a row */
  int32_t count, single; /* spots, and those of a single row behind pairs of rows */
  mve_pred16_t some;     /* channels of this group */
} strip;

/* ---- Gathering ----------------------------------------------------------------------------------*/
static void fill(int8_t *to, int8x16_t value, int32_t columns) {
  for (; columns > 0; columns--, to += COLUMN) vstrbq_s8(to, value);
}

/* Columns of the rows a and b, whose pixels are step_a and step_b apart. */
static void interleave(int8_t *to, const int8_t *a, const int8_t *b, int32_t step_a, int32_t step_b,
                       int32_t columns, mve_pred16_t some) {
  __asm__ volatile(
      "vmsr p0, %[some]\n"
      "wls lr, %[columns], 2f\n"
      "1:\n"
      "vpstt\n"
      "vldrbt.u16 q0, [%[a]]\n"
      "vldrbt.u16 q1, [%[b]]\n"
      "add %[a], %[a], %[step_a]\n"
      "add %[b], %[b], %[step_b]\n"
      "vsli.16 q0, q1, #8\n"
      "vstrh.16 q0, [%[to]], #16\n"
      "le lr, 1b\n"
      "2:\n"
      : [to] "+r"(to), [a] "+l"(a), [b] "+l"(b)
      : [step_a] "r"(step_a), [step_b] "r"(step_b), [columns] "r"(columns), [some] "r"(some)
      : "lr", "q0", "q1", MN_MVE_PREDICATE "memory");
}

/* The rows of this strip: the last pair of the one before, which is `before` pairs on, is this one's first.
 * x at channel c of input row 0. Columns outside stay as they were filled. */
static void gather(const mn_depthwise_conv_2d *p, const strip *s, const int8_t *x, int32_t before) {
  int32_t row = s->first * p->stride_h - p->pad_top, step = p->input_w * p->input_c;
  int32_t pairs = (s->blocks ? (s->rows + 1) / 2 : s->rows) + 1;
  int32_t inside = s->columns - p->pad_left < p->input_w ? s->columns - p->pad_left : p->input_w;
  int8_t *to = s->pairs;
  if (before > 0) {
    const int8_t *kept = s->pairs + before * s->pair;
    for (int32_t i = s->columns; i > 0; i--, kept += COLUMN, to += COLUMN)
      vstrbq_s8(to, vldrbq_s8(kept));
    row += 2, pairs--;
  }
  to += p->pad_left * COLUMN;
  for (; pairs > 0; pairs--, row += 2, to += s->pair) {
    const int8_t *a = s->outside, *b = a;
    int32_t step_a = 0, step_b = 0;
    if ((uint32_t)row < (uint32_t)p->input_h) a = x + row * step, step_a = p->input_c;
    if ((uint32_t)(row + 1) < (uint32_t)p->input_h) b = x + (row + 1) * step, step_b = p->input_c;
    interleave(to, a, b, step_a, step_b, inside, s->some);
  }
}

/* Outputs begin every `along` columns of every row or pair of rows; the last ones are moved back into
 * their row. y at channel c of the first row. */
static void place(const mn_depthwise_conv_2d *p, strip *s, int8_t *y) {
  int32_t along = s->blocks ? 2 : 4, down = s->blocks ? 2 : 1, step = p->output_c;
  int32_t last = p->output_w > along ? p->output_w - along : 0;
  int32_t column = p->stride_w * COLUMN;
  spot *to = s->spots;
  const int8_t *x = s->pairs;
  for (int32_t h = 0; h < s->rows; h += down, x += s->pair, y += down * p->output_w * step) {
    spot at = {x, y};
    for (int32_t w = 0; w < last; w += along, at.x += along * column, at.y += along * step)
      *to++ = at;
    *to++ = (spot){x + last * column, y + last * step};
    if (h + down <= s->rows) s->count = (int32_t)(to - s->spots);
  }
  s->single = (int32_t)(to - s->spots) - s->count;
}

/* ---- Multiplying --------------------------------------------------------------------------------*/
/* Sums in q1 become outputs. Where all outputs are used and the least is that of 0, products below 0 do
 * not matter and saturation is the clamp. */
#define FINISH_RELU             \
  "vadd.i32 q1, q1, %[bias]\n"  \
  "vqrdmulh.s32 q1, q1, %[m]\n" \
  "vrshl.s32 q1, %[right]\n"    \
  "vadd.i32 q1, q1, %[zero]\n"  \
  "vqmovnb.s32 q1, q1\n"        \
  "vqmovnb.s16 q1, q1\n"
#define RULE_RELU                                                                       \
  [bias] "r"(l->bias[c]), [m] "r"(l->multiplier[c]), [right] "r"((int32_t)l->shift[c]), \
      [zero] "r"(l->zero_point)

/* The sums of a spot, whose inputs are at a: 2x2 with the weights as they are, moved by a column, by a row,
 * by both; or four in a row. */
#define TAKE_BLOCK                   \
  "vldrh.u16 q0, [%[a], %q[from]]\n" \
  "vmladav.s8 %[a], q0, %q[w]\n"     \
  "vmladav.s8 %[b], q0, %q[v1]\n"    \
  "vmladav.s8 %[c], q0, %q[v2]\n"    \
  "vmladav.s8 %[d], q0, %q[v3]\n"
#define TAKE_ROW                     \
  "vldrh.u16 q0, [%[a], %q[v1]]\n"   \
  "vmladav.s8 %[b], q0, %q[w]\n"     \
  "vldrh.u16 q0, [%[a], %q[v2]]\n"   \
  "vmladav.s8 %[c], q0, %q[w]\n"     \
  "vldrh.u16 q0, [%[a], %q[v3]]\n"   \
  "vmladav.s8 %[d], q0, %q[w]\n"     \
  "vldrh.u16 q0, [%[a], %q[from]]\n" \
  "vmladav.s8 %[a], q0, %q[w]\n"

/* All spots of a channel. The register of y holds their number at first. */
#define LOOP(take, finish, ...)                                                               \
  __asm__ volatile(                                                                           \
      "dls lr, %[y]\n"                                                                        \
      "1:\n"                                                                                  \
      "ldrd %[a], %[y], [%[spot]], #8\n" take                                                 \
      "vmov q1[2], q1[0], %[a], %[c]\n"                                                       \
      "vmov q1[3], q1[1], %[b], %[d]\n" finish                                                \
      "vstrb.32 q1, [%[y], %q[to]]\n"                                                         \
      "le lr, 1b\n"                                                                           \
      : [y] "+r"(count), [spot] "+r"(spots), [a] "=&Te"(sum[0]), [b] "=&Te"(sum[1]),          \
        [c] "=&Te"(sum[2]), [d] "=&Te"(sum[3])                                                \
      : [w] "w"(w), [v1] "w"(v1), [v2] "w"(v2), [v3] "w"(v3), [from] "w"(from), [to] "w"(to), \
        __VA_ARGS__                                                                           \
      : "lr", "q0", "q1", "memory")
#define LOOP_EITHER(take)                                 \
  int32_t sum[4];                                         \
  if (l->any == NULL)                                     \
    LOOP(take, FINISH_RELU, RULE_RELU);                   \
  else                                                    \
    LOOP(take, MN_FINISH_MVE, [rule] "r"(rule_of(l, c))); \
  return spots

/* The weights of a channel as [4 columns][4 rows], zero in the last of both; k [3][3][4]. */
static inline uint8x16_t weights_of(const int8_t *k) {
  static const uint8_t at[16] = {0, 12, 24, 0, 4, 16, 28, 0, 8, 20, 32};
  static const uint8_t mask[16] = {255, 255, 255, 0, 255, 255, 255, 0, 255, 255, 255};
  return vandq_u8(vldrbq_gather_offset_u8((const uint8_t *)k, vldrbq_u8(at)), vldrbq_u8(mask));
}

static inline uint8x16_t next_row(uint8x16_t w) {
  return vreinterpretq_u8_u32(vshlq_n_u32(vreinterpretq_u32_u8(w), 8));
}

static inline uint8x16_t next_column(uint8x16_t w) {
  uint32_t none = 0;
  return vshlcq_u8(w, &none, 32);
}

/* Channels of a strip. */
typedef struct channels {
  const int8_t *k; /* of the first of every four */
  const int32_t *bias, *multiplier;
  const int8_t *shift;
  int32_t c, end;
  int32_t zero_point;
  mn_rule_mve *any; /* NULL where FINISH_RELU does */
} channels;

static inline const mn_rule_mve *rule_of(const channels *l, int32_t c) {
  mn_rule_mve_channel(l->any, l->bias[c], l->multiplier[c], l->shift[c]);
  return l->any;
}

/* `count` spots of channel c, returns the next one. */
static inline const spot *run_blocks(const channels *l, int32_t c, const spot *spots, int32_t count,
                                     uint8x16_t w, uint8x16_t v1, uint8x16_t v2, uint8x16_t v3,
                                     uint16x8_t from, int32x4_t to) {
  LOOP_EITHER(TAKE_BLOCK);
}

static inline const spot *run_rows(const channels *l, int32_t c, const spot *spots, int32_t count,
                                   uint8x16_t w, uint16x8_t v1, uint16x8_t v2, uint16x8_t v3,
                                   uint16x8_t from, int32x4_t to) {
  LOOP_EITHER(TAKE_ROW);
}

static inline const int8_t *weights_at(const channels *l, int32_t c) {
  return l->k + (c & ~3) * 9 + (c & 3);
}

static inline uint16x8_t from_of(const strip *s) {
  uint16x8_t column = vbicq_n_u16(vidupq_n_u16(0, 8), 15); /* 0, 0, 16, 16 and so on */
  return vaddq_u16(column, vreinterpretq_u16_u32(vdupq_n_u32((uint32_t)s->pair << 16)));
}

/* Outputs that lie outside of narrow or single rows are those beside them again. */
static __attribute__((noinline)) void multiply_blocks(const mn_depthwise_conv_2d *p, const strip *s,
                                                      const channels *l) {
  int32_t along = p->output_w > 1 ? p->output_c : 0, down = p->output_w * p->output_c;
  const int32_t out[4] = {0, along, down, down + along}, below[4] = {0, 0, down, down};
  uint16x8_t from = from_of(s);
  int32x4_t to = vldrwq_s32(out);
  for (int32_t c = l->c; c < l->end; c++) {
    uint8x16_t w = weights_of(weights_at(l, c)), v1 = along > 0 ? next_column(w) : w;
    const spot *rest =
        run_blocks(l, c, s->spots, s->count, w, v1, next_row(w), next_row(v1), from, to);
    if (s->single > 0)
      run_blocks(l, c, rest, s->single, w, v1, w, v1, from, vsubq_s32(to, vldrwq_s32(below)));
    from = vaddq_n_u16(from, 2), to = vaddq_n_s32(to, 1);
  }
}

static __attribute__((noinline)) void multiply_rows(const mn_depthwise_conv_2d *p, const strip *s,
                                                    const channels *l) {
  int32_t out[4], in[4];
  for (int32_t i = 0; i < 4; i++) {
    int32_t w = i < p->output_w ? i : p->output_w - 1;
    out[i] = w * p->output_c, in[i] = w * p->stride_w * COLUMN;
  }
  uint16x8_t from = from_of(s), v1 = vaddq_n_u16(from, (uint16_t)in[1]);
  uint16x8_t v2 = vaddq_n_u16(from, (uint16_t)in[2]), v3 = vaddq_n_u16(from, (uint16_t)in[3]);
  int32x4_t to = vldrwq_s32(out);
  for (int32_t c = l->c; c < l->end; c++) {
    uint8x16_t w = weights_of(weights_at(l, c));
    run_rows(l, c, s->spots, s->count, w, v1, v2, v3, from, to);
    from = vaddq_n_u16(from, 2), v1 = vaddq_n_u16(v1, 2), v2 = vaddq_n_u16(v2, 2);
    v3 = vaddq_n_u16(v3, 2), to = vaddq_n_s32(to, 1);
  }
}

/* ---- Strips -------------------------------------------------------------------------------------*/
static int uses_relu(const mn_depthwise_conv_2d *p, const mn_kernel_io *io) {
  return p->output_min == -128 && p->output_max == 127 && p->output_zero_point == -128 &&
         mn_all_shifts_are_right(io->constant[3], (p->output_c + 3) & ~3);
}

/* Of the `left` rows that are to be made, those of the next strip. */
static void strip_begin(const mn_depthwise_conv_2d *p, strip *s, int32_t left) {
  s->blocks = p->stride_h == 1 && left > 1;
  s->rows = left < s->most << s->blocks ? left : s->most << s->blocks;
}

/* Eight channels at a time, rows downwards, every row gathered before it is written: MN_OVERLAP_PLANE. */
void mn_depthwise_3x3_s8_mve(const void *params, const mn_kernel_io *io) {
  const mn_depthwise_conv_2d *p = params;
  int32_t end = io->first_row + io->rows;
  mn_rule_mve any = mn_rule_mve_begin(p->output_zero_point, p->output_min, p->output_max);
  channels l = {.k = io->constant[0],
                .bias = io->constant[1],
                .multiplier = io->constant[2],
                .shift = io->constant[3],
                .zero_point = p->output_zero_point,
                .any = uses_relu(p, io) ? NULL : &any};
  strip s = {.outside = io->scratch,
             .columns = mn_depthwise_3x3_columns_mve(p),
             .most = mn_depthwise_3x3_pairs_mve(p)};
  s.pair = s.columns * COLUMN;
  s.spots = (spot *)(void *)(s.outside + COLUMN);
  s.pairs = (int8_t *)(s.spots + mn_depthwise_3x3_spots_mve(p));
  fill(s.outside, vdupq_n_s8((int8_t)p->input_zero_point), 1);
  fill(s.pairs, vdupq_n_s8((int8_t)p->input_zero_point), (s.most + 1) * s.columns);
  for (; l.c < p->input_c; l.c = l.end) {
    const int8_t *x = (const int8_t *)io->x[0] - io->x_row[0] * p->input_w * p->input_c + l.c;
    int8_t *y = (int8_t *)io->y - io->y_row * p->output_w * p->output_c + l.c;
    int32_t before = 0;
    l.end = p->input_c - l.c < GROUP ? p->input_c : l.c + GROUP;
    s.some = vctp16q((uint32_t)(p->input_c - l.c));
    for (s.first = io->first_row; s.first < end; s.first += s.rows) {
      strip_begin(p, &s, end - s.first);
      gather(p, &s, x, before);
      before = s.most;
      place(p, &s, y + s.first * p->output_w * p->output_c);
      (s.blocks ? multiply_blocks : multiply_rows)(p, &s, &l);
    }
  }
}

#endif
