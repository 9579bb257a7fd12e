/* opt.c - micronets opt: a smaller .tflite with the same bits, proved before it is written.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "run/proof.h"

typedef struct opt_job {
  const mn_run_context *context;
  const mn_options_opt *options;
  mn_model model, smaller;
  mn_clean clean;
  mn_vectors vectors;
  mn_proof proof;
  size_t bytes_before;
  mn_buffer file;
} opt_job;

static const char *const pass_name[MN_PASS_COUNT] = {
#define X(name, what) #name,
    MN_PASS_LIST(X)
#undef X
};

static json_t *passes_json(const mn_clean *clean) {
  json_t *passes = mn_json_array();
  for (int32_t p = 0; p < MN_PASS_COUNT; p++) {
    json_t *pass = mn_json_object();
    mn_json_put_text(pass, "name", pass_name[p]);
    mn_json_put_int(pass, "removed", clean->removed[p]);
    mn_json_push(passes, pass);
  }
  return passes;
}

static mn_status finish(json_t **result, const opt_job *job, mn_error *error) {
  json_t *object = mn_json_open(job->context);
  mn_counts before = mn_graph_counts(job->model.graph), after = mn_graph_counts(job->smaller.graph);
  bool good = job->proof.mismatches == 0;
  mn_json_put(object, "passes", passes_json(&job->clean));
  mn_json_put_int(object, "macs_before", before.macs);
  mn_json_put_int(object, "macs_after", after.macs);
  mn_json_put_int(object, "params_before", before.params);
  mn_json_put_int(object, "params_after", after.params);
  mn_json_put_int(object, "ops_before", job->model.graph->op_count);
  mn_json_put_int(object, "ops_after", job->smaller.graph->op_count);
  mn_json_put_int(object, "bytes_before", (int64_t)job->bytes_before);
  mn_json_put_int(object, "bytes_after", (int64_t)job->file.size);
  mn_json_put_int(object, "proved_on", job->proof.inputs);
  mn_json_put_int(object, "tensors_compared", job->proof.tensors);
  mn_json_put_int(object, "mismatches", job->proof.mismatches);
  mn_json_put_text(object, "first_mismatch", job->proof.first_mismatch);
  mn_json_put_text(object, "file", good ? job->context->common->out : NULL);
  return mn_json_finish(result, object, job->context, true, error);
}

static mn_status read_inputs(opt_job *job, mn_error *error) {
  const char *path = job->context->arguments[0];
  mn_bytes file;
  MN_TRY(mn_file_read(&file, job->context->arena, path, 0, error));
  job->bytes_before = file.size;
  MN_TRY(
      mn_stage_blame(mn_tflite_read(&job->model, job->context->arena, file, error), path, error));
  if (job->options->vectors == NULL) return MN_OK;
  if (job->model.graph->input_count != 1)
    return mn_error_set(
        error, MN_ERR_USAGE,
        "opt: --vectors holds one input tensor each, %s takes %d; leave --vectors out", path,
        job->model.graph->input_count);
  return mn_vectors_read(&job->vectors, job->context->arena, job->model.graph,
                         job->options->vectors, error);
}

/* Cleans up, writes into memory, reads that again: what is proved is what the file will hold. */
static mn_status make_smaller(opt_job *job, mn_error *error) {
  const char *path = job->context->arguments[0];
  mn_arena *arena = job->context->arena;
  mn_sink sink = mn_buffer_sink(&job->file);
  mn_model made = job->model, read;
  MN_TRY(mn_stage_blame(mn_clean_graph(&job->clean, arena, job->model.graph, error), path, error));
  made.graph = job->clean.graph;
  MN_TRY(mn_tflite_write(&sink, &made, error));
  MN_TRY(mn_tflite_read(&read, arena, (mn_bytes){job->file.data, job->file.size}, error));
  job->smaller = read;
  job->clean.graph = read.graph;
  return MN_OK;
}

static mn_status optimise(json_t **result, opt_job *job, mn_error *error) {
  const mn_vectors *stored = job->options->vectors != NULL ? &job->vectors : NULL;
  MN_TRY(read_inputs(job, error));
  MN_TRY(make_smaller(job, error));
  MN_TRY(mn_proof_run(&job->proof, job->context, job->model.graph, &job->clean,
                      job->options->inputs, stored, error));
  if (job->proof.mismatches == 0)
    MN_TRY(mn_file_write(job->context->common->out, job->file.data, job->file.size, error));
  MN_TRY(finish(result, job, error));
  if (job->proof.mismatches == 0) return MN_OK;
  return mn_error_set(
      error, MN_ERR_PARITY, "opt: %lld tensors differ from %s, so nothing was written; first: %s",
      (long long)job->proof.mismatches, job->context->arguments[0], job->proof.first_mismatch);
}

mn_status mn_run_opt(json_t **result, const mn_run_context *context, const mn_options_opt *options,
                     mn_error *error) {
  opt_job job = {.context = context, .options = options};
  MN_TRY(mn_stage_need(context, context->common->out, "--out", "FILE.tflite", error));
  if (options->inputs < 1 || options->inputs > 1000000)
    return mn_error_set(error, MN_ERR_USAGE, "opt: --inputs is %lld; expected 1 to 1000000",
                        (long long)options->inputs);
  mn_status status = optimise(result, &job, error);
  mn_buffer_free(&job.file);
  return status;
}
