/* gates.h - the gates of a supernet while it is lowered. Internal to room net.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_NET_GATES_H
#define MN_NET_GATES_H

#include "micronets/net.h"

#define NET_MAX_GATES 1024

typedef struct net_gates {
  mn_gate gate[NET_MAX_GATES];
  int32_t count;
} net_gates;

/* Equal gates are one gate. -1: too many. */
int32_t net_gate_full(net_gates *gates, int32_t width);
int32_t net_gate_decision(net_gates *gates, int32_t decision, int32_t width);
int32_t net_gate_union(net_gates *gates, int32_t a, int32_t b);
int32_t net_gate_mix(net_gates *gates, int32_t decision, int32_t on, int32_t off);

#endif
