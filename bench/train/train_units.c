/* train_units.c - every unit of a training step beside what bounds it:
 * train_units NETWORK.net BATCH THREADS STEPS [ISA|best [float|quantized|search [auto|float32|bf16|int16]]]
 *
 * Per unit, forward and backward: the least time over the steps (one thread: processor time, else the clock); operations and bytes that it cannot do
 * without (forward: its input read, its output written; backward: gradient and output read, input read,
 * input's gradient written; sums and weights are small); the bound, which is the longer of operations at
 * the peak of the CPU in float32 and bytes at the rate of memory, both measured at the start with as many
 * threads; and bound over time. Where maps stay in a cache, memory is faster than the bound says, and
 * products of 16-bit factors may be twice as fast as the peak.
 * SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

typedef struct cost {
  double flops, bytes, seconds;
} cost;

/* ---- The machine ---------------------------------------------------------------------------*/
enum { CHAINS = 10, TURNS = 1 << 20, STREAM = 1 << 24, PARTS = 8 };

typedef struct machine {
  const mn_lanes *lanes;
  float *a, *b, *c;
} machine;

/* Chains of multiply-adds, as many as the registers of every instruction set hold and as two units need. */
#define CHAINS_RUN(floats)                                                                 \
  typedef float wide __attribute__((vector_size(4 * (floats))));                           \
  wide x[CHAINS];                                                                          \
  const wide k = (wide){0} + y[0], d = (wide){0} + y[1];                                   \
  for (int i = 0; i < CHAINS; i++) x[i] = (wide){0} + (float)i;                            \
  for (int turn = 0; turn < TURNS; turn++)                                                 \
    _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++) x[i] = x[i] * k + d;         \
  for (int i = 0; i < CHAINS; i++) y[0] += x[i][0];

#if defined(__x86_64__)
__attribute__((target("avx512f,fma"), optimize("fp-contract=fast"))) static void chains_16(
    float *y) {
  CHAINS_RUN(16)
}
__attribute__((target("avx2,fma"), optimize("fp-contract=fast"))) static void chains_8(float *y) {
  CHAINS_RUN(8)
}
#endif
static void chains_4(float *y) {
  CHAINS_RUN(4)
}

static void peak_part(void *context, int32_t part, int32_t thread) {
  const machine *m = context;
  float *y = m->c + 64 * part;
  (void)thread;
  y[0] = 0.5f, y[1] = 1.0f;
#if defined(__x86_64__)
  if (m->lanes->lanes == 16) {
    chains_16(y);
    return;
  }
  if (m->lanes->lanes == 8) {
    chains_8(y);
    return;
  }
#endif
  chains_4(y);
}

static void stream_part(void *context, int32_t part, int32_t thread) {
  const machine *m = context;
  const int64_t at = (int64_t)part * (STREAM / PARTS);
  (void)thread;
  m->lanes->combine(m->c + at, MN_FORM_FLOAT, m->a + at, 1.0f, m->b + at, 1.0f, STREAM / PARTS);
}

static double seconds_now(mn_pool *pool) {
  return mn_pool_threads(pool) == 1 ? processor_seconds() : mn_seconds();
}

static double least_seconds(mn_pool *pool, mn_work *work, machine *m) {
  double least = 1e9;
  for (int i = 0; i < 7; i++) {
    const double start = seconds_now(pool);
    mn_pool_run(pool, work, m, PARTS);
    const double seconds = seconds_now(pool) - start;
    if (seconds < least) least = seconds;
  }
  return least;
}

/* Operations and bytes a second. */
static mn_status machine_measure(cost *rate, mn_trainer *t) {
  machine m = {t->lanes, mn_engine_floats(t, STREAM), mn_engine_floats(t, STREAM),
               mn_engine_floats(t, STREAM)};
  if (m.a == NULL || m.b == NULL || m.c == NULL) return MN_ERR_MEMORY;
  const double work = 2.0 * m.lanes->lanes * CHAINS * TURNS * PARTS, bytes = 3.0 * 4 * STREAM;
  rate->flops = work / least_seconds(t->config.pool, peak_part, &m);
  rate->bytes = bytes / least_seconds(t->config.pool, stream_part, &m);
  return MN_OK;
}

/* ---- The units -----------------------------------------------------------------------------*/
static double value_bytes(const mn_trainer *t, const mn_value *v) {
  return v == NULL ? 0 : 4.0 * (double)t->batch->items * (double)v->pixels * v->channels;
}

/* Multiply-adds count twice; sums of pools and ADD are left out. */
static double unit_flops(const mn_trainer *t, const mn_unit *u) {
  if (u->weights == NULL) return 0;
  const mn_parameter *w = u->weights;
  const double rows = (double)u->output->pixels * t->batch->items;
  return 2 * rows * w->outer * w->taps * (u->family == &mn_conv_family ? w->inner : 1);
}

static void unit_costs(cost at[2], const mn_trainer *t, const mn_unit *u) {
  const double in = value_bytes(t, u->input[0]) + value_bytes(t, u->input[1]);
  const double out = value_bytes(t, u->output), forward = unit_flops(t, u);
  const bool weights = u->weights != NULL, gives = !u->input[0]->input;
  at[0] = (cost){forward, in + out, 1e9};
  at[1] = (cost){forward * ((weights ? 1 : 0) + (gives ? 1 : 0)),
                 weights ? 2 * out + in + (gives ? in : 0) : out + in, 1e9};
}

static void time_unit(cost *at, mn_trainer *t, mn_unit *u,
                      void (*run)(mn_trainer *t, mn_unit *u)) {
  const double start = seconds_now(t->config.pool);
  run(t, u);
  const double seconds = seconds_now(t->config.pool) - start;
  if (seconds < at->seconds) at->seconds = seconds;
}

static void time_step(cost (*at)[2], mn_trainer *t) {
  mn_engine_prepare(t);
  for (int32_t i = 0; i < t->unit_count; i++)
    time_unit(&at[i][0], t, &t->units[i], mn_engine_unit_forward);
  (void)mn_loss_run(t);
  for (int32_t i = t->unit_count - 1; i >= 0; i--)
    time_unit(&at[i][1], t, &t->units[i], mn_engine_unit_backward);
}

static double bound_of(const cost *at, const cost *rate) {
  const double by_flops = at->flops / rate->flops, by_bytes = at->bytes / rate->bytes;
  return by_flops > by_bytes ? by_flops : by_bytes;
}

static void print_pass(const cost *at, const cost *rate) {
  const double bound = bound_of(at, rate);
  printf(" %7.1f %7.1f %8.3f %8.3f %4.0f%% %s", at->flops * 1e-6, at->bytes * 1e-6,
         at->seconds * 1e3, bound * 1e3, 100 * bound / at->seconds,
         at->flops / rate->flops > at->bytes / rate->bytes ? "peak  " : "memory");
}

static void print_table(cost (*at)[2], const mn_trainer *t, const cost *rate) {
  cost total = {0};
  double bound = 0;
  printf("%d threads, %s, products in %s: peak %.0f GFLOP/s, memory %.1f GB/s (measured)\n",
         mn_pool_threads(t->config.pool), t->lanes->name, mn_arithmetic_name(t->config.arithmetic),
         rate->flops * 1e-9, rate->bytes * 1e-9);
  printf("%-18s %7s %7s %8s %8s %5s %-6s %7s %7s %8s %8s %5s\n", "unit", "MFLOP", "MB", "fwd ms",
         "bound", "", "by", "MFLOP", "MB", "bwd ms", "bound", "");
  for (int32_t i = 0; i < t->unit_count; i++) {
    printf("%-18s", t->graph->ops[t->units[i].op].name);
    for (int pass = 0; pass < 2; pass++) {
      print_pass(&at[i][pass], rate);
      total.flops += at[i][pass].flops, total.seconds += at[i][pass].seconds;
      bound += bound_of(&at[i][pass], rate);
    }
    printf("\n");
  }
  printf("all units: %.1f ms, bound %.1f ms, %.0f GFLOP/s\n", total.seconds * 1e3, bound * 1e3,
         total.flops / total.seconds * 1e-9);
}

static mn_status measure(job *j, mn_trainer *t, mn_error *error) {
  cost(*at)[2] = mn_arena_array(j->arena, (size_t)t->unit_count, sizeof *at), rate = {0};
  mn_gates gates;
  double loss;
  if (at == NULL) return MN_ERR_MEMORY;
  if (j->searches) {
    mn_rng rng = mn_rng_seed(1);
    mn_architecture_sample(&j->architecture, &rng, 5);
    gates = mn_architecture_gates(&j->architecture);
  }
  MN_TRY(mn_trainer_step(t, &loss, &j->batch, j->searches ? &gates : NULL, true, error));
  MN_TRY(machine_measure(&rate, t));
  for (int32_t i = 0; i < t->unit_count; i++) unit_costs(at[i], t, &t->units[i]);
  for (int32_t i = 0; i < j->steps; i++) time_step(at, t);
  print_table(at, t, &rate);
  return MN_OK;
}

static mn_status run(job *j, mn_error *error) {
  mn_trainer *trainer = NULL;
  MN_TRY(mn_trainer_create(&trainer, j->graph, &j->config, error));
  const mn_status status = measure(j, trainer, error);
  mn_trainer_destroy(trainer);
  return status;
}

int main(int count, char **argument) {
  return job_main(count, argument,
                  "train_units NETWORK.net BATCH THREADS STEPS "
                  "[ISA|best [float|quantized|search [auto|float32|bf16|int16]]]",
                  run);
}
