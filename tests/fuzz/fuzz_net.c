/* fuzz_net.c - any bytes as a .net: refused with a message, or printed, read again and lowered to the
 * same network. Seeds: tests/fuzz/corpus/net (inputs that once failed are kept there).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "micronets/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static mn_buffer print(const mn_net *net, const mn_pick *pick) {
  mn_buffer out = {0};
  mn_sink sink = mn_buffer_sink(&out);
  if (mn_net_print(&sink, net, pick) != MN_OK) abort();
  return out;
}

static mn_net *read_again(mn_arena *arena, const mn_buffer *text) {
  mn_net *again = NULL;
  mn_error error = {{0}};
  if (mn_net_parse(&again, arena, "again.net", (mn_bytes){text->data, text->size}, &error) !=
      MN_OK) {
    abort();
  }
  return again;
}

/* parse(print(x)) = x, for the space (pick NULL) or one network. */
static mn_net *round_trip(mn_arena *arena, const mn_net *net, const mn_pick *pick) {
  mn_buffer first = print(net, pick);
  mn_net *again = read_again(arena, &first);
  mn_buffer second = print(again, NULL);
  if (first.size != second.size || memcmp(first.data, second.data, first.size) != 0) abort();
  mn_buffer_free(&first);
  mn_buffer_free(&second);
  return again;
}

static void same_network(mn_arena *arena, const mn_net *space, const mn_pick *pick,
                         const mn_net *network) {
  const mn_graph *a = NULL, *b = NULL;
  mn_error error = {{0}};
  mn_status first = mn_net_lower(&a, arena, space, pick, &error);
  if (first != mn_net_lower(&b, arena, network, NULL, &error)) abort();
  if (first != MN_OK) return;
  if (a->op_count != b->op_count || a->tensor_count != b->tensor_count) abort();
  mn_counts x = mn_graph_counts(a), y = mn_graph_counts(b);
  if (x.macs != y.macs || x.params != y.params) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  mn_net *net = NULL;
  mn_pick pick;
  mn_frontend frontend;
  const mn_graph *graph = NULL;
  const mn_gate_map *gates = NULL;
  if (mn_arena_create(&arena) != MN_OK) return 0;
  char *text = mn_arena_text(arena, "%.*s", (int)size, (const char *)data);
  if (text != NULL) (void)!mn_frontend_parse(&frontend, text, &error);
  mn_status status = mn_net_parse(&net, arena, "x.net", (mn_bytes){data, size}, &error);
  if (status != MN_OK && error.text[0] == 0) abort();
  if (status == MN_OK && mn_pick_create(&pick, arena, net) == MN_OK) {
    mn_rng rng = mn_rng_seed(size > 0 ? data[size - 1] : 0);
    round_trip(arena, net, NULL);
    mn_pick_random(&pick, net, &rng);
    same_network(arena, net, &pick, round_trip(arena, net, &pick));
    (void)!mn_net_lower_supernet(&graph, &gates, arena, net, &pick, &error);
  }
  mn_arena_destroy(arena);
  return 0;
}
