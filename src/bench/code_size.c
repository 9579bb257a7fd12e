/* code_size.c - measures what code costs: every kernel linked alone, the front end, and the calls
 * of an emitted model, from two models of different length. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "bench/callgraph.h"
#include "bench/emulator.h"
#include "emit/embedded.h"
#include "micronets/bench.h"
#include "plan/kernel_table.h"

enum { MOST_ROWS = 256, MOST_OBJECTS = 96 };
/* A second input or scratch that the measured calls do not have; the wrapper around the front end.
 */
enum { CALL_SLACK_BYTES = 24, FEED_SLACK_BYTES = 64, FEED_SLACK_STACK = 32 };
/* What the compiler may keep of addresses from call to call, in the frame of the run. */
enum { RUN_SLACK_STACK = 40, TURN_SLACK_STACK = 32 };

uint64_t mn_bench_sources_hash(void) {
  uint64_t hash = 0;
  for (int32_t i = 0; i < mn_embedded_file_count; i++) {
    const mn_embedded_file *file = &mn_embedded_files[i];
    if (strncmp(file->name, "firmware/", 9) == 0) continue;
    hash = mn_hash64(hash, file->name, strlen(file->name));
    hash = mn_hash64(hash, file->data, file->size);
  }
  return hash;
}

static mn_status no_memory(mn_workshop *shop) {
  return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
}

/* ---- Kernels --------------------------------------------------------------------------------*/

/* Writes the sources as they are: headers included as "kernels/x.h" below the folder. */
static mn_status unpack_sources(mn_workshop *shop) {
  static const char *const folders[] = {"kernels", "features", "micronets"};
  for (size_t i = 0; i < MN_COUNT(folders); i++) {
    const char *folder = mn_arena_text(shop->arena, "%s/%s", shop->folder, folders[i]);
    if (folder == NULL) return no_memory(shop);
    MN_TRY(mn_folder_make(folder, shop->error));
  }
  for (int32_t i = 0; i < mn_embedded_file_count; i++) {
    const char *path = mn_arena_text(shop->arena, "%s/%s", shop->folder, mn_embedded_files[i].name);
    if (path == NULL) return no_memory(shop);
    if (strncmp(mn_embedded_files[i].name, "firmware/", 9) == 0) continue;
    MN_TRY(mn_file_write(path, mn_embedded_files[i].data, mn_embedded_files[i].size, shop->error));
  }
  return mn_firmware_unpack(shop);
}

static mn_status begin_objects(mn_objects *objects, mn_workshop *shop) {
  *objects = (mn_objects){.path = mn_arena_array(shop->arena, MOST_OBJECTS, sizeof(char *)),
                          .room = MOST_OBJECTS};
  return objects->path != NULL ? MN_OK : no_memory(shop);
}

/* Code and constants of what is reached from `entry`, library functions included. */
static mn_status linked_bytes(int64_t *bytes, mn_workshop *shop, const char *entry,
                              const mn_objects *objects) {
  mn_elf elf;
  const char *path = mn_arena_text(shop->arena, "%s/alone.elf", shop->folder);
  if (path == NULL) return no_memory(shop);
  MN_TRY(mn_link(shop, "alone.elf", entry, objects));
  MN_TRY(mn_elf_read(&elf, shop->arena, path, shop->error));
  *bytes = 0;
  for (int32_t i = 0; i < elf.section_count; i++)
    if ((elf.sections[i].flags & MN_ELF_ALLOC) != 0 && elf.sections[i].type != MN_ELF_NOBITS)
      *bytes += elf.sections[i].size;
  return MN_OK;
}

static mn_status measure_function(mn_code_size *row, mn_workshop *shop, const char *symbol,
                                  const mn_objects *objects) {
  mn_callgraph *graph = NULL;
  int64_t bytes = 0;
  MN_TRY(linked_bytes(&bytes, shop, symbol, objects));
  MN_TRY(mn_callgraph_read(&graph, shop, objects));
  int64_t depth = mn_callgraph_depth(graph, symbol);
  if (depth < 0)
    return mn_error_set(shop->error, MN_ERR_FAILED, "the stack of %s has no bound", symbol);
  *row = (mn_code_size){symbol, (int32_t)bytes, (int32_t)depth};
  return MN_OK;
}

static mn_status compile_sources(mn_objects *objects, mn_workshop *shop, const char *folder,
                                 const char *const *sources, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    size_t length = strlen(sources[i]);
    if (length < 2 || strcmp(sources[i] + length - 2, ".c") != 0) continue;
    const char *path = mn_arena_text(shop->arena, "%s/%s", folder, sources[i]);
    if (path == NULL) return no_memory(shop);
    MN_TRY(mn_compile(shop, objects, folder, "-std=c11 -I.", &path, 1));
  }
  return MN_OK;
}

static mn_status measure_kernel(mn_code_size *row, mn_workshop *shop, const mn_kernel_row *kernel) {
  mn_objects objects;
  int32_t count = 0;
  while (kernel->sources[count] != NULL) count++;
  MN_TRY(begin_objects(&objects, shop));
  MN_TRY(compile_sources(&objects, shop, "kernels", kernel->sources, count));
  return measure_function(row, shop, kernel->symbol, &objects);
}

static mn_status measure_feed(mn_code_size *row, mn_workshop *shop) {
  static const char *const sources[] = {"audio.c", "fft.c", "math.c", "mel.c", "quantize.c"};
  mn_objects objects;
  mn_code_size reset;
  MN_TRY(begin_objects(&objects, shop));
  MN_TRY(compile_sources(&objects, shop, "features", sources, (int32_t)MN_COUNT(sources)));
  MN_TRY(measure_function(&reset, shop, "mn_audio_reset", &objects));
  MN_TRY(measure_function(row, shop, "mn_audio_feed", &objects));
  *row = (mn_code_size){"feed", row->text_bytes + reset.text_bytes + FEED_SLACK_BYTES,
                        row->stack_bytes + FEED_SLACK_STACK};
  return MN_OK;
}

static mn_status measure_image(mn_code_size *row, mn_workshop *shop) {
  static const char *const sources[] = {"image.c", "quantize.c"};
  mn_objects objects;
  MN_TRY(begin_objects(&objects, shop));
  MN_TRY(compile_sources(&objects, shop, "features", sources, (int32_t)MN_COUNT(sources)));
  MN_TRY(measure_function(row, shop, "mn_image_input", &objects));
  *row = (mn_code_size){"image", row->text_bytes + FEED_SLACK_BYTES,
                        row->stack_bytes + FEED_SLACK_STACK};
  return MN_OK;
}

/* ---- Calls of an emitted model --------------------------------------------------------------*/

/* A chain of convolutions over a map whose size makes every address awkward to build. */
static mn_status build_chain(const mn_graph **graph, mn_workshop *shop, int32_t length) {
  enum { SIDE = 61, CHANNELS = 9 };
  mn_builder *builder = NULL;
  mn_tensor x = {.name = "x", .dtype = MN_DTYPE_INT8, .shape = {4, {1, SIDE, SIDE, CHANNELS}}};
  mn_tensor_id input, at;
  MN_TRY(mn_builder_create(&builder, shop->arena));
  MN_TRY(mn_builder_tensor(builder, &input, &x, shop->error));
  at = input;
  for (int32_t i = 0; i < length; i++) {
    const char *name = mn_arena_text(shop->arena, "c%d", i);
    if (name == NULL) return no_memory(shop);
    mn_tensor w = {.name = mn_arena_text(shop->arena, "c%d.w", i),
                   .dtype = MN_DTYPE_INT8,
                   .constant = true,
                   .shape = {4, {CHANNELS, 1, 1, CHANNELS}}};
    mn_tensor b = {.name = mn_arena_text(shop->arena, "c%d.b", i),
                   .dtype = MN_DTYPE_INT32,
                   .constant = true,
                   .shape = {1, {CHANNELS}}};
    mn_op op = {.kind = MN_OP_CONV_2D,
                .name = name,
                .origin = -1,
                .inputs = 3,
                .decision = -1,
                .window = {1, 1, 1, 1, 1, 1, 1, MN_PADDING_SAME}};
    op.input[0] = at;
    op.input[3] = op.input[4] = -1;
    MN_TRY(mn_builder_tensor(builder, &op.input[1], &w, shop->error));
    MN_TRY(mn_builder_tensor(builder, &op.input[2], &b, shop->error));
    MN_TRY(mn_builder_add(builder, &at, &op, MN_DTYPE_COUNT, shop->error));
  }
  return mn_builder_finish(graph, builder, &input, 1, &at, 1, shop->error);
}

/* Weights of one value, scales that differ, so that no two layers share parameters. */
static mn_status freeze_chain(const mn_graph **frozen, mn_workshop *shop, const mn_graph *bare) {
  enum { WEIGHTS = 81 };
  static float ones[WEIGHTS];
  for (size_t i = 0; i < WEIGHTS; i++) ones[i] = 1.0f;
  mn_parameters *parameters =
      mn_arena_array(shop->arena, (size_t)bare->op_count + 1, sizeof *parameters);
  mn_range *ranges = mn_arena_array(shop->arena, (size_t)bare->tensor_count + 1, sizeof *ranges);
  if (parameters == NULL || ranges == NULL) return no_memory(shop);
  for (int32_t i = 0; i < bare->op_count; i++) parameters[i] = (mn_parameters){ones, ones, ones};
  for (int32_t i = 0; i < bare->tensor_count; i++)
    ranges[i] = (mn_range){0.1f + 0.01f * (float)i, i % 100};
  return mn_graph_freeze(frozen, shop->arena, bare, parameters, ranges, shop->error);
}

/* Two ops to a loop, a few rows a turn. */
static mn_plan_group *pair_up(mn_workshop *shop, int32_t length) {
  mn_plan_group *groups = mn_arena_array(shop->arena, (size_t)length, sizeof *groups);
  for (int32_t i = 0; groups != NULL && i < length / 2; i++)
    groups[i] = (mn_plan_group){.first_op = 2 * i, .op_count = 2, .rows = 3};
  return groups;
}

/* Bytes of a model's own functions, kernels and data left out, and the frame of its run. */
static mn_status measure_chain(mn_code_size *row, mn_workshop *shop, int32_t length, bool loops) {
  const char *kind = loops ? "loops" : "chain";
  const mn_graph *bare = NULL, *frozen = NULL;
  const mn_plan *plan = NULL;
  mn_emit_result emitted;
  mn_objects objects;
  mn_elf elf;
  mn_plan_options options = {
      .kernels = "ref", .groups = loops ? pair_up(shop, length) : NULL, .group_count = length / 2};
  const char *name = mn_arena_text(shop->arena, "%s%d", kind, length);
  const char *source = mn_arena_text(shop->arena, "%s%d/model.c", kind, length);
  const char *flags = mn_arena_text(shop->arena, "-std=c11 -I%s%d", kind, length);
  const char *object =
      mn_arena_text(shop->arena, "%s/objects/%s%d/model.o", shop->folder, kind, length);
  mn_emit_config config = {
      .folder = mn_arena_text(shop->arena, "%s/%s%d", shop->folder, kind, length),
      .prefix = "model"};
  if (name == NULL || source == NULL || flags == NULL || object == NULL || config.folder == NULL)
    return no_memory(shop);
  MN_TRY(build_chain(&bare, shop, length));
  MN_TRY(freeze_chain(&frozen, shop, bare));
  MN_TRY(mn_plan_make(&plan, shop->arena, frozen, NULL, &options, shop->error));
  mn_model model = {.graph = frozen};
  MN_TRY(mn_emit_c(&emitted, shop->arena, plan, &model, &config, shop->error));
  MN_TRY(begin_objects(&objects, shop));
  MN_TRY(mn_compile(shop, &objects, name, flags, &source, 1));
  MN_TRY(mn_elf_read(&elf, shop->arena, object, shop->error));
  *row = (mn_code_size){.symbol = "run"};
  for (int32_t i = 0; i < elf.section_count; i++)
    if ((elf.sections[i].flags & MN_ELF_EXECUTE) != 0)
      row->text_bytes += (int32_t)(elf.sections[i].size + 3) / 4 * 4;
  mn_callgraph *graph = NULL;
  MN_TRY(mn_callgraph_read(&graph, shop, &objects));
  /* The kernel is no object of this graph: it counts as a library's function. */
  row->stack_bytes = (int32_t)mn_callgraph_depth(graph, "model_run") - MN_LIBRARY_STACK_BYTES;
  return MN_OK;
}

/* What one more call costs, alone or as a part of a loop; `run`: what all calls share. */
static mn_status measure_call(mn_code_size *run, mn_code_size *call, mn_workshop *shop,
                              bool loops) {
  enum { SHORT = 2, LONG = 18 };
  mn_code_size few, many;
  MN_TRY(measure_chain(&few, shop, SHORT, loops));
  MN_TRY(measure_chain(&many, shop, LONG, loops));
  int32_t slope = (many.text_bytes - few.text_bytes + LONG - SHORT - 1) / (LONG - SHORT);
  int32_t stack = many.stack_bytes > few.stack_bytes ? many.stack_bytes : few.stack_bytes;
  *call = (mn_code_size){loops ? "turn" : "call", slope + CALL_SLACK_BYTES, 0};
  *run = (mn_code_size){"run", few.text_bytes, stack + RUN_SLACK_STACK};
  return MN_OK;
}

static mn_status measure_calls(mn_code_size rows[3], mn_workshop *shop) {
  mn_code_size loops;
  MN_TRY(measure_call(&rows[0], &rows[1], shop, false));
  MN_TRY(measure_call(&loops, &rows[2], shop, true));
  int32_t more = loops.stack_bytes - rows[0].stack_bytes;
  rows[2].stack_bytes = (more > 0 ? more : 0) + TURN_SLACK_STACK;
  return MN_OK;
}

/* ---- Tables ---------------------------------------------------------------------------------*/

static bool is_known(const mn_code_size *rows, int32_t count, const char *symbol) {
  for (int32_t i = 0; i < count; i++)
    if (strcmp(rows[i].symbol, symbol) == 0) return true;
  return false;
}

static mn_status measure_target(mn_code_size_table *table, mn_workshop *shop) {
  const mn_kernel_row *kernel;
  int32_t count = 0;
  mn_code_size *rows = mn_arena_array(shop->arena, MOST_ROWS, sizeof *rows);
  if (rows == NULL) return no_memory(shop);
  MN_TRY(measure_calls(rows, shop));
  MN_TRY(measure_feed(&rows[3], shop));
  MN_TRY(measure_image(&rows[4], shop));
  count = 5;
  for (int32_t i = 0; (kernel = mn_kernel_row_at(i)) != NULL && count < MOST_ROWS; i++) {
    bool wanted = mn_kernel_family_reaches(shop->target->kernels, kernel->family);
    if (!wanted || is_known(rows, count, kernel->symbol)) continue;
    MN_TRY(measure_kernel(&rows[count++], shop, kernel));
  }
  *table = (mn_code_size_table){shop->target->core, shop->target->cpu_flags, rows, count};
  return MN_OK;
}

mn_status mn_bench_code_sizes(mn_code_sizes *sizes, mn_arena *arena,
                              const mn_target *const *targets, int32_t count,
                              const char *work_folder, const mn_monitor *monitor, mn_error *error) {
  mn_code_size_table *tables = mn_arena_array(arena, (size_t)count + 1, sizeof *tables);
  mn_workshop shop = {.folder = work_folder, .arena = arena, .monitor = monitor, .error = error};
  if (tables == NULL) return no_memory(&shop);
  MN_TRY(mn_folder_make(work_folder, error));
  MN_TRY(unpack_sources(&shop));
  const char *compiler = NULL;
  MN_TRY(mn_compiler_version(&shop, &compiler));
  for (int32_t i = 0; i < count; i++) {
    shop.target = targets[i];
    MN_TRY(measure_target(&tables[i], &shop));
  }
  *sizes = (mn_code_sizes){compiler, mn_bench_sources_hash(), tables, count};
  return MN_OK;
}

mn_status mn_bench_code_sizes_print(const mn_sink *out, const mn_code_sizes *sizes) {
  MN_TRY(mn_sink_printf(
      out,
      "/* code_size_table.c - measured; made by scripts/code_size.sh, do not edit.\n"
      " * SPDX-License-Identifier: Apache-2.0 */\n#include \"micronets/target.h\"\n\n"
      "/* clang-format off */\n"));
  for (int32_t t = 0; t < sizes->table_count; t++) {
    MN_TRY(mn_sink_printf(out, "static const mn_code_size rows_%d[] = {\n", t));
    for (int32_t i = 0; i < sizes->tables[t].row_count; i++) {
      const mn_code_size *row = &sizes->tables[t].rows[i];
      MN_TRY(mn_sink_printf(out, "    {\"%s\", %d, %d},\n", row->symbol, row->text_bytes,
                            row->stack_bytes));
    }
    MN_TRY(mn_sink_printf(out, "};\n"));
  }
  MN_TRY(mn_sink_printf(out, "\nstatic const mn_code_size_table tables[] = {\n"));
  for (int32_t t = 0; t < sizes->table_count; t++)
    MN_TRY(mn_sink_printf(out, "    {\"%s\", \"%s\", rows_%d, MN_COUNT(rows_%d)},\n",
                          sizes->tables[t].core, sizes->tables[t].cpu_flags, t, t));
  return mn_sink_printf(
      out,
      "};\n\nconst mn_code_sizes mn_code_sizes_shipped = {\n    .compiler = \"%s\",\n"
      "    .sources_hash = 0x%016llxu,\n    .tables = tables,\n    .table_count = "
      "MN_COUNT(tables),\n};\n",
      sizes->compiler, (unsigned long long)sizes->sources_hash);
}
