/* proof.c - see proof.h. Inputs are of several kinds: all at the zero point, at the ends of the type,
 * and uniform over ranges of many widths, so that clamps are met and missed. State is kept from one
 * input to the next but for every fourth.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/proof.h"

#include <string.h>

#include "graph/quantization.h"
#include "run/dump.h"

enum { RESET_EVERY = 4, STREAM = 0x0b7 };

/* One of the two graphs at work. */
typedef struct side {
  const mn_graph *graph;
  mn_exec *exec;
  mn_dump dump;
} side;

typedef struct prover {
  const mn_run_context *context;
  mn_proof *proof;
  const mn_clean *clean;
  side old, new;
  mn_error *error;
} prover;

/* ---- Running -------------------------------------------------------------------------------*/
static mn_status open_side(side *s, const prover *p, const mn_graph *graph) {
  mn_arena *arena = p->context->arena;
  const mn_plan *plan = NULL;
  static const mn_plan_options options = {.kernels = "host"};
  *s = (side){.graph = graph};
  MN_TRY(mn_dump_open(&s->dump, p->context, graph, p->error));
  MN_TRY(mn_plan_make(&plan, arena, graph, NULL, &options, p->error));
  return mn_exec_create(&s->exec, plan, p->error);
}

static int32_t random_value(mn_rng *rng, const mn_tensor *tensor, int64_t kind) {
  mn_limits limits = mn_dtype_limits(tensor->dtype);
  int64_t span = (int64_t)limits.max - limits.min + 1;
  int32_t zero = tensor->quantization.count > 0 ? tensor->quantization.zero_point[0] : 0;
  if (kind == 0) return zero;
  if (kind == 1) return limits.min;
  if (kind == 2) return limits.max;
  span >>= (kind - 3) % 6; /* narrower and narrower ranges around the zero point */
  int64_t value = zero - span / 2 + mn_rng_below(rng, (uint32_t)span);
  if ((kind - 3) % 6 == 0) value = limits.min + (int64_t)mn_rng_below(rng, (uint32_t)span);
  return (int32_t)(value < limits.min ? limits.min : value > limits.max ? limits.max : value);
}

static void fill_inputs(prover *p, int64_t kind) {
  const mn_graph *graph = p->old.graph;
  for (int32_t i = 0; i < graph->input_count; i++) {
    const mn_tensor *tensor = &graph->tensors[graph->inputs[i]];
    mn_rng rng =
        mn_rng_stream((uint64_t)p->context->common->seed, STREAM + (uint64_t)i, (uint64_t)kind);
    size_t width = (size_t)mn_dtype_bits(tensor->dtype) / 8;
    uint8_t *to = mn_exec_input(p->old.exec, i);
    for (int64_t e = 0; e < mn_shape_elements(&tensor->shape); e++) {
      int32_t value = random_value(&rng, tensor, kind); /* little-endian, as every host of ours */
      memcpy(to + (size_t)e * width, &value, width);
    }
    memcpy(mn_exec_input(p->new.exec, i), to, mn_tensor_bytes(tensor));
  }
}

/* ---- Comparing -----------------------------------------------------------------------------*/
static mn_status mismatch(prover *p, int64_t input, const char *what) {
  p->proof->mismatches++;
  if (p->proof->first_mismatch != NULL) return MN_OK;
  p->proof->first_mismatch =
      mn_arena_text(p->context->arena, "input %lld, %s", (long long)input, what);
  return p->proof->first_mismatch != NULL ? MN_OK : mn_out_of_memory(p->context, p->error);
}

/* What is left of a tensor: [rest, channels] of the source's [rest, more channels]. */
static bool same_tensor(const prover *p, int32_t op) {
  int32_t from = p->clean->source[op];
  const mn_tensor *y = &p->new.graph->tensors[p->new.graph->ops[op].output];
  const mn_tensor *source = &p->old.graph->tensors[p->old.graph->ops[from].output];
  const int32_t *channels = p->clean->channels[op];
  if (channels == NULL)
    return memcmp(p->new.dump.tensor[op], p->old.dump.tensor[from], mn_tensor_bytes(y)) == 0;
  size_t width = (size_t)mn_dtype_bits(y->dtype) / 8;
  int64_t few = y->shape.dim[y->shape.rank - 1], many = source->shape.dim[source->shape.rank - 1];
  for (int64_t e = 0; e < mn_shape_elements(&y->shape); e++) {
    size_t at = (size_t)(e / few * many + channels[e % few]);
    if (memcmp(p->new.dump.tensor[op] + (size_t)e *width, p->old.dump.tensor[from] + at * width,
               width) != 0)
      return false;
  }
  return true;
}

static mn_status compare(prover *p, int64_t input) {
  p->proof->inputs++;
  for (int32_t op = 0; op < p->new.graph->op_count; op++) {
    p->proof->tensors++;
    if (!same_tensor(p, op)) MN_TRY(mismatch(p, input, p->new.graph->ops[op].name));
  }
  for (int32_t i = 0; i < p->old.graph->output_count; i++) {
    const mn_tensor *y = &p->old.graph->tensors[p->old.graph->outputs[i]];
    if (memcmp(mn_exec_output(p->old.exec, i), mn_exec_output(p->new.exec, i),
               mn_tensor_bytes(y)) != 0)
      MN_TRY(mismatch(p, input, "an output of the model"));
  }
  return MN_OK;
}

static void run_both(prover *p) {
  const mn_watch old = mn_dump_watch(&p->old.dump), new = mn_dump_watch(&p->new.dump);
  mn_exec_run(p->old.exec, &old);
  mn_exec_run(p->new.exec, &new);
}

static void reset_both(prover *p) {
  mn_exec_reset(p->old.exec);
  mn_exec_reset(p->new.exec);
}

static mn_status step(prover *p, int64_t done, int64_t total) {
  mn_monitor_progress(p->context->monitor,
                      &(mn_progress){.stage = "opt", .step = done, .total = total});
  if (!mn_monitor_stopped(p->context->monitor)) return MN_OK;
  return mn_error_set(p->error, MN_ERR_INTERRUPTED, "opt: interrupted; nothing was written");
}

static mn_status prove_stored(prover *p, const mn_vectors *stored, int64_t first, int64_t total) {
  for (int32_t v = 0; v < stored->count; v++) {
    MN_TRY(step(p, first + v, total));
    reset_both(p);
    memcpy(mn_exec_input(p->old.exec, 0), stored->input[v], stored->input_bytes);
    memcpy(mn_exec_input(p->new.exec, 0), stored->input[v], stored->input_bytes);
    run_both(p);
    MN_TRY(compare(p, first + v));
    if (stored->output[v] != NULL &&
        memcmp(mn_exec_output(p->new.exec, 0), stored->output[v], stored->output_bytes) != 0)
      MN_TRY(mismatch(p, first + v, "the stored output"));
  }
  return MN_OK;
}

static mn_status prove(prover *p, int64_t random, const mn_vectors *stored) {
  int64_t total = random + (stored != NULL ? stored->count : 0);
  for (int64_t i = 0; i < random; i++) {
    MN_TRY(step(p, i, total));
    if (i % RESET_EVERY == 0) reset_both(p);
    fill_inputs(p, i);
    run_both(p);
    MN_TRY(compare(p, i));
  }
  return stored != NULL ? prove_stored(p, stored, random, total) : MN_OK;
}

mn_status mn_proof_run(mn_proof *proof, const mn_run_context *context, const mn_graph *source,
                       const mn_clean *clean, int64_t random, const mn_vectors *stored,
                       mn_error *error) {
  prover p = {.context = context, .proof = proof, .clean = clean, .error = error};
  *proof = (mn_proof){0};
  mn_status status = open_side(&p.old, &p, source);
  if (status == MN_OK) status = open_side(&p.new, &p, clean->graph);
  if (status == MN_OK) status = prove(&p, random, stored);
  mn_exec_destroy(p.old.exec);
  mn_exec_destroy(p.new.exec);
  return status;
}
