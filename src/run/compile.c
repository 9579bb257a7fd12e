/* compile.c - micronets compile: a model as a folder of C.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "micronets/emit.h"
#include "micronets/eval.h"
#include "plan/kernel_table.h"
#include "run/infer.h"

enum { GOLDEN = 4 };

typedef struct compile_job {
  const mn_run_context *context;
  const mn_options_compile *options;
  const char *folder;
  mn_model model;
  const mn_target *target;
  mn_plan_options plan_options;
  const mn_plan *plan;
  mn_emit_result emitted;
  mn_price price;
} compile_job;

static json_t *kernels_json(const mn_plan *plan) {
  json_t *kernels = mn_json_array();
  for (int32_t i = 0; i < plan->step_count; i++) {
    if (plan->steps[i].kind != MN_STEP_CALL || plan->steps[i].kernel == NULL) continue;
    const char *symbol = plan->steps[i].kernel->symbol;
    bool seen = false;
    size_t index;
    json_t *known;
    json_array_foreach(kernels, index, known) seen =
        seen || strcmp(json_string_value(known), symbol) == 0;
    if (!seen) mn_json_push(kernels, mn_json_text(symbol));
  }
  return kernels;
}

/* A few made inputs and what the host says of them, for the folder's own test. */
static mn_status make_golden(mn_emit_golden *golden, const compile_job *job, mn_error *error) {
  mn_arena *arena = job->context->arena;
  mn_infer infer;
  MN_TRY(mn_infer_open(&infer, job->context, &job->model, false, error));
  size_t in = mn_tensor_bytes(infer.input), out = mn_tensor_bytes(infer.output);
  mn_status status = MN_OK;
  for (int32_t i = 0; i < GOLDEN && status == MN_OK; i++) {
    mn_rng rng = mn_rng_stream((uint64_t)job->context->common->seed, 0x601d, (uint64_t)i);
    uint8_t *input = mn_arena_alloc(arena, in), *output = mn_arena_alloc(arena, out);
    if (input == NULL || output == NULL) {
      status = mn_out_of_memory(job->context, error);
      break;
    }
    for (size_t k = 0; k < in; k++) input[k] = (uint8_t)mn_rng_below(&rng, 256);
    memcpy(mn_exec_input(infer.exec, 0), input, in); /* state is kept, as in the folder's test */
    mn_exec_run(infer.exec, NULL);
    memcpy(output, mn_exec_output(infer.exec, 0), out);
    golden[i] = (mn_emit_golden){input, output};
  }
  mn_infer_close(&infer);
  return status;
}

static json_t *files_json(const compile_job *job) {
  json_t *files = mn_json_array();
  for (int32_t i = 0; i < job->emitted.file_count; i++) {
    const char *path = mn_stage_path(job->context, job->folder, job->emitted.files[i]);
    mn_json_push(files, path != NULL ? mn_json_text(path) : NULL);
  }
  return files;
}

static mn_status finish(json_t **result, const compile_job *job, mn_error *error) {
  json_t *object = mn_json_open(job->context);
  mn_json_put_text(object, "folder", job->folder);
  mn_json_put(object, "files", files_json(job));
  mn_stage_put_memory(object, &job->price);
  mn_json_put(object, "kernels", kernels_json(job->plan));
  mn_stage_put_rule(object, &job->plan_options);
  mn_stage_put_schedule(object, job->plan);
  mn_json_put_text(object, "target", job->target->name);
  mn_json_put_text(object, "name", job->options->name);
  return mn_json_finish(result, object, job->context, true, error); /* of the golden inputs */
}

/* Under TFLM the folder is a project for it; there is neither a plan nor kernels of ours. */
static mn_status compile_tflm(json_t **result, compile_job *job, const mn_emit_config *config,
                              mn_error *error) {
  const mn_run_context *context = job->context;
  mn_bytes file;
  MN_TRY(mn_file_read(&file, context->arena, context->arguments[0], 0, error));
  MN_TRY(
      mn_stage_blame(mn_emit_tflm(&job->emitted, context->arena, &job->model, file, config, error),
                     context->arguments[0], error));
  mn_stage_use_file(&job->price, (int64_t)file.size);
  json_t *object = mn_json_open(context);
  mn_json_put_text(object, "folder", job->folder);
  mn_json_put(object, "files", files_json(job));
  mn_stage_put_memory(object, &job->price);
  mn_json_put(object, "kernels", mn_json_array());
  mn_json_put(object, "schedule", mn_json_array());
  mn_stage_put_tflm(object, &job->price, job->model.graph);
  mn_stage_put_map(object, &job->price, job->model.graph, job->target);
  mn_json_put_text(object, "target", job->target->name);
  mn_json_put_text(object, "name", job->options->name);
  return mn_json_finish(result, object, context, false, error);
}

mn_status mn_run_compile(json_t **result, const mn_run_context *context,
                         const mn_options_compile *options, mn_error *error) {
  compile_job job = {.context = context, .options = options};
  mn_runtime runtime = mn_stage_runtime_of(options->runtime);
  MN_TRY(mn_stage_need(context, options->target, "--target", "NAME|FILE", error));
  MN_TRY(mn_stage_target(&job.target, context, options->target, error));
  MN_TRY(mn_stage_model(&job.model, context, context->arguments[0], error));
  const mn_frontend *frontend =
      job.model.frontend.kind != MN_FRONTEND_NONE ? &job.model.frontend : NULL;
  const mn_stage_asked asked = MN_STAGE_ASKED(options);
  MN_TRY(mn_stage_plan_options(&job.plan_options, &asked, &job.model, context->arena, error));
  if (runtime == MN_RUNTIME_MICRONETS)
    MN_TRY(mn_stage_blame(mn_plan_make(&job.plan, context->arena, job.model.graph, job.target,
                                       &job.plan_options, error),
                          context->arguments[0], error));
  MN_TRY(mn_price_graph(&job.price, context->arena, job.model.graph, frontend, job.target, runtime,
                        &job.plan_options, error));
  MN_TRY(mn_stage_folder(&job.folder, context, "firmware", error));
  if (runtime == MN_RUNTIME_TFLM) {
    mn_emit_config project = {.folder = job.folder, .prefix = options->name};
    return compile_tflm(result, &job, &project, error);
  }
  mn_emit_golden golden[GOLDEN];
  MN_TRY(make_golden(golden, &job, error));
  mn_emit_config config = {
      .folder = job.folder, .prefix = options->name, .golden = golden, .golden_count = GOLDEN};
  MN_TRY(mn_emit_c(&job.emitted, context->arena, job.plan, &job.model, &config, error));
  return finish(result, &job, error);
}
