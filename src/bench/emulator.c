/* emulator.c - see emulator.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/emulator.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "bench/process.h"
#include "emit/embedded.h"
#include "mark.h"

enum { COMPILE_SECONDS = 600, EMULATE_SECONDS = 1800 };

static mn_status no_memory(const mn_workshop *shop) {
  return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
}

/* Runs a tool in the work folder. A tool that fails is quoted: its first line that says "error". */
static mn_status run_tool(mn_workshop *shop, mn_arguments *list, const char *log, double seconds,
                          int *exit_code) {
  MN_TRY(mn_arguments_end(list, shop->error));
  const char *path = mn_arena_text(shop->arena, "%s/%s", shop->folder, log);
  if (path == NULL) return no_memory(shop);
  mn_process process = {.arguments = list->item,
                        .folder = shop->folder,
                        .output = path,
                        .seconds = seconds,
                        .monitor = shop->monitor};
  return mn_process_run(&process, exit_code, shop->error);
}

/* The line of a log that tells most: the first with "error", else the first. */
static const char *telling_line(mn_workshop *shop, const char *log) {
  mn_bytes text = {0};
  const char *path = mn_arena_text(shop->arena, "%s/%s", shop->folder, log);
  if (path == NULL || mn_file_read(&text, shop->arena, path, 0, NULL) != MN_OK || text.size == 0)
    return "(it said nothing)";
  const char *start = (const char *)text.data, *at = strstr(start, "error");
  if (at == NULL) at = start;
  while (at > start && at[-1] != '\n') at--;
  return mn_arena_text(shop->arena, "%.*s", (int)strcspn(at, "\n"), at);
}

/* ---- Compiling ------------------------------------------------------------------------------*/

static const char *object_name(mn_arena *arena, const char *group, const char *source) {
  const char *slash = strrchr(source, '/');
  const char *name = slash != NULL ? slash + 1 : source;
  return mn_arena_text(arena, "objects/%s/%.*s.o", group, (int)strcspn(name, "."), name);
}

static mn_status compile_one(mn_workshop *shop, const char *object, const char *flags,
                             const char *source) {
  mn_arguments list;
  MN_TRY(mn_arguments_begin(&list, shop->arena, shop->error));
  mn_arguments_add(&list, MN_ARM_COMPILER);
  mn_arguments_words(&list, shop->target->cpu_flags);
  mn_arguments_words(&list,
                     "-O2 -ffunction-sections -fdata-sections -fstack-usage -Wall -Wextra -Werror");
  mn_arguments_words(&list, flags);
  mn_arguments_words(&list, "-c -o");
  mn_arguments_add(&list, "%s", object);
  mn_arguments_add(&list, "%s", source);
  int exit_code = 0;
  MN_TRY(run_tool(shop, &list, "compile.log", COMPILE_SECONDS, &exit_code));
  if (exit_code == 0) return MN_OK;
  return mn_error_set(shop->error, MN_ERR_FAILED, "%s/%s: %s failed: %s", shop->folder, source,
                      MN_ARM_COMPILER, telling_line(shop, "compile.log"));
}

mn_status mn_compile(mn_workshop *shop, mn_objects *objects, const char *group, const char *flags,
                     const char *const *sources, int32_t count) {
  const char *folder = mn_arena_text(shop->arena, "%s/objects/%s", shop->folder, group);
  if (folder == NULL) return no_memory(shop);
  MN_TRY(mn_folder_make(folder, shop->error));
  for (int32_t i = 0; i < count; i++) {
    const char *object = object_name(shop->arena, group, sources[i]);
    if (object == NULL) return no_memory(shop);
    if (objects->count == objects->room)
      return mn_error_set(shop->error, MN_ERR_FAILED, "too many objects to link");
    MN_TRY(compile_one(shop, object, flags, sources[i]));
    objects->path[objects->count++] = object;
  }
  return MN_OK;
}

mn_status mn_link(mn_workshop *shop, const char *program, const char *entry,
                  const mn_objects *objects) {
  return mn_link_with(shop, shop->target->linker, program, entry, objects);
}

mn_status mn_link_with(mn_workshop *shop, const char *linker, const char *program,
                       const char *entry, const mn_objects *objects) {
  mn_arguments list;
  MN_TRY(mn_arguments_begin(&list, shop->arena, shop->error));
  mn_arguments_add(&list, MN_ARM_COMPILER);
  mn_arguments_words(&list, shop->target->cpu_flags);
  mn_arguments_words(&list, "-nostartfiles -Wl,--gc-sections");
  mn_arguments_add(&list, "-Wl,-e,%s", entry);
  mn_arguments_add(&list, "-Lfirmware");
  mn_arguments_add(&list, "-Tfirmware/%s", linker);
  for (int32_t i = 0; i < objects->count; i++) mn_arguments_add(&list, "%s", objects->path[i]);
  mn_arguments_words(&list, "-o");
  mn_arguments_add(&list, "%s", program);
  int exit_code = 0;
  MN_TRY(run_tool(shop, &list, "link.log", COMPILE_SECONDS, &exit_code));
  if (exit_code == 0) return MN_OK;
  return mn_error_set(shop->error, MN_ERR_FAILED, "%s/%s: linking failed: %s", shop->folder,
                      program, telling_line(shop, "link.log"));
}

mn_status mn_compiler_version(mn_workshop *shop, const char **version) {
  mn_arguments list;
  mn_bytes text = {0};
  int exit_code = 0;
  const char *path = mn_arena_text(shop->arena, "%s/version.log", shop->folder);
  if (path == NULL) return no_memory(shop);
  MN_TRY(mn_arguments_begin(&list, shop->arena, shop->error));
  mn_arguments_words(&list, MN_ARM_COMPILER " --version");
  MN_TRY(run_tool(shop, &list, "version.log", COMPILE_SECONDS, &exit_code));
  MN_TRY(mn_file_read(&text, shop->arena, path, 0, shop->error));
  const char *line = (const char *)text.data;
  *version = mn_arena_text(shop->arena, "%.*s", (int)strcspn(line, "\n"), line);
  return *version != NULL ? MN_OK : no_memory(shop);
}

mn_status mn_firmware_unpack(mn_workshop *shop) {
  static const char start[] = "firmware/";
  const char *folder = mn_arena_text(shop->arena, "%s/firmware", shop->folder);
  if (folder == NULL) return no_memory(shop);
  MN_TRY(mn_folder_make(folder, shop->error));
  for (int32_t i = 0; i < mn_embedded_file_count; i++) {
    const mn_embedded_file *file = &mn_embedded_files[i];
    if (strncmp(file->name, start, sizeof start - 1) != 0) continue;
    const char *path = mn_arena_text(shop->arena, "%s/%s", shop->folder, file->name);
    if (path == NULL) return no_memory(shop);
    MN_TRY(mn_file_write(path, file->data, file->size, shop->error));
  }
  return MN_OK;
}

/* ---- Running --------------------------------------------------------------------------------*/

/* The counter that QEMU loads: beside the program, in lib/micronets of an installation, or where it
 * was built. */
static const char *plugin_path(mn_arena *arena) {
  static const char *const places[] = {"", "/../lib/micronets", "/.."};
  char folder[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
  if (length <= 0) length = 0;
  folder[length] = '\0';
  char *slash = strrchr(folder, '/');
  if (slash != NULL) *slash = '\0';
  for (size_t i = 0; slash != NULL && i < MN_COUNT(places); i++) {
    const char *path = mn_arena_text(arena, "%s%s/micronets-count.so", folder, places[i]);
    if (path != NULL && mn_file_exists(path)) return path;
  }
  return mn_file_exists(MN_COUNT_PLUGIN) ? MN_COUNT_PLUGIN : NULL;
}

/* QEMU's options are lists with commas; a comma of a path is written twice. */
static const char *escape_commas(mn_arena *arena, const char *path) {
  char *escaped = mn_arena_array(arena, 2 * strlen(path) + 1, 1);
  size_t length = 0;
  for (const char *at = path; escaped != NULL && *at != '\0'; at++) {
    if (*at == ',') escaped[length++] = ',';
    escaped[length++] = *at;
  }
  return escaped; /* the arena gives zeros: it ends */
}

static mn_status add_plugin(mn_workshop *shop, mn_arguments *list, const mn_emulation *run) {
  const char *plugin = plugin_path(shop->arena);
  if (plugin == NULL)
    return mn_error_set(
        shop->error, MN_ERR_FAILED,
        "micronets-count.so was not found beside the program; build it with the program");
  const char *path = mn_arena_text(shop->arena, "%s/%s", shop->folder, run->program);
  const char *escaped = escape_commas(shop->arena, plugin);
  mn_elf elf;
  if (path == NULL || escaped == NULL) return no_memory(shop);
  MN_TRY(mn_elf_read(&elf, shop->arena, path, shop->error));
  const mn_elf_symbol *mark = mn_elf_find(&elf, "mn_bench_mark"),
                      *port = mn_elf_find(&elf, "mn_bench_port");
  if (mark == NULL || port == NULL)
    return mn_error_set(shop->error, MN_ERR_FAILED, "%s has no marks to count between",
                        run->program);
  mn_arguments_add(list, "-plugin");
  mn_arguments_add(list, "%s,out=%s,mark=%x:%x,port=%x,regions=%d", escaped, run->counts,
                   mark->value & ~1u, mark->size, port->value, MN_REGIONS);
  return MN_OK;
}

mn_status mn_emulate(mn_workshop *shop, mn_emulation *run) {
  mn_arguments list;
  const char *log = mn_arena_text(shop->arena, "%s.log", run->program);
  if (log == NULL) return no_memory(shop);
  MN_TRY(mn_arguments_begin(&list, shop->arena, shop->error));
  mn_arguments_add(&list, MN_EMULATOR);
  mn_arguments_words(&list, "-nographic -monitor none -serial none -M");
  mn_arguments_add(&list, "%s", shop->target->machine);
  mn_arguments_add(&list, "-semihosting-config");
  mn_arguments_add(&list, "enable=on,target=native%s%s", run->argument != NULL ? ",arg=" : "",
                   run->argument != NULL ? run->argument : "");
  if (run->counts != NULL) MN_TRY(add_plugin(shop, &list, run));
  mn_arguments_add(&list, "-kernel");
  mn_arguments_add(&list, "%s", run->program);
  int exit_code = 0;
  MN_TRY(run_tool(shop, &list, log, EMULATE_SECONDS, &exit_code));
  if (exit_code != 0)
    return mn_error_set(shop->error, MN_ERR_FAILED, "%s on %s ended with %d: %s", run->program,
                        shop->target->machine, exit_code, telling_line(shop, log));
  const char *path = mn_arena_text(shop->arena, "%s/%s", shop->folder, log);
  if (path == NULL) return no_memory(shop);
  return mn_file_read(&run->output, shop->arena, path, 0, shop->error);
}
