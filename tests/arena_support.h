/* arena_support.h - what most unit tests of graphs and speech hold: an arena and an error, fresh for each.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TEST_ARENA_SUPPORT_H
#define MN_TEST_ARENA_SUPPORT_H

#include "support.h"

static mn_arena *arena;
static mn_error error;

static int fresh(void **state) {
  (void)state;
  error = (mn_error){{0}};
  return mn_arena_create(&arena) != MN_OK;
}

static int done(void **state) {
  (void)state;
  mn_arena_destroy(arena);
  return 0;
}

#endif
