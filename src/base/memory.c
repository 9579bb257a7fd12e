/* memory.c - the one heap hook, and arenas on top of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/base.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *plain_reallocate(void *context, void *memory, size_t size) {
  (void)context;
  if (size == 0) {
    free(memory);
    return NULL;
  }
  return realloc(memory, size);
}

static mn_heap heap = {plain_reallocate, NULL};

void mn_heap_set(const mn_heap *hook) {
  heap = hook != NULL ? *hook : (mn_heap){plain_reallocate, NULL};
}

void *mn_malloc(size_t size) {
  return heap.reallocate(heap.context, NULL, size > 0 ? size : 1);
}

void *mn_calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
  void *memory = mn_malloc(bytes);
  if (memory != NULL) memset(memory, 0, bytes);
  return memory;
}

void *mn_realloc(void *memory, size_t size) {
  return heap.reallocate(heap.context, memory, size > 0 ? size : 1);
}

void mn_free(void *memory) {
  if (memory != NULL) heap.reallocate(heap.context, memory, 0);
}

/* The pointer that the heap gave stands just before the aligned block. */
void *mn_malloc_aligned(size_t size, size_t alignment) {
  assert(alignment >= sizeof(void *) && (alignment & (alignment - 1)) == 0);
  size_t bytes;
  if (__builtin_add_overflow(size, alignment + sizeof(void *), &bytes)) return NULL;
  char *memory = mn_malloc(bytes);
  if (memory == NULL) return NULL;
  uintptr_t start =
      ((uintptr_t)memory + sizeof(void *) + alignment - 1) & ~(uintptr_t)(alignment - 1);
  ((void **)start)[-1] = memory;
  return (void *)start;
}

void mn_free_aligned(void *memory) {
  if (memory != NULL) mn_free(((void **)memory)[-1]);
}

/* ---- Arena: a list of chunks, newest first; nothing in it ever moves. ----------------------- */

enum { ALIGNMENT = 16, FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20 };

typedef struct chunk {
  struct chunk *older;
  size_t size, used;
  max_align_t data[];
} chunk;

struct mn_arena {
  chunk *newest;
  size_t total, peak, next_size;
};

mn_status mn_arena_create(mn_arena **arena) {
  mn_arena *made = mn_calloc(1, sizeof *made);
  if (made == NULL) return MN_ERR_MEMORY;
  made->next_size = FIRST_CHUNK;
  *arena = made;
  return MN_OK;
}

void mn_arena_destroy(mn_arena *arena) {
  if (arena == NULL) return;
  mn_arena_release(arena, (mn_arena_mark){NULL, 0});
  mn_free(arena);
}

static chunk *grow(mn_arena *arena, size_t size) {
  size_t capacity = arena->next_size > size ? arena->next_size : size;
  size_t bytes;
  if (__builtin_add_overflow(sizeof(chunk), capacity, &bytes)) return NULL;
  chunk *made = mn_malloc(bytes);
  if (made == NULL) return NULL;
  *made = (chunk){.older = arena->newest, .size = capacity};
  arena->newest = made;
  if (arena->next_size < LARGEST_CHUNK) arena->next_size *= 2;
  return made;
}

void *mn_arena_alloc(mn_arena *arena, size_t size) {
  if (size > SIZE_MAX - ALIGNMENT) return NULL;
  size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
  if (size == 0) size = ALIGNMENT;
  chunk *top = arena->newest;
  if (top == NULL || top->size - top->used < size) top = grow(arena, size);
  if (top == NULL) return NULL;
  void *memory = (char *)top->data + top->used;
  top->used += size;
  arena->total += size;
  if (arena->total > arena->peak) arena->peak = arena->total;
  memset(memory, 0, size);
  return memory;
}

void *mn_arena_array(mn_arena *arena, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
  return mn_arena_alloc(arena, bytes);
}

void *mn_arena_copy(mn_arena *arena, const void *data, size_t size) {
  void *memory = mn_arena_alloc(arena, size);
  if (memory != NULL && size > 0) memcpy(memory, data, size);
  return memory;
}

char *mn_arena_text(mn_arena *arena, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  char *text = length < 0 ? NULL : mn_arena_alloc(arena, (size_t)length + 1);
  if (text != NULL) vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  return text;
}

size_t mn_arena_peak(const mn_arena *arena) {
  return arena->peak;
}

mn_arena_mark mn_arena_mark_get(const mn_arena *arena) {
  chunk *top = arena->newest;
  return (mn_arena_mark){top, top != NULL ? top->used : 0};
}

void mn_arena_release(mn_arena *arena, mn_arena_mark mark) {
  while (arena->newest != NULL && arena->newest != mark.chunk) {
    chunk *gone = arena->newest;
    arena->newest = gone->older;
    arena->total -= gone->used;
    mn_free(gone);
  }
  if (arena->newest == NULL) return;
  arena->total -= arena->newest->used - mark.used;
  arena->newest->used = mark.used;
}
