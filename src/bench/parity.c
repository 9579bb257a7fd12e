/* parity.c - see parity.h. The bench program prints, for each vector:
 *   vector=N
 *   op=I first_row=R rows=K bytes=B crc=XXXXXXXX     for every finished stretch of rows
 *   output_bytes=B crc=XXXXXXXX
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/parity.h"

#include <stdio.h>
#include <string.h>

/* What was seen of one operator's output in the vector at hand. */
typedef struct seen {
  int64_t bytes;
  int32_t wrong_row; /* first row of the first wrong stretch; -1: none */
} seen;

typedef struct checker {
  mn_bench_result *result;
  mn_arena *arena;
  const mn_reference *reference;
  const mn_vectors *vectors;
  mn_error *error;
  seen *seen;      /* [op_count], of the vector at hand */
  bool *complete;  /* [op_count]: whole in every vector so far */
  int32_t vector;  /* -1: none yet */
  int32_t outputs; /* vectors whose output line was read */
} checker;

static const mn_graph *graph_of(const checker *c) {
  return c->reference->graph;
}

static int64_t op_bytes(const checker *c, int32_t op) {
  return c->reference->offset[op + 1] - c->reference->offset[op];
}

static const uint8_t *tensor_of(const checker *c, int32_t vector, int32_t op) {
  return c->reference->tensors[vector] + c->reference->offset[op];
}

/* One more mismatch; the first one is kept in words. */
static mn_status mismatch(checker *c, int32_t vector, int32_t op, int32_t row,
                          const char *against) {
  c->result->parity.mismatches++;
  if (c->result->parity.first_mismatch != NULL) return MN_OK;
  const char *name = op >= 0 ? graph_of(c)->ops[op].name : "output";
  c->result->parity.first_mismatch =
      mn_arena_text(c->arena, "vector %d, op %d %s, row %d (%s)", vector, op,
                    name != NULL ? name : "", row, against);
  return c->result->parity.first_mismatch != NULL
             ? MN_OK
             : mn_error_set(c->error, MN_ERR_MEMORY, "out of memory");
}

/* ---- The firmware against the reference -----------------------------------------------------*/

static void begin_vector(checker *c, int32_t vector) {
  c->vector = vector;
  for (int32_t i = 0; i < graph_of(c)->op_count; i++) c->seen[i] = (seen){.wrong_row = -1};
}

static mn_status end_vector(checker *c) {
  for (int32_t i = 0; c->vector >= 0 && i < graph_of(c)->op_count; i++) {
    if (c->seen[i].wrong_row >= 0)
      MN_TRY(mismatch(c, c->vector, i, c->seen[i].wrong_row, "firmware"));
    c->complete[i] = c->complete[i] && c->seen[i].bytes == op_bytes(c, i);
  }
  return MN_OK;
}

static bool check_rows(checker *c, const char *line) {
  int op, first_row, rows, bytes;
  unsigned crc;
  if (sscanf(line, "op=%d first_row=%d rows=%d bytes=%d crc=%x", &op, &first_row, &rows, &bytes,
             &crc) != 5)
    return false;
  if (c->vector < 0 || op < 0 || op >= graph_of(c)->op_count || rows <= 0 || first_row < 0)
    return false;
  int64_t offset = (int64_t)bytes / rows * first_row;
  if (bytes < 0 || offset + bytes > op_bytes(c, op)) return false;
  seen *s = &c->seen[op];
  s->bytes += bytes;
  bool right = mn_crc32(0, tensor_of(c, c->vector, op) + offset, (size_t)bytes) == crc;
  if (!right && s->wrong_row < 0) s->wrong_row = first_row;
  return true;
}

static mn_status check_output(checker *c, const char *line, bool *understood) {
  unsigned bytes, crc;
  *understood = sscanf(line, "output_bytes=%u crc=%x", &bytes, &crc) == 2 && c->vector >= 0 &&
                bytes == c->vectors->output_bytes;
  if (!*understood) return MN_OK;
  c->outputs++;
  if (mn_crc32(0, c->reference->output[c->vector], bytes) == crc) return MN_OK;
  return mismatch(c, c->vector, -1, 0, "firmware");
}

static mn_status read_line(checker *c, const char *line) {
  int vector;
  bool understood = true;
  if (strncmp(line, "op=", 3) == 0) {
    understood = check_rows(c, line);
  } else if (strncmp(line, "output_bytes=", 13) == 0) {
    MN_TRY(check_output(c, line, &understood));
  } else if (sscanf(line, "vector=%d", &vector) == 1) {
    understood = vector == c->vector + 1 && vector < c->vectors->count;
    MN_TRY(end_vector(c));
    if (understood) begin_vector(c, vector);
  }
  if (understood) return MN_OK;
  return mn_error_set(c->error, MN_ERR_FAILED,
                      "the bench program said \"%.80s\", which makes no sense here", line);
}

static mn_status read_text(checker *c, mn_bytes text) {
  const char *at = (const char *)text.data;
  while (*at != '\0') {
    size_t length = strcspn(at, "\n");
    const char *line = mn_arena_text(c->arena, "%.*s", (int)length, at);
    if (line == NULL) return mn_error_set(c->error, MN_ERR_MEMORY, "out of memory");
    MN_TRY(read_line(c, line));
    at += length + (at[length] == '\n');
  }
  MN_TRY(end_vector(c));
  if (c->outputs == c->vectors->count) return MN_OK;
  return mn_error_set(c->error, MN_ERR_FAILED, "the bench program finished %d of %d vectors",
                      c->outputs, c->vectors->count);
}

/* ---- The reference against what is stored ---------------------------------------------------*/

static int32_t op_of_origin(const mn_graph *graph, int32_t origin) {
  for (int32_t i = 0; i < graph->op_count; i++)
    if (graph->ops[i].origin == origin) return i;
  return -1;
}

/* They are numbered as the operators of the model they were made with: they say nothing of another. */
static mn_status check_checksums(checker *c, int32_t vector) {
  if (c->vectors->tensor_count != graph_of(c)->op_count) return MN_OK;
  for (int32_t i = 0; i < c->vectors->tensor_count; i++) {
    const mn_golden_tensor *golden = &c->vectors->tensors[i];
    int32_t op = op_of_origin(graph_of(c), golden->op);
    if (op < 0 || (int64_t)golden->bytes != op_bytes(c, op)) continue;
    uint32_t crc = mn_crc32(0, tensor_of(c, vector, op), golden->bytes);
    if (crc != c->vectors->crc[(size_t)vector * (size_t)c->vectors->tensor_count + (size_t)i])
      MN_TRY(mismatch(c, vector, op, 0, "golden tensors.json"));
  }
  return MN_OK;
}

/* act00.bin: outputs of all operators for vector 0. It says nothing where operators were changed.
 */
static mn_status check_activations(checker *c) {
  const mn_graph *graph = graph_of(c);
  const mn_bytes *stored = &c->vectors->activations;
  if (stored->size != (size_t)c->reference->offset[graph->op_count]) return MN_OK;
  for (int32_t i = 0; i < graph->op_count; i++) {
    if (graph->ops[i].origin != i) return MN_OK;
    const uint8_t *at = stored->data + c->reference->offset[i];
    if (memcmp(at, tensor_of(c, 0, i), (size_t)op_bytes(c, i)) != 0)
      MN_TRY(mismatch(c, 0, i, 0, "golden act00.bin"));
  }
  return MN_OK;
}

static mn_status check_stored(checker *c) {
  for (int32_t v = 0; v < c->vectors->count; v++) {
    const uint8_t *stored = c->vectors->output[v];
    if (stored != NULL && memcmp(stored, c->reference->output[v], c->vectors->output_bytes) != 0)
      MN_TRY(mismatch(c, v, -1, 0, "golden output"));
    MN_TRY(check_checksums(c, v));
  }
  return check_activations(c);
}

static mn_status list_missing(checker *c) {
  const mn_graph *graph = graph_of(c);
  const char **names = mn_arena_array(c->arena, (size_t)graph->op_count + 1, sizeof *names);
  if (names == NULL) return mn_error_set(c->error, MN_ERR_MEMORY, "out of memory");
  int32_t count = 0;
  for (int32_t i = 0; i < graph->op_count; i++)
    if (!c->complete[i]) names[count++] = graph->ops[i].name;
  c->result->parity.not_materialised = names;
  c->result->parity.not_materialised_count = count;
  c->result->parity.tensors = graph->op_count - count;
  c->result->parity.tensors_total = graph->op_count;
  return MN_OK;
}

mn_status mn_parity_check(mn_bench_result *result, mn_arena *arena, const mn_reference *reference,
                          const mn_vectors *vectors, mn_bytes text, mn_error *error) {
  size_t ops = (size_t)reference->graph->op_count;
  checker c = {.result = result,
               .arena = arena,
               .reference = reference,
               .vectors = vectors,
               .error = error,
               .seen = mn_arena_array(arena, ops + 1, sizeof(seen)),
               .complete = mn_arena_array(arena, ops + 1, sizeof(bool)),
               .vector = -1};
  if (c.seen == NULL || c.complete == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  for (size_t i = 0; i < ops; i++) c.complete[i] = true;
  result->parity.vectors = vectors->count;
  result->parity.mismatches = 0;
  result->parity.first_mismatch = NULL;
  MN_TRY(read_text(&c, text));
  MN_TRY(check_stored(&c));
  return list_missing(&c);
}
