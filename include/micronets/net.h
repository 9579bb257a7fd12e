/* net.h - the .net language: networks and search spaces, picks, printing, lowering (docs/net.md). A network is a space with nothing left to choose.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_NET_H
#define MICRONETS_NET_H

#include "micronets/base.h"
#include "micronets/features.h"
#include "micronets/graph.h"

typedef struct mn_net mn_net; /* immutable, lives in its arena */

typedef enum mn_decision_kind {
  MN_DECISION_WIDTH,    /* options are channel counts */
  MN_DECISION_OPTIONAL, /* option 0: off, option 1: on */
  MN_DECISION_BITS,     /* weights or activations */
  MN_DECISION_INPUT     /* size or colour on the input line: enumerated outside the supernet */
} mn_decision_kind;

typedef struct mn_decision {
  const char *name; /* "ds4.width", "ds4.optional", "w1" */
  mn_decision_kind kind;
  int32_t line, column;
  int32_t options;      /* 1 where mn_net_set pinned it: then `value` is what it was pinned to */
  const int32_t *value; /* [options], ascending for widths */
} mn_decision;

/* One option index per decision. */
typedef struct mn_pick {
  int32_t count;
  int32_t *option;
} mn_pick;

/* Parses text; `path` names it in errors ("kws.net:4:19: unknown word ..."). The net lives in arena. */
mn_status mn_net_parse(mn_net **net, mn_arena *arena, const char *path, mn_bytes text,
                       mn_error *error) MN_MUST_CHECK;
/* Pins a named value or decision ("classes=12", "w1=64", "ds4.width=140", "ds4.optional=off"); may be
 * called before lowering only. Errors: MN_ERR_ARGUMENT naming the nearest name, or the options. */
mn_status mn_net_set(mn_net *net, const char *name, const char *value, mn_error *error) MN_MUST_CHECK;

/* The same by number, without a choice of words. */
void mn_net_pin(mn_net *net, int32_t decision, int32_t option);

const char *mn_net_path(const mn_net *net);
int32_t mn_net_decisions(const mn_net *net);
const mn_decision *mn_net_decision(const mn_net *net, int32_t index);
double mn_net_networks_log10(const mn_net *net);
uint64_t mn_net_hash(const mn_net *net); /* of the printed text: identity for checkpoints */

mn_status mn_pick_create(mn_pick *pick, mn_arena *arena, const mn_net *net) MN_MUST_CHECK; /* all option 0 */
void mn_pick_copy(mn_pick *to, const mn_pick *from);
bool mn_pick_equal(const mn_pick *a, const mn_pick *b);
/* Whether it names an option of every decision: asked of picks that come from a file. */
bool mn_pick_valid(const mn_pick *pick, const mn_net *net);
void mn_pick_smallest(mn_pick *pick, const mn_net *net);
void mn_pick_largest(mn_pick *pick, const mn_net *net);
void mn_pick_random(mn_pick *pick, const mn_net *net, mn_rng *rng);
/* Moves `pick` one decision at a time to the first or last of its options for as long as `cost` falls: from
 * mn_pick_smallest to the least of the space where decisions do not hang on each other (an optional layer may be
 * cheaper than none: it narrows what follows). *least: its cost there. Errors: those of `cost`. */
typedef mn_status mn_pick_cost(void *context, double *cost, const mn_pick *pick, mn_error *error);
mn_status mn_pick_descend(mn_pick *pick, double *least, const mn_net *net, mn_pick_cost *cost,
                          void *context, mn_error *error) MN_MUST_CHECK;

/* The front end of the input line under a pick; kind NONE where the line gives only a size. */
mn_status mn_net_frontend(mn_frontend *frontend, const mn_net *net, const mn_pick *pick,
                          mn_error *error) MN_MUST_CHECK;
/* The input line alone, the text form that .tflite metadata and the feature cache use; and back. */
mn_status mn_frontend_print(const mn_sink *out, const mn_frontend *frontend) MN_MUST_CHECK;
mn_status mn_frontend_parse(mn_frontend *frontend, const char *text, mn_error *error) MN_MUST_CHECK;

/* Prints one network: no braces, no steps, no times, names kept. pick == NULL prints the space. */
mn_status mn_net_print(const mn_sink *out, const mn_net *net, const mn_pick *pick) MN_MUST_CHECK;

/* ---- Lowering ----------------------------------------------------------------------------*/
/* The bare graph of one network. Every op carries name and line. */
mn_status mn_net_lower(const mn_graph **graph, mn_arena *arena, const mn_net *net, const mn_pick *pick,
                       mn_error *error) MN_MUST_CHECK;

/* Which decision masks which tensor of a supernet: one rule for masks and expected costs. */
typedef enum mn_gate_kind {
  MN_GATE_FULL,     /* `width` channels, always */
  MN_GATE_DECISION, /* channel c is open with probability P(options[decision] > c) */
  MN_GATE_UNION,    /* the wider of a and b, channel by channel (max) */
  MN_GATE_MIX       /* p(on) * a + p(off) * b */
} mn_gate_kind;
typedef struct mn_gate {
  mn_gate_kind kind;
  int32_t width;    /* FULL; for all: channels of the supernet tensor */
  int32_t decision; /* DECISION, MIX */
  int32_t a, b;     /* gate ids of UNION, MIX (a: on, b: off) */
} mn_gate;
typedef struct mn_gate_map {
  int32_t gate_count;
  const mn_gate *gates;        /* a gate's operands come before it */
  const int32_t *tensor_gate;  /* [tensor_count]: gate of the channel axis; -1 for constants */
  const int32_t *op_decision;  /* [op_count]: the op exists only where this optional decision is on; -1 always */
  const int32_t *op_decision_off; /* [op_count]: exists only where it is off (the shortcut's pool); -1 */
  const int32_t *mask_decision; /* [op_count]: width decision whose mask multiplies the op's output; -1 */
} mn_gate_map;

/* The supernet: every width decision as wide as its option in `pick` (mn_pick_largest: the whole space;
 * narrower options of a gate keep their numbers, wider ones simply open no further channel), every
 * optional layer followed by a MIX op with its shortcut (the pick's on/off is not read). Input
 * decisions and bits are pinned by `pick`. */
mn_status mn_net_lower_supernet(const mn_graph **graph, const mn_gate_map **gates, mn_arena *arena,
                                const mn_net *net, const mn_pick *pick, mn_error *error) MN_MUST_CHECK;

/* Expected channels of every gate for probabilities p[decision][option], and the gradient back:
 * dp[d][k] += sum over gates dwidth[gate] * d width[gate] / d p[d][k]. Exact at one-hot. */
/* A tensor of E elements with gate g is expected to hold E * width[g] / gates[g].width of them (so too
 * behind flatten, where each channel of the gate stands for a whole map). */
void mn_gate_widths(double *width, const mn_gate_map *gates, const mn_net *net, const double *const *p);
void mn_gate_widths_gradient(double *const *dp, const double *dwidth, const mn_gate_map *gates,
                             const mn_net *net, const double *const *p);
/* open[channel] in [0, 1] of one gate: what mn_gate_widths sums up. */
void mn_gate_open(float *open, const mn_gate_map *gates, int32_t gate, const mn_net *net,
                  const double *const *p);
/* dp[d][k] += sum over channels dopen[channel] * d open[channel] / d p[d][k], for one gate. */
void mn_gate_open_gradient(double *const *dp, const float *dopen, const mn_gate_map *gates,
                           int32_t gate, const mn_net *net, const double *const *p);

/* Whether a network (no decisions left) is a member of a space, and under which pick. Names may
 * differ, and so may the front end where both lines give the size; a named value of the space stands for
 * any number. `pick` is made by mn_pick_create. */
bool mn_net_contains(mn_pick *pick, const mn_net *space, const mn_net *network);

#endif
