/* code_size_cache.c - code sizes of the compiler at hand: measured once, kept in a folder under a name
 * that changes with the compiler, the sources and the flags.
 *
 * The file: one line per symbol, "SYMBOL TEXT STACK", then "end".
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/emulator.h"
#include "bench/scratch.h"
#include "micronets/bench.h"

enum { MOST_ROWS = 64 };

/* Where the compiler's answer, and then the measuring, goes. */
typedef struct refresh {
  mn_arena *arena;
  const mn_target *target;
  const char *scratch;
  const mn_monitor *monitor;
  mn_error *error;
  const char *compiler; /* NULL: there is none */
} refresh;

static mn_status no_memory(refresh *r) {
  return mn_error_set(r->error, MN_ERR_MEMORY, "out of memory");
}

/* A machine without the compiler is no error: the shipped table serves it. */
static mn_status ask_compiler(refresh *r) {
  mn_workshop shop = {.target = r->target,
                      .folder = r->scratch,
                      .arena = r->arena,
                      .monitor = r->monitor,
                      .error = NULL};
  mn_status status = mn_compiler_version(&shop, &r->compiler);
  if (status == MN_ERR_FAILED) r->compiler = NULL;
  return status == MN_ERR_FAILED ? MN_OK : status;
}

static bool shipped_serves(const refresh *r) {
  const mn_code_sizes *shipped = &mn_code_sizes_shipped;
  if (r->compiler == NULL) return true;
  if (strcmp(shipped->compiler, r->compiler) != 0 ||
      shipped->sources_hash != mn_bench_sources_hash())
    return false;
  for (int32_t i = 0; i < shipped->table_count; i++)
    if (strcmp(shipped->tables[i].cpu_flags, r->target->cpu_flags) == 0) return true;
  return false;
}

static const char *cache_path(const refresh *r, const char *folder) {
  uint64_t key = mn_bench_sources_hash();
  key = mn_hash64(key, r->compiler, strlen(r->compiler));
  key = mn_hash64(key, r->target->cpu_flags, strlen(r->target->cpu_flags));
  key = mn_hash64(key, r->target->kernels, strlen(r->target->kernels));
  return mn_arena_text(r->arena, "%s/code-size-%016llx.txt", folder, (unsigned long long)key);
}

/* A file that is damaged is as good as none: false. */
static bool read_rows(mn_code_size *rows, int32_t *count, refresh *r, const char *path) {
  mn_bytes text = {0};
  *count = 0;
  if (path == NULL || !mn_file_exists(path) ||
      mn_file_read(&text, r->arena, path, 1 << 20, NULL) != MN_OK)
    return false;
  for (const char *at = (const char *)text.data; *at != '\0' && *count < MOST_ROWS;) {
    char symbol[96];
    mn_code_size *row = &rows[*count];
    if (strcmp(at, "end\n") == 0) return true;
    if (sscanf(at, "%95s %d %d", symbol, &row->text_bytes, &row->stack_bytes) != 3) return false;
    row->symbol = mn_arena_text(r->arena, "%s", symbol);
    if (row->symbol == NULL) return false;
    (*count)++;
    at += strcspn(at, "\n");
    at += *at == '\n';
  }
  return false;
}

/* A cache that cannot be written (or NULL: none) costs time, nothing else. */
static void write_rows(refresh *r, const char *folder, const char *path,
                       const mn_code_size_table *table) {
  mn_buffer text = {0};
  mn_sink sink = mn_buffer_sink(&text);
  if (folder == NULL) return;
  mn_status status = mn_folder_make(folder, NULL);
  for (int32_t i = 0; i < table->row_count && status == MN_OK; i++)
    status = mn_sink_printf(&sink, "%s %d %d\n", table->rows[i].symbol, table->rows[i].text_bytes,
                            table->rows[i].stack_bytes);
  if (status == MN_OK) status = mn_sink_printf(&sink, "end\n");
  if (status == MN_OK) status = mn_file_write(path, text.data, text.size, NULL);
  if (status != MN_OK)
    mn_monitor_message(r->monitor, MN_LEVEL_NOTE, "%s: code sizes could not be kept there", folder);
  mn_buffer_free(&text);
}

static mn_status refresh_in(refresh *r, const char *folder) {
  MN_TRY(ask_compiler(r));
  if (shipped_serves(r)) return MN_OK;
  const char *path = folder != NULL ? cache_path(r, folder) : NULL;
  mn_code_size *rows = mn_arena_array(r->arena, MOST_ROWS, sizeof *rows);
  mn_code_sizes *sizes = mn_arena_alloc(r->arena, sizeof *sizes);
  mn_code_size_table *table = mn_arena_alloc(r->arena, sizeof *table);
  if (rows == NULL || sizes == NULL || table == NULL) return no_memory(r);
  int32_t count = 0;
  if (read_rows(rows, &count, r, path)) {
    *table = (mn_code_size_table){r->target->core, r->target->cpu_flags, rows, count};
    *sizes = (mn_code_sizes){r->compiler, mn_bench_sources_hash(), table, 1};
  } else {
    mn_monitor_message(r->monitor, MN_LEVEL_NOTE, "measuring code sizes with %s", r->compiler);
    MN_TRY(mn_bench_code_sizes(sizes, r->arena, &r->target, 1, r->scratch, r->monitor, r->error));
    write_rows(r, folder, path, &sizes->tables[0]);
  }
  mn_target_code_sizes_use(sizes);
  return MN_OK;
}

mn_status mn_bench_code_sizes_refresh(mn_arena *arena, const mn_target *target,
                                      const char *cache_folder, const mn_monitor *monitor,
                                      mn_error *error) {
  refresh r = {.arena = arena, .target = target, .monitor = monitor, .error = error};
  if (target->linker == NULL) return MN_OK; /* nothing can be linked for it */
  MN_TRY(mn_scratch_make(&r.scratch, arena, error));
  mn_status status = refresh_in(&r, cache_folder);
  mn_scratch_remove(r.scratch);
  return status;
}
