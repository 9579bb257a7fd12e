/* depthwise_planes_dsp.h - planes for depthwise kernels: the rows of one or two channels as int16 in
 * scratch, padded with the input's zero point, so that every window lies inside. A strip keeps the lines
 * it shares with the next one: outputs may overwrite their input.
 *
 * A line lies along the width; or, `turned`, along the height.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_DEPTHWISE_PLANES_DSP_H
#define MN_KERNELS_DEPTHWISE_PLANES_DSP_H

#include "kernels/depthwise_conv_2d.h"

/* About as much as strips may take, and as those take that were chosen to save memory. */
#define MN_PLANES_SCRATCH 2048
#define MN_PLANES_NARROW 640

/* One axis: of the input, of the outputs asked for, and of their plane. */
typedef struct mn_planes_axis {
  int32_t outputs, stride;
  int32_t window;         /* inputs from a window's first to its last */
  int32_t start;          /* input index at plane index 0; below 0 in the padding */
  int32_t first, end;     /* plane indices that lie inside the input */
  int32_t x_step, y_step; /* bytes from one index to the next */
} mn_planes_axis;

typedef struct mn_planes {
  mn_planes_axis along, across;
  const int8_t *x;
  int32_t x_start;      /* from x to channel 0 at plane index (0, 0), which may lie outside */
  int8_t *y;            /* channel 0 of the first output */
  int16_t *data;        /* [count, lines, pitch] */
  int32_t count;        /* planes: 1 or 2 */
  int32_t pitch, plane; /* halfwords */
  int32_t strip;        /* lines of outputs in a strip */
  int32_t zero, turned;
} mn_planes;

/* Halfwords of a line: even, with at least as many behind the last window as make its width even. */
static inline int32_t mn_planes_pitch(int32_t outputs, int32_t stride, int32_t window) {
  return ((outputs - 1) * stride + window + 2) / 2 * 2;
}
static inline int32_t mn_planes_lines(int32_t outputs, int32_t stride, int32_t window) {
  return (outputs - 1) * stride + window;
}
static inline int32_t mn_planes_window(int32_t kernel, int32_t dilation) {
  return (kernel - 1) * dilation + 1;
}
static inline int32_t mn_planes_row_bytes(const mn_depthwise_conv_2d *p, int32_t count) {
  int32_t window = mn_planes_window(p->kernel_w, p->dilation_w);
  return 2 * count * mn_planes_pitch(p->output_w, p->stride_w, window);
}
/* Output rows of a strip whose lines lie along the width: as many as keep within `limit` bytes. */
static inline int32_t mn_planes_strip_rows(const mn_depthwise_conv_2d *p, int32_t count,
                                           int32_t limit) {
  int32_t window = mn_planes_window(p->kernel_h, p->dilation_h);
  int32_t more = limit / mn_planes_row_bytes(p, count) - window;
  int32_t rows = more < 0 ? 1 : more / p->stride_h + 1;
  return rows < p->output_h ? rows : p->output_h;
}
static inline int32_t mn_planes_bytes(const mn_depthwise_conv_2d *p, int32_t count, int32_t limit) {
  int32_t window = mn_planes_window(p->kernel_h, p->dilation_h);
  int32_t lines = mn_planes_lines(mn_planes_strip_rows(p, count, limit), p->stride_h, window);
  return mn_planes_row_bytes(p, count) * lines;
}
/* The same where lines lie along the height: of all of the width in one strip, and the output columns
 * of a strip within `limit` bytes. */
static inline int32_t mn_planes_turned_bytes(const mn_depthwise_conv_2d *p, int32_t rows,
                                             int32_t count) {
  int32_t along = mn_planes_window(p->kernel_h, p->dilation_h);
  int32_t across = mn_planes_window(p->kernel_w, p->dilation_w);
  return 2 * count * mn_planes_pitch(rows, p->stride_h, along) *
         mn_planes_lines(p->output_w, p->stride_w, across);
}
static inline int32_t mn_planes_strip_columns(const mn_depthwise_conv_2d *p, int32_t rows,
                                              int32_t count, int32_t limit) {
  int32_t along = mn_planes_window(p->kernel_h, p->dilation_h);
  int32_t across = mn_planes_window(p->kernel_w, p->dilation_w);
  int32_t more = limit / (2 * count * mn_planes_pitch(rows, p->stride_h, along)) - across;
  int32_t columns = more < 0 ? 0 : more / p->stride_w + 1;
  return columns < p->output_w ? columns : p->output_w;
}

/* Geometry of a call for `count` planes, `strip` lines of outputs at a time. */
void mn_planes_place(mn_planes *g, const mn_depthwise_conv_2d *p, const mn_kernel_io *io,
                     int32_t count, int32_t turned, int32_t strip);
/* Strip of `lines` lines of outputs from line `done` on, input channels c .. c + channels: gathers it. */
void mn_planes_gather(const mn_planes *g, int32_t c, int32_t channels, int32_t done, int32_t lines);

#endif
