/* measure.c - see measure.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/measure.h"

#include <stdio.h>
#include <string.h>

#include "bench/callgraph.h"
#include "bench/frontend_stages.h"
#include "frame.h"
#include "mark.h"

/* ---- Speed ----------------------------------------------------------------------------------*/

static void set_time(mn_bench_result *result, const mn_target *target) {
  bool timed = result->cycles_modelled >= 0.0 && target->clock_hz > 0.0;
  result->ms_modelled = timed ? 1e3 * result->cycles_modelled / target->clock_hz : -1.0;
  result->mj_modelled =
      timed && target->active_watts > 0.0 ? result->ms_modelled * target->active_watts : -1.0;
}

/* The number behind "\nkey="; -1: it is not there. */
static int64_t number_of(mn_bytes text, const char *key) {
  const char *line = strstr((const char *)text.data, key);
  long long number = -1;
  return line != NULL && sscanf(line + strlen(key), "%lld", &number) == 1 ? number : -1;
}

static mn_status measure_whole(mn_bench_result *result, mn_workshop *shop, const char *input) {
  mn_counted counted;
  MN_TRY(mn_counted_run(&counted, shop, MN_PROGRAM_PLAIN, input));
  const mn_region *whole = mn_counts_region(&counted.counts, MN_REGION_WHOLE);
  int64_t run = number_of(counted.text, "\nstack="),
          feed = number_of(counted.text, "\nfeed_stack=");
  if (whole == NULL || run < 0)
    return mn_error_set(shop->error, MN_ERR_FAILED, "the bench program measured nothing");
  result->instructions = whole->total;
  result->sram.stack = feed > run ? feed : run;
  result->cycles_modelled = mn_counted_cycles(&counted, whole);
  set_time(result, shop->target);
  return mn_frontend_stages(&result->frontend.stages, &result->frontend.stage_count, shop->arena,
                            &counted, shop->error);
}

mn_status mn_measure_layers(mn_bench_result *result, mn_workshop *shop, const mn_graph *graph,
                            const char *input) {
  mn_counted counted;
  MN_TRY(mn_counted_run(&counted, shop, MN_PROGRAM_MARKS, input));
  mn_bench_layer *layers = mn_arena_array(shop->arena, (size_t)graph->op_count + 1, sizeof *layers);
  if (layers == NULL) return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  for (int32_t i = 0; i < graph->op_count; i++) {
    const mn_region *region = mn_counts_region(&counted.counts, MN_REGION_FIRST_LAYER + i);
    layers[i] = (mn_bench_layer){.name = graph->ops[i].name,
                                 .kind = mn_op_info_get(graph->ops[i].kind)->text,
                                 .macs = mn_op_macs(graph, i),
                                 .instructions = region != NULL ? region->total : 0,
                                 .cycles_modelled = mn_counted_cycles(&counted, region)};
  }
  result->layers = layers;
  result->layer_count = graph->op_count;
  return MN_OK;
}

mn_status mn_measure_speed(mn_bench_result *result, mn_workshop *shop, const mn_plan *plan,
                           const char *input) {
  if (plan->graph->op_count > MN_REGIONS - MN_REGION_FIRST_LAYER)
    return mn_error_set(shop->error, MN_ERR_UNSUPPORTED,
                        "the model has %d operators; at most %d can be counted",
                        plan->graph->op_count, MN_REGIONS - MN_REGION_FIRST_LAYER);
  MN_TRY(measure_whole(result, shop, input));
  return mn_measure_layers(result, shop, plan->graph, input);
}

/* ---- Size -----------------------------------------------------------------------------------*/

static int64_t round_up(int64_t bytes) {
  return (bytes + 3) / 4 * 4;
}

static bool begins_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

/* Bytes of a symbol that is data of the model: packed constants and parameters. Tables inside
 * kernels are part of their code. */
static void add_symbol(mn_bench_result *result, const mn_elf_symbol *symbol, const mn_plan *plan) {
  static const char prefix[] = "model_";
  if (begins_with(symbol->name, "params_")) {
    result->flash.constants += round_up(symbol->size);
    return;
  }
  if (!begins_with(symbol->name, prefix)) return;
  bool weights = false;
  for (int32_t i = 0; i < plan->constant_count; i++)
    if (strcmp(plan->constants[i].name, symbol->name + sizeof prefix - 1) == 0)
      weights = plan->constants[i].weights;
  *(weights ? &result->flash.weights : &result->flash.constants) += round_up(symbol->size);
}

static void measure_flash(mn_bench_result *result, const mn_elf *elf, const mn_plan *plan) {
  int64_t total = 0;
  for (int32_t i = 0; i < elf->section_count; i++) {
    const mn_elf_section *s = &elf->sections[i];
    if ((s->flags & MN_ELF_ALLOC) != 0 && s->type != MN_ELF_NOBITS) total += s->size;
  }
  for (int32_t i = 0; i < elf->symbol_count; i++)
    if (elf->symbols[i].object && elf->symbols[i].section >= 0)
      add_symbol(result, &elf->symbols[i], plan);
  const mn_elf_symbol *entry = mn_elf_find(elf, "mn_size_main");
  result->flash.total = total - (entry != NULL ? round_up(entry->size) : 0);
  result->flash.code = result->flash.total - result->flash.weights - result->flash.constants;
}

static int64_t writable_bytes(const mn_elf *elf) {
  int64_t total = 0;
  for (int32_t i = 0; i < elf->section_count; i++) {
    const mn_elf_section *s = &elf->sections[i];
    if ((s->flags & MN_ELF_ALLOC) != 0 && (s->flags & MN_ELF_WRITE) != 0) total += s->size;
  }
  return total;
}

/* The deepest of the model's functions; -1 where one of them has no bound. */
static int64_t stack_bound(mn_callgraph *graph, bool sees) {
  static const char *const functions[] = {"model_run", "model_feed", "model_init", "model_image"};
  int64_t bound = 0;
  for (size_t i = 0; i < MN_COUNT(functions) - !sees; i++) {
    int64_t depth = mn_callgraph_depth(graph, functions[i]);
    if (depth < 0) return -1;
    if (depth > bound) bound = depth;
  }
  return bound;
}

/* What the price promised for the stack, so that total is the same number before and after; more
 * where the calls of this program go deeper, which breaks the promise for all to see. */
static mn_status promised_stack(int64_t *stack, mn_workshop *shop, const mn_plan *plan,
                                const mn_model *model, const mn_plan_options *options) {
  mn_price price;
  MN_TRY(mn_price_graph(&price, shop->arena, plan->graph, &model->frontend, shop->target,
                        MN_RUNTIME_MICRONETS, options, shop->error));
  if (price.sram.stack > *stack && *stack >= 0) *stack = price.sram.stack;
  return MN_OK;
}

/* What the front end keeps, what it needs while it is fed, and its tables. */
static void measure_frontend(mn_bench_result *result, const mn_frontend *frontend) {
  if (frontend->kind == MN_FRONTEND_IMAGE && result->frontend.stage_count > 0) {
    result->frontend.frame_width = MN_FRAME_WIDTH;
    result->frontend.frame_height = MN_FRAME_HEIGHT;
  }
  if (frontend->kind != MN_FRONTEND_MFCC && frontend->kind != MN_FRONTEND_LOGMEL) return;
  result->frontend.state_bytes = (int64_t)mn_frontend_state_bytes(frontend);
  result->frontend.scratch_bytes = (int64_t)mn_frontend_scratch_bytes(frontend);
  result->frontend.tables_bytes = (int64_t)mn_frontend_tables_bytes(frontend);
}

mn_status mn_measure_size(mn_bench_result *result, mn_workshop *shop, const mn_plan *plan,
                          const mn_model *model, const mn_plan_options *options,
                          const mn_objects *objects) {
  mn_elf elf;
  mn_callgraph *graph = NULL;
  const char *path = mn_arena_text(shop->arena, "%s/%s", shop->folder, MN_PROGRAM_SIZE);
  if (path == NULL) return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  MN_TRY(mn_elf_read(&elf, shop->arena, path, shop->error));
  MN_TRY(mn_callgraph_read(&graph, shop, objects));
  measure_flash(result, &elf, plan);
  mn_frontend_memory memory = mn_plan_frontend_memory(plan, &model->frontend);
  result->sram.arena = plan->arena_bytes;
  const mn_detector *detector = options != NULL ? options->detector : NULL;
  result->sram.features = memory.features_bytes;
  if (detector != NULL) result->sram.features += mn_detector_vector_bytes(detector);
  measure_frontend(result, &model->frontend);
  result->sram.data = writable_bytes(&elf);
  result->sram.stack_bound = stack_bound(graph, model->frontend.kind == MN_FRONTEND_IMAGE);
  MN_TRY(promised_stack(&result->sram.stack_bound, shop, plan, model, options));
  int64_t stack =
      result->sram.stack_bound > result->sram.stack ? result->sram.stack_bound : result->sram.stack;
  result->sram.total = result->sram.arena + result->sram.features + result->sram.data + stack;
  return MN_OK;
}
