/* net_tree.h - what a parsed .net file is: expanded layers in order, blocks over them, decisions,
 * named values and the input line. Internal to room net.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_NET_TREE_H
#define MN_NET_TREE_H

#include "micronets/net.h"

#define NET_MAX_SIZE 65535 /* of a width, kernel, stride (of a whole block too) or dimension */
#define NET_MAX_LAYERS 1024
#define NET_MAX_OPTIONS 1024
#define NET_MAX_NAME 64

/* ---- The words: one row each -----------------------------------------------------------------
 * Positional operands of a layer, in order. */
typedef enum net_operand {
  NET_OPERAND_NONE,
  NET_OPERAND_KERNEL, /* HxW */
  NET_OPERAND_WIDTH,
  NET_OPERAND_EXPAND,
  NET_OPERAND_POOL,  /* avg | max, then perhaps a window */
  NET_OPERAND_SHAPE, /* HxWxC */
} net_operand;

/* Groups of attributes; a line may set each group once. */
typedef enum net_group {
  NET_ACTIVATION = 1 << 0,
  NET_PADDING = 1 << 1,
  NET_BN = 1 << 2,
  NET_OPTIONAL = 1 << 3,
  NET_RESIDUAL = 1 << 4, /* residual and projection */
  NET_STRIDE = 1 << 5,
  NET_MULTIPLIER = 1 << 6,
  NET_WEIGHTS = 1 << 7,
  NET_ACTIVATIONS = 1 << 8,
  NET_TIMES = 1 << 9,
} net_group;

#define NET_BITS (NET_WEIGHTS | NET_ACTIVATIONS)
#define NET_BRANCH (NET_OPTIONAL | NET_RESIDUAL | NET_TIMES)
#define NET_CONV (NET_ACTIVATION | NET_PADDING | NET_BN | NET_STRIDE | NET_BITS | NET_BRANCH)

/* word, operands, attributes it takes, whether it has weights */
#define NET_WORD_LIST(X)                                                                \
  X(CONV, "conv", KERNEL, WIDTH, NONE, NET_CONV, true)                                  \
  X(DEPTHWISE, "depthwise", KERNEL, NONE, NONE, NET_CONV | NET_MULTIPLIER, true)        \
  X(DS, "ds", KERNEL, WIDTH, NONE, NET_CONV, true)                                      \
  X(IBN, "ibn", KERNEL, EXPAND, WIDTH, NET_CONV & ~NET_ACTIVATION, true)                \
  X(FC, "fc", WIDTH, NONE, NONE, NET_ACTIVATION | NET_BN | NET_BITS | NET_BRANCH, true) \
  X(POOL, "pool", POOL, NONE, NONE, NET_PADDING | NET_STRIDE | NET_TIMES, false)        \
  X(FLATTEN, "flatten", NONE, NONE, NONE, 0, false)                                     \
  X(RESHAPE, "reshape", SHAPE, NONE, NONE, 0, false)                                    \
  X(SOFTMAX, "softmax", NONE, NONE, NONE, 0, false)                                     \
  X(BLOCK, "block", NONE, NONE, NONE, NET_ACTIVATION | NET_BRANCH, false)

typedef enum net_word {
#define X(id, text, a, b, c, attributes, weights) NET_WORD_##id,
  NET_WORD_LIST(X)
#undef X
      NET_WORD_COUNT
} net_word;

typedef struct net_word_info {
  const char *text;
  net_operand operand[3];
  uint32_t attributes;
  bool weights;
} net_word_info;
extern const net_word_info net_words[NET_WORD_COUNT];

typedef struct net_attribute_info {
  const char *text;
  net_group group;
  int32_t value; /* of flags; keys read one */
  bool is_key;
} net_attribute_info;
extern const net_attribute_info net_attributes[];
extern const int32_t net_attribute_count;

/* ---- Values ----------------------------------------------------------------------------------*/
typedef enum net_role {
  NET_ROLE_WIDTH,
  NET_ROLE_WEIGHTS,
  NET_ROLE_ACTIVATIONS,
  NET_ROLE_INPUT
} net_role;

typedef enum net_value_kind {
  NET_VALUE_FIXED,
  NET_VALUE_NAMED,    /* index into named */
  NET_VALUE_DECISION, /* index into decisions */
  NET_VALUE_CHOICE    /* unnamed choice of a line; becomes a decision per copy */
} net_value_kind;

typedef struct net_value {
  net_value_kind kind;
  int32_t number;        /* FIXED */
  int32_t index;         /* NAMED, DECISION */
  const int32_t *option; /* CHOICE */
  int32_t options, line, column;
} net_value;

typedef struct net_named {
  const char *name;
  int32_t number, line;
  net_role role;
} net_named;

/* A decision, what it was before mn_net_set pinned it, and whether the file names it. */
typedef struct net_decision {
  mn_decision face;
  const int32_t *all_value;
  int32_t all_options;
  net_role role;
  bool named;
} net_decision;

/* ---- Layers ----------------------------------------------------------------------------------*/
typedef enum net_shortcut { NET_SHORTCUT_NONE, NET_SHORTCUT_PAD, NET_SHORTCUT_CONV } net_shortcut;
typedef enum net_pool { NET_POOL_AVG, NET_POOL_MAX } net_pool;

typedef struct net_layer {
  net_word word;
  const char *name;  /* full: "block2.conv1" */
  const char *label; /* of the line; NULL none */
  int32_t line, column;
  int32_t block;              /* index of its block in `layers`, -1 */
  int32_t members;            /* BLOCK: layers that follow it and belong to it */
  int32_t kernel_h, kernel_w; /* 0: pool over the whole map */
  int32_t stride_h, stride_w;
  int32_t multiplier, times;
  net_pool pool;
  mn_shape shape; /* RESHAPE */
  net_value width, expand, weights, activations;
  mn_activation activation; /* BLOCK: after the sum */
  mn_padding padding;
  net_shortcut shortcut;
  bool bn, optional;
  int32_t optional_decision; /* -1 */
  uint32_t own;              /* groups its own line gave */
} net_layer;

/* ---- The input line --------------------------------------------------------------------------*/
/* A setting of the front end is known by its place in MN_FRONTEND_KEYS. */
enum {
#define X(key, field, unit, initial) NET_KEY_##key,
  MN_FRONTEND_KEYS(X)
#undef X
      NET_KEYS
};

typedef struct net_input {
  int32_t line, column;
  mn_shape size; /* rank 0: not given */
  mn_frontend frontend;
  int32_t decision[NET_KEYS]; /* -1: the frontend's own number */
} net_input;

struct mn_net {
  mn_arena *arena;
  const char *path;
  net_input input;
  net_layer *layers; /* a block stands before its members */
  int32_t layer_count, layer_capacity;
  int32_t last; /* last layer with weights, -1 */
  net_decision *decisions;
  int32_t decision_count, decision_capacity;
  net_named *named;
  int32_t named_count, named_capacity;
};

/* Room for one more; the old array stays in the arena. */
bool net_reserve(mn_arena *arena, void **items, int32_t count, int32_t *capacity, size_t size);

/* The number behind a value under a pick (NULL: option 0). */
int32_t net_value_of(const mn_net *net, const net_value *value, const mn_pick *pick);
int32_t net_option_value(const mn_net *net, int32_t decision, const mn_pick *pick);
/* Whether an optional layer is there under a pick; others always are. */
bool net_layer_on(const mn_net *net, const net_layer *layer, const mn_pick *pick);
/* Stride of a layer, or of everything in a block. */
void net_layer_stride(const mn_net *net, int32_t layer, int32_t *stride_h, int32_t *stride_w);

/* The input line under a pick, with the feature shape filled in; and the input tensor's shape. */
mn_status net_input_resolve(mn_frontend *frontend, mn_shape *shape, const mn_net *net,
                            const mn_pick *pick, mn_error *error) MN_MUST_CHECK;
/* "mfcc rate 16kHz ..."; decision[key] >= 0 prints that decision's options instead (net not NULL). */
mn_status net_frontend_print(const mn_sink *out, const mn_frontend *frontend, const mn_net *net,
                             const int32_t *decision) MN_MUST_CHECK;
/* Word of a WORD key's value, or NULL. */
const char *net_key_word(int32_t key, int32_t value);
int32_t *net_key_field(mn_frontend *frontend, int32_t key);

#endif
