/* build.c - see build.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/build.h"

#include <string.h>

enum { MOST_OBJECTS = 96 };

#define MODEL_FLAGS "-std=c11 -Imodel"
#define FIRMWARE_FLAGS "-std=gnu11 -Ifirmware -Imodel"
/* How model.c is told to include the bench's hooks, and which. */
#define HOOKS_FLAGS "-std=c11 -Imodel -Ifirmware -DMN_HOOKS=\"hooks.h\" "

static mn_status objects_begin(mn_objects *objects, mn_workshop *shop) {
  *objects = (mn_objects){.path = mn_arena_array(shop->arena, MOST_OBJECTS, sizeof(char *)),
                          .room = MOST_OBJECTS};
  return objects->path != NULL ? MN_OK : mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
}

/* A list that starts as a copy of another. */
static mn_status objects_copy(mn_objects *objects, const mn_objects *from, mn_workshop *shop) {
  MN_TRY(objects_begin(objects, shop));
  memcpy(objects->path, from->path, (size_t)from->count * sizeof *from->path);
  objects->count = from->count;
  return MN_OK;
}

static bool ends_with(const char *text, const char *end) {
  size_t length = strlen(text), tail = strlen(end);
  return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Everything emitted but model.c, which is compiled in three ways. */
static mn_status compile_rest(mn_objects *objects, mn_workshop *shop,
                              const mn_emit_result *emitted) {
  for (int32_t i = 0; i < emitted->file_count; i++) {
    const char *name = emitted->files[i];
    if (!ends_with(name, ".c") || strcmp(name, "model.c") == 0) continue;
    const char *source = mn_arena_text(shop->arena, "model/%s", name);
    if (source == NULL) return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
    MN_TRY(mn_compile(shop, objects, "model", MODEL_FLAGS, &source, 1));
  }
  return MN_OK;
}

static mn_status compile_model(mn_objects *objects, mn_workshop *shop, const char *group,
                               const char *flags) {
  static const char *const source[] = {"model/model.c"};
  return mn_compile(shop, objects, group, flags, source, 1);
}

/* Start-up and what the bench program needs besides its main. */
static mn_status compile_firmware(mn_objects *objects, mn_workshop *shop) {
  static const char *const sources[] = {
      "firmware/startup.c", "firmware/io_semihost.c", "firmware/semihost.c", "firmware/line.c",
      "firmware/mark.c",    "firmware/crc32.c",       "firmware/stack.S"};
  return mn_compile(shop, objects, "firmware", FIRMWARE_FLAGS, sources, (int32_t)MN_COUNT(sources));
}

/* A frame for the counter, where the model takes frames and the core has room for one. */
static mn_status compile_frame(mn_objects *objects, mn_workshop *shop, bool sees) {
  enum { LEAST_SRAM = 96 * 1024 };
  bool room = shop->target->sram_bytes >= LEAST_SRAM;
  const char *const source[] = {sees && room ? "firmware/frame_image.c" : "firmware/frame_none.c"};
  return mn_compile(shop, objects, "firmware", FIRMWARE_FLAGS, source, 1);
}

/* One bench program: `common` objects, model.c and bench_main.c with the hooks that `hooks` asks
 * for. */
static mn_status build_bench_with(mn_workshop *shop, const char *linker, const char *program,
                                  const char *group, const char *hooks, const mn_objects *common) {
  static const char *const bench_main[] = {"firmware/bench_main.c"};
  mn_objects objects;
  const char *model_flags = mn_arena_text(shop->arena, "%s%s", HOOKS_FLAGS, hooks);
  const char *main_flags = mn_arena_text(shop->arena, "%s %s", FIRMWARE_FLAGS, hooks);
  if (model_flags == NULL || main_flags == NULL)
    return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  MN_TRY(objects_copy(&objects, common, shop));
  MN_TRY(compile_model(&objects, shop, group, model_flags));
  MN_TRY(mn_compile(shop, &objects, group, main_flags, bench_main, 1));
  return mn_link_with(shop, linker, program, "mn_reset", &objects);
}

static mn_status build_bench(mn_workshop *shop, const char *program, const char *group,
                             const char *hooks, const mn_objects *common) {
  return build_bench_with(shop, shop->target->linker, program, group, hooks, common);
}

static mn_status build_size(mn_workshop *shop, const mn_objects *model, bool sees) {
  const char *const size_main[] = {sees ? "firmware/size_image.c" : "firmware/size_main.c"};
  mn_objects objects;
  MN_TRY(objects_copy(&objects, model, shop));
  MN_TRY(mn_compile(shop, &objects, "size", FIRMWARE_FLAGS, size_main, 1));
  return mn_link(shop, MN_PROGRAM_SIZE, "mn_size_main", &objects);
}

/* Emits the model, unpacks the firmware; `rest` gets the model's objects but for model.c. */
static mn_status build_rest(mn_objects *rest, mn_workshop *shop, const mn_plan *plan,
                            const mn_model *source) {
  mn_emit_result emitted;
  mn_emit_config config = {.folder = mn_arena_text(shop->arena, "%s/model", shop->folder),
                           .prefix = "model",
                           .watch = true};
  if (config.folder == NULL) return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  MN_TRY(mn_emit_c(&emitted, shop->arena, plan, source, &config, shop->error));
  MN_TRY(mn_firmware_unpack(shop));
  MN_TRY(objects_begin(rest, shop));
  return compile_rest(rest, shop, &emitted);
}

/* The same, and `common` gets those and the firmware's. */
static mn_status build_common(mn_objects *rest, mn_objects *common, mn_workshop *shop,
                              const mn_plan *plan, const mn_model *source) {
  MN_TRY(build_rest(rest, shop, plan, source));
  MN_TRY(objects_copy(common, rest, shop));
  MN_TRY(compile_frame(common, shop, source->frontend.kind == MN_FRONTEND_IMAGE));
  return compile_firmware(common, shop);
}

mn_status mn_build_board(mn_workshop *shop, const mn_plan *plan, const mn_model *source,
                         uint32_t model_id) {
  const char *board = mn_arena_text(shop->arena, "firmware/%s", shop->target->serial_board);
  const char *flags = mn_arena_text(shop->arena, FIRMWARE_FLAGS " -DMN_MODEL_ID=0x%08xu", model_id);
  if (board == NULL || flags == NULL)
    return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  const char *const sources[] = {"firmware/startup.c", "firmware/io_serial.c", "firmware/line.c",
                                 "firmware/crc32.c",   "firmware/stack.S",     board};
  mn_objects common;
  MN_TRY(build_rest(&common, shop, plan, source));
  MN_TRY(compile_frame(&common, shop, false)); /* a board's memory is its own */
  MN_TRY(mn_compile(shop, &common, "serial", flags, sources, (int32_t)MN_COUNT(sources)));
  return build_bench_with(shop, shop->target->serial_linker, MN_PROGRAM_BOARD, "board",
                          "-DMN_BENCH_BOARD", &common);
}

static mn_status build_marks(mn_workshop *shop, const mn_objects *common) {
  return build_bench(shop, MN_PROGRAM_MARKS, "marks", "-DMN_BENCH_MARKS", common);
}

mn_status mn_build_marks(mn_workshop *shop, mn_objects *firmware, const mn_plan *plan,
                         const mn_model *source) {
  mn_objects common;
  MN_TRY(build_rest(&common, shop, plan, source));
  if (firmware->count == 0) {
    MN_TRY(objects_begin(firmware, shop));
    MN_TRY(compile_frame(firmware, shop, false));
    MN_TRY(compile_firmware(firmware, shop));
  }
  for (int32_t i = 0; i < firmware->count && common.count < common.room; i++)
    common.path[common.count++] = firmware->path[i];
  return build_marks(shop, &common);
}

mn_status mn_build_programs(mn_objects *model, mn_workshop *shop, const mn_plan *plan,
                            const mn_model *source) {
  mn_objects rest, common;
  MN_TRY(build_common(&rest, &common, shop, plan, source));
  MN_TRY(build_bench(shop, MN_PROGRAM_PLAIN, "plain", "-DMN_BENCH_PLAIN", &common));
  MN_TRY(build_marks(shop, &common));
  MN_TRY(build_bench(shop, MN_PROGRAM_WATCH, "watch", "-DMN_BENCH_WATCH", &common));

  MN_TRY(objects_copy(model, &rest, shop));
  MN_TRY(compile_model(model, shop, "model", MODEL_FLAGS));
  return build_size(shop, model, source->frontend.kind == MN_FRONTEND_IMAGE);
}
