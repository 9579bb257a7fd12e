/* net_support.h - what the tests of room net share: an arena per test, parse, print, lower.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TEST_NET_SUPPORT_H
#define MN_TEST_NET_SUPPORT_H

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/net.h"

static mn_arena *arena;
static mn_error error;

static inline int fresh(void **state) {
  (void)state;
  error = (mn_error){{0}};
  return mn_arena_create(&arena) != MN_OK;
}

static inline int done(void **state) {
  (void)state;
  mn_arena_destroy(arena);
  return 0;
}

static inline mn_net *parse(const char *text) {
  mn_net *net = NULL;
  mn_bytes bytes = {(const uint8_t *)text, strlen(text)};
  assert_ok(mn_net_parse(&net, arena, "x.net", bytes, &error), &error);
  return net;
}

static inline char *printed(const mn_net *net, const mn_pick *pick) {
  mn_buffer buffer = {0};
  mn_sink sink = mn_buffer_sink(&buffer);
  assert_int_equal(mn_net_print(&sink, net, pick), MN_OK);
  char *text = mn_arena_text(arena, "%.*s", (int)buffer.size, (const char *)buffer.data);
  mn_buffer_free(&buffer);
  return text;
}

static inline const mn_graph *lower(const mn_net *net, const mn_pick *pick) {
  const mn_graph *graph = NULL;
  assert_ok(mn_net_lower(&graph, arena, net, pick, &error), &error);
  return graph;
}

static inline mn_pick pick_of(const mn_net *net) {
  mn_pick pick;
  assert_int_equal(mn_pick_create(&pick, arena, net), MN_OK);
  return pick;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

#endif
