/* gates.c - which channels of a supernet tensor are open, how many are expected, and the gradient.
 *
 * Everything is defined channel by channel: open(c) in [0, 1]; the expected width is the sum over c.
 *   FULL      1 for c < width
 *   DECISION  sum of p[decision][k] over the options wider than c
 *   UNION     the larger of both
 *   MIX       p[on] * open_a + p[off] * open_b
 * At one-hot probabilities every open(c) is 0 or 1 and the width is that of the lowered network.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/gates.h"

#include <assert.h>

/* ---- Making ----------------------------------------------------------------------------------*/
static int32_t add_gate(net_gates *gates, mn_gate gate) {
  for (int32_t g = 0; g < gates->count; g++) {
    const mn_gate *old = &gates->gate[g];
    if (old->kind == gate.kind && old->width == gate.width && old->decision == gate.decision &&
        old->a == gate.a && old->b == gate.b) {
      return g;
    }
  }
  if (gates->count == NET_MAX_GATES) return -1;
  gates->gate[gates->count] = gate;
  return gates->count++;
}

int32_t net_gate_full(net_gates *gates, int32_t width) {
  return add_gate(gates, (mn_gate){MN_GATE_FULL, width, -1, -1, -1});
}

int32_t net_gate_decision(net_gates *gates, int32_t decision, int32_t width) {
  return add_gate(gates, (mn_gate){MN_GATE_DECISION, width, decision, -1, -1});
}

static int32_t wider(const net_gates *gates, int32_t a, int32_t b) {
  return gates->gate[a].width > gates->gate[b].width ? gates->gate[a].width : gates->gate[b].width;
}

int32_t net_gate_union(net_gates *gates, int32_t a, int32_t b) {
  if (a < 0 || b < 0 || a == b) return a < b ? a : b;
  /* a full gate as wide as the other covers it */
  if (gates->gate[a].kind == MN_GATE_FULL && gates->gate[a].width >= gates->gate[b].width) return a;
  if (gates->gate[b].kind == MN_GATE_FULL && gates->gate[b].width >= gates->gate[a].width) return b;
  return add_gate(gates, (mn_gate){MN_GATE_UNION, wider(gates, a, b), -1, a, b});
}

int32_t net_gate_mix(net_gates *gates, int32_t decision, int32_t on, int32_t off) {
  if (on < 0 || off < 0 || on == off) return on < off ? on : off;
  return add_gate(gates, (mn_gate){MN_GATE_MIX, wider(gates, on, off), decision, on, off});
}

/* ---- Expected widths -------------------------------------------------------------------------*/
static double open_by_decision(const mn_decision *decision, const double *p, int32_t channel) {
  double open = 0;
  for (int32_t k = decision->options - 1; k >= 0 && decision->value[k] > channel; k--) open += p[k];
  return open;
}

static double open_at(const mn_gate *gate, const double *open, const mn_net *net,
                      const double *const *p, int32_t channel) {
  if (channel >= gate->width) return 0;
  switch (gate->kind) {
    case MN_GATE_DECISION:
      return open_by_decision(mn_net_decision(net, gate->decision), p[gate->decision], channel);
    case MN_GATE_UNION: return open[gate->a] > open[gate->b] ? open[gate->a] : open[gate->b];
    case MN_GATE_MIX:
      return p[gate->decision][1] * open[gate->a] + p[gate->decision][0] * open[gate->b];
    default: return 1;
  }
}

static int32_t widest(const mn_gate_map *gates) {
  int32_t width = 0;
  for (int32_t g = 0; g < gates->gate_count; g++) {
    if (gates->gates[g].width > width) width = gates->gates[g].width;
  }
  return width;
}

/* The next channel at which any gate's openness may change: between two of them all channels are
 * alike, and one stands for all. */
static int32_t next_change(const mn_gate_map *gates, const mn_net *net, int32_t channel) {
  int32_t next = INT32_MAX;
  for (int32_t g = 0; g < gates->gate_count; g++) {
    const mn_gate *gate = &gates->gates[g];
    if (gate->width > channel && gate->width < next) next = gate->width;
    if (gate->kind != MN_GATE_DECISION) continue;
    const mn_decision *decision = mn_net_decision(net, gate->decision);
    for (int32_t k = 0; k < decision->options; k++) {
      if (decision->value[k] > channel && decision->value[k] < next) next = decision->value[k];
    }
  }
  return next;
}

void mn_gate_widths(double *width, const mn_gate_map *gates, const mn_net *net,
                    const double *const *p) {
  double open[NET_MAX_GATES];
  int32_t channels = widest(gates);
  assert(gates->gate_count <= NET_MAX_GATES);
  for (int32_t g = 0; g < gates->gate_count; g++) width[g] = 0;
  for (int32_t c = 0, next; c < channels; c = next) {
    next = next_change(gates, net, c);
    for (int32_t g = 0; g < gates->gate_count; g++) {
      open[g] = open_at(&gates->gates[g], open, net, p, c);
      width[g] += open[g] * (next - c);
    }
  }
}

void mn_gate_open(float *open, const mn_gate_map *gates, int32_t gate, const mn_net *net,
                  const double *const *p) {
  double at[NET_MAX_GATES];
  assert(gate >= 0 && gate < gates->gate_count && gates->gate_count <= NET_MAX_GATES);
  for (int32_t c = 0, next; c < gates->gates[gate].width; c = next) {
    next = next_change(gates, net, c);
    for (int32_t g = 0; g <= gate; g++) at[g] = open_at(&gates->gates[g], at, net, p, c);
    for (int32_t i = c; i < next && i < gates->gates[gate].width; i++) open[i] = (float)at[gate];
  }
}

/* Passes the gradient of one gate's open(c) on to its operands or to dp. */
static void backward_gate(double *const *dp, double *dopen, const mn_gate *gate, int32_t g,
                          const double *open, const mn_net *net, const double *const *p,
                          int32_t channel) {
  if (channel >= gate->width) return;
  if (gate->kind == MN_GATE_DECISION) {
    const mn_decision *decision = mn_net_decision(net, gate->decision);
    for (int32_t k = decision->options - 1; k >= 0 && decision->value[k] > channel; k--) {
      dp[gate->decision][k] += dopen[g];
    }
  } else if (gate->kind == MN_GATE_UNION) {
    /* the larger one decides; both share a tie */
    double a = open[gate->a] > open[gate->b] ? 1 : open[gate->a] < open[gate->b] ? 0 : 0.5;
    dopen[gate->a] += a * dopen[g];
    dopen[gate->b] += (1 - a) * dopen[g];
  } else if (gate->kind == MN_GATE_MIX) {
    dp[gate->decision][1] += dopen[g] * open[gate->a];
    dp[gate->decision][0] += dopen[g] * open[gate->b];
    dopen[gate->a] += p[gate->decision][1] * dopen[g];
    dopen[gate->b] += p[gate->decision][0] * dopen[g];
  }
}

void mn_gate_widths_gradient(double *const *dp, const double *dwidth, const mn_gate_map *gates,
                             const mn_net *net, const double *const *p) {
  double open[NET_MAX_GATES], dopen[NET_MAX_GATES];
  int32_t channels = widest(gates);
  assert(gates->gate_count <= NET_MAX_GATES);
  for (int32_t c = 0, next; c < channels; c = next) {
    next = next_change(gates, net, c);
    for (int32_t g = 0; g < gates->gate_count; g++) {
      open[g] = open_at(&gates->gates[g], open, net, p, c);
      dopen[g] = dwidth[g] * (next - c);
    }
    for (int32_t g = gates->gate_count - 1; g >= 0; g--) {
      backward_gate(dp, dopen, &gates->gates[g], g, open, net, p, c);
    }
  }
}

void mn_gate_open_gradient(double *const *dp, const float *dopen, const mn_gate_map *gates,
                           int32_t gate, const mn_net *net, const double *const *p) {
  double open[NET_MAX_GATES], back[NET_MAX_GATES];
  const int32_t channels = gates->gates[gate].width;
  assert(gate >= 0 && gate < gates->gate_count && gates->gate_count <= NET_MAX_GATES);
  for (int32_t c = 0, next; c < channels; c = next) {
    next = next_change(gates, net, c);
    for (int32_t g = 0; g <= gate; g++) {
      open[g] = open_at(&gates->gates[g], open, net, p, c);
      back[g] = 0;
    }
    for (int32_t i = c; i < next && i < channels; i++) back[gate] += (double)dopen[i];
    for (int32_t g = gate; g >= 0; g--) {
      backward_gate(dp, back, &gates->gates[g], g, open, net, p, c);
    }
  }
}
