/* callgraph.c - see callgraph.h. One section per function (-ffunction-sections), so the section of
 * a relocation is the caller and its symbol what is called; a constant that code refers to is a
 * node too, of no frame. SPDX-License-Identifier: Apache-2.0 */
#include "bench/callgraph.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_UNKNOWN = -1, DEPTH_NOT_YET = -2, DEPTH_UNDER_WAY = -3 };

/* One section of one object. */
typedef struct node {
  const char *name; /* of the function in it, or NULL */
  int64_t frame;    /* -1 unknown */
  int64_t bytes;
  int64_t depth;
} node;

typedef struct edge {
  int32_t from, to; /* nodes; to -1: a library's function */
} edge;

struct mn_callgraph {
  mn_workshop *shop;
  mn_elf *objects;
  int32_t *first; /* [object]: its first node; node = first + section */
  node *nodes;
  edge *edges;         /* sorted by `from` */
  int32_t *edge_start; /* [node + 1] */
  int32_t object_count, node_count, edge_count;
};

static mn_status no_memory(mn_callgraph *g) {
  return mn_error_set(g->shop->error, MN_ERR_MEMORY, "out of memory");
}

/* The frame of `name` in a .su file: lines "file:line:column:name<tab>bytes<tab>kind". */
static int64_t frame_of(const char *text, const char *name) {
  size_t length = strlen(name);
  while (text != NULL && *text != '\0') {
    size_t line = strcspn(text, "\n");
    const char *tab = memchr(text, '\t', line);
    if (tab != NULL && (size_t)(tab - text) > length && tab[-1 - (ptrdiff_t)length] == ':' &&
        memcmp(tab - length, name, length) == 0) {
      const char *kind = memchr(tab + 1, '\t', line - (size_t)(tab + 1 - text));
      bool fixed =
          kind != NULL && (strncmp(kind, "\tstatic", 7) == 0 || strstr(kind, "bounded") != NULL);
      return fixed ? atoll(tab + 1) : DEPTH_UNKNOWN;
    }
    text += line + (text[line] == '\n');
  }
  return 0; /* assembly, or a part that was split off: no frame of its own */
}

static mn_status read_object(mn_callgraph *g, int32_t index, const char *object) {
  mn_workshop *shop = g->shop;
  const char *path = mn_arena_text(shop->arena, "%s/%s", shop->folder, object);
  const char *usage =
      mn_arena_text(shop->arena, "%s/%.*s.su", shop->folder, (int)strlen(object) - 2, object);
  if (path == NULL || usage == NULL) return no_memory(g);
  MN_TRY(mn_elf_read(&g->objects[index], shop->arena, path, shop->error));
  mn_bytes frames = {0};
  if (mn_file_exists(usage)) MN_TRY(mn_file_read(&frames, shop->arena, usage, 0, shop->error));
  const mn_elf *elf = &g->objects[index];
  node *nodes = g->nodes + g->first[index];
  for (int32_t i = 0; i < elf->section_count; i++) {
    bool loaded = (elf->sections[i].flags & MN_ELF_ALLOC) != 0;
    nodes[i] = (node){.bytes = loaded ? elf->sections[i].size : 0, .depth = DEPTH_NOT_YET};
  }
  for (int32_t i = 0; i < elf->symbol_count; i++) {
    const mn_elf_symbol *symbol = &elf->symbols[i];
    if (!symbol->function || symbol->section < 0) continue;
    nodes[symbol->section].name = symbol->name;
    nodes[symbol->section].frame = frame_of((const char *)frames.data, symbol->name);
  }
  return MN_OK;
}

/* The node that a symbol of an object stands for: its own section, or that of the global it names.
 */
static int32_t node_of(const mn_callgraph *g, int32_t object, const mn_elf_symbol *symbol) {
  if (symbol->section >= 0) return g->first[object] + symbol->section;
  for (int32_t i = 0; i < g->object_count; i++) {
    const mn_elf_symbol *found = mn_elf_find(&g->objects[i], symbol->name);
    if (found != NULL && found->global) return g->first[i] + found->section;
  }
  return -1;
}

static int by_from(const void *a, const void *b) {
  const edge *x = a, *y = b;
  if (x->from != y->from) return x->from < y->from ? -1 : 1;
  return x->to < y->to ? -1 : x->to > y->to;
}

static mn_status connect(mn_callgraph *g) {
  int32_t room = 0;
  for (int32_t i = 0; i < g->object_count; i++) room += g->objects[i].relocation_count;
  g->edges = mn_arena_array(g->shop->arena, (size_t)room + 1, sizeof *g->edges);
  g->edge_start = mn_arena_array(g->shop->arena, (size_t)g->node_count + 1, sizeof *g->edge_start);
  if (g->edges == NULL || g->edge_start == NULL) return no_memory(g);
  for (int32_t i = 0; i < g->object_count; i++) {
    const mn_elf *elf = &g->objects[i];
    for (int32_t k = 0; k < elf->relocation_count; k++) {
      const mn_elf_relocation *r = &elf->relocations[k];
      if (r->section >= elf->section_count || (elf->sections[r->section].flags & MN_ELF_ALLOC) == 0)
        continue;
      g->edges[g->edge_count++] =
          (edge){g->first[i] + r->section, node_of(g, i, &elf->symbols[r->symbol])};
    }
  }
  qsort(g->edges, (size_t)g->edge_count, sizeof *g->edges, by_from);
  for (int32_t n = 0, at = 0; n <= g->node_count; n++) {
    while (at < g->edge_count && g->edges[at].from < n) at++;
    g->edge_start[n] = at;
  }
  return MN_OK;
}

mn_status mn_callgraph_read(mn_callgraph **graph, mn_workshop *shop, const mn_objects *objects) {
  enum { MOST_SECTIONS = 512 };
  mn_callgraph *g = mn_arena_alloc(shop->arena, sizeof *g);
  if (g == NULL) return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  *g = (mn_callgraph){.shop = shop, .object_count = objects->count};
  size_t count = (size_t)objects->count;
  g->objects = mn_arena_array(shop->arena, count + 1, sizeof *g->objects);
  g->first = mn_arena_array(shop->arena, count + 1, sizeof *g->first);
  g->nodes = mn_arena_array(shop->arena, count * MOST_SECTIONS + 1, sizeof *g->nodes);
  if (g->objects == NULL || g->first == NULL || g->nodes == NULL) return no_memory(g);
  for (int32_t i = 0; i < g->object_count; i++) {
    g->first[i] = g->node_count;
    MN_TRY(read_object(g, i, objects->path[i]));
    if (g->objects[i].section_count > MOST_SECTIONS)
      return mn_error_set(shop->error, MN_ERR_FAILED, "%s has too many sections", objects->path[i]);
    g->node_count += g->objects[i].section_count;
  }
  MN_TRY(connect(g));
  *graph = g;
  return MN_OK;
}

static int32_t find_function(const mn_callgraph *g, const char *function) {
  for (int32_t i = 0; i < g->node_count; i++)
    if (g->nodes[i].name != NULL && strcmp(g->nodes[i].name, function) == 0) return i;
  return -1;
}

/* ---- Depth ----------------------------------------------------------------------------------*/

static int64_t depth_of(mn_callgraph *g, int32_t index) {
  node *n = &g->nodes[index];
  if (n->depth == DEPTH_UNDER_WAY) return DEPTH_UNKNOWN; /* recursion */
  if (n->depth != DEPTH_NOT_YET) return n->depth;
  n->depth = DEPTH_UNDER_WAY;
  int64_t below = 0;
  for (int32_t i = g->edge_start[index]; i < g->edge_start[index + 1] && below >= 0; i++) {
    int32_t to = g->edges[i].to;
    if (to == index) continue; /* a jump inside the function */
    int64_t depth = to < 0 ? MN_LIBRARY_STACK_BYTES : depth_of(g, to);
    below = depth < 0 ? DEPTH_UNKNOWN : depth > below ? depth : below;
  }
  n->depth = below < 0 || n->frame < 0 ? DEPTH_UNKNOWN : n->frame + below;
  return n->depth;
}

int64_t mn_callgraph_depth(mn_callgraph *graph, const char *function) {
  int32_t index = find_function(graph, function);
  return index < 0 ? DEPTH_UNKNOWN : depth_of(graph, index);
}
