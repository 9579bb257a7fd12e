/* gates.c - how open each channel of a value is, in a supernet with masks and mixes.
 *
 * A mask multiplies the output of its layer. A depthwise layer follows its input's channels, but its
 * batch norm would undo any factor on them, and give a closed channel back as beta: so its output is
 * multiplied by the openness of its input once more. Then masks of zeros and ones make exactly the
 * narrower network, and the loss feels a mask between. Openness runs along: pools and copies keep it,
 * a MIX mixes it, a sum has that of its wider term. Gradients run back the same way.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/engine.h"

static bool gated(const mn_trainer *t) {
  return t->gates != NULL && t->gates->mask != NULL;
}

static const float *own_mask(const mn_trainer *t, const mn_value *v) {
  return v->op >= 0 ? t->gates->mask[v->op] : NULL;
}

/* Channel of the input that channel c of the output follows; -1: none. */
static int32_t followed(const mn_unit *u, int32_t input, int32_t c) {
  const mn_value *x = u->input[input];
  if (u->family == &mn_conv_family) return -1;
  if (u->family == &mn_depthwise_family) c /= u->window.multiplier;
  return x != NULL && c < x->channels ? c : -1;
}

static float open_of(const mn_unit *u, int32_t input, int32_t c) {
  const int32_t from = followed(u, input, c);
  return from < 0 ? 0.0f : u->input[input]->open[from];
}

static float openness(const mn_unit *u, int32_t c) {
  const float a = open_of(u, 0, c), b = u->input[1] != NULL ? open_of(u, 1, c) : 0.0f;
  if (u->family == &mn_conv_family) return 1.0f;
  if (u->family == &mn_mix_family) return u->mix[0] * a + u->mix[1] * b;
  return a > b ? a : b;
}

void mn_gates_input(mn_trainer *t, mn_value *x) {
  x->masked = false;
  for (int32_t c = 0; gated(t) && c < x->channels; c++) x->open[c] = 1.0f;
}

void mn_gates_forward(mn_trainer *t, const mn_unit *u) {
  mn_value *y = u->output;
  y->masked = false;
  if (!gated(t)) return;
  const float *mask = own_mask(t, y);
  for (int32_t c = 0; c < y->channels; c++) y->open[c] = mask != NULL ? mask[c] : openness(u, c);
  y->masked = mask != NULL || (u->family == &mn_depthwise_family && y->gamma != NULL);
  if (y->masked) memcpy(y->mask, y->open, (size_t)y->channels * sizeof *y->mask);
}

static void hand_on(const mn_unit *u, int32_t input, int32_t c, double gradient) {
  const int32_t to = followed(u, input, c);
  if (to >= 0) u->input[input]->open_gradient[to] += gradient;
}

static void sum_backward(const mn_unit *u, int32_t c, double gradient) {
  hand_on(u, open_of(u, 0, c) >= open_of(u, 1, c) ? 0 : 1, c, gradient);
}

static void mix_backward(mn_unit *u, int32_t c, double gradient) {
  for (int32_t k = 0; k < 2; k++) {
    hand_on(u, k, c, (double)u->mix[k] * gradient);
    u->mix_gradient[0][k] += gradient * (double)open_of(u, k, c);
  }
}

void mn_gates_backward(mn_trainer *t, mn_unit *u) {
  mn_value *y = u->output;
  if (!gated(t)) return;
  float *own = own_mask(t, y) != NULL && t->gates->mask_gradient != NULL
                   ? t->gates->mask_gradient[y->op]
                   : NULL;
  for (int32_t c = 0; c < y->channels; c++) {
    const double gradient = y->open_gradient[c];
    y->open_gradient[c] = 0;
    if (own_mask(t, y) != NULL) {
      if (own != NULL) own[c] = (float)gradient;
    } else if (u->family == &mn_mix_family) {
      mix_backward(u, c, gradient);
    } else if (u->family == &mn_add_family) {
      sum_backward(u, c, gradient);
    } else {
      hand_on(u, 0, c, gradient);
    }
  }
}
