/* write.c - an mn_model becomes a .tflite: one layout for one model. All tables come first, then
 * what they point to: numbers, texts, zero points, and the constants, each 16-byte aligned.
 *
 * Small on purpose: no names of constants, no min/max, one copy of equal shapes and of equal runs of
 * zero points. Whatever is shared is shared by structure, never because two values happen to agree,
 * so that a bare graph's file has its exact size before anything is learnt.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "micronets/tflite.h"
#include "tflite/flat_write.h"
#include "tflite/meta.h"
#include "tflite/options.h"
#include "tflite/schema.h"

enum { DATA_ALIGNMENT = 16, SHARED_INTS = 64 };
/* A memory plan made for one exact list of tensors: it would be wrong for the file we write. */
#define OFFLINE_PLAN "OfflineMemoryAllocation"

typedef enum leaf_kind {
  LEAF_INTS,
  LEAF_FLOATS,
  LEAF_TEXT,
  LEAF_ZERO_POINTS,
  LEAF_BYTES,
  LEAF_KINDS
} leaf_kind;

/* Something without offsets of its own, to be written behind all tables. data NULL: zeros. */
typedef struct leaf {
  leaf_kind kind;
  size_t from, count;
  const void *data;
} leaf;

typedef struct op_code {
  mn_op_kind kind;
  int32_t version;
} op_code;

typedef struct writer {
  mn_flat_out out;
  const mn_model *model;
  const mn_graph *graph;
  mn_arena *arena; /* scratch */
  mn_error *error;
  leaf *leaves;
  int32_t leaf_count, leaf_capacity;
  int32_t *file_id, *scales,
      *buffer;           /* [tensor]: number in the file; scales it has; buffer of its data */
  mn_tensor_id *same_as; /* [tensor]: shares this tensor's quantization; -1 */
  mn_tensor_id *used;    /* [used_count]: tensors of the file in order */
  int32_t used_count, constant_count;
  mn_bytes *buffers;
  int32_t buffer_count;
  op_code *codes;
  int32_t *code_of; /* [op] */
  int32_t code_count;
  mn_metadata *metadata;
  int32_t metadata_count;
} writer;

static mn_status no_memory(const writer *w) {
  return mn_error_set(w->error, MN_ERR_MEMORY, "out of memory while writing a .tflite");
}

/* ---- Leaves --------------------------------------------------------------------------------*/
static void add_leaf(writer *w, leaf_kind kind, size_t from, const void *data, size_t count) {
  if (w->leaf_count == w->leaf_capacity) {
    int32_t capacity = w->leaf_capacity > 0 ? 2 * w->leaf_capacity : 256;
    leaf *grown = mn_arena_array(w->arena, (size_t)capacity, sizeof *grown);
    if (grown == NULL) {
      w->out.status = MN_ERR_MEMORY;
      return;
    }
    if (w->leaf_count > 0) memcpy(grown, w->leaves, (size_t)w->leaf_count * sizeof *grown);
    w->leaves = grown;
    w->leaf_capacity = capacity;
  }
  w->leaves[w->leaf_count++] = (leaf){kind, from, count, data};
}

typedef struct shared_leaves {
  const leaf *first[SHARED_INTS];
  size_t at[SHARED_INTS];
  int32_t count;
} shared_leaves;

static bool same_leaf(const leaf *a, const leaf *b) {
  if (a->count != b->count || (a->data == NULL) != (b->data == NULL)) return false;
  return a->data == NULL || memcmp(a->data, b->data, a->count * sizeof(int32_t)) == 0;
}

static size_t put_zero_points(writer *w, const leaf *item) {
  int64_t *wide = NULL;
  if (item->data != NULL && !w->out.counting) {
    wide = mn_arena_array(w->arena, item->count, sizeof *wide);
    if (wide == NULL) w->out.status = MN_ERR_MEMORY;
    for (size_t i = 0; wide != NULL && i < item->count; i++)
      wide[i] = ((const int32_t *)item->data)[i];
  }
  return mn_flat_put_vector(&w->out, wide, item->count, 8, 8);
}

static size_t put_leaf(writer *w, const leaf *item) {
  switch (item->kind) {
    case LEAF_TEXT: return mn_flat_put_text(&w->out, item->data);
    case LEAF_ZERO_POINTS: return put_zero_points(w, item);
    case LEAF_BYTES: return mn_flat_put_vector(&w->out, item->data, item->count, 1, DATA_ALIGNMENT);
    default: return mn_flat_put_vector(&w->out, item->data, item->count, 4, 4);
  }
}

/* Shapes and lists of tensors are shared where equal, zero points where they are the zeros of constants. */
static bool sharable(const leaf *item) {
  return item->kind == LEAF_INTS || (item->kind == LEAF_ZERO_POINTS && item->data == NULL);
}

static void put_leaves(writer *w, leaf_kind kind) {
  shared_leaves shared = {.count = 0};
  for (int32_t i = 0; i < w->leaf_count; i++) {
    const leaf *item = &w->leaves[i];
    if (item->kind != kind) continue;
    int32_t s = 0;
    while (s < shared.count && !(sharable(item) && same_leaf(item, shared.first[s]))) s++;
    size_t at = s < shared.count ? shared.at[s] : put_leaf(w, item);
    mn_flat_aim(&w->out, item->from, at);
    if (s < shared.count || !sharable(item) || shared.count == SHARED_INTS) continue;
    shared.first[shared.count] = item;
    shared.at[shared.count++] = at;
  }
}

/* ---- What goes into the file ---------------------------------------------------------------*/
static bool is_constant(const mn_tensor *tensor) {
  return tensor->constant;
}

/* Scales that freezing gives to a bare graph's tensor: one per output channel for weights and bias of
 * convolutions, one for everything else that is quantized. */
static void expect_scales(writer *w, const mn_op *op) {
  w->scales[op->output] = 1;
  bool layer = mn_op_format_of(op->kind)->role[1] == MN_ROLE_WEIGHTS;
  if (!layer) return;
  const mn_shape *weights = &w->graph->tensors[op->input[1]].shape;
  int32_t channels = 1;
  if (op->kind == MN_OP_CONV_2D) channels = weights->dim[0];
  if (op->kind == MN_OP_DEPTHWISE_CONV_2D) channels = weights->dim[3];
  w->scales[op->input[1]] = channels;
  if (op->inputs > 2 && op->input[2] >= 0) w->scales[op->input[2]] = channels;
}

static bool same_quantization(const mn_quantization *a, const mn_quantization *b) {
  return a->count == 1 && b->count == 1 && memcmp(a->scale, b->scale, sizeof *a->scale) == 0 &&
         a->zero_point[0] == b->zero_point[0];
}

static void count_scales(writer *w) {
  const mn_graph *graph = w->graph;
  for (int32_t t = 0; t < graph->tensor_count; t++)
    w->scales[t] = graph->tensors[t].quantization.count;
  for (int32_t i = 0; i < graph->input_count && !graph->frozen; i++)
    w->scales[graph->inputs[i]] = 1;
  for (int32_t o = 0; o < graph->op_count; o++) {
    const mn_op *op = &graph->ops[o];
    if (!graph->frozen) expect_scales(w, op);
    if (mn_op_info_get(op->kind)->scale_rule != MN_SCALE_SAME) continue;
    const mn_tensor *x = &graph->tensors[op->input[0]], *y = &graph->tensors[op->output];
    if (!graph->frozen || same_quantization(&x->quantization, &y->quantization)) {
      mn_tensor_id first = w->same_as[op->input[0]];
      w->same_as[op->output] = first >= 0 ? first : op->input[0];
    }
  }
}

static void number_tensors(writer *w) {
  const mn_graph *graph = w->graph;
  for (int32_t t = 0; t < graph->tensor_count; t++) w->file_id[t] = -1;
  for (int32_t i = 0; i < graph->input_count; i++) w->file_id[graph->inputs[i]] = 0;
  for (int32_t o = 0; o < graph->op_count; o++) {
    const mn_op *op = &graph->ops[o];
    w->file_id[op->output] = 0;
    for (int32_t i = 0; i < op->inputs; i++) {
      if (op->input[i] >= 0) w->file_id[op->input[i]] = 0;
    }
  }
  for (int32_t t = 0; t < graph->tensor_count; t++) {
    if (w->file_id[t] < 0) continue;
    w->file_id[t] = w->used_count;
    w->used[w->used_count++] = t;
  }
}

/* Tensors that share memory share a buffer; buffer 0 is the empty one by convention. */
static void number_buffers(writer *w) {
  w->buffer_count = 1;
  for (int32_t u = 0; u < w->used_count; u++) {
    const mn_tensor *tensor = &w->graph->tensors[w->used[u]];
    if (!is_constant(tensor)) continue;
    mn_bytes data = {tensor->data, mn_tensor_bytes(tensor)};
    int32_t b = 1;
    while (b < w->buffer_count && (data.data == NULL || w->buffers[b].data != data.data ||
                                   w->buffers[b].size != data.size))
      b++;
    if (b == w->buffer_count) w->buffers[w->buffer_count++] = data;
    w->buffer[w->used[u]] = b;
  }
}

static void number_codes(writer *w) {
  for (int32_t o = 0; o < w->graph->op_count; o++) {
    const mn_op *op = &w->graph->ops[o];
    op_code code = {op->kind, mn_op_file_version(op, w->graph->tensors)};
    int32_t c = 0;
    while (c < w->code_count &&
           (w->codes[c].kind != code.kind || w->codes[c].version != code.version))
      c++;
    if (c == w->code_count) w->codes[w->code_count++] = code;
    w->code_of[o] = c;
  }
}

static mn_status collect_metadata(writer *w) {
  const mn_model *model = w->model;
  if (mn_meta_needed(model)) {
    mn_buffer text = {0};
    mn_sink sink = mn_buffer_sink(&text);
    mn_status status = mn_meta_print(&sink, model, w->error);
    const uint8_t *copy = status == MN_OK ? mn_arena_copy(w->arena, text.data, text.size) : NULL;
    w->metadata[w->metadata_count++] = (mn_metadata){MN_TFLITE_METADATA, {copy, text.size}};
    mn_buffer_free(&text);
    if (status != MN_OK || copy == NULL) return status != MN_OK ? status : no_memory(w);
  }
  for (int32_t i = 0; i < model->metadata_count; i++) {
    if (strcmp(model->metadata[i].name, OFFLINE_PLAN) != 0)
      w->metadata[w->metadata_count++] = model->metadata[i];
  }
  return MN_OK;
}

static mn_status collect(writer *w) {
  size_t tensors = (size_t)w->graph->tensor_count, ops = (size_t)w->graph->op_count;
  size_t entries = (size_t)w->model->metadata_count + 1;
  w->file_id = mn_arena_array(w->arena, tensors, sizeof *w->file_id);
  w->scales = mn_arena_array(w->arena, tensors, sizeof *w->scales);
  w->buffer = mn_arena_array(w->arena, tensors, sizeof *w->buffer);
  w->same_as = mn_arena_array(w->arena, tensors, sizeof *w->same_as);
  w->used = mn_arena_array(w->arena, tensors, sizeof *w->used);
  w->buffers = mn_arena_array(w->arena, tensors + entries + 1, sizeof *w->buffers);
  w->codes = mn_arena_array(w->arena, ops, sizeof *w->codes);
  w->code_of = mn_arena_array(w->arena, ops, sizeof *w->code_of);
  w->metadata = mn_arena_array(w->arena, entries, sizeof *w->metadata);
  if (w->file_id == NULL || w->scales == NULL || w->buffer == NULL || w->same_as == NULL ||
      w->used == NULL || w->buffers == NULL || w->codes == NULL || w->code_of == NULL ||
      w->metadata == NULL)
    return no_memory(w);
  for (size_t t = 0; t < tensors; t++) w->same_as[t] = -1;
  count_scales(w);
  number_tensors(w);
  number_buffers(w);
  number_codes(w);
  return collect_metadata(w);
}

/* ---- Tables --------------------------------------------------------------------------------*/
/* A vector of offsets to tables that are written right behind it; returns its position. */
static size_t put_offsets(writer *w, size_t from, int32_t count) {
  size_t at = mn_flat_put_vector(&w->out, NULL, (size_t)count, 4, 4);
  mn_flat_aim(&w->out, from, at);
  return at + 4;
}

static void put_codes(writer *w, size_t from) {
  size_t slot = put_offsets(w, from, w->code_count);
  for (int32_t c = 0; c < w->code_count; c++, slot += 4) {
    uint32_t code = (uint32_t)mn_op_info_get(w->codes[c].kind)->tflite_code;
    uint32_t version = (uint32_t)w->codes[c].version;
    mn_flat_field fields[MN_CODE_SLOTS] = {0};
    if (code != 0) fields[MN_CODE_DEPRECATED] = (mn_flat_field){1, code < 127 ? code : 127};
    if (code != 0) fields[MN_CODE_BUILTIN] = (mn_flat_field){4, code};
    if (version != 1) fields[MN_CODE_VERSION] = (mn_flat_field){4, version};
    mn_flat_aim(&w->out, slot, mn_flat_put_table(&w->out, fields, MN_CODE_SLOTS, NULL));
  }
}

/* where[tensor]: the offset field that is to point at its quantization; 0: it has none. */
static void put_tensors(writer *w, size_t from, size_t *where) {
  size_t slot = put_offsets(w, from, w->used_count);
  for (int32_t u = 0; u < w->used_count; u++, slot += 4) {
    mn_tensor_id id = w->used[u];
    const mn_tensor *tensor = &w->graph->tensors[id];
    bool named = !tensor->constant && !tensor->variable;
    mn_flat_field fields[MN_TENSOR_SLOTS] = {[MN_TENSOR_SHAPE] = {4, 0}};
    size_t at[MN_TENSOR_SLOTS];
    fields[MN_TENSOR_TYPE] = (mn_flat_field){1, (uint32_t)mn_dtype_tflite(tensor->dtype)};
    if (w->buffer[id] != 0) fields[MN_TENSOR_BUFFER] = (mn_flat_field){4, (uint32_t)w->buffer[id]};
    if (named) fields[MN_TENSOR_NAME] = (mn_flat_field){4, 0};
    if (w->scales[id] > 0) fields[MN_TENSOR_QUANTIZATION] = (mn_flat_field){4, 0};
    if (tensor->variable) fields[MN_TENSOR_IS_VARIABLE] = (mn_flat_field){1, 1};
    mn_flat_aim(&w->out, slot, mn_flat_put_table(&w->out, fields, MN_TENSOR_SLOTS, at));
    add_leaf(w, LEAF_INTS, at[MN_TENSOR_SHAPE], tensor->shape.dim, (size_t)tensor->shape.rank);
    if (named) add_leaf(w, LEAF_TEXT, at[MN_TENSOR_NAME], tensor->name, 0);
    where[id] = w->scales[id] > 0 ? at[MN_TENSOR_QUANTIZATION] : 0;
  }
}

static bool all_zero(const mn_quantization *quantization) {
  for (int32_t i = 0; i < quantization->count; i++) {
    if (quantization->zero_point[i] != 0) return false;
  }
  return true;
}

static int32_t scale_axis(const writer *w, mn_tensor_id id) {
  const mn_tensor *tensor = &w->graph->tensors[id];
  if (w->scales[id] <= 1) return 0;
  if (w->graph->frozen) return tensor->quantization.axis;
  /* bare: depthwise weights [1, KH, KW, O] have their channels last */
  bool last = tensor->shape.rank == 4 && tensor->shape.dim[0] != w->scales[id];
  return last ? 3 : 0;
}

static size_t put_quantization(writer *w, mn_tensor_id id) {
  const mn_tensor *tensor = &w->graph->tensors[id];
  const mn_quantization *quantization = &tensor->quantization;
  size_t count = (size_t)w->scales[id], at[MN_QUANTIZATION_SLOTS];
  int32_t axis = scale_axis(w, id);
  mn_flat_field fields[MN_QUANTIZATION_SLOTS] = {0};
  fields[MN_QUANTIZATION_SCALE] = (mn_flat_field){4, 0};
  fields[MN_QUANTIZATION_ZERO_POINT] = (mn_flat_field){4, 0};
  if (axis != 0) fields[MN_QUANTIZATION_AXIS] = (mn_flat_field){4, (uint32_t)axis};
  size_t table = mn_flat_put_table(&w->out, fields, MN_QUANTIZATION_SLOTS, at);
  bool zeros = tensor->constant && (!w->graph->frozen || all_zero(quantization));
  /* activations of a bare graph: any address will do, the bytes are only counted */
  const int32_t *points = w->graph->frozen ? quantization->zero_point : tensor->shape.dim;
  add_leaf(w, LEAF_FLOATS, at[MN_QUANTIZATION_SCALE], quantization->scale, count);
  add_leaf(w, LEAF_ZERO_POINTS, at[MN_QUANTIZATION_ZERO_POINT], zeros ? NULL : points, count);
  return table;
}

/* Tables of quantization stand behind all tensors, because several tensors may point at one. */
static void put_quantizations(writer *w, const size_t *where, size_t *placed) {
  for (int32_t u = 0; u < w->used_count; u++) {
    mn_tensor_id id = w->used[u], same = w->same_as[w->used[u]];
    if (where[id] == 0) continue;
    mn_tensor_id source = same >= 0 ? same : id;
    if (placed[source] == 0) placed[source] = put_quantization(w, source);
    mn_flat_aim(&w->out, where[id], placed[source]);
  }
}

/* Fields that differ from the schema's defaults. */
static void put_options(writer *w, const mn_op *op, size_t from) {
  mn_flat_field fields[MN_FLAT_MAX_SLOTS] = {0};
  const mn_op_format *format = mn_op_format_of(op->kind);
  int32_t slots = 0;
  for (const mn_option_field *field = format->fields; field->bytes != 0; field++) {
    uint32_t value = mn_option_get(op, field->option);
    if (value != (uint32_t)field->absent)
      fields[field->slot] = (mn_flat_field){field->bytes, value};
    if (field->slot >= slots) slots = field->slot + 1;
  }
  const mn_tensor *y = &w->graph->tensors[op->output];
  /* int16 sums: scales need not be powers of two (the schema's default says they are) */
  if (op->kind == MN_OP_ADD && y->dtype == MN_DTYPE_INT16)
    fields[MN_ADD_POT_SCALE] = (mn_flat_field){1, 0};
  if (op->kind == MN_OP_ADD) slots = MN_ADD_POT_SCALE + 1;
  size_t at[MN_FLAT_MAX_SLOTS];
  if (op->kind == MN_OP_RESHAPE) fields[slots++] = (mn_flat_field){4, 0};
  mn_flat_aim(&w->out, from, mn_flat_put_table(&w->out, fields, slots, at));
  if (op->kind == MN_OP_RESHAPE) add_leaf(w, LEAF_INTS, at[0], y->shape.dim, (size_t)y->shape.rank);
}

/* RESHAPE says its shape in its options where no constant does. */
static uint32_t options_type(const mn_op *op) {
  if (op->kind == MN_OP_RESHAPE) return op->inputs < 2 || op->input[1] < 0 ? MN_RESHAPE_OPTIONS : 0;
  return mn_op_format_of(op->kind)->options_type;
}

static mn_status put_ids(writer *w, size_t from, const mn_tensor_id *ids, int32_t count) {
  int32_t *file_ids = mn_arena_array(w->arena, (size_t)count, sizeof *file_ids);
  if (file_ids == NULL) return no_memory(w);
  for (int32_t i = 0; i < count; i++) file_ids[i] = ids[i] < 0 ? -1 : w->file_id[ids[i]];
  add_leaf(w, LEAF_INTS, from, file_ids, (size_t)count);
  return MN_OK;
}

static mn_status put_ops(writer *w, size_t from) {
  size_t slot = put_offsets(w, from, w->graph->op_count);
  for (int32_t o = 0; o < w->graph->op_count; o++, slot += 4) {
    const mn_op *op = &w->graph->ops[o];
    uint32_t type = options_type(op);
    size_t at[MN_OPERATOR_SLOTS];
    mn_flat_field fields[MN_OPERATOR_SLOTS] = {
        [MN_OPERATOR_INPUTS] = {4, 0}, [MN_OPERATOR_OUTPUTS] = {4, 0}};
    if (w->code_of[o] != 0) fields[MN_OPERATOR_CODE] = (mn_flat_field){4, (uint32_t)w->code_of[o]};
    if (type != 0) fields[MN_OPERATOR_OPTIONS_TYPE] = (mn_flat_field){1, type};
    if (type != 0) fields[MN_OPERATOR_OPTIONS] = (mn_flat_field){4, 0};
    mn_flat_aim(&w->out, slot, mn_flat_put_table(&w->out, fields, MN_OPERATOR_SLOTS, at));
    MN_TRY(put_ids(w, at[MN_OPERATOR_INPUTS], op->input, op->inputs));
    MN_TRY(put_ids(w, at[MN_OPERATOR_OUTPUTS], &op->output, 1));
    if (type != 0) put_options(w, op, at[MN_OPERATOR_OPTIONS]);
  }
  return MN_OK;
}

static mn_status put_subgraph(writer *w, size_t from) {
  size_t *where = mn_arena_array(w->arena, (size_t)w->graph->tensor_count, sizeof *where);
  size_t *placed = mn_arena_array(w->arena, (size_t)w->graph->tensor_count, sizeof *placed);
  if (where == NULL || placed == NULL) return no_memory(w);
  size_t slot = put_offsets(w, from, 1), at[MN_SUBGRAPH_SLOTS];
  mn_flat_field fields[MN_SUBGRAPH_SLOTS] = {{4, 0}, {4, 0}, {4, 0}, {4, 0}};
  mn_flat_aim(&w->out, slot, mn_flat_put_table(&w->out, fields, MN_SUBGRAPH_SLOTS, at));
  MN_TRY(put_ids(w, at[MN_SUBGRAPH_INPUTS], w->graph->inputs, w->graph->input_count));
  MN_TRY(put_ids(w, at[MN_SUBGRAPH_OUTPUTS], w->graph->outputs, w->graph->output_count));
  put_tensors(w, at[MN_SUBGRAPH_TENSORS], where);
  MN_TRY(put_ops(w, at[MN_SUBGRAPH_OPERATORS]));
  put_quantizations(w, where, placed);
  return MN_OK;
}

static void put_metadata(writer *w, size_t from) {
  size_t slot = put_offsets(w, from, w->metadata_count);
  for (int32_t i = 0; i < w->metadata_count; i++, slot += 4) {
    size_t at[MN_METADATA_SLOTS];
    mn_flat_field fields[MN_METADATA_SLOTS] = {{4, 0}, {4, (uint32_t)w->buffer_count}};
    mn_flat_aim(&w->out, slot, mn_flat_put_table(&w->out, fields, MN_METADATA_SLOTS, at));
    add_leaf(w, LEAF_TEXT, at[MN_METADATA_NAME], w->metadata[i].name, 0);
    w->buffers[w->buffer_count++] = w->metadata[i].data;
  }
}

static void put_buffers(writer *w, size_t from) {
  size_t slot = put_offsets(w, from, w->buffer_count);
  for (int32_t b = 0; b < w->buffer_count; b++, slot += 4) {
    size_t at[MN_BUFFER_SLOTS];
    mn_flat_field fields[MN_BUFFER_SLOTS] = {0};
    if (w->buffers[b].size > 0) fields[MN_BUFFER_DATA] = (mn_flat_field){4, 0};
    mn_flat_aim(&w->out, slot, mn_flat_put_table(&w->out, fields, MN_BUFFER_SLOTS, at));
    if (w->buffers[b].size > 0)
      add_leaf(w, LEAF_BYTES, at[MN_BUFFER_DATA], w->buffers[b].data, w->buffers[b].size);
  }
}

static mn_status put_model(writer *w) {
  mn_flat_field fields[MN_MODEL_SLOTS] = {[MN_MODEL_VERSION] = {4, MN_TFLITE_SCHEMA_VERSION},
                                          [MN_MODEL_OPERATOR_CODES] = {4, 0},
                                          [MN_MODEL_SUBGRAPHS] = {4, 0},
                                          [MN_MODEL_BUFFERS] = {4, 0}};
  size_t at[MN_MODEL_SLOTS];
  if (w->model->description != NULL) fields[MN_MODEL_DESCRIPTION] = (mn_flat_field){4, 0};
  if (w->metadata_count > 0) fields[MN_MODEL_METADATA] = (mn_flat_field){4, 0};
  mn_flat_begin(&w->out, MN_TFLITE_IDENTIFIER);
  mn_flat_aim(&w->out, 0, mn_flat_put_table(&w->out, fields, MN_MODEL_SLOTS, at));
  if (w->model->description != NULL)
    add_leaf(w, LEAF_TEXT, at[MN_MODEL_DESCRIPTION], w->model->description, 0);
  put_codes(w, at[MN_MODEL_OPERATOR_CODES]);
  MN_TRY(put_subgraph(w, at[MN_MODEL_SUBGRAPHS]));
  if (w->metadata_count > 0) put_metadata(w, at[MN_MODEL_METADATA]);
  put_buffers(w, at[MN_MODEL_BUFFERS]);
  for (int32_t kind = 0; kind < LEAF_KINDS; kind++) put_leaves(w, (leaf_kind)kind);
  return w->out.status == MN_OK ? MN_OK : no_memory(w);
}

/* ---- Entry points --------------------------------------------------------------------------*/
static mn_status write_model(writer *w, const mn_model *model, bool counting, mn_error *error) {
  *w = (writer){.model = model, .graph = model->graph, .error = error};
  w->out.counting = counting;
  mn_status status = mn_arena_create(&w->arena);
  if (status != MN_OK) return no_memory(w);
  status = collect(w);
  if (status == MN_OK) status = put_model(w);
  mn_arena_destroy(w->arena);
  return status;
}

mn_status mn_tflite_write(const mn_sink *out, const mn_model *model, mn_error *error) {
  assert(model->graph->frozen);
  writer *w = mn_calloc(1, sizeof *w);
  if (w == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory while writing a .tflite");
  mn_status status = write_model(w, model, false, error);
  if (status == MN_OK) {
    status = mn_sink_write(out, w->out.buffer.data, w->out.buffer.size);
    if (status != MN_OK)
      mn_error_set(error, status, "writing a .tflite of %zu bytes failed", w->out.buffer.size);
  }
  mn_flat_release(&w->out);
  mn_free(w);
  return status;
}

mn_status mn_tflite_size(size_t *bytes, const mn_model *model, mn_error *error) {
  writer *w = mn_calloc(1, sizeof *w);
  if (w == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory while sizing a .tflite");
  mn_status status = write_model(w, model, true, error);
  if (status == MN_OK) *bytes = w->out.size;
  mn_free(w);
  return status;
}
