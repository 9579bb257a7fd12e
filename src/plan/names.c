/* names.c - see names.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/names.h"

#include <ctype.h>
#include <string.h>

#define LONGEST 40

typedef struct word {
  char text[LONGEST + 1];
} word;

/* Letters, digits and single underscores of a name, its end rather than its start where it is long. */
static word identifier(const char *name) {
  word out = {{0}};
  size_t length = name != NULL ? strlen(name) : 0, used = 0;
  const char *from = length > LONGEST ? name + (length - LONGEST) : name;
  for (; from != NULL && *from != '\0'; from++) {
    bool plain = isalnum((unsigned char)*from) != 0;
    if (plain)
      out.text[used++] = *from;
    else if (used > 0 && out.text[used - 1] != '_')
      out.text[used++] = '_';
  }
  while (used > 0 && out.text[used - 1] == '_') used--;
  out.text[used] = '\0';
  return out;
}

static bool taken(const mn_graph *graph, int32_t op, const char *name) {
  for (int32_t i = 0; i < graph->op_count; i++) {
    word other = identifier(graph->ops[i].name);
    if (i != op && strcmp(other.text, name) == 0) return true;
  }
  return false;
}

const char *mn_constant_name(mn_arena *arena, const mn_graph *graph, int32_t op, const char *role) {
  word name = identifier(graph->ops[op].name);
  bool usable = name.text[0] != '\0' && !isdigit((unsigned char)name.text[0]);
  if (usable && !taken(graph, op, name.text)) return mn_arena_text(arena, "%s_%s", name.text, role);
  return mn_arena_text(arena, "op%d_%s%s%s", op, name.text, name.text[0] != '\0' ? "_" : "", role);
}
