/* cycle_table.c - measures what kernels take: layers of many shapes in one program, counted on the
 * emulated core, the core's cycle model, and a fit over the terms of each shape.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "bench/build.h"
#include "bench/cycle_models.h"
#include "bench/fit.h"
#include "bench/layers.h"
#include "bench/measure.h"
#include "emit/embedded.h"
#include "plan/cycles.h"

enum { MOST_ROWS = 64, FEWEST_LAYERS = 3 };
/* Raised whenever layers, terms or a cycle model change: rows of another version are measured anew. */
enum { VERSION = 1 };

typedef struct measured {
  int32_t count;
  double *terms; /* [count][MN_CYCLE_TERMS] */
  double *cycles;
} measured;

static mn_status no_memory(mn_workshop *shop) {
  return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
}

/* The input that no layer reads. */
static mn_status write_input(mn_workshop *shop, const mn_graph *graph) {
  size_t bytes = mn_tensor_bytes(&graph->tensors[graph->inputs[0]]);
  const char *path = mn_arena_text(shop->arena, "%s/first.bin", shop->folder);
  const uint8_t *zeros = mn_arena_array(shop->arena, bytes, 1);
  if (path == NULL || zeros == NULL) return no_memory(shop);
  return mn_file_write(path, zeros, bytes, shop->error);
}

/* Counts every layer that the plan gives to `row`. */
static mn_status count_layers(measured *m, mn_workshop *shop, mn_objects *firmware,
                              const mn_graph *graph, const mn_kernel_row *row) {
  const mn_plan_options options = {.kernels = row->symbol, .no_in_place = true}; /* one call */
  const mn_plan *plan = NULL;
  mn_bench_result result;
  mn_model model = {.graph = graph};
  MN_TRY(mn_plan_make(&plan, shop->arena, graph, shop->target, &options, shop->error));
  MN_TRY(mn_build_marks(shop, firmware, plan, &model));
  MN_TRY(write_input(shop, graph));
  MN_TRY(mn_measure_layers(&result, shop, plan->graph, "first.bin"));
  for (int32_t i = 0; i < plan->step_count; i++) {
    const mn_plan_step *step = &plan->steps[i];
    if (step->kind != MN_STEP_CALL || step->kernel != row) continue;
    if (result.layers[step->op].cycles_modelled <= 0) continue;
    mn_cycle_terms(&m->terms[m->count * MN_CYCLE_TERMS], graph, &graph->ops[step->op], 1);
    m->cycles[m->count++] = result.layers[step->op].cycles_modelled;
  }
  return MN_OK;
}

static mn_status measure(measured *m, mn_workshop *shop, mn_objects *firmware,
                         const mn_kernel_row *row, int32_t layers, uint64_t seed) {
  const mn_graph *graph = NULL;
  *m = (measured){
      .terms = mn_arena_array(shop->arena, (size_t)layers * MN_CYCLE_TERMS, sizeof *m->terms),
      .cycles = mn_arena_array(shop->arena, (size_t)layers, sizeof *m->cycles)};
  if (m->terms == NULL || m->cycles == NULL) return no_memory(shop);
  MN_TRY(mn_layers_make(&graph, shop->arena, row, layers, seed, shop->error));
  return graph != NULL ? count_layers(m, shop, firmware, graph, row) : MN_OK;
}

static double estimate(const mn_cycle_row *row, const double *terms) {
  double cycles = 0;
  for (int32_t i = 0; i < MN_CYCLE_TERMS; i++) cycles += row->cycles[i] * terms[i];
  return cycles;
}

/* Mean and worst error of a row's estimates, as fractions. */
static void judge(double *mean, double *worst, const mn_cycle_row *row, const measured *m) {
  *mean = *worst = 0;
  for (int32_t i = 0; i < m->count; i++) {
    double off = fabs(estimate(row, &m->terms[i * MN_CYCLE_TERMS]) / m->cycles[i] - 1);
    *mean += off / m->count;
    *worst = fmax(*worst, off);
  }
}

static void fit(mn_cycle_row *row, const char *symbol, const measured *m) {
  *row = (mn_cycle_row){.symbol = symbol, .layers = m->count};
  mn_fit_nonnegative(row->cycles, m->terms, m->cycles, m->count, MN_CYCLE_TERMS);
  judge(&row->mean_error, &row->worst_error, row, m);
}

/* Kernels of the target's own family and of those that it falls back to. */
static bool is_wanted(const mn_kernel_row *row, const mn_target *target) {
  return row->sources[0] != NULL && mn_kernel_family_reaches(target->kernels, row->family);
}

static uint64_t hash_of(const mn_kernel_row *row, mn_arena *arena) {
  uint64_t hash = VERSION;
  for (int32_t i = 0; row->sources[i] != NULL; i++) {
    const char *name = mn_arena_text(arena, "kernels/%s", row->sources[i]);
    const mn_embedded_file *file = name != NULL ? mn_embedded_find(name) : NULL;
    if (file != NULL) hash = mn_hash64(hash, file->data, file->size);
  }
  return hash;
}

static const mn_cycle_row *find(const mn_cycle_row *rows, int32_t count, const char *symbol) {
  for (int32_t i = 0; i < count; i++)
    if (strcmp(rows[i].symbol, symbol) == 0) return &rows[i];
  return NULL;
}

/* The shipped row, where it was made by this compiler from these files. */
static const mn_cycle_row *shipped(const char *compiler, const char *core, const char *symbol,
                                   uint64_t sources) {
  const mn_cycle_tables *all = &mn_cycle_tables_shipped;
  if (strcmp(all->compiler, compiler) != 0) return NULL;
  for (int32_t t = 0; t < all->table_count; t++) {
    if (strcmp(all->tables[t].core, core) != 0) continue;
    const mn_cycle_row *row = find(all->tables[t].rows, all->tables[t].row_count, symbol);
    if (row != NULL && row->sources == sources) return row;
  }
  return NULL;
}

/* One row, measured or as shipped; layers 0: too few shapes suit the kernel. */
static mn_status make_row(mn_cycle_row *made, mn_workshop *shop, mn_objects *firmware,
                          const mn_kernel_row *kernel, const char *compiler) {
  enum { LAYERS = 40, SEED = 1 };
  measured m;
  uint64_t sources = hash_of(kernel, shop->arena);
  const mn_cycle_row *old = shipped(compiler, shop->target->core, kernel->symbol, sources);
  *made = old != NULL ? *old : (mn_cycle_row){0};
  if (old != NULL) return MN_OK;
  MN_TRY(measure(&m, shop, firmware, kernel, LAYERS, SEED));
  if (m.count < FEWEST_LAYERS) return MN_OK;
  fit(made, kernel->symbol, &m);
  made->sources = sources;
  mn_monitor_message(shop->monitor, MN_LEVEL_NOTE, "%s %s: %d layers, mean %.1f %%, worst %.1f %%",
                     shop->target->core, kernel->symbol, m.count, 100 * made->mean_error,
                     100 * made->worst_error);
  return MN_OK;
}

static mn_status measure_target(mn_cycle_table *table, mn_workshop *shop, const char *compiler) {
  int32_t count = 0;
  mn_objects firmware = {0};
  mn_cycle_row *rows = mn_arena_array(shop->arena, MOST_ROWS, sizeof *rows);
  if (rows == NULL) return no_memory(shop);
  for (int32_t i = 0; count < MOST_ROWS; i++) {
    const mn_kernel_row *kernel = mn_kernel_row_at(i);
    if (kernel == NULL) break;
    if (!is_wanted(kernel, shop->target) || find(rows, count, kernel->symbol) != NULL) continue;
    MN_TRY(make_row(&rows[count], shop, &firmware, kernel, compiler));
    count += rows[count].layers > 0;
  }
  *table = (mn_cycle_table){shop->target->core, rows, count};
  return MN_OK;
}

mn_status mn_bench_cycles(mn_cycle_tables *tables, mn_arena *arena, const mn_target *const *targets,
                          int32_t count, const char *work_folder, const mn_monitor *monitor,
                          mn_error *error) {
  mn_cycle_table *made = mn_arena_array(arena, (size_t)count + 1, sizeof *made);
  mn_workshop shop = {.folder = work_folder, .arena = arena, .monitor = monitor, .error = error};
  if (made == NULL) return no_memory(&shop);
  MN_TRY(mn_folder_make(work_folder, error));
  const char *compiler = NULL;
  MN_TRY(mn_compiler_version(&shop, &compiler));
  int32_t measured_count = 0;
  for (int32_t i = 0; i < count; i++) {
    shop.target = targets[i];
    if (mn_cycle_model_of(targets[i]->core) == NULL) continue;
    MN_TRY(measure_target(&made[measured_count++], &shop, compiler));
  }
  *tables = (mn_cycle_tables){compiler, made, measured_count};
  return MN_OK;
}

mn_status mn_bench_cycles_error(double *mean, double *worst, int32_t *layers, mn_arena *arena,
                                const mn_target *target, const char *symbol, uint64_t seed,
                                const char *work_folder, mn_error *error) {
  enum { LAYERS = 12 };
  mn_workshop shop = {.target = target, .folder = work_folder, .arena = arena, .error = error};
  const mn_cycle_row *row = mn_target_cycle_row(target, symbol);
  measured m = {0};
  mn_objects firmware = {0};
  MN_TRY(mn_folder_make(work_folder, error));
  const mn_kernel_row *kernel = NULL;
  for (int32_t i = 0; row != NULL && m.count == 0 && (kernel = mn_kernel_row_at(i)) != NULL; i++)
    if (strcmp(kernel->symbol, symbol) == 0)
      MN_TRY(measure(&m, &shop, &firmware, kernel, LAYERS, seed));
  if (row == NULL || m.count == 0)
    return mn_error_set(error, MN_ERR_ARGUMENT, "%s has no row of cycles for %s", symbol,
                        target->core);
  judge(mean, worst, row, &m);
  *layers = m.count;
  return MN_OK;
}

/* ---- Printing -------------------------------------------------------------------------------*/

static mn_status print_row(const mn_sink *out, const mn_cycle_row *row) {
  MN_TRY(mn_sink_printf(out, "    {\"%s\", 0x%016llxu, %d, %.3f, %.3f, {", row->symbol,
                        (unsigned long long)row->sources, row->layers, row->mean_error,
                        row->worst_error));
  for (int32_t i = 0; i < MN_CYCLE_TERMS; i++)
    MN_TRY(mn_sink_printf(out, "%s%.6g", i > 0 ? ", " : "", row->cycles[i]));
  return mn_sink_printf(out, "}},\n");
}

mn_status mn_bench_cycles_print(const mn_sink *out, const mn_cycle_tables *tables) {
  MN_TRY(mn_sink_printf(
      out,
      "/* cycle_table.c - measured; made by scripts/cycle_table.sh, do not edit.\n"
      " * SPDX-License-Identifier: Apache-2.0 */\n#include \"micronets/target.h\"\n\n"
      "/* clang-format off */\n"));
  for (int32_t t = 0; t < tables->table_count; t++) {
    MN_TRY(mn_sink_printf(out, "static const mn_cycle_row rows_%d[] = {\n", t));
    for (int32_t i = 0; i < tables->tables[t].row_count; i++)
      MN_TRY(print_row(out, &tables->tables[t].rows[i]));
    MN_TRY(mn_sink_printf(out, "};\n"));
  }
  MN_TRY(mn_sink_printf(out, "\nstatic const mn_cycle_table tables[] = {\n"));
  for (int32_t t = 0; t < tables->table_count; t++)
    MN_TRY(mn_sink_printf(out, "    {\"%s\", rows_%d, MN_COUNT(rows_%d)},\n",
                          tables->tables[t].core, t, t));
  return mn_sink_printf(
      out,
      "};\n\nconst mn_cycle_tables mn_cycle_tables_shipped = {\n    .compiler = \"%s\",\n"
      "    .tables = tables,\n    .table_count = MN_COUNT(tables),\n};\n",
      tables->compiler);
}
