/* words.c - the tables of the language: layers and attributes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/net_tree.h"

const net_word_info net_words[NET_WORD_COUNT] = {
#define X(id, text, a, b, c, attributes, weights) \
  {text, {NET_OPERAND_##a, NET_OPERAND_##b, NET_OPERAND_##c}, attributes, weights},
    NET_WORD_LIST(X)
#undef X
};

const net_attribute_info net_attributes[] = {
    {"relu6", NET_ACTIVATION, MN_ACTIVATION_RELU6, false},
    {"relu", NET_ACTIVATION, MN_ACTIVATION_RELU, false},
    {"linear", NET_ACTIVATION, MN_ACTIVATION_NONE, false},
    {"same", NET_PADDING, MN_PADDING_SAME, false},
    {"valid", NET_PADDING, MN_PADDING_VALID, false},
    {"bn", NET_BN, true, false},
    {"nobn", NET_BN, false, false},
    {"optional", NET_OPTIONAL, true, false},
    {"residual", NET_RESIDUAL, NET_SHORTCUT_PAD, false},
    {"projection", NET_RESIDUAL, NET_SHORTCUT_CONV, false},
    {"stride", NET_STRIDE, 0, true},
    {"multiplier", NET_MULTIPLIER, 0, true},
    {"weights", NET_WEIGHTS, 0, true},
    {"activations", NET_ACTIVATIONS, 0, true},
    {"times", NET_TIMES, 0, true},
};
const int32_t net_attribute_count = (int32_t)MN_COUNT(net_attributes);
